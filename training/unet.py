"""A small U-Net that reads a noisy picture, how noisy it is, and a text; it tells which way the picture lies.

Dense 3 x 3 convolutions in bfloat16 are what processors with matrix units compute at full speed, so the picture is
folded to half its sides first, most of the work is done at 16 x 16 and 8 x 8 places, each block has one
normalization, and only the two coarse levels look at the words one by one.

Source: Ronneberger et al., 2015, arXiv 1505.04597 (the shape); Dhariwal and Nichol, 2021, arXiv 2105.05233 (scale and
shift by the condition); Rombach et al., 2022, arXiv 2112.10752 (attention to words); here skips are added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from training.convolution import Convolution

WORDS = 384
"""Length of the text side's states and vectors."""
_GROUPS, _HEAD, _WAVES = 16, 64, 64


@dataclass(frozen=True)
class Text:
    """Texts as the text side reads them.

    Args:
        vectors: of the whole texts, unit vectors.
        states: of their pieces.
        mask: true where there is a piece.
    """

    vectors: Float[Tensor, "texts words"]
    states: Float[Tensor, "texts pieces words"]
    mask: Bool[Tensor, "texts pieces"]

    def to(self, device: torch.device) -> Text:
        """The same on a device."""
        return Text(self.vectors.to(device), self.states.to(device), self.mask.to(device))

    def dropped(self, chosen: Bool[Tensor, " texts"]) -> Text:
        """The same with some texts taken away: no vector and no pieces."""
        kept = (~chosen)[:, None]
        return Text(self.vectors * kept, self.states, self.mask & kept)


class Block(nn.Module):
    """Two convolutions beside a skip connection, scaled and shifted by the condition."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.modulate = nn.Linear(condition, 2 * channels)
        self.first = Convolution(channels, channels)
        self.second = Convolution(channels, channels)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.modulate(condition)[:, :, None, None].chunk(2, 1)
        inner = functional.silu(self.norm(x) * (1 + scale) + shift)
        return x + self.second(functional.silu(self.first(inner)))


class Attend(nn.Module):
    """Attention of every place to the words, and to every other place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // _HEAD
        self.norm = nn.GroupNorm(_GROUPS, channels)
        self.query = nn.Conv2d(channels, channels, 1)
        self.of_words = nn.Linear(WORDS, 2 * channels)
        self.of_places = nn.Linear(channels, 2 * channels)
        self.nothing = nn.Parameter(torch.zeros(1, 1, WORDS))
        self.mix = nn.Linear(channels, channels)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor, text: Text) -> Tensor:
        batch, _, height, width = x.shape
        calm = self.norm(x)
        places = calm.flatten(2).transpose(1, 2)
        words = torch.cat([self.nothing.expand(batch, 1, -1), text.states], 1)
        keys, values = torch.cat([self.of_words(words), self.of_places(places)], 1).chunk(2, -1)
        query = self.query(calm).flatten(2).transpose(1, 2)
        query, keys, values = (
            part.unflatten(-1, (self.heads, _HEAD)).transpose(1, 2) for part in (query, keys, values)
        )
        scores = query @ keys.transpose(-1, -2) * _HEAD**-0.5
        readable = functional.pad(text.mask, (1, height * width), value=True)
        weights = scores.masked_fill(~readable[:, None, None], -torch.inf).softmax(-1).to(values.dtype)
        found = self.mix((weights @ values).transpose(1, 2).flatten(2))
        return x + found.transpose(1, 2).unflatten(2, (height, width))


class UNet(nn.Module):
    """Which way noisy pictures lie from noise: the velocity of `training.flow`.

    Args:
        channels: at the three levels, fine to coarse.
        blocks: at each level on the way down; as many on the way up.
        condition: length of what noise level and text are summed up in.
    """

    def __init__(
        self,
        channels: tuple[int, int, int] = (128, 256, 256),
        blocks: tuple[int, int, int] = (2, 2, 1),
        condition: int = 256,
    ) -> None:
        super().__init__()
        self.time = nn.Sequential(nn.Linear(2 * _WAVES, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.words = nn.Linear(WORDS, condition)
        self.begin = nn.Conv2d(12, channels[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        self.attend_down, self.attend_up = nn.ModuleList(), nn.ModuleList()
        for level, (width, count) in enumerate(zip(channels, blocks, strict=True)):
            self.down.append(nn.ModuleList(Block(width, condition) for _ in range(count)))
            self.up.append(nn.ModuleList(Block(width, condition) for _ in range(count)))
            self.attend_down.append(Attend(width) if level else nn.Identity())
            self.attend_up.append(Attend(width) if level else nn.Identity())
        for fine, coarse in pairwise(channels):
            self.shrink.append(nn.Conv2d(fine, coarse, 2, stride=2))
            self.grow.append(nn.ConvTranspose2d(coarse, fine, 2, stride=2))
        self.end_norm = nn.GroupNorm(_GROUPS, channels[0])
        self.end = nn.Conv2d(channels[0], 12, 3, padding=1)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def forward(
        self, noisy: Float[Tensor, "batch 3 side side"], times: Float[Tensor, " batch"], text: Text
    ) -> Float[Tensor, "batch 3 side side"]:
        """The velocity at `times` in [0, 1], 0 being noise and 1 the picture; pictures lie in [-1, 1]."""
        condition = functional.silu(self.time(waves(times)) + self.words(text.vectors * WORDS**0.5))
        x = functional.pixel_unshuffle(noisy, 2).contiguous(memory_format=torch.channels_last)
        x, skips = self.begin(x), []
        for level, blocks in enumerate(self.down):
            for block in blocks:
                x = block(x, condition)
            x = self.attend_down[level](x, text) if level else x
            if level < len(self.shrink):
                skips.append(x)
                x = self.shrink[level](x)
        for level, blocks in reversed([*enumerate(self.up)]):
            x = x if level == len(self.grow) else self.grow[level](x) + skips[level]
            for block in blocks:
                x = block(x, condition)
            x = self.attend_up[level](x, text) if level else x
        return functional.pixel_shuffle(self.end(functional.silu(self.end_norm(x))), 2).float()


def waves(times: Float[Tensor, " batch"]) -> Float[Tensor, "batch waves"]:
    """Sines and cosines of times in [0, 1], by which networks tell them apart."""
    frequencies = torch.exp(torch.linspace(0, math.log(500.0), _WAVES, device=times.device))
    angles = times[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)
