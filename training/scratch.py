"""Draw from random strokes, nothing remembered: `python -m training.scratch --judge FILE --prior FILE --out SHEET.png`.

What is given takes part: an encoder's checkpoint or `builtin`, a prior's checkpoint (distilled, or with `--painted`
as the picture to start after), or both. Prompts are the 24 of `examples/contact_sheet.py`, or the ones given, or a
group of `prompts.toml` or `scene_prompts.toml`.
"""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import torch
from torch import nn

from clipdraw import Drawing, RandomStrokes, load_encoder, optimize, rasterize
from clipdraw.drawing import Canvas
from clipdraw.encoders import Encoder
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange
from clipdraw.optimization.losses import Loss, Opacity, Prompt
from clipdraw.optimization.parameterization import Rates
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.schedules import SCHEDULES
from clipdraw.optimization.views import Views
from examples.contact_sheet import PROMPTS
from training import empirical, loop, train_prior
from training.guides import Blind, Distilled, Painted
from training.sheets import sheet
from training.things import Things
from training.train_drawer import TrainedEncoder

_CELL = 128


def prompts_of(group: str) -> list[str]:
    """The fixed prompts of a group: a name in the files of prompts, or `nouns` or `media`."""
    here = Path(__file__).parent
    nouns = tomllib.loads((here / "prompts.toml").read_text())
    others = tomllib.loads((here / "scene_prompts.toml").read_text())
    if group == "nouns":
        return [prompt for every in nouns.values() for prompt in every]
    if group == "media":
        return [phrase.format(thing) for phrase in others["media"].values() for thing in others["media_of"]["things"]]
    return (nouns | others)[group]


def recipe(options: argparse.Namespace) -> Recipe:
    """The default preset's rates; views as wide as there."""
    cosine = SCHEDULES["cosine"]
    return Recipe(
        steps=options.steps,
        views=Views(options.views, 0.4, (0.85, 1.0)),
        rates=Rates(1.5, 0.4, 0.06, cosine, cosine),
        constraints=(WidthRange(1.5, 40.0), ColorRange(0.0), PointsOnCanvas()),
        resolution=None if options.judge else 64,
    )


def losses(prompt: str, prior: nn.Module | None, options: argparse.Namespace) -> list[Loss]:
    """The losses that the command line asks for."""
    found: list[Loss] = [Opacity(0.1)]
    if options.judge:
        found.append(Prompt(prompt, options.judge_weight))
    if prior is not None and options.painted:
        found.append(Painted(prompt, prior, seed=options.seed, weight=options.pull))
    elif prior is not None:
        found.append(Distilled(prompt, prior, seed=options.seed, weight=options.pull, guidance=options.guidance))
    return found


def draw(prompt: str, encoder: Encoder, prior: nn.Module | None, options: argparse.Namespace) -> Drawing:
    """The drawing of a prompt, from strokes that are random anew with each seed."""
    strokes = RandomStrokes(options.strokes, width=7.0, opacity=(0.1, 0.3), spread=0.7)
    start = strokes(Canvas(), torch.Generator().manual_seed(options.seed))
    for step in optimize(
        start, losses(prompt, prior, options), encoder=encoder, recipe=recipe(options), seed=options.seed
    ):
        last = step.drawing
    return last.detached()


def _prior(path: Path) -> nn.Module:
    """The prior of a checkpoint, or the one that is made of the drawings of a catalogue."""
    return empirical.colored(Things.load(path)) if path.suffix == ".npz" else train_prior.load(path)


def options_from_command_line() -> argparse.Namespace:
    parser = loop.options_parser(__doc__)
    parser.add_argument("prompts", nargs="*")
    parser.add_argument("--group", help="fixed prompts: nouns, scenes, bindings, media, captions, unseen or colored")
    parser.add_argument("--judge", help="a checkpoint of `training.train_drawer`, or `builtin`")
    parser.add_argument("--judge-weight", type=float, default=1.0)
    parser.add_argument("--prior", type=Path, help="a checkpoint of `training.train_prior`, or things.npz: `empirical`")
    parser.add_argument("--painted", action="store_true", help="pull to a picture of the prior's instead")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strokes", type=int, default=128)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--pull", type=float, default=100.0, help="weight of the prior")
    parser.add_argument("--guidance", type=float, default=5.0)
    return loop.options_from_command_line(parser)


def main() -> None:
    options = options_from_command_line()
    prior = _prior(options.prior) if options.prior else None
    encoder: Encoder = Blind()
    if options.judge:
        encoder = load_encoder("builtin") if options.judge == "builtin" else TrainedEncoder(Path(options.judge))
    prompts = options.prompts or (prompts_of(options.group) if options.group else list(PROMPTS))
    options.out.with_suffix("").mkdir(parents=True, exist_ok=True)
    images = []
    for number, prompt in enumerate(prompts):
        drawing = draw(prompt, encoder, prior, options)
        drawing.save(options.out.with_suffix("") / f"{number:03d}.svg")
        images.append(rasterize(drawing, height=_CELL, width=_CELL).detach())
        sheet(torch.stack(images), prompts[: len(images)], columns=8, cell=_CELL).save(options.out)


if __name__ == "__main__":
    main()
