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
from clipdraw.raster import compositing, coverage, layout
from clipdraw.raster.coverage import Fragments
from clipdraw.raster.layout import Layout, Strokes
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
        threads = get_threads()
        strokes = _strokes(drawing, height, width)
        spans = _layout(strokes, height, width, threads)
        total = spans.offset[-1]
        parts = np.empty(coverage.PARTS * total, np.int32)  # memory that is not written to costs nothing
        fragments = Fragments(np.empty(total, np.int32), parts, np.empty(total, np.float32))
        together(coverage.cover, strokes, spans, fragments, width, threads=threads)
        image, used = torch.empty((3, height, width)), np.empty(height, np.int64)
        paint = _array(colors), _array(background)
        together(compositing.composite, spans, fragments, *paint, image.numpy(), used, threads=threads)
        ctx.save_for_backward(points, widths, colors, background)
        ctx.state = strokes, spans, fragments, used
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_image: Tensor) -> tuple[Tensor | None, ...]:
        _, _, colors, background = ctx.saved_tensors
        strokes, spans, fragments, used = ctx.state
        grads = (
            np.empty(len(fragments.coverage), np.float32),
            np.empty((len(spans.left), 4), np.float32),
            np.empty((len(used), 3), np.float32),
        )
        arguments = spans, fragments, _array(colors), _array(background), _array(grad_image), used, grads
        together(compositing.uncomposite, *arguments, threads=get_threads())
        by_coverage, by_span, by_row = grads
        by_color = np.empty((len(strokes.radii), 4), np.float32)
        compositing.sum_colors(strokes, spans, by_span, by_color)
        by_point, by_width = _geometry_grad(ctx.needs_input_grad, strokes, spans, fragments, by_coverage)
        by_background = torch.from_numpy(by_row.sum(axis=0, dtype=np.float64)).float()
        return by_point, by_width, torch.from_numpy(by_color), by_background, None, None, None


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def _strokes(drawing: Drawing, height: int, width: int) -> Strokes:
    scale, index = pixels_per_unit(drawing, height, width), segment_index(drawing.segments)
    points, widths = _array(drawing.points), _array(drawing.widths)
    first_piece, rows = np.empty(len(index.stroke) + 1, np.int64), np.empty((len(widths), 2), np.int64)
    layout.count_pieces(points, widths, scale, index, (height, width), TOLERANCE, first_piece, rows)
    first_span = np.zeros(len(widths) + 1, np.int64)
    np.cumsum(np.maximum(rows[:, 1] - rows[:, 0], 0), out=first_span[1:])
    radii = np.clip(widths * np.float64(scale / 2), 0, FAR_PX)
    return Strokes(
        points, scale, radii, index.first_cubic, index.first_point, first_piece, rows[:, 0].copy(), first_span
    )


def _layout(strokes: Strokes, height: int, width: int, threads: int) -> Layout:
    spans = strokes.first_span[-1]
    made = Layout(
        np.empty((strokes.first_piece[-1], 7)),
        np.empty(spans, np.int32),
        np.empty(spans, np.int32),
        np.empty(spans + 1, np.int64),
        np.empty(height + 1, np.int64),
        np.empty(spans, np.int64),
        np.empty(spans, np.int64),
    )
    together(layout.measure, strokes, made, width, threads=threads)
    layout.arrange(strokes, made)
    return made


def _geometry_grad(
    needed: tuple[bool, ...], strokes: Strokes, spans: Layout, fragments: Fragments, by_coverage: np.ndarray
) -> tuple[Tensor | None, Tensor | None]:
    if not (needed[0] or needed[1]):
        return None, None
    pieces, points = np.empty((len(spans.pieces), 4)), np.zeros(strokes.points.shape)
    radii = np.empty(len(strokes.radii))
    together(coverage.uncover, strokes, spans, fragments, by_coverage, pieces, points, radii, threads=get_threads())
    points *= strokes.scale * (np.abs(strokes.points * strokes.scale) <= FAR_PX)
    radii *= strokes.scale / 2
    return torch.from_numpy(points).float(), torch.from_numpy(radii).float()
