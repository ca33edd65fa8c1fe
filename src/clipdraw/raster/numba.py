"""The backend for CPUs: compiled loops, gradients by hand, as many threads as there are cores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from clipdraw.bezier import TOLERANCE
from clipdraw.errors import InputError
from clipdraw.raster.batch import Batch
from clipdraw.raster.machine import Loop, Parts
from clipdraw.raster.paint import gradient_colors
from clipdraw.raster.plan import Index
from clipdraw.raster.records import Fragments, Layout, Paint, Paths, Rows, Scene
from clipdraw.raster.threads import get_threads, new_counters, together

_cover_all, _composite_all, _cover_and_composite, _uncover_all = (
    Loop("clipdraw.raster.stages", name)
    for name in ("cover_all", "composite_all", "cover_and_composite", "uncover_all")
)


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
        covered = _cover(batch, _cover_all)
        own = _own_colors(batch, covered)
        paint = _paint(batch, own, covered.own_first)
        _run(_composite_all, covered.parts, paint, image, used)
    else:
        paint = _paint(batch, own, index.gradients)  # -1 for all
        covered = _cover(batch, _cover_and_composite, paint, image, used)
    geometry = batch.points, batch.radii, batch.matrices
    images = _Rasterize.apply(
        *geometry, batch.colors, own, batch.background, (torch.from_numpy(image), used, covered), batch
    )
    if not images.requires_grad:
        _idle[:] = [covered.storage]
    return images


class _Covered(NamedTuple):
    """What is known before anything is painted."""

    scene: Scene
    parts: Parts
    """The same for compiled loops."""
    own_first: np.ndarray
    """See `Paint.first`."""
    storage: _Storage


class _Storage(NamedTuple):
    """Memory for what is covered, used again when that is no longer wanted."""

    fragments: Fragments
    runs: np.ndarray
    by_row: np.ndarray
    """See `Rows.run`."""

    def has_room(self, room: tuple[int, ...]) -> bool:
        """Whether so many fragments, chords, runs and edges fit in."""
        known = self.fragments.coverage, self.fragments.place, self.by_row, self.fragments.last
        return all(len(part) >= count for part, count in zip(known, room, strict=True))


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        """The images, which are there already."""
        *tensors, (image, used, covered), batch = inputs
        ctx.save_for_backward(*tensors)
        ctx.covered, ctx.own_first, ctx.used = covered, covered.own_first, used
        ctx.known = batch.index, batch.pages, batch.moved, batch.size
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_image: Tensor) -> tuple[Tensor | None, ...]:
        points, radii, matrices, colors, own, background = ctx.saved_tensors
        batch = Batch(points, radii, matrices, colors, background, (), *ctx.known)
        covered, ctx.covered = ctx.covered or _cover(batch, _cover_all), None  # its gradient overwrites it
        grad, by_background = grad_image.detach().contiguous(), None
        through = torch.empty_like(grad) if ctx.needs_input_grad[5] else torch.empty((0, 3, 0, 0))
        by_color, by_own = np.empty((len(colors), 4), np.float32), np.empty((len(own), 4), np.float32)
        by_run = covered.storage.runs.view(np.float32)
        if len(batch.index.knockouts):  # runs are looked at once more
            by_run = np.empty_like(by_run)
        moved = batch.moved if any(ctx.needs_input_grad[:3]) else np.empty(0, np.bool_)
        by_geometry = np.zeros(points.shape), np.zeros(radii.shape), np.zeros(matrices.shape)
        _run(
            _uncover_all,
            covered.parts,
            _paint(batch, own, ctx.own_first),
            ctx.used,
            (grad.numpy(), through.numpy()),
            (by_run, by_own, by_color),
            moved,
            by_geometry,
        )
        if ctx.needs_input_grad[5]:
            one = background.shape[2:] == (1, 1)
            by_background = through.sum((2, 3), keepdim=True, dtype=torch.float64).float() if one else through
        _idle[:] = [covered.storage]
        by_point, by_radius, by_matrix = by_geometry
        found = by_point.astype(np.float32), by_radius.astype(np.float32), by_matrix, by_color, by_own
        return *map(torch.from_numpy, found), by_background, None, None


def _run(loop: Loop, *arguments: Any) -> None:
    """Call a compiled loop that takes counters and these arguments on all threads."""
    threads = get_threads()
    together(loop.bind(new_counters(threads), *arguments), threads=threads)


def _paint(batch: Batch, own: Tensor, own_first: np.ndarray) -> Paint:
    return Paint(_array(batch.colors), _array(own), own_first, _array(batch.background), batch.index.knockouts)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def _cover(batch: Batch, work: Loop, *arguments: Any) -> _Covered:
    """Flatten, outline, find out what is covered, and more if the work does more.

    Args:
        batch: what to cover.
        work: `_cover_all`, or what does that first.
        arguments: what it takes besides.
    """
    index = batch.index
    paths = Paths(
        _array(batch.points),
        _array(batch.matrices),
        _array(batch.radii).astype(np.float64),
        index,
        np.empty(len(index.cubics) + 1, np.int64),
        np.empty(1, np.int64),
    )
    known: Any = Parts(paths._replace(indices=_index_parts(index)))
    spanned = np.empty((len(index.layers), 2), np.int64)
    first = np.empty(len(batch.background) * batch.size[0] + 1, np.int64)
    storage = _storage(_room.get(id(index), (0, 0, 0, 0)))
    while True:
        spans, rows = _empty(batch, spanned, storage), Rows(first, storage.by_row)
        parts = Parts(Scene(known, spans, rows, storage.fragments))
        _run(work, parts, batch.size, TOLERANCE, *arguments)
        claimed = tuple(spans.claimed.tolist())
        if storage.has_room(claimed):
            break
        if len(_room) >= 64:  # of drawings long gone
            _room.clear()
        room = _room[id(index)] = tuple(int(count * 1.25) for count in claimed)  # next time it will be about as much
        storage = _storage(room)
    own_first = index.gradients
    if batch.gradients:
        own_first = np.full(len(index.layers), -1)
        graded = np.flatnonzero(index.gradients >= 0)
        own_first[graded] = np.cumsum(spans.counts[graded, 0]) - spans.counts[graded, 0]
    return _Covered(Scene(paths, spans, rows, storage.fragments), parts, own_first, storage)


def _index_parts(index: Index) -> Any:
    """An index for compiled loops, the same one for each call on the same drawing."""
    known = _indices.get(id(index))
    if known is None:
        if len(_indices) >= 64:  # of drawings long gone
            _indices.clear()
        known = _indices[id(index)] = Parts(index)
    return known


_indices: dict[int, Parts] = {}
_room: dict[int, tuple[int, ...]] = {}
"""How many fragments, chords, runs and edges there is room for at first, by the drawing's index."""
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
    total, chords, runs, edges = room
    fragments = Fragments(
        _memory(total, dtype=torch.float32),
        _memory(chords, dtype=torch.int32),
        _memory(chords, 2, dtype=torch.float32),
        _memory(edges, dtype=torch.int32),
    )
    return _Storage(fragments, _memory(runs, 4, dtype=torch.int32), _memory(runs, dtype=torch.int32))


def _memory(*shape: int, dtype: torch.dtype) -> np.ndarray:
    """Whatever was there, by torch: numpy asks the system for pages so large that the last ones lie idle."""
    return torch.empty(shape, dtype=dtype).numpy()


def _empty(batch: Batch, rows: np.ndarray, storage: _Storage) -> Layout:
    """Nothing covered yet."""
    first, counts = np.zeros((2, len(rows), 4), np.int64)
    return Layout(batch.pages, rows, np.zeros(4, np.int64), first, counts, storage.runs)


def _own_colors(batch: Batch, covered: _Covered) -> Float[Tensor, "fragments 4"]:
    """The colors of the fragments whose layers have gradients."""
    (_, spans, rows, _), height, parts = covered.scene, batch.size[0], []
    row = np.empty(rows.first[-1], np.int64)
    row[rows.run[: len(row)]] = np.repeat(np.arange(len(rows.first) - 1) % height, np.diff(rows.first))
    for layer in np.flatnonzero(covered.own_first >= 0):
        begin, count = spans.first[layer, 2], spans.counts[layer, 2]
        _, left, right, offset = spans.runs[begin : begin + count].T
        run = np.repeat(np.arange(count), right - left)
        columns = np.arange(len(run)) - offset[run] + left[run]
        centers = np.stack((columns, row[begin + run]), axis=1) + 0.5
        path = batch.index.layers[layer, 0]
        gradient = batch.gradients[batch.index.gradients[layer]]
        colors = gradient_colors(gradient, batch.matrices[path], torch.from_numpy(centers))
        parts.append(torch.cat((colors[:, :3], colors[:, 3:] * batch.colors[layer, 3]), dim=1))
    return torch.cat(parts) if parts else torch.empty(0, 4)
