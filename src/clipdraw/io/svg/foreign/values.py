"""Values of CSS properties: numbers, lengths, colors as sRGB, paints, and which of them this reader understands."""

from __future__ import annotations

import colorsys
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from tinycss2.ast import FunctionBlock, Node
from tinycss2.color4 import Color, parse_color
from tinycss2.parser import parse_one_component_value

from clipdraw.drawing import Cap, Join
from clipdraw.io.svg.syntax import LIMIT, parse_percent_color

Rgba = tuple[float, float, float, float]
"""Straight red, green, blue and opacity in [0, 1]."""

CURRENT = "currentcolor"
"""The keyword that stands for the value of `color`, in small letters."""

LONGEST = 200
"""Characters of a color that are looked at; no honest one is longer."""

_LARGEST = 1e30
_CAPS: dict[str, Cap] = {"round": "round", "square": "square"}
_JOINS: dict[str, Join] = {"round": "round", "bevel": "bevel"}
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_PROFILE = re.compile(r"\s*icc-color\([^()]*\)\s*", re.IGNORECASE)
_FROM_D50 = np.array(
    [
        [0.955473421488075, -0.02309845494876471, 0.06325924320057072],
        [-0.0283697093338637, 1.0099953980813041, 0.021041441191917323],
        [0.012314014864481998, -0.020507649298898964, 1.330365926242124],
    ]
)
_TO_LINEAR = np.array(
    [
        [12831 / 3959, -329 / 214, -1974 / 3959],
        [-851781 / 878810, 1648619 / 878810, 36519 / 878810],
        [705 / 12673, -2585 / 12673, 705 / 667],
    ]
)
_TO_XYZ = {
    "display-p3": np.array(
        [
            [608311 / 1250200, 189793 / 714400, 198249 / 1000160],
            [35783 / 156275, 247089 / 357200, 198249 / 2500400],
            [0, 32229 / 714400, 5220557 / 5000800],
        ]
    ),
    "a98-rgb": np.array(
        [
            [573536 / 994567, 263643 / 1420810, 187206 / 994567],
            [591459 / 1989134, 6239551 / 9945670, 374412 / 4972835],
            [53769 / 1989134, 351524 / 4972835, 4929758 / 4972835],
        ]
    ),
    "rec2020": np.array(
        [
            [63426534 / 99577255, 20160776 / 139408157, 47086771 / 278816314],
            [26158966 / 99577255, 472592308 / 697040785, 8267143 / 139408157],
            [0, 19567812 / 697040785, 295819943 / 278816314],
        ]
    ),
    "prophoto-rgb": _FROM_D50
    @ np.array(
        [
            [0.79776664490064230, 0.13518129740053308, 0.03134773412839220],
            [0.28807482881940130, 0.71183523424187300, 0.00008993693872564],
            [0, 0, 0.82510460251046020],
        ]
    ),
    "xyz-d50": _FROM_D50,
    "xyz-d65": np.eye(3),
}
"""From the linear values of a space to XYZ of D65. Source: CSS Color 4, section 18, sample code."""


def has_profile(text: str) -> bool:
    """Whether a color names an ICC profile behind its sRGB color."""
    return _PROFILE.search(text) is not None


def css_color(text: str) -> Rgba | None:
    """A color as red, green, blue, opacity; None if it is not understood or `currentColor`."""
    return _color(text) if len(text) <= LONGEST else None


@lru_cache(maxsize=4096)
def _color(text: str) -> Rgba | None:
    if _HEX.fullmatch(text):
        red, green, blue = bytes.fromhex(text[1:])
        return red / 255, green / 255, blue / 255, 1.0
    exact = parse_percent_color(text)
    if exact:
        return (*exact, 1.0)
    value = parse_one_component_value(_PROFILE.sub("", text), skip_comments=True)
    if _invalid_hsl(value):
        return None
    try:
        color = parse_color(value)
        return None if color is None or color == CURRENT else _clipped(_srgb(color), color.alpha)
    except (ArithmeticError, ValueError, LookupError, AttributeError):  # a part is missing or infinite
        return None


def _invalid_hsl(value: Node) -> bool:
    """Whether a value is an `hsl()` with commas but without percentages, which tinycss2 accepts and CSS does not."""
    if not isinstance(value, FunctionBlock) or value.lower_name not in ("hsl", "hsla"):
        return False
    return "," in value.arguments and not any(part.type == "percentage" for part in value.arguments)


def _srgb(color: Color) -> Sequence[float]:
    """Red, green and blue, not yet clipped."""
    if color.space == "hsl":
        hue, *percents = (number or 0.0 for number in color.coordinates)
        saturation, lightness = (min(max(percent / 100, 0.0), 1.0) for percent in percents)
        return colorsys.hls_to_rgb(hue % 360 / 360, lightness, saturation)
    if color.space == "hwb":
        color = color.to("srgb")
    elif color.space in ("lab", "lch"):
        color = color.to("xyz-d50")
    elif color.space in ("oklab", "oklch"):
        color = color.to("xyz-d65")
    values = [number or 0.0 for number in color.coordinates]
    if not all(abs(value) < _LARGEST for value in values):
        raise ValueError("a coordinate beyond all limits")
    if color.space == "srgb":
        return values
    if color.space == "srgb-linear":
        return [_encoded(value) for value in values]
    linear = np.array([_linear(value, color.space) for value in values])
    return [_encoded(float(value)) for value in _TO_LINEAR @ _TO_XYZ[color.space] @ linear]


def _linear(value: float, space: str) -> float:
    """The linear light of a coordinate in its space. Source: CSS Color 4, section 10."""
    size = abs(value)
    if space == "display-p3":
        size = size / 12.92 if size <= 0.04045 else ((size + 0.055) / 1.055) ** 2.4
    elif space == "a98-rgb":
        size **= 563 / 256
    elif space == "prophoto-rgb":
        size = size / 16 if size <= 16 / 512 else size**1.8
    elif space == "rec2020":
        size = size / 4.5 if size < 0.0812428582986315 else ((size + 0.09929682680944) / 1.09929682680944) ** (1 / 0.45)
    return math.copysign(size, value)


def _encoded(value: float) -> float:
    """The sRGB coordinate of linear light."""
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def _clipped(rgb: Sequence[float], opacity: float) -> Rgba:
    red, green, blue = (min(max(float(number), 0.0), 1.0) for number in rgb)
    return red, green, blue, opacity


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
CONTEXT = frozenset({"context-fill", "context-stroke"})
"""Paints that stand for those of a `<use>` or of a shape with markers, in what they show."""

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
_NUMBERS = frozenset({"opacity", "fill-opacity", "stroke-opacity", "stop-opacity"})
_LENGTHS = frozenset(
    {"stroke-width", "stroke-dashoffset", "font-size", "cx", "cy", "r", "rx", "ry", "x", "y", "width", "height"}
)
_NOT_NEGATIVE = _LENGTHS - {"cx", "cy", "x", "y", "stroke-dashoffset"}
_PLAIN_NUMBER = re.compile(NUMBER)
_SEPARATOR = re.compile(r"\s*+,\s*+|\s++")
_LONGEST_CACHED = 100
_LONGEST_DASHES = 10_000


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


@lru_cache(maxsize=8192)
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


def parse_pen(properties: Mapping[str, str]) -> tuple[Cap, Join, float]:
    """The cap, join and miter limit of a stroke; joins that a drawing does not have become miters."""
    cap = _CAPS.get(properties.get("stroke-linecap", "butt"), "butt")
    join = _JOINS.get(properties.get("stroke-linejoin", "miter"), "miter")
    limit = float(properties.get("stroke-miterlimit", 4.0)) if join == "miter" else 4.0
    if limit < 1:  # no miter is so short
        join, limit = "bevel", 4.0
    return cap, join, min(limit, LIMIT)


def parse_dashes(text: str, *, of: float) -> tuple[float, ...] | None:
    """The lengths of dashes and gaps, an even number of them; None if one is negative or no length.

    Args:
        text: lengths with commas or spaces between them.
        of: the length that 100 % stands for.
    """
    words = _SEPARATOR.split(text.strip()) if len(text) <= _LONGEST_DASHES else [""]
    lengths = tuple(length(word, of=of, default=-1.0) for word in words)
    return None if min(lengths) < 0 else lengths * (1 + len(lengths) % 2)


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
    if name == "stroke-miterlimit":
        return lowered if _PLAIN_NUMBER.fullmatch(lowered) and float(lowered) >= 0 else None
    if name == "stroke-dasharray":
        return lowered if lowered == "none" or parse_dashes(lowered, of=1.0) is not None else None
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
    known = color.lower() == "none" or (server is None and color.lower() in CONTEXT)
    return (server is not None and not color) or known or _is_color(color)


def _parse_path_function(value: str) -> str | None:
    """The text in `path("...")`."""
    function = parse_one_component_value(value, skip_comments=True)
    if function.type == "ident" and function.lower_value == "none":
        return ""
    if function.type != "function" or function.lower_name != "path":
        return None
    data: str | None = function.arguments[0].value if [p.type for p in function.arguments] == ["string"] else None
    return data
