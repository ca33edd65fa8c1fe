"""Compiled loops of the Numba backend: exact areas, within one pixel, of what outlines wind around."""

from __future__ import annotations

import numpy as np

from clipdraw.raster.compile import compiled
from clipdraw.raster.plan import EVENODD, SAME, TILT
from clipdraw.raster.plan import MOST_CHORDS as MOST


@compiled
def is_inside(winding, rule):
    """Whether what winds so often is painted."""
    return winding & 1 == 1 if rule == EVENODD else winding != 0


@compiled
def limited(area, rule):
    """Coverage and its derivative, for a pixel that only one line parts, of its integrated winding."""
    if rule == EVENODD:
        phase = area - 2 * np.floor(area / 2)
        return (phase, 1.0) if phase < 1 else (2 - phase, -1.0)
    if abs(area) >= 1:
        return 1.0, 0.0
    return abs(area), (1.0 if area >= 0 else -1.0)


@compiled
def overlap_area(chords, n, integral, rule, cuts, counts, shares):
    """The painted area of a pixel in which outlines may overlap.

    Each chord is cut where others cross it; each part is a boundary if only one of its sides is painted.

    Args:
        chords: the parts of edges within the pixel, from its corner: x0, y0, x1, y1; n x 4.
        n: how many, at most `MOST`.
        integral: of the winding number along the pixel's left side.
        rule: how it is painted.
        cuts, counts: scratch, (`MOST` + 1) x (2 `MOST` + 2) and `MOST` + 1.
        shares: for each chord the integrals of 1 - t and of t over its boundary parts, t from its start to its end,
            signed so that they are derivatives of the area; n x 2.

    Returns:
        The area in [0, 1].
    """
    corner, bordering = integral, False
    for i in range(n):
        if chords[i, 0] <= 0.0 or chords[i, 2] <= 0.0:
            bordering = True
            corner -= border_step(chords, i, 1.0)
    winding = np.int64(np.round(corner))
    if bordering:
        area = border_area(chords, n, winding, rule, cuts, counts)
    else:
        area = 1.0 if is_inside(winding, rule) else 0.0
    cut_chords(chords, n, cuts, counts)
    for i in range(n):
        x, y = chords[i, 0], chords[i, 1]
        dx, dy = chords[i, 2] - x, chords[i, 3] - y
        first_share = second_share = 0.0
        for k in range(counts[i] - 1):
            begin, end = cuts[i, k], cuts[i, k + 1]
            if end - begin < 1e-9:
                continue
            middle = (begin + end) / 2
            px, py = max(x + middle * dx, SAME), y + middle * dy
            ray = px * TILT * (0.5 - py)
            before = winding + ray_windings(chords, n, i, px, py, py + ray)
            if bordering:
                before += border_winding(chords, n, py + ray)
            # seen along the ray, from the left: down-going edges add 1
            step = np.int64(1) if dy * px + dx * ray > 0 else np.int64(-1)
            first, second = is_inside(before, rule), is_inside(before + step, rule)
            if first == second:
                continue
            sign = np.float64(step) if second else -np.float64(step)
            length = sign * (end - begin)
            second_share += length * middle
            first_share += length * (1 - middle)
            area += length * dy * (1 - px)
        shares[i, 0], shares[i, 1] = first_share, second_share
    return min(max(area, 0.0), 1.0)


@compiled
def cut_chords(chords, n, cuts, counts):
    """Write for each chord 0, the places where others cross it or end on it in order, 1; and how many these are."""
    for i in range(n):
        cuts[i, 0], cuts[i, 1], counts[i] = 0.0, 1.0, 2
    for i in range(n):
        x, y = chords[i, 0], chords[i, 1]
        dx, dy = chords[i, 2] - x, chords[i, 3] - y
        for j in range(i):
            ax, ay = chords[j, 0] - x, chords[j, 1] - y
            bx, by = chords[j, 2] - x, chords[j, 3] - y
            one, two = dx * ay - dy * ax, dx * by - dy * bx
            square = dx * dx + dy * dy
            near = SAME * SAME * square
            touched = one * one < near or two * two < near
            if not touched and (one > 0) == (two > 0):
                continue
            ex, ey = bx - ax, by - ay
            three, four = ex * ay - ey * ax, ex * (ay - dy) - ey * (ax - dx)
            length = ex * ex + ey * ey
            close = SAME * SAME * length
            touches = three * three < close or four * four < close
            if touched or touches:
                if one * one < near:
                    insert_inner(cuts, i, counts, (ax * dx + ay * dy) / square)
                if two * two < near:
                    insert_inner(cuts, i, counts, (bx * dx + by * dy) / square)
                if three * three < close:
                    insert_inner(cuts, j, counts, -(ax * ex + ay * ey) / length)
                if four * four < close:
                    insert_inner(cuts, j, counts, ((dx - ax) * ex + (dy - ay) * ey) / length)
            elif (three > 0) != (four > 0):
                insert(cuts, i, counts, three / (three - four))
                insert(cuts, j, counts, one / (one - two))


@compiled
def insert_inner(cuts, i, counts, value):
    """Put a value into list i if it is in (0, 1)."""
    if 0.0 < value < 1.0:
        insert(cuts, i, counts, value)


@compiled
def border_step(chords, i, y):
    """What a chord adds to the integral of the winding number along the left side, down to y."""
    total = 0.0
    if chords[i, 0] <= 0.0 and chords[i, 1] < y:  # it comes in: above, the left side lies beyond the outline
        total -= y - chords[i, 1]
    if chords[i, 2] <= 0.0 and chords[i, 3] < y:
        total += y - chords[i, 3]
    return total


@compiled
def border_winding(chords, n, y):
    """How much the winding number on the left side has changed from the corner down to y."""
    total = np.int64(0)
    for i in range(n):
        if chords[i, 0] <= 0.0 and chords[i, 1] < y:
            total -= 1
        if chords[i, 2] <= 0.0 and chords[i, 3] < y:
            total += 1
    return total


@compiled
def border_area(chords, n, winding, rule, cuts, counts):
    """The painted length of the left side."""
    cuts[MOST, 0], cuts[MOST, 1], counts[MOST] = 0.0, 1.0, 2
    for i in range(n):
        if chords[i, 0] <= 0.0:
            insert(cuts, MOST, counts, chords[i, 1])
        if chords[i, 2] <= 0.0:
            insert(cuts, MOST, counts, chords[i, 3])
    total = 0.0
    for k in range(counts[MOST] - 1):
        begin, end = cuts[MOST, k], cuts[MOST, k + 1]
        if end > begin and is_inside(winding + border_winding(chords, n, (begin + end) / 2), rule):
            total += end - begin
    return total


@compiled
def insert(cuts, i, counts, value):
    """Put a value in [0, 1] into list i, which is sorted."""
    k = counts[i]
    counts[i] += 1
    while k > 0 and cuts[i, k - 1] > value:
        cuts[i, k] = cuts[i, k - 1]
        k -= 1
    cuts[i, k] = value


@compiled
def ray_windings(chords, n, i, px, py, border):
    """The change of the winding number from the left side, `border` below its top, to the point (px, py) on chord i."""
    total, slope = np.int64(0), py - border
    for j in range(n):
        if j == i:
            continue
        ax, ay, bx, by = chords[j, 0], chords[j, 1], chords[j, 2], chords[j, 3]
        side0 = px * (ay - border) - slope * ax > 0
        side1 = px * (by - border) - slope * bx > 0
        if side0 == side1:
            continue
        # between the left side and the point: the point lies beyond the chord, seen from the left side
        dx, dy = bx - ax, by - ay
        cross = dx * (py - ay) - dy * (px - ax)
        # one on the other: the first is taken to lie before the second
        beyond = j < i if cross * cross < SAME * SAME * (dx * dx + dy * dy) else (cross < 0) == side1
        if beyond:
            total += np.int64(1) if side1 else np.int64(-1)  # downwards, upwards
    return total
