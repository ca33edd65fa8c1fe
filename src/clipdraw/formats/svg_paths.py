"""Foreign SVG shapes to painted paths, gathered one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float64

from clipdraw.drawing import Canvas, Gradient, Style
from clipdraw.errors import FormatError
from clipdraw.formats.digits import LIMIT
from clipdraw.formats.svg_found import Found, Place
from clipdraw.formats.svg_gradients import gradient
from clipdraw.formats.svg_outlines import Run, extent, flat
from clipdraw.formats.svg_read_parts import MAX_STROKES
from clipdraw.formats.svg_shapes import UnreadableError, count_segments, shape_runs
from clipdraw.formats.svg_style import Rgba, Server, fraction, length, paint

NOTHING: Rgba = (0.0, 0.0, 0.0, 0.0)

_CAPS: dict[str, Literal["round", "butt", "square"]] = {"round": "round", "square": "square"}
_JOINS: dict[str, Literal["round", "bevel", "miter"]] = {"round": "round", "bevel": "bevel"}
_EVEN = 1e-4
"""How far a transform may be from turning and even scaling, as a share, for its strokes to keep one width."""


@dataclass(frozen=True)
class _Shape:
    """A shape and how its outline is painted."""

    runs: list[Run]
    place: Place
    width: float = 0.0
    fixed: bool = False

    @property
    def evenodd(self) -> bool:
        """Whether what it winds around twice is not filled."""
        return self.place.style.get("fill-rule") == "evenodd"

    @cached_property
    def box(self) -> Float64[np.ndarray, "2 2"]:
        """Its lowest and highest coordinates, without its stroke."""
        return extent(self.runs)

    @cached_property
    def stretched(self) -> bool:
        """Whether a pen of one width can only be moved in the shape's own coordinates."""
        linear = self.place.matrix[:2, :2]
        square = float(abs(np.linalg.det(linear)))
        even = np.allclose(linear @ linear.T, square * np.eye(2), rtol=0.0, atol=_EVEN * square)
        return self.width > 0 and not self.fixed and not even


def take_shape(element: Element, tag: str, place: Place, found: Found) -> None:
    """Add a shape to what was found, as one path, or as two if its stroke is beneath its fill.

    Raises:
        UnreadableError: its geometry is not understood.
        FormatError: it is beyond a limit.
    """
    fill, stroke = (_paint(key, place) for key in ("fill", "stroke"))
    fill = None if tag == "line" else fill
    width, fixed = _width(place, found)
    stroke = stroke if width > 0 else None
    if fill is None and stroke is None:
        return
    opaque = fill[:3] if stroke is None and isinstance(fill, tuple) and fill[3] * place.opacity >= 1 else None
    if opaque and not found.styles and covers(element, tag, place.matrix, found.canvas):
        found.background = opaque
        return
    found.count(count_segments(element.get("d", "") or element.get("points", "")), what="segments")
    runs, whole = shape_runs(element, tag, (found.canvas.width, found.canvas.height))
    if not whole:
        found.notes["shapes with an error, drawn up to it"] += 1
    if not runs or not np.linalg.det(place.matrix[:2, :2]):
        return
    shape = _Shape(runs, place, width if stroke is not None else 0.0, fixed)
    fill = None if fill is not None and flat(runs) else fill
    if fill is not None and stroke is not None and place.style.get("paint-order", "").strip().startswith("stroke"):
        if place.opacity < 1:
            found.notes["opacity of strokes beneath their fills, applied to each"] += 1
        _take(shape, None, stroke, found)
        stroke = None
    _take(shape, fill, stroke, found)


def _paint(key: Literal["fill", "stroke"], place: Place) -> Rgba | Server | None:
    """A paint with its own opacity; None if it leaves no trace."""
    style = place.style
    color = paint(style.get(key, "black" if key == "fill" else "none"), style.get("color", "black"))
    opacity = _opacity(key, place)
    if color is None or opacity * place.opacity <= 0:
        return None
    if isinstance(color, Server):
        return color
    return (*color[:3], color[3] * opacity) if color[3] > 0 else None


def _opacity(key: Literal["fill", "stroke"], place: Place) -> float:
    return fraction(place.style.get(f"{key}-opacity"))


def _width(place: Place, found: Found) -> tuple[float, bool]:
    """The width of strokes in canvas units or, if it is to be scaled, in the shape's; and whether it is not."""
    canvas = found.canvas
    mean = (canvas.width**2 / 2 + canvas.height**2 / 2) ** 0.5
    width = length(place.style.get("stroke-width"), of=mean, default=1.0)
    if place.style.get("vector-effect") != "non-scaling-stroke":
        return width, False
    side = length(found.root.get("width"), of=0.0)
    return (width * canvas.width / side if side > 0 else width), True


def covers(element: Element, tag: str, matrix: Float64[np.ndarray, "3 3"], canvas: Canvas) -> bool:
    """Whether an element is a plain rectangle that holds the whole canvas."""
    if tag != "rect":
        return False
    runs, _ = shape_runs(element, tag, (canvas.width, canvas.height))
    if len(runs) != 1 or runs[0].segments != 4:
        return False
    points = _moved(runs[0].points, matrix)
    low, high = points.min(axis=0), points.max(axis=0)
    slack = 1e-3 * np.array([canvas.width, canvas.height])
    linear = np.abs(matrix[:2, :2])
    askew = min(np.trace(linear), np.trace(linear[::-1])) > 1e-9 * linear.max()
    return not askew and bool((low <= slack).all() and (high >= (canvas.width, canvas.height) - slack).all())


def _moved(points: Float64[np.ndarray, "points 2"], matrix: Float64[np.ndarray, "3 3"]) -> np.ndarray:
    return points @ matrix[:2, :2].T + matrix[:2, 2]


def _take(shape: _Shape, fill: Rgba | Server | None, stroke: Rgba | Server | None, found: Found) -> None:
    """Add a path."""
    fill_color, fill_gradient = _resolved(fill, "fill", shape, found)
    color, stroke_gradient = _resolved(stroke, "stroke", shape, found)
    if fill_color is None and color is None:
        return
    if len(found.styles) >= MAX_STROKES:
        raise FormatError(f"more than {MAX_STROKES:,} paths")
    opacity = shape.place.opacity
    if fill_color is None or color is None:
        fill_color, color, opacity = _fainter(fill_color, opacity), _fainter(color, opacity), 1.0
    matrix, stretched = shape.place.matrix, shape.stretched
    scale = 1.0 if shape.fixed or stretched else float(abs(np.linalg.det(matrix[:2, :2])) ** 0.5)
    width = shape.width * scale if color is not None else 0.0
    _note(shape, color is not None, found)
    moved = [_moved(run.points, matrix) for run in shape.runs]
    kept = [run.points for run in shape.runs] if stretched else moved
    _check_numbers([*moved, *kept, np.array(width), *([matrix] if stretched else [])])
    found.points += kept
    found.segments += [run.segments for run in shape.runs]
    found.widths.append(width)
    found.colors.append(color or NOTHING)
    found.fills.append(fill_color or NOTHING)
    style = Style(
        closed=tuple(run.closed for run in shape.runs),
        fill=None if fill_color is None else ("evenodd" if shape.evenodd else "nonzero"),
        stroked=color is not None,
        fill_gradient=fill_gradient,
        stroke_gradient=stroke_gradient,
        transforms=(found.transform_number(matrix),) if stretched else (),
        opacity=opacity,
    )
    found.styles.append(_with_pen(style, shape.place.style))


def _fainter(color: Rgba | None, opacity: float) -> Rgba | None:
    return None if color is None else (*color[:3], color[3] * opacity)


def _check_numbers(arrays: Sequence[np.ndarray]) -> None:
    if not all((np.abs(array) <= LIMIT).all() for array in arrays):  # also for NaN
        raise FormatError(f"a path's coordinate or width is not finite or beyond ±{LIMIT:g}")


def _with_pen(style: Style, properties: dict[str, str]) -> Style:
    """The style with the cap, join and miter limit of its stroke."""
    if not style.stroked:
        return style
    join = _JOINS.get(properties.get("stroke-linejoin", "miter"), "miter")
    limit = length(properties.get("stroke-miterlimit"), of=1.0, default=4.0) if join == "miter" else 4.0
    cap = _CAPS.get(properties.get("stroke-linecap", "butt"), "butt")
    return replace(style, cap=cap, join=join, miter_limit=limit if 1 <= limit <= LIMIT else 4.0)


def _resolved(
    color: Rgba | Server | None, key: Literal["fill", "stroke"], shape: _Shape, found: Found
) -> tuple[Rgba | None, int | None]:
    """The color of a paint, and the gradient that it may have instead; then only the opacity is of use."""
    if not isinstance(color, Server):
        return color, None
    opacity = _opacity(key, shape.place)
    server = _served(color, shape, found)
    if isinstance(server, Gradient):
        return (0.0, 0.0, 0.0, opacity), found.gradient_number(server)
    if server is None or server[3] * opacity <= 0:
        return None, None
    return (*server[:3], server[3] * opacity), None


def _served(server: Server, shape: _Shape, found: Found) -> Gradient | Rgba | None:
    try:
        source = found.template(server.name)
        if source is None:
            kind = "references to elsewhere" if found.names.get(server.name) is None else "patterns"
            found.notes[kind] += 1
            return server.fallback
        matrix = np.eye(3) if shape.stretched else shape.place.matrix
        known = (server.name, matrix.tobytes(), shape.box.tobytes() if source.in_box else b"")
        if known not in found.served:
            found.count(len(source.stops), what="segments and stops of gradients")
            viewport = (found.canvas.width, found.canvas.height)
            found.served[known] = gradient(source, shape.box, matrix=matrix, viewport=viewport)
        return found.served[known]
    except UnreadableError:
        found.notes["unreadable gradients"] += 1
        return server.fallback


def _note(shape: _Shape, stroked: bool, found: Found) -> None:
    """Name what of a shape is left out or only approximate."""
    place, style = shape.place, shape.place.style
    if stroked and style.get("stroke-dasharray", "none").strip(" 0,") not in ("", "none"):
        found.notes["dashes"] += 1
    if stroked and any(style.get(f"marker{kind}", "none") != "none" for kind in ("", "-start", "-mid", "-end")):
        found.notes["markers"] += 1
    if stroked and shape.fixed and not length(found.root.get("width"), of=0.0) > 0:
        found.notes["strokes that do not scale, in canvas units"] += 1
    if place.groups:
        _note_groups(shape, shape.width / 2 if stroked else 0.0, found)


def _note_groups(shape: _Shape, reach: float, found: Found) -> None:
    """Name groups whose opacity is not that of each shape, for they overlap; `reach` is that of the stroke."""
    matrix = shape.place.matrix
    low, high = shape.box
    corners = _moved(np.array([[x, y] for x in (low[0], high[0]) for y in (low[1], high[1])]), matrix)
    reach *= 1.0 if shape.fixed else float(np.abs(matrix[:2, :2]).max())
    box = np.stack((corners.min(axis=0) - reach, corners.max(axis=0) + reach))
    for group in shape.place.groups:
        if group.take(box):
            found.notes["opacity of groups whose shapes overlap, applied to each"] += 1
