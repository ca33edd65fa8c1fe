"""The pictures of the page on media: `python docs/scripts/media_pictures.py [FOLDER]`.

Draws each thing in each medium with the preset `fast`, and puts all on one sheet, nothing picked. With a folder, each
drawing is also saved there, and one that is there is not drawn again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import mkdtemp

from PIL import Image, ImageDraw

from clipdraw.config import resolve
from clipdraw.config.media import media
from clipdraw.drawing import Drawing
from clipdraw.io.images import to_bytes
from clipdraw.raster import picture_of
from clipdraw.runs.session import prepare

SHEET = Path(__file__).parents[1] / "media.webp"
SIDE, CAPTION, GAP, QUALITY = 150, 16, 6, 70
THINGS = "a rocket", "a fish", "a house", "a tree", "a butterfly"


def drawn(thing: str, medium: str, folder: Path) -> Drawing:
    """The drawing of a thing in a medium."""
    file = folder / f"{medium}-{thing.removeprefix('a ')}.svg"
    if not file.exists():
        config = resolve(thing, {"preset": "fast", "medium": medium})
        run = config.build(prepare(config)).begin()
        while run.index < config.steps:
            run.step()
        run.drawing.detached().save(file)
    return Drawing.load(file)


def main(folder: Path) -> None:
    """Draw what is missing and write the sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    across, down = SIDE + GAP, SIDE + CAPTION + GAP
    sheet = Image.new("RGB", (across * len(THINGS) - GAP, down * len(media()) - GAP), "white")
    for row, name in enumerate(media()):
        ImageDraw.Draw(sheet).text((2, row * down + 2), name, fill=(60, 60, 60))
        for column, thing in enumerate(THINGS):
            image = Image.fromarray(to_bytes(picture_of(drawn(thing, name, folder), height=3 * SIDE, width=3 * SIDE)))
            sheet.paste(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (column * across, row * down + CAPTION))
        print(name, flush=True)
        sheet.save(SHEET, quality=QUALITY, method=6)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(mkdtemp()))
