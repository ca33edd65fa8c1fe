"""Small SVG pictures, written by hand: elements as text, in a fixed order and with short numbers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

FONT = "DejaVu Sans, Verdana, sans-serif"
INK, PALE, BLUE, RED, GOLD, GREEN = "#333333", "#cccccc", "#1f6f8b", "#c0392b", "#d29a1e", "#3b7a4a"


def number(value: float) -> str:
    """A number with at most two decimals."""
    told = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if told == "-0" else told


def element(name: str, content: str = "", **attributes: object) -> str:
    """An element; underscores in names of attributes stand for dashes."""
    parts = [name]
    for key, value in attributes.items():
        if value is not None:
            told = number(value) if isinstance(value, float) else escape(str(value), {'"': "&quot;"})
            parts.append(f'{key.rstrip("_").replace("_", "-")}="{told}"')
    return f"<{' '.join(parts)}>{content}</{name}>" if content else f"<{' '.join(parts)}/>"


def text(x: float, y: float, words: str, *, size: float = 11.0, **attributes: object) -> str:
    """A line of text."""
    return element("text", escape(words), x=float(x), y=float(y), font_size=float(size), **attributes)


def rect(x: float, y: float, width: float, height: float, **attributes: object) -> str:
    """A rectangle."""
    return element("rect", x=float(x), y=float(y), width=float(width), height=float(height), **attributes)


def line(x1: float, y1: float, x2: float, y2: float, *, stroke: str = INK, **attributes: object) -> str:
    """A straight line."""
    return path([(x1, y1), (x2, y2)], stroke=stroke, **attributes)


def path(points: Iterable[tuple[float, float]], *, closed: bool = False, **attributes: object) -> str:
    """A polyline or a polygon."""
    data = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + ("Z" if closed else "")
    return element("path", d=data, **{"fill": "none", **attributes})


def arrow(x1: float, y1: float, x2: float, y2: float, *, stroke: str = INK, **attributes: object) -> str:
    """A line with a head at its end."""
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1e-9)
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    head = [(x2 - 7 * ux - side * 3 * uy, y2 - 7 * uy + side * 3 * ux) for side in (1, -1)]
    shaft = line(x1, y1, x2 - 5 * ux, y2 - 5 * uy, stroke=stroke, **attributes)
    return shaft + path([(x2, y2), *head], closed=True, fill=stroke)


def dot(x: float, y: float, *, r: float = 3.0, fill: str = INK, **attributes: object) -> str:
    """A disc."""
    return element("circle", cx=float(x), cy=float(y), r=float(r), fill=fill, **attributes)


def save(file: Path, width: float, height: float, elements: Iterable[str]) -> None:
    """Write a picture on white."""
    file.write_text(picture(width, height, elements), encoding="utf-8")


def picture(width: float, height: float, elements: Iterable[str]) -> str:
    """The text of a picture on white."""
    size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
    opening = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" fill="{INK}">'
    return "\n".join([opening, '<rect width="100%" height="100%" fill="white"/>', *elements, "</svg>", ""])
