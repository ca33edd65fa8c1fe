"""The coverage of the layers of a batch, in spans of pixels, as the kernels find it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.bezier import TOLERANCE
from clipdraw.raster import native
from clipdraw.raster.batch import LARGE, Batch
from clipdraw.raster.index import Index
from clipdraw.raster.native import KINDS, call, memory
from clipdraw.raster.paint import gradient_colors

FRAGMENTS, CHORDS, SPANS, EDGES = range(KINDS)
"""Kinds of things that are counted."""
UNLIMITED = 2**62
"""For `most` of `kernels.h`."""


class Storage(NamedTuple):
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


class Covered(NamedTuple):
    """The coverage of all layers, before anything is painted."""

    paths: native.Paths
    coverage: native.Coverage
    first: np.ndarray
    """First fragment, chord, span and edge of each layer: int64, layers x 4."""
    counts: np.ndarray
    """How many of each it has: int64, layers x 4."""
    first_in_row: np.ndarray
    """Where the spans of each row begin in `Storage.row_spans`, and the end: int64, rows + 1."""
    first_own: np.ndarray
    """The first fragment, among those with colors of their own, of layers with gradients, else -1: int64, layers."""
    storage: Storage


def paint_struct(
    batch: Batch, own_colors: Tensor, first_own: np.ndarray, image: Tensor | None, used: Tensor
) -> native.Paint:
    """Colors, background and image for the kernels; see `kernels.h`."""
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


class Band(NamedTuple):
    """Rows of the images that are wanted, and how much room a layer may take there; see `kernels.h`."""

    top: int
    rows: int
    most: int = UNLIMITED
    for_gradients: bool = True


def cover(batch: Batch, paint: native.Paint | None = None) -> Covered:
    """Find what a batch covers, and composite it where the paint is known."""
    band, index = Band(0, batch.size[0]), batch.index
    paths = paths_struct(batch)
    storage = storage_for(_capacities.get(id(index), (0,) * KINDS))
    while True:
        covered, claimed = cover_once(batch, paths, band, storage, paint)
        if covered is not None:
            return covered
        if len(_capacities) >= 64:  # of drawings long gone
            _capacities.clear()
        wanted = _capacities[id(index)] = tuple(int(count * 1.25) for count in claimed)  # for the next time
        storage = storage_for(wanted)


def paths_struct(batch: Batch) -> native.Paths:
    """The geometry of a batch for the kernels."""
    return native.Paths(
        index=_index_struct(batch.index),
        points=batch.points.detach().contiguous(),
        matrices=batch.matrices.detach().contiguous(),
        radii=batch.radii.detach().double(),
        first_piece=np.empty(len(batch.index.cubics) + 1, np.int64),
        longest=np.empty(1, np.int64),
        height=batch.size[0],
        width=batch.size[1],
        top=0,
        rows=batch.size[0],
        tolerance=TOLERANCE,
    )


def cover_once(
    batch: Batch, paths: native.Paths, band: Band, storage: Storage, paint: native.Paint | None
) -> tuple[Covered | None, tuple[int, ...]]:
    """Find what a batch covers in a band, if there is room for it; and how much room it takes.

    Args:
        batch: the drawings.
        paths: their geometry; its band becomes `band`.
        band: the rows.
        storage: where to.
        paint: composites it, too, if there is one.
    """
    layers, rows = len(batch.index.layers), len(batch.background) * band.rows
    paths.top, paths.rows = band.top, band.rows
    first, counts = np.zeros((2, layers, KINDS), np.int64)
    first_in_row = np.empty(rows + 1, np.int64)
    claimed, capacity = np.zeros(KINDS, np.int64), storage.capacity()
    coverage = native.Coverage(
        row_count=rows,
        most=band.most,
        for_gradients=band.for_gradients,
        drawing_index=batch.drawing_index,
        layer_rows=np.empty((layers, 2), np.int64),
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
    fits = bool((claimed <= capacity).all())
    first_own = _first_own(batch, counts)
    covered = Covered(paths, coverage, first, counts, first_in_row, first_own, storage) if fits else None
    return covered, tuple(claimed.tolist())


def _first_own(batch: Batch, counts: np.ndarray) -> np.ndarray:
    """See `Covered.first_own`."""
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
_idle: list[Storage] = []
"""The memory that the last call no longer needs, if it is little."""
_MOST_IDLE = 64 * 2**20  # bytes: 2,000 strokes at 1,500 pixels, or 256 at 5,000


def keep(storage: Storage) -> None:
    """Keep memory for the next call; what a large image took is given back."""
    _idle[:] = [storage] if sum(part.nbytes for part in storage) <= _MOST_IDLE else []


def storage_for(capacity: tuple[int, ...]) -> Storage:
    """Idle memory if there is enough of it, else new."""
    try:
        idle = _idle.pop()
    except IndexError:
        pass
    else:
        if all(has >= wanted for has, wanted in zip(idle.capacity(), capacity, strict=True)):
            return idle
    fragments, chords, spans, edges = capacity
    return Storage(
        coverage=memory(fragments, dtype=torch.float32),
        chord_fragment=memory(chords, dtype=torch.int32),
        chord_weights=memory(chords, 2, dtype=torch.float32),
        spans=memory(spans, 4, dtype=torch.int32),
        row_spans=memory(spans, dtype=torch.int32),
        edge_end=memory(edges, dtype=torch.int32),
    )


def own_colors_of(batch: Batch, covered: Covered) -> Float[Tensor, "fragments 4"]:
    """The colors of the fragments whose layers have gradients."""
    top, rows, first_in_row, parts = covered.paths.top, covered.paths.rows, covered.first_in_row, []
    spans, row = covered.storage.spans.numpy(), np.empty(covered.first_in_row[-1], np.int64)
    listed = covered.storage.row_spans.numpy()[: len(row)]
    row[listed] = np.repeat(top + np.arange(len(first_in_row) - 1) % rows, np.diff(first_in_row))
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
