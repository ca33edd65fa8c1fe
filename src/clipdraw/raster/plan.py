"""What every backend does first: canvas units to pixels, strokes to segments, how fine to flatten."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.geometry import TOLERANCE, piece_counts

FAR_PX = 1e7
"""Control points are held within this many pixels of the origin, so that every square is finite in float32."""

REACH_PX = 0.7072
"""A stroke touches no pixel whose center is farther from its outline: half the diagonal, rounded up."""


class Index(NamedTuple):
    """Where the segments of each stroke are."""

    first_cubic: np.ndarray
    """First segment of each stroke, and the number of segments at the end: int64, strokes + 1."""
    first_point: np.ndarray
    """First control point of each segment: int64."""
    stroke: np.ndarray
    """The stroke of each segment: int64."""


@lru_cache(maxsize=32)
def segment_index(segments: tuple[int, ...]) -> Index:
    """Where the segments of each stroke are, for the segment counts of a drawing."""
    counts = np.asarray(segments, dtype=np.int64)
    first_cubic = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    stroke = np.repeat(np.arange(len(counts)), counts)
    return Index(first_cubic, 3 * np.arange(len(stroke)) + stroke, stroke)


def pixels_per_unit(drawing: Drawing, height: int, width: int) -> float:
    """The one scale from canvas units to pixels: the geometric mean, where sizes were rounded."""
    return (width / drawing.canvas.width * height / drawing.canvas.height) ** 0.5


def cubics_px(drawing: Drawing, scale: float) -> Float[Tensor, "cubics 4 2"]:
    """Control points of every segment, in pixels.

    Differentiable in `drawing.points`.
    """
    first = torch.from_numpy(segment_index(drawing.segments).first_point).to(drawing.points.device)
    points = (drawing.points * scale).clamp(-FAR_PX, FAR_PX)
    return points[first[:, None] + torch.arange(4, device=first.device)]


def radii_px(drawing: Drawing, scale: float) -> Float[Tensor, " strokes"]:
    """Half the stroke widths, in pixels, 0 or more.

    Differentiable in `drawing.widths`.
    """
    return (drawing.widths * (scale / 2)).clamp(0, FAR_PX)


def visible_counts(
    cubics: Float[Tensor, "cubics 4 2"],
    radii: Float[Tensor, " cubics"],
    *,
    size: tuple[int, int],
    tolerance: float = TOLERANCE,
) -> Int[Tensor, " cubics"]:
    """Pieces for each segment: 0 where the hull of its control points, widened by the stroke, misses the image.

    Args:
        cubics: control points, in pixels.
        radii: half the stroke width of each segment, in pixels.
        size: height and width of the image, in pixels.
        tolerance: largest distance between curve and polyline, in pixels.
    """
    points, reach = cubics.detach(), radii.detach()[:, None] + REACH_PX
    low, high = torch.aminmax(points, dim=1)
    extent = points.new_tensor((size[1], size[0]))
    seen = ((high + reach > 0) & (low - reach < extent)).all(dim=1)
    return piece_counts(points, tolerance=tolerance) * seen
