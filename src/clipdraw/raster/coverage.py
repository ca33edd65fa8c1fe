"""Compiled loops of the Numba backend: what the layers cover, and back from coverage to control points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.areas import limited
from clipdraw.raster.cells import most_cells, new_cells, walk
from clipdraw.raster.compile import compiled, take
from clipdraw.raster.layout import CHUNK
from clipdraw.raster.outlines import outline, unoutline
from clipdraw.raster.overlaps import CROWDED, new_desk, resolve
from clipdraw.raster.polylines import unflatten
from clipdraw.raster.strokes import new_scratch

NOISE = 1e-6
"""Integrated windings nearer to a whole number than this are taken as that."""


BRIDGE = 4
"""Gaps of up to so many untouched pixels don't end a run."""


class Fragments(NamedTuple):
    """What each layer covers of each pixel of its runs, and how that depends on its outline."""

    coverage: np.ndarray
    """Fraction of the pixel: float32, fragments."""
    place: np.ndarray
    """The fragment of each chord, an edge's part in one pixel, counted from the layer's first, -1 for none: int32."""
    edge: np.ndarray
    """Its edge: int32, chords."""
    share: np.ndarray
    """Integrals of 1 - t and t over the chord's boundary parts, signed: float32, chords x 2."""


@compiled
def cover(counter, paths, layout, fragments, height, width):
    """Find the coverage, the chords and the runs of all layers.

    `layout.claimed` gets the numbers of fragments, chords and runs. Those for which there is no room are not written.
    """
    room, count, cells = 1024, len(paths.layers), new_cells(4096)
    scratch, desk = new_scratch(paths, room), new_desk(height, 4096, 4096)
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for layer in range(start, min(start + CHUNK, count)):
            layout.counts[layer] = 0
            if layout.rows[layer, 1] > layout.rows[layer, 0]:
                _, edges = outline(paths, layer, scratch)
                while edges < 0:
                    room *= 4
                    scratch = new_scratch(paths, room)
                    _, edges = outline(paths, layer, scratch)
                most = most_cells(scratch, edges, height, width)
                if most > len(cells.row):
                    cells = new_cells(2 * most)
                used = walk_all(layout, layer, scratch, edges, cells, height, width)
                pixels = find_spans(layout, layer, scratch, edges, cells, desk.span, used, width)
                if max(used, pixels) > len(desk.area):
                    desk = new_desk(height, 2 * max(used, pixels), 2 * max(used, pixels))
                    find_spans(layout, layer, scratch, edges, cells, desk.span, used, width)
                if pixels:
                    cover_layer(paths, layout, fragments, layer, scratch, cells, desk, used, pixels)


@compiled
def walk_all(layout, layer, scratch, edges, cells, height, width):
    """Write the cells of a layer's edges; returns their number."""
    used, vertex, edge = 0, scratch.vertex, scratch.edge
    for e in range(edges):
        a, b = edge[e, 0], edge[e, 1]
        used = walk(vertex[a, 0], vertex[a, 1], vertex[b, 0], vertex[b, 1], height, width, cells, used, e)
    return used


@compiled
def find_spans(layout, layer, scratch, edges, cells, span, used, width):
    """Write the span of each row of a layer; returns the number of their pixels."""
    top, bottom = layout.rows[layer, 0], layout.rows[layer, 1]
    for k in range(bottom - top):
        span[k, 0], span[k, 1] = width, 0
    for k in range(used):
        row, column = cells.row[k], max(cells.column[k], 0)
        if top <= row < bottom:
            span[row - top, 0] = min(span[row - top, 0], column)
            span[row - top, 1] = max(span[row - top, 1], column + 1)
    vertex = scratch.vertex
    for e in range(edges):  # what lies between the image and an edge right of it reaches to the image's right side
        a, b = scratch.edge[e, 0], scratch.edge[e, 1]
        if max(vertex[a, 0], vertex[b, 0]) >= width:
            low, high = min(vertex[a, 1], vertex[b, 1]), max(vertex[a, 1], vertex[b, 1])
            if high >= top and low < bottom:
                for k in range(np.int64(max(low - top, 0.0)), min(bottom - top, np.int64(min(high - top, 1e9)) + 1)):
                    span[k, 1] = width
    total = 0
    for k in range(bottom - top):
        span[k, 2] = total
        total += max(0, span[k, 1] - span[k, 0])
    return total


@compiled
def cover_layer(paths, layout, fragments, layer, scratch, cells, desk, used, pixels):
    """Coverage, chords and runs of one layer."""
    top, bottom, rule = layout.rows[layer, 0], layout.rows[layer, 1], paths.layers[layer, 1]
    first_chord = take(layout.claimed[1:], used)
    layout.first[layer, 1] = first_chord
    if first_chord + used > len(fragments.place):
        claim_all(layout, pixels)  # at most so many: there will be room the next time
        return
    place, share = fragments.place[first_chord : first_chord + used], fragments.share[first_chord : first_chord + used]
    area, latest, crowd, span = desk.area, desk.latest, desk.crowd, desk.span
    for k in range(pixels):
        area[k], latest[k], crowd[k] = 0, -1, 0
    edge, vertex, overlaps = scratch.edge, scratch.vertex, False
    for k in range(used):
        e, column, row, t0, t1 = cells.edge[k], cells.column[k], cells.row[k] - top, cells.begin[k], cells.end[k]
        place[k] = -1
        if not 0 <= row < bottom - top:
            continue
        a, b, piece, inner = edge[e, 0], edge[e, 1], edge[e, 2], edge[e, 3]
        x0, dx = vertex[a, 0], vertex[b, 0] - vertex[a, 0]
        fall, at = (t1 - t0) * (vertex[b, 1] - vertex[a, 1]), span[row, 2]
        if column < 0:
            area[at] += fall
            continue
        at += column - span[row, 0]
        inside = fall * (x0 + (t0 + t1) / 2 * dx - column)
        area[at] += fall - inside
        if column + 1 < span[row, 1]:
            area[at + 1] += inside
        place[k] = at
        before = latest[at]
        if before < 0:
            crowd[at] = CROWDED if inner > 0 else 1
        elif inner > 0 or abs(piece - before) > 1 or crowd[at] >= CROWDED:  # a ring's first join is its last piece's
            crowd[at], overlaps = CROWDED + 1, True
        else:
            crowd[at] += abs(piece - before)
        latest[at] = piece
    add_up(area, span, bottom - top)
    if overlaps:
        resolve(paths, layer, scratch, cells, desk, pixels, place, share)
    for k in range(used):
        at = place[k]
        if at >= 0 and crowd[at] <= CROWDED:
            slope = limited(np.float64(area[at]), rule)[1]
            t0, t1 = cells.begin[k], cells.end[k]
            along = (t1 - t0) * (t0 + t1) / 2
            share[k, 0], share[k, 1] = slope * (t1 - t0 - along), slope * along
    for k in range(pixels):
        if crowd[k] <= CROWDED:
            area[k] = limited(np.float64(area[k]), rule)[0]
    store(layout, fragments, layer, cells, desk, bottom - top, used)


@compiled
def claim_all(layout, pixels):
    """Claim room for all pixels of a layer, in as many runs."""
    take(layout.claimed[:1], pixels)
    take(layout.claimed[2:], pixels)


@compiled
def add_up(area, span, rows):
    """From what each pixel's edges add on its right side to what winds around it, row by row."""
    for row in range(rows):
        total = 0.0
        for k in range(span[row, 2], span[row, 2] + max(0, span[row, 1] - span[row, 0])):
            total += area[k]
            whole = np.round(total)
            area[k] = whole if abs(total - whole) < NOISE else total


@compiled
def store(layout, fragments, layer, cells, desk, rows, used):
    """Write what a layer touches: its runs, their coverage, and which fragments its chords are in."""
    runs, total = find_runs(desk, rows)
    first, first_run = take(layout.claimed[:1], total), take(layout.claimed[2:], runs)
    layout.first[layer, 0], layout.first[layer, 2] = first, first_run
    if first + total > len(fragments.coverage) or first_run + runs > len(layout.row):
        return
    layout.counts[layer, 0], layout.counts[layer, 1], layout.counts[layer, 2] = total, used, runs
    place = first
    for k in range(runs):
        row, left, length = desk.runs[k, 0], desk.runs[k, 1], desk.runs[k, 2]
        run = first_run + k
        layout.row[run], layout.left[run], layout.right[run] = layout.rows[layer, 0] + row, left, left + length
        layout.offset[run] = place
        begin = desk.span[row, 2] + left - desk.span[row, 0]
        for pixel in range(begin, begin + length):
            fragments.coverage[place] = desk.area[pixel]
            place += 1
    first_chord = layout.first[layer, 1]
    for k in range(first_chord, first_chord + used):
        if fragments.place[k] >= 0:
            fragments.place[k] = desk.head[fragments.place[k]]
        fragments.edge[k] = cells.edge[k - first_chord]


@compiled
def find_runs(desk, rows):
    """Write the runs of pixels that a layer covers or that its edges go through, and the fragment that each becomes.

    Returns:
        The number of runs and of fragments.
    """
    area, latest, span, runs, total = desk.area, desk.latest, desk.span, 0, 0
    for row in range(rows):
        k, end = span[row, 2], span[row, 2] + max(0, span[row, 1] - span[row, 0])
        while k < end:
            if latest[k] < 0 and area[k] == 0:
                k += 1
                continue
            begin = final = k
            while k < end and k - final <= BRIDGE:
                if latest[k] >= 0 or area[k] != 0:
                    final = k
                k += 1
            for pixel in range(begin, final + 1):
                desk.head[pixel] = total + pixel - begin
            desk.runs[runs, 0], desk.runs[runs, 2] = row, final + 1 - begin
            desk.runs[runs, 1] = span[row, 0] + begin - span[row, 2]
            runs, total = runs + 1, total + final + 1 - begin
    return runs, total


@compiled
def uncover(counter, paths, layout, fragments, wanted, gradient, by_point, by_radius, by_matrix):
    """From the gradient of coverage to those of the control points, the radii and the matrices, by path."""
    room, count = 1024, len(wanted)
    scratch = new_scratch(paths, room)
    by_vertex, by_raw = np.empty((room, 2)), np.empty((len(scratch.poly), 2))
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for path in range(start, min(start + CHUNK, count)):
            if not wanted[path]:
                continue
            touched = False
            subpaths = paths.first_subpath[path], paths.first_subpath[path + 1]
            cubics = paths.first_cubic[subpaths[0]], paths.first_cubic[subpaths[1]]
            by_raw[: paths.first_piece[cubics[1]] - paths.first_piece[cubics[0]] + subpaths[1] - subpaths[0]] = 0
            for layer in range(layout.first_layer[path], layout.first_layer[path + 1]):
                used = layout.counts[layer, 1]
                if used == 0:
                    continue
                vertices, _ = outline(paths, layer, scratch)
                while vertices < 0:
                    room *= 4
                    scratch, by_vertex = new_scratch(paths, room), np.empty((room, 2))
                    vertices, _ = outline(paths, layer, scratch)
                by_vertex[:vertices] = 0
                move_edges(layout, fragments, layer, scratch, gradient, by_vertex)
                by_radius[path] += unoutline(paths, layer, scratch, vertices, by_vertex, by_raw, by_matrix)
                touched = True
            if touched:
                unflatten(paths, path, by_raw, by_point)


@compiled
def move_edges(layout, fragments, layer, scratch, gradient, by_vertex):
    """Add up the gradients of the ends of a layer's edges.

    Where a boundary moves by (x, y), the area on its right grows by dx y - dy x for each step (dx, dy) along it.
    """
    first, first_chord = layout.first[layer, 0], layout.first[layer, 1]
    for k in range(first_chord, first_chord + layout.counts[layer, 1]):
        if fragments.place[k] < 0:
            continue
        grad = np.float64(gradient[first + fragments.place[k]])
        a, b = scratch.edge[fragments.edge[k], 0], scratch.edge[fragments.edge[k], 1]
        dx, dy = scratch.vertex[b, 0] - scratch.vertex[a, 0], scratch.vertex[b, 1] - scratch.vertex[a, 1]
        start, end = grad * fragments.share[k, 0], grad * fragments.share[k, 1]
        by_vertex[a, 0] -= start * dy
        by_vertex[a, 1] += start * dx
        by_vertex[b, 0] -= end * dy
        by_vertex[b, 1] += end * dx
