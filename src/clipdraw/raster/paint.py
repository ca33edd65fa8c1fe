"""The colors of gradients at given places."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Gradient
from clipdraw.raster.constants import FLATTEST

INSIDE = 0.999
"""How near to the circle a focus may come, in radii; one that is outside is taken to be there, as in SVG 1.1."""
SMALLEST_PX = 1e-3
"""Gradients not longer than this are nowhere between their stops' colors."""
TINY = 1e-36
"""The least that roots are drawn of, so that their derivatives are finite."""


def gradient_colors(
    gradient: Gradient, matrix: Float[Tensor, "2 3"], centers: Float[Tensor, "places 2"]
) -> Float[Tensor, "places 4"]:
    """Straight red, green, blue and opacity at the centers of pixels, in the precision of the gradient.

    A gradient without extent has the color of its last stop everywhere. A stop before an earlier one is taken to be
    where that is. Where several share an offset, the first has the color before, the last that from there on.

    Args:
        gradient: the colors.
        matrix: from the coordinates of the path that it paints to pixels.
        centers: in pixels, in the precision that places are computed in, which is the matrix's.

    Differentiable in the matrix and in the gradient's geometry, radius, offsets and colors.

    Source: SVG 2, W3C, section 13.2 (but SVG 1.1 for a focus outside the circle).
    """
    own = gradient.matrix.to(matrix)
    full, origin = matrix[:, :2] @ own[:, :2], matrix[:, :2] @ own[:, 2] + matrix[:, 2]
    (a, b), (c, d) = full
    determinant = a * d - b * c
    least = (FLATTEST * full.detach().square().sum()).clamp(min=1e-30)
    one, two = gradient.geometry.to(matrix)
    extent = (two - one).norm() if gradient.kind == "linear" else gradient.radius
    extent_px = extent.detach() * full.detach().abs().max()
    if not bool((determinant.detach().abs() > least) & (extent_px > SMALLEST_PX)):
        return gradient.colors[-1].expand(len(centers), 4)
    inverse = torch.stack((torch.stack((d, -b)), torch.stack((-c, a)))) / determinant
    places = (centers - origin) @ inverse.T
    along = _linear(one, two, places) if gradient.kind == "linear" else _radial(gradient, one, two, places)
    return colors_at(gradient, _spread(along, gradient.spread))


def _linear(start: Tensor, end: Tensor, places: Float[Tensor, "places 2"]) -> Float[Tensor, " places"]:
    """How far along the gradient each place is, 0 at its start and 1 at its end."""
    along = end - start
    return (places - start) @ along / along.square().sum()


def _radial(
    gradient: Gradient, center: Tensor, focus: Tensor, places: Float[Tensor, "places 2"]
) -> Float[Tensor, " places"]:
    """The same from the focus to the circle."""
    radius = gradient.radius.to(places)
    reach = (focus - center).square().sum().clamp(min=TINY).sqrt()
    focus = center + (focus - center) * (INSIDE * radius / reach).clamp(max=1)
    offset, back = places - focus, center - focus
    squared, half = radius.square() - back.square().sum(), offset @ back
    root = (half.square() + squared * offset.square().sum(1)).clamp(min=TINY).sqrt()
    return (root - half) / squared


def _spread(along: Float[Tensor, " places"], spread: str) -> Float[Tensor, " places"]:
    if spread == "repeat":
        return along - along.detach().floor()
    if spread == "reflect":
        phase = along - 2 * (along.detach() / 2).floor()
        return torch.where(phase > 1, 2 - phase, phase)
    return along.clamp(-1, 2)  # before the start is not at it: of several stops there, each has its side


def colors_at(gradient: Gradient, along: Float[Tensor, " places"]) -> Float[Tensor, "places 4"]:
    """Colors between the stops, not premultiplied, as SVG wants."""
    offsets, colors = gradient.offsets.to(along).cummax(0).values, gradient.colors
    if len(offsets) == 1:
        return colors.expand(len(along), 4)
    after = torch.searchsorted(offsets.detach().contiguous(), along.detach(), right=True).clamp(1, len(offsets) - 1)
    low, high = offsets[after - 1], offsets[after]
    apart = high > low
    part = torch.where(apart, (along - low) / torch.where(apart, high - low, 1), (along >= high).to(along))
    part = part.clamp(0, 1)[:, None].to(colors)
    return colors[after - 1] + part * (colors[after] - colors[after - 1])
