"""Compiled loops of the Numba backend: the outlines of strokes; `reference_outlines` tells how they are built."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.memory import room
from clipdraw.raster.plan import (
    ARC_TOLERANCE_PX,
    CAPS,
    JOINS,
    LARGEST_ARC_STEP,
    MITER_AREA_PX,
    MOST_ARC_STEPS,
    SHORTEST_PX,
    SMOOTH_TURN,
    TURNED_BACK,
)
from clipdraw.raster.polylines import tangent

ROUND, BUTT, SQUARE, MITER = CAPS["round"], CAPS["butt"], CAPS["square"], JOINS["miter"]

SHARP_COSINE = 0.5
"""Where a tight turn is sharper than this, the outer side may meet other parts of the stroke as well."""


class Scratch(NamedTuple):
    """What one thread works with: one layer's outline."""

    poly: np.ndarray
    """Polylines of all subpaths: x, y, direction x, y and length of the piece that begins here, above 0 if a segment
    ends here, its number and 1 if that is known; behind them, from `Paths.longest` on, directions and lengths of
    tangents, four rows for each segment: float64, n x 6."""
    source: np.ndarray
    """Which of the flattened points each vertex is; the two control points of each tangent: int64, n."""
    vertex: np.ndarray
    """Outline vertices in pixels: float64, m x 2."""
    stem: np.ndarray
    """Polyline vertex, and the pieces, or tangents, whose directions it depends on: int64, m x 3."""
    arm: np.ndarray
    """Offset by radius 1; its derivatives by the angle of the piece before and of that after: float64, m x 6."""
    edge: np.ndarray
    """Outline edges: from vertex, to vertex, the piece they belong to, 1 if inside the stroke: int64, m x 4."""


@compiled
def new_scratch(paths, m):
    """Room for every polyline and for outlines of up to m vertices and edges."""
    most = 0
    for path in range(len(paths.radii)):
        first, last = paths.indices.first_subpath[path], paths.indices.first_subpath[path + 1]
        most = max(most, paths.indices.first_cubic[last] - paths.indices.first_cubic[first])
    n = paths.longest[0] + 4 * most
    return Scratch(
        room((n, 6), np.float64),
        room((n,), np.int64),
        room((m, 2), np.float64),
        room((m, 3), np.int64),
        room((m, 6), np.float64),
        room((m, 4), np.int64),
    )


@inlined
def join(scratch, at, first, last, piece, inner):
    """Write an edge."""
    edge = scratch.edge
    edge[at, 0], edge[at, 1], edge[at, 2], edge[at, 3] = first, last, piece, inner


@inlined
def put(scratch, at, radius, stem, before, after, x, y, x1, y1, x2, y2):
    """Write an outline vertex: `radius` times (x, y) from a polyline vertex; see `Scratch` for the rest."""
    scratch.vertex[at, 0] = scratch.poly[stem, 0] + radius * x
    scratch.vertex[at, 1] = scratch.poly[stem, 1] + radius * y
    scratch.stem[at, 0], scratch.stem[at, 1], scratch.stem[at, 2] = stem, before, after
    arm = scratch.arm
    arm[at, 0], arm[at, 1], arm[at, 2], arm[at, 3], arm[at, 4], arm[at, 5] = x, y, x1, y1, x2, y2
    return at + 1


@inlined
def put_side(scratch, at, radius, stem, piece, side, ahead):
    """A vertex beside the end of a piece, and `ahead` along it."""
    ux, uy = scratch.poly[piece, 2], scratch.poly[piece, 3]
    x, y = -side * uy + ahead * ux, side * ux + ahead * uy
    return put(scratch, at, radius, stem, piece, piece, x, y, -y, x, 0.0, 0.0)


@inlined
def put_miter(scratch, at, radius, stem, before, after, side, slope):
    """The vertex where the sides of two pieces meet; `slope` is the tangent of half the turn."""
    ux, uy, bend = scratch.poly[before, 2], scratch.poly[before, 3], side * (1 + slope * slope) / 2
    x, y = -side * (uy + slope * ux), side * (ux - slope * uy)
    return put(scratch, at, radius, stem, before, after, x, y, bend * ux - y, bend * uy + x, -bend * ux, -bend * uy)


@inlined
def arc_steps(angle, radius_px):
    """How many edges an arc gets."""
    step = min(2 * np.sqrt(2 * ARC_TOLERANCE_PX / max(radius_px, 1e-6)), LARGEST_ARC_STEP)
    return min(max(1, np.int64(np.ceil(angle / step - 1e-6))), MOST_ARC_STEPS)


@inlined
def swelling(step):
    """How far an arc's inner vertices lie outside, so that the area is the disc's; and its derivative."""
    sine = np.sin(step)
    swell = np.sqrt(step / sine)
    return swell, (sine - step * np.cos(step)) / (2 * swell * sine * sine)


@inlined
def put_arc(scratch, at, radius, stem, before, after, side, turn, scale):
    """The inner vertices of a round join's arc, from the piece before to that after."""
    steps = arc_steps(abs(turn), radius * scale)
    if steps == 1:
        return at
    swell, slope = swelling(abs(turn) / steps)
    slope *= (1.0 if turn > 0 else -1.0) / steps
    c, s = np.cos(turn / steps), np.sin(turn / steps)
    vx, vy = scratch.poly[before, 2], scratch.poly[before, 3]
    for k in range(1, steps):
        share = k / steps
        vx, vy = c * vx - s * vy, c * vy + s * vx  # the direction there
        x, y = -side * vy, side * vx
        at = put(
            scratch,
            at,
            radius,
            stem,
            before,
            after,
            swell * x,
            swell * y,
            -swell * (1 - share) * y - slope * x,
            swell * (1 - share) * x - slope * y,
            -swell * share * y + slope * x,
            swell * share * x + slope * y,
        )
    return at


@inlined
def put_cap(scratch, at, radius, stem, piece, end, cap, scale):
    """The vertices of a cap between its corners: `end` is 1 at the end of a stroke, from the plus side to the minus
    side, and -1 at its start, from the minus side to the plus side.
    """
    if cap == SQUARE:
        at = put_side(scratch, at, radius, stem, piece, end, end)
        return put_side(scratch, at, radius, stem, piece, -end, end)
    if cap == ROUND:
        steps = max(4, arc_steps(np.pi, radius * scale))
        swell, _ = swelling(np.pi / steps)
        c, s = np.cos(np.pi / steps), np.sin(np.pi / steps)
        x, y = swell * end, 0.0
        for _ in range(1, steps):
            x, y = c * x - s * y, c * y + s * x
            at = put_side(scratch, at, radius, stem, piece, x, y)
    return at


@inlined
def chain(scratch, edges, first, begin, stop, last, piece, inner):
    """Edges from vertex `first` by those from `begin` to `stop` to `last`; returns the number of edges then."""
    for v in range(begin, stop):
        join(scratch, edges, first, v, piece, inner)
        first, edges = v, edges + 1
    join(scratch, edges, first, last, piece, inner)
    return edges + 1


@compiled
def outline_dot(paths, path, scratch, stem, vertices, edges, scale):
    """The outline of a stroke without length: a disc, a square or nothing."""
    cap, radius = paths.indices.pens[path, 0], paths.radii[path]
    scratch.poly[stem, 2], scratch.poly[stem, 3], scratch.poly[stem, 4] = 1.0, 0.0, 0.0  # a piece without length
    if cap == BUTT:
        return vertices, edges
    steps = 4 if cap == SQUARE else max(8, 2 * arc_steps(np.pi, radius * scale))
    swell = np.sqrt(2.0) if cap == SQUARE else swelling(2 * np.pi / steps)[0]
    at = vertices
    for k in range(steps):
        angle = -2 * np.pi * (k + 0.5) / steps
        at = put(
            scratch, at, radius, stem, stem, stem, swell * np.cos(angle), swell * np.sin(angle), 0.0, 0.0, 0.0, 0.0
        )
    return at, chain(scratch, edges, vertices, vertices + 1, at, vertices, stem, 0)


@compiled
def outline_stroke(paths, path, subpath, scratch, begin, end, vertices, edges, scale):
    """Both sides of a polyline, its joins and its caps."""
    closed, first_cubic = paths.indices.closed[subpath] > 0, paths.indices.first_cubic
    first, final = first_cubic[subpath], first_cubic[subpath + 1] - 1
    radius, cap = paths.radii[path], paths.indices.pens[path, 0]
    last = end - 2  # where the last piece begins
    two = 1 if last == begin + 1 else 0  # of two pieces the caps may overlap, though their numbers follow one another
    if radius <= 0:
        return vertices, edges
    most = 2 * arc_steps(np.pi, radius * scale) + 16  # of two joins, or caps
    limit = len(scratch.vertex) - most
    if max(vertices, edges) > limit:
        return -1, -1
    if last < begin:
        return outline_dot(paths, path, scratch, begin, vertices, edges, scale)
    if closed and last > begin:
        ends, starts, vertices, edges, tight = outline_join(
            paths, path, scratch, begin, last, begin, final, first, vertices, edges, scale
        )
        final_ends, final_tight = ends, tight
    else:
        closed, tight, final_ends, final_tight = False, 0, (0, 0), 0
        along = begin if cap == ROUND else tangent(paths, path, scratch, first, 0, begin, shortest_piece(scale))[0]
        plus = put_side(scratch, vertices, radius, begin, along, 1.0, 0.0)
        inner = put_side(scratch, plus, radius, begin, along, -1.0, 0.0)
        vertices = put_cap(scratch, inner, radius, begin, along, -1.0, cap, scale)
        edges = chain(scratch, edges, plus, inner, vertices, plus - 1, begin, two)
        starts = (plus - 1, plus)
    for piece in range(begin, last + 1):
        if max(vertices, edges) > limit:
            return -1, -1
        tight_before = tight
        made = edges + 2  # the piece's own two edges go before those of the join
        if piece < last:
            cubic = np.int64(scratch.poly[piece + 1, 5]) - 1
            ends, following, vertices, after, tight = outline_join(
                paths, path, scratch, piece + 1, piece, piece + 1, cubic, cubic + 1, vertices, made, scale
            )
        elif closed:
            ends, following, after, tight = final_ends, starts, made, final_tight
        else:
            along = last if cap == ROUND else tangent(paths, path, scratch, final, 1, last, shortest_piece(scale))[0]
            plus = put_side(scratch, vertices, radius, last + 1, along, 1.0, 0.0)
            inner = put_side(scratch, plus, radius, last + 1, along, -1.0, 0.0)
            vertices = put_cap(scratch, inner, radius, last + 1, along, 1.0, cap, scale)
            after = chain(scratch, made, plus - 1, inner, vertices, plus, last, two)
            ends, following, tight = (plus - 1, plus), starts, 0
        join(scratch, edges, starts[0], ends[0], piece, (tight_before | tight) & 1)
        join(scratch, edges + 1, ends[1], starts[1], piece, (tight_before | tight) >> 1)
        starts, edges = following, after
    return vertices, edges


@inlined
def shortest_piece(scale):
    """`SHORTEST_PX` in canvas units."""
    return SHORTEST_PX / max(scale, 1e-30)


@inlined
def half_turn(poly, before, after):
    """The tangent of half the turn from one direction to another."""
    cross = poly[before, 2] * poly[after, 3] - poly[before, 3] * poly[after, 2]
    dot = poly[before, 2] * poly[after, 2] + poly[before, 3] * poly[after, 3]
    return cross / max(1 + dot, 1e-12)


@inlined
def outline_join(paths, path, scratch, stem, piece, next_piece, cubic, next_cubic, vertices, edges, scale):
    """The join between two pieces, and between the segments, if known, that end and begin there.

    Returns:
        The plus and the minus vertex where the piece before ends, the same where that after begins, the number of
        vertices and edges then, and 1 for the plus side, 2 for the minus side, if parts of the stroke overlap there.
    """
    poly, radius = scratch.poly, paths.radii[path]
    before, after, room = piece, next_piece, min(poly[piece, 4], poly[next_piece, 4])
    kind = np.int64(paths.indices.pens[path, 1]) if poly[stem, 5] > 0 else ROUND
    if kind != ROUND and cubic >= 0:
        before, lost = tangent(paths, path, scratch, cubic, 1, piece, shortest_piece(scale))
        after, lost_after = tangent(paths, path, scratch, next_cubic, 0, next_piece, shortest_piece(scale))
        if abs(half_turn(poly, before, after)) <= np.tan(SMOOTH_TURN / 2):
            before, after = piece, next_piece
        else:
            room = min(poly[piece, 4] - 2 * lost, poly[next_piece, 4] - 2 * lost_after)
    cross = poly[before, 2] * poly[after, 3] - poly[before, 3] * poly[after, 2]
    dot = poly[before, 2] * poly[after, 2] + poly[before, 3] * poly[after, 3]
    slope = half_turn(poly, before, after)
    side = 1.0 if cross > 0 else -1.0  # the inner one
    back = dot < TURNED_BACK
    tight = back or radius * abs(slope) > 0.5 * room
    limit = paths.indices.pens[path, 2]
    more = (radius * scale) ** 2 * abs(slope) ** 3 / 3  # what a miter adds to a round join
    mitered = (abs(slope) <= np.tan(SMOOTH_TURN / 2) or (kind == ROUND and more <= MITER_AREA_PX)) and not back
    if tight:
        first = vertices
        vertices = put_side(scratch, vertices, radius, stem, before, side, 0.0)
        vertices = put(scratch, vertices, 0.0, stem, before, after, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        vertices = put_side(scratch, vertices, radius, stem, after, side, 0.0)
        inner = (first, first + 2)
        forward = side > 0
        join(scratch, edges, first if forward else first + 2, first + 1, piece, 1)
        join(scratch, edges + 1, first + 1, first + 2 if forward else first, piece, 1)
        edges += 2
    else:
        inner = (vertices, vertices)
        vertices = put_miter(scratch, vertices, radius, stem, before, after, side, slope)
    if mitered:
        outer = (vertices, vertices)
        vertices = put_miter(scratch, vertices, radius, stem, before, after, -side, slope)
    else:
        first = put_side(scratch, vertices, radius, stem, before, -side, 0.0)
        arc = first
        if kind == ROUND:
            arc = put_arc(scratch, first, radius, stem, before, after, -side, side * abs(np.arctan2(cross, dot)), scale)
        elif kind == MITER and 1 + slope * slope <= limit * limit and not back:
            arc = put_miter(scratch, first, radius, stem, before, after, -side, slope)
        vertices = put_side(scratch, arc, radius, stem, after, -side, 0.0)
        outer = (first - 1, arc)
        if side < 0:  # the outer side is the plus side, and goes forward
            edges = chain(scratch, edges, first - 1, first, arc, arc, piece, 0)
        else:
            previous = arc
            for v in range(arc - 1, first - 2, -1):
                join(scratch, edges, previous, v, piece, 0)
                previous, edges = v, edges + 1
    inside = 0
    if tight:
        inside = 3 if dot < SHARP_COSINE else (1 if side > 0 else 2)
    if side > 0:
        return (inner[0], outer[0]), (inner[1], outer[1]), vertices, edges, inside
    return (outer[0], inner[0]), (outer[1], inner[1]), vertices, edges, inside
