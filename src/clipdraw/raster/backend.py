"""The backend for CPUs: compiled kernels with gradients by hand, on as many threads as there are cores."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from clipdraw.errors import InputError
from clipdraw.raster import native
from clipdraw.raster.bands import bands, is_large
from clipdraw.raster.batch import Batch
from clipdraw.raster.covering import cover, keep, own_colors_of, paint_struct
from clipdraw.raster.native import call, memory


def rasterize(batch: Batch) -> Float[Tensor, "drawings 3 height width"]:
    """The images of a batch of drawings; see `clipdraw.rasterize`, and `reference` for the definition.

    Args:
        batch: what to rasterize, float32, in CPU memory.

    Raises:
        InputError: the drawings are elsewhere or in another precision, or there are no kernels.
        OutOfMemoryError: there was not enough memory.

    Differentiable once in everything in the batch.
    """
    if not all(tensor.is_cpu and tensor.dtype == torch.float32 for tensor in batch.tensors()):
        raise InputError("the native backend takes float32 drawings in CPU memory: use backend='reference'")
    if native.library() is None:
        raise InputError("clipdraw was installed without its compiled kernels: use backend='reference'")
    if is_large(batch) and not _needs_gradient(batch):
        return _by_bands(batch)
    drawings, (height, width) = len(batch.background), batch.size
    image = memory(drawings, 3, height, width, dtype=torch.float32)
    used = memory(drawings * height, dtype=torch.int64)
    own_colors, index = torch.empty(0, 4), batch.index
    if batch.gradients:  # colors depend on what is covered
        covered = cover(batch)
        own_colors = own_colors_of(batch, covered)
        call(
            "composite_all",
            covered.paths,
            covered.coverage,
            paint_struct(batch, own_colors, covered.first_own, image, used),
        )
    else:
        covered = cover(batch, paint_struct(batch, own_colors, index.gradients, image, used))  # -1 for all
    geometry = batch.points, batch.radii, batch.matrices
    images = _Rasterize.apply(*geometry, batch.colors, own_colors, batch.background, (image, used, covered), batch)
    if not images.requires_grad:
        keep(covered.storage)
    return images


def _needs_gradient(batch: Batch) -> bool:
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (*batch.tensors(), batch.matrices))


def _by_bands(batch: Batch) -> Float[Tensor, "1 3 height width"]:
    image, top = memory(1, 3, *batch.size, dtype=torch.float32), 0
    for band in bands(batch):
        rows = band.shape[1]
        image[0, :, top : top + rows] = band
        top += rows
    return image


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """The images, which are there already."""
        *tensors, (image, used, covered), batch = inputs
        ctx.save_for_backward(*tensors)
        ctx.covered, ctx.first_own, ctx.used = covered, covered.first_own, used
        ctx.known = batch.index, batch.drawing_index, batch.geometry_requires_grad, batch.size
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_image: Tensor) -> tuple[Tensor | None, ...]:
        points, radii, matrices, colors, own_colors, background = ctx.saved_tensors
        batch = Batch(points, radii, matrices, colors, background, (), *ctx.known)
        covered, ctx.covered = ctx.covered or cover(batch), None  # its gradient overwrites it
        grad_image = grad_image.detach().contiguous()
        grad_behind = torch.empty_like(grad_image) if ctx.needs_input_grad[5] else None
        grad_colors, grad_own_colors = torch.empty(len(colors), 4), torch.empty(len(own_colors), 4)
        grad_spans = covered.storage.spans  # those are not needed any more, unless they are looked at once more
        moves = any(ctx.needs_input_grad[:3])
        grad_points, grad_radii, grad_matrices = (
            torch.zeros(tensor.shape, dtype=torch.float64) for tensor in (points, radii, matrices)
        )
        gradients = native.Gradients(
            grad_image=grad_image,
            grad_background=grad_behind,
            grad_spans=torch.empty(grad_spans.shape) if len(batch.index.group_opacities) else grad_spans,
            grad_own_colors=grad_own_colors,
            grad_colors=grad_colors,
            geometry_requires_grad=batch.geometry_requires_grad if moves else None,
            grad_points=grad_points,
            grad_radii=grad_radii,
            grad_matrices=grad_matrices,
        )
        paint = paint_struct(batch, own_colors, ctx.first_own, None, ctx.used)
        call("all_backward", covered.paths, covered.coverage, paint, gradients)
        keep(covered.storage)
        if grad_behind is not None and background.shape[2:] == (1, 1):
            grad_behind = grad_behind.sum((2, 3), keepdim=True, dtype=torch.float64).float()
        geometry = grad_points.float(), grad_radii.float(), grad_matrices
        return *geometry, grad_colors, grad_own_colors, grad_behind, None, None
