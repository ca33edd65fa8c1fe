"""The backend for CPUs: compiled loops, gradients by hand, as many threads as there are cores."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError
from clipdraw.geometry import TOLERANCE
from clipdraw.raster import compositing, kernels
from clipdraw.raster.kernels import Fragments, Layout, Strokes
from clipdraw.raster.plan import FAR_PX, pixels_per_unit, segment_index
from clipdraw.raster.threads import get_threads, together


def rasterize(drawing: Drawing, height: int, width: int) -> Float[Tensor, "3 height width"]:
    """The image of a drawing; see `clipdraw.rasterize`, and `reference` for what it means.

    Args:
        drawing: what to rasterize, float32, in CPU memory.
        height: rows of pixels.
        width: columns of pixels.

    Raises:
        InputError: the drawing is elsewhere or in another precision.

    Differentiable once in points, widths, colors and background.
    """
    tensors = (*drawing.parameters(), drawing.background)
    if any(tensor.device.type != "cpu" or tensor.dtype != torch.float32 for tensor in tensors):
        raise InputError("the numba backend takes float32 drawings in CPU memory: use backend='reference'")
    return _Rasterize.apply(*tensors, drawing, height, width)


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, points: Tensor, widths: Tensor, colors: Tensor, background: Tensor, *rest: Any) -> Tensor:
        drawing, height, width = rest
        strokes = _strokes(drawing, height, width)
        threads = get_threads()
        layout = _layout(strokes, height, width, threads)
        fragments = _fragments(strokes, layout, width, threads)
        image = torch.empty((3, height, width))
        used = np.empty(height, np.int64)
        paint = _array(colors), _array(background)
        together(compositing.composite, layout, fragments, *paint, image.numpy(), used, threads=threads)
        ctx.save_for_backward(points, widths, colors, background)
        ctx.state = strokes, layout, fragments, used
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_image: Tensor) -> tuple[Tensor | None, ...]:
        points, widths, colors, background = ctx.saved_tensors
        strokes, layout, fragments, used = ctx.state
        count, height = layout.left.shape
        coverage_grad = np.empty(len(fragments.coverage), np.float32)
        row_colors, row_background = np.empty((count, height, 4), np.float32), np.empty((height, 3), np.float32)
        threads = get_threads()
        grads = coverage_grad, row_colors, row_background
        paint = _array(colors), _array(background)
        arguments = layout, fragments, *paint, _array(grad_image), used, grads
        together(compositing.uncomposite, *arguments, threads=threads)
        color_grad = np.empty((count, 4), np.float32)
        together(compositing.sum_colors, layout, row_colors, color_grad, threads=1)
        by_point, by_width = _geometry_grad(ctx.needs_input_grad, strokes, layout, fragments, coverage_grad)
        grad_background = torch.from_numpy(row_background.sum(axis=0, dtype=np.float64)).to(background.dtype)
        return by_point, by_width, torch.from_numpy(color_grad), grad_background, None, None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def _strokes(drawing: Drawing, height: int, width: int) -> Strokes:
    scale, index = pixels_per_unit(drawing, height, width), segment_index(drawing.segments)
    points, widths = _array(drawing.points), _array(drawing.widths)
    first_piece = np.empty(len(index.stroke) + 1, np.int64)
    kernels.count_pieces(points, widths, scale, index, (height, width), TOLERANCE, first_piece)
    radii = np.clip(widths * np.float64(scale / 2), 0, FAR_PX)
    return Strokes(points, scale, radii, index.first_cubic, index.first_point, first_piece)


def _layout(strokes: Strokes, height: int, width: int, threads: int) -> Layout:
    count = len(strokes.radii)
    shape = count, height
    layout = Layout(
        np.empty((strokes.first_piece[-1], 7)),
        np.empty((count, 2), np.int32),
        np.empty(shape, np.int32),
        np.empty(shape, np.int32),
        np.empty(shape, np.int64),
        np.empty(count, np.int64),
    )
    together(kernels.measure, strokes, layout, width, threads=threads)
    return layout


def _fragments(strokes: Strokes, layout: Layout, width: int, threads: int) -> Fragments:
    last = np.cumsum(layout.total)
    total = int(last[-1]) if len(last) else 0
    fragments = Fragments(last - layout.total, np.empty(total, np.int32), np.empty(total, np.float32))
    together(kernels.cover, strokes, layout, fragments, width, threads=threads)
    return fragments


def _geometry_grad(
    needed: tuple[bool, ...], strokes: Strokes, layout: Layout, fragments: Fragments, coverage_grad: np.ndarray
) -> tuple[Tensor | None, Tensor | None]:
    if not (needed[0] or needed[1]):
        return None, None
    pieces, points, radii = np.empty((len(layout.pieces), 4)), np.zeros(strokes.points.shape), np.empty(len(strokes.radii))
    arguments = strokes, layout, fragments, coverage_grad, pieces, points, radii
    together(kernels.uncover, *arguments, threads=get_threads())
    points *= strokes.scale * (np.abs(strokes.points * strokes.scale) <= FAR_PX)
    return torch.from_numpy(points).float(), torch.from_numpy(radii * (strokes.scale / 2)).float()
