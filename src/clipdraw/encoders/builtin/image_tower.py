"""The image side of the built-in encoder: a small dense residual network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from clipdraw.encoders.builtin.storage import dequantize

VIEW_SIZE = 64
"""Height and width of the views that the tower was trained on, in pixels."""
DIMENSIONS = 384
"""Length of its embeddings; that of the text side."""
_GAIN, _SHIFT = 4.0, -2.0  # from pixel values to what the first convolution reads
_CHANNELS = (48, 128, 256, 256)
_BLOCKS = (0, 1, 1, 1)


class _Convolution(nn.Sequential):
    """A convolution and its normalization; `folded` is the one convolution that computes the same."""

    def __init__(self, inputs: int, outputs: int, *, size: int = 3, stride: int = 1, folded: bool = False) -> None:
        convolution = nn.Conv2d(inputs, outputs, size, stride=stride, padding=(size - 1) // 2, bias=folded)
        super().__init__(convolution, nn.Identity() if folded else nn.BatchNorm2d(outputs))

    def fold(self) -> None:
        """Fold the normalization's running statistics into the convolution."""
        convolution, normalization = self
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(normalization, nn.BatchNorm2d)
        self[0], self[1] = fuse_conv_bn_eval(convolution, normalization), nn.Identity()


class _Block(nn.Module):
    """Two convolutions around a skip connection."""

    def __init__(self, channels: int, *, folded: bool) -> None:
        super().__init__()
        self.first = _Convolution(channels, channels, folded=folded)
        self.second = _Convolution(channels, channels, folded=folded)

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(x + self.second(functional.silu(self.first(x))))


class ImageTower(nn.Module):
    """Views to unit vectors.

    Dense 3 x 3 convolutions throughout: they are what CPUs with matrix units compute at full speed.
    The activation is smooth, which helps adversarial training (Xie et al. 2020, arXiv 2006.14536), and the
    last feature map is pooled with one learned weight for each place and channel instead of a mean, so that
    an arrangement counts and not only its parts.

    Args:
        folded: build it without normalizations, for weights that `fold` has prepared.
    """

    def __init__(self, *, folded: bool = False) -> None:
        super().__init__()
        self.stem = _Convolution(3, _CHANNELS[0], size=4, stride=2, folded=folded)  # 64 -> 32
        stages = []
        for level, (channels, blocks) in enumerate(zip(_CHANNELS, _BLOCKS, strict=True)):
            layers: list[nn.Module] = []
            if level:
                layers += [_Convolution(_CHANNELS[level - 1], channels, stride=2, folded=folded), nn.SiLU()]
            layers += [_Block(channels, folded=folded) for _ in range(blocks)]
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        side = VIEW_SIZE // 2 ** len(_CHANNELS)
        self.pool = nn.Parameter(torch.full((_CHANNELS[-1], side, side), 1.0 / side**2))
        self.head = nn.Linear(_CHANNELS[-1], DIMENSIONS)

    def features(self, views: Float[Tensor, "views 3 size size"]) -> list[Tensor]:
        """The feature maps after each stage, from 32 x 32 down to 4 x 4."""
        x = (views * _GAIN + _SHIFT).contiguous(memory_format=torch.channels_last)
        x = functional.silu(self.stem(x))
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of views in [0, 1]."""
        last = self.features(views)[-1]
        pooled = (last * self.pool.to(last.dtype)).sum((2, 3))
        return functional.normalize(self.head(pooled).float(), dim=1)

    def fold(self) -> ImageTower:
        """Fold every normalization into its convolution; returns this tower, in evaluation mode."""
        self.eval()
        for module in self.modules():
            if isinstance(module, _Convolution):
                module.fold()
        return self

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], *, device: torch.device, dtype: torch.dtype) -> ImageTower:
        """The frozen tower of stored weights, which `fold` has prepared, packed where that is possible.

        Raises:
            KeyError, RuntimeError: a tensor is missing or has the wrong shape.
        """
        with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced
            tower = cls(folded=True)
        stored, shapes = dequantize(tensors), tower.state_dict()
        state = {name: stored[name].reshape(like.shape) for name, like in shapes.items()}
        tower.load_state_dict(state, assign=True)
        tower.to(device=device, dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        tower.eval().requires_grad_(False)
        pack_convolutions(tower)
        return tower


_TYPICAL_VIEWS = 4  # in one step: packed convolutions take the layout that is best for so many


def pack_convolutions(tower: ImageTower) -> None:
    """Replace the convolutions of a frozen, folded tower by packed ones where this torch and this processor can.

    A plain convolution rearranges its weights in every call, forward and backward: eight views take 14.2 ms of two
    cores in bfloat16 instead of 11.6 ms, and 34.6 ms in float32 instead of 33.3 ms. The values are the same.
    """
    weight = tower.head.weight
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return
    views = torch.zeros(_TYPICAL_VIEWS, 3, VIEW_SIZE, VIEW_SIZE, dtype=weight.dtype)
    shapes = _input_shapes(tower, views)
    plain = {convolution: convolution[0] for convolution in shapes}
    try:
        for convolution, shape in shapes.items():
            convolution[0] = _PackedConvolution(convolution[0], shape)
        with torch.enable_grad():
            tower(views.requires_grad_()).sum().backward()
    except (RuntimeError, AttributeError):  # the operators are internal to torch, and not in every build of it
        for convolution, original in plain.items():
            convolution[0] = original


@torch.no_grad()
def _input_shapes(tower: ImageTower, views: Tensor) -> dict[_Convolution, torch.Size]:
    """The shapes of what each convolution is given when the tower is given `views`."""
    shapes: dict[_Convolution, torch.Size] = {}
    convolutions = [module for module in tower.modules() if isinstance(module, _Convolution)]
    hooks = [c.register_forward_pre_hook(lambda c, given: shapes.update({c: given[0].shape})) for c in convolutions]
    tower(views)
    for hook in hooks:
        hook.remove()
    return shapes


class _PackedConvolution(nn.Module):
    """A frozen `nn.Conv2d` with its weights in the layout that oneDNN computes with; differentiable in its input, once.

    Args:
        convolution: the original: with a bias, zero padding, one group, no dilation.
        shape: of a typical input; others work too.

    Raises:
        RuntimeError, AttributeError: this torch cannot do it.
    """

    def __init__(self, convolution: nn.Module, shape: torch.Size) -> None:
        super().__init__()
        assert isinstance(convolution, nn.Conv2d)
        assert convolution.bias is not None
        weight = convolution.weight.detach()
        self.kernel, self.stride = list(weight.shape[2:]), list(convolution.stride)
        self.padding = [int(p) for p in convolution.padding]
        self.bias = convolution.bias
        sizes = zip(shape[2:], self.padding, self.kernel, self.stride, strict=True)
        outputs = [shape[0], len(weight), *((n + 2 * p - k) // s + 1 for n, p, k, s in sizes)]
        reorder = torch.ops.mkldnn
        self.weight = reorder._reorder_convolution_weight(weight, self.padding, self.stride, [1, 1], 1, list(shape))
        self.transposed = reorder._reorder_convolution_transpose_weight(
            weight, self.padding, self._remainder(shape), self.stride, [1, 1], 1, outputs
        )

    def _remainder(self, shape: torch.Size) -> list[int]:
        """How many rows and columns at the end of an input are in no window."""
        sizes = zip(shape[2:], self.padding, self.kernel, self.stride, strict=True)
        return [(n + 2 * p - k) % s for n, p, k, s in sizes]

    def forward(self, x: Tensor) -> Tensor:
        """The convolution of `x`, (views, channels, height, width)."""
        if x.requires_grad:
            x.register_hook(_channels_last)
        return _Convolve.apply(x, self)

    def convolve(self, x: Tensor) -> Tensor:
        """The convolution of `x`, without a gradient."""
        return torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, self.padding, self.stride, [1, 1], 1, "none", [], ""
        )

    def convolve_backward(self, grad: Tensor, shape: torch.Size) -> Tensor:
        """The gradient of an input of that shape for the gradient of its convolution."""
        return torch.ops.mkldnn._convolution_transpose_pointwise(
            grad, self.transposed, None, self.padding, self._remainder(shape), self.stride, [1, 1], 1, "none", [], ""
        )


def _channels_last(grad: Tensor) -> Tensor:
    """The gradient in the layout of the layer before: a skip connection may have brought it in another."""
    return grad.contiguous(memory_format=torch.channels_last)


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, packed: _PackedConvolution) -> Tensor:
        ctx.packed, ctx.shape = packed, x.shape
        return packed.convolve(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return ctx.packed.convolve_backward(grad, ctx.shape), None
