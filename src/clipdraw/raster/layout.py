"""Compiled loops of the Numba backend: how finely paths are flattened, and which pixels each layer may touch.

Every loop is over layers or over rows, each is worked off by one thread in one fixed order, and
no two threads write to the same place: the number of threads can't change a bit of the result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.geometry import MAX_PIECES, MIN_PIECES
from clipdraw.raster.compile import compiled_to_allocate, inlined
from clipdraw.raster.plan import AT_SIDES, FARTHEST_PX, IN_THIN, SHORTEST_PX, STROKE, THIN_PX

CHUNK = 8
"""Layers taken at a time."""


class Layout(NamedTuple):
    """Runs of pixels, in single rows, that layers touch, and where what is known of them is stored."""

    page: np.ndarray
    """The image that each layer is painted on: int64, layers."""
    rows: np.ndarray
    """The first row that each layer may touch, and the row after the last: int64, layers x 2."""
    first_layer: np.ndarray
    """First layer of each path, and the number of layers at the end: int64, paths + 1."""
    claimed: np.ndarray
    """The numbers of fragments, chords and runs of all layers: int64, 3."""
    first: np.ndarray
    """First fragment, chord and run of each layer; layers in any order: int64, layers x 3."""
    counts: np.ndarray
    """How many of each it has: int64, layers x 3."""
    row: np.ndarray
    """Row of each run: int32, runs."""
    left: np.ndarray
    """First column of each run: int32, runs."""
    right: np.ndarray
    """Column after the last: int32, runs."""
    offset: np.ndarray
    """First fragment of each run, counted from its layer's first: int32, runs."""


class Rows(NamedTuple):
    """The runs of each row, page after page, in order of layers."""

    first: np.ndarray
    """Where each row's runs begin in the next two, and their number at the end: int64, rows + 1."""
    run: np.ndarray
    """int32, runs."""
    layer: np.ndarray
    """int32, runs."""


@compiled_to_allocate
def count_pieces(paths, index, size, tolerance, rows):
    """Decide how finely each segment is flattened; see `geometry.piece_counts`.

    A segment whose hull, widened by the stroke, misses the image becomes a line: what winds around the image's
    pixels stays the same. A path paints nothing if it has a number that isn't finite or reaches beyond `FARTHEST_PX`.

    Args:
        paths: gets `first_piece` and `longest`.
        index: see `plan.Index`.
        size: height and width of the image.
        tolerance: largest distance between curve and polyline, in pixels; less at its sides and in thin strokes.
        rows: gets the first row, and the row after the last, that each layer may touch: int64, layers x 2.
    """
    height, width = size
    place = np.empty((4, 2))
    paths.first_piece[0], paths.longest[0] = 0, 0
    for path in range(len(paths.radii)):
        matrix, radius = paths.matrices[path], paths.radii[path]
        stretch = np.sqrt(max(matrix[0, 0] ** 2 + matrix[1, 0] ** 2, matrix[0, 1] ** 2 + matrix[1, 1] ** 2) * 2)
        if matrix[0, 1] == 0 and matrix[1, 0] == 0:
            stretch = max(abs(matrix[0, 0]), abs(matrix[1, 1]))
        scale, stroked = np.sqrt(abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])), False
        for layer in range(index.first_layer[path], index.first_layer[path + 1]):
            stroked |= paths.layers[layer, 1] == STROKE
        thin = stroked and 2 * radius * scale < THIN_PX
        largest = max(max(abs(matrix[0, 0]), abs(matrix[0, 1])), max(abs(matrix[1, 0]), abs(matrix[1, 1])))
        sound = radius * largest <= FARTHEST_PX
        widest = (
            max(1.5, paths.pens[path, 2]) if paths.pens[path, 1] == 2 else (1.5 if paths.pens[path, 0] == 2 else 1.0)
        )
        reach = radius * stretch * widest + 1
        first, last = paths.first_cubic[index.first_subpath[path]], paths.first_cubic[index.first_subpath[path + 1]]
        low, high, pieces = np.float64(height), 0.0, 0
        for cubic in range(first, last):
            for k in range(4):
                x, y = paths.points[paths.cubics[cubic, k], 0], paths.points[paths.cubics[cubic, k], 1]
                place[k, 0] = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
                place[k, 1] = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
                sound &= abs(place[k, 0]) <= FARTHEST_PX and abs(place[k, 1]) <= FARTHEST_PX  # false for NaN
            left, right, above, below = place[0, 0], place[0, 0], place[0, 1], place[0, 1]
            for k in range(1, 4):
                left, right = min(left, place[k, 0]), max(right, place[k, 0])
                above, below = min(above, place[k, 1]), max(below, place[k, 1])
            low, high = min(low, above), max(high, below)
            seen = right + reach > 0 and left - reach < width and below + reach > 0 and above - reach < height
            farthest = 0.0
            for k in range(2):
                x = place[k, 0] - 2 * place[k + 1, 0] + place[k + 2, 0]
                y = place[k, 1] - 2 * place[k + 1, 1] + place[k + 2, 1]
                farthest = max(farthest, x * x + y * y)
            across = is_across(left, 0, right) or is_across(left, width, right)
            cut = across or is_across(above, 0, below) or is_across(above, height, below)
            count, within = 1, tolerance * (IN_THIN if thin else (AT_SIDES if cut else 1.0))
            if seen and sound:
                count = np.int64(min(max(np.ceil(np.sqrt(0.5 / within * np.sqrt(farthest))), MIN_PIECES), MAX_PIECES))
            paths.first_piece[cubic + 1] = paths.first_piece[cubic] + count
            pieces += count
        vertices = pieces + 2 * (index.first_subpath[path + 1] - index.first_subpath[path])
        paths.longest[0] = max(paths.longest[0], vertices)
        for layer in range(index.first_layer[path], index.first_layer[path + 1]):
            more = reach if paths.layers[layer, 1] == STROKE else 0.0
            rows[layer, 0] = rows[layer, 1] = 0
            if sound:
                rows[layer, 0] = np.int64(min(max(np.floor(low - more), 0.0), np.float64(height)))
                rows[layer, 1] = np.int64(min(max(np.floor(high + more) + 1, 0.0), np.float64(height)))


@inlined
def is_across(low, side, high):
    """Whether what reaches from `low` to `high`, in pixels, reaches beyond a side of the image, and not only just."""
    return low < side - SHORTEST_PX and high > side + SHORTEST_PX


@compiled_to_allocate
def arrange(layout, rows, height):
    """List the runs of each row in the order of layers."""
    rows.first[:] = 0
    for layer in range(len(layout.page)):
        base, begin = layout.page[layer] * height + 1, layout.first[layer, 2]
        for run in range(begin, begin + layout.counts[layer, 2]):
            rows.first[base + layout.row[run]] += 1
    rows.first[:] = np.cumsum(rows.first)
    place = rows.first.copy()
    for layer in range(len(layout.page)):
        base, begin = layout.page[layer] * height, layout.first[layer, 2]
        for run in range(begin, begin + layout.counts[layer, 2]):
            at = place[base + layout.row[run]]
            rows.run[at], rows.layer[at] = run, layer
            place[base + layout.row[run]] = at + 1
