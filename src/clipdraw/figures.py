"""Pictures in rows and columns with labels, as one: PNG, WebP or SVG."""

from __future__ import annotations

import base64
import io
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError, shortened
from clipdraw.io import atomic_path, write_text
from clipdraw.io.images import to_bytes
from clipdraw.io.svg import UNSAFE, canvas_side, painted_elements
from clipdraw.io.svg.gradients import GRADIENT_ID
from clipdraw.io.svg.syntax import NAMESPACE
from clipdraw.raster import rasterize

Picture = Drawing | Float[Tensor, "3 _ _"]

_FONT, _LINE, _GAP, _ROW_LABEL = 13, 17, 8, 132
_FEW, _MANY = 3, 12
"""Lines at most, of a text in a column and of one across the sheet."""
_LARGEST, _LARGEST_WEBP_SIDE = 144_000_000, 16_383
_INK, _PALE, _FRAME = "#222222", "#777777", "#cccccc"


@dataclass(frozen=True)
class Cell:
    """A picture, or a note in its place, and what is written below.

    Args:
        shown: a drawing, an image in [0, 1], or a text that says why there is none.
        lines: below it.
    """

    shown: Picture | str
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Sheet:
    """The content of a sheet.

    Args:
        cells: in rows.
        columns: a text above each column, or none at all.
        rows: a text for each row, or none at all.
        rows_above: the text of a row is a line above it, not left of it.
        title: a line above everything.
        notes: lines below everything.
        side: of a picture, the longer one, in units of the SVG.
        scale: pixels a unit in PNG and WebP; fewer, but no fewer than one, where they would be too many.

    Raises:
        InputError: there are no cells, or the labels do not fit them.
    """

    cells: Sequence[Sequence[Cell]]
    columns: Sequence[str] = ()
    rows: Sequence[str] = ()
    rows_above: bool = False
    title: str = ""
    notes: Sequence[str] = ()
    side: int = 224
    scale: float = 1.0

    def __post_init__(self) -> None:
        count = max(map(len, self.cells), default=0)
        if not count:
            raise InputError("a sheet needs at least one cell")
        if self.columns and len(self.columns) != count:
            raise InputError(f"{count} columns need as many labels, got {len(self.columns)}")
        if self.rows and len(self.rows) != len(self.cells):
            raise InputError(f"{len(self.cells)} rows need as many labels, got {len(self.rows)}")


def write_sheet(sheet: Sheet, *paths: str | Path) -> None:
    """Write a sheet to each of the files in the format that its ending names, whole or not at all.

    In PNG and WebP, letters are those of Pillow's own font, which are English, and of `FONTS`; a warning names those
    that no font here has. An SVG shows any script.

    Raises:
        InputError: an ending is not `.png`, `.webp` or `.svg`; the sheet is too large; or a folder does not exist.
    """
    layout = _laid_out(sheet)
    for path in map(Path, paths):
        ending = path.suffix.lower()
        if ending == ".svg":
            write_text(_svg(layout), path)
        elif ending in (".png", ".webp"):
            _warn_of_missing_letters(layout, path)
            picture = _raster(layout, _fitting(sheet.scale, layout, ending))
            with atomic_path(path) as temporary:
                picture.save(temporary, quality=85) if ending == ".webp" else picture.save(temporary)
        else:
            raise InputError(f"a sheet is stored as .png, .webp or .svg, got {path.name}")


@dataclass(frozen=True)
class _Box:
    """A framed picture, or a frame alone, in its place."""

    x: int
    y: int
    width: int
    height: int
    picture: Picture | None = None


@dataclass(frozen=True)
class _Text:
    """A line of text, by the left end or the middle of its baseline."""

    x: int
    y: int
    text: str
    color: str = _INK
    centered: bool = False


@dataclass(frozen=True)
class _Layout:
    width: int
    height: int
    parts: tuple[_Box | _Text, ...]


def _laid_out(sheet: Sheet) -> _Layout:
    beside = bool(sheet.rows) and not sheet.rows_above
    left = _GAP + (_ROW_LABEL + _GAP if beside else 0)
    lefts = [left + number * (sheet.side + _GAP) for number in range(max(map(len, sheet.cells)))]
    width = lefts[-1] + sheet.side + _GAP
    parts: list[_Box | _Text] = []

    def across(text: str, y: int, color: str = _INK) -> int:
        lines = _wrapped(text, width - 2 * _GAP, _MANY)
        parts.extend(_lines(lines, _GAP, y, color))
        return y + len(lines) * _LINE

    def in_columns(texts: Sequence[Sequence[str]], y: int) -> int:
        columns = [[line for text in each for line in _wrapped(text, sheet.side, _FEW)] for each in texts]
        for x, lines in zip(lefts, columns, strict=False):
            parts.extend(_lines(lines, x + sheet.side // 2, y, centered=True))
        return y + max(map(len, columns), default=0) * _LINE

    y = across(sheet.title, _GAP) + (_GAP // 2 if sheet.title else 0)
    y = in_columns([[text] for text in sheet.columns], y) + (_GAP // 2 if sheet.columns or sheet.title else 0)
    for number, cells in enumerate(sheet.cells):
        if sheet.rows_above and sheet.rows:
            y = across(sheet.rows[number], y) + _GAP // 2
        tall = max((_size(cell.shown, sheet.side)[1] for cell in cells), default=0)
        for x, cell in zip(lefts, cells, strict=False):
            parts.extend(_placed(cell.shown, x, y, sheet.side, tall))
        end = in_columns([cell.lines for cell in cells], y + tall + _GAP // 2)
        if beside:
            parts.extend(_lines(_wrapped(sheet.rows[number], _ROW_LABEL, max(1, (end - y) // _LINE)), _GAP, y))
        y = end + _GAP // 2
    for note in sheet.notes:
        y = across(note, y, _PALE)
    return _Layout(width, y + (_GAP if sheet.notes else 0), tuple(parts))


def _size(shown: Picture | str, side: int) -> tuple[int, int]:
    """Width and height: of a picture the longer one is `side`; a note is as wide, and at least half as high."""
    if isinstance(shown, str):
        return side, max(side // 2, len(_note(shown, side)) * _LINE)
    height, width = (shown.canvas.height, shown.canvas.width) if isinstance(shown, Drawing) else shown.shape[1:]
    scale = side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _placed(shown: Picture | str, x: int, y: int, side: int, tall: int) -> Iterator[_Box | _Text]:
    """A picture in the middle of its cell, or a note in a frame of the cell's size."""
    if isinstance(shown, str):
        yield _Box(x, y, side, tall)
        lines = _note(shown, side)
        yield from _lines(lines, x + side // 2, y + (tall - len(lines) * _LINE) // 2, _PALE, centered=True)
    else:
        width, height = _size(shown, side)
        yield _Box(x + (side - width) // 2, y + (tall - height) // 2, width, height, shown)


def _note(text: str, side: int) -> list[str]:
    return _wrapped(text, side - _GAP, max(1, side // _LINE))


def _lines(texts: Sequence[str], x: int, y: int, color: str = _INK, *, centered: bool = False) -> Iterator[_Text]:
    for number, text in enumerate(texts):
        yield _Text(x, y + number * _LINE + _FONT, text, color, centered)


FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial.ttf", "arial.ttf", "LiberationSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc", "NotoSansCJKjp-Regular.otf", "SourceHanSans-Regular.ttc", "wqy-microhei.ttc",
    "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "ipaexg.ttf", "ipag.ttf", "VL-Gothic-Regular.ttf", "NanumGothic.ttf",
    "msyh.ttc", "simsun.ttc", "YuGothM.ttc", "msgothic.ttc", "malgun.ttf", "Arial Unicode.ttf", "Hiragino Sans GB.ttc",
    "PingFang.ttc", "AppleSDGothicNeo.ttc", "NotoEmoji-Regular.ttf", "Symbola.ttf", "seguiemj.ttf", "unifont.otf",
)  # fmt: skip
"""Files of fonts that systems have, in the order in which they are asked for a letter that Pillow's own font lacks."""
_NO_LETTER, _UNKNOWN = "\U0010ffff", "?"
_MARKS = ("Mn", "Mc", "Me", "Cf")
"""Categories of characters that change the letter before them, or show nothing."""


@lru_cache(maxsize=256)
def _font(number: int, size: int = _FONT) -> Any:
    """Pillow's own font, which is number 0, or one of `FONTS`; None if it is not here."""
    try:
        return ImageFont.truetype(FONTS[number - 1], size) if number else ImageFont.load_default(size)
    except OSError:
        return None


@lru_cache(maxsize=8192)
def _font_of(letter: str) -> int | None:
    """The number of the first font that has a letter; None if none here has it."""
    return next((number for number in range(len(FONTS) + 1) if _has(_font(number), letter)), None)


def _has(font: Any, letter: str) -> bool:
    """Whether a font is there and has a letter: it looks unlike one that no font has."""
    if font is None:
        return False
    glyph, none = (font.getmask(one) for one in (letter, _NO_LETTER))
    return (glyph.size, bytes(glyph)) != (none.size, bytes(none))


def _parts(text: str) -> list[tuple[int, str]]:
    """A text in parts that have one font each, and the fonts' numbers; `?` for letters that no font here has."""
    parts: list[tuple[int, str]] = []
    for letter in unicodedata.normalize("NFC", text):
        category, last = unicodedata.category(letter), parts[-1][0] if parts else 0
        if category in _MARKS:
            number, shown = last, letter if _has(_font(last), letter) else ""
        elif category == "Zs":
            number, shown = last, " "
        else:
            found = _font_of(letter)
            number, shown = (0, _UNKNOWN) if found is None else (found, letter)
        if parts and last == number:
            shown = parts.pop()[1] + shown
        parts.append((number, shown))
    return parts


def _length(text: str, size: int = _FONT) -> float:
    """How wide a text is; a wide letter that no font here has counts as wide, because an SVG shows it."""
    missing = sum(unicodedata.east_asian_width(letter) in "WF" for letter in _missing(text))
    room = missing * (size - _font(0, size).getlength(_UNKNOWN))
    return sum(_font(number, size).getlength(part) for number, part in _parts(text)) + room


def _missing(text: str) -> list[str]:
    """The letters of a text that no font here has."""
    shown = (one for one in unicodedata.normalize("NFC", text) if unicodedata.category(one) not in (*_MARKS, "Zs"))
    return [letter for letter in shown if _font_of(letter) is None]


def _warn_of_missing_letters(layout: _Layout, path: Path) -> None:
    letters = "".join(dict.fromkeys(_missing("".join(part.text for part in layout.parts if isinstance(part, _Text)))))
    if letters:
        warnings.warn(
            f"{path.name}: no font here has {shortened(letters, 30)!r}; they stand as {_UNKNOWN} in this file, but not "
            "in an SVG: install a font that has them, such as Noto Sans CJK",
            stacklevel=3,
        )


def _wrapped(text: str, width: int, most: int) -> list[str]:
    """At most so many lines that are no wider than that: longer words are broken, a longer text ends in an ellipsis.

    Characters that XML forbids become U+FFFD.
    """
    lines, words = [""], UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text).split()[::-1]
    while words and len(lines) <= most:
        word = words.pop()
        longer = f"{lines[-1]} {word}".strip()
        if _fits(longer, width):
            lines[-1] = longer
        elif lines[-1]:
            lines.append("")
            words.append(word)
        else:
            end = next((n for n in range(len(word) - 1, 1, -1) if _fits(word[:n], width)), 1)
            lines[-1:] = [word[:end], ""]
            words += [word[end:]] if word[end:] else []
    if len(lines) > most and (words or lines[most]):
        lines[most - 1] = _cut(lines[most - 1], width)
    return [line for line in lines[:most] if line]


def _fits(text: str, width: int) -> bool:
    return _length(text) <= width


def _cut(line: str, width: int) -> str:
    while line and not _fits(line + "…", width):
        line = line[:-1]
    return line + "…"


def _fitting(scale: float, layout: _Layout, ending: str) -> float:
    """Pixels a unit, as many of those wanted as a file can have.

    Raises:
        InputError: not even one.
    """
    most = (_LARGEST / (layout.width * layout.height)) ** 0.5
    if ending == ".webp":
        most = min(most, _LARGEST_WEBP_SIDE / max(layout.width, layout.height))
    if most < 1:
        limit = f"{_LARGEST_WEBP_SIDE} a side and " if ending == ".webp" else ""
        size = f"{layout.width} x {layout.height} pixels"
        raise InputError(f"a sheet of {size}; at most {limit}{_LARGEST:,} in all: make its cells smaller")
    return min(scale, most)


def _raster(layout: _Layout, scale: float) -> Image.Image:
    picture = Image.new("RGB", (round(layout.width * scale), round(layout.height * scale)), "white")
    pen = ImageDraw.Draw(picture)
    for part in layout.parts:
        x, y = round(part.x * scale), round(part.y * scale)
        if isinstance(part, _Text):
            _write(part, pen, x, y, round(_FONT * scale))
            continue
        width, height = max(1, round(part.width * scale)), max(1, round(part.height * scale))
        if part.picture is not None:
            picture.paste(_pixels(part.picture, width, height), (x, y))
        pen.rectangle((x, y, x + width - 1, y + height - 1), outline=_FRAME)
    return picture


def _write(text: _Text, pen: ImageDraw.ImageDraw, x: float, y: float, size: int) -> None:
    parts = [(_font(number, size), part) for number, part in _parts(text.text)]
    lengths = [font.getlength(part) for font, part in parts]
    x -= sum(lengths) / 2 if text.centered else 0
    for (font, part), length in zip(parts, lengths, strict=True):
        pen.text((x, y), part, fill=text.color, font=font, anchor="ls")
        x += length


def _pixels(picture: Picture, width: int, height: int) -> Image.Image:
    if isinstance(picture, Drawing):
        image = rasterize(picture.to(device="cpu").detached(), height=height, width=width)
        return Image.fromarray(to_bytes(image))
    return Image.fromarray(to_bytes(picture)).resize((width, height), Image.Resampling.LANCZOS)


def _svg(layout: _Layout) -> str:
    size = f'width="{layout.width}" height="{layout.height}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:clipdraw="{NAMESPACE}" '
        f'viewBox="0 0 {layout.width} {layout.height}" {size} font-family="sans-serif" font-size="{_FONT}">',
        f'<rect {size} fill="white"/>',
    ]
    for part in layout.parts:
        if isinstance(part, _Text):
            anchor = ' text-anchor="middle"' if part.centered else ""
            place = f'x="{part.x}" y="{part.y}" fill="{part.color}"{anchor}'
            lines.append(f"<text {place}>{escape(part.text)}</text>")
        else:
            lines += _svg_box(part)
    return "\n".join([*lines, "</svg>", ""])


def _svg_box(box: _Box) -> Iterator[str]:
    place = f'x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"'
    if isinstance(box.picture, Drawing):
        across, down = (canvas_side(side) for side in (box.picture.canvas.width, box.picture.canvas.height))
        yield f'<svg {place} viewBox="0 0 {across} {down}">'
        own = f"{GRADIENT_ID}-{box.x}-{box.y}-"  # the ids of all drawings are in one document
        for line in painted_elements(box.picture):
            yield line.replace(f'"{GRADIENT_ID}', f'"{own}').replace(f"#{GRADIENT_ID}", f"#{own}")
        yield "</svg>"
    elif box.picture is not None:
        file = io.BytesIO()
        Image.fromarray(to_bytes(box.picture)).save(file, "PNG")
        yield f'<image {place} href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>'
    inner = f'x="{box.x + 0.5}" y="{box.y + 0.5}" width="{box.width - 1}" height="{box.height - 1}"'
    yield f'<rect {inner} fill="none" stroke="{_FRAME}"/>'
