"""Shapes of foreign SVG files as painted paths, and notes on what a drawing does not hold of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.drawing import Canvas, Gradient, Style
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.cutting import Dashes, curve_length, cut_off
from clipdraw.io.svg.foreign.effects import tag_of
from clipdraw.io.svg.foreign.geometry import (
    Box,
    determinant,
    rectangle,
    shape_subpaths,
    transform_box,
    transform_points,
)
from clipdraw.io.svg.foreign.gradients import instantiate
from clipdraw.io.svg.foreign.importer import Clip, ElementState, Importer, PlacedPaint, Reach
from clipdraw.io.svg.foreign.paints import Paint, paint_opacity, paints_of
from clipdraw.io.svg.foreign.path_data import Subpath, count_segments, extent, is_flat, stroke_tips
from clipdraw.io.svg.foreign.values import (
    PaintServer,
    Rgba,
    UnreadableError,
    diagonal,
    length,
    parse_dashes,
    parse_pen,
)
from clipdraw.io.svg.syntax import LIMIT, MAX_PATHS
from clipdraw.limits import check_limits

_TRANSPARENT: Rgba = (0.0, 0.0, 0.0, 0.0)
_EVEN = 1e-4
"""The relative deviation of a transform from turning and even scaling up to which its strokes keep one width."""
_DOT = 0.01
"""The length of a dash of length 0, in widths of its stroke: a direction for its caps, too short to be seen."""
_PARTED = frozenset({"stroke-dasharray", "paint-order"})
"""Properties for which fill and stroke may need an outline each."""
_LONG = 1000
"""Characters of path data whose segments are counted before they are built."""
_SAME = np.eye(3).tolist()
_SHARP = frozenset({"crispedges", "optimizespeed"})
_OTHER_JOINS = {"miter-clip": "clipped miters, beveled", "arcs": "joins of arcs, mitered"}
"""The notes on joins that a drawing does not have."""
_NO_STROKE = Reach(np.eye(3), 0.0, np.empty((0, 2)))
_style = lru_cache(maxsize=4096)(Style)
"""A style; most paths of a file share one of few."""
_PEN = "cap", "join", "miter_limit"


@dataclass(frozen=True)
class _Shape:
    """A shape to paint.

    Args:
        subpaths: its outline, in its own coordinates.
        state: the state of its element.
        width: of its stroke, 0 for none: in canvas units if it is fixed, otherwise in its own coordinates.
        fixed: the canvas units of a unit of lengths that transforms do not scale; None if they do.
        path_length: the length that its author says it has; NaN if nothing is said.
    """

    subpaths: list[Subpath]
    state: ElementState
    width: float
    fixed: float | None
    path_length: float

    @cached_property
    def box(self) -> Box:
        """Its lowest and highest coordinates, without its stroke."""
        return extent(self.subpaths)

    @cached_property
    def placed(self) -> list[np.ndarray]:
        """The control points of its outline in canvas units."""
        if self.state.matrix.tolist() == _SAME:
            return [subpath.points for subpath in self.subpaths]
        return [transform_points(subpath.points, self.state.matrix) for subpath in self.subpaths]

    @property
    def placed_subpaths(self) -> list[Subpath]:
        """Its outline in canvas units."""
        pairs = zip(self.subpaths, self.placed, strict=True)
        return [replace(subpath, points=points) for subpath, points in pairs]

    @cached_property
    def reach(self) -> Reach:
        """How far its stroke reaches."""
        if self.width == 0:
            return _NO_STROKE
        matrix = np.eye(3) if self.fixed else self.state.matrix
        cap, join, limit = parse_pen(self.state.style)
        limit = limit if join == "miter" else 1.0
        tips = [
            stroke_tips(outline, self.width / 2, square_caps=cap == "square", miter_limit=limit)
            for outline in (self.placed_subpaths if self.fixed else self.subpaths)
        ]
        return Reach(matrix, self.width / 2, np.concatenate(tips))

    @cached_property
    def stretched(self) -> bool:
        """Whether a pen of one width can only follow the outline in the shape's own coordinates."""
        if self.width <= 0 or self.fixed:
            return False
        (a, b, _), (c, d, _), _ = self.state.matrix.tolist()
        square = abs(a * d - b * c)
        products = a * a + b * b - square, c * c + d * d - square, a * c + b * d
        return not all(abs(product) <= _EVEN * square for product in products)

    @property
    def is_too_large(self) -> bool:
        """Whether a coordinate or the width is not finite or beyond `LIMIT`."""
        if not abs(self.width * (self.fixed or 1)) <= LIMIT:
            return True
        arrays = [self.state.matrix, *self.placed]
        if self.placed[0] is not self.subpaths[0].points:
            arrays += [subpath.points for subpath in self.subpaths]
        return not all(np.abs(array).max() <= LIMIT for array in arrays)  # also for NaN


def add_shape(
    element: Element, tag: str, state: ElementState, importer: Importer, *, may_be_background: bool = True
) -> None:
    """Add a shape to the drawing, as one path, or as two if its fill and its stroke need an outline each.

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
    fill, stroke, width, fixed = paints_of(state, importer)
    fill = None if tag == "line" else fill
    if fill is None and stroke is None:
        return
    opaque = fill[:3] if stroke is None and isinstance(fill, tuple) and fill[3] * state.opacity >= 1 else None
    if opaque and may_be_background and not importer.styles and _covers(element, tag, state, importer.canvas):
        importer.background, importer.background_shape = opaque, (element, tag, state)
        return
    data = element.get("d", "") or element.get("points", "")
    importer.count(count_segments(data) if len(data) > _LONG else 0, what="segments")
    subpaths, whole = shape_subpaths(element, tag, state.viewport)
    if len(data) <= _LONG:
        importer.count(sum([subpath.segments for subpath in subpaths]) or 1, what="segments")
    if not whole:
        importer.notes["shapes with an error, drawn up to it"] += 1
    if not subpaths or not determinant(state.matrix):
        return
    path_length = length(element.get("pathLength"), of=math.nan, default=math.nan)
    shape = _Shape(subpaths, state, width if stroke is not None else 0.0, fixed, path_length)
    if shape.is_too_large:
        importer.notes[f"shapes beyond ±{LIMIT:g}"] += 1
    else:
        _add_paths(shape, None if fill is not None and is_flat(subpaths) else fill, stroke, importer)


def _covers(element: Element, tag: str, state: ElementState, canvas: Canvas) -> bool:
    """Whether an element is a plain rectangle that holds the whole canvas, unclipped."""
    if tag != "rect" or state.clips:
        return False
    box = rectangle(shape_subpaths(element, tag, state.viewport)[0])
    if box is None or Clip("", state.matrix, box).can_cut(canvas):
        return False
    return bool(np.linalg.det(state.matrix))


def is_beneath(part: Literal["stroke", "markers"], order: str) -> bool:
    """Whether a `paint-order` puts the stroke, or markers, beneath what is usually painted before."""
    words, usual = order.lower().split(), ("fill", "stroke", "markers")
    if len({*words}) < len(words) or not {*words} <= {*usual}:
        return False
    words += [word for word in usual if word not in words]
    return words.index(part) < max(map(words.index, usual[: usual.index(part)]))


def _add_paths(shape: _Shape, fill: Paint, stroke: Paint, importer: Importer) -> None:
    """Add the path of a shape, or two: if its stroke is beneath its fill or dashed, or its fill cut off by a clip."""
    state = shape.state
    if not state.clips and not _PARTED & state.style.keys():
        _add_path(shape, shape.subpaths, fill, stroke, importer)
        return
    sides = [clip.side(shape.box, state.matrix, shape.reach, importer.canvas) for clip in state.clips]
    if "outside" in sides:
        return
    clips = [clip for clip, side in zip(state.clips, sides, strict=True) if side == "across"]
    inner = shape.subpaths if fill is None else _cut_off(shape, clips, importer)
    dashes = shape.subpaths if stroke is None else _dashes(shape, importer)
    parts = [(inner, fill, None), (dashes, None, stroke)]
    if is_beneath("stroke", state.style.get("paint-order", "")):
        parts.reverse()
    elif inner is dashes:
        parts = [(inner, fill, stroke)]
    parts = [part for part in parts if part[0] and any(part[1:])]
    if len(parts) > 1 and state.opacity < 1:
        importer.notes["opacity of fills and strokes, applied to each"] += 1
    for outline, its_fill, its_stroke in parts:
        _add_path(shape, outline, its_fill, its_stroke, importer)
    for clip in clips:
        if stroke is not None and not clip.noted:
            importer.notes[f"strokes beyond {clip.note}"] += 1
            clip.noted = True


def _cut_off(shape: _Shape, clips: Sequence[Clip], importer: Importer) -> list[Subpath]:
    """The outline of a shape's fill within clips."""
    subpaths, matrix = shape.subpaths, shape.state.matrix
    for clip in clips:
        if subpaths and clip.side(shape.box, matrix, _NO_STROKE, importer.canvas) != "inside":
            subpaths = cut_off(subpaths, clip.corners(matrix))
    return subpaths


def _dashes(shape: _Shape, importer: Importer) -> list[Subpath]:
    """The dashes of a shape's stroke, in its own coordinates; its outline if it is not dashed."""
    state, cap = shape.state, shape.state.style.get("stroke-linecap", "butt")
    if "stroke-dasharray" not in state.style:
        return shape.subpaths
    across = diagonal(*state.viewport)
    lengths = parse_dashes(state.style.get("stroke-dasharray", "none"), of=across)
    if lengths is None or sum(lengths[1::2]) <= 0 or shape.path_length == 0:
        return shape.subpaths
    unit = shape.fixed or 1.0
    outline = shape.placed_subpaths if shape.fixed else shape.subpaths
    unit *= curve_length(outline) / shape.path_length if shape.path_length > 0 else 1.0
    pattern = Dashes(
        tuple(unit * each for each in lengths),
        unit * length(state.style.get("stroke-dashoffset"), of=across),
        0.0 if cap == "butt" else _DOT * shape.width,
    )
    dashes = [pattern.cut(subpath) for subpath in outline]
    if None in dashes:
        importer.notes["dashes too short to draw"] += 1
        return shape.subpaths
    cut = [dash for each in dashes for dash in each or ()]
    if shape.fixed:
        inverse = np.linalg.inv(state.matrix)
        cut = [replace(dash, points=transform_points(dash.points, inverse)) for dash in cut]
    importer.count(sum(dash.segments for dash in cut), what="segments")
    return cut


def _add_path(shape: _Shape, outline: list[Subpath], fill: Paint, stroke: Paint, importer: Importer) -> None:
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
    _add_geometry(shape, outline, color is not None, importer)
    importer.colors.append(color or _TRANSPARENT)
    importer.fills.append(fill_color or _TRANSPARENT)
    evenodd = state.style.get("fill-rule") == "evenodd"
    style = _style(
        closed=tuple([subpath.closed for subpath in outline]),
        fill=None if fill_color is None else ("evenodd" if evenodd else "nonzero"),
        stroked=color is not None,
        fill_gradient=fill_gradient,
        stroke_gradient=stroke_gradient,
        transforms=(importer.transform_index(state.matrix),) if shape.stretched else (),
        opacity=opacity,
        **(dict(zip(_PEN, parse_pen(state.style), strict=True)) if color is not None else {}),
    )
    importer.styles.append(style)


def _add_geometry(shape: _Shape, outline: list[Subpath], stroked: bool, importer: Importer) -> None:
    """Add points, segments and width: in canvas units, or in the shape's own coordinates if it is stretched."""
    matrix = shape.state.matrix
    scale = 1.0 if shape.fixed or shape.stretched else abs(determinant(matrix)) ** 0.5
    placed = shape.placed
    if outline is not shape.subpaths:
        placed = [transform_points(subpath.points, matrix) for subpath in outline]
    importer.points += [subpath.points for subpath in outline] if shape.stretched else placed
    importer.segments += [subpath.segments for subpath in outline]
    importer.widths.append(shape.width * scale if stroked else 0.0)
    if LIMIT in (importer.canvas.width, importer.canvas.height):
        shown = extent([replace(subpath, points=points) for subpath, points in zip(outline, placed, strict=True)])
        importer.farthest = np.maximum(importer.farthest, (shape.reach.grow(shown) if stroked else shown)[1])


def _fainter(color: Rgba | None, opacity: float) -> Rgba | None:
    return None if color is None else (*color[:3], color[3] * opacity)


def _resolve(
    paint: Paint, key: Literal["fill", "stroke"], shape: _Shape, importer: Importer
) -> tuple[Rgba | None, int | None]:
    """The color of a paint, and the index of its gradient; of the color of a gradient only the opacity is of use."""
    if not isinstance(paint, PlacedPaint):
        return paint, None
    opacity = paint_opacity(key, shape.state)
    served = _serve(paint, shape, importer)
    if isinstance(served, Gradient):
        return (0.0, 0.0, 0.0, opacity), importer.gradient_index(served)
    if served is None or served[3] * opacity <= 0:
        return None, None
    return (*served[:3], served[3] * opacity), None


def _serve(placed: PlacedPaint, shape: _Shape, importer: Importer) -> Gradient | Rgba | None:
    """The gradient or color that a paint server paints a shape with."""
    server, own = placed.paint, shape.state.matrix
    assert isinstance(server, PaintServer)
    try:
        template = importer.template(server.name)
        if template is None:
            known = importer.elements.get(server.name)
            note = "references to elsewhere" if known is None else "references to what is no paint"
            importer.notes["patterns" if known is not None and tag_of(known) == "pattern" else note] += 1
            return server.fallback
        box = shape.box if placed.box is None else placed.box
        if template.in_box and placed.box is None and placed.matrix is not own:
            importer.notes["gradients over all that a <use> shows, applied to each shape"] += 1
            placed = replace(placed, matrix=own)
        if template.lacks_area(box):
            return server.fallback
        matrix = placed.matrix
        if shape.stretched:
            matrix = np.eye(3) if matrix is own else np.linalg.inv(own) @ matrix
        key = (server.name, placed.viewport, matrix.tobytes(), box.tobytes() if template.in_box else b"")
        if key not in importer.paint_cache:
            importer.count(len(template.stops), what="segments and stops of gradients")
            importer.paint_cache[key] = instantiate(
                template, box, matrix=matrix, viewport=placed.viewport, notes=importer.notes
            )
        return importer.paint_cache[key]
    except UnreadableError:
        importer.notes["unreadable gradients"] += 1
        return server.fallback


def _note_shape(shape: _Shape, stroked: bool, importer: Importer) -> None:
    """Name the parts of a shape that are left out or only approximate."""
    style = shape.state.style
    if stroked and shape.fixed and not length(importer.root.get("width"), of=0.0) > 0:
        importer.notes["strokes that do not scale, in canvas units"] += 1
    if style.get("shape-rendering", "auto").strip().lower() in _SHARP:
        importer.notes["edges without antialiasing"] += 1
    if stroked and (note := _OTHER_JOINS.get(style.get("stroke-linejoin", "miter"))):
        importer.notes[note] += 1
    groups = [group for group in shape.state.groups if not group.overlaps]
    if not groups:
        return
    box = transform_box(shape.box, shape.state.matrix)
    box = shape.reach.grow(box) if stroked else box
    for group in groups:
        check_limits()
        if group.add(box):
            importer.notes["opacity of groups whose shapes overlap, applied to each"] += 1
