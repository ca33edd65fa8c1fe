"""SVG files that other programs made, as far as a drawing can hold them, and what had to be left out."""

from __future__ import annotations

import warnings
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.cascade import cascade, with_geometry
from clipdraw.io.svg.foreign.effects import enter_viewport, tag_of, take_effects
from clipdraw.io.svg.foreign.found import Found, Group, Place
from clipdraw.io.svg.foreign.gradients import target
from clipdraw.io.svg.foreign.paths import take_shape
from clipdraw.io.svg.foreign.shapes import SHAPES, UnreadableError, affine
from clipdraw.io.svg.foreign.sheet import Sheet
from clipdraw.io.svg.foreign.style import fraction
from clipdraw.io.svg.foreign.viewports import root_view
from clipdraw.io.svg.read import read_metadata
from clipdraw.io.svg.read_parts import SVG

MAX_REPEATS = 10_000
"""Elements that are painted again through `<use>`: nested, they could multiply without end."""

MAX_USES = 20
"""How deep `<use>` may refer to `<use>`."""

_CONTAINERS = frozenset({"svg", "g", "a", "switch"})
_NOTES = {"text": "text", "flowRoot": "text", "image": "images", "foreignObject": "embedded pages", "video": "films"}
_ANIMATIONS = ("animate", "animateMotion", "animateTransform", "set")


class ForeignSvgWarning(UserWarning):
    """An SVG file holds what a drawing cannot; the message names what was left out."""


def foreign_drawing(root: Element, *, source: str) -> Drawing:
    """Any SVG file as a drawing, and one `ForeignSvgWarning` if something was left out.

    Each shape becomes one path of cubic segments. Transforms are applied to its points; only where one scales a
    stroke unevenly, the drawing keeps it. The opacity of groups is that of their shapes. The canvas is the
    `viewBox`, or what is shown with it in other proportions. A plain rectangle that fills the canvas before the
    first path becomes the background, unless it is all.

    Args:
        root: the tree of the file.
        source: what the warning calls the file.

    Raises:
        FormatError: the file is no SVG, has no paths or no size, or is beyond a limit.
    """
    if root.tag not in (SVG + "svg", "svg"):
        raise FormatError(f"no SVG: its root element is {root.tag!r:.60}")
    canvas, matrix, viewport = root_view(root)
    sheet = Sheet(root)
    elements = reversed([*root.iter()])  # of several with one id the first counts
    names = {element.get("id"): element for element in elements if element.get("id")}
    found = Found(root, canvas, names, sheet, notes=sheet.notes)
    with np.errstate(all="ignore"):  # overflow becomes infinite, which is refused
        _walk(root, Place(matrix, viewport=viewport), found)
        if not found.styles and found.backdrop is not None:  # all that there is
            found.background = (1.0, 1.0, 1.0)
            take_shape(*found.backdrop, found, backdrop=False)
    if any(tag_of(element) in _ANIMATIONS for element in root.iter()):
        found.notes["animations"] += 1
    notes = ", ".join(f"{note} ({count})" if count > 1 else note for note, count in found.notes.items())
    if not found.styles:
        raise FormatError(f"it has no paths{f'; it holds {notes}' if notes else ''}")
    if notes:
        warnings.warn(f"{source}: left out or simplified: {notes}", ForeignSvgWarning, stacklevel=5)
    return found.drawing(_metadata(root))


def _metadata(root: Element) -> dict[str, str]:
    title = " ".join((root.findtext(SVG + "title") or "").split())
    entries = read_metadata(root)
    return entries or ({"title": title} if title else {})


def _walk(root: Element, start: Place, found: Found) -> None:
    """Visit every element that is painted, in painting order, without recursion."""
    stack, repeats = [(root, start)], 0
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


def _enter(element: Element, place: Place, found: Found) -> Place | None:
    """Take what the element paints itself; return the place of its children, or None if they are not painted."""
    tag = tag_of(element)
    if tag in _NOTES:
        found.notes[_NOTES[tag]] += 1
        return None
    if tag not in _CONTAINERS and tag not in SHAPES and tag not in ("use", "symbol"):
        return None
    style = cascade(element, place.style, found.sheet)
    if style.get("display") == "none":
        return None
    shaped = with_geometry(element, style, found.sheet)
    opacity = fraction(style.get("opacity"))
    matrix = place.matrix @ affine(style.get("transform"))
    matrix, viewport, clips = enter_viewport(shaped, tag, replace(place, matrix=matrix, style=style), found)
    here = replace(
        place,
        matrix=matrix,
        style=style,
        opacity=place.opacity * opacity,
        uses=place.uses + (tag == "use"),
        size=(shaped.get("width"), shaped.get("height")) if tag == "use" else (None, None),
        groups=(*place.groups, Group()) if opacity < 1 and tag not in SHAPES else place.groups,
        viewport=viewport,
        clips=clips,
        trail=place.trail if tag in SHAPES else (*place.trail, element),
    )
    here = take_effects(here, place.matrix @ affine(style.get("transform")), found)
    if tag not in SHAPES:
        return here
    if style.get("visibility", "visible") == "visible":
        take_shape(shaped, tag, here, found)
    return None


def _children(element: Element, here: Place, found: Found) -> list[Element]:
    if tag_of(element) == "switch":
        return [child for child in element if _applies(child)][:1]
    if tag_of(element) != "use":
        return [child for child in element if tag_of(child) != "symbol"]
    used = found.names.get(target(element))
    if used is None:
        found.notes["references to elsewhere"] += 1
        return []
    if any(used is element for element in here.trail):
        found.notes["references to what they are in"] += 1
        return []
    if here.uses > MAX_USES:
        raise FormatError(f"<use> refers to <use> more than {MAX_USES} deep")
    return [used]


def _applies(element: Element) -> bool:
    """Whether a child of `<switch>` is for readers of English without extensions."""
    languages = element.get("systemLanguage")
    known = languages is None or any(word.strip().lower().split("-")[0] == "en" for word in languages.split(","))
    return known and element.get("requiredExtensions") is None
