"""Compiled loops of the Numba backend: exact areas, within one pixel, of what outlines wind around."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.memory import room
from clipdraw.raster.plan import EVENODD, SAME, TILT
from clipdraw.raster.plan import MOST_CHORDS as MOST
from clipdraw.raster.rays import LANES, count_windings

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
    parts: np.ndarray
    """Of parts between cuts the middle, the height at which the ray through it begins on the left side, and the cuts:
    float64, 5 x `LANES`."""
    whose: np.ndarray
    """Their chords: int64, `LANES`."""
    windings: np.ndarray
    """The change of the winding number along the ray: int64, `LANES`."""
    shares: np.ndarray
    """For each chord the integrals of 1 - t and of t over its boundary parts, t from its start to its end,
    signed so that they are derivatives of the area: float64, `MOST` x 2."""


@compiled
def new_desk():
    """A desk."""
    return Desk(
        room((MOST,), np.int64),
        room((MOST, 4), np.float64),
        room((2 * MOST, 2), np.float64),
        room((MOST + 1, 2 * MOST + 2), np.float64),
        room((MOST + 1,), np.int64),
        room((5, LANES), np.float64),
        room((LANES,), np.int64),
        room((LANES,), np.int64),
        room((MOST, 2), np.float64),
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
    area, used = border_area(touches, corner, rule, desk), 0
    cut_chords(chords, n, cuts, counts)
    for i in range(n):
        shares[i, 0] = shares[i, 1] = 0.0
        for k in range(counts[i] - 1):
            if cuts[i, k + 1] - cuts[i, k] < SHORTEST:
                continue
            put_part(i, cuts[i, k], cuts[i, k + 1], used, desk)
            used += 1
            if used == LANES:
                area += settle(used, n, touches, corner, rule, desk)
                used = 0
    if used:
        area += settle(used, n, touches, corner, rule, desk)
    return min(max(area, 0.0), 1.0)


@inlined
def put_part(i, begin, end, lane, desk):
    """Write the part of chord i from `begin` to `end`, for which windings are to be counted."""
    chords, parts, middle = desk.chords, desk.parts, (begin + end) / 2
    px = chords[i, 0] + middle * (chords[i, 2] - chords[i, 0])
    py = chords[i, 1] + middle * (chords[i, 3] - chords[i, 1])
    px = max(px, SAME / 2)  # near enough to lie on what runs along the left side
    parts[0, lane], parts[1, lane], parts[2, lane] = px, py, py + px * (TILT if py < 0.5 else -TILT)
    desk.whose[lane], parts[3, lane], parts[4, lane] = i, begin, end


@inlined
def settle(used, n, touches, corner, rule, desk):
    """Add the parts that bound what is painted to their chords' shares; returns the area on their right."""
    chords, parts, shares, area = desk.chords, desk.parts, desk.shares, 0.0
    count_windings(chords, n, parts, desk.whose, desk.windings)
    for lane in range(used):
        i, begin, end = desk.whose[lane], parts[3, lane], parts[4, lane]
        dx, dy, px, border = chords[i, 2] - chords[i, 0], chords[i, 3] - chords[i, 1], parts[0, lane], parts[2, lane]
        upper = corner + border_winding(touches, border, desk) + desk.windings[lane]
        # of both sides, seen along the ray, from the left: down-going edges add 1
        upper += 1 if dy * px + dx * (border - parts[1, lane]) > 0 else 0
        inside = is_inside(upper, rule)
        if inside == is_inside(upper - 1, rule):
            continue
        length, middle = end - begin if inside else begin - end, (begin + end) / 2
        shares[i, 0] += length * (1 - middle)
        shares[i, 1] += length * middle
        area += length * dy * (1 - max(chords[i, 0] + middle * dx, SAME))
    return area


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
    `count_windings` takes for above a ray.
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
