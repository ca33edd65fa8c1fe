"""What a gradient looks like at given places."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Gradient


def gradient_colors(
    gradient: Gradient, matrix: Float[Tensor, "2 3"], centers: Float[Tensor, "places 2"]
) -> Float[Tensor, "places 4"]:
    """Straight red, green, blue and opacity at the centers of pixels.

    Args:
        gradient: the colors.
        matrix: from the coordinates of the path that it paints to pixels.
        centers: in pixels.

    Differentiable in the matrix and in the gradient's geometry, radius, offsets and colors.

    Source: SVG 2, W3C, section 13.2 (a focus outside the circle is not moved inside).
    """
    full = matrix[:, :2] @ gradient.matrix[:, :2]
    origin = matrix[:, :2] @ gradient.matrix[:, 2] + matrix[:, 2]
    (a, b), (c, d) = full
    determinant = a * d - b * c
    least = (1e-6 * full.detach().square().sum()).clamp(min=1e-18)  # below, the inverse is of no use
    if not bool(determinant.detach().abs() > least):
        return gradient.colors[-1].expand(len(centers), 4)
    inverse = torch.stack((torch.stack((d, -b)), torch.stack((-c, a)))) / determinant
    places = (centers - origin) @ inverse.T
    return colors_at(gradient, _spread(_linear(gradient, places), gradient.spread))


def _linear(gradient: Gradient, places: Float[Tensor, "places 2"]) -> Float[Tensor, " places"]:
    """How far along the gradient each place is, 0 at its start and 1 at its end."""
    one, two = gradient.geometry
    if gradient.kind == "linear":
        along = two - one
        return (places - one) @ along / along.square().sum().clamp(min=1e-12)
    offset, center = places - two, one - two  # seen from the focus
    squared = (gradient.radius.square() - center.square().sum()).clamp(min=1e-9)
    half = offset @ center
    root = (half.square() + squared * offset.square().sum(1)).clamp(min=1e-18).sqrt()
    return (root - half) / squared


def _spread(share: Float[Tensor, " places"], spread: str) -> Float[Tensor, " places"]:
    if spread == "repeat":
        return share - share.detach().floor()
    if spread == "reflect":
        phase = share - 2 * (share.detach() / 2).floor()
        return torch.where(phase > 1, 2 - phase, phase)
    return share.clamp(0, 1)


def colors_at(gradient: Gradient, share: Float[Tensor, " places"]) -> Float[Tensor, "places 4"]:
    """Colors between the stops, not premultiplied, as SVG wants."""
    offsets, colors = gradient.offsets, gradient.colors
    if len(offsets) == 1:
        return colors.expand(len(share), 4)
    after = torch.searchsorted(offsets.detach().contiguous(), share.detach(), right=True).clamp(1, len(offsets) - 1)
    low, high = offsets[after - 1], offsets[after]
    part = ((share - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)[:, None]
    return colors[after - 1] + part * (colors[after] - colors[after - 1])
