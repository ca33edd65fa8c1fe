"""An image as its pixels."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas
from clipdraw.optimization.parameterizations.base import Parameter, resized

RATE = 0.01
"""The published rate of colors."""


class Pixels:
    """A matrix of red, green and blue values.

    Args:
        start: the image to start from, in [0, 1]; it is copied.
        rate: Adam's learning rate.
        device: where it lives.

    Source: Frans et al. 2021 (CLIPDraw), section 4.1, "Pixel Optimization".
    """

    def __init__(
        self, start: Float[Tensor, "3 height width"], *, rate: float = RATE, device: torch.device | str = "cpu"
    ) -> None:
        self.values = start.detach().to(device, copy=True).requires_grad_()
        self._rate = rate

    @classmethod
    def noise(cls, canvas: Canvas, generator: torch.Generator, *, device: torch.device | str = "cpu") -> Pixels:
        """Pixels of uniformly random color, one a canvas unit: 224 x 224 x 3 on the published canvas."""
        height, width = max(1, round(canvas.height)), max(1, round(canvas.width))
        return cls(torch.rand(3, height, width, generator=generator), device=device)

    @property
    def subject(self) -> Pixels:
        """Itself."""
        return self

    def parameters(self) -> tuple[Parameter, ...]:
        """The pixels."""
        return (Parameter("pixels", self.values, self._rate),)

    def image(self, longest: int) -> Float[Tensor, "3 height width"]:
        """The pixels, resized with antialiasing if they are not of that size."""
        return resized(self.values, longest)

    def project(self) -> None:
        """Clamp the pixels to [0, 1]."""
        self.values.clamp_(0, 1)
