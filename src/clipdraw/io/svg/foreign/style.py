"""Values of foreign SVG styles: lengths, fractions, references and paints."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clipdraw.io.svg.foreign.colors import CURRENT, LONGEST, Rgba, css_color

__all__ = ["Rgba", "Server", "fraction", "is_length", "length", "paint", "reference"]

_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54}
_UNITS |= {"em": 16.0, "rem": 16.0, "ex": 8.0}
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([a-z]*|%)\s*")
_REFERENCE = re.compile(r"url\(\s*[\"']?(?:#([^\"')]*))?[^)]*\)\s*(.*)", re.IGNORECASE | re.DOTALL)
_NO_PAINT = frozenset({"none", "context-fill", "context-stroke"})


@dataclass(frozen=True)
class Server:
    """A paint that is not a color but a gradient or pattern of the file.

    Args:
        name: its `id`; empty if it is of another file.
        fallback: the color where it cannot be used.
    """

    name: str
    fallback: Rgba | None = None


def is_length(text: str) -> bool:
    """Whether it is a number with a known unit, a percentage, or a number alone."""
    match = _LENGTH.fullmatch(text[:LONGEST].lower())
    return match is not None and match[2] in {*_UNITS, "%"}


def length(text: str | None, *, of: float, default: float = 0.0) -> float:
    """A length in user units (1/96 inch).

    Args:
        text: digits and a unit, or None.
        of: what 100 % means.
        default: for None and for what cannot be understood.
    """
    match = _LENGTH.fullmatch((text or "")[:LONGEST].lower())
    if match is None or match[2] not in {*_UNITS, "%"}:
        return default
    return float(match[1]) * (of / 100 if match[2] == "%" else _UNITS[match[2]])


def fraction(text: str | None, default: float = 1.0) -> float:
    """A number or percentage, limited to [0, 1]."""
    return min(max(length(text, of=1.0, default=default), 0.0), 1.0)


def reference(text: str) -> str:
    """The `id` that `url(#id)` names; empty if it names nothing in the file."""
    match = _REFERENCE.fullmatch(text.strip()[:LONGEST])
    return (match[1] or "").strip() if match else ""


def is_color(text: str) -> bool:
    """Whether it is a color that is understood."""
    return text.lower() == CURRENT or css_color(text) is not None


def is_paint(text: str) -> bool:
    """Whether it is a paint that is understood, with its fallback if it has one."""
    server = _REFERENCE.fullmatch(text[:LONGEST])
    color = server[2] if server else text
    return (server is not None and not color) or color.lower() in _NO_PAINT or is_color(color)


def paint(text: str, current: str = "black") -> Rgba | Server | None:
    """A paint as red, green, blue, opacity.

    Args:
        text: the value of `stroke` or `fill`.
        current: what `currentColor` stands for.

    Returns:
        The color; None for no paint, and for one that is not understood; a `Server` for a gradient or pattern.
    """
    text = text.strip()[:LONGEST]
    server = _REFERENCE.fullmatch(text)
    if server:
        fallback = paint(server[2], current) if server[2] else None
        return Server((server[1] or "").strip(), None if isinstance(fallback, Server) else fallback)
    color = css_color(current.strip() if text.lower() == CURRENT else text)
    return color if color is not None and color[3] > 0 else None
