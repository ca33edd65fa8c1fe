"""A frozen image tower as one differentiable operation.

Autograd's bookkeeping for thirty short operations takes about an eighth of the time of eight small views, most of it
under the interpreter's lock, for which threads that compute a share each have to wait.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from clipdraw.encoders.builtin.image_tower import GAIN, ImageTower
from clipdraw.encoders.builtin.packed import PackedConvolution
from clipdraw.encoders.builtin.shares import Network


def frozen(tower: ImageTower) -> Network:
    """What computes the same as the tower, values and gradients, in less time where that is possible.

    Args:
        tower: its convolutions packed (`pack_convolutions`), or not: then it is returned itself.

    The result is differentiable once, in the views alone.
    """
    layers = tower.layers()
    if not all(isinstance(convolution, PackedConvolution) for layer in layers for convolution in layer):
        return tower
    return lambda views: tower.embeddings(_LastMap.apply(views, layers))


class _LastMap(torch.autograd.Function):
    """The feature map after the last layer."""

    @staticmethod
    def forward(
        ctx: Any, views: Float[Tensor, "views 3 size size"], layers: list[tuple[PackedConvolution, ...]]
    ) -> Tensor:
        ctx.layers, ctx.kept, ctx.sizes = layers, [], []
        x = ImageTower.scaled(views)
        for layer in layers:
            ctx.sizes.append(x.shape)
            inner = [layer[0].convolved(x)]
            if len(layer) == 2:
                inner.append(layer[1].convolved(functional.silu(inner[0])).add_(x))
            ctx.kept.append(inner)
            x = functional.silu(inner[-1])
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        for layer, inner, size in zip(reversed(ctx.layers), reversed(ctx.kept), reversed(ctx.sizes), strict=True):
            grad = torch.ops.aten.silu_backward(grad, inner[-1])
            if len(layer) == 1:
                grad = layer[0].by_input(grad, size)
            else:
                through = torch.ops.aten.silu_backward(layer[1].by_input(grad, size), inner[0])
                grad = layer[0].by_input(through, size).add_(grad)
        return grad * GAIN, None
