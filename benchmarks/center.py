"""The effect of the pull to the middle: `python -m benchmarks.center`. Prints a table in Markdown.

For each setting five prompts are drawn with three seeds each. The ink of a drawing is, at each pixel, the largest
difference from white over the three channels; its mean distance from the middle is in units of a 224-unit canvas.
"""

from __future__ import annotations

import argparse
from statistics import mean
from typing import Any

import torch

from clipdraw import Drawing, load_encoder, raster, rasterize, score
from clipdraw.config import resolve
from clipdraw.encoders import Encoder
from clipdraw.optimization.center import ink, pixel_distances

PROMPTS = ("a submarine", "a bonfire", "a cat", "a bicycle", "a butterfly")
SEEDS = (0, 1, 2)
RADIUS, PIXELS = 75.0, 448
SETTINGS: dict[str, dict[str, Any]] = {
    "article, without": {"preset": "article", "center_weight": 0.0},
    "article": {"preset": "article"},
    "article, on ink": {"preset": "article", "center_on": "ink"},
    "default": {"preset": "default"},
    "default, weight 0.001": {"center_weight": 0.001},
    "default, weight 0.01": {"center_weight": 0.01},
    "default, weight 0.01, on ink": {"center_weight": 0.01, "center_on": "ink"},
    "default, radius 40, weight 0.01": {"center_radius": 40.0, "center_weight": 0.01},
}


def draw(prompt: str, seed: int, encoder: Encoder, **settings: Any) -> Drawing:
    *_, last = resolve(prompt, {"seed": seed, **settings}).build(encoder).optimize()
    return last.drawing.detached()


def measured(drawing: Drawing, prompt: str, encoder: Encoder) -> tuple[float, float, float]:
    """Mean distance of the ink, its share beyond the radius, and the similarity."""
    amount = ink(rasterize(drawing, height=PIXELS, width=PIXELS), drawing.background)
    distances = pixel_distances(drawing.canvas, PIXELS, PIXELS)
    total = amount.sum()
    beyond = (amount * (distances > RADIUS)).sum() / total
    return ((amount * distances).sum() / total).item(), beyond.item(), score(drawing, [prompt], encoder)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=64)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    raster.set_threads(options.threads)
    encoder = load_encoder("builtin")
    print(f"| setting | mean distance of the ink | ink beyond {RADIUS:g} | similarity |\n|---|---|---|---|")
    for name, settings in SETTINGS.items():
        rows = []
        for prompt in PROMPTS:
            for seed in SEEDS:
                drawing = draw(prompt, seed, encoder, strokes=options.strokes, steps=options.steps, **settings)
                rows.append(measured(drawing, prompt, encoder))
        distance, beyond, similarity = map(mean, zip(*rows, strict=True))
        print(f"| {name} | {distance:.1f} | {beyond:.0%} | {similarity:.2f} |", flush=True)


if __name__ == "__main__":
    main()
