"""The settings of an optimization, whatever the drawing shows."""

from __future__ import annotations

from dataclasses import dataclass, field

from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.arrangement import Arrangement
from clipdraw.optimization.constraints import ColorRange, Constraint, WidthRange
from clipdraw.optimization.parameterization import Rates
from clipdraw.optimization.views import Views


@dataclass(frozen=True)
class Recipe:
    """The settings of an optimization, whatever the drawing shows.

    Args:
        steps: updates, at least 1.
        views: the distorted copies that the encoder sees in each step.
        rates: learning rates of strokes.
        constraints: rules for strokes that are restored after each update, in order.
        resolution: pixels along the longer side of the image that views are made of; None takes the encoder's view
            size.
        arrangement: from the paths that are moved to the drawing that is shown; None if it is the same.
        moves_background: whether the background's color is optimized, too.
        backend: the rasterizer's implementation.

    Raises:
        InputError: a value is out of range.
    """

    steps: int = 250
    views: Views = field(default_factory=Views)
    rates: Rates = field(default_factory=Rates)
    constraints: tuple[Constraint, ...] = (WidthRange(), ColorRange())
    resolution: int | None = None
    arrangement: Arrangement | None = None
    moves_background: bool = False
    backend: str = "auto"

    def __post_init__(self) -> None:
        check_fields(self, prefix="a recipe's ")
        if self.steps < 1:
            raise InputError(f"steps must be at least 1, got {self.steps}")
        if self.resolution is not None and self.resolution < 1:
            raise InputError(f"a resolution is at least 1 pixel, got {self.resolution}")
