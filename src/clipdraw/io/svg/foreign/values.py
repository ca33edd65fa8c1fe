"""Which values of which CSS properties are understood."""

from __future__ import annotations

from functools import lru_cache

from tinycss2.parser import parse_one_component_value

from clipdraw.io.svg.foreign.style import is_color, is_length, is_paint, length

GEOMETRY = frozenset({"cx", "cy", "r", "rx", "ry", "x", "y", "width", "height", "d"})
"""Attributes that style sheets may set."""

GLOBAL = frozenset({"inherit", "initial", "unset", "revert", "revert-layer"})
"""What any property may be set to."""

FONT_SIZES = {
    "xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0, "xx-large": 32.0,
}  # fmt: skip
"""Pixels of the named sizes, as browsers have them."""

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


def understood(name: str, value: str) -> str | None:
    """The value as the reader takes it; None if a browser would ignore the declaration, or we cannot follow it."""
    return _cached(name, value) if len(value) <= _LONGEST_CACHED else _understood(name, value)


def _understood(name: str, value: str) -> str | None:
    value = value.strip()
    lowered = value.lower()
    if name.startswith("--") or "var(" in value:
        return value
    if lowered in GLOBAL or lowered in _KEYWORDS.get(name, ()):
        return lowered
    if name in _PAINTS | _COLORS:
        return value if (is_paint if name in _PAINTS else is_color)(value) else None
    if name in _LENGTHS:
        return lowered if is_length(value) and not _negative(name, value) else None
    if name in _NUMBERS:
        return lowered if is_length(value) and not value[-1].isalpha() else None
    if name in _KEYWORDS:
        return None
    if name == "d":
        return _path_data(value)
    return lowered if name == "display" else value


_cached = lru_cache(maxsize=8192)(_understood)


def _negative(name: str, value: str) -> bool:
    return name in _NOT_NEGATIVE and length(value, of=1.0) < 0


def _path_data(value: str) -> str | None:
    """The text in `path("...")`."""
    function = parse_one_component_value(value, skip_comments=True)
    if function.type == "ident" and function.lower_value == "none":
        return ""
    if (
        function.type != "function"
        or function.lower_name != "path"
        or [part.type for part in function.arguments] != ["string"]
    ):
        return None
    data: str = function.arguments[0].value
    return data
