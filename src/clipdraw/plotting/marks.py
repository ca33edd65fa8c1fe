"""The fills and strokes of a drawing, and the lines by which a pen of some width inks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import shapely
import torch
from jaxtyping import Float
from shapely import affinity
from shapely.geometry.base import BaseGeometry
from torch import Tensor

from clipdraw.bezier import flatten, piece_counts
from clipdraw.drawing import Drawing, Style, control_points
from clipdraw.io.svg.styles import product

_TOLERANCE = 0.03
"""Largest distance in millimeters between a curve and its polyline; a thin pen's line is ten times as wide."""
_HATCH_DEGREES = 45.0
_CAPS = {"round": "round", "butt": "flat", "square": "square"}
_JOINS = {"round": "round", "bevel": "bevel", "miter": "mitre"}


@dataclass(frozen=True)
class Mark:
    """A fill or a stroke, in millimeters.

    Args:
        shape: the lines of a stroke, or the area of a fill.
        width: of a stroke; 0 for a fill.
        color: red, green, blue in [0, 1].
        opacity: in [0, 1].
        style: its caps and joins.
    """

    shape: BaseGeometry
    width: float
    color: tuple[float, float, float]
    opacity: float
    style: Style

    @property
    def area(self) -> float:
        """The ink that it needs, in square millimeters."""
        return self.opacity * (self.shape.length * self.width if self.width else self.shape.area)

    def lines(self, pen_width: float, coverage: float) -> BaseGeometry:
        """The lines of a pen that cover a fraction of it; at least one.

        A stroke gets lines along it, an area parallel lines within its outline.
        """
        if self.width:
            return self._along(pen_width, coverage)
        inside = self.shape.buffer(-pen_width / 2)
        return shapely.union_all([inside.boundary, _hatching(inside, pen_width / coverage)])

    def _along(self, pen_width: float, coverage: float) -> BaseGeometry:
        count = max(1, round(self.width * coverage / pen_width))
        step = self.width / count
        offsets = [(count - 1) / 2 * step - step * number for number in range(count // 2)]
        cap, join = _CAPS[self.style.cap], _JOINS[self.style.join]
        rings = [self.shape.buffer(offset, cap_style=cap, join_style=join).boundary for offset in offsets]
        return shapely.GeometryCollection([*rings, *([self.shape] if count % 2 else [])])


def marks_of(drawing: Drawing, scale: float) -> Iterator[Mark]:
    """The fills and strokes of a drawing, from back to front.

    Args:
        drawing: the drawing; a gradient counts as the mean of its colors.
        scale: millimeters of a canvas unit.
    """
    styles = drawing.styles or (Style(),) * len(drawing)
    for index, (style, lines) in enumerate(zip(styles, _polylines(drawing, styles), strict=True)):
        matrix = _matrix(drawing, style)
        placed = [scale * (line @ matrix[:, :2].T + matrix[:, 2]) for line in lines]
        if style.fill and drawing.fills is not None:
            color, opacity = _paint(drawing, drawing.fills[index], style.fill_gradient)
            yield Mark(_area(placed, style.fill), 0.0, color, opacity * style.opacity, style)
        if style.stroked:
            color, opacity = _paint(drawing, drawing.colors[index], style.stroke_gradient)
            width = float(drawing.widths[index]) * scale * abs(np.linalg.det(matrix[:, :2])) ** 0.5
            if width > 0:
                yield Mark(shapely.MultiLineString(placed), width, color, opacity * style.opacity, style)


def _polylines(drawing: Drawing, styles: tuple[Style, ...]) -> Iterator[list[np.ndarray]]:
    """The polylines of the subpaths of each path, in its own coordinates."""
    tolerance = _TOLERANCE * max(drawing.canvas.width, drawing.canvas.height) / 200
    segments = iter(drawing.segments)
    for points, style in zip(drawing.detached().stroke_points(), styles, strict=True):
        counts = [control_points(next(segments), closed=closed) for closed in style.closed]
        ends = pairwise(accumulate(counts, initial=0))
        subpaths = zip(ends, style.closed, strict=True)
        yield [_polyline(points[a:b].double().cpu(), tolerance, closed=closed) for (a, b), closed in subpaths]


def _polyline(points: Float[Tensor, "_ 2"], tolerance: float, *, closed: bool) -> np.ndarray:
    chain = torch.cat([points, points[:1]]) if closed else points
    cubics = torch.stack([chain[start : start + 4] for start in range(0, len(chain) - 1, 3)])
    pieces = piece_counts(cubics, tolerance=tolerance)
    owner = torch.repeat_interleave(pieces)
    step = torch.arange(len(owner)) - (pieces.cumsum(0) - pieces)[owner] + 1
    return torch.cat([chain[:1], flatten(cubics[owner], step.double(), pieces[owner].double())]).numpy()


def _matrix(drawing: Drawing, style: Style) -> np.ndarray:
    if drawing.transforms is None:
        return np.eye(2, 3)
    return product(drawing.transforms, style.transforms).double().numpy()


def _paint(
    drawing: Drawing, color: Float[Tensor, " 4"], gradient: int | None
) -> tuple[tuple[float, float, float], float]:
    """Red, green and blue, and the opacity."""
    red, green, blue, opacity = color.detach().clamp(0, 1).tolist()
    if gradient is not None:
        red, green, blue, more = drawing.gradients[gradient].colors.detach().mean(0).tolist()
        opacity *= more
    return (red, green, blue), opacity


def _area(rings: list[np.ndarray], rule: str) -> BaseGeometry:
    """The area within rings, which may cross themselves and each other, by a fill rule."""
    closed = [shapely.LineString(np.concatenate([ring, ring[:1]])) for ring in rings]
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(closed))))
    inside = [face for face in faces if _is_filled(face.representative_point(), rings, rule)]
    return shapely.union_all(inside)


def _is_filled(point: shapely.Point, rings: list[np.ndarray], rule: str) -> bool:
    windings = sum(_winding(ring - np.array([point.x, point.y])) for ring in rings)
    return windings % 2 == 1 if rule == "evenodd" else windings != 0


def _winding(ring: np.ndarray) -> int:
    """How often a ring goes around the origin."""
    corners = ring[:, 0] + 1j * ring[:, 1]
    return round(float(np.angle(np.roll(corners, -1) / corners).sum()) / (2 * np.pi))


def _hatching(area: BaseGeometry, spacing: float) -> BaseGeometry:
    """Parallel lines within an area."""
    if area.is_empty:
        return area
    level = affinity.rotate(area, -_HATCH_DEGREES, origin=(0, 0))
    left, low, right, high = level.bounds
    heights = np.arange(np.ceil(low / spacing), np.floor(high / spacing) + 1) * spacing
    lines = shapely.MultiLineString([[(left, height), (right, height)] for height in heights])
    return affinity.rotate(level.intersection(lines), _HATCH_DEGREES, origin=(0, 0))
