"""Compiled loops of the Numba backend: layers to the outlines that are filled, and back to flattened points."""

from __future__ import annotations

import numpy as np

from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.plan import STROKE
from clipdraw.raster.polylines import flatten, measure_pieces
from clipdraw.raster.strokes import join, outline_stroke, shortest_piece


@compiled
def outline(paths, layer, scratch):
    """Build a layer's outline; returns the number of its vertices and of its edges, or -1 and -1 for want of room."""
    path, rule = paths.indices.layers[layer, 0], paths.indices.layers[layer, 1]
    vertices, edges, begin, raw = 0, 0, 0, 0
    matrices = paths.matrices
    a, b, c, d = matrices[path, 0, 0], matrices[path, 0, 1], matrices[path, 1, 0], matrices[path, 1, 1]
    right, down = paths.matrices[path, 0, 2], paths.matrices[path, 1, 2]
    scale = np.sqrt(abs(a * d - b * c))
    for subpath in range(paths.indices.first_subpath[path], paths.indices.first_subpath[path + 1]):
        end = flatten(paths, subpath, scratch.poly, begin)
        count = end - begin
        if vertices + count >= len(scratch.vertex) or edges + count >= len(scratch.edge):
            return -1, -1
        if rule == STROKE:
            end = measure_pieces(scratch, begin, end, raw, shortest_piece(scale))
            vertices, edges = outline_stroke(paths, path, subpath, scratch, begin, end, vertices, edges, scale)
            if vertices < 0:
                return -1, -1
        else:
            vertices, edges = outline_fill(scratch, begin, end, raw, vertices, edges)
        begin, raw = end + 1, raw + count  # a number left out: the next subpath's pieces don't follow these
    vertex = scratch.vertex
    for v in range(vertices):
        x, y = vertex[v, 0], vertex[v, 1]
        vertex[v, 0], vertex[v, 1] = a * x + b * y + right, c * x + d * y + down
    return vertices, edges


@compiled
def outline_fill(scratch, begin, end, raw, vertices, edges):
    """The polyline itself, closed."""
    n = end - begin
    for k in range(n):
        at = vertices + k
        scratch.vertex[at, 0], scratch.vertex[at, 1] = scratch.poly[begin + k, 0], scratch.poly[begin + k, 1]
        scratch.stem[at, 0] = begin + k
        scratch.source[begin + k] = raw + k
        join(scratch, edges + k, at, at + 1 if k + 1 < n else vertices, raw + begin + k, 0)
    return vertices + n, edges + n


@compiled
def unoutline(paths, layer, scratch, vertices, by_vertex, by_raw, by_point, by_matrix):
    """From the gradient of a layer's outline to that of its flattened points, its matrix and its radius, and to that of
    control points as far as tangents depend on them.

    Args:
        paths, layer, scratch: as `outline` left them, `vertices` with it.
        by_vertex: gradient of the outline's vertices, in pixels; overwritten.
        by_raw: gets that of the flattened points: raw x 2, 0 before.
        by_point: that of the control points is added to it: points x 2.
        by_matrix: that of the path's matrix is added to it: paths x 2 x 3.

    Returns:
        The gradient of the radius.
    """
    path, rule = paths.indices.layers[layer, 0], paths.indices.layers[layer, 1]
    radius, source, arm, by_radius = paths.radii[path], scratch.source, scratch.arm, 0.0
    matrices = paths.matrices
    a, b, c, d = matrices[path, 0, 0], matrices[path, 0, 1], matrices[path, 1, 0], matrices[path, 1, 1]
    right, down = paths.matrices[path, 0, 2], paths.matrices[path, 1, 2]
    determinant = a * d - b * c
    inverse = 1 / determinant if abs(determinant) > 1e-30 else 0.0
    for v in range(vertices):
        gx, gy = by_vertex[v, 0], by_vertex[v, 1]
        if gx == 0 and gy == 0:
            continue
        px, py = scratch.vertex[v, 0] - right, scratch.vertex[v, 1] - down
        x, y = (d * px - b * py) * inverse, (a * py - c * px) * inverse
        by_matrix[path, 0, 0] += gx * x
        by_matrix[path, 0, 1] += gx * y
        by_matrix[path, 0, 2] += gx
        by_matrix[path, 1, 0] += gy * x
        by_matrix[path, 1, 1] += gy * y
        by_matrix[path, 1, 2] += gy
        gx, gy = a * gx + c * gy, b * gx + d * gy
        stem = scratch.stem[v, 0]
        raw = source[stem]
        by_raw[raw, 0] += gx
        by_raw[raw, 1] += gy
        if rule == STROKE:
            by_radius += gx * arm[v, 0] + gy * arm[v, 1]
            one, two = scratch.stem[v, 1], scratch.stem[v, 2]
            by_one, by_two = gx * arm[v, 2] + gy * arm[v, 3], gx * arm[v, 4] + gy * arm[v, 5]
            turn_piece(scratch, one, radius * by_one, by_raw if one < paths.longest[0] else by_point)
            turn_piece(scratch, two, radius * by_two, by_raw if two < paths.longest[0] else by_point)
    return by_radius


@inlined
def turn_piece(scratch, piece, by_angle, by_raw):
    """Hand the gradient of a piece's, or a tangent's, direction on to its ends."""
    if by_angle == 0:
        return
    poly, source = scratch.poly, scratch.source
    share = by_angle / poly[piece, 4]
    gx, gy = -share * poly[piece, 3], share * poly[piece, 2]
    begin, end = source[piece], source[piece + 1]
    by_raw[begin, 0] -= gx
    by_raw[begin, 1] -= gy
    by_raw[end, 0] += gx
    by_raw[end, 1] += gy
