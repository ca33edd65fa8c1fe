"""Foreign SVG shapes and transforms, as renderers understand them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float64
from svgelements import Matrix

from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.outlines import Run, outline_runs
from clipdraw.io.svg.foreign.path_data import Command, path_commands, points
from clipdraw.io.svg.foreign.style import length
from clipdraw.io.svg.read_parts import MAX_SEGMENTS

_COMMAND = re.compile(r"([a-df-zA-DF-Z])([^a-df-zA-DF-Z]*)")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ARITY = {"z": 0, "h": 1, "v": 1, "m": 2, "l": 2, "t": 2, "s": 4, "q": 4, "c": 6, "a": 5}
_FIELDS = {
    "line": {"x1": "w", "y1": "h", "x2": "w", "y2": "h"},
    "rect": {"x": "w", "y": "h", "width": "w", "height": "h", "rx": "w", "ry": "h"},
    "circle": {"cx": "w", "cy": "h", "r": "d"},
    "ellipse": {"cx": "w", "cy": "h", "rx": "w", "ry": "h"},
}
SHAPES = frozenset({"path", "polyline", "polygon", *_FIELDS})


class UnreadableError(ValueError):
    """A shape or transform that renderers pass over."""


def affine(text: str | None) -> Float64[np.ndarray, "3 3"]:
    """The matrix of a `transform` attribute.

    Raises:
        UnreadableError: it is not understood.
    """
    if not text:
        return np.eye(3)
    if len(text) > 2000:
        raise UnreadableError("a transform of more than 2,000 characters")
    try:
        m = Matrix(text)
        matrix = np.array([[m.a, m.c, m.e], [m.b, m.d, m.f], [0, 0, 1]], dtype=np.float64)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise UnreadableError(str(error)) from error
    if not np.isfinite(matrix).all():
        raise UnreadableError(text)
    return matrix


def shape_runs(element: Element, tag: str, viewport: tuple[float, float]) -> tuple[list[Run], bool]:
    """The subpaths of a shape in its own coordinates up to the first error, and whether there is none.

    Args:
        element: the shape.
        tag: its name, one of `SHAPES`.
        viewport: what percentages refer to.

    Raises:
        UnreadableError: its geometry is not understood.
        FormatError: it has too many segments.
    """
    data = element.get("d" if tag == "path" else "points", "")
    if count_segments(data) > MAX_SEGMENTS:
        raise FormatError(f"a path of more than {MAX_SEGMENTS:,} segments")
    commands, whole = _commands(element, tag, data, viewport)
    try:
        runs = outline_runs(commands)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:  # arcs of extreme numbers
        raise UnreadableError(str(error)) from error
    if not runs and not whole:
        raise UnreadableError(data[:60])
    return runs, whole


def count_segments(data: str) -> int:
    """About how many segments path data describes, without building them."""
    return sum(
        max(1, len(_NUMBER.findall(numbers)) // (_ARITY.get(letter.lower(), 1) or 1))
        for letter, numbers in _COMMAND.findall(data if data[:1].isalpha() else "L" + data)
    )


def _commands(element: Element, tag: str, data: str, viewport: tuple[float, float]) -> tuple[list[Command], bool]:
    if tag == "path":
        return path_commands(data)
    if tag in ("polyline", "polygon"):
        numbers, whole = points(data)
        commands = [("M", numbers), *([("z", list[float]())] if tag == "polygon" else [])]
        return (commands if len(numbers) > 2 else []), whole
    width, height = viewport
    sizes = {"w": width, "h": height, "d": (width * width / 2 + height * height / 2) ** 0.5}
    given = {key: length(element.get(key), of=sizes[size], default=float("nan")) for key, size in _FIELDS[tag].items()}
    values = {key: 0.0 if np.isnan(value) else value for key, value in given.items()}
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
    return "A", [rx, ry, 0.0, 0.0, 1.0, x, y]
