"""How far what a drawing shows lies from the middle of its canvas, in units of a 224-unit canvas."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing


def point_distances(drawing: Drawing) -> Float[Tensor, " points"]:
    """Of each control point.

    Differentiable in the points; at the exact middle, where a distance has no gradient, it is 0 and not NaN.
    """
    middle = drawing.points.new_tensor([drawing.canvas.width / 2, drawing.canvas.height / 2])
    return torch.linalg.vector_norm(drawing.points - middle, dim=1) / drawing.canvas.scale


def pixel_distances(canvas: Canvas, height: int, width: int) -> Float[Tensor, "height width"]:
    """Of the middle of each pixel of an image of the canvas."""
    x = ((torch.arange(width) + 0.5) / width - 0.5) * canvas.width
    y = ((torch.arange(height) + 0.5) / height - 0.5) * canvas.height
    return torch.hypot(x[None, :], y[:, None]) / canvas.scale


def ink(image: Float[Tensor, "3 height width"], background: Float[Tensor, " 3"]) -> Float[Tensor, "height width"]:
    """How much is painted on each pixel: its largest difference from the background over the three channels, in [0, 1].

    Differentiable in the image.
    """
    return (image - background[:, None, None]).abs().amax(0)
