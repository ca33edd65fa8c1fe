"""The pictures of the page on control: `python docs/scripts/control_pictures.py [NAME ...]`.

Each piece is a pair from the same prompt and seed, without it and with it. With names, only these pairs are drawn, and
put into their places of the sheet that is there.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw

from clipdraw.config import resolve
from clipdraw.drawing import Drawing
from clipdraw.io.images import to_bytes
from clipdraw.raster import picture_of
from clipdraw.runs.session import prepare

SHEET = Path(__file__).parents[1] / "control.webp"
SIDE, CAPTION, GAP, PAIRS_ACROSS, QUALITY = 160, 16, 12, 2, 70
COMMON = {"steps": 120, "strokes": 96, "views.count": 6, "seed": 1}
"""What all pictures have in common: a fast run of the preset `default`."""


LINES = {"start.segments": (3, 5), "start.reach": 0.1, "pen.width": 2.0, "pen.opacity": 1.0, "strokes": 48}
"""Long thin lines, of which one can see how they run."""


@dataclass(frozen=True)
class Pair:
    """A prompt, and the settings that only the second picture has.

    Args:
        name: the caption.
        prompt: of both.
        settings: of the second.
        both: more settings of both.
        times: how often the pictures are repeated across and down.
    """

    name: str
    prompt: str
    settings: dict[str, Any]
    both: dict[str, Any] = field(default_factory=dict)
    times: int = 1


PAIRS = (
    Pair("palette: sunset", "a rocket", {"pen.palette": "sunset"}),
    Pair("one ink", "a horse", {"pen.ink": "#1d3557"}),
    Pair("width 4, opacity 1", "a rocket", {"pen.width": 4.0, "pen.opacity": 1.0}),
    Pair("most ink: 5 %", "a horse", {"pen.most_ink": 0.05}),
    Pair("background: #14213d", "a rocket", {"background": "#14213d"}),
    Pair("background: optimized", "a sailboat", {"background": "optimized"}),
    Pair("background: none", "a horse", {"background": "none"}),
    Pair("shape: fill", "an apple", {"shape": "fill"}, {"pen.opacity": 1.0, "strokes": 32}),
    Pair("shape: both", "a rocket", {"shape": "both"}, {"pen.opacity": 1.0, "strokes": 32}),
    Pair("smooth", "a horse", {"hand.smooth": 0.5}, LINES),
    Pair("crossing", "a horse", {"hand.crossing": 5.0}, LINES),
    Pair("length", "a horse", {"hand.length": 3.0}, LINES),
    Pair("straight", "a horse", {"hand.straight": 5.0}, LINES),
    Pair("symmetry: mirror", "an owl", {"hand.symmetry": "mirror"}),
    Pair("symmetry: rotation:3", "an apple", {"hand.symmetry": "rotation:3"}),
    Pair("tile, four copies", "a sailboat", {"hand.tile": True}, times=2),
    Pair("grid: 16", "a rocket", {"hand.grid": 16.0}),
    Pair("margin: 40", "a rocket", {"hand.margin": 40.0}),
    Pair("one line", "a horse", {"hand.one_line": True, "strokes": 160}),
)
"""The pairs, in their order on the sheet."""


def drawn(prompt: str, settings: dict[str, Any]) -> Drawing:
    """The drawing of a prompt."""
    return _drawn(prompt, tuple(sorted((COMMON | settings).items())))


@cache
def _drawn(prompt: str, settings: tuple[tuple[str, Any], ...]) -> Drawing:
    config = resolve(prompt, dict(settings))
    run = config.build(prepare(config)).begin()
    while run.index < config.steps:
        run.step()
    return run.drawing.detached()


def picture(drawing: Drawing, times: int) -> Image.Image:
    """The drawing, on a chessboard where it is transparent."""
    side = SIDE // times
    with torch.no_grad():
        image = Image.fromarray(to_bytes(picture_of(drawing, height=side, width=side)))
    board = Image.new("RGB", (side, side), "white")
    for x in range(0, side, 8):
        for y in range(8 * (x // 8 % 2), side, 16):
            board.paste((215, 215, 215), (x, y, x + 8, y + 8))
    board.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    whole = Image.new("RGB", (SIDE, SIDE), "white")
    for x in range(times):
        for y in range(times):
            whole.paste(board, (x * side, y * side))
    return whole


def pair_picture(pair: Pair) -> Image.Image:
    """Both pictures side by side under their caption."""
    cell = Image.new("RGB", (2 * SIDE + 4, SIDE + CAPTION), "white")
    ImageDraw.Draw(cell).text((2, 2), f'{pair.name} ("{pair.prompt}")', fill=(60, 60, 60))
    for number, settings in enumerate((pair.both, pair.both | pair.settings)):
        shown = picture(drawn(pair.prompt, settings), pair.times)
        cell.paste(shown, (number * (SIDE + 4), CAPTION))
        ImageDraw.Draw(cell).rectangle(
            (number * (SIDE + 4), CAPTION, number * (SIDE + 4) + SIDE - 1, CAPTION + SIDE - 1), outline=(200, 200, 200)
        )
    return cell


def main(names: list[str]) -> None:
    """Draw the pairs and write the sheet."""
    width, height = 2 * SIDE + 4 + GAP, SIDE + CAPTION + GAP
    size = PAIRS_ACROSS * width - GAP, -(-len(PAIRS) // PAIRS_ACROSS) * height - GAP
    sheet = Image.new("RGB", size, "white")
    if names and SHEET.exists():
        sheet.paste(Image.open(SHEET).convert("RGB"))
    for number, pair in enumerate(PAIRS):
        if not names or pair.name in names:
            print(pair.name, flush=True)
            row, column = divmod(number, PAIRS_ACROSS)
            sheet.paste(pair_picture(pair), (column * width, row * height))
            sheet.save(SHEET, quality=QUALITY, method=6)


if __name__ == "__main__":
    main(sys.argv[1:])
