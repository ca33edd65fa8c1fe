"""An image as the latents of a generator that stays as it is."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.optimization.parameterizations.base import Parameter, resized
from clipdraw.optimization.parameterizations.biggan import BigGAN

RATE = 0.07
"""The rate of the published notebook."""
_CLASS_MEAN, _CLASS_DEVIATION = -3.9, 0.3  # of the logits at the start: each class has about 2 %
_MOST_CLASS = 50.0


class Latents:
    """A normal vector and a share of each class for every block of a BigGAN generator.

    Args:
        generator: frozen, on its device.
        random: the only source of randomness of the start.
        rate: Adam's learning rate.

    Source: Murdock 2021, "The Big Sleep: BigGANxCLIP" (notebook), as told in Frans et al. 2021, section 4.1: one
    latent for each block, classes by a sigmoid, truncation 1. There 128 cutouts make a step, here the views do.
    """

    def __init__(self, generator: BigGAN, random: torch.Generator, *, rate: float = RATE) -> None:
        self._generator, self._rate = generator.eval().requires_grad_(False), rate
        blocks, device = generator.latents, generator.device
        normal = torch.randn(blocks, generator.width, generator=random)
        classes = torch.randn(blocks, generator.classes, generator=random) * _CLASS_DEVIATION + _CLASS_MEAN
        self.normal, self.classes = (start.to(device).requires_grad_() for start in (normal, classes))

    @property
    def subject(self) -> Latents:
        """Itself."""
        return self

    def parameters(self) -> tuple[Parameter, ...]:
        """The normal vectors and the logits of the classes."""
        return Parameter("normal", self.normal, self._rate), Parameter("classes", self.classes, self._rate)

    def image(self, longest: int) -> Float[Tensor, "3 height width"]:
        """The image that the generator makes of them, resized with antialiasing."""
        made = self._generator(self.normal, torch.sigmoid(self.classes))
        return resized((made + 1) / 2, longest)

    def project(self) -> None:
        """Nothing: no value is forbidden, `oddness` keeps them near."""

    def oddness(self) -> Float[Tensor, ""]:
        """How far the latents are from those that the generator was trained for; 0 or more.

        The mean, deviation, skew and kurtosis of each vector against those of the normal distribution, and all
        classes but the first against 0.
        """
        mean, spread = self.normal.mean(1, keepdim=True), self.normal.std(1, unbiased=False, keepdim=True)
        standard = (self.normal - mean) / spread
        skew, kurtosis = standard.pow(3).mean(1), standard.pow(4).mean(1) - 3
        normal = (
            (1 - self.normal.std(1)).abs().mean() + mean.abs().mean() + 4 * self.normal.square().mean().clamp(min=1)
        )
        others = torch.sigmoid(self.classes).sort(dim=1).values[:, :-1]
        return normal + skew.abs().mean() + kurtosis.abs().mean() + (_MOST_CLASS * others).square().mean()
