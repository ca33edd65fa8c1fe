"""Compiled loops of the Numba backend: strokes to pieces, and the pixels that each stroke may touch.

Every loop is over strokes or over rows, each is worked off by one thread in one fixed order, and
no two threads write to the same place: the number of threads can't change a bit of the result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.geometry import MAX_PIECES, MIN_PIECES
from clipdraw.raster.compile import compiled, compiled_exactly, take
from clipdraw.raster.plan import FAR_PX, REACH_PX
from clipdraw.raster.reference import SHARP_BEND, SHARP_TURN

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
    top: np.ndarray
    """The first row that each stroke may touch: int64, strokes."""
    first_span: np.ndarray
    """First span of each stroke, one a row, and the number of spans at the end: int64, strokes + 1."""


class Layout(NamedTuple):
    """Pieces, and for each stroke and row the span of pixels within reach."""

    pieces: np.ndarray
    """Start x, y; direction x, y; length; 1 where the start plus 2 where the end is sharp; columns per row, or NaN
    where the piece is level: float64, pieces x 7."""
    left: np.ndarray
    """First column of each span: int32, spans."""
    right: np.ndarray
    """Column after the last, not above `left` if the span is empty: int32, spans."""
    offset: np.ndarray
    """First fragment of each span, and the number of fragments at the end: int64, spans + 1."""
    row_first: np.ndarray
    """Where each row's spans begin in the next two, and their number at the end: int64, height + 1."""
    row_span: np.ndarray
    """Spans in order of rows, then of strokes: int64, spans."""
    row_stroke: np.ndarray
    """Their strokes: int64, spans."""


@compiled_exactly
def count_pieces(points, widths, scale, index, size, tolerance, first_piece, rows):  # noqa: ANN001, ANN201
    """The same as `plan.visible_counts`, to the bit, in a tenth of its time: every step is rounded to float32.

    Args:
        points: control points in canvas units: float32, points x 2.
        widths: stroke widths in canvas units: float32, strokes.
        scale: pixels per canvas unit.
        index: see `plan.Index`.
        size: height and width of the image.
        tolerance: largest distance between curve and polyline, in pixels.
        first_piece: gets the first piece of each segment, and the number of pieces at the end.
        rows: gets the first row, and the row after the last, that each stroke may touch: int64, strokes x 2.
    """
    one, half = np.float32(scale), np.float32(scale / 2)
    far, factor = np.float32(FAR_PX), np.float32(0.75 / tolerance)
    least, most = np.float32(MIN_PIECES), np.float32(MAX_PIECES)
    place, extent = np.empty((4, 2), np.float32), (np.float32(size[1]), np.float32(size[0]))
    first_piece[0], rows[:, 0], rows[:, 1] = 0, size[0], 0
    for cubic in range(len(index.first_point)):
        s = index.stroke[cubic]
        reach = min(max(widths[s] * half, np.float32(0)), far) + np.float32(REACH_PX)
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
        count = min(max(np.ceil(np.sqrt(factor * np.sqrt(farthest))), least), most)
        first_piece[cubic + 1] = first_piece[cubic] + (np.int64(count) if seen else 0)
        if seen:
            rows[s, 0] = min(rows[s, 0], max(0, np.int64(place[:, 1].min() - reach) - 2))
            rows[s, 1] = max(rows[s, 1], min(size[0], np.int64(place[:, 1].max() + reach) + 2))


@compiled
def point_px(strokes, number, axis):  # noqa: ANN001, ANN201
    """A control point's coordinate in pixels."""
    return min(max(strokes.points[number, axis] * strokes.scale, -FAR_PX), FAR_PX)


@compiled
def flatten_stroke(strokes, layout, s):  # noqa: ANN001, ANN201
    """Write the pieces of stroke `s`."""
    begin, end = strokes.first_cubic[s], strokes.first_cubic[s + 1]
    pieces, place, before = layout.pieces, np.empty((4, 2)), strokes.first_piece[begin]
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
            pieces[piece, 0], pieces[piece, 1], pieces[piece, 4] = x0, y0, length
            pieces[piece, 2], pieces[piece, 3] = (x1 - x0) * inverse, (y1 - y0) * inverse
            pieces[piece, 5] = (piece == first and cubic == begin) + 2 * (piece == stop - 1 and cubic == end - 1)
            if piece > before and is_sharp(pieces, piece):
                pieces[piece - 1, 5] = np.int64(pieces[piece - 1, 5]) | 2
                pieces[piece, 5] = np.int64(pieces[piece, 5]) | 1
            pieces[piece, 6] = (x1 - x0) / (y1 - y0) if abs(y1 - y0) > 1e-9 * length else np.nan
            x0, y0 = x1, y1


@compiled
def is_sharp(pieces, k):  # noqa: ANN001, ANN201
    """Whether the polyline turns sharply before piece `k`; see `reference`."""
    before, length = pieces[k - 1, 4], pieces[k, 4]
    limit = min(SHARP_BEND / 2 * (before + length), SHARP_TURN)
    cosine = pieces[k - 1, 2] * pieces[k, 2] + pieces[k - 1, 3] * pieces[k, 3]
    return 2 * (1 - cosine) >= limit * limit or before == 0 or length == 0


@compiled
def first_center(low, start, stop):  # noqa: ANN001, ANN201
    """The first pixel from `start` to `stop` whose center isn't below `low`."""
    return np.int64(min(max(np.ceil(low - 0.5), np.float64(start)), np.float64(stop)))


@compiled
def piece_rows(pieces, k, reach, top, bottom):  # noqa: ANN001, ANN201
    """First row and row after the last, from `top` to `bottom`, that piece `k` may reach."""
    y0, y1 = pieces[k, 1], pieces[k, 1] + pieces[k, 4] * pieces[k, 3]
    return first_center(min(y0, y1) - reach, top, bottom), first_center(max(y0, y1) + reach, top, bottom)


@compiled
def piece_columns(pieces, k, reach, row, width):  # noqa: ANN001, ANN201
    """First column and column after the last that piece `k` may reach in a row."""
    x0, x1, slope = pieces[k, 0], pieces[k, 0] + pieces[k, 4] * pieces[k, 2], pieces[k, 6]
    low, high = min(x0, x1), max(x0, x1)
    if slope == slope:  # not level: only the part of it within reach of the row
        middle, half = x0 + (row + 0.5 - pieces[k, 1]) * slope, reach * abs(slope)
        low, high = max(low, middle - half), min(high, middle + half)
        if low > high:
            return 0, 0
    return first_center(low - reach, 0, width), first_center(high + reach, 0, width)


@compiled
def measure(counter, strokes, layout, width):  # noqa: ANN001, ANN201
    """Flatten the strokes and find their spans."""
    count = len(strokes.radii)
    while True:
        start = take(counter, CHUNK)
        if start >= count:
            return
        for s in range(start, min(start + CHUNK, count)):
            flatten_stroke(strokes, layout, s)
            measure_stroke(strokes, layout, s, width)


@compiled
def measure_stroke(strokes, layout, s, width):  # noqa: ANN001, ANN201
    """The columns of the spans of stroke `s`."""
    reach, pieces, first_left, last_right = strokes.radii[s] + REACH_PX, layout.pieces, layout.left, layout.right
    begin, end, top = strokes.first_span[s], strokes.first_span[s + 1], strokes.top[s]
    first_left[begin:end] = width
    last_right[begin:end] = 0
    for k in range(strokes.first_piece[strokes.first_cubic[s]], strokes.first_piece[strokes.first_cubic[s + 1]]):
        low, high = piece_rows(pieces, k, reach, top, top + end - begin)
        for row in range(low, high):
            left, right = piece_columns(pieces, k, reach, row, width)
            span = begin + row - top
            if left < right:
                first_left[span], last_right[span] = min(first_left[span], left), max(last_right[span], right)


@compiled
def arrange(strokes, layout):  # noqa: ANN001, ANN201
    """Give the fragments their places, and list the spans of each row in the order of strokes."""
    first = layout.row_first
    first[:] = 0
    layout.offset[0] = 0
    for s in range(len(strokes.radii)):
        for span in range(strokes.first_span[s], strokes.first_span[s + 1]):
            length = max(0, layout.right[span] - layout.left[span])
            layout.offset[span + 1] = layout.offset[span] + length
            first[strokes.top[s] + span - strokes.first_span[s] + 1] += length > 0
    first[:] = np.cumsum(first)
    place = first.copy()
    for s in range(len(strokes.radii)):
        for span in range(strokes.first_span[s], strokes.first_span[s + 1]):
            row = strokes.top[s] + span - strokes.first_span[s]
            if layout.right[span] > layout.left[span]:
                layout.row_span[place[row]], layout.row_stroke[place[row]] = span, s
                place[row] += 1
