"""The CSS cascade: the properties of an element from its parent, attributes, style sheets and its own `style`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from xml.etree.ElementTree import Element

import tinycss2
from tinycss2.ast import FunctionBlock, Node

from clipdraw.io.svg.foreign.geometry import ORIGINS, parse_origin, parse_transform
from clipdraw.io.svg.foreign.stylesheets import MAX_NESTING, StyleSheets, inline_declarations, is_shallow
from clipdraw.io.svg.foreign.values import (
    CURRENT,
    FONT_SIZES,
    GEOMETRY,
    GLOBAL,
    UnreadableError,
    has_profile,
    is_length,
    length,
    parse_value,
)

_INHERITED = frozenset(
    {
        "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap",
        "stroke-linejoin", "stroke-miterlimit", "fill", "fill-opacity", "fill-rule", "paint-order", "color",
        "visibility", "font-size", "marker-start", "marker-mid", "marker-end", "shape-rendering",
    }
)  # fmt: skip
_NOT_INHERITED = frozenset(
    {
        "opacity", "display", "filter", "mask", "clip-path", "mix-blend-mode", "vector-effect",
        "transform", "transform-origin", "transform-box", "overflow", "stop-color", "stop-opacity",
    }
)  # fmt: skip
_ATTRIBUTES = _INHERITED | _NOT_INHERITED
_SHORTHANDS = {"marker": ("marker-start", "marker-mid", "marker-end")}
_COLORED = frozenset({"fill", "stroke", "color", "stop-color"})
_STYLE_LENGTHS = frozenset(
    {"stroke-width", "stroke-dasharray", "stroke-dashoffset", "transform-origin", *GEOMETRY} - {"d"}
)
_ATTRIBUTE_LENGTHS = frozenset(
    {"x1", "y1", "x2", "y2", "fx", "fy", "fr", "markerWidth", "markerHeight", "refX", "refY", *GEOMETRY} - {"d"}
)
_FONT_RELATIVE = re.compile(r"([-+.\de]*[\d.])(em|ex|rem)", re.IGNORECASE)
_MEDIUM = f"{FONT_SIZES['medium']!r}px"
_ONLY_IN_STYLES = re.compile(r"[A-DF-WZ%]|\d\s*[a-df-z]")
"""Units and capitals, which transforms have in style sheets and not in attributes."""
_TRANSFORMS: dict[str, Callable[[str], object]] = {
    "transform": parse_transform,
    "transform-origin": lambda text: parse_origin(text, (0.0, 0.0)),
}
_LONGEST_WITH_VARIABLES = 1000
"""Characters of a value with variables: filled in, they could multiply without end."""


def cascade(element: Element, inherited: Mapping[str, str], sheets: StyleSheets) -> dict[str, str]:
    """The properties of an element: inherited, then attributes, style sheets and its own `style`.

    A declaration that is not understood gives way to the next lower one, and the notes of the style sheets name it.
    Lengths in sizes of the font become pixels.

    Args:
        element: any element of the file.
        inherited: the properties of its parent.
        sheets: the style sheets of the file.
    """
    own, unreadable = _declared(element, sheets)
    style = {key: value for key, value in inherited.items() if key in _INHERITED}
    unreadable |= _fill_in(own, inherited, style)
    _apply(own, inherited, style)
    if "font-size" in own:
        size = _font_size(style.get("font-size", _MEDIUM), _size(inherited), sheets)
        style["font-size"] = f"{size!r}px"
        sheets.root_size = size if element is sheets.root else sheets.root_size
    for name in _STYLE_LENGTHS & own.keys():
        words = style.get(name, "").replace(",", " ").split()
        style[name] = " ".join(_absolute(word, style, sheets) for word in words)
    for name in sorted(unreadable):
        sheets.note(element, f"unreadable {name}")
    if any(has_profile(own[name]) for name in _COLORED & own.keys()):
        sheets.note(element, "color profiles")
    return style


def computed(element: Element | None, sheets: StyleSheets) -> dict[str, str]:
    """The properties of an element, with those that it inherits from its ancestors in the file."""
    line = []
    while element is not None and element not in sheets.computed:
        line.append(element)
        element = sheets.parents.get(element)
    style = {} if element is None else sheets.computed[element]
    for each in reversed(line):
        style = sheets.computed[each] = cascade(each, style, sheets)
    return style


def with_geometry(element: Element, style: Mapping[str, str], sheets: StyleSheets) -> Element:
    """A copy of an element with the geometry of its style as attributes; the element itself if there is none."""
    changed = {name: style[name] for name in GEOMETRY & style.keys()}
    for name in _ATTRIBUTE_LENGTHS & element.attrib.keys() - changed.keys():
        value = element.attrib[name]
        if not is_length(value) and value.strip().lower() not in {"auto", *ORIGINS}:
            sheets.note(element, f"unreadable {name}")
        elif value[-2:].lower() in ("em", "ex"):
            changed[name] = _absolute(value, style, sheets)
    if not changed:
        return element
    attributes = {**element.attrib, **changed}
    return Element(element.tag, {name: value for name, value in attributes.items() if value or name not in changed})


def _declared(element: Element, sheets: StyleSheets) -> tuple[dict[str, str], set[str]]:
    """The declared value of each property, and the properties whose highest declaration was not understood."""
    own: dict[str, str] = {}
    unreadable: set[str] = set()
    for name, value in _ordered(element, sheets):
        parsed = parse_value(name, value)
        if parsed is None or (name in _TRANSFORMS and not _is_transform(name, parsed)):
            unreadable.add(name)
        else:
            own[name] = parsed
            unreadable.discard(name)
    return own, unreadable


def _is_transform(name: str, value: str) -> bool:
    if value in GLOBAL or "var(" in value:
        return True
    try:
        _TRANSFORMS[name](value)
    except UnreadableError:
        return False
    return True


def _ordered(element: Element, sheets: StyleSheets) -> list[tuple[str, str]]:
    """All declarations for an element, the weakest first."""
    attributes = element.attrib
    of_attributes = [(name, attributes[name]) for name in _ATTRIBUTES & attributes.keys()]
    if _ONLY_IN_STYLES.search(attributes.get("transform", "")):
        of_attributes = [(name, "?" if name == "transform" else value) for name, value in of_attributes]
    rules = [*sheets.declared(element), *inline_declarations(attributes.get("style", ""))]
    rules.sort(key=lambda each: each.important)
    return of_attributes + [(part, value) for name, value, _ in rules for part in _SHORTHANDS.get(name, (name,))]


def _fill_in(own: dict[str, str], inherited: Mapping[str, str], style: dict[str, str]) -> set[str]:
    """Fill in the variables of `own`, move its custom properties to `style`, return the properties where that fails."""
    custom = {name: own.pop(name) for name in tuple(own) if name.startswith("--")}
    above = {name: value for name, value in inherited.items() if name.startswith("--")}
    if custom or above:
        style |= _resolve_variables(custom, above)
    failed = set()
    for name in [name for name, value in own.items() if "var(" in value]:
        value = _substitute(own[name], style.get)
        parsed = None if value is None else parse_value(name, value)
        own[name] = "unset" if parsed is None else parsed
        failed |= {name} if parsed is None else set()
    return failed


def _apply(own: Mapping[str, str], inherited: Mapping[str, str], style: dict[str, str]) -> None:
    """Put the declared values into the style, with the meaning of `inherit`, `initial` and their like."""
    for name, value in own.items():
        given: str | None = value
        if value == "inherit" or (name == "color" and value.lower() == CURRENT):
            given = inherited.get(name)
        elif value in GLOBAL or (value == "auto" and name in GEOMETRY):
            given = inherited.get(name) if value != "initial" and name in _INHERITED else None
        if given is not None:
            style[name] = given
        elif name in GEOMETRY:
            style[name] = ""  # not even what the attribute says
        else:
            style.pop(name, None)


def _size(style: Mapping[str, str]) -> float:
    """The size of the font in pixels."""
    return length(style.get("font-size"), of=0.0, default=FONT_SIZES["medium"])


def _font_size(value: str, parent: float, sheets: StyleSheets) -> float:
    """The pixels of a `font-size` of an element whose parent has the size `parent`."""
    if value in FONT_SIZES:
        return FONT_SIZES[value]
    value = {"larger": "1.2em", "smaller": ".83em"}.get(value, value)
    return length(_absolute(value, {"font-size": f"{parent!r}px"}, sheets), of=parent)


def _absolute(value: str, style: Mapping[str, str], sheets: StyleSheets) -> str:
    """A length with pixels in the place of sizes of the font."""
    match = _FONT_RELATIVE.fullmatch(value.strip())
    if match is None:
        return value
    size = {"em": _size(style), "ex": _size(style) / 2, "rem": sheets.root_size}[match[2].lower()]
    return f"{length(match[1], of=0.0) * size!r}px"


def _resolve_variables(own: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The custom properties of an element with their variables filled in; those that refer to themselves are left out.

    Args:
        own: custom properties that are declared for the element.
        inherited: those of its parent, without variables.
    """
    known: dict[str, str | None] = {name: value for name, value in inherited.items() if name not in own}

    def look_up(name: str, depth: int = 0) -> str | None:
        if name not in known:
            known[name] = None  # while it is being found, so that circles end
            value = own.get(name)
            if value in ("inherit", "unset"):
                known[name] = inherited.get(name)
            elif value is not None and value != "initial" and depth < MAX_NESTING:
                known[name] = _substitute(value, lambda inner: look_up(inner, depth + 1))
        return known[name]

    for name in own:
        look_up(name)
    return {name: value for name, value in known.items() if value is not None}


def _substitute(value: str, look_up: Callable[[str], str | None]) -> str | None:
    """A value with its variables filled in; None if one has neither a value nor a fallback."""
    if "var(" not in value:
        return value[:_LONGEST_WITH_VARIABLES]
    parts = tinycss2.parse_component_value_list(value) if len(value) <= _LONGEST_WITH_VARIABLES else ()
    text = _join(parts, look_up) if parts and is_shallow(parts) else None
    return text if text is not None and len(text) <= _LONGEST_WITH_VARIABLES else None


def _join(parts: Sequence[Node], look_up: Callable[[str], str | None]) -> str | None:
    texts = [_part_text(part, look_up) for part in parts]
    whole = "".join(text for text in texts if text is not None)
    return None if None in texts or len(whole) > _LONGEST_WITH_VARIABLES else whole


def _part_text(part: Node, look_up: Callable[[str], str | None]) -> str | None:
    if not isinstance(part, FunctionBlock):
        text: str = part.serialize()
        return text
    if part.lower_name != "var":
        within = _join(part.arguments, look_up)
        return None if within is None else f"{part.name}({within})"
    arguments = [argument for argument in part.arguments if argument.type != "whitespace"]
    if not arguments or arguments[0].type != "ident":
        return None
    found = look_up(arguments[0].value)
    if found is not None or len(arguments) < 2 or arguments[1] != ",":
        return found
    return _join(part.arguments[part.arguments.index(arguments[1]) + 1 :], look_up)
