"""A prior of matrix products alone, a fiftieth of the U-Net's work: pictures along their principal components.

    python -m training.components --things FILE.npz --out components.npz

Along each component the best guess that knows nothing but its spread is written down (the Wiener filter), and the
network adds to that. What lies beyond the components is noise and is taken away. Same in and out as `training.unet`.

Source: Karras et al., 2022, arXiv 2206.00364 (the guess and what the network adds are scaled by the noise; there one
spread for all, here one for each component).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from training import pictures
from training.files import write_arrays
from training.flow import SIZE
from training.things import Things
from training.unet import WORDS, Text, waves

_NEARLY_DONE = 0.05  # what is left of the way is taken to be at least this


class _Block(nn.Module):
    """Two matrix products beside a skip connection, scaled and shifted by the condition."""

    def __init__(self, width: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulate = nn.Linear(condition, 2 * width)
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulate(condition).chunk(2, 1)
        return x + self.second(functional.silu(self.first(self.norm(x) * (1 + scale) + shift)))


class ComponentNet(nn.Module):
    """The velocity of `training.flow`, along principal components.

    Args:
        mean: of the pictures, which lie in [-1, 1].
        directions: unit vectors.
        spreads: of the pictures along these.
        width: of the network.
        blocks: how many.
    """

    def __init__(
        self,
        mean: Float[Tensor, " pixels"],
        directions: Float[Tensor, "components pixels"],
        spreads: Float[Tensor, " components"],
        *,
        width: int = 1024,
        blocks: int = 4,
    ) -> None:
        super().__init__()
        for name, tensor in (("mean", mean), ("directions", directions), ("spreads", spreads)):
            self.register_buffer(name, tensor.float())
        self.time = nn.Linear(waves(torch.zeros(1)).shape[1], WORDS)
        self.words = nn.Linear(WORDS, WORDS)
        self.begin = nn.Linear(len(spreads) + WORDS, width)
        self.blocks = nn.ModuleList(_Block(width, WORDS) for _ in range(blocks))
        self.end = nn.Linear(width, len(spreads))
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def forward(
        self, noisy: Float[Tensor, "batch 3 side side"], times: Float[Tensor, " batch"], text: Text
    ) -> Float[Tensor, "batch 3 side side"]:
        """The velocity at `times` in [0, 1], 0 being noise and 1 the picture."""
        flat, ahead = noisy.flatten(1).float(), times[:, None].float()
        with torch.autocast(noisy.device.type, enabled=False):
            along = (flat - ahead * self.mean) @ self.directions.T
        found = self.guess(along, times, text)
        with torch.autocast(noisy.device.type, enabled=False):
            picture = self.mean + found @ self.directions
        return ((picture - flat) / (1 - ahead).clamp(min=_NEARLY_DONE)).view_as(noisy)

    def coordinates(self, shown: Float[Tensor, "batch 3 side side"]) -> Float[Tensor, "batch components"]:
        """Where pictures in [-1, 1] lie along the components."""
        return (shown.flatten(1) - self.mean) @ self.directions.T

    def guess(
        self, along: Float[Tensor, "batch components"], times: Float[Tensor, " batch"], text: Text
    ) -> Float[Tensor, "batch components"]:
        """The coordinates of the picture, from those of the noisy one."""
        ahead, left = times[:, None].float(), 1 - times[:, None].float()
        total = (ahead**2 * self.spreads**2 + left**2).sqrt()
        known = ahead * self.spreads**2 / total**2 * along
        added = self._added(along / total, times, text.vectors * WORDS**0.5)
        return known + self.spreads * left / total * added.float()

    def loss(
        self, coordinates: Float[Tensor, "batch components"], text: Text, generator: torch.Generator, *, dropped: float
    ) -> Float[Tensor, " batch"]:
        """The loss of `training.flow.loss` along the components alone, at a tenth of its price.

        Args:
            coordinates: of the pictures.
            text: what they show.
            generator: of noise, times, and which texts are dropped.
            dropped: share of the texts that are taken away.
        """
        count, device = len(coordinates), coordinates.device
        noise = torch.randn(coordinates.shape, generator=generator).to(device)
        times = torch.sigmoid(torch.randn(count, generator=generator)).to(device)
        text = text.dropped((torch.rand(count, generator=generator) < dropped).to(device))
        found = self.guess(torch.lerp(noise, coordinates, times[:, None]), times, text)
        left = (1 - times).clamp(min=_NEARLY_DONE)[:, None]
        return ((found - coordinates) / left).square().sum(1) / len(self.mean)

    def _added(self, along: Tensor, times: Tensor, words: Tensor) -> Tensor:
        condition = functional.silu(self.time(waves(times)) + self.words(words))
        x = self.begin(torch.cat([along, words.to(along.dtype)], 1))
        for block in self.blocks:
            x = block(x, condition)
        return self.end(functional.silu(x))

    @classmethod
    def from_file(cls, path: Path) -> ComponentNet:
        """An untrained network along the components that `main` wrote."""
        with np.load(path) as stored:
            return cls(*(torch.from_numpy(stored[name]).float() for name in ("mean", "directions", "spreads")))


def principal(shown: Float[Tensor, "pictures pixels"], count: int) -> dict[str, np.ndarray]:
    """Mean, directions and spreads of pictures along the components on which they differ most."""
    mean = shown.mean(0)
    _, deviations, directions = torch.linalg.svd((shown - mean).double(), full_matrices=False)
    variances = deviations.square() / len(shown)
    share = (variances[:count].sum() / variances.sum()).item()
    spreads = variances[:count].clamp(min=1e-8).sqrt().float()
    found = {"mean": mean, "directions": directions[:count].half(), "spreads": spreads}
    return {name: tensor.numpy() for name, tensor in found.items()} | {"share": np.array(share)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--things", type=Path, default=Path("corpus/things.npz"))
    parser.add_argument("--out", type=Path, default=Path("corpus/components.npz"))
    parser.add_argument("--pictures", type=int, default=12_288)
    parser.add_argument("--count", type=int, default=512, help="components")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    things, generator, parts = Things.load(options.things), np.random.default_rng(7), []
    for _ in range(options.pictures // 128):
        views = pictures.make(things, 128, generator).views
        parts.append(functional.interpolate(views, size=(SIZE, SIZE), mode="area").flatten(1) * 2 - 1)
    found = principal(torch.cat(parts), options.count)
    write_arrays(options.out, **found)
    print(f"{options.out}: {options.count} components hold {found['share']:.1%} of the variance")


if __name__ == "__main__":
    main()
