"""Scenes and regions of the prompts in control_prompts.toml: `python -m benchmarks.control FOLDER`.

Draws what is not there yet, with seed 0. Writes a numbered, shuffled sheet of the scenes for viewers who do not know
the prompts, with the key in a text file beside, and prints how similar each half of a pair of regions is to its own
text and to the other's: seen whole, and on average over views of a kind that no drawing was optimized on.
"""

from __future__ import annotations

import argparse
import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from torch import Tensor

from clipdraw import Drawing, draw, load_encoder, rasterize, score
from clipdraw.encoders import Encoder
from clipdraw.evaluate.score import unseen_similarities

PROMPTS = tomllib.loads(Path(__file__).with_name("control_prompts.toml").read_text(encoding="utf-8"))
Similar = Callable[[Tensor, list[str], Encoder], list[float]]
_CELL, _COLUMNS, _SHUFFLE = 260, 6, 17
_HALF_PIXELS = 256


def drawn(prompt: str, folder: Path, **settings: Any) -> Path:
    """The folder of a drawing, which is made if it is not there."""
    if not (folder / "drawing.png").exists():
        draw(prompt, out=folder, seed=0, film_kinds=(), **settings)
    return folder


def write_scenes(folder: Path, **settings: Any) -> None:
    """Draw the scenes, and write them as a sheet and its key."""
    scenes = PROMPTS["scenes"]
    order = random.Random(_SHUFFLE).sample(range(len(scenes)), len(scenes))
    sheet = Image.new("RGB", (_CELL * _COLUMNS, _CELL * -(-len(order) // _COLUMNS)), "white")
    pen = ImageDraw.Draw(sheet)
    for at, number in enumerate(order):
        x, y = at % _COLUMNS * _CELL, at // _COLUMNS * _CELL
        picture = Image.open(drawn(scenes[number], folder / f"{number:02d}", **settings) / "drawing.png")
        sheet.paste(picture.convert("RGB").resize((_CELL - 24, _CELL - 24)), (x + 16, y + 16))
        pen.text((x + 4, y + 4), str(at + 1), fill="black")
        pen.rectangle((x, y, x + _CELL, y + _CELL), outline="lightgray")
    sheet.save(folder / "scenes24.png")
    key = "\n".join(f"{at + 1}: {scenes[number]}" for at, number in enumerate(order))
    (folder / "scenes24-key.txt").write_text(key + "\n", encoding="utf-8")


def print_regions(folder: Path, **settings: Any) -> None:
    """Draw the pairs of regions, and print tables of similarities in Markdown."""
    encoder, images = load_encoder("builtin"), []
    for number, (one, other) in enumerate(PROMPTS["regions"]):
        regions = (f"{one}@left", f"{other}@right")
        place = drawn(f"{one} and {other}", folder / f"{number:02d}", regions=regions, **settings)
        images.append(rasterize(Drawing.load(place / "drawing.svg"), width=2 * _HALF_PIXELS))
    _print_table("seen whole", score, images, encoder)
    _print_table("on unseen views", unseen_similarities, images, encoder)


def _print_table(name: str, similar: Similar, images: list[Tensor], encoder: Encoder) -> None:
    print(f"\n| {name}: left / right | left to its own | to the other | right to its own | to the other | |")
    print("|---|---|---|---|---|---|")
    right = 0
    for image, (one, other) in zip(images, PROMPTS["regions"], strict=True):
        first = similar(image[:, :, :_HALF_PIXELS], [one, other], encoder)
        second = similar(image[:, :, _HALF_PIXELS:], [other, one], encoder)
        both = first[0] > first[1] and second[0] > second[1]
        right += both
        numbers = " | ".join(f"{value:.3f}" for value in (*first, *second))
        print(f"| {one} / {other} | {numbers} | {'both' if both else 'not both'} |")
    print(f"\n{name}, both halves are more similar to their own text in {right} of {len(images)} pairs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    settings = {"steps": options.steps, "threads": options.threads}
    write_scenes(options.folder / "scenes", **settings)
    print_regions(options.folder / "regions", **settings)


if __name__ == "__main__":
    main()
