"""Pictures set on white: pad, letterbox, choose among several; and boxes in them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_MARGIN = 0.08  # of the shorter side, on each side
_MOST_INK = 0.98  # of a picture's ink: a stray dot in a corner does not count


class Box(NamedTuple):
    """A rectangle within a canvas or a picture, in fractions of its width and height from the top left corner."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    @property
    def width(self) -> float:
        """Its extent in x."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Its extent in y."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """The fraction of the whole that it covers."""
        return self.width * self.height

    def pixels(self, height: int, width: int, *, margin: float = 0.0) -> tuple[slice, slice]:
        """The rows and columns of an image that it covers, one each at least.

        Args:
            height: of the image.
            width: of the image.
            margin: added on each side, as a fraction of the box's longer side in pixels.
        """
        more = margin * max(self.width * width, self.height * height)
        return (
            _covered(self.top * height - more, self.bottom * height + more, height),
            _covered(self.left * width - more, self.right * width + more, width),
        )


WHOLE = Box()


def _covered(start: float, end: float, size: int) -> slice:
    first = min(max(0, round(start)), size - 1)
    return slice(first, max(first + 1, min(size, round(end))))


def select_variant(pictures: Float[Tensor, "pictures 3 side side"], variant: int) -> Float[Tensor, "3 side side"]:
    """One of the pictures, counted in a circle; every second time around it is mirrored."""
    around, number = divmod(variant, len(pictures))
    return pictures[number].flip(2) if around % 2 else pictures[number]


def pad_to_square(image: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 side side"]:
    """The image in the middle of a white square."""
    side = max(image.shape[1:])
    return _center(image, side, side)


def letterbox(
    picture: Float[Tensor, "3 side side"], height: int, width: int, *, radius: float | None = None
) -> Float[Tensor, "3 height width"]:
    """A square picture resized to fill the middle of a white image but for a margin.

    Args:
        picture: on white, in [0, 1].
        height: of the image, in pixels.
        width: of the image, in pixels.
        radius: of the circle about the middle that the picture is shrunk into if its ink reaches beyond, as a
            fraction of the image's shorter side.
    """
    whole = 1 - 2 * _MARGIN
    fraction = whole if radius is None else min(whole, radius / _reach(picture))
    side = max(1, round(min(height, width) * fraction))
    size = (side, side)
    resized = functional.interpolate(picture[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)
    return _center(resized, height, width)


def fitted(picture: Float[Tensor, "3 _ _"], height: int, width: int) -> Float[Tensor, "3 height width"]:
    """A picture of any proportions resized to fill the middle of a white image."""
    scale = min(height / picture.shape[1], width / picture.shape[2])
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[2] * scale))
    resized = functional.interpolate(picture[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)
    return _center(resized, height, width)


def _reach(picture: Float[Tensor, "3 side side"]) -> float:
    """The distance from the middle within which a picture on white has most of its ink, as a fraction of its side."""
    ink = (1 - picture).amax(0).flatten()
    axis = (torch.arange(picture.shape[1], device=picture.device) + 0.5) / picture.shape[1] - 0.5
    distances, order = torch.hypot(axis[None], axis[:, None]).flatten().sort()
    within = ink[order].cumsum(0) <= _MOST_INK * ink.sum()
    return distances[int(within.sum().clamp(max=len(distances) - 1))].item()


def _center(image: Tensor, height: int, width: int) -> Tensor:
    left, top = (width - image.shape[2]) // 2, (height - image.shape[1]) // 2
    return functional.pad(image, (left, width - image.shape[2] - left, top, height - image.shape[1] - top), value=1.0)
