"""Train a judge whose gradients draw: `python -m training.train_drawer --things FILE.npz --out FOLDER`.

The image side that ships goes on learning, from the pictures of `training.pictures`, attacked with the full radius or
more: what it draws from random strokes counts here, not retrieval. Each batch is told from the rival captions of its
own pictures (colors and places exchanged) and from captions of batches before. One batch in eight is scribbles alone,
which are called that.

It goes on from its last checkpoint. To stop it, send it SIGTERM or make a file `stop` in its folder.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders import builtin
from clipdraw.encoders.builtin.image_tower import DIMENSIONS, VIEW_SIZE, ImageTower
from clipdraw.encoders.builtin.storage import dequantize
from clipdraw.encoders.builtin.text_tower import TextTower
from training import attacks, loop, pictures
from training.files import whole
from training.redrawing import Redrawn
from training.things import Things

_SAME_MEANING = 0.85
_SCRIBBLES_EVERY, _SCRIBBLE = 8, "scribble"


class Drawer(nn.Module):
    """The image side without normalizations, the map from texts, and the softmax's temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.image = ImageTower(folded=True)
        self.text = nn.Linear(DIMENSIONS, DIMENSIONS, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(math.log(builtin.BuiltinEncoder.logit_scale)))

    def start_from_shipped(self) -> None:
        """Take the weights that ship."""
        from safetensors.torch import load_file

        stored = load_file(builtin.WEIGHTS)
        image = dequantize({n.removeprefix("image."): t for n, t in stored.items() if n.startswith("image.")})
        shapes = self.image.state_dict()
        self.image.load_state_dict({name: image[name].reshape(like.shape) for name, like in shapes.items()})
        self.text.weight.data.copy_(stored["projection"].float())

    def targets(self, vectors: Float[Tensor, "texts words"]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors in the shared space for the text side's vectors."""
        return functional.normalize(self.text(vectors), dim=1)

    def loss(self, views: Tensor, bank: Tensor, forbidden: Tensor) -> Tensor:
        """Cross entropy of each view's own caption, row i of the bank."""
        logits = self.image(views) @ bank.T * self.log_scale.exp()
        return functional.cross_entropy(logits.masked_fill(forbidden, -1e4), torch.arange(len(views)))


class TrainedEncoder:
    """An encoder of a checkpoint, as `clipdraw.optimize` takes it.

    Args:
        checkpoint: that `main` has written.
    """

    name, view_size, dimensions, device = "drawer", VIEW_SIZE, DIMENSIONS, torch.device("cpu")

    def __init__(self, checkpoint: Path) -> None:
        self._model = Drawer()
        self._model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
        self._model.eval().requires_grad_(False)
        self._text = builtin.load().text_tower

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        return self._model.targets(self._text.embed(texts))

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        with torch.autocast("cpu", torch.bfloat16):
            return self._model.image(views)

    def truncated_tail(self, text: str) -> str:
        return ""


def attacked(model: Drawer, views: Tensor, bank: Tensor, forbidden: Tensor, options: argparse.Namespace) -> Tensor:
    """Views moved against their captions: pixels, in patches of 1, 2 or 4, by `options.attack_steps` steps."""
    block = int(2 ** torch.randint(3, ()))
    radius = options.radius / 255 * {1: 1.0, 2: 1.25, 4: 1.75}[block]
    side = VIEW_SIZE // block
    noise = torch.empty(len(views), 3, side, side).uniform_(-radius, radius)
    step = radius * (1.25 if options.attack_steps == 1 else 2.0 / options.attack_steps)
    with attacks.frozen(model):
        for _ in range(options.attack_steps):
            noise.requires_grad_()
            with torch.autocast("cpu", torch.bfloat16):
                loss = model.loss((views + _enlarged(noise, block)).clamp(0, 1), bank, forbidden)
            (gradient,) = torch.autograd.grad(loss, noise)
            noise = (noise.detach() + step * gradient.sign()).clamp(-radius, radius)
    return (views + _enlarged(noise, block)).clamp(0, 1)


def _enlarged(noise: Tensor, block: int) -> Tensor:
    return noise if block == 1 else functional.interpolate(noise, scale_factor=block, mode="bilinear")


class Trainer:
    """The judge, its moving average, its optimizer, captions of late, and the number of its steps."""

    def __init__(self, options: argparse.Namespace, things: Things) -> None:
        self.options, self.things, self.redrawn = options, things, Redrawn.load(options.redrawn)
        self._text: TextTower = builtin.load().text_tower
        torch.manual_seed(options.seed)
        self.model = Drawer()
        self.model.start_from_shipped()
        self.average = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        self.model.to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=options.rate, weight_decay=0.01, fused=True)
        self.late = torch.zeros(0, DIMENSIONS)
        self.step = 0

    def rate(self) -> float:
        """The learning rate now."""
        return loop.rate(self.options, self.step, warm_up=200)

    def batch(self) -> tuple[Tensor, Tensor]:
        """Views, and the text vectors of their captions, of their rivals and of late captions."""
        o = self.options
        generator = np.random.default_rng((o.seed, self.step))
        made = pictures.make(self.things, o.batch, generator)
        made = self.redrawn.mix_into(made, o.redrawn_share, generator)
        views, captions = made.views, list(made.captions)
        empty = range(0, o.batch, 16) if self.step % _SCRIBBLES_EVERY == 0 else ()
        for place in empty:
            views[place], captions[place] = 1.0, _SCRIBBLE
        if self.step % _SCRIBBLES_EVERY == 0:
            views = attacks.add_strokes(views, lambda moved: moved.sum() * 0.0, steps=0)
        vectors = self._text.embed(captions + made.rivals)
        bank = torch.cat([vectors, self.late])
        self.late = torch.cat([vectors[: o.batch], self.late])[: o.bank]
        return views, bank

    def train_step(self) -> float:
        """One update on a batch that is made for this step; its loss."""
        torch.manual_seed(self.options.seed * 1_000_003 + self.step)
        views, vectors = self.batch()
        near = vectors[: len(views)] @ vectors.T > _SAME_MEANING
        near[:, len(views) : 2 * len(views)] &= vectors[: len(views)] @ vectors[len(views) : 2 * len(views)].T > 0.995
        near[torch.arange(len(views)), torch.arange(len(views))] = False
        with torch.no_grad():
            bank = self.model.targets(vectors)
        views = attacked(self.model, views, bank, near, self.options)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast("cpu", torch.bfloat16):
            loss = self.model.loss(views, self.model.targets(vectors), near)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        keep = min(self.options.keep, (self.step + 1) / (self.step + 20))
        for name, tensor in self.model.state_dict().items():
            self.average[name].lerp_(tensor, 1 - keep)
        return loss.item()

    def save(self, path: Path) -> None:
        """Write the checkpoint so that an interruption leaves the former one whole."""
        state = {"model": self.model.state_dict(), "average": self.average, "late": self.late, "step": self.step}
        with whole(path) as partial:
            torch.save(state | {"optimizer": self.optimizer.state_dict()}, partial)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average, self.late, self.step = state["average"], state["late"], state["step"]
        self.optimizer.load_state_dict(state["optimizer"])


def main() -> None:
    parser = loop.options_parser(__doc__)
    parser.add_argument("--things", type=Path, default=Path("corpus/things.npz"))
    parser.add_argument("--redrawn", type=Path, default=Path("corpus/redrawn"), help="shards, which may be missing")
    parser.add_argument("--redrawn-share", type=float, default=0.12)
    parser.add_argument("--out", type=Path, default=Path("corpus/drawer"))
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=64, help="a multiple of 16")
    parser.add_argument("--bank", type=int, default=4096, help="late captions in the softmax")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--descent", type=float, default=0.2, help="share of the steps in which the rate falls")
    parser.add_argument("--radius", type=float, default=8.0, help="of the attack on single pixels, in 255ths")
    parser.add_argument("--attack-steps", type=int, default=1)
    parser.add_argument("--keep", type=float, default=0.998, help="of the moving average, at each step")
    options = loop.options_from_command_line(parser)
    loop.train(Trainer(options, Things.load(options.things)), options.out, log_every=10)


if __name__ == "__main__":
    main()
