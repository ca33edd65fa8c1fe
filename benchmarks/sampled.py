"""Pictures that owe nothing to the rasterizer's outlines and areas, to measure its gradients against. NumPy, float64.

Each pixel has rows of samples; along such a row coverage is exact: a row meets a fill where it crosses the densely
sampled curve, and it meets a stroke where it meets any of the convex pieces that SVG builds strokes of: a rectangle for
each step along the curve, and triangles, kites, discs and squares at joins and caps. Paths are composited in
subpixels, which are averaged afterwards; the colors of gradients are those at the pixels' centers, as in SVG renderers.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from clipdraw.drawing import Drawing, Gradient, Style

STEPS = 96
"""Straight steps along each segment."""
ROUND = 96
"""Corners of what stands for a disc."""
ACROSS = 4
"""Subpixels in a row of samples."""
ROWS = 256
"""Rows of samples in a pixel. Set against 1,024 rows, gradients of thin strokes are off by 10 % with 64 rows, by 0.4 %
with 256."""

Array = np.ndarray
Spans = tuple[Array, Array, Array]
"""Parts of rows of samples that don't overlap: row, left and right end of each."""


def picture(drawing: Drawing, *, rows: int = ROWS) -> Array:
    """The image, 3 x height x width, of a drawing in float64 whose canvas units are pixels.

    Args:
        drawing: what to draw.
        rows: rows of samples in each pixel.
    """
    height, width = round(drawing.canvas.height), round(drawing.canvas.width)
    values = {name: _array(getattr(drawing, name)) for name in ("widths", "colors", "fills", "background")}
    image = np.broadcast_to(values["background"][:, None, None], (3, height * rows, width * ACROSS))
    y, x = (np.arange(height * rows) + 0.5) / rows, (np.arange(width * ACROSS) + 0.5) / ACROSS
    parts = _subpaths(drawing)
    for number, style in enumerate(drawing.styles):
        matrix = np.eye(3)
        for transform in style.transforms:
            matrix = matrix @ np.vstack((_array(drawing.transforms)[transform], (0, 0, 1)))
        lines = [_dense(points, closed) for points, closed in zip(parts[number], style.closed, strict=True)]
        layers = []
        if style.fill:
            ends = [_placed(matrix, np.stack((v, np.roll(v, -1, 0)), 1)) for v, _ in lines]
            layers.append(
                (_filled(np.concatenate(ends), style.fill, rows, height), values["fills"], style.fill_gradient)
            )
        if style.stroked:
            shapes = [
                shape
                for line, closed in zip(lines, style.closed, strict=True)
                for shape in _stroke(*line, closed, values["widths"][number] / 2, style)
            ]
            spans = _united([_placed(matrix, s) for s in shapes], rows, height)
            layers.append((spans, values["colors"], style.stroke_gradient))
        below = image
        for spans, paints, chosen in layers:
            paint = paints[number][:, None, None]
            if chosen is not None:
                own = _colors(drawing.gradients[chosen], matrix, np.floor(x) + 0.5, np.floor(y) + 0.5)
                paint = np.concatenate((own[:3], own[3:] * paint[3:]))
            image = image + _share(spans, height * rows, width) * paint[3] * (paint[:3] - image)
        image = below + style.opacity * (image - below)
    return image.reshape(3, height, rows, width, ACROSS).mean((2, 4))


def _array(tensor: Tensor | None) -> Array:
    return np.zeros(0) if tensor is None else tensor.detach().double().numpy()


def _subpaths(drawing: Drawing) -> list[list[Array]]:
    """Control points of each subpath of each path, closed ones with their first point again."""
    points, start, counts, found = _array(drawing.points), 0, iter(drawing.segments), []
    for style in drawing.styles:
        own = []
        for closed in style.closed:
            count = 3 * next(counts) + (not closed)
            mine = points[start : start + count]
            own.append(np.concatenate((mine, mine[:1])) if closed else mine)
            start += count
        found.append(own)
    return found


def _dense(points: Array, closed: bool) -> tuple[Array, Array]:
    """Points along a subpath, and whether segments meet there; closed ones without their first point again."""
    t = np.linspace(0, 1, STEPS + 1)[1:, None]
    parts = [points[:1]]
    for k in range(0, len(points) - 1, 3):
        a, b, c, d = points[k : k + 4]
        parts.append((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d)
    vertices = np.concatenate(parts)
    corners = np.arange(len(vertices)) % STEPS == 0
    return (vertices[:-1], corners[:-1]) if closed else (vertices, corners)


def _placed(matrix: Array, places: Array) -> Array:
    return places @ matrix[:2, :2].T + matrix[:2, 2]


def _stroke(vertices: Array, corners: Array, closed: bool, radius: float, style: Style) -> list[Array]:
    """The convex pieces of a stroke: arrays of shape pieces x corners x 2."""
    following = np.roll(vertices, -1, 0)
    starts, stops = (vertices, following) if closed else (vertices[:-1], vertices[1:])
    along = stops - starts
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = radius * np.stack((-along[:, 1], along[:, 0]), 1)
    pieces = [np.stack((starts + normal, stops + normal, stops - normal, starts - normal), 1)]
    before = np.arange(-1 if closed else 0, len(along) - 1)
    at, one, two = starts[before + 1], along[before], along[before + 1]
    turn = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    outer = -np.sign(turn)[:, None]
    first, last = at + outer * normal[before], at + outer * normal[before + 1]
    pieces.append(np.stack((at, first, last), 1))
    sharp = corners[before + 1] & (np.abs(turn) > 1e-6)
    if style.join == "round":
        pieces.append(_discs(at[sharp], radius))
    cosine = (one * two).sum(1)
    if style.join == "miter":
        sharp &= style.miter_limit**2 * (1 + cosine) >= 2  # 1 / sin(half the angle) <= limit
        tip = at + (outer * (normal[before] + normal[before + 1])) / (1 + cosine)[:, None]
        pieces.append(np.stack((at, first, tip, last), 1)[sharp])
    if not closed:
        for place, ahead, side in ((vertices[:1], -along[:1], normal[:1]), (vertices[-1:], along[-1:], normal[-1:])):
            if style.cap == "round":
                pieces.append(_discs(place, radius))
            if style.cap == "square":
                far = place + radius * ahead
                pieces.append(np.stack((place + side, far + side, far - side, place - side), 1))
    return pieces


def _discs(centers: Array, radius: float) -> Array:
    angle = 2 * np.pi * np.arange(ROUND) / ROUND
    swell = np.sqrt(2 * np.pi / ROUND / np.sin(2 * np.pi / ROUND))  # of the same area
    return centers[:, None] + radius * swell * np.stack((np.cos(angle), np.sin(angle)), 1)


def _crossings(starts: Array, stops: Array, rows: int, height: int) -> tuple[Array, Array, Array]:
    """Where rows cross edges: of each crossing the row, the edge and x, by row and then edge."""
    (x0, y0), (x1, y1) = starts.T, stops.T
    first, last = (np.ceil(f(y0, y1) * rows - 0.5).clip(0, height * rows).astype(int) for f in (np.minimum, np.maximum))
    edge = np.repeat(np.arange(len(x0)), last - first)
    row = np.arange(len(edge)) - np.repeat((last - first).cumsum() - last, last - first)
    x = x0[edge] + ((row + 0.5) / rows - y0[edge]) * (x1 - x0)[edge] / (y1 - y0)[edge]
    order = np.argsort(row, kind="stable")
    return row[order], edge[order], x[order]


def _filled(ends: Array, rule: str, rows: int, height: int) -> Spans:
    """Where rows are inside a closed outline."""
    row, edge, x = _crossings(ends[:, 0], ends[:, 1], rows, height)
    order = np.lexsort((x, row))
    row, edge, x = row[order], edge[order], x[order]
    winding = np.where(ends[edge, 1, 1] > ends[edge, 0, 1], 1, -1).cumsum()  # 0 at the end of each row
    inside = (winding % 2 == 1 if rule == "evenodd" else winding != 0)[:-1]
    return row[:-1][inside], x[:-1][inside], x[1:][inside]


def _united(shapes: list[Array], rows: int, height: int) -> Spans:
    """Where rows are inside any of many convex shapes."""
    spans = [_across(shape, rows, height) for shape in shapes if len(shape)]
    row, left, right = (np.concatenate(part) for part in zip(*spans, strict=True))
    order = np.lexsort((left, row))
    row, left, right = row[order], left[order], right[order]
    apart = row * (
        2 * max(np.abs(left).max(initial=1), np.abs(right).max(initial=1)) + 1
    )  # each row beyond the one before
    reached = np.maximum.accumulate(right + apart)[:-1] - apart[1:]
    left[1:] = np.maximum(left[1:], reached)
    kept = right > left
    return row[kept], left[kept], right[kept]


def _across(shape: Array, rows: int, height: int) -> Spans:
    """Where rows are inside convex pieces, each for itself."""
    row, edge, x = _crossings(shape.reshape(-1, 2), np.roll(shape, -1, 1).reshape(-1, 2), rows, height)
    if not len(row):
        return row, x, x
    begin = np.flatnonzero(np.diff(row * len(shape) + edge // shape.shape[1], prepend=-1))
    return row[begin], np.minimum.reduceat(x, begin), np.maximum.reduceat(x, begin)


def _share(spans: Spans, rows: int, width: int) -> Array:
    """The covered part of each subpixel, by row."""
    row, columns = spans[0], width * ACROSS
    steps = np.zeros(rows * (columns + 2))
    for x, sign in ((spans[1], 1), (spans[2], -1)):
        place = (x * ACROSS).clip(0, columns)
        column = np.floor(place).astype(int)
        at, right = row * (columns + 2) + column, place - column
        steps += np.bincount(at, sign * (1 - right), len(steps)) + np.bincount(at + 1, sign * right, len(steps))
    return steps.reshape(rows, columns + 2).cumsum(1)[:, :columns]


def _colors(gradient: Gradient, matrix: Array, x: Array, y: Array) -> Array:
    """Red, green, blue and opacity of a gradient with `pad` at the middle of each subpixel."""
    whole = matrix @ np.vstack((_array(gradient.matrix), (0, 0, 1)))
    places = np.stack(np.broadcast_arrays(x[None], y[:, None]), -1)
    places = _placed(np.linalg.inv(whole), places)
    one, two = _array(gradient.geometry)
    if gradient.kind == "linear":
        share = (places - one) @ (two - one) / ((two - one) @ (two - one))
    else:  # where the ray from the focus through the place leaves the circle
        ray, back, radius = places - two, one - two, float(gradient.radius)
        a, b = (ray**2).sum(-1), ray @ back
        share = a / (b + np.sqrt(b**2 + a * (radius**2 - back @ back)))
    colors, offsets = _array(gradient.colors), _array(gradient.offsets)
    return np.stack([np.interp(share, offsets, channel) for channel in colors.T])


def differences(drawing: Drawing, name: str, weights: Array, directions: Array, *, rows: int = ROWS) -> Array:
    """How the picture's inner products with `weights` change along directions in one of its tensors, centrally.

    Returns:
        For each direction, for each of the weights.
    """
    found, step = [], STEP_OF[name.rpartition(" ")[2]]
    for direction in directions:
        one, two = (picture(moved(drawing, name, sign * step * direction), rows=rows) for sign in (1, -1))
        found.append(np.tensordot(weights, one - two, 3) / (2 * step))
    return np.array(found)


STEP_OF = {
    "points": 0.0625,
    "widths": 0.125,
    "colors": 0.01,
    "fills": 0.01,
    "transforms": 0.004,
    "geometry": 0.02,
    "radius": 0.02,
    "offsets": 0.00002,
}
"""How far finite differences go: edges over whole rows of samples, where they can be made to; offsets so little that
hardly a pixel's center passes a stop, where colors have a kink."""


def moved(drawing: Drawing, name: str, by: Array) -> Drawing:
    """The drawing with a tensor moved, `points` or `gradient geometry`, say."""
    copy = drawing.detached()
    owner = copy.gradients[0] if name.startswith("gradient ") else copy
    tensor = getattr(owner, name.removeprefix("gradient "))
    tensor += torch.from_numpy(np.ascontiguousarray(by)).reshape(tensor.shape)
    return copy
