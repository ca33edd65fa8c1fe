"""Compiled loops of the Numba backend: what the strokes cover, and back from coverage to control points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.compile import compiled, take
from clipdraw.raster.layout import CHUNK, piece_columns, piece_rows
from clipdraw.raster.plan import REACH_PX
from clipdraw.raster.reference import NEAR_PX2, SHARP_REACH_PX, SPLIT, SPLIT_FROM

GAP = np.int32(1 << 30)
"""Added to the number of the nearest piece where the stroke goes out of reach and comes back."""

PARTED = np.int32(1 << 29)
"""Added to it where the pixel is split."""

NUMBER = PARTED - np.int32(1)
"""What is left of it without the two."""

PARTS = SPLIT * SPLIT
"""Parts of a split pixel."""


class Fragments(NamedTuple):
    """What each stroke covers of each pixel of its spans."""

    nearest: np.ndarray
    """The nearest piece, with `GAP` and `PARTED` added or not; -1 out of reach: int32."""
    parts: np.ndarray
    """The nearest pieces at the parts of split pixels, from the place of each stroke's first fragment on: int32."""
    coverage: np.ndarray
    """Fraction of the pixel: float32."""


@compiled
def cover(counter, strokes, layout, fragments, width):  # noqa: ANN001, ANN201
    """Find the nearest pieces and the coverage of all fragments."""
    count = len(strokes.radii)
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for s in range(start, min(start + CHUNK, count)):
            begin, end = strokes.first_span[s], strokes.first_span[s + 1]
            if layout.offset[begin] < layout.offset[end]:
                nearest_pieces(strokes, layout, fragments, s, width)
                cover_stroke(strokes, layout, fragments, s)


@compiled
def nearest_pieces(strokes, layout, fragments, s, width):  # noqa: ANN001, ANN201
    """Find the nearest piece of stroke `s` at each of its pixels; the squared distance goes where coverage will."""
    reach, top, pieces = strokes.radii[s] + REACH_PX, strokes.top[s], layout.pieces
    offset, first_left = layout.offset, layout.left
    first_span, last_span = strokes.first_span[s], strokes.first_span[s + 1]
    base, end = offset[first_span], offset[last_span]
    square, nearest = fragments.coverage[base:end], fragments.nearest[base:end]
    limit, latest = np.float32(reach**2), np.full(end - base, np.int32(-1))
    square[:], nearest[:] = limit, -1
    for k in range(strokes.first_piece[strokes.first_cubic[s]], strokes.first_piece[strokes.first_cubic[s + 1]]):
        number, unit_x, unit_y = np.int32(k), pieces[k, 2], pieces[k, 3]
        low, high = piece_rows(pieces, k, reach, top, top + last_span - first_span)
        ux, uy, length = np.float32(unit_x), np.float32(unit_y), np.float32(pieces[k, 4])
        for row in range(low, high):
            left, right = piece_columns(pieces, k, reach, row, width)
            x, y = left + 0.5 - pieces[k, 0], row + 0.5 - pieces[k, 1]
            along0, across0 = np.float32(x * unit_x + y * unit_y), np.float32(y * unit_x - x * unit_y)
            if length == 0:
                along0, ux, across0 = np.float32(-x), np.float32(-1), np.float32(y)
            span = first_span + row - top
            place = offset[span] - base + left - first_left[span]
            for column in range(right - left):
                step = np.float32(column)
                along, across = along0 + step * ux, across0 - step * uy
                beyond = max(np.float32(0), max(-along, along - length))
                distance = across * across + beyond * beyond
                best, before = square[place + column], latest[place + column]
                gap = GAP if before >= 0 and (before >= GAP or before < number - 1) else np.int32(0)
                square[place + column] = distance if distance < best else best
                nearest[place + column] = number if distance < best else nearest[place + column]
                latest[place + column] = number | gap if distance < limit else before
    for place in range(end - base):
        if nearest[place] >= 0:
            nearest[place] |= latest[place] & GAP


@compiled
def half_plane_area(s, a, b):  # noqa: ANN001, ANN201
    """Area F of a unit square inside a line; see `reference.half_plane_area`.

    Here and below all cases are computed and one is selected: a wrongly predicted jump costs more.

    Args:
        s: signed distance of the line from the square's center.
        a, b: the larger and the smaller part of its normal, without signs.
    """
    away = abs(s)
    corner = min(max((a + b) / 2 - away, 0.0), b)
    area = corner * corner / (2 * max(a * b, 1e-12))
    area = 1 - area if s > 0 else area
    return 0.5 + s / a if away <= (a - b) / 2 else area


@compiled
def strip_area(distance, nx, ny, radius):  # noqa: ANN001, ANN201
    """Coverage by a strip; see `reference.strip_area`. A strip wider than the square has at most one side in it."""
    a, b, away = max(abs(nx), abs(ny)), min(abs(nx), abs(ny)), abs(distance)
    area = half_plane_area(radius - away, a, b)
    if radius < REACH_PX:
        area -= half_plane_area(-radius - away, a, b)
    return area


@compiled
def half_plane_slopes(s, a, b):  # noqa: ANN001, ANN201
    """The derivatives of the area by s, a and b."""
    away = abs(s)
    corner = min(max((a + b) / 2 - away, 0.0), b)
    inverse, flat = 1 / max(a * b, 1e-12), away <= (a - b) / 2
    slope = 1 / a if flat else corner * inverse
    sign = -1.0 if s > 0 else 1.0
    by_a = -s * slope * slope if flat else sign * slope / 2 * (1 - corner * b * inverse)
    by_b = 0.0 if flat else sign * slope / 2 * (1 - corner * a * inverse)
    return slope, by_a, by_b


@compiled
def strip_slopes(distance, nx, ny, radius):  # noqa: ANN001, ANN201
    """The derivatives of the coverage by distance, nx, ny and radius."""
    ax, ay, away = abs(nx), abs(ny), abs(distance)
    a, b = max(ax, ay), min(ax, ay)
    slope, by_a, by_b = half_plane_slopes(radius - away, a, b)
    by_distance, by_radius = -slope, slope
    if radius < REACH_PX:
        slope, other_a, other_b = half_plane_slopes(-radius - away, a, b)
        by_distance, by_radius, by_a, by_b = by_distance + slope, by_radius + slope, by_a - other_a, by_b - other_b
    by_x, by_y = by_a if ax >= ay else by_b, by_b if ax >= ay else by_a
    sign = -1.0 if distance < 0 else 1.0
    return sign * by_distance, by_x if nx >= 0 else -by_x, by_y if ny >= 0 else -by_y, by_radius


@compiled
def locate(pieces, k, x, y):  # noqa: ANN001, ANN201
    """Where a point lies by piece `k`.

    Returns:
        0 beside it, 1 before its start, 2 past its end; how far along it; the distance and the normal for `strip`.
    """
    x, y = x - pieces[k, 0], y - pieces[k, 1]
    ux, uy, length = pieces[k, 2], pieces[k, 3], pieces[k, 4]
    along = x * ux + y * uy
    beside, past = 0 < along < length, along >= length > 0
    reached = length if past else 0.0
    x0, y0 = x - reached * ux, y - reached * uy
    square = x0 * x0 + y0 * y0
    away = square > NEAR_PX2
    distance = np.sqrt(square) if away else 0.0
    inverse = 1 / distance if away else 0.0
    nx, ny = x0 * inverse if away else 1.0, y0 * inverse
    if beside:
        distance, nx, ny = y * ux - x * uy, -uy, ux
    return 0 if beside else (2 if past else 1), along, distance, nx, ny


@compiled
def nearer_neighbor(pieces, first, stop, k, x, y):  # noqa: ANN001, ANN201
    """1 or -1 if the piece after or before piece `k` is nearer to a point, by less than float32 could tell; else 0."""
    along = (x - pieces[k, 0]) * pieces[k, 2] + (y - pieces[k, 1]) * pieces[k, 3]
    if along >= pieces[k, 4] and k + 1 < stop:
        after = pieces[k + 1]
        return np.int32((x - after[0]) * after[2] + (y - after[1]) * after[3] > 0)
    if along <= 0 and k > first:
        before = pieces[k - 1]
        return -np.int32((x - before[0]) * before[2] + (y - before[1]) * before[3] < before[4])
    return np.int32(0)


@compiled
def to_split(code, pieces, where, radius, area):  # noqa: ANN001, ANN201
    """Whether a pixel, with this nearest piece and coverage, is split; see `reference.SPLIT`."""
    k, near = code & NUMBER, radius + SHARP_REACH_PX
    sharp, side, along = np.int64(pieces[k, 5]), where[0], where[1]
    if not (sharp or code & GAP) or not SPLIT_FROM < area < 1 - SPLIT_FROM:
        return False
    if code & GAP:
        return True
    if side:
        return (sharp & side) > 0
    return ((sharp & 1) > 0 and along < near) or ((sharp & 2) > 0 and pieces[k, 4] - along < near)


@compiled
def square_distance(pieces, k, x, y):  # noqa: ANN001, ANN201
    """Squared distance of a point from piece `k`."""
    x, y, length = x - pieces[k, 0], y - pieces[k, 1], pieces[k, 4]
    along, across = x * pieces[k, 2] + y * pieces[k, 3], y * pieces[k, 2] - x * pieces[k, 3]
    if length == 0:
        along, across = -x, y
    beyond = max(0.0, max(-along, along - length))
    return across * across + beyond * beyond


@compiled
def split_pixel(pieces, first, stop, code, x, y, radius, least, parts, used):  # noqa: ANN001, ANN201
    """Find the nearest piece at each part of a pixel, among those within reach.

    Where the stroke doesn't leave the pixel's reach and come back, these follow one another.

    Args:
        pieces: all of them.
        first, stop: which are the stroke's.
        code: the nearest piece at the pixel's center, see `Fragments`.
        x, y: the center.
        radius: half the stroke width.
        least: scratch, one for each part.
        parts: gets the pieces, one for each part,
        used: from here on.
    """
    k, everywhere, reach = code & NUMBER, code & GAP > 0, (radius + REACH_PX) ** 2
    limit = (np.sqrt(square_distance(pieces, k, x, y)) + REACH_PX) ** 2
    for part in range(PARTS):
        least[part] = np.inf
    for direction in (-1, 1):
        piece = k if direction < 0 else k + 1
        while first <= piece < stop:
            distance = square_distance(pieces, piece, x, y)
            if distance > reach and not everywhere:
                break
            if distance <= limit:
                part_distances(pieces, piece, x, y, least, parts, used)
            piece += direction


@compiled
def part_distances(pieces, k, x, y, least, parts, used):  # noqa: ANN001, ANN201
    """Take piece `k` as the nearest at those parts of a pixel where it is."""
    for part in range(PARTS):
        distance = square_distance(pieces, k, x + part_offset(part % SPLIT), y + part_offset(part // SPLIT))
        if distance < least[part]:
            least[part], parts[used + part] = distance, k


@compiled
def part_offset(number):  # noqa: ANN001, ANN201
    """Center of a row or column of parts from the pixel's center."""
    return (number + 0.5) / SPLIT - 0.5


@compiled
def cover_stroke(strokes, layout, fragments, s):  # noqa: ANN001, ANN201
    """Coverage at the pixels of stroke `s`."""
    radius, pieces, left, right, offset = strokes.radii[s], layout.pieces, layout.left, layout.right, layout.offset
    nearest, coverage, parts = fragments.nearest, fragments.coverage, fragments.parts
    first, stop = strokes.first_piece[strokes.first_cubic[s]], strokes.first_piece[strokes.first_cubic[s + 1]]
    least, used = np.empty(PARTS), PARTS * offset[strokes.first_span[s]]
    for span in range(strokes.first_span[s], strokes.first_span[s + 1]):
        y = strokes.top[s] + span - strokes.first_span[s] + 0.5
        for column in range(left[span], right[span]):
            place, x = offset[span] + column - left[span], column + 0.5
            code = nearest[place]
            if code < 0:
                coverage[place] = 0
                continue
            code += nearer_neighbor(pieces, first, stop, code & NUMBER, x, y)
            where = locate(pieces, code & NUMBER, x, y)
            area = strip_area(where[2], where[3], where[4], radius)
            if to_split(code, pieces, where, radius, area):
                code |= PARTED
                split_pixel(pieces, first, stop, code, x, y, radius, least, parts, used)
                area = 0.0
                for part in range(PARTS):
                    part_x, part_y = x + part_offset(part % SPLIT), y + part_offset(part // SPLIT)
                    where = locate(pieces, parts[used + part], part_x, part_y)
                    area += strip_area(SPLIT * where[2], where[3], where[4], SPLIT * radius)
                used, area = used + PARTS, area / PARTS
            nearest[place], coverage[place] = code, area


@compiled
def uncover(counter, strokes, layout, fragments, gradient, piece_gradient, point_gradient, radius_gradient):  # noqa: ANN001, ANN201
    """From the gradient of coverage to that of the control points, in pixels, and of the radii."""
    count = len(strokes.radii)
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for s in range(start, min(start + CHUNK, count)):
            radius_gradient[s] = 0
            begin, end = strokes.first_cubic[s], strokes.first_cubic[s + 1]
            piece_gradient[strokes.first_piece[begin] : strokes.first_piece[end]] = 0
            if layout.offset[strokes.first_span[s]] < layout.offset[strokes.first_span[s + 1]]:
                uncover_stroke(strokes, layout, fragments, gradient, piece_gradient, radius_gradient, s)
            unflatten_stroke(strokes, piece_gradient, point_gradient, s)


@compiled
def uncover_stroke(strokes, layout, fragments, gradient, piece_gradient, radius_gradient, s):  # noqa: ANN001, ANN201
    """Add up the gradients of the pieces' ends, and of the radius, of stroke `s`."""
    radius, pieces, left, right, offset = strokes.radii[s], layout.pieces, layout.left, layout.right, layout.offset
    nearest, parts, total = fragments.nearest, fragments.parts, 0.0
    used = PARTS * offset[strokes.first_span[s]]
    for span in range(strokes.first_span[s], strokes.first_span[s + 1]):
        y = strokes.top[s] + span - strokes.first_span[s] + 0.5
        for column in range(left[span], right[span]):
            place, x = offset[span] + column - left[span], column + 0.5
            code, grad = nearest[place], np.float64(gradient[place])
            if code < 0:
                continue
            if not code & PARTED:
                total += move_piece(pieces, code & NUMBER, x, y, radius, grad, 1, piece_gradient)
                continue
            for part in range(PARTS):
                part_x, part_y = x + part_offset(part % SPLIT), y + part_offset(part // SPLIT)
                k = parts[used + part]
                total += move_piece(pieces, k, part_x, part_y, radius, grad / PARTS, SPLIT, piece_gradient)
            used += PARTS
    radius_gradient[s] = total


@compiled
def move_piece(pieces, k, x, y, radius, grad, fine, out):  # noqa: ANN001, ANN201
    """Add the gradients of the two ends of piece `k` to `out`; returns that of the radius.

    Beside the piece, t of the way along: d distance = -(1 - t) n da - t n db and dn = -u (n (db - da)) / length.
    Past an end v: d distance = -n dv and dn = -w (w dv) / distance, with w across n.

    Args:
        pieces, k: the piece.
        x, y: center of a square.
        radius: half the stroke width.
        grad: gradient of the square's coverage.
        fine: squares in a pixel's side.
        out: gradients of start x, y, end x, y of each piece.
    """
    side, along, distance, nx, ny = locate(pieces, k, x, y)
    by_distance, by_nx, by_ny, by_radius = strip_slopes(fine * distance, nx, ny, fine * radius)
    if by_distance == 0 and by_radius == 0:
        return 0.0
    by_distance *= fine * grad
    if side == 0:
        turn = grad * (by_nx * pieces[k, 2] + by_ny * pieces[k, 3]) / pieces[k, 4]
        share = by_distance * along / pieces[k, 4]
        start, end = share - by_distance + turn, -share - turn
        out[k, 0] += start * nx
        out[k, 1] += start * ny
        out[k, 2] += end * nx
        out[k, 3] += end * ny
    elif distance > 0:
        turn = grad * (by_nx * ny - by_ny * nx) / distance
        out[k, 2 * side - 2] += -by_distance * nx - turn * ny
        out[k, 2 * side - 1] += -by_distance * ny + turn * nx
    return grad * fine * by_radius


@compiled
def unflatten_stroke(strokes, piece_gradient, point_gradient, s):  # noqa: ANN001, ANN201
    """Hand the gradients of the pieces' ends of stroke `s` on to its control points."""
    for cubic in range(strokes.first_cubic[s], strokes.first_cubic[s + 1]):
        first, stop = strokes.first_piece[cubic], strokes.first_piece[cubic + 1]
        out = point_gradient[strokes.first_point[cubic] : strokes.first_point[cubic] + 4]
        for piece in range(first, stop):
            for end in range(2):
                t = (piece - first + end) / (stop - first)
                for axis in range(2):
                    grad = piece_gradient[piece, 2 * end + axis]
                    out[0, axis] += (1 - t) ** 3 * grad
                    out[1, axis] += 3 * t * (1 - t) ** 2 * grad
                    out[2, axis] += 3 * t**2 * (1 - t) * grad
                    out[3, axis] += t**3 * grad
