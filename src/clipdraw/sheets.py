"""Drawings in rows and columns with labels, as one picture: PNG, WebP or SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError
from clipdraw.formats.atomic import atomic_path, write_text
from clipdraw.formats.png import to_bytes
from clipdraw.formats.svg_write import NAMESPACE, canvas_side, painted
from clipdraw.raster import rasterize

_FONT, _LINE, _GAP, _ROW_LABEL = 13, 17, 8, 132
_LARGEST_SIDE = 12_000
_INK, _FRAME = "#222222", "#cccccc"


@dataclass(frozen=True)
class Sheet:
    """What is shown.

    Args:
        cells: rows of drawings; where there is none, a text that says why.
        captions: a text below each cell, or none at all.
        columns: a text above each column, or none at all.
        rows: a text left of each row, or none at all.
        title: a line above everything.
        side: of a cell, the longer one, in pixels, which are also the units of the SVG.

    Raises:
        InputError: there are no cells, or the labels do not fit them.
    """

    cells: Sequence[Sequence[Drawing | str]]
    captions: Sequence[Sequence[str]] = ()
    columns: Sequence[str] = ()
    rows: Sequence[str] = ()
    title: str = ""
    side: int = 224

    def __post_init__(self) -> None:
        if not self.cells or not self.cells[0]:
            raise InputError("a sheet needs at least one drawing")
        if self.columns and len(self.columns) != max(map(len, self.cells)):
            raise InputError(f"{max(map(len, self.cells))} columns need as many labels, got {len(self.columns)}")
        if self.rows and len(self.rows) != len(self.cells):
            raise InputError(f"{len(self.cells)} rows need as many labels, got {len(self.rows)}")
        if self.captions and [len(row) for row in self.captions] != [len(row) for row in self.cells]:
            raise InputError("captions need one text for each cell")


def write_sheet(sheet: Sheet, path: str | Path) -> None:
    """Write a sheet in the format that the file's ending names, whole or not at all.

    Letters are those of Pillow's own font in PNG and WebP: Latin, Greek and Cyrillic; an SVG shows any script.

    Raises:
        InputError: the ending is not `.png`, `.webp` or `.svg`; the sheet is too large; or the folder does not exist.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending == ".svg":
        write_text(_svg(_laid_out(sheet)), path)
        return
    if ending not in (".png", ".webp"):
        raise InputError(f"a sheet is stored as .png, .webp or .svg, got {path.name}")
    picture = _raster(_laid_out(sheet))
    with atomic_path(path) as temporary:
        picture.save(temporary, quality=85) if ending == ".webp" else picture.save(temporary)


@dataclass(frozen=True)
class _Box:
    """A cell in its place."""

    x: int
    y: int
    width: int
    height: int
    content: Drawing | str


@dataclass(frozen=True)
class _Text:
    """A line of text, by the left end or the middle of its baseline."""

    x: int
    y: int
    text: str
    centered: bool


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    boxes: tuple[_Box, ...]
    texts: tuple[_Text, ...]


def _laid_out(sheet: Sheet) -> _Layout:
    count = max(map(len, sheet.cells))
    side = sheet.side
    tall = _proportion(sheet) * side
    left = _GAP + (_ROW_LABEL + _GAP if sheet.rows else 0)
    width = left + count * (side + _GAP)
    texts: list[_Text] = []
    boxes: list[_Box] = []
    y = _GAP
    for text in _wrapped(sheet.title, width - 2 * _GAP, lines=2):
        texts.append(_Text(_GAP, y + _FONT, text, centered=False))
        y += _LINE
    columns = [_wrapped(text, side, lines=3) for text in sheet.columns]
    for number, lines in enumerate(columns):
        texts += _lines(lines, left + number * (side + _GAP) + side // 2, y, centered=True)
    y += max((len(lines) for lines in columns), default=0) * _LINE + (_GAP if sheet.title or columns else 0)
    for row, cells in enumerate(sheet.cells):
        captions = [_wrapped(text, side, lines=3) for text in sheet.captions[row]] if sheet.captions else []
        if sheet.rows:
            texts += _lines(_wrapped(sheet.rows[row], _ROW_LABEL, lines=8), _GAP, y, centered=False)
        for number, cell in enumerate(cells):
            boxes.append(_Box(left + number * (side + _GAP), y, side, round(tall), cell))
            if captions:
                texts += _lines(captions[number], boxes[-1].x + side // 2, y + round(tall), centered=True)
        y += round(tall) + max(map(len, captions), default=0) * _LINE + _GAP
    if max(width, y) > _LARGEST_SIDE:
        raise InputError(f"a sheet of {width} x {y} pixels; at most {_LARGEST_SIDE} a side: make its cells smaller")
    return _Layout(width, y, tuple(boxes), tuple(texts))


def _proportion(sheet: Sheet) -> float:
    """Height of a cell by its width: that of the tallest drawing, but no more than a square."""
    drawings = [cell for row in sheet.cells for cell in row if isinstance(cell, Drawing)]
    return min(1.0, max((d.canvas.height / d.canvas.width for d in drawings), default=1.0))


def _lines(texts: Sequence[str], x: int, y: int, *, centered: bool) -> Iterator[_Text]:
    for number, text in enumerate(texts):
        yield _Text(x, y + number * _LINE + _FONT, text, centered)


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_FONT)


def _wrapped(text: str, width: int, *, lines: int) -> list[str]:
    """The text in lines that are at most so long; what does not fit is cut off with an ellipsis."""
    words, found = text.split(), [""]
    for word in words:
        longer = f"{found[-1]} {word}".strip()
        if found[-1] and _font().getlength(longer) > width:
            found.append(word)
        else:
            found[-1] = longer
    kept = found[:lines]
    if len(found) > lines:
        kept[-1] += "…"
    return [_cut(line, width) for line in kept if line]


def _cut(line: str, width: int) -> str:
    if _font().getlength(line) <= width:
        return line
    while line and _font().getlength(line + "…") > width:
        line = line[:-1]
    return line + "…"


def _fitted(box: _Box) -> tuple[float, float, float, float]:
    """Where the drawing stands within its cell: x, y, width, height."""
    assert isinstance(box.content, Drawing)
    canvas = box.content.canvas
    scale = min(box.width / canvas.width, box.height / canvas.height)
    width, height = canvas.width * scale, canvas.height * scale
    return box.x + (box.width - width) / 2, box.y + (box.height - height) / 2, width, height


def _raster(layout: _Layout) -> Image.Image:
    picture = Image.new("RGB", (layout.width, layout.height), "white")
    pen = ImageDraw.Draw(picture)
    for box in layout.boxes:
        if isinstance(box.content, Drawing):
            x, y, width, height = (round(value) for value in _fitted(box))
            image = rasterize(box.content, height=max(1, height), width=max(1, width))
            picture.paste(Image.fromarray(to_bytes(image)), (x, y))
        else:
            middle = (box.x + box.width // 2, box.y + box.height // 2)
            pen.text(middle, _cut(box.content, box.width), fill=_INK, font=_font(), anchor="mm")
        pen.rectangle((box.x, box.y, box.x + box.width - 1, box.y + box.height - 1), outline=_FRAME)
    for text in layout.texts:
        pen.text((text.x, text.y), text.text, fill=_INK, font=_font(), anchor="ms" if text.centered else "ls")
    return picture


def _svg(layout: _Layout) -> str:
    size = f'width="{layout.width}" height="{layout.height}"'
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:clipdraw="{NAMESPACE}" '
        f'viewBox="0 0 {layout.width} {layout.height}" {size}>',
        f'<rect {size} fill="white"/>',
    ]
    for box in layout.boxes:
        if isinstance(box.content, Drawing):
            x, y, width, height = _fitted(box)
            across, down = (canvas_side(s) for s in (box.content.canvas.width, box.content.canvas.height))
            place = f'x="{x:.6g}" y="{y:.6g}" width="{width:.6g}" height="{height:.6g}"'
            parts += [f'<svg {place} viewBox="0 0 {across} {down}">', *painted(box.content), "</svg>"]
        frame = f'x="{box.x + 0.5}" y="{box.y + 0.5}" width="{box.width - 1}" height="{box.height - 1}"'
        parts.append(f'<rect {frame} fill="none" stroke="{_FRAME}"/>')
    parts.append(f'<g font-family="sans-serif" font-size="{_FONT}" fill="{_INK}">')
    refusals = [
        _Text(box.x + box.width // 2, box.y + box.height // 2, _cut(box.content, box.width), centered=True)
        for box in layout.boxes
        if isinstance(box.content, str)
    ]
    for text in (*layout.texts, *refusals):
        anchor = ' text-anchor="middle"' if text.centered else ""
        parts.append(f'<text x="{text.x}" y="{text.y}"{anchor}>{escape(text.text)}</text>')
    return "\n".join([*parts, "</g>", "</svg>", ""])
