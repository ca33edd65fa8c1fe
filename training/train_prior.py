"""Train the prior, which paints small pictures: `python -m training.train_prior --things FILE.npz --out FOLDER`.

Pictures are made as they are needed (`training.pictures`). It goes on from its last checkpoint. To stop it, send it
SIGTERM or make a file `stop` in its folder: it saves and ends.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import os
import signal
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch.nn import functional

from training import flow, pictures
from training.files import whole
from training.redrawing import Redrawn
from training.things import Things
from training.unet import UNet

_SAVE_EVERY, _LOG_EVERY = 100, 20


class Trainer:
    """The network, its moving average, its optimizer, and the number of its steps."""

    def __init__(self, options: argparse.Namespace, things: Things) -> None:
        self.options, self.things, self.redrawn = options, things, Redrawn.load(options.redrawn)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.read = flow.Reader(self.device)
        torch.manual_seed(options.seed)
        self.model = UNet().to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.step = 0

    def rate(self) -> float:
        """Rises over 300 steps, and falls to zero over the last part."""
        o = self.options
        left = (o.steps - self.step) / max(1.0, o.descent * o.steps)
        return o.rate * min(1.0, (self.step + 1) / 300, max(left, 0.01))

    def train_step(self) -> float:
        """One update on a batch that is made for this step; its loss."""
        generator = np.random.default_rng((self.options.seed, self.step))
        made = pictures.make(self.things, self.options.batch, generator)
        made = self.redrawn.mix_into(made, self.options.redrawn_share, generator)
        small = functional.avg_pool2d(made.views, 2).to(self.device) * 2 - 1
        drawn = torch.Generator().manual_seed(self.options.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16):
            loss = flow.loss(self.model, small, self.read(made.captions), drawn, dropped=0.12).mean()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        return loss.item()

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.options.keep, (self.step + 1) / (self.step + 20))
        ours, theirs = list(self.average.parameters()), list(self.model.parameters())
        torch._foreach_lerp_(ours, theirs, 1 - keep)

    def save(self, path: Path) -> None:
        """Write the checkpoint so that an interruption leaves the former one whole."""
        state = {"model": self.model.state_dict(), "average": self.average.state_dict()}
        with whole(path) as partial:
            torch.save(state | {"optimizer": self.optimizer.state_dict(), "step": self.step}, partial)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def load(checkpoint: Path) -> UNet:
    """The averaged network of a checkpoint."""
    model = UNet()
    model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return model.to(memory_format=torch.channels_last).eval().requires_grad_(False)


def train(trainer: Trainer, out: Path) -> None:
    """Train up to the last step, or until told to stop, with a line in `log.jsonl` now and then."""
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopped.append(number))
    first, started, smooth = trainer.step, time.perf_counter(), math.nan
    with (out / "log.jsonl").open("a") as log:
        while trainer.step < trainer.options.steps and not stopped and not (out / "stop").exists():
            loss = trainer.train_step()
            smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
            if trainer.step % _LOG_EVERY == 0:
                pace = (trainer.step - first) * trainer.options.batch / (time.perf_counter() - started)
                line = {"step": trainer.step, "loss": round(smooth, 4), "images_per_s": round(pace, 1)}
                print(json.dumps(line | {"rate": trainer.rate()}), file=log, flush=True)
            if trainer.step % _SAVE_EVERY == 0:
                trainer.save(out / "checkpoint.pt")
    trainer.save(out / "checkpoint.pt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--things", type=Path, default=Path("corpus/things.npz"))
    parser.add_argument("--redrawn", type=Path, default=Path("corpus/redrawn"), help="shards, which may be missing")
    parser.add_argument("--redrawn-share", type=float, default=0.12)
    parser.add_argument("--out", type=Path, default=Path("corpus/prior"))
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--descent", type=float, default=0.2, help="share of the steps in which the rate falls")
    parser.add_argument("--keep", type=float, default=0.999, help="of the moving average, at each step")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(options, Things.load(options.things))
    if (options.out / "checkpoint.pt").exists():
        trainer.load(options.out / "checkpoint.pt")
    train(trainer, options.out)


if __name__ == "__main__":
    main()
