"""Labeled figures: rows of pictures with headings and captions, as SVG with text and as PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError
from clipdraw.formats.atomic import atomic_path, write_text
from clipdraw.formats.png import to_bytes
from clipdraw.formats.svg import to_svg
from clipdraw.raster import rasterize

Picture = Drawing | Float[Tensor, "3 _ _"]

CELL, GAP, MARGIN = 200, 12, 16
"""Width of a picture, between pictures and around the figure, in the figure's units."""
TEXT, LINE = 12, 16
"""Size of the text, and from line to line."""
PNG_SCALE = 2
"""Pixels a unit in the PNG."""
_INK, _PALE, _FRAME = "#222222", "#777777", "#cccccc"


@dataclass(frozen=True)
class Cell:
    """A picture and what is written below it.

    Args:
        picture: a drawing, or an image in [0, 1]; None for none.
        lines: below it.
        note: in its place, if there is none.
    """

    picture: Picture | None
    lines: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """Rows of cells.

    Args:
        rows: label and cells of each row.
        headings: above the columns.
        notes: below it all.

    Raises:
        InputError: there is no cell.
    """

    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    headings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not any(cells for _, cells in self.rows):
            raise InputError("a figure needs at least one cell")


@dataclass(frozen=True)
class _Text:
    x: float
    y: float  # of its middle
    text: str
    color: str = _INK
    centered: bool = False


@dataclass(frozen=True)
class _Image:
    x: float
    y: float
    width: float
    height: float
    picture: Picture | None


_Part = _Text | _Image


def write_figure(figure: Figure, *paths: str | Path) -> None:
    """Write a figure to each of the files, as their endings say.

    Raises:
        InputError: an ending is neither `.svg` nor `.png`, or a folder does not exist.
    """
    parts, size = _layout(figure)
    for path in map(Path, paths):
        if path.suffix.lower() == ".svg":
            write_text(_svg(parts, size), path)
        elif path.suffix.lower() == ".png":
            with atomic_path(path) as temporary:
                _png(parts, size).save(temporary)
        else:
            raise InputError(f"a figure is stored as .svg or .png, not {path.name!r}")


def _layout(figure: Figure) -> tuple[list[_Part], tuple[int, int]]:
    """Where everything is, and the figure's width and height."""
    columns = max(len(cells) for _, cells in figure.rows)
    width = max(columns, 2) * (CELL + GAP) - GAP
    y, parts = float(MARGIN), list[_Part]()

    def write(lines: Sequence[str], x: float, top: float, color: str = _INK) -> float:
        parts.extend(_Text(x, top + LINE * (i + 0.5), line, color) for i, line in enumerate(lines))
        return top + LINE * len(lines)

    lefts = [MARGIN + column * (CELL + GAP) for column in range(columns)]
    if figure.headings:
        ends = [write(_wrapped(text, CELL), x, y) for text, x in zip(figure.headings, lefts, strict=False)]
        y = max(ends) + GAP / 2
    for label, cells in figure.rows:
        y = write(_wrapped(label, width), MARGIN, y) + (GAP / 2 if label else 0)
        height = max(_height(cell) for cell in cells)
        ends = []
        for cell, x in zip(cells, lefts, strict=False):
            parts += _cell(cell, x, y, height)
            ends.append(write([row for line in cell.lines for row in _wrapped(line, CELL)], x, y + height + 4))
        y = max(ends) + GAP
    y = write([row for note in figure.notes for row in _wrapped(note, width)], MARGIN, y, _PALE)
    return parts, (width + 2 * MARGIN, round(y + MARGIN))


def _cell(cell: Cell, x: float, y: float, height: float) -> Iterator[_Part]:
    if cell.picture is not None:
        yield _Image(x, y, CELL, _height(cell), cell.picture)
        return
    yield _Image(x, y, CELL, height, None)
    lines = _wrapped(cell.note, CELL - 2 * GAP)
    top = y + (height - LINE * len(lines)) / 2
    yield from (_Text(x + CELL / 2, top + LINE * (i + 0.5), line, _PALE, True) for i, line in enumerate(lines))


def _height(cell: Cell) -> float:
    if cell.picture is None:
        return CELL / 2
    if isinstance(cell.picture, Drawing):
        return CELL * cell.picture.canvas.height / cell.picture.canvas.width
    return CELL * cell.picture.shape[1] / cell.picture.shape[2]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wrapped(text: str, width: float) -> list[str]:
    """Lines of `text` that are no wider than `width`; a word that is wider is cut."""
    font, lines, line = _font(TEXT), list[str](), ""
    for word in text.split():
        while font.getlength(word) > width:
            fits = next(n for n in range(len(word) - 1, 0, -1) if font.getlength(word[:n]) <= width or n == 1)
            lines += [line, word[:fits]] if line else [word[:fits]]
            word, line = word[fits:], ""
        if line and font.getlength(f"{line} {word}") > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _svg(parts: Sequence[_Part], size: tuple[int, int]) -> str:
    width, height = size
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' font-family="Helvetica, Arial, sans-serif" font-size="{TEXT}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *(_svg_text(part) if isinstance(part, _Text) else _svg_image(part) for part in parts),
        "</svg>",
        "",
    ]
    return "\n".join(lines)


def _svg_text(part: _Text) -> str:
    anchor = ' text-anchor="middle"' if part.centered else ""
    place = f'x="{part.x:g}" y="{part.y + TEXT * 0.36:g}" fill="{part.color}"{anchor}'
    return f"<text {place}>{escape(part.text)}</text>"


def _svg_image(part: _Image) -> str:
    place = f'x="{part.x:g}" y="{part.y:g}" width="{part.width:g}" height="{part.height:g}"'
    frame = f'<rect {place} fill="none" stroke="{_FRAME}"/>'
    if part.picture is None:
        return frame
    if isinstance(part.picture, Drawing):
        document = to_svg(replace(part.picture, metadata={}))
        head, _, body = document[document.index("<svg") :].rstrip().partition(">")
        kept = head[: head.rindex(' width="')]  # of the width and height that a file of its own has
        return f"{kept} {place}>{body}{frame}"
    file = io.BytesIO()
    Image.fromarray(to_bytes(part.picture)).save(file, "PNG")
    return f'<image {place} href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>{frame}'


def _png(parts: Sequence[_Part], size: tuple[int, int]) -> Image.Image:
    picture = Image.new("RGB", (size[0] * PNG_SCALE, size[1] * PNG_SCALE), "white")
    pen = ImageDraw.Draw(picture)
    for part in parts:
        if isinstance(part, _Text):
            place, anchor = (part.x * PNG_SCALE, part.y * PNG_SCALE), "mm" if part.centered else "lm"
            pen.text(place, part.text, fill=part.color, font=_font(TEXT * PNG_SCALE), anchor=anchor)
            continue
        left, top = round(part.x * PNG_SCALE), round(part.y * PNG_SCALE)
        width, height = round(part.width * PNG_SCALE), round(part.height * PNG_SCALE)
        if part.picture is not None:
            picture.paste(_pixels(part.picture, width, height), (left, top))
        pen.rectangle((left, top, left + width, top + height), outline=_FRAME)
    return picture


def _pixels(picture: Picture, width: int, height: int) -> Image.Image:
    if isinstance(picture, Drawing):
        image = rasterize(picture.to(device="cpu").detached(), height=height, width=width)
        return Image.fromarray(to_bytes(image))
    return Image.fromarray(to_bytes(picture)).resize((width, height), Image.Resampling.LANCZOS)
