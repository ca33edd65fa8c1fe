"""Shapes of foreign SVG files as painted paths, and notes on what a drawing does not hold of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.drawing import Canvas, Gradient, Style
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.geometry import Box, rectangle, shape_subpaths, transform_box, transform_points
from clipdraw.io.svg.foreign.gradients import instantiate
from clipdraw.io.svg.foreign.importer import Clip, ElementState, Importer
from clipdraw.io.svg.foreign.path_data import Subpath, count_segments, extent, is_flat
from clipdraw.io.svg.foreign.values import (
    PaintServer,
    Rgba,
    UnreadableError,
    diagonal,
    length,
    parse_paint,
    reference,
    unit_interval,
)
from clipdraw.io.svg.syntax import LIMIT, MAX_PATHS

_TRANSPARENT: Rgba = (0.0, 0.0, 0.0, 0.0)
_EVEN = 1e-4
"""The relative deviation of a transform from turning and even scaling up to which its strokes keep one width."""
_CAPS: dict[str, Literal["round", "butt", "square"]] = {"round": "round", "square": "square"}
_JOINS: dict[str, Literal["round", "bevel", "miter"]] = {"round": "round", "bevel": "bevel"}


@dataclass(frozen=True)
class _Shape:
    """A shape to paint.

    Args:
        subpaths: its outline, in its own coordinates.
        state: the state of its element.
        width: of its stroke, 0 for none: in canvas units if it is fixed, otherwise in its own coordinates.
        fixed: whether transforms do not scale the width.
    """

    subpaths: list[Subpath]
    state: ElementState
    width: float
    fixed: bool

    @cached_property
    def box(self) -> Box:
        """Its lowest and highest coordinates, without its stroke."""
        return extent(self.subpaths)

    @cached_property
    def stretched(self) -> bool:
        """Whether a pen of one width can only follow the outline in the shape's own coordinates."""
        linear = self.state.matrix[:2, :2]
        square = float(abs(np.linalg.det(linear)))
        even = np.allclose(linear @ linear.T, square * np.eye(2), rtol=0.0, atol=_EVEN * square)
        return self.width > 0 and not self.fixed and not even


def add_shape(
    element: Element, tag: str, state: ElementState, importer: Importer, *, may_be_background: bool = True
) -> None:
    """Add a shape to the drawing, as one path, or as two if its stroke is beneath its fill.

    Args:
        element: the shape.
        tag: its name.
        state: its state.
        importer: the file that is being read.
        may_be_background: whether it may become the background instead.

    Raises:
        UnreadableError: its geometry is not understood.
        FormatError: it is beyond a limit.
    """
    fill, stroke = (_paint(key, state) for key in ("fill", "stroke"))
    fill = None if tag == "line" else fill
    width, fixed = _stroke_width(state, importer)
    stroke = stroke if width > 0 else None
    _note_markers(tag, state, importer)
    if fill is None and stroke is None:
        return
    opaque = fill[:3] if stroke is None and isinstance(fill, tuple) and fill[3] * state.opacity >= 1 else None
    if opaque and may_be_background and not importer.styles and _covers(element, tag, state, importer.canvas):
        importer.background, importer.background_shape = opaque, (element, tag, state)
        return
    importer.count(count_segments(element.get("d", "") or element.get("points", "")), what="segments")
    subpaths, whole = shape_subpaths(element, tag, state.viewport)
    if not whole:
        importer.notes["shapes with an error, drawn up to it"] += 1
    if not subpaths or not np.linalg.det(state.matrix[:2, :2]):
        return
    shape = _Shape(subpaths, state, width if stroke is not None else 0.0, fixed)
    _add_paths(shape, None if fill is not None and is_flat(subpaths) else fill, stroke, importer)


def _paint(key: Literal["fill", "stroke"], state: ElementState) -> Rgba | PaintServer | None:
    """A paint with its own opacity; None if it leaves no trace."""
    color = parse_paint(
        state.style.get(key, "black" if key == "fill" else "none"), state.style.get("color", "black")
    )  # fmt: skip
    opacity = _paint_opacity(key, state)
    if color is None or opacity * state.opacity <= 0:
        return None
    if isinstance(color, PaintServer):
        return color
    return (*color[:3], color[3] * opacity) if color[3] > 0 else None


def _paint_opacity(key: Literal["fill", "stroke"], state: ElementState) -> float:
    return unit_interval(state.style.get(f"{key}-opacity"))


def _stroke_width(state: ElementState, importer: Importer) -> tuple[float, bool]:
    """The width of strokes, and whether transforms do not scale it; then it is in canvas units."""
    width = length(state.style.get("stroke-width"), of=diagonal(*state.viewport), default=1.0)
    if state.style.get("vector-effect") != "non-scaling-stroke":
        return width, False
    side = length(importer.root.get("width"), of=0.0)
    return (width * importer.canvas.width / side if side > 0 else width), True


def _covers(element: Element, tag: str, state: ElementState, canvas: Canvas) -> bool:
    """Whether an element is a plain rectangle that holds the whole canvas, unclipped."""
    if tag != "rect" or state.clips:
        return False
    box = rectangle(shape_subpaths(element, tag, state.viewport)[0])
    if box is None or Clip("", state.matrix, box).can_cut(canvas):
        return False
    return bool(np.linalg.det(state.matrix))


def stroke_first(order: str) -> bool:
    """Whether a `paint-order` puts the stroke beneath the fill."""
    words = order.lower().split()
    if len({*words}) < len(words) or not {*words} <= {"fill", "stroke", "markers"}:
        return False
    words += [word for word in ("fill", "stroke") if word not in words]
    return words.index("stroke") < words.index("fill")


def _add_paths(
    shape: _Shape, fill: Rgba | PaintServer | None, stroke: Rgba | PaintServer | None, importer: Importer
) -> None:
    """Add the path of a shape, or two if its stroke is beneath its fill."""
    both = fill is not None and stroke is not None
    if not both or not stroke_first(shape.state.style.get("paint-order", "")):
        _add_path(shape, fill, stroke, importer)
        return
    if shape.state.opacity < 1:
        importer.notes["opacity of strokes beneath their fills, applied to each"] += 1
    _add_path(shape, None, stroke, importer)
    _add_path(shape, fill, None, importer)


def _add_path(
    shape: _Shape, fill: Rgba | PaintServer | None, stroke: Rgba | PaintServer | None, importer: Importer
) -> None:
    state = shape.state
    fill_color, fill_gradient = _resolve(fill, "fill", shape, importer)
    color, stroke_gradient = _resolve(stroke, "stroke", shape, importer)
    if fill_color is None and color is None:
        return
    if len(importer.styles) >= MAX_PATHS:
        raise FormatError(f"more than {MAX_PATHS:,} paths")
    opacity = state.opacity
    if fill_color is None or color is None:  # the color of the only paint takes the opacity
        fill_color, color, opacity = _fainter(fill_color, opacity), _fainter(color, opacity), 1.0
    _note_shape(shape, color is not None, importer)
    _add_geometry(shape, color is not None, importer)
    importer.colors.append(color or _TRANSPARENT)
    importer.fills.append(fill_color or _TRANSPARENT)
    evenodd = state.style.get("fill-rule") == "evenodd"
    style = Style(
        closed=tuple(subpath.closed for subpath in shape.subpaths),
        fill=None if fill_color is None else ("evenodd" if evenodd else "nonzero"),
        stroked=color is not None,
        fill_gradient=fill_gradient,
        stroke_gradient=stroke_gradient,
        transforms=(importer.transform_index(state.matrix),) if shape.stretched else (),
        opacity=opacity,
    )
    importer.styles.append(_with_pen(style, state.style))


def _add_geometry(shape: _Shape, stroked: bool, importer: Importer) -> None:
    """Add points, segments and width: in canvas units, or in the shape's own coordinates if it is stretched."""
    matrix = shape.state.matrix
    scale = 1.0 if shape.fixed or shape.stretched else float(abs(np.linalg.det(matrix[:2, :2])) ** 0.5)
    width = shape.width * scale if stroked else 0.0
    placed = [transform_points(subpath.points, matrix) for subpath in shape.subpaths]
    kept = [subpath.points for subpath in shape.subpaths] if shape.stretched else placed
    _check_numbers([*placed, *kept, np.array(width), *([matrix] if shape.stretched else [])])
    importer.points += kept
    importer.segments += [subpath.segments for subpath in shape.subpaths]
    importer.widths.append(width)


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


def _resolve(
    paint: Rgba | PaintServer | None, key: Literal["fill", "stroke"], shape: _Shape, importer: Importer
) -> tuple[Rgba | None, int | None]:
    """The color of a paint, and the index of its gradient; of the color of a gradient only the opacity is of use."""
    if not isinstance(paint, PaintServer):
        return paint, None
    opacity = _paint_opacity(key, shape.state)
    served = _serve(paint, shape, importer)
    if isinstance(served, Gradient):
        return (0.0, 0.0, 0.0, opacity), importer.gradient_index(served)
    if served is None or served[3] * opacity <= 0:
        return None, None
    return (*served[:3], served[3] * opacity), None


def _serve(server: PaintServer, shape: _Shape, importer: Importer) -> Gradient | Rgba | None:
    """The gradient or color that a paint server paints a shape with."""
    try:
        template = importer.template(server.name)
        if template is None:
            known = importer.elements.get(server.name) is not None
            importer.notes["patterns" if known else "references to elsewhere"] += 1
            return server.fallback
        if template.lacks_area(shape.box):
            return server.fallback
        matrix = np.eye(3) if shape.stretched else shape.state.matrix
        viewport = shape.state.viewport
        key = (server.name, viewport, matrix.tobytes(), shape.box.tobytes() if template.in_box else b"")
        if key not in importer.paint_cache:
            importer.count(len(template.stops), what="segments and stops of gradients")
            importer.paint_cache[key] = instantiate(template, shape.box, matrix=matrix, viewport=viewport)
        return importer.paint_cache[key]
    except UnreadableError:
        importer.notes["unreadable gradients"] += 1
        return server.fallback


def _note_shape(shape: _Shape, stroked: bool, importer: Importer) -> None:
    """Name the parts of a shape that are left out or only approximate."""
    state = shape.state
    if stroked and state.style.get("stroke-dasharray", "none").strip(" 0,") not in ("", "none"):
        importer.notes["dashes"] += 1
    if stroked and shape.fixed and not length(importer.root.get("width"), of=0.0) > 0:
        importer.notes["strokes that do not scale, in canvas units"] += 1
    if state.groups or state.clips:
        _note_neighbors(shape, shape.width / 2 if stroked else 0.0, importer)


def _note_neighbors(shape: _Shape, reach: float, importer: Importer) -> None:
    """Name groups with an opacity whose shapes overlap, and clips that shapes stick out of."""
    matrix = shape.state.matrix
    reach *= 1.0 if shape.fixed else float(np.abs(matrix[:2, :2]).max())
    box = transform_box(shape.box, matrix) + np.array([[-reach], [reach]])
    for group in shape.state.groups:
        if group.add(box):
            importer.notes["opacity of groups whose shapes overlap, applied to each"] += 1
    for clip in shape.state.clips:
        if clip.add(shape.box, matrix, reach, importer.canvas):
            importer.notes[clip.note] += 1


def _note_markers(tag: str, state: ElementState, importer: Importer) -> None:
    """Name markers, which are painted even where nothing else is."""
    if tag not in ("path", "line", "polyline", "polygon") or state.opacity <= 0:
        return
    names = {reference(state.style.get(f"marker{kind}", "none")) for kind in ("", "-start", "-mid", "-end")}
    if any(name and importer.elements.get(name) is not None for name in names):
        importer.notes["markers"] += 1
