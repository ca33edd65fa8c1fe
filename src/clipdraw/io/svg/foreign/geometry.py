"""Geometry of foreign SVG files: transform lists, viewports, and shape elements as subpaths."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float64

from clipdraw.drawing import Canvas
from clipdraw.errors import FormatError, InputError
from clipdraw.io.svg.foreign.path_data import (
    Command,
    Subpath,
    build_subpaths,
    count_segments,
    number_list,
    path_commands,
    point_list,
)
from clipdraw.io.svg.foreign.values import NUMBER, UnreadableError, diagonal, length
from clipdraw.io.svg.syntax import LIMIT, MAX_SEGMENTS

Matrix = Float64[np.ndarray, "3 3"]
Box = Float64[np.ndarray, "2 2"]
"""Lowest and highest coordinates, x and y of each."""

_UNKNOWN_SIDE = 100.0
"""The length that percentages refer to where only the shapes tell a side of the canvas."""

ORIGINS = {"left": "0%", "top": "0%", "center": "50%", "right": "100%", "bottom": "100%"}
"""Names of coordinates in a box."""

_SAME_ASPECT = 1e-3
"""The relative difference of a file's and its viewBox's proportions below which they count as the same."""
_ALIGNMENTS = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
_LONGEST_TRANSFORM = 2000
_FUNCTION = re.compile(
    r"\s*+,?\s*+(matrix|translate[xy]?|scale[xy]?|rotate|skew[xy]?)\s*+\(([^()]*+)\)\s*+", re.IGNORECASE
)
_ARGUMENT = re.compile(rf"\s*+,?\s*+({NUMBER})([a-z%]*+)\s*+")
_COUNTS = {"matrix": (6,), "translate": (1, 2), "scale": (1, 2), "rotate": (1, 3), "skew": (1, 2)}
_ANGLES = {"": 1.0, "deg": 1.0, "grad": 0.9, "rad": 180 / math.pi, "turn": 360.0}
_LENGTHS = {
    "line": {"x1": "width", "y1": "height", "x2": "width", "y2": "height"},
    "rect": {"x": "width", "y": "height", "width": "width", "height": "height", "rx": "width", "ry": "height"},
    "circle": {"cx": "width", "cy": "height", "r": "diagonal"},
    "ellipse": {"cx": "width", "cy": "height", "rx": "width", "ry": "height"},
}
"""The attributes of a shape, and the length of the viewport that their percentages refer to."""

SHAPES = frozenset({"path", "polyline", "polygon", *_LENGTHS})
"""The names of elements that are shapes."""


def parse_transform(text: str | None) -> Matrix:
    """The matrix of a `transform` attribute or property.

    Raises:
        UnreadableError: a function has impossible arguments, or the matrix is not finite.

    Source: SVG 2, section 8.5; CSS Transforms 1, section 8.
    """
    if not text or text == "none":
        return np.eye(3)
    if len(text) > _LONGEST_TRANSFORM:
        raise UnreadableError(f"a transform of more than {_LONGEST_TRANSFORM:,} characters")
    matrix = np.eye(3)
    for function in _each(_FUNCTION, text):
        arguments = [(each[1], each[2]) for each in _each(_ARGUMENT, function[2].lower())]
        matrix = matrix @ _function(function[1].lower(), arguments)
    if not np.isfinite(matrix).all():
        raise UnreadableError(text)
    return matrix


def _each(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """The matches of a pattern, one after another, to the end of a text."""
    at = 0
    while match := pattern.match(text, at):
        yield match
        at = match.end()
    if text[at:].strip():
        raise UnreadableError(text)


def transform_matrix(style: Mapping[str, str], viewport: tuple[float, float]) -> Matrix:
    """The matrix of an element's `transform` about its `transform-origin`.

    Raises:
        UnreadableError: either is not understood.

    Source: CSS Transforms 1, sections 4 and 6.
    """
    matrix, origin = parse_transform(style.get("transform")), style.get("transform-origin")
    if not origin or "transform" not in style:
        return matrix
    x, y = parse_origin(origin, viewport)
    return shift_matrix(x, y) @ matrix @ shift_matrix(-x, -y)


def parse_origin(text: str, viewport: tuple[float, float]) -> tuple[float, float]:
    """The point that a `transform-origin` names, in a viewport of this size; its depth is left out.

    Raises:
        UnreadableError: it is not understood.
    """
    words = [*text.lower().split(), "center"][:2]
    if len(words) < 2:
        raise UnreadableError("an empty transform-origin")
    if words[0] in ("top", "bottom") or words[1] in ("left", "right"):
        words.reverse()
    x, y = (_distance(ORIGINS.get(word, word), "", of=side) for word, side in zip(words, viewport, strict=True))
    return x, y


def _function(name: str, arguments: list[tuple[str, str]]) -> Matrix:
    """The matrix of one transform function; arguments are numbers and their units."""
    if len(arguments) not in _COUNTS.get(name, (1,)):
        raise UnreadableError(f"{name} of {len(arguments)} arguments")
    if name == "rotate":
        x, y = [_distance(*argument) for argument in arguments[1:]] or [0.0, 0.0]
        return shift_matrix(x, y) @ rotation_matrix(_radians(*arguments[0])) @ shift_matrix(-x, -y)
    if name.startswith("translate"):
        return shift_matrix(*_along_axes(name, [_distance(*argument) for argument in arguments], 0.0))
    if name.startswith("skew"):
        across, down = map(math.tan, _along_axes(name, [_radians(*argument) for argument in arguments], 0.0))
        return _affine(1, down, across, 1, 0, 0)
    if any(unit for _, unit in arguments):
        raise UnreadableError(f"{name} with a unit")
    numbers = [float(number) for number, _ in arguments]
    if name == "matrix":
        return _affine(*numbers)
    x, y = _along_axes(name, numbers, numbers[0] if name == "scale" else 1.0)
    return np.diag((x, y, 1.0))


def _along_axes(name: str, values: list[float], default: float) -> tuple[float, float]:
    """The values in x and y of a function for both axes or, by the end of its name, for one."""
    if name.endswith("y"):
        return default, values[0]
    return values[0], values[1] if len(values) > 1 else default


def _distance(number: str, unit: str, *, of: float = math.nan) -> float:
    distance = length(number + unit, of=of, default=math.nan)
    if math.isnan(distance):
        raise UnreadableError(f"a distance of {number}{unit}")
    return distance


def _radians(number: str, unit: str) -> float:
    if unit not in _ANGLES:
        raise UnreadableError(f"an angle of {number}{unit}")
    return math.radians(float(number) * _ANGLES[unit])


def parse_angle(text: str) -> float:
    """The radians of an angle; a number alone is in degrees.

    Raises:
        UnreadableError: it is no angle.
    """
    match = _ARGUMENT.fullmatch(text.lower())
    if match is None:
        raise UnreadableError(f"an angle of {text:.40}")
    return _radians(match[1], match[2])


def _affine(a: float, b: float, c: float, d: float, e: float, f: float) -> Matrix:
    return np.array([[a, c, e], [b, d, f], [0, 0, 1]], dtype=np.float64)


def shift_matrix(x: float, y: float) -> Matrix:
    """The matrix that moves points by x and y."""
    return _affine(1, 0, 0, 1, x, y)


def rotation_matrix(angle: float) -> Matrix:
    """The matrix that turns points about the origin, by radians."""
    if not math.isfinite(angle):
        raise UnreadableError(f"an angle of {angle}")
    return _affine(math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle), 0, 0)


def transform_points(points: Float64[np.ndarray, "points 2"], matrix: Matrix) -> Float64[np.ndarray, "points 2"]:
    """The points after a transform."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def determinant(matrix: Matrix) -> float:
    """How much larger a transform makes areas, with a sign."""
    (a, b, _), (c, d, _), _ = matrix.tolist()
    product: float = a * d - b * c
    return product


def transform_box(box: Box, matrix: Matrix) -> Box:
    """The lowest and highest coordinates of a box's corners after a transform."""
    corners = transform_points(np.array([[x, y] for x in box[:, 0] for y in box[:, 1]]), matrix)
    return np.stack((corners.min(axis=0), corners.max(axis=0)))


def view_box(element: Element) -> list[float] | None:
    """Left, top, width and height of a `viewBox`; None if there is no usable one."""
    box = number_list(element.get("viewBox", "")[:400])
    return box if box is not None and len(box) == 4 and min(box[2:]) >= 0 else None


def fit_view_box(size: Sequence[float], box: Sequence[float], aspect: str) -> Matrix:
    """The matrix from the coordinates of a viewBox to those of a rectangle of this size at the origin.

    Args:
        size: width and height of the rectangle.
        box: left, top, width and height of the viewBox.
        aspect: the value of `preserveAspectRatio`.

    Source: SVG 2, section 8.2.
    """
    (width, height), (left, top, across, down) = size, box
    x, y = width / across, height / down
    words = aspect.removeprefix("defer").split()
    align = words[0] if words else "xMidYMid"
    if align == "none":
        return _affine(x, 0, 0, y, -x * left, -y * top)
    x = y = max(x, y) if "slice" in words[1:] else min(x, y)
    along, upright = (_ALIGNMENTS.get(align[at : at + 3], 0.5) for at in (1, 5))
    return _affine(x, 0, 0, y, along * (width - x * across) - x * left, upright * (height - y * down) - y * top)


def root_viewport(root: Element) -> tuple[Canvas, Matrix, tuple[float, float]]:
    """The canvas, the matrix from the file's coordinates to those of the canvas, and the size of 100 %.

    The canvas is the viewBox; where the file is shown in other proportions, the shown area, in units of the same size.
    A side of `LIMIT` is one that neither tells.

    Raises:
        FormatError: the file has no usable size.
    """
    box = view_box(root)
    shown = [length(root.get(key), of=math.nan, default=math.nan) for key in ("width", "height")]
    sides = [LIMIT if math.isnan(side) else side for side in shown] if box is None else box[2:]
    if not all(abs(number) <= LIMIT for number in (*(box or ()), *sides)):
        raise FormatError("neither a usable viewBox nor a usable width and height tell its size")
    try:
        canvas = Canvas(*sides)
        left, top, width, height = box or (0.0, 0.0, *(_UNKNOWN_SIDE if side == LIMIT else side for side in sides))
        matrix = shift_matrix(-left, -top)
        if box is not None and min(shown) > 0 and abs(shown[0] * height / (shown[1] * width) - 1) > _SAME_ASPECT:
            onto = fit_view_box(shown, box, root.get("preserveAspectRatio", "")[:40])
            unit = min(onto[0, 0], onto[1, 1])
            matrix = np.diag((1 / unit, 1 / unit, 1)) @ onto
            canvas = Canvas(float(shown[0] / unit), float(shown[1] / unit))
    except InputError as error:
        raise FormatError(str(error)) from error
    if not np.isfinite(matrix).all() or not max(canvas.width, canvas.height) <= LIMIT:
        raise FormatError("neither a usable viewBox nor a usable width and height tell its size")
    return canvas, matrix, (width, height)


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
    data = _data(element, tag)
    if len(data) > MAX_SEGMENTS and count_segments(data) > MAX_SEGMENTS:
        raise FormatError(f"a path of more than {MAX_SEGMENTS:,} segments")
    commands, whole = shape_commands(element, tag, viewport)
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


def _data(element: Element, tag: str) -> str:
    return element.get("d" if tag == "path" else "points", "")


def shape_commands(element: Element, tag: str, viewport: tuple[float, float]) -> tuple[list[Command], bool]:
    """The path commands of a shape up to the first error, and whether there is none; see `shape_subpaths`."""
    if tag == "path":
        return path_commands(_data(element, tag))
    if tag in ("polyline", "polygon"):
        numbers, whole = point_list(_data(element, tag))
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
