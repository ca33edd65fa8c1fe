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
    reach, top = strokes.radii[s] + REACH_PX, strokes.top[s]
    first_span, last_span = strokes.first_span[s], strokes.first_span[s + 1]
    base, end = layout.offset[first_span], layout.offset[last_span]
    square, nearest = fragments.coverage[base:end], fragments.nearest[base:end]
    limit, latest = np.float32(reach**2), np.full(end - base, np.int32(-1))
    square[:], nearest[:] = limit, -1
    for k in range(strokes.first_piece[strokes.first_cubic[s]], strokes.first_piece[strokes.first_cubic[s + 1]]):
        piece, number = layout.pieces[k], np.int32(k)
        low, high = piece_rows(piece, reach, top, top + last_span - first_span)
        ux, uy, length = np.float32(piece[2]), np.float32(piece[3]), np.float32(piece[4])
        for row in range(low, high):
            left, right = piece_columns(piece, reach, row, width)
            x, y = left + 0.5 - piece[0], row + 0.5 - piece[1]
            along0, across0 = np.float32(x * piece[2] + y * piece[3]), np.float32(y * piece[2] - x * piece[3])
            if length == 0:
                along0, ux, across0 = np.float32(-x), np.float32(-1), np.float32(y)
            span = first_span + row - top
            place = layout.offset[span] - base + left - layout.left[span]
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
def half_plane(s, nx, ny):  # noqa: ANN001, ANN201
    """Area F of a unit square inside a line, dF/ds, dF/dnx, dF/dny; see `reference.half_plane_area`."""
    ax, ay = abs(nx), abs(ny)
    a, b = max(ax, ay), min(ax, ay)
    half, away = (a + b) / 2, abs(s)
    if away >= half:
        return (1.0 if s > 0 else 0.0), 0.0, 0.0, 0.0
    if away <= (a - b) / 2:
        slope = 1 / a
        area, by_a, by_b = 0.5 + s * slope, -s * slope * slope, 0.0
    else:
        inverse = 1 / max(a * b, 1e-12)
        corner = min(half - away, b)
        slope = corner * inverse
        area = corner * slope / 2
        by_a, by_b = slope / 2 - area * b * inverse, slope / 2 - area * a * inverse
        if s > 0:
            area, by_a, by_b = 1 - area, -by_a, -by_b
    by_x, by_y = (by_a, by_b) if ax >= ay else (by_b, by_a)
    return area, slope, (by_x if nx >= 0 else -by_x), (by_y if ny >= 0 else -by_y)


@compiled
def strip(distance, nx, ny, radius):  # noqa: ANN001, ANN201
    """Coverage by a strip and its derivatives by distance, nx, ny and radius; see `reference.strip_area`."""
    one, slope1, x1, y1 = half_plane(radius - distance, nx, ny)
    two, slope2, x2, y2 = half_plane(-radius - distance, nx, ny)
    return one - two, slope2 - slope1, x1 - x2, y1 - y2, slope1 + slope2


@compiled
def locate(piece, x, y):  # noqa: ANN001, ANN201
    """Where a point lies by a piece.

    Returns:
        0 beside it, 1 before its start, 2 past its end; how far along it; the distance and the normal for `strip`.
    """
    x, y = x - piece[0], y - piece[1]
    ux, uy, length = piece[2], piece[3], piece[4]
    along = x * ux + y * uy
    if 0 < along < length:
        return 0, along, y * ux - x * uy, -uy, ux
    side = 1
    if along >= length and length > 0:
        side, x, y = 2, x - length * ux, y - length * uy
    square = x * x + y * y
    if square > NEAR_PX2:
        distance = np.sqrt(square)
        return side, along, distance, x / distance, y / distance
    return side, along, 0.0, 1.0, 0.0


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
def to_split(code, piece, where, radius, area):  # noqa: ANN001, ANN201
    """Whether a pixel, with this nearest piece and coverage, is split; see `reference.SPLIT`."""
    if not SPLIT_FROM < area < 1 - SPLIT_FROM:
        return False
    if code & GAP:
        return True
    sharp, side, near = np.int64(piece[5]), where[0], radius + SHARP_REACH_PX
    if side:
        return (sharp & side) > 0
    return ((sharp & 1) > 0 and where[1] < near) or ((sharp & 2) > 0 and piece[4] - where[1] < near)


@compiled
def square_distance(piece, x, y):  # noqa: ANN001, ANN201
    """Squared distance of a point from a piece."""
    x, y = x - piece[0], y - piece[1]
    along, across = x * piece[2] + y * piece[3], y * piece[2] - x * piece[3]
    if piece[4] == 0:
        along, across = -x, y
    beyond = max(0.0, max(-along, along - piece[4]))
    return across * across + beyond * beyond


@compiled
def split_pixel(layout, first, stop, code, x, y, radius, least, chosen):  # noqa: ANN001, ANN201
    """Find the nearest piece at each part of a pixel, among those within reach.

    Where the stroke doesn't leave the pixel's reach and come back, these follow one another.

    Args:
        layout: has the pieces.
        first, stop: which are the stroke's.
        code: the nearest piece at the pixel's center, see `Fragments`.
        x, y: the center.
        radius: half the stroke width.
        least: scratch, one for each part.
        chosen: gets the pieces, one for each part.
    """
    least[:] = np.inf
    k, everywhere = code & NUMBER, code & GAP > 0
    limit = (np.sqrt(square_distance(layout.pieces[k], x, y)) + REACH_PX) ** 2
    reach = (radius + REACH_PX) ** 2
    for direction in (-1, 1):
        piece = k if direction < 0 else k + 1
        while first <= piece < stop:
            distance = square_distance(layout.pieces[piece], x, y)
            if distance > reach and not everywhere:
                break
            if distance <= limit:
                part_distances(layout.pieces[piece], piece, x, y, least, chosen)
            piece += direction


@compiled
def part_distances(piece, number, x, y, least, chosen):  # noqa: ANN001, ANN201
    """Take a piece as the nearest at those parts of a pixel where it is."""
    for part in range(PARTS):
        distance = square_distance(piece, x + part_offset(part % SPLIT), y + part_offset(part // SPLIT))
        if distance < least[part]:
            least[part], chosen[part] = distance, number


@compiled
def part_offset(number):  # noqa: ANN001, ANN201
    """Center of a row or column of parts from the pixel's center."""
    return (number + 0.5) / SPLIT - 0.5


@compiled
def cover_stroke(strokes, layout, fragments, s):  # noqa: ANN001, ANN201
    """Coverage at the pixels of stroke `s`."""
    radius, nearest, coverage = strokes.radii[s], fragments.nearest, fragments.coverage
    first, stop = strokes.first_piece[strokes.first_cubic[s]], strokes.first_piece[strokes.first_cubic[s + 1]]
    least, used = np.empty(PARTS), PARTS * layout.offset[strokes.first_span[s]]
    for span in range(strokes.first_span[s], strokes.first_span[s + 1]):
        place, y = layout.offset[span] - layout.left[span], strokes.top[s] + span - strokes.first_span[s] + 0.5
        for column in range(layout.left[span], layout.right[span]):
            code, x = nearest[place + column], column + 0.5
            if code < 0:
                coverage[place + column] = 0
                continue
            code += nearer_neighbor(layout.pieces, first, stop, code & NUMBER, x, y)
            nearest[place + column] = code
            piece = layout.pieces[code & NUMBER]
            where = locate(piece, x, y)
            area = strip(where[2], where[3], where[4], radius)[0]
            if to_split(code, piece, where, radius, area):
                nearest[place + column] |= PARTED
                chosen = fragments.parts[used : used + PARTS]
                split_pixel(layout, first, stop, code, x, y, radius, least, chosen)
                used, area = used + PARTS, 0.0
                for part in range(PARTS):
                    part_x, part_y = x + part_offset(part % SPLIT), y + part_offset(part // SPLIT)
                    where = locate(layout.pieces[chosen[part]], part_x, part_y)
                    area += strip(SPLIT * where[2], where[3], where[4], SPLIT * radius)[0]
                area /= PARTS
            coverage[place + column] = area


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
    radius, nearest, total = strokes.radii[s], fragments.nearest, 0.0
    used = PARTS * layout.offset[strokes.first_span[s]]
    for span in range(strokes.first_span[s], strokes.first_span[s + 1]):
        place, y = layout.offset[span] - layout.left[span], strokes.top[s] + span - strokes.first_span[s] + 0.5
        for column in range(layout.left[span], layout.right[span]):
            code, x, grad = nearest[place + column], column + 0.5, np.float64(gradient[place + column])
            if code < 0:
                continue
            if not code & PARTED:
                k = code & NUMBER
                total += move_piece(layout.pieces[k], x, y, radius, grad, 1, piece_gradient[k])
                continue
            for part in range(PARTS):
                k = fragments.parts[used + part]
                part_x, part_y = x + part_offset(part % SPLIT), y + part_offset(part // SPLIT)
                total += move_piece(layout.pieces[k], part_x, part_y, radius, grad / PARTS, SPLIT, piece_gradient[k])
            used += PARTS
    radius_gradient[s] = total


@compiled
def move_piece(piece, x, y, radius, grad, fine, out):  # noqa: ANN001, ANN201
    """Add the gradients of a piece's two ends to `out`; returns that of the radius.

    Beside the piece, t of the way along: d distance = -(1 - t) n da - t n db and dn = -u (n (db - da)) / length.
    Past an end v: d distance = -n dv and dn = -w (w dv) / distance, with w across n.

    Args:
        piece: the piece.
        x, y: center of a square.
        radius: half the stroke width.
        grad: gradient of the square's coverage.
        fine: squares in a pixel's side.
        out: start x, y, end x, y.
    """
    side, along, distance, nx, ny = locate(piece, x, y)
    _, by_distance, by_nx, by_ny, by_radius = strip(fine * distance, nx, ny, fine * radius)
    if by_distance == 0 and by_radius == 0:
        return 0.0
    by_distance *= fine * grad
    if side == 0:
        turn = grad * (by_nx * piece[2] + by_ny * piece[3]) / piece[4]
        share = by_distance * along / piece[4]
        start, end = share - by_distance + turn, -share - turn
        out[0] += start * nx
        out[1] += start * ny
        out[2] += end * nx
        out[3] += end * ny
    elif distance > 0:
        turn = grad * (by_nx * ny - by_ny * nx) / distance
        out[2 * side - 2] += -by_distance * nx - turn * ny
        out[2 * side - 1] += -by_distance * ny + turn * nx
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
