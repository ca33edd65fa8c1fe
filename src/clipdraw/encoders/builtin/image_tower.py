"""The image side of the built-in encoder: a small dense residual network."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

VIEW_SIZE = 64
"""Height and width of the views that the tower was trained on, in pixels."""
DIMENSIONS = 384
"""Length of its embeddings; that of the text side."""
GAIN, _SHIFT = 4.0, -2.0
"""Factor from pixel values to what the first convolution reads; and what is added then."""
_CHANNELS = (48, 128, 256, 256)
_BLOCKS = (0, 1, 1, 1)


class _Convolution(nn.Sequential):
    """A convolution and its normalization; `folded` is the one convolution that computes the same."""

    def __init__(self, inputs: int, outputs: int, *, size: int = 3, stride: int = 1, folded: bool = False) -> None:
        convolution = nn.Conv2d(inputs, outputs, size, stride=stride, padding=(size - 1) // 2, bias=folded)
        super().__init__(convolution, nn.Identity() if folded else nn.BatchNorm2d(outputs))

    def fold(self) -> None:
        """Fold the normalization's running statistics into the convolution."""
        convolution, normalization = self
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(normalization, nn.BatchNorm2d)
        self[0], self[1] = fuse_conv_bn_eval(convolution, normalization), nn.Identity()


class _Block(nn.Module):
    """Two convolutions around a skip connection."""

    def __init__(self, channels: int, *, folded: bool) -> None:
        super().__init__()
        self.first = _Convolution(channels, channels, folded=folded)
        self.second = _Convolution(channels, channels, folded=folded)

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x + self.second(functional.silu(self.first(x))))


class ImageTower(nn.Module):
    """Views to unit vectors.

    Dense 3 x 3 convolutions throughout: they are what CPUs with matrix units compute at full speed.
    The activation is smooth, which helps adversarial training (Xie et al. 2020, arXiv 2006.14536), and the
    last feature map is pooled with one learned weight for each place and channel instead of a mean, so that
    an arrangement counts and not only its parts.

    Args:
        folded: build it without normalizations, for weights that `fold` has prepared.
    """

    def __init__(self, *, folded: bool = False) -> None:
        super().__init__()
        self.stem = _Convolution(3, _CHANNELS[0], size=4, stride=2, folded=folded)  # 64 -> 32
        stages = []
        for level, (channels, blocks) in enumerate(zip(_CHANNELS, _BLOCKS, strict=True)):
            layers: list[nn.Module] = []
            if level:
                layers += [_Convolution(_CHANNELS[level - 1], channels, stride=2, folded=folded), nn.SiLU()]
            layers += [_Block(channels, folded=folded) for _ in range(blocks)]
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        side = VIEW_SIZE // 2 ** len(_CHANNELS)
        self.pool = nn.Parameter(torch.full((_CHANNELS[-1], side, side), 1.0 / side**2))
        self.head = nn.Linear(_CHANNELS[-1], DIMENSIONS)

    def features(self, views: Float[Tensor, "views 3 size size"]) -> list[Tensor]:
        """The feature maps after each stage, from 32 x 32 down to 4 x 4."""
        x = functional.silu(self.stem(self.scaled(views)))
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of views in [0, 1]."""
        return self.embeddings(self.features(views)[-1])

    def layers(self) -> list[tuple[nn.Module, ...]]:
        """Its convolutions in order, the two of a block together."""
        found: list[tuple[nn.Module, ...]] = [(self.stem[0],)]
        for stage in self.stages:
            for part in stage.children():
                if isinstance(part, _Block):
                    found.append((part.first[0], part.second[0]))
                elif isinstance(part, _Convolution):
                    found.append((part[0],))
        return found

    @staticmethod
    def scaled(views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views 3 size size"]:
        """What the first convolution reads."""
        return (views * GAIN + _SHIFT).contiguous(memory_format=torch.channels_last)

    def embeddings(self, last: Float[Tensor, "views channels side side"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of the last feature maps."""
        pooled = (last * self.pool.to(last.dtype)).sum((2, 3))
        return functional.normalize(self.head(pooled).float(), dim=1)

    def fold(self) -> ImageTower:
        """Fold every normalization into its convolution; returns this tower, in evaluation mode."""
        self.eval()
        for module in self.modules():
            if isinstance(module, _Convolution):
                module.fold()
        return self
