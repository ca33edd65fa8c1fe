"""Compiled loops of the Numba backend: what the layers cover, and back from coverage to control points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.areas import limited, new_desk
from clipdraw.raster.cells import OVERLAPPING, UNTOUCHED, find_ties, measure_spans, new_cells, new_grid, walk_all
from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.counters import finish, take, take_chunk
from clipdraw.raster.layout import CHUNK
from clipdraw.raster.memory import release, room
from clipdraw.raster.outlines import outline, unoutline
from clipdraw.raster.overlaps import resolve
from clipdraw.raster.plan import EVENODD
from clipdraw.raster.polylines import unflatten
from clipdraw.raster.strokes import new_scratch

NOISE = 1e-9
"""Integrated windings nearer to a whole number than this are taken as that."""

BRIDGE = 11
"""Fewer untouched pixels than this don't end a run: as many fragments take as much room as what is kept of a run."""


class Kept(NamedTuple):
    """What is kept of a layer's pixels."""

    slope: np.ndarray
    """Derivative of each pixel's coverage by what winds around it: float32, pixels."""
    head: np.ndarray
    """The fragment that each pixel becomes: int32, pixels."""
    runs: np.ndarray
    """Row, first column, length and first pixel of the runs that are kept: int32, pixels x 4."""


@compiled
def new_kept(pixels):
    """Room for up to so many pixels."""
    return Kept(room((pixels,), np.float32), room((pixels,), np.int32), room((pixels, 4), np.int32))


@compiled
def cover(counters, own, paths, layout, fragments, height, width):
    """Find the coverage, the chords and the runs of all layers.

    `layout.claimed` gets the numbers of them all. Those for which there is no room are not written.
    """
    longest, count, pixels, chords = 1024, len(paths.indices.layers), 4096, 4096
    scratch, cells, grid = new_scratch(paths, longest), new_cells(chords, longest), new_grid(height, pixels)
    desk, kept = new_desk(), new_kept(pixels)
    while True:
        start, stop = take_chunk(counters, own, count, CHUNK)
        if start == stop:
            break
        for layer in range(start, stop):
            layout.counts[layer] = 0
            if layout.rows[layer, 1] <= layout.rows[layer, 0]:
                continue
            edges = outline(paths, layer, scratch)[1]
            while edges < 0:
                longest *= 4
                release((scratch, cells))
                scratch, cells = new_scratch(paths, longest), new_cells(chords, longest)
                edges = outline(paths, layer, scratch)[1]
            top, bottom = layout.rows[layer, 0], layout.rows[layer, 1]
            more_pixels, more_chords = measure_spans(scratch, edges, top, bottom, width, grid.span)
            if more_pixels > pixels or more_chords > chords:
                pixels, chords = max(pixels, 2 * more_pixels), max(chords, 2 * more_chords)
                release((cells, grid, kept))
                cells, grid, kept = new_cells(chords, longest), new_grid(height, pixels), new_kept(pixels)
                measure_spans(scratch, edges, top, bottom, width, grid.span)
            cover_layer(paths, layout, fragments, layer, width, scratch, edges, cells, grid, more_pixels, desk, kept)
        finish(counters, stop - start)
    release((scratch, cells, grid, desk, kept))


@compiled
def cover_layer(paths, layout, fragments, layer, width, scratch, edges, cells, grid, pixels, desk, kept):
    """Coverage, chords and runs of one layer, of which the outline and the spans are known."""
    top, bottom, rule = layout.rows[layer, 0], layout.rows[layer, 1], paths.indices.layers[layer, 1]
    grid.area[:pixels] = 0
    grid.state[:pixels] = UNTOUCHED
    used, crowds = walk_all(scratch, edges, top, bottom, width, grid, cells)
    add_up(grid.area, grid.span, bottom - top)
    crowds = find_ties(cells, used, grid, crowds)
    if crowds:
        resolve(paths, layer, scratch, grid, (top, bottom), cells, crowds, desk)
    limit(grid.area, grid.state, pixels, rule, kept.slope)
    runs, total = find_runs(grid, bottom - top, kept)
    chords = keep_boundaries(cells, used, edges, kept)
    first, first_chord = take(layout.claimed[:1], total), take(layout.claimed[1:], chords)
    first_run, first_edge = take(layout.claimed[2:], runs), take(layout.claimed[3:], edges)
    if (
        first + total <= len(fragments.coverage)
        and first_chord + chords <= len(fragments.place)
        and first_run + runs <= len(layout.runs)
        and first_edge + edges <= len(fragments.last)
    ):
        layout.first[layer, 0], layout.first[layer, 1] = first, first_chord
        layout.first[layer, 2], layout.first[layer, 3] = first_run, first_edge
        layout.counts[layer, 0], layout.counts[layer, 1] = total, chords
        layout.counts[layer, 2], layout.counts[layer, 3] = runs, edges
        store_runs(layout, fragments.coverage, layer, grid.area, kept.runs)
        for k in range(chords):
            fragments.place[first_chord + k] = cells.pixel[k]
            fragments.share[first_chord + k, 0] = cells.share[k, 0]
            fragments.share[first_chord + k, 1] = cells.share[k, 1]
        for e in range(edges):
            fragments.last[first_edge + e] = cells.last[e]


@inlined
def add_up(area, span, rows):
    """From what each pixel's edges add on its right side to what winds around it, row by row."""
    for row in range(rows):
        total = 0.0
        for k in range(span[row, 2], span[row, 2] + max(0, span[row, 1] - span[row, 0])):
            total += area[k]
            whole = np.round(total)
            area[k] = whole if abs(total - whole) < NOISE else total


@inlined
def limit(area, state, pixels, rule, slope):
    """From what winds around each pixel to its coverage, and to the derivative of that by it."""
    if rule == EVENODD:
        for k in range(pixels):
            area[k], slope[k] = limited(area[k], rule)
    else:
        for k in range(pixels):
            wound = area[k]
            slope[k] = np.float32(0) if abs(wound) >= 1 else (np.float32(1) if wound >= 0 else np.float32(-1))
            area[k] = min(abs(wound), 1.0)
    for k in range(pixels):
        slope[k] = np.float32(1) if state[k] == OVERLAPPING else slope[k]


@inlined
def find_runs(grid, rows, kept):
    """Write the runs of pixels that a layer covers or that its edges go through, and the fragment that each becomes.

    Returns:
        The number of runs and of fragments.
    """
    area, state, span, head, made, runs, total = grid.area, grid.state, grid.span, kept.head, kept.runs, 0, 0
    for row in range(rows):
        k, end = span[row, 2], span[row, 2] + max(0, span[row, 1] - span[row, 0])
        while k < end:
            if state[k] == UNTOUCHED and area[k] == 0:
                k += 1
                continue
            begin, final = k, k
            while k < end and k - final <= BRIDGE:
                if state[k] != UNTOUCHED or area[k] != 0:
                    final = k
                k += 1
            for pixel in range(begin, final + 1):
                head[pixel] = total + pixel - begin
            made[runs, 0], made[runs, 1] = row, span[row, 0] + begin - span[row, 2]
            made[runs, 2], made[runs, 3] = final + 1 - begin, begin
            runs, total = runs + 1, total + final + 1 - begin
    return runs, total


@inlined
def store_runs(layout, coverage, layer, area, runs):
    """Write a layer's runs and their coverage."""
    place, first, top = layout.first[layer, 0], layout.first[layer, 2], layout.rows[layer, 0]
    for k in range(layout.counts[layer, 2]):
        run, length, begin = first + k, runs[k, 2], runs[k, 3]
        layout.runs[run, 0], layout.runs[run, 1] = top + runs[k, 0], runs[k, 1]
        layout.runs[run, 2], layout.runs[run, 3] = runs[k, 1] + length, place - layout.first[layer, 0]
        for pixel in range(length):
            coverage[place + pixel] = area[begin + pixel]
        place += length


@inlined
def keep_boundaries(cells, used, edges, kept):
    """Put the cells whose edges bound what is painted first, with their fragments instead of their pixels and with
    coverage's derivatives; returns how many there are. `cells.last` gets the end of those of each edge.
    """
    count, last = 0, cells.last
    last[:edges] = 0
    for k in range(used):
        at = cells.pixel[k]
        slope = kept.slope[at]
        one, two = slope * cells.share[k, 0], slope * cells.share[k, 1]
        cells.pixel[count], cells.share[count, 0], cells.share[count, 1] = kept.head[at], one, two
        count += (one != 0) | (two != 0)
        last[cells.edge[k]] = count
    for e in range(1, edges):
        last[e] = max(last[e - 1], last[e])
    return count


@compiled
def uncover(counters, own, paths, layout, fragments, wanted, by_point, by_radius, by_matrix):
    """From the gradient of coverage, which the fragments hold, to those of the control points, the radii and the
    matrices, by path.
    """
    longest, count = 1024, len(wanted)
    scratch = new_scratch(paths, longest)
    by_vertex, by_raw = room((longest, 2), np.float64), room((len(scratch.poly), 2), np.float64)
    while True:
        start, stop = take_chunk(counters, own, count, CHUNK)
        if start == stop:
            break
        for path in range(start, stop):
            if not wanted[path]:
                continue
            touched = False
            subpaths = paths.indices.first_subpath[path], paths.indices.first_subpath[path + 1]
            cubics = paths.indices.first_cubic[subpaths[0]], paths.indices.first_cubic[subpaths[1]]
            by_raw[: paths.first_piece[cubics[1]] - paths.first_piece[cubics[0]] + subpaths[1] - subpaths[0]] = 0
            for layer in range(paths.indices.first_layer[path], paths.indices.first_layer[path + 1]):
                if layout.counts[layer, 1] == 0:
                    continue
                vertices, edges = outline(paths, layer, scratch)
                while vertices < 0:
                    longest *= 4
                    release((scratch, by_vertex))
                    scratch, by_vertex = new_scratch(paths, longest), room((longest, 2), np.float64)
                    vertices, edges = outline(paths, layer, scratch)
                if edges != layout.counts[layer, 3]:  # somebody has moved its points meanwhile
                    continue
                by_vertex[:vertices] = 0
                move_edges(layout, fragments, layer, scratch, by_vertex)
                by_radius[path] += unoutline(paths, layer, scratch, vertices, by_vertex, by_raw, by_point, by_matrix)
                touched = True
            if touched:
                unflatten(paths, path, by_raw, by_point)
        finish(counters, stop - start)
    release((scratch, by_vertex, by_raw))


@compiled
def move_edges(layout, fragments, layer, scratch, by_vertex):
    """Add up the gradients of the ends of a layer's edges.

    Where a boundary moves by (x, y), the area on its right grows by dx y - dy x for each step (dx, dy) along it.
    """
    first, chord, first_edge = layout.first[layer, 0], layout.first[layer, 1], layout.first[layer, 3]
    edge, vertex, share, begin = scratch.edge, scratch.vertex, fragments.share, chord
    for e in range(layout.counts[layer, 3]):
        stop, start, end = chord + fragments.last[first_edge + e], 0.0, 0.0
        if begin == stop:
            continue
        for k in range(begin, stop):
            grad = fragments.coverage[first + fragments.place[k]]
            start, end = start + grad * share[k, 0], end + grad * share[k, 1]
        begin = stop
        a, b = edge[e, 0], edge[e, 1]
        dx, dy = vertex[b, 0] - vertex[a, 0], vertex[b, 1] - vertex[a, 1]
        by_vertex[a, 0] -= start * dy
        by_vertex[a, 1] += start * dx
        by_vertex[b, 0] -= end * dy
        by_vertex[b, 1] += end * dx
