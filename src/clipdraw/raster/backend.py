"""The backend for CPUs: compiled kernels with gradients by hand, on as many threads as there are cores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from clipdraw.bezier import TOLERANCE
from clipdraw.errors import InputError
from clipdraw.raster import native
from clipdraw.raster.batch import LARGE, Batch
from clipdraw.raster.index import Index
from clipdraw.raster.native import KINDS, call, memory
from clipdraw.raster.paint import gradient_colors

FRAGMENTS, CHORDS, SPANS, EDGES = range(KINDS)
"""Kinds of things that are counted."""


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
    drawings, (height, width) = len(batch.background), batch.size
    image = memory(drawings, 3, height, width, dtype=torch.float32)
    used = memory(drawings * height, dtype=torch.int64)
    own_colors, index = torch.empty(0, 4), batch.index
    if batch.gradients:  # colors depend on what is covered
        covered = cover(batch)
        own_colors = _own_colors(batch, covered)
        call(
            "composite_all", covered.paths, covered.coverage, _paint(batch, own_colors, covered.first_own, image, used)
        )
    else:
        covered = cover(batch, _paint(batch, own_colors, index.gradients, image, used))  # -1 for all
    geometry = batch.points, batch.radii, batch.matrices
    images = _Rasterize.apply(*geometry, batch.colors, own_colors, batch.background, (image, used, covered), batch)
    if not images.requires_grad:
        _keep(covered.storage)
    return images


class _Storage(NamedTuple):
    """Memory for what is covered, used again when that is no longer wanted."""

    coverage: Float[Tensor, " fragments"]
    chord_fragment: Tensor
    chord_weights: Float[Tensor, "chords 2"]
    spans: Tensor
    row_spans: Tensor
    edge_end: Tensor

    def capacity(self) -> tuple[int, ...]:
        """How many fragments, chords, spans and edges fit in."""
        return tuple(len(part) for part in (self.coverage, self.chord_fragment, self.row_spans, self.edge_end))


class _Covered(NamedTuple):
    """The coverage of all layers, before anything is painted."""

    paths: native.Paths
    coverage: native.Coverage
    first: np.ndarray
    """First fragment, chord, span and edge of each layer: int64, layers x 4."""
    counts: np.ndarray
    """How many of each it has: int64, layers x 4."""
    first_in_row: np.ndarray
    """Where the spans of each row begin in `_Storage.row_spans`, and the end: int64, rows + 1."""
    first_own: np.ndarray
    """The first fragment, among those with colors of their own, of layers with gradients, else -1: int64, layers."""
    storage: _Storage


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
        paint = _paint(batch, own_colors, ctx.first_own, None, ctx.used)
        call("all_backward", covered.paths, covered.coverage, paint, gradients)
        _keep(covered.storage)
        if grad_behind is not None and background.shape[2:] == (1, 1):
            grad_behind = grad_behind.sum((2, 3), keepdim=True, dtype=torch.float64).float()
        geometry = grad_points.float(), grad_radii.float(), grad_matrices
        return *geometry, grad_colors, grad_own_colors, grad_behind, None, None


def _paint(batch: Batch, own_colors: Tensor, first_own: np.ndarray, image: Tensor | None, used: Tensor) -> native.Paint:
    opacities = batch.index.group_opacities
    return native.Paint(
        colors=batch.colors.detach().contiguous(),
        own_colors=own_colors.detach().contiguous(),
        first_own=first_own,
        background=batch.background.detach().contiguous(),
        background_is_image=batch.background.shape[2:] != (1, 1),
        group_opacities=opacities if len(opacities) else None,
        image=image,
        used=used,
    )


def cover(batch: Batch, paint: native.Paint | None = None) -> _Covered:
    """Find what a batch covers, and composite it where the paint is known."""
    index, layers = batch.index, len(batch.index.layers)
    paths = native.Paths(
        index=_index_struct(index),
        points=batch.points.detach().contiguous(),
        matrices=batch.matrices.detach().contiguous(),
        radii=batch.radii.detach().double(),
        first_piece=np.empty(len(index.cubics) + 1, np.int64),
        longest=np.empty(1, np.int64),
        height=batch.size[0],
        width=batch.size[1],
        tolerance=TOLERANCE,
    )
    rows = len(batch.background) * batch.size[0]
    layer_rows, first_in_row = np.empty((layers, 2), np.int64), np.empty(rows + 1, np.int64)
    storage = _storage(_capacities.get(id(index), (0,) * KINDS))
    while True:
        first, counts = np.zeros((2, layers, KINDS), np.int64)
        claimed, capacity = np.zeros(KINDS, np.int64), storage.capacity()
        coverage = native.Coverage(
            row_count=rows,
            drawing_index=batch.drawing_index,
            layer_rows=layer_rows,
            claimed=claimed,
            capacity=capacity,
            first=first,
            counts=counts,
            first_in_row=first_in_row,
            **storage._asdict(),
        )
        if paint is None:
            call("cover_all", paths, coverage)
        else:
            call("cover_and_composite", paths, coverage, paint)
        if (claimed <= capacity).all():
            first_own = _first_own(batch, counts)
            return _Covered(paths, coverage, first, counts, first_in_row, first_own, storage)
        if len(_capacities) >= 64:  # of drawings long gone
            _capacities.clear()
        wanted = _capacities[id(index)] = tuple(int(count * 1.25) for count in claimed.tolist())  # for the next time
        storage = _storage(wanted)


def _first_own(batch: Batch, counts: np.ndarray) -> np.ndarray:
    """See `_Covered.first_own`."""
    gradients = batch.index.gradients
    if not batch.gradients:
        return gradients
    fragments = np.where(gradients >= 0, counts[:, FRAGMENTS], 0)
    return np.where(gradients >= 0, np.cumsum(fragments) - fragments, -1)


def _index_struct(index: Index) -> native.Index:
    """An index for the kernels, the same one for each call on the same drawing."""
    known = _indices.get(id(index))
    if known is None or known[0] is not index:
        if len(_indices) >= 64 or len(index.closed) > LARGE:  # of drawings long gone
            _indices.clear()
        names = {field[0] for field in native.Index._fields_}
        parts = {name: part for name, part in index._asdict().items() if name in names}
        struct = native.Index(path_count=len(index.pens), layer_count=len(index.layers), **parts)
        known = _indices[id(index)] = index, struct
    return known[1]


_indices: dict[int, tuple[Index, native.Index]] = {}
_capacities: dict[int, tuple[int, ...]] = {}
"""How many fragments, chords, spans and edges fit in at first, by the drawing's index."""
_idle: list[_Storage] = []
"""The memory that the last call no longer needs, if it is little."""
_MOST_IDLE = 64 * 2**20  # bytes: 2,000 strokes at 1,500 pixels, or 256 at 5,000


def _keep(storage: _Storage) -> None:
    """Keep memory for the next call; what a large image took is given back."""
    _idle[:] = [storage] if sum(part.nbytes for part in storage) <= _MOST_IDLE else []


def _storage(capacity: tuple[int, ...]) -> _Storage:
    """Idle memory if there is enough of it, else new."""
    try:
        idle = _idle.pop()
    except IndexError:
        pass
    else:
        if all(has >= wanted for has, wanted in zip(idle.capacity(), capacity, strict=True)):
            return idle
    fragments, chords, spans, edges = capacity
    return _Storage(
        coverage=memory(fragments, dtype=torch.float32),
        chord_fragment=memory(chords, dtype=torch.int32),
        chord_weights=memory(chords, 2, dtype=torch.float32),
        spans=memory(spans, 4, dtype=torch.int32),
        row_spans=memory(spans, dtype=torch.int32),
        edge_end=memory(edges, dtype=torch.int32),
    )


def _own_colors(batch: Batch, covered: _Covered) -> Float[Tensor, "fragments 4"]:
    """The colors of the fragments whose layers have gradients."""
    height, first_in_row, parts = batch.size[0], covered.first_in_row, []
    spans, row = covered.storage.spans.numpy(), np.empty(covered.first_in_row[-1], np.int64)
    listed = covered.storage.row_spans.numpy()[: len(row)]
    row[listed] = np.repeat(np.arange(len(first_in_row) - 1) % height, np.diff(first_in_row))
    for layer in np.flatnonzero(covered.first_own >= 0):
        begin, count = covered.first[layer, SPANS], covered.counts[layer, SPANS]
        _, left, right, offset = spans[begin : begin + count].T
        span = np.repeat(np.arange(count), right - left)  # of each fragment
        columns = np.arange(len(span)) - offset[span] + left[span]
        centers = np.stack((columns, row[begin + span]), axis=1) + 0.5  # fragments x 2
        path = batch.index.layers[layer, 0]
        gradient = batch.gradients[batch.index.gradients[layer]]
        colors = gradient_colors(gradient, batch.matrices[path], torch.from_numpy(centers))
        parts.append(torch.cat((colors[:, :3], colors[:, 3:] * batch.colors[layer, 3]), dim=1))
    return torch.cat(parts) if parts else torch.empty(0, 4)
