"""The cascade of CSS: which of the declarations for an element counts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from clipdraw.io.svg.foreign.colors import CURRENT, has_profile
from clipdraw.io.svg.foreign.declarations import declarations
from clipdraw.io.svg.foreign.sheet import Sheet
from clipdraw.io.svg.foreign.style import length
from clipdraw.io.svg.foreign.values import FONT_SIZES, GEOMETRY, GLOBAL, understood
from clipdraw.io.svg.foreign.variables import resolved, substituted

_INHERITED = frozenset(
    {
        "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
        "stroke-miterlimit", "fill", "fill-opacity", "fill-rule", "paint-order", "color", "visibility", "font-size",
        "marker", "marker-start", "marker-mid", "marker-end",
    }
)  # fmt: skip
_OWN = frozenset(
    {
        "opacity", "display", "filter", "mask", "clip-path", "mix-blend-mode", "vector-effect",
        "transform", "transform-origin", "stop-color", "stop-opacity",
    }
)  # fmt: skip
_ATTRIBUTES = _INHERITED | _OWN
_COLORED = frozenset({"fill", "stroke", "color", "stop-color"})
_LENGTHS = frozenset({"stroke-width", *GEOMETRY} - {"d"})
_MEASURED = frozenset({"x1", "y1", "x2", "y2", *GEOMETRY} - {"d"})
_RELATIVE = re.compile(r"([-+.\de]*[\d.])(em|ex|rem)", re.IGNORECASE)
_MEDIUM = f"{FONT_SIZES['medium']!r}px"


def cascade(element: Element, inherited: Mapping[str, str], sheet: Sheet) -> dict[str, str]:
    """The properties of an element: inherited, then attributes, style sheets and its own `style`.

    A declaration that is not understood gives way to the next lower one, and the notes of the sheet name it. Lengths
    in sizes of the font become pixels.

    Args:
        element: any element of the file.
        inherited: the properties of its parent.
        sheet: the style sheets of the file.
    """
    own, unread = _declared(element, sheet)
    style = {key: value for key, value in inherited.items() if key in _INHERITED}
    unread |= _fill_in(own, inherited, style)
    _apply(own, inherited, style)
    if "font-size" in own:
        size = _font_size(style.get("font-size", _MEDIUM), _size(inherited), sheet)
        style["font-size"] = f"{size!r}px"
        sheet.root_size = size if element is sheet.root else sheet.root_size
    for name in _LENGTHS & own.keys():
        style[name] = _absolute(style.get(name, ""), style, sheet)
    for name in unread:
        sheet.note(element, f"unreadable {name}")
    if any(has_profile(own[name]) for name in _COLORED & own.keys()):
        sheet.note(element, "color profiles")
    return style


def computed(element: Element | None, sheet: Sheet) -> dict[str, str]:
    """The properties of an element with all that it inherits from where it stands in the file."""
    line = []
    while element is not None and element not in sheet.computed:
        line.append(element)
        element = sheet.parents.get(element)
    style = {} if element is None else sheet.computed[element]
    for each in reversed(line):
        style = sheet.computed[each] = cascade(each, style, sheet)
    return style


def with_geometry(element: Element, style: Mapping[str, str], sheet: Sheet) -> Element:
    """The element with the geometry of its style as attributes; the very element where its own say it all."""
    if element is sheet.root:
        return element
    changed = {name: style[name] for name in GEOMETRY & style.keys()}
    for name in _MEASURED & element.attrib.keys() - changed.keys():
        if element.attrib[name][-2:].lower() in ("em", "ex"):
            changed[name] = _absolute(element.attrib[name], style, sheet)
    if not changed:
        return element
    attributes = {**element.attrib, **changed}
    return Element(element.tag, {name: value for name, value in attributes.items() if value or name not in changed})


def _declared(element: Element, sheet: Sheet) -> tuple[dict[str, str], set[str]]:
    """What counts for an element, and the properties of which the highest declaration was not understood."""
    own: dict[str, str] = {}
    unread: set[str] = set()
    for name, value in _ordered(element, sheet):
        read = understood(name, value)
        if read is None:
            unread.add(name)
        else:
            own[name] = read
            unread.discard(name)
    return own, unread


def _ordered(element: Element, sheet: Sheet) -> list[tuple[str, str]]:
    """All that is declared for an element, the weakest first."""
    attributes = element.attrib
    given = [(name, attributes[name]) for name in _ATTRIBUTES & attributes.keys()]
    rules = [*sheet.declared(element), *declarations(attributes.get("style", ""))]
    rules.sort(key=lambda each: each.important)
    return given + [(name, value) for name, value, _ in rules]


def _fill_in(own: dict[str, str], inherited: Mapping[str, str], style: dict[str, str]) -> set[str]:
    """Fill in the variables of `own`, whose custom properties go to `style`; the properties where that fails."""
    custom = {name: own.pop(name) for name in tuple(own) if name.startswith("--")}
    above = {name: value for name, value in inherited.items() if name.startswith("--")}
    if custom or above:
        style |= resolved(custom, above)
    failed = set()
    for name in [name for name, value in own.items() if "var(" in value]:
        value = substituted(own[name], style.get)
        read = None if value is None else understood(name, value)
        own[name] = "unset" if read is None else read
        failed |= {name} if read is None else set()
    return failed


def _apply(own: Mapping[str, str], inherited: Mapping[str, str], style: dict[str, str]) -> None:
    """Put what counts into the style, with the meaning of `inherit`, `initial` and their like."""
    for name, value in own.items():
        given: str | None = value
        if value == "inherit" or (name == "color" and value.lower() == CURRENT):
            given = inherited.get(name)
        elif value in GLOBAL or value == "auto":
            given = inherited.get(name) if value != "initial" and name in _INHERITED else None
        if given is not None:
            style[name] = given
        elif name in GEOMETRY:
            style[name] = ""  # not even what the attribute says
        else:
            style.pop(name, None)


def _size(style: Mapping[str, str]) -> float:
    return length(style.get("font-size"), of=0.0, default=FONT_SIZES["medium"])


def _font_size(value: str, parent: float, sheet: Sheet) -> float:
    """The size of a font in pixels, where that of the parent is `parent`."""
    if value in FONT_SIZES:
        return FONT_SIZES[value]
    value = {"larger": "1.2em", "smaller": ".83em"}.get(value, value)
    return length(_absolute(value, {"font-size": f"{parent!r}px"}, sheet), of=parent)


def _absolute(value: str, style: Mapping[str, str], sheet: Sheet) -> str:
    """A length with pixels in the place of sizes of the font."""
    match = _RELATIVE.fullmatch(value.strip())
    if match is None:
        return value
    size = {"em": _size(style), "ex": _size(style) / 2, "rem": sheet.root_size}[match[2].lower()]
    return f"{length(match[1], of=0.0) * size!r}px"
