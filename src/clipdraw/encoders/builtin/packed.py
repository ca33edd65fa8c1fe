"""Convolutions with frozen weights, kept in the layout that oneDNN computes with.

A plain convolution rearranges its weights in every call, forward and backward; with eight small views that takes
about half as long as the arithmetic. Frozen weights need it once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def pack_convolutions(module: nn.Module, example: Tensor) -> None:
    """Pack the frozen convolutions in `module` where this torch and this processor can; leave the others.

    Args:
        module: in evaluation mode; changed in place. What it computes stays the same.
        example: an input of the size whose speed matters most; other sizes work too.
    """
    shapes: dict[nn.Module, torch.Size] = {}
    plain = [m for m in module.modules() if isinstance(m, nn.Conv2d)]
    hooks = [m.register_forward_pre_hook(lambda m, given: shapes.update({m: given[0].shape})) for m in plain]
    with torch.no_grad():
        module(example)
    for hook in hooks:
        hook.remove()
    for parent in list(module.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and child in shapes and _can_pack(child):
                packed = _packed(child, shapes[child])
                if packed is not None:
                    setattr(parent, name, packed)


def _can_pack(convolution: nn.Conv2d) -> bool:
    frozen = not any(p.requires_grad for p in convolution.parameters())
    simple = convolution.groups == 1 and convolution.padding_mode == "zeros" and set(convolution.dilation) == {1}
    on_cpu = convolution.weight.device.type == "cpu" and torch.backends.mkldnn.is_available()
    return frozen and simple and on_cpu and convolution.bias is not None and not isinstance(convolution.padding, str)


def _packed(convolution: nn.Conv2d, shape: torch.Size) -> PackedConvolution | None:
    """The convolution packed; None if this torch has no operators for it."""
    example = torch.zeros(shape, dtype=convolution.weight.dtype).contiguous(memory_format=torch.channels_last)
    try:
        packed = PackedConvolution(convolution, shape)
        with torch.enable_grad():
            packed(example.requires_grad_()).sum().backward()
    except (RuntimeError, AttributeError):  # the operators are internal to torch, and not in every build of it
        return None
    return packed


class PackedConvolution(nn.Module):
    """What a frozen `nn.Conv2d` computes; differentiable in its input alone, once.

    Args:
        convolution: the original: with a bias, zero padding, one group, no dilation.
        shape: of a typical input.

    Raises:
        RuntimeError, AttributeError: this torch cannot do it.
    """

    def __init__(self, convolution: nn.Conv2d, shape: torch.Size) -> None:
        super().__init__()
        weight = convolution.weight.detach()
        self.kernel, self.stride = list(weight.shape[2:]), list(convolution.stride)
        self.padding = [int(p) for p in convolution.padding]
        self.bias = convolution.bias
        rest = self.rest(shape)
        sizes = zip(shape[2:], self.padding, self.kernel, self.stride, strict=True)
        outputs = [shape[0], len(weight), *((n + 2 * p - k) // s + 1 for n, p, k, s in sizes)]
        reorder = torch.ops.mkldnn
        self.weight = reorder._reorder_convolution_weight(weight, self.padding, self.stride, [1, 1], 1, list(shape))
        self.transposed = reorder._reorder_convolution_transpose_weight(
            weight, self.padding, rest, self.stride, [1, 1], 1, outputs
        )

    def rest(self, shape: torch.Size) -> list[int]:
        """The rows and columns of an input at whose end no window fits any more."""
        sizes = zip(shape[2:], self.padding, self.kernel, self.stride, strict=True)
        return [(n + 2 * p - k) % s for n, p, k, s in sizes]

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of `x`, (views, channels, height, width)."""
        return _Convolve.apply(x, self)

    def convolved(self, x: Tensor) -> Tensor:
        """The same, not differentiable."""
        return torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, self.padding, self.stride, [1, 1], 1, "none", [], ""
        )

    def by_input(self, grad: Tensor, shape: torch.Size) -> Tensor:
        """The gradient of an input of that shape for the gradient of its convolution."""
        return torch.ops.mkldnn._convolution_transpose_pointwise(
            grad, self.transposed, None, self.padding, self.rest(shape), self.stride, [1, 1], 1, "none", [], ""
        )


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, packed: PackedConvolution) -> Tensor:
        ctx.packed, ctx.shape = packed, x.shape
        return packed.convolved(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return ctx.packed.by_input(grad, ctx.shape), None
