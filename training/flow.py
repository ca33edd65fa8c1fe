"""Flow matching: from noise to pictures along straight lines, guided by a text.

Source: Lipman et al., 2023, arXiv 2210.02747 and Liu et al., 2023, arXiv 2209.03003 (straight paths, velocity); Esser et
al., 2024, arXiv 2403.03206 (times drawn from a logit-normal); Ho and Salimans, 2022, arXiv 2207.12598 (guidance).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders import builtin
from clipdraw.encoders.text import TextTower
from training.unet import Text, UNet

SIZE = 32
"""Height and width of the pictures, in pixels."""
_LONGEST = 24  # pieces of a text that are looked at one by one


class Reader:
    """The text side that ships: texts to their vectors and the states of their pieces."""

    def __init__(self) -> None:
        encoder = builtin.load()
        self._tower: TextTower = encoder._text

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> Text:
        """What is known of texts; the vectors are those of `TextTower.embed`."""
        tower = self._tower
        rows = [tower.words.encode(text)[: _LONGEST + 2] for text in texts]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [tower.words.pad] * (longest - len(row)) for row in rows])
        mask = torch.arange(longest) < torch.tensor([[len(row)] for row in rows])
        with torch.autocast("cpu", torch.bfloat16):
            states = tower.norm(tower.tokens(ids) + tower.positions[:longest])
            for layer in tower.layers:
                states = layer(states, mask)
        states = states.float()
        vectors = functional.normalize((states * mask[..., None]).sum(1), dim=-1)
        return Text(vectors, states, mask)


def loss(
    model: UNet, pictures: Float[Tensor, "batch 3 32 32"], text: Text, generator: torch.Generator, *, dropped: float
) -> Float[Tensor, " batch"]:
    """The squared error of the velocity for each picture, at a random time.

    Args:
        model: the network.
        pictures: in [-1, 1].
        text: what they show.
        generator: of noise, times, and which texts are dropped.
        dropped: share of the texts that are taken away, so that guidance has something to compare with.
    """
    count = len(pictures)
    noise = torch.randn(pictures.shape, generator=generator)
    times = torch.sigmoid(torch.randn(count, generator=generator))
    text = text.dropped(torch.rand(count, generator=generator) < dropped)
    between = torch.lerp(noise, pictures, times[:, None, None, None])
    found = model(between, times, text)
    return (found - (pictures - noise)).square().mean((1, 2, 3))


@torch.no_grad()
def guided(model: UNet, noisy: Tensor, time: float, text: Text, guidance: float) -> Tensor:
    """The velocity with the text's effect made `guidance` times as large."""
    count = len(noisy)
    both = Text(*(torch.cat([part, part]) for part in (text.vectors, text.states, text.mask)))
    both = both.dropped(torch.arange(2 * count) >= count)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(torch.cat([noisy, noisy]), torch.full((2 * count,), time), both)
    given, free = found.chunk(2)
    return free + guidance * (given - free)


@torch.no_grad()
def sample(
    model: UNet, text: Text, generator: torch.Generator, *, steps: int = 20, guidance: float = 3.0
) -> Float[Tensor, "texts 3 32 32"]:
    """A picture in [0, 1] for each text, by Euler steps from noise."""
    x = torch.randn(len(text.vectors), 3, SIZE, SIZE, generator=generator)
    times = torch.linspace(0, 1, steps + 1).tolist()
    for now, then in zip(times, times[1:], strict=False):
        x = x + (then - now) * guided(model, x, now, text, guidance)
    return ((x + 1) / 2).clamp(0, 1)
