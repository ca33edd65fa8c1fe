"""Compiled loops of the Numba backend: the pixels of a layer in which its outline may overlap itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.areas import overlap_area
from clipdraw.raster.compile import compiled
from clipdraw.raster.plan import MOST_CHORDS as MOST
from clipdraw.raster.plan import STROKE
from clipdraw.raster.strokes import ROUND, arc_steps

CROWDED = 2
"""A pixel with edges of more pieces than this is looked at for overlaps, even if they follow one another: three may
cross."""


class Desk(NamedTuple):
    """What one thread knows of the pixels of a layer, row by row from its leftmost to its rightmost, while it works."""

    span: np.ndarray
    """First column of each row, column after the last, first pixel: int64, rows x 3."""
    area: np.ndarray
    """What winds around each pixel, and then its coverage: float32, pixels."""
    latest: np.ndarray
    """The last piece met in each pixel, -1 for none: int32, pixels."""
    crowd: np.ndarray
    """How many pieces were met there: int32, pixels."""
    head: np.ndarray
    """The first chord of each crowded pixel, and then the fragment that each pixel becomes: int32, pixels."""
    runs: np.ndarray
    """Row, first column and length of the runs that are kept: int32, pixels x 3."""
    following: np.ndarray
    """The next one of the same pixel, -1 for none: int32, chords."""
    crowded: np.ndarray
    """Crowded pixels: int32, chords."""
    chords: np.ndarray
    cuts: np.ndarray
    counts: np.ndarray
    shares: np.ndarray
    numbers: np.ndarray
    """See `areas.overlap_area`; which chords they are."""


@compiled
def new_desk(rows, pixels, chords):
    """A desk for layers of up to so many."""
    return Desk(
        np.empty((rows, 3), np.int64),
        np.empty(pixels, np.float32),
        np.empty(pixels, np.int32),
        np.empty(pixels, np.int32),
        np.empty(pixels, np.int32),
        np.empty((pixels, 3), np.int32),
        np.empty(chords, np.int32),
        np.empty(chords, np.int32),
        np.empty((MOST, 4)),
        np.empty((MOST + 1, 2 * MOST + 2)),
        np.empty(MOST + 1, np.int64),
        np.empty((MOST, 2)),
        np.empty(MOST, np.int64),
    )


@compiled
def resolve(paths, layer, scratch, cells, desk, pixels, place, share):
    """The coverage of the pixels in which outlines may overlap."""
    area, crowd, head, following = desk.area, desk.crowd, desk.head, desk.following
    chords, numbers = desk.chords, desk.numbers
    rule, core, crowds = paths.layers[layer, 1], core_of(paths, layer), 0
    for k in range(pixels):
        head[k] = -1
    for k in range(len(place) - 1, -1, -1):
        at = place[k]
        if at >= 0 and crowd[at] > CROWDED:
            if head[at] < 0:
                desk.crowded[crowds] = at
                crowds += 1
            following[k], head[at] = head[at], k
    for number in range(crowds):
        at = desk.crowded[number]
        k, n = head[at], 0
        row, column = cells.row[k], cells.column[k]
        if core[4] > 0 and in_core(core, scratch, cells.edge, following, k, column + 0.5, row + 0.5):
            area[at] = 1.0
            while k >= 0:
                share[k, 0] = share[k, 1] = 0.0
                k = following[k]
            continue
        integral = np.float64(area[at])
        while k >= 0 and n < MOST:
            integral -= chord_of(scratch, cells.edge[k], cells.begin[k], cells.end[k], row, column, chords, n)
            numbers[n] = k
            k, n = following[k], n + 1
        if k >= 0 or n == 1:  # too many to sort out, or nothing to sort out
            crowd[at] = 0
            continue
        area[at] = overlap_area(chords, n, integral, rule, desk.cuts, desk.counts, desk.shares)
        for i in range(n):
            k = numbers[i]
            t0, t1 = cells.begin[k], cells.end[k]
            whole = desk.shares[i, 0] + desk.shares[i, 1]
            along = (t1 - t0) * (t0 * whole + (t1 - t0) * desk.shares[i, 1])
            share[k, 0], share[k, 1] = (t1 - t0) * whole - along, along


@compiled
def core_of(paths, layer):
    """From pixels to the coordinates of a path, without moving its origin, and where its origin is, in pixels; between
    these how near to a piece of a stroke a pixel's center must be for the whole pixel to be within, 0 if unknown.
    """
    path = paths.layers[layer, 0]
    matrices = paths.matrices
    a, b, c, d = matrices[path, 0, 0], matrices[path, 0, 1], matrices[path, 1, 0], matrices[path, 1, 1]
    half, product = (a * a + b * b + c * c + d * d) / 2, a * d - b * c
    least = np.sqrt(max(half - np.sqrt(max(half * half - product * product, 0.0)), 1e-30))  # the shortest axis
    step = np.pi / arc_steps(np.pi, paths.radii[path] * np.sqrt(abs(product)))
    core = max(paths.radii[path] * (np.cos(step / 2) - 0.002) - 0.7072 / least, 0.0)  # arcs' edges lie within
    plain = paths.pens[path, 0] == ROUND and paths.pens[path, 1] == ROUND
    if paths.layers[layer, 1] != STROKE or not plain or product == 0:
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


@compiled
def in_core(core, scratch, of_edge, following, k, x, y):
    """Whether the pixel around (x, y) is within the part of a stroke that one of the chords from k on belongs to."""
    poly, latest = scratch.poly, np.int64(-1)
    x, y = x - core[5], y - core[6]
    x, y = core[0] * x + core[1] * y, core[2] * x + core[3] * y
    while k >= 0:
        piece = scratch.edge[of_edge[k], 2]
        k = following[k]
        if piece == latest:
            continue
        latest = piece
        px, py, length = x - poly[piece, 0], y - poly[piece, 1], poly[piece, 4]
        along, across = px * poly[piece, 2] + py * poly[piece, 3], py * poly[piece, 2] - px * poly[piece, 3]
        beyond = max(0.0, max(-along, along - length))
        if across * across + beyond * beyond <= core[4] * core[4]:
            return True
    return False


@compiled
def chord_of(scratch, e, t0, t1, row, column, chords, n):
    """Write an edge's part within a pixel as chord n; returns the area to its right."""
    a, b, vertex = scratch.edge[e, 0], scratch.edge[e, 1], scratch.vertex
    x, y, dx, dy = vertex[a, 0], vertex[a, 1], vertex[b, 0] - vertex[a, 0], vertex[b, 1] - vertex[a, 1]
    chords[n, 0], chords[n, 1] = snapped(x + t0 * dx - column), min(max(y + t0 * dy - row, 0.0), 1.0)
    chords[n, 2], chords[n, 3] = snapped(x + t1 * dx - column), min(max(y + t1 * dy - row, 0.0), 1.0)
    return (chords[n, 3] - chords[n, 1]) * (1 - (chords[n, 0] + chords[n, 2]) / 2)


@compiled
def snapped(x):
    """A place in a pixel, 0 if it is as good as that."""
    return 0.0 if x < 1e-9 else min(x, 1.0)
