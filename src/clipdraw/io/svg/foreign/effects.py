"""What foreign SVG files do to the content of an element: viewports, clip paths, masks and other effects."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.io.svg.foreign.cascade import computed, with_geometry
from clipdraw.io.svg.foreign.clips import Box, Clip, Matrix, rectangle
from clipdraw.io.svg.foreign.found import Found, Place
from clipdraw.io.svg.foreign.shapes import SHAPES, affine, shape_runs
from clipdraw.io.svg.foreign.style import Server, fraction, length, paint, reference
from clipdraw.io.svg.foreign.viewports import fit, view_box
from clipdraw.io.svg.read_parts import SVG

_EFFECTS = {"filter": "filters", "mask": "masks", "clip-path": "clip paths", "mix-blend-mode": "blend modes"}
_CLIPPERS = {"mask": "mask", "clip-path": "clipPath"}


def tag_of(element: Element) -> str:
    """The SVG name of an element; empty for elements of other languages."""
    return element.tag.removeprefix(SVG) if not element.tag.startswith("{") or element.tag.startswith(SVG) else ""


def enter_viewport(
    element: Element, tag: str, place: Place, found: Found
) -> tuple[Matrix, tuple[float, float], tuple[Clip, ...]]:
    """The matrix inside an element, what percentages refer to there, and what clips there.

    Args:
        element: a container; only `<use>`, an inner `<svg>` and a used `<symbol>` change anything.
        tag: its name.
        place: where it stands, with its own transform and style.
        found: what is known of the file.
    """
    if tag not in ("use", "svg", "symbol") or element is found.root:
        return place.matrix, place.viewport, place.clips
    corner = [length(element.get(key), of=side) for key, side in zip("xy", place.viewport, strict=True)]
    matrix = place.matrix @ _shift(*(corner if tag != "symbol" else (0.0, 0.0)))
    if tag == "use":
        return matrix, place.viewport, place.clips
    width, height = (
        length(given or element.get(key), of=side, default=side)
        for given, key, side in zip(place.size, ("width", "height"), place.viewport, strict=True)
    )
    box = view_box(element)
    if min(width, height, *(box or ())[2:]) <= 0:
        return matrix * 0, place.viewport, place.clips
    clip = Clip("clips of inner viewports", matrix, np.array([[0, 0], [width, height]], dtype=np.float64))
    shown = place.style.get("overflow", element.get("overflow", "hidden")) in ("visible", "auto")
    clips = (*place.clips, clip) if not shown and clip.matters(found.canvas) else place.clips
    if box is None:
        return matrix, (width, height), clips
    return matrix @ fit((width, height), box, element.get("preserveAspectRatio", "")[:40]), (box[2], box[3]), clips


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], dtype=np.float64)


def take_effects(here: Place, matrix: Matrix, found: Found) -> Place:
    """The place with the rectangles that clip it; other effects are named.

    Args:
        here: the place of an element, or of its content.
        matrix: that of the element itself.
        found: what is known of the file.
    """
    clips: tuple[Clip, ...] = ()
    for key, note in _EFFECTS.items():
        value = here.style.get(key, "none")
        if value in ("none", "normal"):
            continue
        name = reference(value)
        clipper = found.names.get(name)
        if key in _CLIPPERS and name and (clipper is None or tag_of(clipper) != _CLIPPERS[key]):
            continue
        plain = None if clipper is None or key not in _CLIPPERS else _plain(clipper, matrix, here.viewport, found)
        if plain is None:
            found.notes[note] += 1
        else:
            clips += tuple(Clip(note, *clip) for clip in plain)
    if "transform" in here.style and here.style.get("transform-origin", "").strip("0px, ") not in ("", "left top"):
        found.notes["origins of transforms"] += 1
    clips = tuple(clip for clip in clips if clip.matters(found.canvas))
    return replace(here, clips=here.clips + clips) if clips else here


def _plain(
    clipper: Element, matrix: Matrix, viewport: tuple[float, float], found: Found
) -> list[tuple[Matrix, Box]] | None:
    """The rectangles that a clip path or mask is, and their matrices; None if it is anything else."""
    mask = tag_of(clipper) == "mask"
    shapes = [child for child in clipper if tag_of(child) not in ("", "title", "desc")]
    in_box = "objectBoundingBox" in (clipper.get("clipPathUnits"), clipper.get("maskContentUnits"))
    if len(shapes) != 1 or tag_of(shapes[0]) not in SHAPES or in_box:
        return None
    (shape,) = shapes
    outer, style = computed(clipper, found.sheet), computed(shape, found.sheet)
    box = rectangle(shape_runs(with_geometry(shape, style, found.sheet), tag_of(shape), viewport)[0])
    if box is None or not _shows(outer) or not _shows(style) or (mask and not _opaque(style, outer, clipper)):
        return None
    own = matrix if mask else matrix @ affine(outer.get("transform"))
    clips = [(own @ affine(style.get("transform")), box)]
    if not mask:
        return clips
    region = _region(clipper, viewport)
    return None if region is None else [*clips, (matrix, region)]


def _shows(style: dict[str, str]) -> bool:
    """Whether what is clipped to is there in full."""
    seen = style.get("display") != "none" and style.get("visibility", "visible") == "visible"
    return seen and all(style.get(key, "none") == "none" for key in ("clip-path", "mask", "filter"))


def _opaque(style: dict[str, str], outer: dict[str, str], mask: Element) -> bool:
    """Whether a mask's shape lets everything through."""
    color = paint(style.get("fill", "black"), style.get("color", "black"))
    if color is None or isinstance(color, Server) or style.get("stroke", "none") != "none":
        return False
    opacity = color[3] * fraction(style.get("fill-opacity")) * fraction(style.get("opacity"))
    alpha = outer.get("mask-type", mask.get("mask-type")) == "alpha"
    return opacity >= 1 and fraction(outer.get("opacity")) >= 1 and (alpha or min(color[:3]) >= 1)


def _region(mask: Element, viewport: tuple[float, float]) -> Box | None:
    """The rectangle outside of which a mask hides everything; None if it depends on what is masked."""
    if mask.get("maskUnits") != "userSpaceOnUse":
        return None
    sides = (*viewport, *viewport)
    defaults = ("-10%", "-10%", "120%", "120%")
    keys = ("x", "y", "width", "height")
    x, y, width, height = (
        length(mask.get(key, default), of=side) for key, default, side in zip(keys, defaults, sides, strict=True)
    )
    return np.array([[x, y], [x + width, y + height]], dtype=np.float64)
