"""SVG files that other programs made, as far as a drawing can hold them, and what had to be left out."""

from __future__ import annotations

import warnings
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float64
from svgelements import Viewbox

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import FormatError, InputError
from clipdraw.formats.digits import LIMIT
from clipdraw.formats.svg_cascade import cascade, with_geometry
from clipdraw.formats.svg_found import Found, Group, Place
from clipdraw.formats.svg_gradients import target
from clipdraw.formats.svg_paths import covers, take_shape
from clipdraw.formats.svg_read import read_metadata
from clipdraw.formats.svg_read_parts import SVG
from clipdraw.formats.svg_shapes import SHAPES, UnreadableError, affine
from clipdraw.formats.svg_sheet import Sheet
from clipdraw.formats.svg_style import fraction, length, reference

MAX_REPEATS = 10_000
"""Elements that are painted again through `<use>`: nested, they could multiply without end."""

MAX_USES = 20
"""How deep `<use>` may refer to `<use>`."""

_CONTAINERS = frozenset({"svg", "g", "a", "switch"})
_NOTES = {"text": "text", "flowRoot": "text", "image": "images", "foreignObject": "embedded pages", "video": "films"}
_ANIMATIONS = ("animate", "animateMotion", "animateTransform", "set")
_EFFECTS = {"filter": "filters", "mask": "masks", "clip-path": "clip paths", "mix-blend-mode": "blend modes"}


class ForeignSvgWarning(UserWarning):
    """An SVG file holds what a drawing cannot; the message names what was left out."""


def foreign_drawing(root: Element, *, source: str) -> Drawing:
    """Any SVG file as a drawing, and one `ForeignSvgWarning` if something was left out.

    Each shape becomes one path of cubic segments. Transforms are applied to its points; only where one scales a
    stroke unevenly, the drawing keeps it. The opacity of groups is that of their shapes. The canvas is the
    `viewBox`. A plain rectangle that fills the canvas before the first path becomes the background.

    Args:
        root: the tree of the file.
        source: what the warning calls the file.

    Raises:
        FormatError: the file is no SVG, has no paths or no size, or is beyond a limit.
    """
    if root.tag not in (SVG + "svg", "svg"):
        raise FormatError(f"no SVG: its root element is {root.tag!r:.60}")
    canvas, corner = _canvas(root)
    sheet = Sheet(root)
    elements = reversed([*root.iter()])  # of several with one id the first counts
    names = {element.get("id"): element for element in elements if element.get("id")}
    found = Found(root, canvas, names, sheet, notes=sheet.notes)
    with np.errstate(all="ignore"):  # overflow becomes infinite, which is refused
        _walk(root, corner, found)
    if any(_tag(element) in _ANIMATIONS for element in root.iter()):
        found.notes["animations"] += 1
    notes = ", ".join(f"{note} ({count})" if count > 1 else note for note, count in found.notes.items())
    if not found.styles:
        raise FormatError(f"it has no paths{f'; it holds {notes}' if notes else ''}")
    if notes:
        warnings.warn(f"{source}: left out or simplified: {notes}", ForeignSvgWarning, stacklevel=5)
    return found.drawing(_metadata(root))


def _canvas(root: Element) -> tuple[Canvas, tuple[float, float]]:
    """The canvas, and the corner of the viewBox that becomes its origin."""
    box = root.get("viewBox", "").replace(",", " ")[:400].split()
    if len(box) == 4:
        left, top, width, height = (length(text, of=0.0, default=float("nan")) for text in box)
    else:
        left = top = 0.0
        width, height = (length(root.get(key), of=float("nan"), default=float("nan")) for key in ("width", "height"))
    if not all(abs(number) <= LIMIT for number in (left, top, width, height)):  # also for NaN
        raise FormatError("neither a usable viewBox nor a usable width and height tell its size")
    try:
        return Canvas(width, height), (left, top)
    except InputError as error:
        raise FormatError(str(error)) from error


def _metadata(root: Element) -> dict[str, str]:
    title = " ".join((root.findtext(SVG + "title") or "").split())
    entries = read_metadata(root)
    return entries or ({"title": title} if title else {})


def _walk(root: Element, corner: tuple[float, float], found: Found) -> None:
    """Visit every element that is painted, in painting order, without recursion."""
    start = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1]], dtype=np.float64)
    stack, repeats = [(root, Place(start))], 0
    while stack:
        element, place = stack.pop()
        repeats += place.uses > 0
        if repeats > MAX_REPEATS:
            raise FormatError(f"<use> repeats more than {MAX_REPEATS:,} elements")
        try:
            here = _enter(element, place, found)
            if here is not None:
                stack += [(child, here) for child in reversed(_children(element, here, found))]
        except UnreadableError:
            found.notes["unreadable shapes"] += 1


def _tag(element: Element) -> str:
    """The SVG name of an element; empty for elements of other languages."""
    return element.tag.removeprefix(SVG) if not element.tag.startswith("{") or element.tag.startswith(SVG) else ""


def _enter(element: Element, place: Place, found: Found) -> Place | None:
    """Take what the element paints itself; return the place of its children, or None if they are not painted."""
    tag = _tag(element)
    if tag in _NOTES:
        found.notes[_NOTES[tag]] += 1
        return None
    if tag not in _CONTAINERS and tag not in SHAPES and tag not in ("use", "symbol"):
        return None
    style = cascade(element, place.style, found.sheet)
    if style.get("display") == "none":
        return None
    element = with_geometry(element, style, found.sheet)
    opacity = fraction(style.get("opacity"))
    here = replace(
        place,
        matrix=place.matrix @ affine(style.get("transform")) @ _viewport(element, tag, place, found),
        style=style,
        opacity=place.opacity * opacity,
        uses=place.uses + (tag == "use"),
        size=(element.get("width"), element.get("height")) if tag == "use" else (None, None),
        groups=(*place.groups, Group()) if opacity < 1 and tag not in SHAPES else place.groups,
    )
    _note_effects(here, found)
    if tag not in SHAPES:
        return here
    if style.get("visibility", "visible") == "visible":
        take_shape(element, tag, here, found)
    return None


def _note_effects(here: Place, found: Found) -> None:
    for key, note in _EFFECTS.items():
        value = here.style.get(key, "none")
        if value not in ("none", "normal") and not (key == "clip-path" and _clips_nothing(value, here, found)):
            found.notes[note] += 1
    if "transform" in here.style and here.style.get("transform-origin", "").strip("0px, ") not in ("", "left top"):
        found.notes["origins of transforms"] += 1


def _clips_nothing(value: str, here: Place, found: Found) -> bool:
    """Whether a clip path is a rectangle that holds the whole canvas, as design programs write it."""
    path = found.names.get(reference(value))
    if path is None or len(path) != 1 or path.get("clipPathUnits") == "objectBoundingBox":
        return False
    (shape,) = path
    matrix = here.matrix @ affine(path.get("transform")) @ affine(shape.get("transform"))
    return covers(shape, _tag(shape), matrix, found.canvas)


def _viewport(element: Element, tag: str, place: Place, found: Found) -> Float64[np.ndarray, "3 3"]:
    """What `<use>`, an inner `<svg>` and a used `<symbol>` do to the coordinates inside them."""
    if tag not in ("use", "svg", "symbol") or element is found.root:
        return np.eye(3)
    extent = (found.canvas.width, found.canvas.height)
    corner = [
        length(element.get(key), of=side) if tag != "symbol" else 0.0 for key, side in zip("xy", extent, strict=True)
    ]
    matrix = affine(f"translate({corner[0]!r},{corner[1]!r})")
    box = [length(text, of=0.0) for text in element.get("viewBox", "").replace(",", " ")[:400].split()]
    if tag == "use" or len(box) != 4 or min(box[2:]) <= 0:
        return matrix
    sizes = [
        length(given or element.get(key), of=side, default=side)
        for given, key, side in zip(place.size, ("width", "height"), extent, strict=True)
    ]
    fit = Viewbox.viewbox_transform(0, 0, *sizes, *box, element.get("preserveAspectRatio", "xMidYMid")[:40])
    return matrix @ affine(fit)


def _children(element: Element, here: Place, found: Found) -> list[Element]:
    if _tag(element) != "use":
        return [child for child in element if _tag(child) != "symbol"]
    used = found.names.get(target(element))
    if used is None:
        found.notes["references to elsewhere"] += 1
        return []
    if here.uses > MAX_USES:
        raise FormatError(f"<use> refers to <use> more than {MAX_USES} deep")
    return [used]
