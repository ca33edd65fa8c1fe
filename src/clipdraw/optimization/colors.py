"""Colors as people compare them, in the space Oklab, and the nearest of a few."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

_TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def oklab(colors: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Lightness from 0 to 1, and the green-red and blue-yellow axes, of sRGB colors in [0, 1].

    Source: Ottosson 2020, "A perceptual color space for image processing"; CSS Color 4, W3C, section 9.2.
    """
    linear = torch.where(colors <= 0.04045, colors / 12.92, ((colors.clamp(min=0.04) + 0.055) / 1.055) ** 2.4)
    cones = linear @ colors.new_tensor(_TO_CONES).T
    return cones.clamp(min=0).pow(1 / 3) @ colors.new_tensor(_TO_LAB).T


def nearest(colors: Float[Tensor, "*n 3"], palette: Float[Tensor, "colors 3"]) -> Int[Tensor, "*n"]:
    """For each color the number of the palette's color that looks most alike."""
    apart = oklab(colors.clamp(0, 1))[..., None, :] - oklab(palette)
    return apart.square().sum(-1).argmin(-1)
