"""Effects on the content of an element of a foreign SVG file: viewports, clip paths, masks and filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.io.svg.foreign.cascade import computed, with_geometry
from clipdraw.io.svg.foreign.geometry import (
    ORIGINS,
    SHAPES,
    Box,
    Matrix,
    fit_view_box,
    rectangle,
    shape_subpaths,
    shift_matrix,
    transform_matrix,
    transform_points,
    view_box,
)
from clipdraw.io.svg.foreign.importer import Clip, ElementState, Importer, joined
from clipdraw.io.svg.foreign.values import PaintServer, length, parse_paint, reference, unit_interval
from clipdraw.io.svg.syntax import SVG

_EFFECTS = {"filter": "filters", "mask": "masks", "clip-path": "clip paths", "mix-blend-mode": "blend modes"}
_EFFECTS |= dict.fromkeys(("rotate", "scale", "translate"), "transforms by a property of their own")
_NAMES = frozenset({*_EFFECTS, "transform-box"})
_CLIPPERS = {"mask": "mask", "clip-path": "clipPath"}


def tag_of(element: Element) -> str:
    """The SVG name of an element; empty for elements of other languages."""
    return element.tag.removeprefix(SVG) if not element.tag.startswith("{") or element.tag.startswith(SVG) else ""


def enter_viewport(element: Element, tag: str, state: ElementState, importer: Importer) -> ElementState:
    """The state inside an element: only `<use>`, an inner `<svg>` and a used `<symbol>` change anything.

    Args:
        element: a container.
        tag: its name.
        state: its state, with its own transform and style, and the size that its `<use>` prescribes.
        importer: the file that is being read.
    """
    if tag not in ("use", "svg", "symbol") or element is importer.root:
        return state
    corner = [length(element.get(key), of=side) for key, side in zip("xy", state.viewport, strict=True)]
    matrix = state.matrix @ shift_matrix(*(corner if tag != "symbol" else (0.0, 0.0)))
    if tag == "use":
        return replace(state, matrix=matrix)
    own = [element.get(key) if tag == "svg" else None for key in ("width", "height")]
    sides = [
        (length(given or side, of=whole, default=whole), whole)
        for given, side, whole in zip(state.size, own, state.viewport, strict=True)
    ]
    return enter_box(element, replace(state, matrix=matrix), [whole if n < 0 else n for n, whole in sides], importer)


def enter_box(
    element: Element, state: ElementState, size: Sequence[float], importer: Importer, refer: bool = False
) -> ElementState:
    """The state inside a viewport of this size at the origin, clipped by it unless its `overflow` is visible.

    Args:
        element: the viewport's element, with its `viewBox` and the way that is fit in.
        state: the state around it.
        size: its width and height.
        importer: the file that is being read.
        refer: whether the point that `refX` and `refY` name comes to lie at the origin, as that of a marker.
    """
    box, whole = view_box(element), [0.0, 0.0, *size]
    if min(*size, *(box or ())[2:]) <= 0:
        return replace(state, matrix=state.matrix * 0)
    onto = np.eye(3) if box is None else fit_view_box(size, box, element.get("preserveAspectRatio", "")[:40])
    matrix = state.matrix
    if refer:
        named = [element.get(key, "").strip() for key in ("refX", "refY")]
        point = [length(ORIGINS.get(text, text), of=side) for text, side in zip(named, (box or whole)[2:], strict=True)]
        matrix = matrix @ shift_matrix(*-transform_points(np.array([point]), onto)[0])
    clip = Clip("inner viewports", matrix, np.array([[0, 0], size], dtype=np.float64))
    shown = state.style.get("overflow", "hidden") in ("visible", "auto")
    clips = joined((*state.clips, clip)) if not shown and clip.can_cut(importer.canvas) else state.clips
    _, _, width, height = box or whole
    return replace(state, matrix=matrix @ onto, viewport=(width, height), clips=clips)


def apply_effects(state: ElementState, matrix: Matrix, importer: Importer) -> ElementState:
    """The state with the rectangles that clip it; other effects are named in the warning.

    Args:
        state: the state of an element, or of its content.
        matrix: that of the element itself.
        importer: the file that is being read.
    """
    if not _NAMES & state.style.keys():
        return state
    clips: tuple[Clip, ...] = ()
    for key, note in _EFFECTS.items():
        value = state.style.get(key, "none")
        if value in ("none", "normal"):
            continue
        name = reference(value)
        clipper = importer.elements.get(name)
        if key in _CLIPPERS and name and (clipper is None or tag_of(clipper) != _CLIPPERS[key]):
            continue
        known = clipper is not None and key in _CLIPPERS
        rectangles = _rectangles(clipper, matrix, state.viewport, importer) if known and clipper is not None else None
        if rectangles is None:
            importer.notes[note] += 1
        else:
            clips += tuple(Clip(note, *each) for each in rectangles)
    if "transform" in state.style and state.style.get("transform-box", "view-box") != "view-box":
        importer.notes["boxes of transforms"] += 1
    clips = tuple(clip for clip in clips if clip.can_cut(importer.canvas))
    return replace(state, clips=joined(state.clips + clips)) if clips else state


def _rectangles(
    clipper: Element, matrix: Matrix, viewport: tuple[float, float], importer: Importer
) -> list[tuple[Matrix, Box]] | None:
    """The rectangles that a clip path or mask consists of, and their matrices; None if it is anything else."""
    mask = tag_of(clipper) == "mask"
    shapes = [child for child in clipper if tag_of(child) not in ("", "title", "desc")]
    in_box = "objectBoundingBox" in (clipper.get("clipPathUnits"), clipper.get("maskContentUnits"))
    if len(shapes) != 1 or tag_of(shapes[0]) not in SHAPES or in_box:
        return None
    (shape,) = shapes
    outer, style = computed(clipper, importer.sheets), computed(shape, importer.sheets)
    box = rectangle(shape_subpaths(with_geometry(shape, style, importer.sheets), tag_of(shape), viewport)[0])
    if box is None or not _is_whole(outer) or not _is_whole(style) or (mask and not _is_opaque(style, outer, clipper)):
        return None
    own = matrix if mask else matrix @ transform_matrix(outer, viewport)
    rectangles = [(own @ transform_matrix(style, viewport), box)]
    if not mask:
        return rectangles
    region = _mask_region(clipper, viewport)
    return None if region is None else [*rectangles, (matrix, region)]


def _is_whole(style: dict[str, str]) -> bool:
    """Whether a clip path or mask, or the shape in it, is shown and not clipped itself."""
    seen = style.get("display") != "none" and style.get("visibility", "visible") == "visible"
    return seen and all(style.get(key, "none") == "none" for key in ("clip-path", "mask", "filter"))


def _is_opaque(style: dict[str, str], outer: dict[str, str], mask: Element) -> bool:
    """Whether a mask's shape lets everything through."""
    color = parse_paint(style.get("fill", "black"), style.get("color", "black"))
    if color is None or isinstance(color, PaintServer) or style.get("stroke", "none") != "none":
        return False
    opacity = color[3] * unit_interval(style.get("fill-opacity")) * unit_interval(style.get("opacity"))
    alpha = outer.get("mask-type", mask.get("mask-type")) == "alpha"
    return opacity >= 1 and unit_interval(outer.get("opacity")) >= 1 and (alpha or min(color[:3]) >= 1)


def _mask_region(mask: Element, viewport: tuple[float, float]) -> Box | None:
    """The rectangle outside of which a mask hides everything; None if it depends on the masked shape."""
    if mask.get("maskUnits") != "userSpaceOnUse":
        return None
    attributes = (("x", "-10%"), ("y", "-10%"), ("width", "120%"), ("height", "120%"))
    x, y, width, height = (
        length(mask.get(key, default), of=side)
        for (key, default), side in zip(attributes, (*viewport, *viewport), strict=True)
    )
    return np.array([[x, y], [x + width, y + height]], dtype=np.float64)
