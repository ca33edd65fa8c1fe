"""Draw many prompts with several seeds into one labeled sheet: `python examples/contact_sheet.py`.

The prompts below are the ones by which the built-in encoder is judged: animals, objects, food, vehicles,
places, weather.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from clipdraw import Drawing, load_encoder, rasterize
from clipdraw.config import resolve

PROMPTS = (
    "a cat", "an owl", "a fish", "a butterfly",
    "a penguin", "a snail", "a red heart", "a light bulb",
    "an umbrella", "a key", "a guitar", "a skull",
    "a slice of pizza", "an ice cream cone", "a cherry", "a mushroom",
    "a sailboat", "a rocket", "a bus", "a bicycle",
    "a house", "a mountain", "the sun", "a rainbow",
)  # fmt: skip
CELL, LABEL = 144, 16


def draw(prompt: str, seed: int, **settings: Any) -> Drawing:
    """The drawing that `clipdraw draw PROMPT --seed SEED` makes, with other settings if given."""
    problem = resolve(prompt, {"seed": seed, **settings}).build(load_encoder("builtin"))
    *_, last = problem.optimize()
    return last.drawing.detached()


def sheet(rows: Sequence[tuple[str, Sequence[Drawing]]], *, columns: int) -> Image.Image:
    """One cell a prompt with its drawings side by side and its name below."""
    seeds = max(len(drawings) for _, drawings in rows)
    lines = -(-len(rows) // columns)
    picture = Image.new("RGB", (columns * seeds * CELL, lines * (CELL + LABEL)), "white")
    pen = ImageDraw.Draw(picture)
    for number, (prompt, drawings) in enumerate(rows):
        left, top = number % columns * seeds * CELL, number // columns * (CELL + LABEL)
        for place, drawing in enumerate(drawings):
            image = rasterize(drawing, height=CELL, width=CELL)
            pixels = (image.permute(1, 2, 0) * 255 + 0.5).byte().numpy()
            picture.paste(Image.fromarray(pixels), (left + place * CELL, top))
        pen.text((left + 4, top + CELL + 2), prompt, fill="black")
        pen.rectangle((left, top, left + seeds * CELL - 1, top + CELL + LABEL - 1), outline="#cccccc")
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prompts", nargs="*", default=PROMPTS)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--preset", default="default")
    parser.add_argument("--steps", type=int, help="the preset's if not given")
    parser.add_argument("--columns", type=int, default=4)
    parser.add_argument("--out", type=Path, default=Path("sheet.webp"))
    options = parser.parse_args()
    settings = {"preset": options.preset} | ({"steps": options.steps} if options.steps else {})
    rows = []
    for prompt in options.prompts:
        rows.append((prompt, [draw(prompt, seed, **settings) for seed in range(options.seeds)]))
        print(prompt, flush=True)
    sheet(rows, columns=options.columns).save(options.out, quality=85)


if __name__ == "__main__":
    main()
