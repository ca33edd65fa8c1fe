"""Compiled loops of the Numba backend: the pixels that edges go through, and what winds around them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.memory import room

CROWDED = 2
"""A pixel with edges of more pieces than this is looked at for overlaps, even if they follow one another: three may
cross."""
CROWD_BITS = 4
INNER = (1 << CROWD_BITS) - 1
"""A number of pieces that stands for an edge inside the stroke."""
UNTOUCHED, OVERLAPPING = -1, np.iinfo(np.int32).max
"""What `Grid.state` says of pixels without edges, and of crowded ones, in which outlines may overlap. Of others it says
which piece came last, and how many there were, in the lowest `CROWD_BITS` bits."""
BOX = 3
"""Edges over at most so many columns are taken to touch all of them in each of their rows, for the span of a row."""


class Cells(NamedTuple):
    """The parts of a layer's edges in single pixels, in the order of edges."""

    pixel: np.ndarray
    """Number of the pixel in the grid: int32, cells."""
    edge: np.ndarray
    """int32, cells."""
    begin: np.ndarray
    """Where on the edge the part begins, from 0 to 1: float64, cells."""
    end: np.ndarray
    """Where it ends: float64, cells."""
    share: np.ndarray
    """Integrals of 1 - t and t from there to there, times the change of the area there: float32, cells x 2."""
    before: np.ndarray
    """The cell before in the same pixel, -1 for none: int32, cells."""
    crowded: np.ndarray
    """Pixels in which outlines may overlap, or run along borders: int32, cells."""
    last: np.ndarray
    """See `coverage.keep_boundaries`: int32, edges."""


class Grid(NamedTuple):
    """The pixels of a layer, row by row from its leftmost to its rightmost and one more."""

    span: np.ndarray
    """First column of each row, column after the last, first pixel: int64, rows x 3."""
    area: np.ndarray
    """What edges in and left of each pixel add to what winds around it, then what winds around it, then its coverage:
    float64, pixels."""
    state: np.ndarray
    """See `OVERLAPPING`: int32, pixels."""
    latest: np.ndarray
    """The last cell in each pixel that isn't untouched: int32, pixels."""


@compiled
def new_cells(count, edges):
    """Room for up to so many cells and edges."""
    return Cells(
        room((count,), np.int32),
        room((count,), np.int32),
        room((count,), np.float64),
        room((count,), np.float64),
        room((count, 2), np.float32),
        room((count,), np.int32),
        room((count,), np.int32),
        room((edges,), np.int32),
    )


@compiled
def new_grid(rows, pixels):
    """Room for layers of up to so many pixels, in up to so many rows."""
    return Grid(
        room((rows, 3), np.int64),
        room((pixels,), np.float64),
        room((pixels,), np.int32),
        room((pixels,), np.int32),
    )


@inlined
def is_within(x0, y0, x1, y1, top, bottom, width):
    """Whether an edge keeps to the image, or to the part of it that its layer may touch."""
    return min(x0, x1) >= 0 and max(x0, x1) < width and top <= min(y0, y1) and max(y0, y1) < bottom


@compiled
def measure_spans(scratch, edges, top, bottom, width, span):
    """Write the span of each row from `top` to `bottom`; returns the number of pixels, and as many cells as edges have
    at most.
    """
    vertex, edge, cells = scratch.vertex, scratch.edge, 0
    for k in range(bottom - top):
        span[k, 0], span[k, 1] = width, 0
    for e in range(edges):
        a, b = edge[e, 0], edge[e, 1]
        x0, y0, x1, y1 = vertex[a, 0], vertex[a, 1], vertex[b, 0], vertex[b, 1]
        if is_within(x0, y0, x1, y1, top, bottom, width):
            columns, rows = (np.int64(x0), np.int64(x1)), (np.int64(y0) - top, np.int64(y1) - top)
            first, last = min(columns[0], columns[1]), max(columns[0], columns[1]) + 1
            first_row, last_row = min(rows[0], rows[1]), max(rows[0], rows[1])
            if last - first <= BOX or last_row == first_row:
                cells += last - first + last_row - first_row + 1
                for k in range(first_row, last_row + 1):
                    span[k, 0], span[k, 1] = min(span[k, 0], first), max(span[k, 1], last)
                continue
        left, right, high, low = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
        slack = 1e-6 + 1e-9 * (abs(left) + abs(right) + abs(high) + abs(low))
        first_row = np.int64(min(max(high - slack, np.float64(top)), np.float64(bottom))) - top
        last_row = np.int64(min(max(low + slack, top - 1.0), bottom - 1.0)) - top
        first = np.int64(min(max(left - slack, 0.0), np.float64(width)))
        last = np.int64(min(max(right + slack, 0.0), width - 1.0)) + 1
        cells += max(last - first, 0) + max(last_row - first_row, 0) + 6
        if last - first <= BOX or last_row == first_row or y0 == y1:
            for k in range(first_row, last_row + 1):
                span[k, 0], span[k, 1] = min(span[k, 0], first), max(span[k, 1], last)
        else:
            slope = (x1 - x0) / (y1 - y0)
            for k in range(first_row, last_row + 1):
                above, below = min(max(high, top + k - slack), low), min(max(high, top + k + 1 + slack), low)
                one, two = x0 + (above - y0) * slope, x0 + (below - y0) * slope
                one, two = max(min(one, two), left) - slack, min(max(one, two), right) + slack
                span[k, 0] = min(span[k, 0], np.int64(min(max(one, 0.0), np.float64(width))))
                span[k, 1] = max(span[k, 1], np.int64(min(max(two, 0.0), width - 1.0)) + 1)
    total = 0
    for k in range(bottom - top):
        span[k, 2] = total
        total += max(0, span[k, 1] - span[k, 0]) + 1
    return total, cells


@compiled
def walk_all(scratch, edges, top, bottom, width, grid, cells):
    """Add all edges of a layer to the grid, and write their cells; returns their number and that of crowded pixels."""
    vertex, edge, span, area = scratch.vertex, scratch.edge, grid.span, grid.area
    count, crowds = 0, 0
    for e in range(edges):
        a, b, piece, inner = edge[e, 0], edge[e, 1], edge[e, 2], edge[e, 3]
        x0, y0, x1, y1 = vertex[a, 0], vertex[a, 1], vertex[b, 0], vertex[b, 1]
        if not is_within(x0, y0, x1, y1, top, bottom, width):
            count, crowds = walk_clipped(
                x0, y0, x1, y1, top, bottom, width, grid, cells, count, crowds, e, piece, inner
            )
            continue
        dx, dy = x1 - x0, y1 - y0
        column, row = np.int64(x0), np.int64(y0)
        columns, rows = np.int64(x1) - column, np.int64(y1) - row
        step_x, step_y = (1 if columns > 0 else -1), (1 if rows > 0 else -1)
        across, down = abs(columns), abs(rows)
        steps, t = across + down, 0.0
        over_x, over_y = 1 / dx, 1 / dy
        next_x = (column + (columns > 0) - x0) * over_x if across else 2.0
        next_y = (row + (rows > 0) - y0) * over_y if down else 2.0
        over_x, over_y = abs(over_x), abs(over_y)
        for step in range(steps + 1):
            sideways = next_x <= next_y
            until = min(min(next_x, next_y), 1.0) if step < steps else 1.0
            if until > t:
                at = span[row - top, 2] + column - span[row - top, 0]
                length, middle = until - t, (t + until) / 2
                fall = length * dy
                inside = fall * (x0 + middle * dx - column)
                area[at] += fall - inside
                area[at + 1] += inside
                cells.pixel[count], cells.edge[count], cells.begin[count], cells.end[count] = at, e, t, until
                cells.share[count, 0], cells.share[count, 1] = length - length * middle, length * middle
                crowds = meet(grid, cells, count, crowds, at, piece, inner)
                count, t = count + 1, until
            across -= sideways
            down -= not sideways
            column += step_x if sideways else 0
            row += 0 if sideways else step_y
            next_x = (next_x + over_x if across > 0 else 2.0) if sideways else next_x
            next_y = next_y if sideways else (next_y + over_y if down > 0 else 2.0)
    return count, crowds


@inlined
def meet(grid, cells, count, crowds, at, piece, inner):
    """Add the last cell to those of its pixel; returns the number of crowded pixels."""
    state = grid.state[at]
    after = next_state(state, piece, inner)
    cells.before[count] = -1 if state == UNTOUCHED else grid.latest[at]
    grid.state[at], grid.latest[at] = after, count
    if after == OVERLAPPING and state != OVERLAPPING:
        cells.crowded[crowds] = at
        crowds += 1
    return crowds


@inlined
def find_ties(cells, used, grid, crowds):
    """Take pixels that have edges but lie wholly inside or outside what is painted for crowded ones: their edges run
    along their borders, and what winds around them can't tell which of their sides is painted.

    Returns:
        The number of crowded pixels.
    """
    for k in range(used):
        at = cells.pixel[k]
        if grid.area[at] == np.round(grid.area[at]) and grid.state[at] != OVERLAPPING:
            grid.state[at], cells.crowded[crowds] = OVERLAPPING, at
            crowds += 1
    return crowds


@inlined
def next_state(state, piece, inner):
    """What is known of a pixel after one more edge."""
    crowd, further = state & INNER, abs(piece - (state >> CROWD_BITS))  # a ring's first join is its last piece's
    if state == UNTOUCHED:
        return np.int32((piece << CROWD_BITS) + (INNER if inner > 0 else 1))
    if state == OVERLAPPING or inner > 0 or further > 1 or crowd + further > CROWDED:
        return np.int32(OVERLAPPING)
    return np.int32((piece << CROWD_BITS) + crowd + further)


@compiled
def put_cell(x0, y0, dx, dy, top, grid, cells, count, crowds, row, column, e, piece, inner, begin, end):
    """Add a part of an edge to the grid; returns the number of cells and that of crowded pixels.

    What is left of the image, in column -1, counts only for what winds around the pixels right of it.
    """
    span, area = grid.span, grid.area
    left, right = span[row - top, 0], span[row - top, 1]
    at, length, middle = span[row - top, 2], end - begin, (begin + end) / 2
    fall = length * dy
    if column < 0:
        if left == 0:
            area[at] += fall
        return count, crowds
    if not left <= column < right:
        return count, crowds
    at += column - left
    inside = fall * (x0 + middle * dx - column)
    area[at] += fall - inside
    area[at + 1] += inside
    cells.pixel[count], cells.edge[count], cells.begin[count], cells.end[count] = at, e, begin, end
    cells.share[count, 0], cells.share[count, 1] = length - length * middle, length * middle
    return count + 1, meet(grid, cells, count, crowds, at, piece, inner)


@compiled
def walk_clipped(x0, y0, x1, y1, top, bottom, width, grid, cells, count, crowds, e, piece, inner):
    """Add an edge that may reach beyond the image to the grid.

    Args:
        x0, y0, x1, y1: the edge.
        top, bottom, width: of the image, or the part of it that the layer may touch.
        grid, cells, count, crowds: where to, and how many cells and crowded pixels there are already.
        e, piece, inner: the edge's number, its piece and whether it is inside the stroke.

    Returns:
        How many there are now.
    """
    dx, dy, low, high = x1 - x0, y1 - y0, 0.0, 1.0
    if dy != 0:
        one, two = (top - y0) / dy, (bottom - y0) / dy
        low, high = max(low, min(one, two)), min(high, max(one, two))
    elif not top <= y0 < bottom:
        return count, crowds
    if dx != 0:
        right = (width - x0) / dx
        low, high = (low, min(high, right)) if dx > 0 else (max(low, right), high)
    elif x0 >= width:
        return count, crowds
    if low >= high:
        return count, crowds
    down = 1 if dy > 0 else 0
    row = pixel_of(y0 + low * dy, dy, top, bottom)
    t, border = low, -x0 / dx if dx != 0 else (2.0 if x0 < 0 else -2.0)
    outside = x0 + low * dx < 0 or (dx < 0 and border <= low)
    column, ahead = -1, 1 if dx > 0 else 0
    if not outside:
        column = pixel_of(x0 + t * dx, dx, 0, width)
    next_x = (column + ahead - x0) / dx if dx != 0 else np.inf
    if outside and dx <= 0:
        next_x = np.inf
    next_y = (row + down - y0) / dy if dy != 0 else np.inf
    while True:
        until = min(high, min(next_x, next_y))
        if until > t:
            count, crowds = put_cell(
                x0, y0, dx, dy, top, grid, cells, count, crowds, row, column, e, piece, inner, t, until
            )
            t = until
        if until >= high:
            return count, crowds
        if next_x <= next_y:
            column += 2 * ahead - 1
            if column >= width:
                return count, crowds
            next_x = (column + ahead - x0) / dx if column >= 0 else np.inf
        else:
            row += 2 * down - 1
            if not top <= row < bottom:
                return count, crowds
            next_y = (row + down - y0) / dy


@inlined
def pixel_of(x, dx, first, stop):
    """The pixel, from `first` to `stop`, in which a line at x goes on."""
    number = np.int64(np.floor(x))
    if dx < 0 and number == x:
        number -= 1
    return min(max(number, first), stop - 1)
