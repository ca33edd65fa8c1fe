"""Compiled loops of the Numba backend: curves to straight pieces, and back."""

from __future__ import annotations

import numpy as np

from clipdraw.raster.compile import compiled, inlined

CORNER = 0.5
"""What stands in a polyline for an end of a segment, where it isn't the number of the segment and 1."""


@inlined
def weights(piece, count):
    """What the control points but the first weigh where a piece ends; see `geometry.flatten`."""
    t = piece / count
    within = 0.5 / (count * count) if piece < count else 0.0
    return (
        3 * t * (1 - t) * (1 - t) + (2 - 3 * t) * within,
        3 * t * t * (1 - t) + (3 * t - 1) * within,
        t * t * t - t * within,
    )


@inlined
def flatten(paths, subpath, poly, begin):
    """Write the points of a subpath's polyline from `begin` on; returns the place after the last."""
    points, n = paths.points, begin + 1
    first, stop = paths.indices.first_cubic[subpath], paths.indices.first_cubic[subpath + 1]
    start = paths.indices.cubics[first, 0]
    poly[begin, 0], poly[begin, 1], poly[begin, 5] = points[start, 0], points[start, 1], CORNER
    for cubic in range(first, stop):
        i0, i1 = paths.indices.cubics[cubic, 0], paths.indices.cubics[cubic, 1]
        i2, i3 = paths.indices.cubics[cubic, 2], paths.indices.cubics[cubic, 3]
        x, y = np.float64(points[i0, 0]), np.float64(points[i0, 1])
        x1, x2, x3 = points[i1, 0] - x, points[i2, 0] - x, points[i3, 0] - x
        y1, y2, y3 = points[i1, 1] - y, points[i2, 1] - y, points[i3, 1] - y
        count = paths.first_piece[cubic + 1] - paths.first_piece[cubic]
        for piece in range(1, count + 1):
            w1, w2, w3 = weights(piece, count)
            poly[n, 0] = x + w1 * x1 + w2 * x2 + w3 * x3
            poly[n, 1] = y + w1 * y1 + w2 * y2 + w3 * y3
            poly[n, 5] = cubic + 1 if piece == count else 0
            n += 1
    return n


@compiled
def tangent(paths, path, scratch, cubic, backwards, piece, shortest):
    """The direction of a curve at an end of a segment, stored as if it were a piece of the polyline.

    That is the direction to the nearest control point not too near, or to its end from there. The side of a stroke
    that is across it at this end, and across the polyline's piece farther on, is shorter than that piece.

    Args:
        paths, path: what the segment belongs to.
        scratch: gets the direction, and the control points that it depends on.
        cubic: the segment.
        backwards: 0 for its beginning, 1 for its end.
        piece: the polyline's piece there.
        shortest: control points that are nearer are too near, in canvas units.

    Returns:
        The number of the piece that it is, and by how much the side is shorter; `piece` and 0 if that were more than
        half its length, or if the curve begins the other way.
    """
    points, poly, source, here = paths.points, scratch.poly, scratch.source, paths.indices.cubics[cubic, 3 * backwards]
    dx, dy, square, near = 0.0, 0.0, 0.0, here
    for step in range(1, 3):
        near = paths.indices.cubics[cubic, 3 - step if backwards else step]
        dx, dy = np.float64(points[near, 0]) - points[here, 0], np.float64(points[near, 1]) - points[here, 1]
        square = dx * dx + dy * dy
        if square > shortest * shortest:
            break
    length = np.sqrt(max(square, 1e-30))
    dx, dy = (-dx / length, -dy / length) if backwards else (dx / length, dy / length)
    cosine, sine = dx * poly[piece, 2] + dy * poly[piece, 3], dx * poly[piece, 3] - dy * poly[piece, 2]
    lost = paths.radii[path] * abs(sine) / max(cosine, 1e-12)
    if square <= shortest * shortest or cosine <= 0 or lost > 0.5 * poly[piece, 4]:
        return piece, 0.0
    at = paths.longest[0] + 4 * (cubic - paths.indices.first_cubic[paths.indices.first_subpath[path]]) + 2 * backwards
    poly[at, 2], poly[at, 3], poly[at, 4] = dx, dy, length
    source[at], source[at + 1] = (near, here) if backwards else (here, near)
    return at, lost


@compiled
def unflatten(paths, path, grad, out):
    """Add the gradient of all flattened points of a path to that of the control points."""
    n = 0
    for subpath in range(paths.indices.first_subpath[path], paths.indices.first_subpath[path + 1]):
        first, stop = paths.indices.first_cubic[subpath], paths.indices.first_cubic[subpath + 1]
        start = paths.indices.cubics[first, 0]
        out[start, 0] += grad[n, 0]
        out[start, 1] += grad[n, 1]
        n += 1
        for cubic in range(first, stop):
            i0, i1 = paths.indices.cubics[cubic, 0], paths.indices.cubics[cubic, 1]
            i2, i3 = paths.indices.cubics[cubic, 2], paths.indices.cubics[cubic, 3]
            count = paths.first_piece[cubic + 1] - paths.first_piece[cubic]
            for piece in range(1, count + 1):
                gx, gy = grad[n, 0], grad[n, 1]
                if gx == 0 and gy == 0:
                    n += 1
                    continue
                w1, w2, w3 = weights(piece, count)
                w0 = 1 - w1 - w2 - w3
                out[i0, 0] += w0 * gx
                out[i0, 1] += w0 * gy
                out[i1, 0] += w1 * gx
                out[i1, 1] += w1 * gy
                out[i2, 0] += w2 * gx
                out[i2, 1] += w2 * gy
                out[i3, 0] += w3 * gx
                out[i3, 1] += w3 * gy
                n += 1


@inlined
def measure_pieces(scratch, begin, end, raw, shortest):
    """Drop points not farther than `shortest` from the one before that is left, and find directions and lengths of what
    is left. Where a corner is dropped there is one at the point before, unless the last point takes its place.

    Args:
        scratch: its polyline from `begin` to `end` is packed.
        raw: the number of the first of these points among the path's flattened ones.
        shortest: in canvas units.

    Returns:
        The place after the last that is left.
    """
    poly, source, kept = scratch.poly, scratch.source, begin
    source[begin] = raw
    for k in range(begin + 1, end):
        x, y, corner = poly[k, 0], poly[k, 1], poly[k, 5]
        dx, dy = x - poly[kept, 0], y - poly[kept, 1]
        square = dx * dx + dy * dy
        while square <= shortest * shortest and k == end - 1 and kept > begin:
            kept -= 1
            dx, dy = x - poly[kept, 0], y - poly[kept, 1]
            square = dx * dx + dy * dy
        if square > shortest * shortest:
            length = np.sqrt(square)
            poly[kept, 2], poly[kept, 3], poly[kept, 4] = dx / length, dy / length, length
            kept += 1
            poly[kept, 0], poly[kept, 1], poly[kept, 5], source[kept] = x, y, corner, raw + k - begin
        elif corner > 0:
            poly[kept, 5] = max(poly[kept, 5], CORNER)
    return kept + 1
