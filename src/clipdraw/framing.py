"""Pictures set on white: pad, letterbox, and choose among several."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_MARGIN = 0.08  # of the shorter side, on each side


def select_variant(pictures: Float[Tensor, "pictures 3 side side"], variant: int) -> Float[Tensor, "3 side side"]:
    """One of the pictures, counted in a circle; every second time around it is mirrored."""
    around, number = divmod(variant, len(pictures))
    return pictures[number].flip(2) if around % 2 else pictures[number]


def pad_to_square(image: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 side side"]:
    """The image in the middle of a white square."""
    side = max(image.shape[1:])
    return _center(image, side, side)


def letterbox(picture: Float[Tensor, "3 side side"], height: int, width: int) -> Float[Tensor, "3 height width"]:
    """A square picture resized to fill the middle of a white image but for a margin."""
    side = max(1, round(min(height, width) * (1 - 2 * _MARGIN)))
    size = (side, side)
    resized = functional.interpolate(picture[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)
    return _center(resized, height, width)


def _center(image: Tensor, height: int, width: int) -> Tensor:
    left, top = (width - image.shape[2]) // 2, (height - image.shape[1]) // 2
    return functional.pad(image, (left, width - image.shape[2] - left, top, height - image.shape[1] - top), value=1.0)
