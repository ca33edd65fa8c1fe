"""The backend for CPUs: compiled loops, gradients by hand, as many threads as there are cores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from clipdraw.errors import InputError
from clipdraw.geometry import TOLERANCE
from clipdraw.raster import layout, stages
from clipdraw.raster.batch import Batch
from clipdraw.raster.compositing import Paint
from clipdraw.raster.coverage import Fragments
from clipdraw.raster.layout import Layout, Rows
from clipdraw.raster.paint import gradient_colors
from clipdraw.raster.polylines import Paths
from clipdraw.raster.threads import get_threads, together


def rasterize(batch: Batch) -> Float[Tensor, "drawings 3 height width"]:
    """The images of a batch of drawings; see `clipdraw.rasterize`, and `reference` for what they mean.

    Args:
        batch: what to rasterize, float32, in CPU memory.

    Raises:
        InputError: the drawings are elsewhere or in another precision.

    Differentiable once in everything in the batch.
    """
    if not all(tensor.is_cpu and tensor.dtype == torch.float32 for tensor in batch.tensors()):
        raise InputError("the numba backend takes float32 drawings in CPU memory: use backend='reference'")
    pages, (height, width) = len(batch.background), batch.size
    image, used = np.empty((pages, 3, height, width), np.float32), np.empty(pages * height, np.int64)
    own, index = torch.empty(0, 4), batch.index
    if batch.gradients:  # colors depend on what is covered
        covered = _cover(batch, stages.cover_all)
        own = _own_colors(batch, covered)
        painted = covered.spans, covered.rows, covered.fragments, _paint(batch, own, covered.own_first)
        together(stages.composite_all, *painted, image, used, threads=get_threads())
    else:
        paint = _paint(batch, own, index.gradients)  # -1 for all
        covered = _cover(batch, stages.cover_and_composite, paint, image, used)
    geometry = batch.points, batch.radii, batch.matrices
    images = _Rasterize.apply(
        *geometry, batch.colors, own, batch.background, (torch.from_numpy(image), used, covered), batch
    )
    if not images.requires_grad:
        _idle[:] = [covered.storage]
    return images


class _Covered(NamedTuple):
    """What is known before anything is painted."""

    paths: Paths
    spans: Layout
    rows: Rows
    fragments: Fragments
    own_first: np.ndarray
    """See `Paint.first`."""
    storage: _Storage


class _Storage(NamedTuple):
    """Memory for what is covered, used again when that is no longer wanted."""

    coverage: np.ndarray
    place: np.ndarray
    edge: np.ndarray
    share: np.ndarray
    row: np.ndarray
    left: np.ndarray
    right: np.ndarray
    offset: np.ndarray
    run: np.ndarray
    layer: np.ndarray
    by_run: np.ndarray

    def has_room(self, room: tuple[int, ...]) -> bool:
        """Whether so many fragments, chords and runs fit in."""
        return len(self.coverage) >= room[0] and len(self.place) >= room[1] and len(self.row) >= room[2]


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """The images, which are there already."""
        *tensors, (image, used, covered), batch = inputs
        ctx.save_for_backward(*tensors)
        ctx.covered, ctx.used = covered, used
        ctx.known = batch.index, batch.pages, batch.moved, batch.size
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_image: Tensor) -> tuple[Tensor | None, ...]:
        points, radii, matrices, colors, own, background = ctx.saved_tensors
        batch = Batch(points, radii, matrices, colors, background, (), *ctx.known)
        covered, ctx.covered = ctx.covered or _cover(batch, stages.cover_all), None  # its gradient overwrites it
        grad, by_background = grad_image.detach().contiguous(), None
        through = torch.empty_like(grad) if ctx.needs_input_grad[5] else torch.empty((0, 3, 0, 0))
        paths, layout, fragments = covered.paths, covered.spans, covered.fragments
        by_color, by_own = np.empty((len(layout.page), 4), np.float32), np.empty((len(own), 4), np.float32)
        moved = batch.moved if any(ctx.needs_input_grad[:3]) else np.empty(0, np.bool_)
        by_geometry = np.zeros(paths.points.shape), np.zeros(paths.radii.shape), np.zeros(paths.matrices.shape)
        together(
            stages.uncover_all,
            (layout, covered.rows, fragments, _paint(batch, own, covered.own_first), ctx.used),
            grad.numpy(),
            through.numpy(),
            (fragments.coverage, covered.storage.by_run, by_own),
            by_color,
            (paths, layout, fragments),
            moved,
            by_geometry,
            threads=get_threads(),
        )
        if ctx.needs_input_grad[5]:
            one = background.shape[2:] == (1, 1)
            by_background = through.sum((2, 3), keepdim=True, dtype=torch.float64).float() if one else through
        _idle[:] = [covered.storage]
        by_point, by_radius, by_matrix = by_geometry
        found = by_point.astype(np.float32), by_radius.astype(np.float32), by_matrix, by_color, by_own
        return *map(torch.from_numpy, found), by_background, None, None


def _paint(batch: Batch, own: Tensor, own_first: np.ndarray) -> Paint:
    return Paint(_array(batch.colors), _array(own), own_first, _array(batch.background))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def _cover(batch: Batch, work: Callable[..., bool], *arguments: Any) -> _Covered:
    """Flatten, outline, find out what is covered, and more if the work does more.

    Args:
        batch: what to cover.
        work: `stages.cover_all`, or what does that first.
        arguments: what it takes besides.
    """
    index = batch.index
    paths = Paths(
        _array(batch.points),
        index.cubics,
        index.first_cubic,
        index.closed,
        index.first_subpath,
        _array(batch.matrices),
        _array(batch.radii).astype(np.float64),
        index.pens,
        index.layers,
        np.empty(len(index.cubics) + 1, np.int64),
        np.empty(1, np.int64),
    )
    spanned = np.empty((len(index.layers), 2), np.int64)
    layout.count_pieces(paths, index, batch.size, TOLERANCE, spanned)
    first = np.empty(len(batch.background) * batch.size[0] + 1, np.int64)
    storage = _storage(_room.get(id(index), (0, 0, 0)))
    while True:
        spans, fragments = _empty(batch, spanned, storage)
        rows = Rows(first, storage.run, storage.layer)
        together(work, paths, spans, rows, fragments, batch.size, *arguments, threads=get_threads())
        claimed = tuple(map(int, spans.claimed))
        if storage.has_room(claimed):
            break
        if len(_room) >= 64:  # of drawings long gone
            _room.clear()
        _room[id(index)] = tuple(int(count * 1.25) for count in claimed)  # next time it will be about as much
        storage = _storage(_room[id(index)])
    own_first = index.gradients
    if (own_first >= 0).any():
        own_first = np.full(len(index.layers), -1)
        graded = np.flatnonzero(index.gradients >= 0)
        own_first[graded] = np.cumsum(spans.counts[graded, 0]) - spans.counts[graded, 0]
    return _Covered(paths, spans, rows, fragments, own_first, storage)


_room: dict[int, tuple[int, ...]] = {}
"""How many fragments, chords and runs there is room for at first, by the drawing's index."""
_idle: list[_Storage] = []
"""What the last call no longer wants."""


def _storage(room: tuple[int, ...]) -> _Storage:
    """Idle memory if there is enough of it, else new."""
    try:
        idle = _idle.pop()
    except IndexError:
        pass
    else:
        if idle.has_room(room):
            return idle
    total, chords, runs = room
    return _Storage(
        np.empty(total, np.float32),
        np.empty(chords, np.int32),
        np.empty(chords, np.int32),
        np.empty((chords, 2), np.float32),
        np.empty(runs, np.int32),
        np.empty(runs, np.int32),
        np.empty(runs, np.int32),
        np.empty(runs, np.int32),
        np.empty(runs, np.int32),
        np.empty(runs, np.int32),
        np.empty((runs, 4), np.float32),
    )


def _empty(batch: Batch, rows: np.ndarray, storage: _Storage) -> tuple[Layout, Fragments]:
    """Nothing covered yet."""
    layers = len(rows)
    made = Layout(
        batch.pages,
        rows,
        batch.index.first_layer,
        np.zeros(3, np.int64),
        np.zeros((layers, 3), np.int64),
        np.zeros((layers, 3), np.int64),
        storage.row,
        storage.left,
        storage.right,
        storage.offset,
    )
    return made, Fragments(storage.coverage, storage.place, storage.edge, storage.share)


def _own_colors(batch: Batch, covered: _Covered) -> Float[Tensor, "fragments 4"]:
    """The colors of the fragments whose layers have gradients."""
    spans, parts = covered.spans, []
    for layer in np.flatnonzero(covered.own_first >= 0):
        begin, count = spans.first[layer, 2], spans.counts[layer, 2]
        lengths = spans.right[begin : begin + count] - spans.left[begin : begin + count]
        run = np.repeat(np.arange(begin, begin + count), lengths)
        columns = np.arange(len(run)) - spans.offset[run] + spans.left[run]
        centers = np.stack((columns, spans.row[run]), axis=1) + 0.5
        path = batch.index.layers[layer, 0]
        gradient = batch.gradients[batch.index.gradients[layer]]
        colors = gradient_colors(gradient, batch.matrices[path], torch.from_numpy(centers))
        parts.append(torch.cat((colors[:, :3], colors[:, 3:] * batch.colors[layer, 3]), dim=1))
    return torch.cat(parts) if parts else torch.empty(0, 4)
