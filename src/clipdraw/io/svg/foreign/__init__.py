"""SVG files of other programs, as far as a drawing can hold them, and a warning that names the rest."""

from __future__ import annotations

import warnings
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.io.svg import read_metadata
from clipdraw.io.svg.foreign.cascade import cascade, with_geometry
from clipdraw.io.svg.foreign.effects import apply_effects, enter_viewport, tag_of
from clipdraw.io.svg.foreign.geometry import SHAPES, parse_transform, root_viewport
from clipdraw.io.svg.foreign.gradients import referenced_id
from clipdraw.io.svg.foreign.importer import ElementState, Group, Importer
from clipdraw.io.svg.foreign.paths import add_shape
from clipdraw.io.svg.foreign.stylesheets import StyleSheets
from clipdraw.io.svg.foreign.values import UnreadableError, unit_interval
from clipdraw.io.svg.syntax import SVG

MAX_REPEATS = 10_000
"""The most elements that are painted again through `<use>`: nested, they could multiply without end."""

MAX_USES = 20
"""The longest chain of `<use>` that refers to `<use>`."""

_CONTAINERS = frozenset({"svg", "g", "a", "switch", "use", "symbol"})
_NOTES = {"text": "text", "flowRoot": "text", "image": "images", "foreignObject": "embedded pages", "video": "films"}
_ANIMATIONS = ("animate", "animateMotion", "animateTransform", "set")


class ForeignSvgWarning(UserWarning):
    """An SVG file holds parts that a drawing cannot; the message names those that were left out."""


def foreign_drawing(root: Element, *, source: str) -> Drawing:
    """Any SVG file as a drawing, and one `ForeignSvgWarning` if something was left out.

    Each shape becomes one path of cubic segments. Transforms are applied to its points; only where one scales a
    stroke unevenly, the drawing keeps it. The opacity of groups is that of their shapes. The canvas is the
    `viewBox`, or the shown area if it has other proportions. A plain rectangle that fills the canvas before the
    first path becomes the background, unless there is nothing else.

    Args:
        root: the tree of the file.
        source: the name of the file in the warning.

    Raises:
        FormatError: the file is no SVG, has no paths or no size, or is beyond a limit.
    """
    if root.tag not in (SVG + "svg", "svg"):
        raise FormatError(f"no SVG: its root element is {root.tag!r:.60}")
    canvas, matrix, viewport = root_viewport(root)
    sheets = StyleSheets(root)
    elements = reversed([*root.iter()])  # of several with one id the first counts
    by_id = {element.get("id"): element for element in elements if element.get("id")}
    importer = Importer(root, canvas, by_id, sheets, notes=sheets.notes)
    with np.errstate(all="ignore"):  # overflow becomes infinite, which is refused
        _walk(root, ElementState(matrix, viewport=viewport), importer)
        if not importer.styles and importer.background_shape is not None:
            importer.background = (1.0, 1.0, 1.0)
            add_shape(*importer.background_shape, importer, may_be_background=False)
    if any(tag_of(element) in _ANIMATIONS for element in root.iter()):
        importer.notes["animations"] += 1
    notes = ", ".join(f"{note} ({count})" if count > 1 else note for note, count in importer.notes.items())
    if not importer.styles:
        raise FormatError(f"it has no paths{f'; it holds {notes}' if notes else ''}")
    if notes:
        message = f"{source}: left out or simplified: {notes}"
        warnings.warn(message, ForeignSvgWarning, stacklevel=6)  # names the caller of `Drawing.load`
    return importer.drawing(_metadata(root))


def _metadata(root: Element) -> dict[str, str]:
    title = " ".join((root.findtext(SVG + "title") or "").split())
    entries = read_metadata(root)
    return entries or ({"title": title} if title else {})


def _walk(root: Element, start: ElementState, importer: Importer) -> None:
    """Visit every element that is painted, in painting order, without recursion."""
    stack, repeats = [(root, start)], 0
    while stack:
        element, parent = stack.pop()
        repeats += parent.uses > 0
        if repeats > MAX_REPEATS:
            raise FormatError(f"<use> repeats more than {MAX_REPEATS:,} elements")
        try:
            state = _enter(element, parent, importer)
            if state is not None:
                stack += [(child, state) for child in reversed(_children(element, state, importer))]
        except UnreadableError:
            importer.notes["unreadable shapes"] += 1


def _enter(element: Element, parent: ElementState, importer: Importer) -> ElementState | None:
    """Add the element if it is a shape; return the state for its children, or None if they are not painted."""
    tag = tag_of(element)
    if tag in _NOTES:
        importer.notes[_NOTES[tag]] += 1
        return None
    if tag not in _CONTAINERS and tag not in SHAPES:
        return None
    style = cascade(element, parent.style, importer.sheets)
    if style.get("display") == "none":
        return None
    shaped = with_geometry(element, style, importer.sheets)
    opacity = unit_interval(style.get("opacity"))
    matrix = parent.matrix @ parse_transform(style.get("transform"))
    state = enter_viewport(shaped, tag, replace(parent, matrix=matrix, style=style), importer)
    state = replace(
        state,
        opacity=parent.opacity * opacity,
        uses=parent.uses + (tag == "use"),
        size=(shaped.get("width"), shaped.get("height")) if tag == "use" else (None, None),
        groups=(*parent.groups, Group()) if opacity < 1 and tag not in SHAPES else parent.groups,
        ancestors=parent.ancestors if tag in SHAPES else (*parent.ancestors, element),
    )
    state = apply_effects(state, matrix, importer)
    if tag not in SHAPES:
        return state
    if style.get("visibility", "visible") == "visible":
        add_shape(shaped, tag, state, importer)
    return None


def _children(element: Element, state: ElementState, importer: Importer) -> list[Element]:
    """The elements that are painted in the place of an element: its children or the one that it refers to."""
    tag = tag_of(element)
    if tag == "switch":
        return [child for child in element if _applies(child)][:1]
    if tag != "use":
        return [child for child in element if tag_of(child) != "symbol"]
    used = importer.elements.get(referenced_id(element))
    if used is None:
        importer.notes["references to elsewhere"] += 1
        return []
    if any(used is ancestor for ancestor in state.ancestors):
        importer.notes["references to what they are in"] += 1
        return []
    if state.uses > MAX_USES:
        raise FormatError(f"<use> refers to <use> more than {MAX_USES} deep")
    return [used]


def _applies(element: Element) -> bool:
    """Whether a child of `<switch>` is for readers of English without extensions."""
    languages = element.get("systemLanguage")
    known = languages is None or any(word.strip().lower().split("-")[0] == "en" for word in languages.split(","))
    return known and element.get("requiredExtensions") is None
