"""Foreign SVG shapes to painted paths, gathered one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.drawing import Canvas, Gradient, Style
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.clips import Clip, rectangle
from clipdraw.io.svg.foreign.found import Found, Place
from clipdraw.io.svg.foreign.gradients import gradient
from clipdraw.io.svg.foreign.notes import Shape, moved, note_markers, note_shape
from clipdraw.io.svg.foreign.outlines import flat
from clipdraw.io.svg.foreign.shapes import UnreadableError, count_segments, shape_runs
from clipdraw.io.svg.foreign.style import Rgba, Server, fraction, length, paint
from clipdraw.io.svg.numbers import LIMIT
from clipdraw.io.svg.read_parts import MAX_STROKES

NOTHING: Rgba = (0.0, 0.0, 0.0, 0.0)

_CAPS: dict[str, Literal["round", "butt", "square"]] = {"round": "round", "square": "square"}
_JOINS: dict[str, Literal["round", "bevel", "miter"]] = {"round": "round", "bevel": "bevel"}


def take_shape(element: Element, tag: str, place: Place, found: Found, *, backdrop: bool = True) -> None:
    """Add a shape to what was found, as one path, or as two if its stroke is beneath its fill.

    Args:
        element: the shape.
        tag: its name.
        place: where it stands.
        found: what it is added to.
        backdrop: whether it may become the background instead.

    Raises:
        UnreadableError: its geometry is not understood.
        FormatError: it is beyond a limit.
    """
    fill, stroke = (_paint(key, place) for key in ("fill", "stroke"))
    fill = None if tag == "line" else fill
    width, fixed = _width(place, found)
    stroke = stroke if width > 0 else None
    note_markers(element, tag, place, found)
    if fill is None and stroke is None:
        return
    opaque = fill[:3] if stroke is None and isinstance(fill, tuple) and fill[3] * place.opacity >= 1 else None
    if opaque and backdrop and not found.styles and _covers(element, tag, place, found.canvas):
        found.background, found.backdrop = opaque, (element, tag, place)
        return
    found.count(count_segments(element.get("d", "") or element.get("points", "")), what="segments")
    runs, whole = shape_runs(element, tag, place.viewport)
    if not whole:
        found.notes["shapes with an error, drawn up to it"] += 1
    if not runs or not np.linalg.det(place.matrix[:2, :2]):
        return
    shape = Shape(runs, place, width if stroke is not None else 0.0, fixed)
    fill = None if fill is not None and flat(runs) else fill
    if fill is not None and stroke is not None and stroke_first(place.style.get("paint-order", "")):
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
    across, down = place.viewport
    mean = (across**2 / 2 + down**2 / 2) ** 0.5
    width = length(place.style.get("stroke-width"), of=mean, default=1.0)
    if place.style.get("vector-effect") != "non-scaling-stroke":
        return width, False
    side = length(found.root.get("width"), of=0.0)
    return (width * found.canvas.width / side if side > 0 else width), True


def _covers(element: Element, tag: str, place: Place, canvas: Canvas) -> bool:
    """Whether an element is a plain rectangle that holds the whole canvas, unclipped."""
    if tag != "rect" or place.clips:
        return False
    box = rectangle(shape_runs(element, tag, place.viewport)[0])
    return box is not None and not Clip("", place.matrix, box).matters(canvas) and bool(np.linalg.det(place.matrix))


def stroke_first(order: str) -> bool:
    """Whether a `paint-order` puts the stroke beneath the fill."""
    words = order.lower().split()
    if len({*words}) < len(words) or not {*words} <= {"fill", "stroke", "markers"}:
        return False
    words += [word for word in ("fill", "stroke") if word not in words]
    return words.index("stroke") < words.index("fill")


def _take(shape: Shape, fill: Rgba | Server | None, stroke: Rgba | Server | None, found: Found) -> None:
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
    note_shape(shape, color is not None, found)
    places = [moved(run.points, matrix) for run in shape.runs]
    kept = [run.points for run in shape.runs] if stretched else places
    _check_numbers([*places, *kept, np.array(width), *([matrix] if stretched else [])])
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
    color: Rgba | Server | None, key: Literal["fill", "stroke"], shape: Shape, found: Found
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


def _served(server: Server, shape: Shape, found: Found) -> Gradient | Rgba | None:
    try:
        source = found.template(server.name)
        if source is None:
            kind = "references to elsewhere" if found.names.get(server.name) is None else "patterns"
            found.notes[kind] += 1
            return server.fallback
        if source.lacks_area(shape.box):
            return server.fallback
        matrix = np.eye(3) if shape.stretched else shape.place.matrix
        viewport = shape.place.viewport
        known = (server.name, viewport, matrix.tobytes(), shape.box.tobytes() if source.in_box else b"")
        if known not in found.served:
            found.count(len(source.stops), what="segments and stops of gradients")
            found.served[known] = gradient(source, shape.box, matrix=matrix, viewport=viewport)
        return found.served[known]
    except UnreadableError:
        found.notes["unreadable gradients"] += 1
        return server.fallback
