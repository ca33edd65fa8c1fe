"""SVG files of other programs, as far as a drawing can hold them, and a warning that names the rest."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.io.svg import read_metadata
from clipdraw.io.svg.foreign.cascade import cascade, computed, with_geometry
from clipdraw.io.svg.foreign.effects import apply_effects, enter_viewport, tag_of
from clipdraw.io.svg.foreign.geometry import SHAPES, root_viewport, transform_matrix
from clipdraw.io.svg.foreign.gradients import referenced_id
from clipdraw.io.svg.foreign.importer import ElementState, Group, Importer
from clipdraw.io.svg.foreign.markers import MARKERS, is_group, marker_states
from clipdraw.io.svg.foreign.paints import context_paints
from clipdraw.io.svg.foreign.paths import add_shape
from clipdraw.io.svg.foreign.stylesheets import StyleSheets
from clipdraw.io.svg.foreign.values import UnreadableError, css_color, unit_interval
from clipdraw.io.svg.syntax import LINKED_SHEETS, SVG
from clipdraw.limits import check_limits

MAX_USES = 20
"""The longest chain of `<use>` that refers to `<use>`."""

_CONTAINERS = frozenset({"svg", "g", "a", "switch", "use", "symbol"})
_PAINTED = _CONTAINERS | SHAPES
_PLACED = frozenset({"svg", "use", "symbol"})
"""Elements that have a viewport, or lie where they are used."""
_NOTES = {"text": "text", "flowRoot": "text", "image": "images", "foreignObject": "embedded pages", "video": "films"}
_FEATURE = re.compile(r"http://www\.w3\.org/TR/SVG|org\.w3c\.")
_OWN = frozenset({"d", "id"})
"""Attributes of a path that its state does not depend on."""
_PLAIN_COLOR = re.compile("#[0-9a-fA-F]{6}")
_CONDITIONS = frozenset({"systemLanguage", "requiredFeatures", "requiredExtensions"})
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
    sheets = StyleSheets(root)
    style = computed(root, sheets)
    canvas, matrix, viewport = root_viewport(with_geometry(root, style, sheets))
    elements = reversed([*root.iter()])  # of several with one id the first counts
    by_id = {element.get("id"): element for element in elements if element.get("id")}
    importer = Importer(root, canvas, by_id, sheets, notes=sheets.notes, background=_page_color(style, sheets))
    with np.errstate(all="ignore"):  # overflow becomes infinite, which is left out
        _walk(root, ElementState(matrix, viewport=viewport), importer)
        if not importer.styles and importer.background_shape is not None:
            importer.background = _page_color(style, sheets)
            add_shape(*importer.background_shape, importer, may_be_background=False)
    if root.get(LINKED_SHEETS) is not None:
        importer.notes["style sheets of other files"] += 1
    if any(tag_of(element) in _ANIMATIONS for element in root.iter()):
        importer.notes["animations"] += 1
    notes = ", ".join(f"{note} ({count})" if count > 1 else note for note, count in importer.notes.items())
    if not importer.styles:
        raise FormatError(f"it has no paths{f'; it holds {notes}' if notes else ''}")
    importer.fit_canvas()
    if notes:
        message = f"{source}: left out or simplified: {notes}"
        warnings.warn(message, ForeignSvgWarning, stacklevel=6)  # names the caller of `Drawing.load`
    return importer.drawing(_metadata(root))


def _page_color(style: dict[str, str], sheets: StyleSheets) -> tuple[float, float, float]:
    """The color of the background by the style of the root element, over white."""
    text = style.get("background-color", style.get("background", "none"))
    color = css_color(text)
    if color is None and text not in ("none", "initial"):
        sheets.note(sheets.root, "backgrounds")
    red, green, blue, opacity = color or (1.0, 1.0, 1.0, 0.0)
    return 1 - opacity * (1 - red), 1 - opacity * (1 - green), 1 - opacity * (1 - blue)


def _metadata(root: Element) -> dict[str, str]:
    title = " ".join((root.findtext(SVG + "title") or "").split())
    entries = read_metadata(root)
    return entries or ({"title": title} if title else {})


def _walk(root: Element, start: ElementState, importer: Importer) -> None:
    """Visit every element that is painted, in painting order, without recursion."""
    stack = [(root, start)]
    while stack:
        check_limits()
        element, parent = stack.pop()
        if parent.uses:
            importer.repeat()
        try:
            stack += reversed(_visit(element, parent, importer))
        except UnreadableError:
            importer.notes["unreadable shapes"] += 1


def _visit(element: Element, parent: ElementState, importer: Importer) -> list[tuple[Element, ElementState]]:
    """Add the element if it is a shape; return what is painted next, in its place or at its vertices."""
    tag = tag_of(element)
    if tag in _NOTES:
        importer.notes[_NOTES[tag]] += 1
        return []
    if tag not in _PAINTED or not _applies(element):
        return []
    key, colors = _state_key(element, tag, parent, importer)
    known = importer.states.get(key)
    if known is not None:
        state = known[1]
        if any(state.style[name] != color for name, color in colors.items()):
            state = replace(state, style={**state.style, **colors})
        add_shape(element, tag, state, importer)
        return []
    noted = importer.notes.total()
    style = cascade(element, parent.style, importer.sheets)
    if style.get("display") == "none":
        return []
    shaped = element if element is importer.root else with_geometry(element, style, importer.sheets)
    ancestors = parent.ancestors if tag in SHAPES else (*parent.ancestors, element)
    state = _enter(shaped, tag, replace(parent, style=style, ancestors=ancestors), importer)
    if tag not in SHAPES:
        return [(child, state) for child in _children(element, state, importer)]
    if style.get("visibility", "visible") != "visible":
        return []
    alike = shaped is element and state.groups is parent.groups and importer.notes.total() == noted
    if key and alike and not MARKERS & style.keys():
        importer.remember(key, parent, state)
    add_shape(shaped, tag, state, importer)
    return [(child, inner) for marker, inner in marker_states(shaped, tag, state, importer) for child in marker]


def _state_key(
    element: Element, tag: str, parent: ElementState, importer: Importer
) -> tuple[tuple[object, ...], dict[str, str]]:
    """The key that tells the state of a path without style sheets but for its plain colors, and those; else nothing."""
    if tag != "path" or importer.sheets.has_rules:
        return (), {}
    attributes = element.attrib
    colors = {
        name: attributes[name]
        for name in ("fill", "stroke")
        if _PLAIN_COLOR.fullmatch(attributes.get(name, "")) and "style" not in attributes
    }
    return (id(parent), *colors, *[each for each in attributes.items() if each[0] not in _OWN | colors.keys()]), colors


def _enter(element: Element, tag: str, state: ElementState, importer: Importer) -> ElementState:
    """The state of an element, or that of its content. A `<symbol>` has no transform, as in SVG 1.1.

    Args:
        element: the element, with the geometry of its style as attributes.
        tag: its name.
        state: the state of its parent, with its own style.
        importer: the file that is being read.
    """
    style, matrix = state.style, state.matrix
    if tag != "symbol" and "transform" in style:
        matrix = matrix @ transform_matrix(style, state.viewport)
    opacity = unit_interval(style.get("opacity"))
    groups = (*state.groups, Group()) if opacity < 1 and is_group(tag, style) else state.groups
    opacity *= state.opacity
    if tag not in _PLACED:
        return apply_effects(
            replace(state, matrix=matrix, opacity=opacity, groups=groups, size=(None, None)), matrix, importer
        )
    placed = replace(state, matrix=matrix)
    inner = replace(
        enter_viewport(element, tag, placed, importer),
        opacity=opacity,
        uses=state.uses + (tag == "use"),
        size=(element.get("width"), element.get("height")) if tag == "use" else (None, None),
        groups=groups,
        context=context_paints(placed) if tag == "use" else state.context,
    )
    return apply_effects(inner, matrix, importer)


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
    """Whether an element is for readers of English with the features of SVG 1.1 and without extensions."""
    if not _CONDITIONS & element.attrib.keys():
        return True
    languages = element.get("systemLanguage")
    known = languages is None or any(word.strip().lower().split("-")[0] == "en" for word in languages.split(","))
    features = element.get("requiredFeatures", "").split()
    return known and element.get("requiredExtensions") is None and all(map(_FEATURE.match, features))
