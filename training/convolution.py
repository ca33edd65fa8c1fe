"""A 3 x 3 convolution whose weights' gradient is a matrix product, for CPUs with matrix units.

torch's own gradient of the weights takes five times as long at 4 x 4 places; where there are more places than that, it
is about as fast, and is taken.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

_MOST_PLACES = 16


class _ConvolutionOfFewPlaces(torch.autograd.Function):
    """Convolution with a padding of one, channels last."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return functional.conv2d(x, weight, bias, 1, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        grad_x = None
        if ctx.needs_input_grad[0]:
            turned = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
            grad_x = functional.conv2d(grad, turned, None, 1, 1)
        rows = grad.permute(0, 2, 3, 1).reshape(-1, grad.shape[1])
        return grad_x, weight_gradient(x, rows), rows.float().sum(0).to(weight.dtype)


def weight_gradient(
    x: Float[Tensor, "batch inputs height width"], rows: Float[Tensor, "places outputs"]
) -> Float[Tensor, "outputs inputs 3 3"]:
    """The gradient of the weights, from the input and the output's gradient at each place of each picture."""
    height, width = x.shape[2:]
    padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
    shifted = [padded[:, i : i + height, j : j + width].flatten(0, 2) for i in range(3) for j in range(3)]
    found = rows.T @ torch.cat(shifted, 1)
    return found.unflatten(1, (3, 3, x.shape[1])).permute(0, 3, 1, 2)


class Convolution(nn.Conv2d):
    """A 3 x 3 convolution that keeps height and width."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of `x`, in bfloat16 where autocast says so."""
        few = x.shape[2] * x.shape[3] <= _MOST_PLACES and x.device.type == "cpu"
        if not (few and torch.is_autocast_enabled("cpu") and torch.is_grad_enabled()):
            return super().forward(x)
        assert self.bias is not None
        weight = self.weight.bfloat16()
        return _ConvolutionOfFewPlaces.apply(x.bfloat16(), weight, self.bias.bfloat16())
