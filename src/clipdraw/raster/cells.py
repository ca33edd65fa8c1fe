"""Compiled loops of the Numba backend: the pixels that edges go through."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.compile import compiled, compiled_to_allocate


class Cells(NamedTuple):
    """The parts of a layer's edges in single pixels, as `walk` finds them."""

    row: np.ndarray
    """int32, cells."""
    column: np.ndarray
    """-1 for all that is left of the image: int32, cells."""
    edge: np.ndarray
    """int32, cells."""
    begin: np.ndarray
    """Where on the edge the part begins, from 0 to 1: float64, cells."""
    end: np.ndarray
    """Where it ends: float64, cells."""


@compiled_to_allocate
def new_cells(count):
    """Room for some cells."""
    return Cells(
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(count),
        np.empty(count),
    )


@compiled
def put_cell(cells, count, row, column, e, begin, end):
    """Write a cell; returns the number of cells."""
    cells.row[count], cells.column[count], cells.edge[count] = row, column, e
    cells.begin[count], cells.end[count] = begin, end
    return count + 1


@compiled
def walk(x0, y0, x1, y1, height, width, cells, count, e):
    """Write the cells of an edge.

    Args:
        x0, y0, x1, y1: the edge.
        height, width: of the image.
        cells, count: where to, and how many there are already.
        e: the edge's number.

    Returns:
        How many there are now.
    """
    dx, dy, low, high = x1 - x0, y1 - y0, 0.0, 1.0
    if 0 <= x0 < width and 0 <= x1 < width and 0 <= y0 < height and 0 <= y1 < height:
        column, row = np.int64(x0), np.int64(y0)
        columns, rows = np.int64(x1) - column, np.int64(y1) - row
        if columns == 0 and rows == 0:
            return put_cell(cells, count, row, column, e, 0.0, 1.0)
        if abs(columns) + abs(rows) == 1:
            t = (column + max(columns, 0) - x0) / dx if columns else (row + max(rows, 0) - y0) / dy
            t = min(max(t, 0.0), 1.0)
            count = put_cell(cells, count, row, column, e, 0.0, t)
            return put_cell(cells, count, row + rows, column + columns, e, t, 1.0)
    if dy != 0:
        top, bottom = -y0 / dy, (height - y0) / dy
        low, high = max(low, min(top, bottom)), min(high, max(top, bottom))
    elif not 0 <= y0 < height:
        return count
    if dx != 0:
        right = (width - x0) / dx
        low, high = (low, min(high, right)) if dx > 0 else (max(low, right), high)
    elif x0 >= width:
        return count
    if low >= high:
        return count
    down = 1 if dy > 0 else 0
    row = pixel_of(y0 + low * dy, dy, height)
    t, border = low, -x0 / dx if dx != 0 else (2.0 if x0 < 0 else -2.0)
    outside = x0 + low * dx < 0 or (dx < 0 and border <= low)
    if outside:
        stop = high if dx <= 0 else min(high, border)
        row, count, t = walk_beside(y0, dy, row, t, stop, height, cells, count, e)
        if t >= high:
            return count
    stop = min(high, border) if dx < 0 else high
    column, ahead = pixel_of(x0 + t * dx, dx, width), 1 if dx > 0 else 0
    if outside:
        column = 0
    next_x = (column + ahead - x0) / dx if dx != 0 else np.inf
    next_y = (row + down - y0) / dy if dy != 0 else np.inf
    while True:
        until = min(stop, min(next_x, next_y))
        if until > t:
            count, t = put_cell(cells, count, row, column, e, t, until), until
        if until >= stop:
            break
        if next_x <= next_y:
            column += 2 * ahead - 1
            if not 0 <= column < width:
                break
            next_x = (column + ahead - x0) / dx
        else:
            row += 2 * down - 1
            if not 0 <= row < height:
                break
            next_y = (row + down - y0) / dy
    if stop < high and t < high:
        row, count, t = walk_beside(y0, dy, row, t, high, height, cells, count, e)
    return count


@compiled
def walk_beside(y0, dy, row, t, stop, height, cells, count, e):
    """Write the rows that an edge goes through left of the image; returns the last, the count and where it is."""
    down = 1 if dy > 0 else 0
    while True:
        next_y = (row + down - y0) / dy if dy != 0 else np.inf
        until = min(stop, next_y)
        if until > t:
            count, t = put_cell(cells, count, row, -1, e, t, until), until
        if until >= stop:
            return row, count, stop
        if not 0 <= row + 2 * down - 1 < height:
            return row, count, stop
        row += 2 * down - 1


@compiled
def pixel_of(x, dx, size):
    """The pixel in which a line at x goes on."""
    number = np.int64(np.floor(x))
    if dx < 0 and number == x:
        number -= 1
    return min(max(number, 0), size - 1)


@compiled
def most_cells(scratch, edges, height, width):
    """At least as many cells as the edges go through."""
    total, vertex = 0, scratch.vertex
    for e in range(edges):
        a, b = scratch.edge[e, 0], scratch.edge[e, 1]
        across = min(abs(vertex[b, 0] - vertex[a, 0]), width + 2.0)
        total += np.int64(across + min(abs(vertex[b, 1] - vertex[a, 1]), height + 2.0)) + 6
    return total
