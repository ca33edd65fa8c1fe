"""Compiled loops of the Numba backend: exact areas, within one pixel, of what outlines wind around."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.compile import compiled_to_allocate, inlined
from clipdraw.raster.plan import EVENODD, SAME, TILT
from clipdraw.raster.plan import MOST_CHORDS as MOST

SHORTEST = 1e-9
"""Parts of chords shorter than this, in lengths of their chord, are left out."""


@inlined
def is_inside(winding, rule):
    """Whether what winds so often is painted."""
    return winding & 1 == 1 if rule == EVENODD else winding != 0


@inlined
def limited(area, rule):
    """Coverage and its derivative, for a pixel that only one line parts, of its integrated winding."""
    if rule == EVENODD:
        phase = area - 2 * np.floor(area / 2)
        return (phase, 1.0) if phase < 1 else (2 - phase, -1.0)
    if abs(area) >= 1:
        return 1.0, 0.0
    return abs(area), (1.0 if area >= 0 else -1.0)


class Desk(NamedTuple):
    """What one thread sorts the overlaps in one pixel out with."""

    numbers: np.ndarray
    """Which cells its chords are: int64, `MOST`."""
    chords: np.ndarray
    """The parts of edges within the pixel, from its corner: x0, y0, x1, y1; float64, `MOST` x 4."""
    events: np.ndarray
    """Where chords touch the left side, from top to bottom in no order, and by how much the winding number there
    changes downwards: float64, 2 `MOST` x 2."""
    cuts: np.ndarray
    """Places on each chord in order, and on the left side: float64, (`MOST` + 1) x (2 `MOST` + 2)."""
    counts: np.ndarray
    """How many: int64, `MOST` + 1."""
    shares: np.ndarray
    """For each chord the integrals of 1 - t and of t over its boundary parts, t from its start to its end,
    signed so that they are derivatives of the area: float64, `MOST` x 2."""


@compiled_to_allocate
def new_desk():
    """A desk."""
    return Desk(
        np.empty(MOST, np.int64),
        np.empty((MOST, 4)),
        np.empty((2 * MOST, 2)),
        np.empty((MOST + 1, 2 * MOST + 2)),
        np.empty(MOST + 1, np.int64),
        np.empty((MOST, 2)),
    )


@inlined
def overlap_area(n, integral, rule, desk):
    """The painted area of a pixel in which outlines may overlap.

    Each chord is cut where others cross it; each part is a boundary if only one of its sides is painted.

    Args:
        n: how many chords there are, at most `MOST`.
        integral: of the winding number along the pixel's left side.
        rule: how it is painted.
        desk: with the chords; gets `shares`.

    Returns:
        The area in [0, 1].
    """
    chords, cuts, counts, shares = desk.chords, desk.cuts, desk.counts, desk.shares
    touches, corner = find_events(n, integral, desk)
    area = border_area(touches, corner, rule, desk)
    cut_chords(chords, n, cuts, counts)
    for i in range(n):
        x, y = chords[i, 0], chords[i, 1]
        dx, dy = chords[i, 2] - x, chords[i, 3] - y
        first_share, second_share = 0.0, 0.0
        for k in range(counts[i] - 1):
            begin, end = cuts[i, k], cuts[i, k + 1]
            middle = (begin + end) / 2
            if end - begin < SHORTEST:
                continue
            upper = high_winding(i, n, touches, corner, x + middle * dx, y + middle * dy, dx, dy, desk)
            inside = is_inside(upper, rule)
            if inside == is_inside(upper - 1, rule):
                continue
            length = end - begin if inside else begin - end
            second_share += length * middle
            first_share += length * (1 - middle)
            area += length * dy * (1 - max(x + middle * dx, SAME))
        shares[i, 0], shares[i, 1] = first_share, second_share
    return min(max(area, 0.0), 1.0)


@inlined
def find_events(n, integral, desk):
    """Write where chords touch the left side; returns how often, and the winding number at the pixel's corner."""
    chords, events, touches = desk.chords, desk.events, 0
    for i in range(n):
        if chords[i, 0] <= 0:  # it comes in: above, the left side lies beyond the outline
            events[touches, 0], events[touches, 1] = chords[i, 1], -1.0
            integral += 1 - chords[i, 1]
            touches += 1
        if chords[i, 2] <= 0:
            events[touches, 0], events[touches, 1] = chords[i, 3], 1.0
            integral -= 1 - chords[i, 3]
            touches += 1
    return touches, np.int64(np.round(integral))


@inlined
def high_winding(i, n, touches, corner, px, py, dx, dy, desk):
    """The larger one of the winding numbers on both sides of chord i, in the direction (dx, dy), at (px, py)."""
    px = max(px, SAME / 2)  # near enough to lie on what runs along the left side
    ray = px * TILT * (0.5 - py)
    before = corner + border_winding(touches, py + ray, desk) + ray_windings(desk.chords, n, i, px, py, py + ray)
    # seen along the ray, from the left: down-going edges add 1
    return before + 1 if dy * px + dx * ray > 0 else before


@inlined
def cut_chords(chords, n, cuts, counts):
    """Write for each chord 0, the places where others cross it or end on it in order, 1; and how many these are."""
    for i in range(n):
        cuts[i, 0], cuts[i, 1], counts[i] = 0.0, 1.0, 2
    for i in range(n):
        x, y = chords[i, 0], chords[i, 1]
        dx, dy = chords[i, 2] - x, chords[i, 3] - y
        square = dx * dx + dy * dy
        near = SAME * SAME * square
        for j in range(i):
            ax, ay = chords[j, 0] - x, chords[j, 1] - y
            bx, by = chords[j, 2] - x, chords[j, 3] - y
            one, two = dx * ay - dy * ax, dx * by - dy * bx
            begins, ends = one * one < near, two * two < near  # j on the line of i
            if not (begins or ends) and (one > 0) == (two > 0):
                continue
            ex, ey = bx - ax, by - ay
            three, four = ex * ay - ey * ax, ex * (ay - dy) - ey * (ax - dx)
            length = ex * ex + ey * ey
            close = SAME * SAME * length
            begun, ended = three * three < close, four * four < close  # i on the line of j
            if begins or ends or begun or ended:
                if begins:
                    insert_inner(cuts, i, counts, (ax * dx + ay * dy) / square)
                if ends:
                    insert_inner(cuts, i, counts, (bx * dx + by * dy) / square)
                if begun:
                    insert_inner(cuts, j, counts, -(ax * ex + ay * ey) / length)
                if ended:
                    insert_inner(cuts, j, counts, ((dx - ax) * ex + (dy - ay) * ey) / length)
            elif (three > 0) != (four > 0):
                insert(cuts, i, counts, three / (three - four))
                insert(cuts, j, counts, one / (one - two))


@inlined
def insert_inner(cuts, i, counts, value):
    """Put a value into list i unless it is at the chord's ends or beyond."""
    if SHORTEST < value < 1 - SHORTEST:
        insert(cuts, i, counts, value)


@inlined
def border_winding(touches, y, desk):
    """How much the winding number on the left side has changed from the corner down to y, and at y: what is there
    `ray_windings` takes for above a ray.
    """
    total, events = 0.0, desk.events
    for k in range(touches):
        total += events[k, 1] if events[k, 0] <= y else 0.0
    return np.int64(total)


@inlined
def border_area(touches, corner, rule, desk):
    """The painted length of the left side."""
    if touches == 0:
        return 1.0 if is_inside(corner, rule) else 0.0
    events, cuts, counts, total = desk.events, desk.cuts, desk.counts, 0.0
    if touches == 1:
        above, below = is_inside(corner, rule), is_inside(corner + np.int64(events[0, 1]), rule)
        return (events[0, 0] if above else 0.0) + (1 - events[0, 0] if below else 0.0)
    cuts[MOST, 0], cuts[MOST, 1], counts[MOST] = 0.0, 1.0, 2
    for k in range(touches):
        insert(cuts, MOST, counts, events[k, 0])
    for k in range(counts[MOST] - 1):
        begin, end = cuts[MOST, k], cuts[MOST, k + 1]
        if end > begin and is_inside(corner + border_winding(touches, (begin + end) / 2, desk), rule):
            total += end - begin
    return total


@inlined
def insert(cuts, i, counts, value):
    """Put a value in [0, 1] into list i, which is sorted."""
    k = counts[i]
    counts[i] += 1
    while k > 0 and cuts[i, k - 1] > value:
        cuts[i, k] = cuts[i, k - 1]
        k -= 1
    cuts[i, k] = value


@inlined
def ray_windings(chords, n, i, px, py, border):
    """The change of the winding number from the left side, `border` below its top, to the point (px, py) on chord i."""
    total, slope = np.int64(0), py - border
    for j in range(n):  # without a branch: which way one goes is hard to foretell
        ax, ay, bx, by = chords[j, 0], chords[j, 1], chords[j, 2], chords[j, 3]
        side0 = px * (ay - border) - slope * ax > 0
        side1 = px * (by - border) - slope * bx > 0
        # between the left side and the point: the point lies beyond the chord, seen from the left side
        dx, dy = bx - ax, by - ay
        cross = dx * (py - ay) - dy * (px - ax)
        # one on the other: the first is taken to lie before the second
        on = cross * cross < SAME * SAME * (dx * dx + dy * dy)
        beyond = (j < i) if on else ((cross < 0) == side1)
        crossed = (side0 != side1) & beyond & (j != i)
        total += np.int64(crossed) * (2 * np.int64(side1) - 1)  # downwards, upwards
    return total
