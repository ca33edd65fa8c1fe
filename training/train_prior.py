"""Train the prior, which paints small pictures: `python -m training.train_prior --things FILE.npz --out FOLDER`.

Pictures are made as they are needed (`training.pictures`). The network is the U-Net, or with `--components` the one of
`training.components`, to which each picture is shown several times. It goes on from its last checkpoint. To stop it,
send it SIGTERM or make a file `stop` in its folder: it saves and ends.
"""

from __future__ import annotations

import argparse
import copy
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import Tensor, nn

from clipdraw.encoders.builtin.storage import quantize
from training import flow, loop
from training.batches import Ahead, Maker
from training.components import ComponentNet
from training.files import whole
from training.pool import Pool
from training.unet import Text, UNet

_FIRST, _BEFORE = 8, 1_000_000_000  # batches that the pool begins with, and the numbers of their steps
_DROPPED = 0.12  # share of the texts that are taken away, for guidance


def network(components: Path | None) -> nn.Module:
    """The untrained network: along components if their file is given, else the U-Net."""
    return UNet() if components is None else ComponentNet.from_file(components)


class Trainer:
    """The network, its moving average, its optimizer, and the number of its steps.

    Args:
        options: of the command line.
        make: what makes a step's pictures.
    """

    def __init__(self, options: argparse.Namespace, make: Maker | Ahead) -> None:
        self.options, self.make = options, make
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.read = flow.Reader(self.device)
        torch.manual_seed(options.seed)
        self.model = network(options.components).to(self.device, memory_format=torch.channels_last)
        along = isinstance(self.model, ComponentNet)
        self.pool = Pool(options.pool, len(self.model.spreads)) if along else None
        self.average = copy.deepcopy(self.model).requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=options.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.step = 0

    def rate(self) -> float:
        """The learning rate now."""
        return loop.rate(self.options, self.step, warm_up=300)

    def batch(self) -> tuple[Tensor, Text]:
        """Pictures in [-1, 1] and their texts, made now; along components their coordinates, from the pool."""
        o = self.options
        if self.pool is None:
            return self._made(self.step, o.batch)
        if not self.pool.added:  # so that a run that goes on does not see the same few again and again
            for before in range(_FIRST):
                self._keep(*self._made(_BEFORE + self.step + before, o.batch))
        self._keep(*self._made(self.step, o.fresh))
        coordinates, text = self.pool.draw(o.batch, np.random.default_rng((o.seed, self.step, 1)))
        return coordinates.to(self.device), text.to(self.device)

    def _made(self, step: int, count: int) -> tuple[Tensor, Text]:
        small, captions = self.make(step, count)
        return torch.from_numpy(small).to(self.device).float() / 127.5 - 1, self.read(captions)

    def _keep(self, small: Tensor, text: Text) -> None:
        assert self.pool is not None
        self.pool.add(self.model.coordinates(small), text.vectors)

    def train_step(self) -> float:
        """One update on a batch that is made for this step; its loss."""
        small, text = self.batch()
        drawn = torch.Generator().manual_seed(self.options.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16):
            if self.pool is None:
                loss = flow.loss(self.model, small, text, drawn, dropped=_DROPPED).mean()
            else:
                loss = self.model.loss(small, text, drawn, dropped=_DROPPED).mean()
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


def load(checkpoint: Path) -> nn.Module:
    """The averaged network of a checkpoint, or what `save_small` wrote."""
    stored = torch.load(checkpoint, map_location="cpu", weights_only=True)
    state = stored["average"] if "average" in stored else _whole(stored)
    along = [state[name] for name in ("mean", "directions", "spreads") if name in state]
    model = ComponentNet(*along) if along else UNet()
    model.load_state_dict(state)
    return model.to(memory_format=torch.channels_last).eval().requires_grad_(False)


def save_small(model: nn.Module, path: Path) -> None:
    """Write a network in 8 bits, with a scale for each row of each matrix: a sixteenth of a checkpoint."""
    small: dict[str, Tensor | tuple[Tensor, Tensor, list[int]]] = {}
    for name, tensor in model.state_dict().items():
        if tensor.ndim > 1:
            small[name] = (*quantize(tensor.cpu().flatten(1), 8), list(tensor.shape))
        else:
            small[name] = tensor.cpu().float()
    with whole(path) as partial:
        torch.save(small, partial)


def _whole(small: dict) -> dict[str, Tensor]:
    """The tensors of a network in 8 bits."""
    found = {}
    for name, part in small.items():
        if isinstance(part, Tensor):
            found[name] = part
        else:
            numbers, scale, shape = part
            found[name] = (numbers.float() * scale.float()).reshape(shape)
    return found


def main() -> None:
    parser = loop.options_parser(__doc__)
    parser.add_argument("--things", type=Path, default=Path("corpus/things.npz"))
    parser.add_argument("--redrawn", type=Path, default=Path("corpus/redrawn"), help="shards, which may be missing")
    parser.add_argument("--redrawn-share", type=float, default=0.12)
    parser.add_argument("--out", type=Path, default=Path("corpus/prior"))
    parser.add_argument("--components", type=Path, help="train along these instead of the U-Net")
    parser.add_argument("--pool", type=int, default=100_000, help="pictures kept to be shown again, along components")
    parser.add_argument("--fresh", type=int, default=32, help="pictures that join the pool at each step")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--descent", type=float, default=0.2, help="share of the steps in which the rate falls")
    parser.add_argument("--keep", type=float, default=0.999, help="of the moving average, at each step")
    parser.add_argument("--workers", type=int, default=0, help="processes that make pictures, beside an accelerator")
    options = loop.options_from_command_line(parser)
    source = options.things, options.redrawn, options.redrawn_share, options.seed
    make = Ahead(*source, workers=options.workers) if options.workers else Maker(*source)
    trainer = Trainer(options, make)
    loop.train(trainer, options.out)
    save_small(trainer.average, options.out / "small.pt")
    if isinstance(make, Ahead):
        make.close()


if __name__ == "__main__":
    main()
