"""The runs of the training: the options that they share, and a loop that can be stopped and gone on with."""

from __future__ import annotations

import argparse
import json
import math
import signal
import time
from pathlib import Path
from typing import Protocol

import torch

from clipdraw import raster


class Trainer(Protocol):
    """A network in training, and the number of its steps."""

    options: argparse.Namespace
    step: int

    def rate(self) -> float:
        """The learning rate now."""
        ...

    def train_step(self) -> float:
        """One update; its loss."""
        ...

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        ...

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        ...


def options_parser(doc: str) -> argparse.ArgumentParser:
    """A parser with `--seed` and `--threads`, described by the first line of a module's docstring."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser


def options_from_command_line(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options; torch and the rasterizer take as many threads as they say."""
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    raster.set_threads(options.threads)
    return options


def rate(options: argparse.Namespace, step: int, *, warm_up: int) -> float:
    """A learning rate that rises over `warm_up` steps, and falls to zero over the last part."""
    left = (options.steps - step) / max(1.0, options.descent * options.steps)
    return options.rate * min(1.0, (step + 1) / warm_up, max(left, 0.01))


def train(trainer: Trainer, out: Path, *, log_every: int = 20) -> None:
    """Train from the last checkpoint to the last step, or until told to stop.

    SIGTERM stops it, and a file `stop` in its folder.

    Args:
        trainer: what is trained.
        out: the folder of `checkpoint.pt`, which is saved every fifth time that `log.jsonl` gets a line.
        log_every: steps between two lines.
    """
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = out / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    first, started, smooth = trainer.step, time.perf_counter(), math.nan
    with (out / "log.jsonl").open("a") as log:
        while trainer.step < trainer.options.steps and not stopped and not (out / "stop").exists():
            loss = trainer.train_step()
            smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
            if trainer.step % log_every == 0:
                pace = (trainer.step - first) * trainer.options.batch / (time.perf_counter() - started)
                line = {"step": trainer.step, "loss": round(smooth, 4), "images_per_s": round(pace, 1)}
                print(json.dumps(line | {"rate": trainer.rate()}), file=log, flush=True)
            if trainer.step % (5 * log_every) == 0:
                trainer.save(checkpoint)
    trainer.save(checkpoint)
