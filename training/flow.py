"""Flow matching: from noise to pictures along straight lines, guided by a text.

Source: Lipman et al., 2023, arXiv 2210.02747 and Liu et al., 2023, arXiv 2209.03003 (straight paths, velocity); Esser
et al., 2024, arXiv 2403.03206 (times drawn from a logit-normal); Ho and Salimans, 2022, arXiv 2207.12598 (guidance).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders import builtin
from clipdraw.encoders.builtin.text_tower import TextTower
from training.unet import Text

SIZE = 32
"""Height and width of the pictures, in pixels."""
_LONGEST = 24  # pieces of a text that are looked at one by one


class Reader:
    """The text side that ships: texts to their vectors and the states of their pieces.

    Args:
        device: where to compute.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self._tower: TextTower = builtin.load().text_tower.to(device)
        self.device = torch.device(device)

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> Text:
        """The vectors and states of texts; the vectors are those of `TextTower.embed`."""
        tower = self._tower
        rows = [tower.words.encode(text)[: _LONGEST + 2] for text in texts]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [tower.words.pad] * (longest - len(row)) for row in rows], device=self.device)
        mask = torch.arange(longest, device=self.device) < torch.tensor(
            [[len(row)] for row in rows], device=self.device
        )
        with torch.autocast(self.device.type, torch.bfloat16):
            states = tower.norm(tower.tokens(ids) + tower.positions[:longest])
            for layer in tower.layers:
                states = layer(states, mask)
        states = states.float()
        vectors = functional.normalize((states * mask[..., None]).sum(1), dim=-1)
        return Text(vectors, states, mask)


def loss(
    model: nn.Module,
    pictures: Float[Tensor, "batch 3 32 32"],
    text: Text,
    generator: torch.Generator,
    *,
    dropped: float,
) -> Float[Tensor, " batch"]:
    """The squared error of the velocity for each picture, at a random time.

    Args:
        model: the network.
        pictures: in [-1, 1].
        text: what they show.
        generator: of noise, times, and which texts are dropped.
        dropped: share of the texts that are taken away, so that guidance has something to compare with.
    """
    count, device = len(pictures), pictures.device
    noise = torch.randn(pictures.shape, generator=generator).to(device)
    times = torch.sigmoid(torch.randn(count, generator=generator)).to(device)
    text = text.dropped((torch.rand(count, generator=generator) < dropped).to(device))
    between = torch.lerp(noise, pictures, times[:, None, None, None])
    found = model(between, times, text)
    return (found - (pictures - noise)).square().mean((1, 2, 3))


@torch.no_grad()
def guided(model: nn.Module, noisy: Tensor, times: Tensor, text: Text, guidance: float) -> Tensor:
    """The velocity with the text's effect made `guidance` times as large."""
    count = len(noisy)
    both = Text(*(torch.cat([part, part]) for part in (text.vectors, text.states, text.mask)))
    both = both.dropped(torch.arange(2 * count, device=noisy.device) >= count)
    with torch.autocast(noisy.device.type, torch.bfloat16):
        found = model(torch.cat([noisy, noisy]), torch.cat([times, times]), both)
    given, free = found.chunk(2)
    return free + guidance * (given - free)


@torch.no_grad()
def sample(
    model: nn.Module, text: Text, generator: torch.Generator, *, steps: int = 20, guidance: float = 3.0
) -> Float[Tensor, "texts 3 32 32"]:
    """A picture in [0, 1] for each text, by Euler steps from noise."""
    count = len(text.vectors)
    x = torch.randn(count, 3, SIZE, SIZE, generator=generator).to(text.vectors.device)
    times = torch.linspace(0, 1, steps + 1).tolist()
    for now, then in pairwise(times):
        x = x + (then - now) * guided(model, x, torch.full((count,), now, device=x.device), text, guidance)
    return ((x + 1) / 2).clamp(0, 1)
