"""Values of CSS properties: numbers, lengths, paints, and which of them this reader understands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from tinycss2.parser import parse_one_component_value

from clipdraw.io.svg.foreign.colors import CURRENT, LONGEST, Rgba, css_color

GEOMETRY = frozenset({"cx", "cy", "r", "rx", "ry", "x", "y", "width", "height", "d"})
"""Attributes that style sheets may set."""

GLOBAL = frozenset({"inherit", "initial", "unset", "revert", "revert-layer"})
"""Keywords that any property may be set to."""

FONT_SIZES = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0, "xx-large": 32.0,
}  # fmt: skip
"""Pixels of the named sizes, as browsers have them."""

NUMBER = r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?"
"""A number by SVG's grammar; it may also end in a point, as in SVG 1.1."""

_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54}
_UNITS |= {"em": 16.0, "rem": 16.0, "ex": 8.0}
_LENGTH = re.compile(rf"\s*({NUMBER})([a-z]*|%)\s*")
_REFERENCE = re.compile(r"url\(\s*[\"']?(?:#([^\"')]*))?[^)]*\)\s*(.*)", re.IGNORECASE | re.DOTALL)
_NO_PAINT = frozenset({"none", "context-fill", "context-stroke"})
_KEYWORDS = {
    "fill-rule": {"nonzero", "evenodd"},
    "stroke-linecap": {"butt", "round", "square"},
    "stroke-linejoin": {"miter", "round", "bevel", "miter-clip", "arcs"},
    "visibility": {"visible", "hidden", "collapse"},
    "font-size": {*FONT_SIZES, "smaller", "larger"},
    "width": {"auto"},
    "height": {"auto"},
    "rx": {"auto"},
    "ry": {"auto"},
}
_PAINTS = frozenset({"fill", "stroke"})
_COLORS = frozenset({"color", "stop-color"})
_NUMBERS = frozenset({"opacity", "fill-opacity", "stroke-opacity", "stop-opacity", "stroke-miterlimit"})
_LENGTHS = frozenset({"stroke-width", "font-size", "cx", "cy", "r", "rx", "ry", "x", "y", "width", "height"})
_NOT_NEGATIVE = _LENGTHS - {"cx", "cy", "x", "y"}
_LONGEST_CACHED = 100


class UnreadableError(ValueError):
    """A shape, transform or gradient that renderers pass over."""


@dataclass(frozen=True)
class PaintServer:
    """A paint that is not a color but a gradient or pattern of the file.

    Args:
        name: its `id`; empty if it is of another file.
        fallback: the color where it cannot be used.
    """

    name: str
    fallback: Rgba | None = None


def is_length(text: str) -> bool:
    """Whether the text is a number with a known unit, a percentage, or a number alone."""
    match = _LENGTH.fullmatch(text[:LONGEST].lower())
    return match is not None and match[2] in {*_UNITS, "%"}


def length(text: str | None, *, of: float, default: float = 0.0) -> float:
    """A length in user units (1/96 inch).

    Args:
        text: digits and a unit, or None.
        of: the length that 100 % stands for.
        default: the result for None and for text that is no length.
    """
    match = _LENGTH.fullmatch((text or "")[:LONGEST].lower())
    if match is None or match[2] not in {*_UNITS, "%"}:
        return default
    return float(match[1]) * (of / 100 if match[2] == "%" else _UNITS[match[2]])


def unit_interval(text: str | None, default: float = 1.0) -> float:
    """A number or percentage, limited to [0, 1]."""
    return min(max(length(text, of=1.0, default=default), 0.0), 1.0)


def diagonal(width: float, height: float) -> float:
    """The length that 100 % stands for where it is neither a width nor a height. Source: SVG 2, section 8.9."""
    return (width * width / 2 + height * height / 2) ** 0.5


def reference(text: str) -> str:
    """The `id` that `url(#id)` names; empty if it names nothing in the file."""
    match = _REFERENCE.fullmatch(text.strip()[:LONGEST])
    return (match[1] or "").strip() if match else ""


def parse_paint(text: str, current: str = "black") -> Rgba | PaintServer | None:
    """A paint as red, green, blue, opacity.

    Args:
        text: the value of `stroke` or `fill`.
        current: the color that `currentColor` stands for.

    Returns:
        The color; None for no paint, and for one that is not understood; a `PaintServer` for a gradient or pattern.
    """
    text = text.strip()[:LONGEST]
    server = _REFERENCE.fullmatch(text)
    if server:
        fallback = parse_paint(server[2], current) if server[2] else None
        return PaintServer((server[1] or "").strip(), None if isinstance(fallback, PaintServer) else fallback)
    color = css_color(current.strip() if text.lower() == CURRENT else text)
    return color if color is not None and color[3] > 0 else None


def parse_value(name: str, value: str) -> str | None:
    """The value of a property as this reader takes it; None if browsers ignore it or this reader cannot follow it."""
    return _cached(name, value) if len(value) <= _LONGEST_CACHED else _parse_value(name, value)


def _parse_value(name: str, value: str) -> str | None:
    value = value.strip()
    lowered = value.lower()
    if name.startswith("--") or "var(" in value:
        return value
    if lowered in GLOBAL or lowered in _KEYWORDS.get(name, ()):
        return lowered
    if name in _PAINTS | _COLORS:
        return value if (_is_paint if name in _PAINTS else _is_color)(value) else None
    if name in _LENGTHS:
        negative = name in _NOT_NEGATIVE and length(value, of=1.0) < 0
        return lowered if is_length(value) and not negative else None
    if name in _NUMBERS:
        return lowered if is_length(value) and not value[-1].isalpha() else None
    if name in _KEYWORDS:
        return None
    if name == "d":
        return _parse_path_function(value)
    return lowered if name == "display" else value


_cached = lru_cache(maxsize=8192)(_parse_value)


def _is_color(text: str) -> bool:
    return text.lower() == CURRENT or css_color(text) is not None


def _is_paint(text: str) -> bool:
    server = _REFERENCE.fullmatch(text[:LONGEST])
    color = server[2] if server else text
    return (server is not None and not color) or color.lower() in _NO_PAINT or _is_color(color)


def _parse_path_function(value: str) -> str | None:
    """The text in `path("...")`."""
    function = parse_one_component_value(value, skip_comments=True)
    if function.type == "ident" and function.lower_value == "none":
        return ""
    if function.type != "function" or function.lower_name != "path":
        return None
    data: str | None = function.arguments[0].value if [p.type for p in function.arguments] == ["string"] else None
    return data
