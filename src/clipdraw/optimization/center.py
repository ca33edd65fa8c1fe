"""A pull to the middle of the canvas, and the distances that it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing
from clipdraw.encoders import Encoder
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.losses import Frame, Term, ink

_PENALTIES: dict[str, Callable[[Tensor, float, float], Tensor]] = {
    "sum": lambda distances, radius, power: distances,
    "pull": lambda distances, radius, power: distances,
    "ring": lambda distances, radius, power: (distances - radius).abs().pow(power),
    "disc": lambda distances, radius, power: torch.relu(distances - radius).pow(power),
}
_FARTHEST = 10_000
KINDS = tuple(_PENALTIES)
"""The kinds of penalties."""
CIRCLES = ("ring", "disc")
"""Those that have a radius."""
MEASURES = ("points", "ink")
"""The parts of a drawing that can be pulled: control points, or the ink, which is what is painted."""


@dataclass(frozen=True)
class Center:
    """A pull on what lies far from the middle of the canvas, in four kinds.

    With d the distances from the middle, in units of a 224-unit canvas:

    - `sum`: weight x sum(d): everything is drawn into the middle, the more the more strokes there are;
    - `pull`: weight x sum(d) / strokes: the same for any number of strokes;
    - `ring`: weight x sum(|d - radius| ^ power) / strokes: everything is drawn to a circle;
    - `disc`: weight x sum(max(0, d - radius) ^ power) / strokes: free within the circle.

    Args:
        radius: of the circle, 0 to 10,000; of no meaning for `sum` and `pull`.
        weight: above 0. A prompt's loss is about -0.5 a view.
        power: from 1 to 10; of no meaning for `sum` and `pull`.
        kind: one of the four.
        on: `points`, the control points, as published; or `ink`: the mean over what is painted, as the encoder sees
            it, times the number of points, so that the same weight means about the same. Ink on the background's
            color and beyond the canvas does not count; where it does, strokes also become fainter or thinner.

    Raises:
        InputError: a value is out of range.

    Source: Constraining CLIPDraw (the article, step by step; its final code is `disc` with 75, 0.001 and 2).
    """

    radius: float = 75.0
    weight: float = 0.001
    power: float = 2.0
    kind: str = "disc"
    on: str = "points"
    name: str = "center"

    def __post_init__(self) -> None:
        check_fields(self, prefix="the center's ")
        if not (0 <= self.radius <= _FARTHEST and self.weight > 0 and 1 <= self.power <= 10):
            raise InputError(
                f"the center's radius is from 0 to {_FARTHEST}, its weight above 0, its power from 1 to 10, got "
                f"{self.radius}, {self.weight}, {self.power}"
            )
        for what, value, allowed in (("kind", self.kind, KINDS), ("measure", self.on, MEASURES)):
            if value not in allowed:
                raise InputError(f"the center's {what} is one of {', '.join(allowed)}, got {value!r}")

    def build(self, encoder: Encoder) -> Term:
        """The weighted penalty."""

        @cache
        def pixel_penalties(canvas: Canvas, height: int, width: int, device: torch.device) -> Tensor:
            return self._penalties(pixel_distances(canvas, height, width).to(device))

        def mean(frame: Frame) -> Tensor:
            if self.on == "points":
                return self._penalties(point_distances(frame.drawing)).mean()
            amount = ink(frame.image, frame.drawing.paper)
            penalties = pixel_penalties(frame.drawing.canvas, *amount.shape, amount.device)
            return (amount * penalties).sum() / amount.detach().sum().clamp(min=1e-6)

        def penalty(frame: Frame) -> Tensor:
            total = self.weight * len(frame.drawing.points) * mean(frame)
            return total if self.kind == "sum" else total / len(frame.drawing)

        return penalty

    def _penalties(self, distances: Tensor) -> Tensor:
        return _PENALTIES[self.kind](distances, self.radius, self.power)


def point_distances(drawing: Drawing) -> Float[Tensor, " points"]:
    """The distance of each control point from the middle, in units of a 224-unit canvas.

    Differentiable in the points; at the exact middle, where a distance has no gradient, it is 0 and not NaN.
    """
    middle = drawing.points.new_tensor([drawing.canvas.width / 2, drawing.canvas.height / 2])
    return torch.linalg.vector_norm(drawing.points - middle, dim=1) / drawing.canvas.scale


def pixel_distances(canvas: Canvas, height: int, width: int) -> Float[Tensor, "height width"]:
    """The distance of the center of each pixel of an image of the canvas, in the same units."""
    x = ((torch.arange(width) + 0.5) / width - 0.5) * canvas.width
    y = ((torch.arange(height) + 0.5) / height - 0.5) * canvas.height
    return torch.hypot(x[None, :], y[:, None]) / canvas.scale
