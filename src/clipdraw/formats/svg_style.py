"""How foreign SVG elements are painted: lengths, colors and the part of CSS that drawing programs write."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from PIL import ImageColor

from clipdraw.formats.svg_read_parts import percent_color

_INHERITED = frozenset(
    {
        "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
        "stroke-miterlimit", "fill", "fill-opacity", "fill-rule", "paint-order", "color", "visibility",
        "marker", "marker-start", "marker-mid", "marker-end",
    }
)  # fmt: skip
_OWN = frozenset(
    {
        "opacity", "display", "filter", "mask", "clip-path", "mix-blend-mode", "vector-effect",
        "transform", "transform-origin", "stop-color", "stop-opacity",
    }
)  # fmt: skip
_UNITS = {"": 1.0, "px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 9.6 / 2.54, "q": 2.4 / 2.54}
_UNITS |= {"em": 16.0, "rem": 16.0, "ex": 8.0}
_LENGTH = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([a-z]*|%)\s*")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_REFERENCE = re.compile(r"url\(\s*[\"']?(?:#([^\"')]*))?[^)]*\)\s*(.*)", re.IGNORECASE | re.DOTALL)
_SELECTOR = re.compile(r"([a-zA-Z]+|\*)?([.#])?([\w-]+)?")
_LONGEST = 200
"""Characters of a color or length that are looked at; no honest one is longer."""

Rgba = tuple[float, float, float, float]

Sheet = dict[str, dict[str, str]]
"""Selector (`path`, `.a`, `#b`, `path.a`) to its declarations."""


@dataclass(frozen=True)
class Server:
    """A paint that is not a color but a gradient or pattern of the file.

    Args:
        name: its `id`; empty if it is of another file.
        fallback: the color where it cannot be used.
    """

    name: str
    fallback: Rgba | None = None


def style_sheet(styles: Iterable[Element]) -> Sheet:
    """The simple rules of all `<style>` elements; selectors with combinators are passed over."""
    sheet: Sheet = {}
    for style in styles:
        text = re.sub(r"/\*.*?(?:\*/|$)", "", style.text or "", flags=re.DOTALL)
        for rule in text.split("}"):
            head, _, body = rule.rpartition("{")
            if "@" in head or "{" in head:  # rules for other media, and garbage
                continue
            for selector in head.split(","):
                if _SELECTOR.fullmatch(selector.strip()):
                    sheet.setdefault(selector.strip(), {}).update(declarations(body))
    return sheet


def declarations(text: str) -> dict[str, str]:
    """Property to value, of `name: value; ...`."""
    pairs = (part.partition(":") for part in text.split(";"))
    return {key.strip(): value.replace("!important", "").strip() for key, _, value in pairs if value.strip()}


def cascade(element: Element, tag: str, inherited: Mapping[str, str], sheet: Sheet) -> dict[str, str]:
    """The properties of an element: inherited, then attributes, style sheet, and its own `style`."""
    names = [tag]
    for name in element.get("class", "").split():
        names += [f".{name}", f"{tag}.{name}"]
    names.append(f"#{element.get('id', '')}")
    own = {key: element.attrib[key] for key in (_INHERITED | _OWN) & element.attrib.keys()}
    for name in ["*", *names]:
        own |= sheet.get(name, {})
    own |= declarations(element.get("style", ""))
    kept = {key: value for key, value in inherited.items() if key in _INHERITED}
    return kept | {key: value for key, value in own.items() if value != "inherit"}


def length(text: str | None, *, of: float, default: float = 0.0) -> float:
    """A length in user units (1/96 inch).

    Args:
        text: digits and a unit, or None.
        of: what 100 % means.
        default: for None and for what cannot be understood.
    """
    match = _LENGTH.fullmatch((text or "")[:_LONGEST].lower())
    if match is None or match[2] not in {*_UNITS, "%"}:
        return default
    return float(match[1]) * (of / 100 if match[2] == "%" else _UNITS[match[2]])


def fraction(text: str | None, default: float = 1.0) -> float:
    """A number or percentage, limited to [0, 1]."""
    return min(max(length(text, of=1.0, default=default), 0.0), 1.0)


def reference(text: str) -> str:
    """The `id` that `url(#id)` names; empty if it names nothing in the file."""
    match = _REFERENCE.fullmatch(text.strip()[:_LONGEST])
    return (match[1] or "").strip() if match else ""


def paint(text: str, current: str = "black") -> Rgba | Server | None:
    """A paint as red, green, blue, opacity.

    Args:
        text: the value of `stroke` or `fill`.
        current: what `currentColor` stands for.

    Returns:
        The color; None for no paint; a `Server` for a gradient or pattern.
    """
    text = text.strip()[:_LONGEST]
    if text.lower() == "currentcolor":
        text = current.strip()[:_LONGEST]
    server = _REFERENCE.fullmatch(text)
    if server:
        fallback = paint(server[2], current) if server[2] else None
        return Server((server[1] or "").strip(), None if isinstance(fallback, Server) else fallback)
    lowered = text.lower()
    if lowered in {"", "none", "transparent", "context-fill", "context-stroke", "currentcolor"}:
        return None
    exact = percent_color(text)
    if exact:
        return (*exact, 1.0)
    function = re.fullmatch(r"(rgb|hsl)a?\(([^()]*)\)", lowered)
    if function:
        return _function_color(function[1], re.findall(r"[-+.\de]+%?", function[2]))
    try:
        parts = ImageColor.getrgb(lowered)
    except ValueError:
        return None
    red, green, blue, alpha = (*(part / 255 for part in parts), 1.0)[:4]
    return red, green, blue, alpha


def _function_color(kind: str, parts: list[str]) -> Rgba | None:
    if len(parts) not in (3, 4) or not all(_NUMBER.fullmatch(part.rstrip("%")) for part in parts):
        return None
    opacity = fraction(parts[3]) if len(parts) == 4 else 1.0
    if kind == "hsl":
        hue = float(parts[0].rstrip("%")) / 360 % 1.0
        red, green, blue = colorsys.hls_to_rgb(hue, fraction(parts[2]), fraction(parts[1]))
    else:
        red, green, blue = (fraction(part if part.endswith("%") else f"{float(part) / 2.55}%") for part in parts[:3])
    return red, green, blue, opacity
