"""Views: randomly distorted copies of an image, so that only what survives distortion counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.parameterization import resized

OUTSIDES = ("white", "black", "gray")
"""The colors that can lie beyond an image's edge."""
_DENSITY = 2
"""Samples a pixel of a view, along each axis, of an image with more pixels than the view. Such an image keeps at most
as many times the view's pixels, so that a sample stands for a pixel or less. Against exact means over pixels, views of
64 pixels of an image of 224 are off by 0.014 (root mean square); with one sample by 0.071, with 3 by 0.008 in twice the
time."""


@dataclass(frozen=True)
class Views:
    """A random perspective, then a random crop that is resized to a square.

    The image is first set into the middle of a square, so that drawings of any aspect keep their shape.

    Args:
        count: views of each image, at least 1.
        distortion: how far each corner may move inward, as a fraction of half the side, in [0, 1); 0 is none.
        area: smallest and largest fraction of the square that a crop covers, in (0, 1].
        aspect: smallest and largest width to height of a crop, log-uniform between.
        outside: what lies beyond the image: `white` or the color of its paper, `black`, or a random `gray` for each
            view.
        enabled: False leaves every view undistorted and uncropped.

    Raises:
        InputError: a value is out of range.

    Source: Frans et al. 2021 (CLIPDraw), section 3 and its notebook: torchvision's RandomPerspective
    (distortion 0.5, always applied) and RandomResizedCrop (area 0.7 to 0.9). There each is sampled
    bilinearly in turn; here both are one transform and one sampling. There the image has as many pixels as a view;
    here it may have more, and a view's pixel is then the mean of several samples.
    """

    count: int = 8
    distortion: float = 0.5
    area: tuple[float, float] = (0.7, 0.9)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    outside: str = "white"
    enabled: bool = True

    def __post_init__(self) -> None:
        check_fields(self, prefix="views: ")
        if self.count < 1:
            raise InputError(f"views must be at least 1, got {self.count}")
        if not 0 <= self.distortion < 1:
            raise InputError(f"a view's distortion lies in [0, 1), got {self.distortion}")
        if not 0 < self.area[0] <= self.area[1] <= 1:
            raise InputError(f"a view's area lies in (0, 1], smallest first, got {self.area}")
        if not 0 < self.aspect[0] <= self.aspect[1]:
            raise InputError(f"a view's aspect is above 0, smallest first, got {self.aspect}")
        if self.outside not in OUTSIDES:
            raise InputError(f"outside is {', '.join(OUTSIDES)}, got {self.outside!r}")

    def transforms(self, generator: torch.Generator) -> Float[Tensor, "views 3 3"]:
        """Random homographies from a view's square [-1, 1]^2 to the image's, float64 on the generator's device."""
        if not self.enabled:
            return torch.eye(3, dtype=torch.float64).expand(self.count, 3, 3)
        crops = torch.stack([self._crop(generator) for _ in range(self.count)])
        return self._perspectives(generator) @ crops

    def _crop(self, generator: torch.Generator) -> Float[Tensor, "3 3"]:
        """An affine map from the square to a random rectangle within it; ten tries, then the middle."""
        low, high = (math.log(a) for a in self.aspect)
        for _ in range(10):
            area, ratio, x, y = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
            covered = self.area[0] + (self.area[1] - self.area[0]) * area
            aspect = math.exp(low + (high - low) * ratio)
            width, height = math.sqrt(covered * aspect), math.sqrt(covered / aspect)
            if width <= 1 and height <= 1:
                return _affine(width, height, (2 * x - 1) * (1 - width), (2 * y - 1) * (1 - height))
        return _affine(1.0, 1.0, 0.0, 0.0)

    def _perspectives(self, generator: torch.Generator) -> Float[Tensor, "views 3 3"]:
        """Homographies that carry the square's corners, each moved inward at random, back to the corners."""
        corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
        moves = torch.rand(self.count, 4, 2, generator=generator, dtype=torch.float64) * self.distortion
        return _homographies(corners * (1 - moves), corners.expand(self.count, 4, 2))

    def apply(
        self,
        image: Float[Tensor, "channels height width"],
        size: int,
        *,
        generator: torch.Generator,
        paper: Float[Tensor, " 3"] | None = None,
    ) -> Float[Tensor, "views 3 size size"]:
        """Views of `image` in [0, 1], drawn with `generator`.

        Args:
            image: red, green and blue in [0, 1]; or these premultiplied, and alpha: each view is then on another gray.
            size: height and width of each view, in pixels.
            generator: the only source of randomness.
            paper: the color that lies beyond the image instead of white.

        Returns:
            The views; differentiable in `image`.
        """
        (views,) = self.apply_to_all([image], size, generator=generator, paper=paper)
        return views

    def apply_to_all(
        self,
        images: Sequence[Float[Tensor, "channels _ _"]],
        size: int,
        *,
        generator: torch.Generator,
        paper: Float[Tensor, " 3"] | None = None,
    ) -> list[Float[Tensor, "views 3 size size"]]:
        """The same random views of several images of as many channels, as `apply` makes them of one."""
        matrices = self.transforms(generator)
        gray = self.outside == "gray" or len(images[0]) == 4
        shade = self._outside_shade(generator, gray).to(images[0])[:, None, None, None]
        if paper is not None and self.outside == "white" and not gray:
            shade = paper[:, None, None]
        sampled = [_sampled(image, matrices, size) for image in images]
        return [views[:, :3] + (1.0 - views[:, 3:]) * shade for views in sampled]

    def _outside_shade(self, generator: torch.Generator, gray: bool) -> Float[Tensor, " views"]:
        if gray:
            return torch.rand(self.count, generator=generator)
        return torch.full((self.count,), 1.0 if self.outside == "white" else 0.0)


def _affine(width: float, height: float, x: float, y: float) -> Float[Tensor, "3 3"]:
    return torch.tensor([[width, 0.0, x], [0.0, height, y], [0.0, 0.0, 1.0]], dtype=torch.float64)


def _homographies(
    sources: Float[Tensor, "views 4 2"], targets: Float[Tensor, "views 4 2"]
) -> Float[Tensor, "views 3 3"]:
    """The homographies that carry four points each to four others, by the direct linear transform."""
    x, y = sources.unbind(-1)
    u, v = targets.unbind(-1)
    one, zero = torch.ones_like(x), torch.zeros_like(x)
    rows_u = torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1)
    rows_v = torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1)
    solved = torch.linalg.solve(torch.cat([rows_u, rows_v], 1), torch.cat([u, v], 1))
    return torch.cat([solved, torch.ones_like(solved[:, :1])], 1).reshape(-1, 3, 3)


def _sampled(
    image: Float[Tensor, "channels height width"], matrices: Float[Tensor, "views 3 3"], size: int
) -> Float[Tensor, "views 4 size size"]:
    """Views with the alpha of each pixel, the fraction that lies on the image: bilinear, averaged if it is larger."""
    height, width = image.shape[1:]
    density = _DENSITY if max(height, width) > size else 1
    fine = size * density
    grid = _grid(matrices, fine, height=height, width=width).to(image)
    shown = resized(image, fine) if max(height, width) > fine else image
    # All views as one tall grid over one image: its gradient is summed in one fixed order.
    with_coverage = shown if len(shown) == 4 else torch.cat([shown, torch.ones_like(shown[:1])])
    sampled = functional.grid_sample(
        with_coverage[None], grid.reshape(1, -1, fine, 2), padding_mode="zeros", align_corners=False
    )
    views = sampled[0].reshape(4, -1, fine, fine).transpose(0, 1)
    return functional.avg_pool2d(views, density) if density > 1 else views


def _grid(
    matrices: Float[Tensor, "views 3 3"], size: int, *, height: int, width: int
) -> Float[Tensor, "views size size 2"]:
    """The place of each view's pixel in the image's own [-1, 1]^2, the image being in the middle of a square."""
    axis = (torch.arange(size, dtype=torch.float64) * 2 + 1) / size - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)], -1).reshape(-1, 3)
    mapped = pixels @ matrices.transpose(1, 2)  # (views, size * size, 3)
    side = max(height, width)
    stretch = torch.tensor([side / width, side / height], dtype=torch.float64)
    return (mapped[..., :2] / mapped[..., 2:] * stretch).reshape(-1, size, size, 2)
