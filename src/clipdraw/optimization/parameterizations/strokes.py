"""An image as the strokes of a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError
from clipdraw.optimization.constraints import Constraint
from clipdraw.optimization.parameterizations.base import Parameter
from clipdraw.optimization.schedules import Constant, Schedule, Staircase
from clipdraw.raster import rasterize


@dataclass(frozen=True)
class Rates:
    """Adam's learning rates, in units of a 224-unit canvas; the published ones.

    Args:
        points: for control points.
        width: for full widths (0.1 on half widths in the notebook).
        color: for color channels and opacity.
        points_schedule: factor on the points' rate as the run goes on.
        other_schedule: factor on the other two.

    Source: Frans et al. 2021 (CLIPDraw), published notebook; Kingma and Ba 2015, Adam, arXiv 1412.6980.
    """

    points: float = 1.0
    width: float = 0.2
    color: float = 0.01
    points_schedule: Schedule = field(default_factory=Staircase)
    other_schedule: Schedule = field(default_factory=lambda: Constant(1.0))

    def __post_init__(self) -> None:
        if not all(0 <= rate < float("inf") for rate in (self.points, self.width, self.color)):
            raise InputError(f"learning rates are 0 or more, got {self.points}, {self.width}, {self.color}")


class Strokes:
    """Plain strokes: open, with round caps and joins.

    Args:
        drawing: the start; it is copied.
        rates: learning rates.
        constraints: rules that `project` restores, in order.
        backend: the rasterizer's implementation.
        device: where they live.

    Raises:
        InputError: the drawing has other paths than plain strokes.
    """

    def __init__(
        self,
        drawing: Drawing,
        *,
        rates: Rates | None = None,
        constraints: Sequence[Constraint] = (),
        backend: str = "auto",
        device: torch.device | str = "cpu",
    ) -> None:
        if not drawing.only_strokes:
            raise InputError(
                "an optimization moves plain strokes (open, round caps and joins); for fills and gradients write a "
                "loop of your own over rasterize, as in examples/refine_svg.py"
            )
        self.drawing = drawing.detached().to(device=device)
        for tensor in self.drawing.parameters():
            tensor.requires_grad_()
        self._rates, self._constraints, self._backend = rates or Rates(), tuple(constraints), backend

    @property
    def subject(self) -> Drawing:
        """The drawing."""
        return self.drawing

    def parameters(self) -> tuple[Parameter, ...]:
        """Points, widths and colors."""
        drawing, rates = self.drawing, self._rates
        scale, other = drawing.canvas.scale, rates.other_schedule
        return (
            Parameter("points", drawing.points, rates.points * scale, rates.points_schedule),
            Parameter("widths", drawing.widths, rates.width * scale, other),
            Parameter("colors", drawing.colors, rates.color, other),
        )

    def image(self, longest: int) -> Float[Tensor, "3 height width"]:
        """The drawing, rasterized."""
        canvas = self.drawing.canvas
        pixels = longest / max(canvas.width, canvas.height)
        height, width = (max(1, round(side * pixels)) for side in (canvas.height, canvas.width))
        return rasterize(self.drawing, height=height, width=width, backend=self._backend)

    def project(self) -> None:
        """Restore the constraints."""
        for constraint in self._constraints:
            constraint.project(self.drawing)
