"""The backend for CPUs: compiled loops, gradients by hand, as many threads as there are cores."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from clipdraw.errors import InputError
from clipdraw.geometry import TOLERANCE
from clipdraw.raster import compositing, coverage, layout
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
    if any(tensor.device.type != "cpu" or tensor.dtype != torch.float32 for tensor in batch.tensors()):
        raise InputError("the numba backend takes float32 drawings in CPU memory: use backend='reference'")
    covered = _cover(batch)
    own = _own_colors(batch, covered)
    geometry = batch.points, batch.radii, batch.matrices
    images = _Rasterize.apply(*geometry, batch.colors, own, batch.background, covered, batch)
    if not images.requires_grad:
        _idle[:] = [covered.storage]
    return images


_WORTH_A_TEAM = 50_000  # fragments


class _Covered(NamedTuple):
    """What is known before anything is painted."""

    paths: Paths
    spans: Layout
    rows: Rows
    fragments: Fragments
    own_first: np.ndarray
    by_run: np.ndarray
    """Room for the gradients of colors by run: float32, runs x 4."""
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
    def forward(ctx: Any, points: Tensor, radii: Tensor, matrices: Tensor, *rest: Any) -> Tensor:
        colors, own, background, covered, batch = rest
        pages, (height, width) = len(background), batch.size
        image, used = torch.empty((pages, 3, height, width)), np.empty(pages * height, np.int64)
        arguments = covered.spans, covered.rows, covered.fragments, _paint(colors, own, background, covered)
        together(compositing.composite, *arguments, image.numpy(), used, threads=_threads(covered))
        ctx.save_for_backward(points, radii, matrices, colors, own, background)
        ctx.covered, ctx.used = covered, used
        ctx.index = batch.index, batch.pages, batch.moved, batch.size
        return image

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_image: Tensor) -> tuple[Tensor | None, ...]:
        points, radii, matrices, colors, own, background = ctx.saved_tensors
        index, pages, moved, size = ctx.index
        if ctx.covered is None:  # the second time, or a later one
            ctx.covered = _cover(Batch(points, radii, matrices, colors, background, (), index, pages, moved, size))
        covered, ctx.covered = ctx.covered, None  # what is covered is overwritten by its gradient
        layers, spans, fragments = len(index.layers), covered.spans, covered.fragments
        by_run, by_own = covered.by_run, np.empty((len(own), 4), np.float32)
        grad, by_background = grad_image.detach().contiguous(), None
        through = torch.empty_like(grad) if ctx.needs_input_grad[5] else torch.empty((0, 3, 0, 0))
        paint, grads = _paint(colors, own, background, covered), (fragments.coverage, by_run, by_own)
        arguments = spans, covered.rows, fragments, paint, grad.numpy(), through.numpy(), ctx.used, grads
        together(compositing.uncomposite, *arguments, threads=_threads(covered))
        by_color = np.empty((layers, 4), np.float32)
        compositing.sum_colors(spans, paint, by_run, by_color)
        if ctx.needs_input_grad[5]:
            one = background.shape[2:] == (1, 1)
            by_background = through.sum((2, 3), keepdim=True, dtype=torch.float64).float() if one else through
        wanted = any(ctx.needs_input_grad[:3])
        geometry = _geometry_grad(covered, moved) if wanted else (None,) * 3
        _idle[:] = [covered.storage]
        return *geometry, torch.from_numpy(by_color), torch.from_numpy(by_own), by_background, None, None


def _threads(covered: _Covered) -> int:
    """How many threads composite: a second one takes as long to begin as few fragments do."""
    return get_threads() if covered.spans.claimed[0] > _WORTH_A_TEAM else 1


def _paint(colors: Tensor, own: Tensor, background: Tensor, covered: _Covered) -> Paint:
    return Paint(_array(colors), _array(own), covered.own_first, _array(background))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def _cover(batch: Batch) -> _Covered:
    """Flatten, outline and find out what is covered."""
    index, (height, width), threads = batch.index, batch.size, get_threads()
    layers = len(index.layers)
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
    rows = np.empty((layers, 2), np.int64)
    layout.count_pieces(paths, index, (height, width), TOLERANCE, rows)
    storage = _storage(_room.get(id(index), (0, 0, 0)))
    spans, fragments = _empty(batch, rows, storage)
    together(coverage.cover, paths, spans, fragments, height, width, threads=threads)
    if not storage.has_room(tuple(map(int, spans.claimed))):
        if len(_room) >= 64:  # of drawings long gone
            _room.clear()
        _room[id(index)] = tuple(int(count * 1.25) for count in spans.claimed)  # next time it will be about as much
        storage = _storage(_room[id(index)])
        spans, fragments = _empty(batch, rows, storage)
        together(coverage.cover, paths, spans, fragments, height, width, threads=threads)
    total, runs = len(batch.background) * height, spans.claimed[2]
    listed = Rows(np.empty(total + 1, np.int64), storage.run[:runs], storage.layer[:runs])
    layout.arrange(spans, listed, height)
    own_first = np.full(layers, -1)
    graded = np.flatnonzero(index.gradients >= 0)
    own_first[graded] = np.cumsum(spans.counts[graded, 0]) - spans.counts[graded, 0]
    return _Covered(paths, spans, listed, fragments, own_first, storage.by_run[:runs], storage)


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
        np.empty(runs, np.int64),
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
        columns = np.arange(len(run)) + spans.first[layer, 0] - spans.offset[run] + spans.left[run]
        centers = np.stack((columns, spans.row[run]), axis=1) + 0.5
        path = batch.index.layers[layer, 0]
        gradient = batch.gradients[batch.index.gradients[layer]]
        colors = gradient_colors(gradient, batch.matrices[path], torch.from_numpy(centers))
        parts.append(torch.cat((colors[:, :3], colors[:, 3:] * batch.colors[layer, 3]), dim=1))
    return torch.cat(parts) if parts else torch.empty(0, 4)


def _geometry_grad(covered: _Covered, moved: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """From the gradient of coverage, which the fragments hold now, to those of points, radii and matrices."""
    paths, spans, fragments = covered.paths, covered.spans, covered.fragments
    by_point, by_radius = np.zeros(paths.points.shape), np.zeros(len(paths.radii))
    by_matrix = np.zeros(paths.matrices.shape)
    arguments = paths, spans, fragments, moved, by_point, by_radius, by_matrix
    together(coverage.uncover, *arguments, threads=get_threads())
    return torch.from_numpy(by_point).float(), torch.from_numpy(by_radius).float(), torch.from_numpy(by_matrix)
