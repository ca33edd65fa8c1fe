"""Images that are made of parameters: strokes, pixels, and whatever else gradient descent is to move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.arrangement import Arrangement, arranged
from clipdraw.optimization.constraints import Constraint
from clipdraw.optimization.schedules import Constant, Schedule, Staircase
from clipdraw.raster import rasterize, rasterize_layer

PIXEL_RATE = 0.01
"""Adam's learning rate of pixels, before the sigmoid: the published one."""
_LEAST_PIXEL = 1e-3
"""Distance from 0 and 1 of the pixels that an image can start from: a sigmoid reaches neither."""
_FASTEST = 1000


@dataclass(frozen=True, eq=False)
class Parameter:
    """A tensor that gradient descent moves.

    Args:
        name: what a checkpoint calls it.
        tensor: a leaf that requires a gradient.
        rate: Adam's learning rate, 0 or more.
        schedule: factor on the rate as the run goes on.

    Raises:
        InputError: the rate is out of range.
    """

    name: str
    tensor: Tensor
    rate: float
    schedule: Schedule = field(default_factory=lambda: Constant(1.0))

    def __post_init__(self) -> None:
        check_fields(self, prefix="a parameter's ")
        if self.rate < 0:
            raise InputError(f"a parameter's learning rate is 0 or more, got {self.rate}")


@runtime_checkable
class Parameterization(Protocol):
    """An image that is made of parameters."""

    @property
    def subject(self) -> Drawing | Parameterization:
        """The object that losses and callers look at: the drawing of strokes, else the parameterization itself."""
        ...

    def parameters(self) -> Sequence[Parameter]:
        """The tensors that are moved; the same ones each time."""
        ...

    def image(self, longest: int) -> Float[Tensor, "channels height width"]:
        """The image in [0, 1] with `longest` pixels along its longer side; differentiable in the parameters.

        Red, green and blue; of what has no background, these premultiplied, and alpha.
        """
        ...

    def project(self) -> None:
        """Change the parameters in place, as little as possible, so that their constraints hold."""
        ...


@dataclass(frozen=True)
class Rates:
    """Adam's learning rates, 0 to 1000, in units of a 224-unit canvas; the published ones.

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
        check_fields(self, prefix="learning rates: ")
        if not all(0 <= rate <= _FASTEST for rate in (self.points, self.width, self.color)):
            raise InputError(
                f"learning rates are 0 or more, at most {_FASTEST}, got {self.points}, {self.width}, {self.color}"
            )


class Strokes:
    """The paths of a drawing, of any kind: points, widths and colors of strokes and fills.

    Gradients, transforms and the opacities of whole paths stay as they are.

    Args:
        drawing: the start; it is copied.
        rates: learning rates.
        constraints: rules that `project` restores, in order.
        arrangement: from the paths that are moved to the drawing that is shown; None if it is the same.
        moves_background: whether the background's color is optimized, too.
        backend: the rasterizer's implementation.
        device: where they live.

    Raises:
        InputError: the background is to be moved and the drawing has none.
    """

    def __init__(
        self,
        drawing: Drawing,
        *,
        rates: Rates | None = None,
        constraints: Sequence[Constraint] = (),
        arrangement: Arrangement | None = None,
        moves_background: bool = False,
        backend: str = "auto",
        device: torch.device | str = "cpu",
    ) -> None:
        if moves_background and drawing.background is None:
            raise InputError("a drawing without a background has none to optimize; give it a color to start from")
        self.drawing = drawing.detached().to(device=device)
        self._rates, self._constraints, self._backend = rates or Rates(), tuple(constraints), backend
        self._arrangement, self._moves_background = arrangement, moves_background
        for parameter in self.parameters():
            parameter.tensor.requires_grad_()

    @property
    def subject(self) -> Drawing:
        """The drawing that is shown."""
        return arranged(self.drawing, self._arrangement)

    def parameters(self) -> tuple[Parameter, ...]:
        """Points, widths and colors; fills and the background where there are any that are moved."""
        drawing, rates = self.drawing, self._rates
        scale, other = drawing.canvas.scale, rates.other_schedule
        colors = {"colors": drawing.colors, "fills": drawing.fills}
        if self._moves_background:
            colors["background"] = drawing.background
        return (
            Parameter("points", drawing.points, rates.points * scale, rates.points_schedule),
            Parameter("widths", drawing.widths, rates.width * scale, other),
            *(Parameter(name, each, rates.color, other) for name, each in colors.items() if each is not None),
        )

    def image(self, longest: int) -> Float[Tensor, "channels height width"]:
        """The drawing that is shown, rasterized; without a background premultiplied, with alpha."""
        shown = self.subject
        height, width = shown.canvas.pixel_size(longest)
        paint = rasterize if shown.background is not None else rasterize_layer
        return paint(shown, height=height, width=width, backend=self._backend)

    def project(self) -> None:
        """Restore the constraints, and the background to a color."""
        for constraint in self._constraints:
            constraint.project(self.drawing)
        if self._moves_background and self.drawing.background is not None:
            self.drawing.background.clamp_(0, 1)


class Pixels:
    """A matrix of red, green and blue values, each the sigmoid of a number.

    Args:
        start: the image to start from, in [0, 1]; it is copied.
        rate: Adam's learning rate of the numbers.
        device: where it lives.

    Source: Frans et al. 2021 (CLIPDraw), section 4.1, "Pixel Optimization"; its code starts from gray, too.
    """

    def __init__(
        self, start: Float[Tensor, "3 height width"], *, rate: float = PIXEL_RATE, device: torch.device | str = "cpu"
    ) -> None:
        self.logits = torch.logit(start.detach(), _LEAST_PIXEL).to(device).requires_grad_()
        self._rate = rate

    @classmethod
    def gray(cls, canvas: Canvas, *, device: torch.device | str = "cpu") -> Pixels:
        """Pixels of the same middle gray, one a canvas unit: 224 x 224 x 3 on the published canvas."""
        height, width = max(1, round(canvas.height)), max(1, round(canvas.width))
        return cls(torch.full((3, height, width), 0.5), device=device)

    @property
    def subject(self) -> Pixels:
        """Itself."""
        return self

    def parameters(self) -> tuple[Parameter, ...]:
        """The numbers before the sigmoid."""
        return (Parameter("pixels", self.logits, self._rate),)

    def image(self, longest: int) -> Float[Tensor, "3 height width"]:
        """The pixels, resized with antialiasing if they are not of that size."""
        return resized(torch.sigmoid(self.logits), longest)

    def project(self) -> None:
        """Nothing: a sigmoid keeps the pixels within [0, 1]."""


def resized(image: Float[Tensor, "channels height width"], longest: int) -> Float[Tensor, "channels _ _"]:
    """The image with `longest` pixels along its longer side, antialiased; differentiable."""
    height, width = image.shape[1:]
    if max(height, width) == longest:
        return image
    size = Canvas(width, height).pixel_size(longest)
    return functional.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)
