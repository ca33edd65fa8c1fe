"""Shape elements of foreign SVG files as subpaths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.coordinates import Box
from clipdraw.io.svg.foreign.path_data import (
    Command,
    Subpath,
    build_subpaths,
    count_segments,
    path_commands,
    point_list,
)
from clipdraw.io.svg.foreign.values import UnreadableError, diagonal, length
from clipdraw.io.svg.numbers import MAX_SEGMENTS

_LENGTHS = {
    "line": {"x1": "width", "y1": "height", "x2": "width", "y2": "height"},
    "rect": {"x": "width", "y": "height", "width": "width", "height": "height", "rx": "width", "ry": "height"},
    "circle": {"cx": "width", "cy": "height", "r": "diagonal"},
    "ellipse": {"cx": "width", "cy": "height", "rx": "width", "ry": "height"},
}
"""The attributes of a shape, and the length of the viewport that their percentages refer to."""

SHAPES = frozenset({"path", "polyline", "polygon", *_LENGTHS})
"""The names of elements that are shapes."""


def shape_subpaths(element: Element, tag: str, viewport: tuple[float, float]) -> tuple[list[Subpath], bool]:
    """The subpaths of a shape in its own coordinates up to the first error, and whether there is none.

    Args:
        element: the shape.
        tag: its name, one of `SHAPES`.
        viewport: the size that percentages refer to.

    Raises:
        UnreadableError: its geometry is not understood.
        FormatError: it has too many segments.
    """
    data = element.get("d" if tag == "path" else "points", "")
    if count_segments(data) > MAX_SEGMENTS:
        raise FormatError(f"a path of more than {MAX_SEGMENTS:,} segments")
    commands, whole = _commands(element, tag, data, viewport)
    try:
        subpaths = build_subpaths(commands)
    except (ValueError, ArithmeticError) as error:  # arcs of extreme numbers
        raise UnreadableError(str(error)) from error
    if not subpaths and not whole:
        raise UnreadableError(data[:60])
    return subpaths, whole


def rectangle(subpaths: Sequence[Subpath]) -> Box | None:
    """The box of an outline that is one rectangle with level sides; None of any other."""
    corners = subpaths[0].points[::3] if len(subpaths) == 1 else np.zeros((0, 2))
    if len(corners) != 4:
        return None
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = 1e-9 * float((high - low).max())
    turns = [tuple(corner) for corner in (corners - low > near).tolist()]
    level = all((a != c) != (b != d) for (a, b), (c, d) in pairwise([*turns, turns[0]]))
    away = np.minimum(np.abs(subpaths[0].points - low), np.abs(subpaths[0].points - high)).min(axis=1)
    return np.stack((low, high)) if level and len(set(turns)) == 4 and (away <= near).all() else None


def _commands(element: Element, tag: str, data: str, viewport: tuple[float, float]) -> tuple[list[Command], bool]:
    if tag == "path":
        return path_commands(data)
    if tag in ("polyline", "polygon"):
        numbers, whole = point_list(data)
        commands = [("M", numbers), *([("z", list[float]())] if tag == "polygon" else [])]
        return (commands if len(numbers) > 2 else []), whole
    sizes = {"width": viewport[0], "height": viewport[1], "diagonal": diagonal(*viewport)}
    given = {key: length(element.get(key), of=sizes[size], default=math.nan) for key, size in _LENGTHS[tag].items()}
    values = {key: 0.0 if math.isnan(value) else value for key, value in given.items()}
    if tag == "line":
        return [("M", [values["x1"], values["y1"], values["x2"], values["y2"]])], True
    return (_rect(values, _radii(given)) if tag == "rect" else _ellipse(values, _radii(given))), True


def _radii(given: Mapping[str, float]) -> tuple[float, float]:
    """Both radii; one that is missing, automatic or negative is as the other."""
    if "r" in given:
        return given["r"], given["r"]
    rx, ry = given["rx"], given["ry"]
    rx, ry = rx if rx >= 0 else ry, ry if ry >= 0 else rx  # also for NaN
    return (rx, ry) if rx >= 0 and ry >= 0 else (0.0, 0.0)


def _rect(values: Mapping[str, float], radii: tuple[float, float]) -> list[Command]:
    x, y, width, height = (values[key] for key in ("x", "y", "width", "height"))
    if min(width, height) <= 0:
        return []
    right, bottom = x + width, y + height
    rx, ry = min(radii[0], width / 2), min(radii[1], height / 2)
    if min(rx, ry) <= 0:
        return [("M", [x, y]), ("H", [right]), ("V", [bottom]), ("H", [x]), ("z", [])]
    return [
        ("M", [x + rx, y]), ("H", [right - rx]), _corner(rx, ry, right, y + ry),
        ("V", [bottom - ry]), _corner(rx, ry, right - rx, bottom),
        ("H", [x + rx]), _corner(rx, ry, x, bottom - ry),
        ("V", [y + ry]), _corner(rx, ry, x + rx, y), ("z", []),
    ]  # fmt: skip


def _ellipse(values: Mapping[str, float], radii: tuple[float, float]) -> list[Command]:
    (rx, ry), x, y = radii, values["cx"], values["cy"]
    if not min(rx, ry) > 0:
        return []
    ends = ((x, y + ry), (x - rx, y), (x, y - ry), (x + rx, y))
    return [("M", [x + rx, y]), *(_corner(rx, ry, *end) for end in ends), ("z", [])]


def _corner(rx: float, ry: float, x: float, y: float) -> Command:
    """A quarter of an ellipse, clockwise on the screen, to a point."""
    return "A", [rx, ry, 0.0, 0.0, 1.0, x, y]
