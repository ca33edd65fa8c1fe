"""Compiled loops of the Numba backend: how finely paths are flattened, and which pixels each layer may touch.

Every loop is over layers or over rows, each is worked off by one thread in one fixed order, and
no two threads write to the same place: the number of threads can't change a bit of the result.
"""

from __future__ import annotations

import numpy as np

from clipdraw.bezier import MAX_PIECES, MIN_PIECES
from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.memory import release, room
from clipdraw.raster.plan import AT_SIDES, CAPS, FARTHEST_PX, IN_THIN, JOINS, SHORTEST_PX, STROKE, THIN_PX

SQUARE, MITER = CAPS["square"], JOINS["miter"]

CHUNK = 2
"""Layers taken at a time."""


@compiled
def count_pieces(paths, size, tolerance, rows):
    """Decide how finely each segment is flattened; see `geometry.piece_counts`.

    A segment whose hull, widened by the stroke, misses the image becomes a line: what winds around the image's
    pixels stays the same. A path paints nothing if it has a number that isn't finite or reaches beyond `FARTHEST_PX`.

    Args:
        paths: gets `first_piece` and `longest`.
        size: height and width of the image.
        tolerance: largest distance between curve and polyline, in pixels; less at its sides and in thin strokes.
        rows: gets the first row, and the row after the last, that each layer may touch: int64, layers x 2.
    """
    (height, width), indices = size, paths.indices
    place = room((4, 2), np.float64)
    paths.first_piece[0], paths.longest[0] = 0, 0
    for path in range(len(paths.radii)):
        matrix, radius = paths.matrices[path], paths.radii[path]
        stretch = np.sqrt(max(matrix[0, 0] ** 2 + matrix[1, 0] ** 2, matrix[0, 1] ** 2 + matrix[1, 1] ** 2) * 2)
        if matrix[0, 1] == 0 and matrix[1, 0] == 0:
            stretch = max(abs(matrix[0, 0]), abs(matrix[1, 1]))
        scale, stroked = np.sqrt(abs(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])), False
        for layer in range(indices.first_layer[path], indices.first_layer[path + 1]):
            stroked |= indices.layers[layer, 1] == STROKE
        thin = stroked and 2 * radius * scale < THIN_PX
        largest = max(max(abs(matrix[0, 0]), abs(matrix[0, 1])), max(abs(matrix[1, 0]), abs(matrix[1, 1])))
        sound = radius * largest <= FARTHEST_PX
        cap, join, limit = indices.pens[path, 0], indices.pens[path, 1], indices.pens[path, 2]
        widest = max(1.5, limit) if join == MITER else (1.5 if cap == SQUARE else 1.0)
        reach = radius * stretch * widest + 1
        subpath, next_subpath = indices.first_subpath[path], indices.first_subpath[path + 1]
        first, last = indices.first_cubic[subpath], indices.first_cubic[next_subpath]
        low, high, pieces = np.float64(height), 0.0, 0
        for cubic in range(first, last):
            for k in range(4):
                x, y = paths.points[indices.cubics[cubic, k], 0], paths.points[indices.cubics[cubic, k], 1]
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
        vertices = pieces + 2 * (next_subpath - subpath)
        paths.longest[0] = max(paths.longest[0], vertices)
        for layer in range(indices.first_layer[path], indices.first_layer[path + 1]):
            more = reach if indices.layers[layer, 1] == STROKE else 0.0
            rows[layer, 0] = rows[layer, 1] = 0
            if sound:
                rows[layer, 0] = np.int64(min(max(np.floor(low - more), 0.0), np.float64(height)))
                rows[layer, 1] = np.int64(min(max(np.floor(high + more) + 1, 0.0), np.float64(height)))
    release(place)


@inlined
def is_across(low, side, high):
    """Whether what reaches from `low` to `high`, in pixels, reaches beyond a side of the image, and not only just."""
    return low < side - SHORTEST_PX and high > side + SHORTEST_PX


@compiled
def arrange(layout, rows, height):
    """List the runs of each row in the order of layers, and note their layers."""
    rows.first[:] = 0
    for layer in range(len(layout.page)):
        base, begin = layout.page[layer] * height + 1, layout.first[layer, 2]
        for run in range(begin, begin + layout.counts[layer, 2]):
            rows.first[base + layout.runs[run, 0]] += 1
    place = room((len(rows.first),), np.int64)
    total = 0
    for row in range(len(rows.first)):
        total += rows.first[row]
        rows.first[row] = place[row] = total
    for layer in range(len(layout.page)):
        base, begin = layout.page[layer] * height, layout.first[layer, 2]
        for run in range(begin, begin + layout.counts[layer, 2]):
            row = base + layout.runs[run, 0]
            rows.run[place[row]], layout.runs[run, 0] = run, layer
            place[row] += 1
    release(place)
