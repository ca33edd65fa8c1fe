"""The tower that judges drawings which were not optimized for it: of another shape, data split and seed.

It never ships. `make judge` trains it, without descriptions: it shares nothing with the encoder but who embeds texts.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders.builtin.image_tower import DIMENSIONS

_CHANNELS, _BLOCKS, _PATCH = (128, 256), (1, 2), 4


class _Block(nn.Module):
    """Two convolutions beside a skip connection, each after its normalization (He et al. 2016, arXiv 1603.05027)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            layers += [nn.BatchNorm2d(channels), nn.GELU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class JudgeTower(nn.Module):
    """Views to unit vectors: 4 x 4 patches, two stages, the mean and the maximum of each channel."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before, stride = 3, _PATCH
        for channels, blocks in zip(_CHANNELS, _BLOCKS, strict=True):
            layers += [nn.Conv2d(before, channels, stride, stride=stride), *(_Block(channels) for _ in range(blocks))]
            before, stride = channels, 2
        self.layers = nn.Sequential(*layers, nn.BatchNorm2d(before), nn.GELU())
        self.head = nn.Linear(2 * before, DIMENSIONS)

    def forward(self, views: Tensor) -> Tensor:
        """Unit vectors (views, 384) of views in [0, 1]."""
        x = self.layers((views * 4.0 - 2.0).contiguous(memory_format=torch.channels_last))
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return functional.normalize(self.head(pooled).float(), dim=1)
