"""The encoder that judges drawings which were not optimized for it: of another shape, data split and seed.

It never ships. Train it with `python -m training.train --role judge --seed 1 --out corpus/judge`.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders.image import DIMENSIONS
from training import sources

_CHANNELS = (32, 96, 192, 320)
_LAYERS = (0, 1, 2, 1)


def split_for_judge(about: dict) -> str:
    """'train' or 'test' of a drawing: the styles held out from the encoder, and two thirds of the other sets.

    Args:
        about: a line of the corpus.
    """
    if about["split"] == "test" or about["set"] in sources.HELD_OUT_SETS:
        return "train"
    digest = hashlib.sha256(("judge " + about["set"]).encode()).digest()
    return "test" if digest[0] < 85 else "train"


class JudgeTower(nn.Module):
    """Views to unit vectors by a plain convolutional network: no skip connections, mean and maximum pooled."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, _CHANNELS[0], 5, stride=2, padding=2, bias=False)]
        layers += [nn.BatchNorm2d(_CHANNELS[0]), nn.GELU()]
        for level in range(1, len(_CHANNELS)):
            before, after = _CHANNELS[level - 1 : level + 1]
            strides = [(before, 2)] + [(after, 1)] * _LAYERS[level]
            for inputs, stride in strides:
                layers += [nn.Conv2d(inputs, after, 3, stride=stride, padding=1, bias=False)]
                layers += [nn.BatchNorm2d(after), nn.GELU()]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(2 * _CHANNELS[-1], DIMENSIONS)

    def forward(self, views: Tensor) -> Tensor:
        """Unit vectors (views, 384) of views in [0, 1]."""
        x = self.layers((views * 4.0 - 2.0).contiguous(memory_format=torch.channels_last))
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return functional.normalize(self.head(pooled).float(), dim=1)
