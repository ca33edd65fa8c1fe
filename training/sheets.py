"""Sheets of labeled pictures, to be looked at: `python -m training.sheets --things FILE.npz --out FILE.png`.

Shows what `training.pictures` makes, or with `--media` every medium of the same drawings.
"""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

_LABEL_LINES, _LINE = 3, 11


def sheet(
    pictures: Float[Tensor, "count 3 height width"], labels: list[str], *, columns: int = 10, cell: int = 128
) -> Image.Image:
    """Pictures in rows, each enlarged to `cell` pixels over its label."""
    height = cell + (_LABEL_LINES * _LINE + 4 if any(labels) else 4)
    rows = -(-len(pictures) // columns)
    out = Image.new("RGB", (columns * (cell + 4), rows * height), "white")
    pen = ImageDraw.Draw(out)
    for place, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = place % columns * (cell + 4), place // columns * height
        values = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        out.paste(Image.fromarray(np.ascontiguousarray(values)).resize((cell, cell), Image.Resampling.BICUBIC), (x, y))
        lines = textwrap.wrap(label, cell // 6)[:_LABEL_LINES]
        for line, words in enumerate(lines):
            pen.text((x, y + cell + 1 + line * _LINE), words, fill="black")
    return out


def main() -> None:
    from training import media, pictures
    from training.things import Things

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--things", type=Path, default=Path("corpus/things.npz"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--media", action="store_true")
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    things, generator = Things.load(options.things), np.random.default_rng(options.seed)
    if not options.media:
        made = pictures.make(things, options.count, generator)
        sheet(made.views, made.captions).save(options.out)
        return
    rgba = pictures.layers_of(things, options.count, generator)
    rows = [medium(rgba, generator) for medium, _ in media.MEDIA.values()]
    labels = [name for name in media.MEDIA for _ in rgba]
    sheet(torch.cat(rows), labels, columns=options.count).save(options.out)


if __name__ == "__main__":
    main()
