"""Compiled loops of the Numba backend: the pixels of a layer in which its outline may overlap itself."""

from __future__ import annotations

import numpy as np

from clipdraw.raster.areas import overlap_area
from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.plan import BORDER, ROUNDINGS, SAME, STROKE
from clipdraw.raster.plan import MOST_CHORDS as MOST
from clipdraw.raster.strokes import ROUND, arc_steps

EPSILON = float(np.finfo(np.float64).eps)


@compiled
def resolve(paths, layer, scratch, grid, rows, cells, crowds, desk):
    """The coverage of the pixels in which outlines may overlap, and their cells' shares of it.

    Args:
        paths, layer, scratch: the layer and its outline.
        grid, rows: its pixels, with what winds around each; the first and the last row.
        cells, crowds: parts of its edges, and the number of crowded pixels.
        desk: scratch.
    """
    area, state, numbers, share = grid.area, grid.state, desk.numbers, cells.share
    rule, core = paths.indices.layers[layer, 1], core_of(paths, layer)
    for number in range(crowds):
        at = cells.crowded[number]
        latest = np.int64(grid.latest[at])
        row, column = place_of(scratch, grid.span, rows, cells, latest)
        if core[4] > 0 and in_core(core, scratch, cells, latest, column + 0.5, row + 0.5):
            area[at], k = 1.0, latest
            while k >= 0:
                share[k, 0] = share[k, 1] = 0.0
                k = cells.before[k]
            continue
        n = count_cells(cells, latest)
        if n > MOST:
            latest = leave_out_doubtful(scratch, cells, latest, row)
            n = count_cells(cells, latest)
        if n > MOST or n == 0:  # too many to sort out, or nothing to sort out
            state[at] = 0
            continue
        k = latest
        for i in range(n - 1, -1, -1):
            numbers[i] = k
            k = cells.before[k]
        integral = area[at] - place_chords(scratch, cells, numbers, n, row, column, desk.chords)
        area[at] = overlap_area(n, integral, rule, desk)
        for i in range(n):
            k = numbers[i]
            t0, t1 = cells.begin[k], cells.end[k]
            whole = desk.shares[i, 0] + desk.shares[i, 1]
            along = (t1 - t0) * (t0 * whole + (t1 - t0) * desk.shares[i, 1])
            share[k, 0], share[k, 1] = (t1 - t0) * whole - along, along


@inlined
def count_cells(cells, k):
    """How many cells a pixel has, of which the last is k; `MOST` + 1 for more than `MOST`."""
    n = 0
    while k >= 0 and n <= MOST:
        n, k = n + 1, cells.before[k]
    return n


@compiled
def leave_out_doubtful(scratch, cells, k, row):
    """Take cells that may as well be another pixel's out of those of their pixel, of which the last is k; returns the
    last then.

    An edge through a corner of pixels may or may not have one, one along their tops is above or below: rounding must
    not decide how many are too many.
    """
    latest, above = np.int64(-1), np.int64(-1)
    while k >= 0:
        a, b, vertex = scratch.edge[cells.edge[k], 0], scratch.edge[cells.edge[k], 1], scratch.vertex
        dx, dy = vertex[b, 0] - vertex[a, 0], vertex[b, 1] - vertex[a, 1]
        begin, end = vertex[a, 1] + cells.begin[k] * dy - row, vertex[a, 1] + cells.end[k] * dy - row
        if max(abs(begin), abs(end)) < SAME or max(abs(1 - begin), abs(1 - end)) < SAME:
            cells.share[k, 0] = cells.share[k, 1] = 0.0
        elif (cells.end[k] - cells.begin[k]) * max(abs(dx), abs(dy)) > SAME:
            if above < 0:
                latest = k
            else:
                cells.before[above] = k
            above = k
        k = np.int64(cells.before[k])
    if above >= 0:
        cells.before[above] = -1
    return latest


@inlined
def place_chords(scratch, cells, numbers, n, row, column, chords):
    """Write the chords of a pixel; returns the area to their right."""
    total = 0.0
    for i in range(n):
        k = numbers[i]
        total += chord_of(scratch, cells.edge[k], cells.begin[k], cells.end[k], row, column, chords, i)
    return total


@inlined
def place_of(scratch, span, rows, cells, k):
    """Row and column of a cell."""
    e, at, vertex = cells.edge[k], cells.pixel[k], scratch.vertex
    a, b, middle = scratch.edge[e, 0], scratch.edge[e, 1], (cells.begin[k] + cells.end[k]) / 2
    y = vertex[a, 1] + middle * (vertex[b, 1] - vertex[a, 1])
    row = min(max(np.int64(y) - rows[0], 0), rows[1] - rows[0] - 1)
    while span[row, 2] > at:
        row -= 1
    while row + 1 < rows[1] - rows[0] and span[row + 1, 2] <= at:
        row += 1
    return rows[0] + row, span[row, 0] + at - span[row, 2]


@inlined
def core_of(paths, layer):
    """From pixels to the coordinates of a path, without moving its origin, and where its origin is, in pixels; between
    these how near to a piece of a stroke a pixel's center must be for the whole pixel to be within, 0 if unknown.
    """
    path = paths.indices.layers[layer, 0]
    matrices = paths.matrices
    a, b, c, d = matrices[path, 0, 0], matrices[path, 0, 1], matrices[path, 1, 0], matrices[path, 1, 1]
    half, product = (a * a + b * b + c * c + d * d) / 2, a * d - b * c
    least = np.sqrt(max(half - np.sqrt(max(half * half - product * product, 0.0)), 1e-30))  # the shortest axis
    step = np.pi / arc_steps(np.pi, paths.radii[path] * np.sqrt(abs(product)))
    core = max(paths.radii[path] * (np.cos(step / 2) - 0.002) - 0.7072 / least, 0.0)  # arcs' edges lie within
    plain = paths.indices.pens[path, 0] == ROUND and paths.indices.pens[path, 1] == ROUND
    if paths.indices.layers[layer, 1] != STROKE or not plain or product == 0:
        core, product = 0.0, 1.0
    return (
        d / product,
        -b / product,
        -c / product,
        a / product,
        core,
        matrices[path, 0, 2],
        matrices[path, 1, 2],
    )


@inlined
def in_core(core, scratch, cells, k, x, y):
    """Whether the pixel around (x, y) is within the part of a stroke that one of the cells up to k belongs to."""
    poly, latest = scratch.poly, np.int64(-1)
    x, y = x - core[5], y - core[6]
    x, y = core[0] * x + core[1] * y, core[2] * x + core[3] * y
    while k >= 0:
        piece = scratch.edge[cells.edge[k], 2]
        k = cells.before[k]
        if piece == latest:
            continue
        latest = piece
        px, py, length = x - poly[piece, 0], y - poly[piece, 1], poly[piece, 4]
        along, across = px * poly[piece, 2] + py * poly[piece, 3], py * poly[piece, 2] - px * poly[piece, 3]
        beyond = max(0.0, max(-along, along - length))
        if across * across + beyond * beyond <= core[4] * core[4]:
            return True
    return False


@inlined
def chord_of(scratch, e, t0, t1, row, column, chords, n):
    """Write an edge's part within a pixel as chord n; returns the area to its right."""
    a, b, vertex = scratch.edge[e, 0], scratch.edge[e, 1], scratch.vertex
    x, y, dx, dy = vertex[a, 0], vertex[a, 1], vertex[b, 0] - vertex[a, 0], vertex[b, 1] - vertex[a, 1]
    rounding = ROUNDINGS * EPSILON * (abs(x) + abs(dx))
    last, low = (vertex[b, 0], vertex[b, 1]) if t1 == 1 else (x + t1 * dx, y + t1 * dy)
    chords[n, 0] = snapped(x + t0 * dx - column, 0.0 if t0 == 0 else rounding)
    chords[n, 1] = min(max(y + t0 * dy - row, 0.0), 1.0)
    chords[n, 2] = snapped(last - column, 0.0 if t1 == 1 else rounding)
    chords[n, 3] = min(max(low - row, 0.0), 1.0)
    return (chords[n, 3] - chords[n, 1]) * (1 - (chords[n, 0] + chords[n, 2]) / 2)


@inlined
def snapped(x, rounding):
    """A place in a pixel, 0 if it is as good as that: ends of edges are where all edges that meet there have them."""
    return 0.0 if x < BORDER + rounding else min(x, 1.0)
