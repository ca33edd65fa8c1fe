"""Change the prompt of a drawing while it is drawn: `python examples/steer.py "a sailboat" "a rocket"`.

Half of the steps draw the first text. Then the second one takes over, and the faintest strokes are exchanged for new
ones; what the optimizer knows of the others is kept.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from clipdraw import Change, Drawing, RandomStrokes, load_encoder, score
from clipdraw.config import resolve

EXCHANGED = 0.25  # of the strokes


def change_to(text: str, drawing: Drawing, seed: int, **settings: int) -> Change:
    """The change to another text, with new strokes for the faintest."""
    problem = resolve(text, {"seed": seed, **settings}).build(load_encoder("builtin"))
    faintest = drawing.colors[:, 3].argsort()[: round(EXCHANGED * len(drawing))].tolist()
    fresh = RandomStrokes(len(faintest))(drawing.canvas, torch.Generator().manual_seed(seed + 1))
    return Change(losses=problem.losses, recipe=problem.recipe, remove=tuple(faintest), add=fresh)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", nargs="?", default="a sailboat")
    parser.add_argument("second", nargs="?", default="a rocket")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--strokes", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("steered.svg"))
    options = parser.parse_args()
    settings = {"steps": options.steps, "strokes": options.strokes}
    encoder = load_encoder("builtin")
    steps = resolve(options.first, {"seed": options.seed, **settings}).build(encoder).optimize()
    for step in steps:
        if step.index == options.steps // 2:
            break
    half = step.drawing.detached()
    steps.send(change_to(options.second, half, options.seed, **settings))
    *_, last = steps
    drawing = replace(last.drawing.detached(), metadata={"prompt": options.second})
    drawing.save(options.out)
    for name, each in (("before", half), ("after", drawing)):
        print(f"{score(each, [options.second], encoder)[0]:.4f} {name} the change: similarity to {options.second}")


if __name__ == "__main__":
    main()
