"""What gradient descent needs to know of an image and its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Drawing
from clipdraw.optimization.schedules import Constant, Schedule


@dataclass(frozen=True, eq=False)
class Parameter:
    """A tensor that gradient descent moves.

    Args:
        name: what a checkpoint calls it.
        tensor: a leaf that requires a gradient.
        rate: Adam's learning rate.
        schedule: factor on the rate as the run goes on.
    """

    name: str
    tensor: Tensor
    rate: float
    schedule: Schedule = field(default_factory=lambda: Constant(1.0))


@runtime_checkable
class Parameterization(Protocol):
    """An image that is made of parameters."""

    @property
    def subject(self) -> Drawing | Parameterization:
        """What losses and callers look at: of strokes the drawing, else the parameterization itself."""
        ...

    def parameters(self) -> Sequence[Parameter]:
        """What is moved; the same tensors each time."""
        ...

    def image(self, longest: int) -> Float[Tensor, "3 height width"]:
        """The image in [0, 1] with `longest` pixels along its longer side; differentiable in the parameters."""
        ...

    def project(self) -> None:
        """Change the parameters in place, as little as possible, so that their constraints hold."""
        ...


def resized(image: Float[Tensor, "3 height width"], longest: int) -> Float[Tensor, "3 _ _"]:
    """The image with `longest` pixels along its longer side, antialiased; differentiable."""
    height, width = image.shape[1:]
    if max(height, width) == longest:
        return image
    scale = longest / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    return functional.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)
