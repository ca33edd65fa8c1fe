"""Compiled loops of the Numba backend: what the strokes cover, and back from coverage to control points.

Every loop is over strokes or over rows, each is worked off by one thread in one fixed order, and
no two threads write to the same place: the number of threads can't change a bit of the result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.geometry import MAX_PIECES
from clipdraw.raster.compile import compiled, compiled_exactly, take
from clipdraw.raster.plan import FAR_PX, REACH_PX
from clipdraw.raster.reference import NEAR_PX2, SHARP_BEND, SHARP_REACH_PX, SHARP_TURN, SPLIT, SPLIT_FROM

CHUNK = 8
"""Strokes taken at a time."""


class Strokes(NamedTuple):
    """What is rasterized; lengths in pixels."""

    points: np.ndarray
    """Control points in canvas units: float32, points x 2."""
    scale: float
    """Pixels per canvas unit."""
    radii: np.ndarray
    """Half widths: float64, strokes."""
    first_cubic: np.ndarray
    """First segment of each stroke, and the number of segments at the end: int64, strokes + 1."""
    first_point: np.ndarray
    """First control point of each segment: int64, cubics."""
    first_piece: np.ndarray
    """First piece of each segment, and the number of pieces at the end: int64, cubics + 1."""


class Layout(NamedTuple):
    """Pieces, and for each stroke and row the span of pixels within reach."""

    pieces: np.ndarray
    """Start x, y; direction x, y; length; 1 where the start plus 2 where the end is sharp; columns per row, NaN
    where the piece is level: float64, pieces x 7."""
    rows: np.ndarray
    """First row, row after the last: int32, strokes x 2."""
    left: np.ndarray
    """First column of the span: int32, strokes x height; unset outside the stroke's rows."""
    right: np.ndarray
    """Column after the last: int32, strokes x height."""
    offset: np.ndarray
    """Where the span's fragments lie, counted from the stroke's first: int64, strokes x height."""
    total: np.ndarray
    """Fragments of each stroke: int64, strokes."""


class Fragments(NamedTuple):
    """What each stroke covers of each pixel of its spans."""

    first: np.ndarray
    """First fragment of each stroke: int64, strokes."""
    nearest: np.ndarray
    """The nearest piece, -1 out of reach: int32."""
    coverage: np.ndarray
    """Fraction of the pixel: float32."""


@compiled_exactly
def count_pieces(points, widths, scale, index, size, tolerance, first_piece):  # noqa: ANN001, ANN201
    """The same as `plan.visible_counts`, to the bit, in a tenth of its time: every step is rounded to float32.

    Args:
        points: control points in canvas units: float32, points x 2.
        widths: stroke widths in canvas units: float32, strokes.
        scale: pixels per canvas unit.
        index: see `plan.Index`.
        size: height and width of the image.
        tolerance: largest distance between curve and polyline, in pixels.
        first_piece: gets the first piece of each segment, and the number of pieces at the end.
    """
    one, half = np.float32(scale), np.float32(scale / 2)
    far, factor, most = np.float32(FAR_PX), np.float32(0.75 / tolerance), np.float32(MAX_PIECES)
    place, extent = np.empty((4, 2), np.float32), (np.float32(size[1]), np.float32(size[0]))
    first_piece[0] = 0
    for cubic in range(len(index.first_point)):
        reach = min(max(widths[index.stroke[cubic]] * half, np.float32(0)), far) + np.float32(REACH_PX)
        seen = True
        for axis in range(2):
            for k in range(4):
                place[k, axis] = min(max(points[index.first_point[cubic] + k, axis] * one, -far), far)
            seen &= place[:, axis].max() + reach > 0 and place[:, axis].min() - reach < extent[axis]
        farthest = np.float32(0)
        for k in range(2):
            x = place[k, 0] - np.float32(2) * place[k + 1, 0] + place[k + 2, 0]
            y = place[k, 1] - np.float32(2) * place[k + 1, 1] + place[k + 2, 1]
            farthest = max(farthest, x * x + y * y)
        count = min(max(np.ceil(np.sqrt(factor * np.sqrt(farthest))), np.float32(1)), most)
        first_piece[cubic + 1] = first_piece[cubic] + (np.int64(count) if seen else 0)


@compiled
def point_px(strokes, number, axis):  # noqa: ANN001, ANN201
    """A control point's coordinate in pixels."""
    return min(max(strokes.points[number, axis] * strokes.scale, -FAR_PX), FAR_PX)


@compiled
def flatten_stroke(strokes, layout, s):  # noqa: ANN001, ANN201
    """Write the pieces of stroke `s`."""
    begin, end = strokes.first_cubic[s], strokes.first_cubic[s + 1]
    place, before = np.empty((4, 2)), strokes.first_piece[begin]
    for cubic in range(begin, end):
        first, stop = strokes.first_piece[cubic], strokes.first_piece[cubic + 1]
        if first == stop:
            continue
        for k in range(4):
            for axis in range(2):
                place[k, axis] = point_px(strokes, strokes.first_point[cubic] + k, axis)
        x0, y0 = place[0]
        for piece in range(first, stop):
            t = (piece - first + 1) / (stop - first)
            w1, w2, w3 = 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            x1 = place[0, 0] + (
                w1 * (place[1, 0] - place[0, 0]) + w2 * (place[2, 0] - place[0, 0]) + w3 * (place[3, 0] - place[0, 0])
            )
            y1 = place[0, 1] + (
                w1 * (place[1, 1] - place[0, 1]) + w2 * (place[2, 1] - place[0, 1]) + w3 * (place[3, 1] - place[0, 1])
            )
            length = np.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
            inverse = 1 / length if length > 0 else 0.0
            row = layout.pieces[piece]
            row[0], row[1], row[2], row[3] = x0, y0, (x1 - x0) * inverse, (y1 - y0) * inverse
            row[4], row[5] = length, (piece == first and cubic == begin) + 2 * (piece == stop - 1 and cubic == end - 1)
            if piece > before and is_sharp(layout.pieces[piece - 1], row):
                layout.pieces[piece - 1, 5] = np.int64(layout.pieces[piece - 1, 5]) | 2
                row[5] = np.int64(row[5]) | 1
            row[6] = 1 / (y1 - y0) * (x1 - x0) if abs(row[3]) > 1e-9 else np.nan
            x0, y0 = x1, y1


@compiled
def is_sharp(one, two):  # noqa: ANN001, ANN201
    """Whether the polyline turns sharply between two pieces; see `reference`."""
    limit = min(SHARP_BEND / 2 * (one[4] + two[4]), SHARP_TURN)
    return 2 * (1 - one[2] * two[2] - one[3] * two[3]) >= limit * limit or one[4] == 0 or two[4] == 0


@compiled
def first_center(low, size):  # noqa: ANN001, ANN201
    """The first pixel of 0 to `size` whose center isn't below `low`."""
    return np.int64(min(max(np.ceil(low - 0.5), 0.0), np.float64(size)))


@compiled
def piece_rows(piece, reach, height):  # noqa: ANN001, ANN201
    """First row and row after the last that a piece may reach."""
    y0, y1 = piece[1], piece[1] + piece[4] * piece[3]
    return first_center(min(y0, y1) - reach, height), first_center(max(y0, y1) + reach, height)


@compiled
def piece_columns(piece, reach, row, width):  # noqa: ANN001, ANN201
    """First column and column after the last that a piece may reach in a row."""
    x0, x1, slope = piece[0], piece[0] + piece[4] * piece[2], piece[6]
    low, high = min(x0, x1), max(x0, x1)
    if slope == slope:  # not level: only the part of it within reach of the row
        middle, half = x0 + (row + 0.5 - piece[1]) * slope, reach * abs(slope)
        low, high = max(low, middle - half), min(high, middle + half)
        if low > high:
            return 0, 0
    return first_center(low - reach, width), first_center(high + reach, width)


@compiled
def measure(counter, strokes, layout, width):  # noqa: ANN001, ANN201
    """Flatten the strokes and find their spans."""
    count, height = layout.left.shape
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for s in range(start, min(start + CHUNK, count)):
            flatten_stroke(strokes, layout, s)
            measure_stroke(strokes, layout, s, height, width)


@compiled
def measure_stroke(strokes, layout, s, height, width):  # noqa: ANN001, ANN201
    """The rows, spans and number of fragments of stroke `s`."""
    first = strokes.first_piece[strokes.first_cubic[s]]
    stop = strokes.first_piece[strokes.first_cubic[s + 1]]
    reach = strokes.radii[s] + REACH_PX
    top, bottom = height, 0
    for k in range(first, stop):
        low, high = piece_rows(layout.pieces[k], reach, height)
        if low < high:
            top, bottom = min(top, low), max(bottom, high)
    layout.rows[s, 0], layout.rows[s, 1] = top, bottom
    left, right, offset = layout.left[s], layout.right[s], layout.offset[s]
    left[top:bottom] = width
    right[top:bottom] = 0
    for k in range(first, stop):
        piece = layout.pieces[k]
        low, high = piece_rows(piece, reach, height)
        for row in range(low, high):
            begin, end = piece_columns(piece, reach, row, width)
            if begin < end:
                left[row], right[row] = min(left[row], begin), max(right[row], end)
    total = 0
    for row in range(top, bottom):
        offset[row] = total
        total += max(0, right[row] - left[row])
    layout.total[s] = total


@compiled
def cover(counter, strokes, layout, fragments, width):  # noqa: ANN001, ANN201
    """Find the nearest pieces and the coverage of all fragments."""
    count, height = layout.left.shape
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for s in range(start, min(start + CHUNK, count)):
            if layout.total[s]:
                nearest_pieces(strokes, layout, fragments, s, height, width)
                cover_stroke(strokes, layout, fragments, s)


@compiled
def nearest_pieces(strokes, layout, fragments, s, height, width):  # noqa: ANN001, ANN201
    """Find the nearest piece of stroke `s` at each of its pixels; the squared distance goes where coverage will."""
    reach = strokes.radii[s] + REACH_PX
    base = fragments.first[s]
    square, nearest = fragments.coverage, fragments.nearest
    square[base : base + layout.total[s]] = reach**2
    nearest[base : base + layout.total[s]] = -1
    first = strokes.first_piece[strokes.first_cubic[s]]
    for k in range(first, strokes.first_piece[strokes.first_cubic[s + 1]]):
        piece = layout.pieces[k]
        low, high = piece_rows(piece, reach, height)
        ux, uy, length, number = np.float32(piece[2]), np.float32(piece[3]), np.float32(piece[4]), np.int32(k)
        for row in range(low, high):
            begin, end = piece_columns(piece, reach, row, width)
            x, y = begin + 0.5 - piece[0], row + 0.5 - piece[1]
            along0, across0 = np.float32(x * piece[2] + y * piece[3]), np.float32(y * piece[2] - x * piece[3])
            if length == 0:
                along0, ux, across0 = np.float32(-x), np.float32(-1), np.float32(y)
            place = base + layout.offset[s, row] + begin - layout.left[s, row]
            for k_x in range(end - begin):
                step = np.float32(k_x)
                along, across = along0 + step * ux, across0 - step * uy
                beyond = max(np.float32(0), max(-along, along - length))
                distance = across * across + beyond * beyond
                closer = distance < square[place + k_x]
                square[place + k_x] = distance if closer else square[place + k_x]
                nearest[place + k_x] = number if closer else nearest[place + k_x]


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
def to_split(piece, along, radius, area):  # noqa: ANN001, ANN201
    """Whether a pixel with this coverage by a piece is split; see `reference.SPLIT`."""
    if not SPLIT_FROM < area < 1 - SPLIT_FROM:
        return False
    sharp, near = np.int64(piece[5]), radius + SHARP_REACH_PX
    return ((sharp & 1) > 0 and along < near) or ((sharp & 2) > 0 and piece[4] - along < near)


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
def split_pixel(layout, first, stop, k, x, y, chosen):  # noqa: ANN001, ANN201
    """Find the nearest of the pieces `first` to `stop` at each part of a pixel, whose own nearest is `k`."""
    limit = (np.sqrt(square_distance(layout.pieces[k], x, y)) + 2 * REACH_PX) ** 2
    least = np.full(SPLIT * SPLIT, np.inf)
    for piece in range(first, stop):
        if square_distance(layout.pieces[piece], x, y) > limit:
            continue
        for part in range(SPLIT * SPLIT):
            distance = square_distance(layout.pieces[piece], x + part_offset(part % SPLIT), y + part_offset(part // SPLIT))
            if distance < least[part]:
                least[part], chosen[part] = distance, piece


@compiled
def part_offset(number):  # noqa: ANN001, ANN201
    """Center of a row or column of parts from the pixel's center."""
    return (number + 0.5) / SPLIT - 0.5


@compiled
def cover_stroke(strokes, layout, fragments, s):  # noqa: ANN001, ANN201
    """Coverage at the pixels of stroke `s`."""
    radius, nearest, coverage = strokes.radii[s], fragments.nearest, fragments.coverage
    first, stop = strokes.first_piece[strokes.first_cubic[s]], strokes.first_piece[strokes.first_cubic[s + 1]]
    chosen = np.empty(SPLIT * SPLIT, np.int64)
    for row in range(layout.rows[s, 0], layout.rows[s, 1]):
        place = fragments.first[s] + layout.offset[s, row] - layout.left[s, row]
        for x in range(layout.left[s, row], layout.right[s, row]):
            k = nearest[place + x]
            if k < 0:
                coverage[place + x] = 0
                continue
            _, along, distance, nx, ny = locate(layout.pieces[k], x + 0.5, row + 0.5)
            area = strip(distance, nx, ny, radius)[0]
            if to_split(layout.pieces[k], along, radius, area):
                split_pixel(layout, first, stop, k, x + 0.5, row + 0.5, chosen)
                area = 0.0
                for part in range(SPLIT * SPLIT):
                    part_x, part_y = x + 0.5 + part_offset(part % SPLIT), row + 0.5 + part_offset(part // SPLIT)
                    _, _, distance, nx, ny = locate(layout.pieces[chosen[part]], part_x, part_y)
                    area += strip(SPLIT * distance, nx, ny, SPLIT * radius)[0]
                area /= SPLIT * SPLIT
            coverage[place + x] = area


@compiled
def uncover(counter, strokes, layout, fragments, gradient, piece_gradient, point_gradient, radius_gradient):  # noqa: ANN001, ANN201
    """From the gradient of coverage to that of the control points, in pixels, and of the radii."""
    count = layout.left.shape[0]
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for s in range(start, min(start + CHUNK, count)):
            radius_gradient[s] = 0
            first = strokes.first_cubic[s], strokes.first_cubic[s + 1]
            piece_gradient[strokes.first_piece[first[0]] : strokes.first_piece[first[1]]] = 0
            if layout.total[s]:
                uncover_stroke(strokes, layout, fragments, gradient, piece_gradient, radius_gradient, s)
            unflatten_stroke(strokes, piece_gradient, point_gradient, s)


@compiled
def uncover_stroke(strokes, layout, fragments, gradient, piece_gradient, radius_gradient, s):  # noqa: ANN001, ANN201
    """Add up the gradients of the pieces' ends, and of the radius, of stroke `s`."""
    radius, nearest, total = strokes.radii[s], fragments.nearest, 0.0
    first, stop = strokes.first_piece[strokes.first_cubic[s]], strokes.first_piece[strokes.first_cubic[s + 1]]
    chosen = np.empty(SPLIT * SPLIT, np.int64)
    for row in range(layout.rows[s, 0], layout.rows[s, 1]):
        place = fragments.first[s] + layout.offset[s, row] - layout.left[s, row]
        for x in range(layout.left[s, row], layout.right[s, row]):
            k, grad = nearest[place + x], np.float64(gradient[place + x])
            if k < 0 or grad == 0:
                continue
            where = locate(layout.pieces[k], x + 0.5, row + 0.5)
            slopes = strip(where[2], where[3], where[4], radius)
            if not to_split(layout.pieces[k], where[1], radius, slopes[0]):
                total += move_piece(layout.pieces[k], where, slopes, grad, 1, piece_gradient[k])
                continue
            split_pixel(layout, first, stop, k, x + 0.5, row + 0.5, chosen)
            for part in range(SPLIT * SPLIT):
                k = chosen[part]
                part_x, part_y = x + 0.5 + part_offset(part % SPLIT), row + 0.5 + part_offset(part // SPLIT)
                where = locate(layout.pieces[k], part_x, part_y)
                slopes = strip(SPLIT * where[2], where[3], where[4], SPLIT * radius)
                share = grad / (SPLIT * SPLIT)
                total += move_piece(layout.pieces[k], where, slopes, share, SPLIT, piece_gradient[k])
    radius_gradient[s] = total


@compiled
def move_piece(piece, where, slopes, grad, fine, out):  # noqa: ANN001, ANN201
    """Add the gradients of a piece's two ends to `out`; returns that of the radius.

    Beside the piece, t of the way along: d distance = -(1 - t) n da - t n db and dn = -u (n (db - da)) / length.
    Past an end v: d distance = -n dv and dn = -w (w dv) / distance, with w across n.
    """
    side, along, distance, nx, ny = where
    _, by_distance, by_nx, by_ny, by_radius = slopes
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
