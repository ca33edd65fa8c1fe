"""Cubic Bezier segments: as polylines, and cut at a fraction of their length."""

from __future__ import annotations

from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.errors import InputError

TOLERANCE = 0.15
"""Default bound on the distance between a curve and its polyline, in output pixels; the mean distance, with its sign,
is nearly 0."""

MIN_PIECES = 6
"""Fewest pieces of one segment. One would do for a straight one, but then its inner control points would get no
gradient and it could never bend: the gradients' weights are flattened along with the curve. They are off by 1.2 % in
a straight line of 6 pieces, by 2 % in one of 5, by 0.5 % in one of 8."""

MAX_PIECES = 2048
"""Most pieces of one segment: keeps a control point a million units away from filling the memory."""

_LENGTH_CHORDS = 16
"""Chords by which the length of a segment is measured."""


def piece_counts(cubics: Float[Tensor, "cubics 4 2"], *, tolerance: float = TOLERANCE) -> Int[Tensor, " cubics"]:
    """The number of pieces of equal parameter length that keep each segment's polyline within the tolerance.

    The chord of a curve piece of parameter length 1/n is nowhere farther from the curve than
    max |B''| / (8 n^2), and |B''| <= 6 max |second difference of the control points|. `flatten` brings that down to
    two thirds.

    Args:
        cubics: control points of each segment.
        tolerance: largest distance allowed, in the unit of the control points, above 0.

    Returns:
        Counts from `MIN_PIECES` to `MAX_PIECES`, computed from detached values.

    Raises:
        InputError: the tolerance isn't a positive number.

    Source: Wang, "The subdivision method for finding the intersection between two Bezier curves or surfaces",
    Zhejiang University Journal, 1984 (the bound on the depth of subdivision).
    """
    if not tolerance > 0:
        raise InputError(f"a flattening tolerance is above 0, got {tolerance}")
    points = cubics.detach()
    bend = points[:, :2] - 2 * points[:, 1:3] + points[:, 2:]
    farthest = bend.square().sum(-1).amax(-1).sqrt()
    return (0.5 / tolerance * farthest).sqrt().ceil().clamp(MIN_PIECES, MAX_PIECES).long()


def flatten(
    cubics: Float[Tensor, "*#batch 4 2"], step: Float[Tensor, "*#batch"], count: Float[Tensor, "*#batch"]
) -> Float[Tensor, "*batch 2"]:
    """Vertices of the polylines of cubic segments.

    Between the ends, B(t) - B''(t) / (12 n^2): a curve's mean distance from the chord of a piece is B'' / (12 n^2), so
    the polyline has the curve on both sides in turn and the area beside it stays the same.

    Offsets from the first control point are weighted, so that the error of rounding follows the
    extent of the segment and not its place.

    Args:
        cubics: control points of each segment.
        step: 0 is the first control point, `count` the last.
        count: n, the number of pieces.

    Differentiable in the control points.
    """
    t = step / count
    within = ((step > 0) & (step < count)) / (2 * count.square())
    weights = (
        3 * t * (1 - t) ** 2 + (2 - 3 * t) * within,
        3 * t**2 * (1 - t) + (3 * t - 1) * within,
        t**3 - t * within,
    )
    origin, rest = cubics[..., 0, :], cubics[..., 1:, :] - cubics[..., :1, :]
    return origin + sum(weight[..., None] * rest[..., k, :] for k, weight in enumerate(weights))


def first_part(points: Float[Tensor, "_ 2"], fraction: float) -> Float[Tensor, "_ 2"]:
    """The control points of the first part of a chain of cubic segments.

    Args:
        points: control points of the chain; segments share their ends.
        fraction: how much of the chain's length the part has, in (0, 1].

    Source: de Casteljau's subdivision. The length is that of 16 chords a segment.
    """
    cubics = torch.stack([points[start : start + 4] for start in range(0, len(points) - 1, 3)])
    steps = torch.arange(_LENGTH_CHORDS + 1, dtype=points.dtype, device=points.device)
    curve = flatten(cubics[:, None], steps, torch.full_like(steps, _LENGTH_CHORDS))
    chords = (curve[:, 1:] - curve[:, :-1]).norm(dim=-1).flatten()
    ends = torch.cat([chords.new_zeros(1), chords.cumsum(0)])
    chord = max(min(int(torch.searchsorted(ends, fraction * ends[-1])), len(chords)) - 1, 0)
    within = float((fraction * ends[-1] - ends[chord]) / chords[chord].clamp(min=1e-12))
    segment, step = divmod(chord, _LENGTH_CHORDS)
    t = min(max((step + within) / _LENGTH_CHORDS, 0.0), 1.0)
    level = list(cubics[segment])
    kept = level[:1]
    while len(level) > 1:
        level = [torch.lerp(one, other, t) for one, other in pairwise(level)]
        kept.append(level[0])
    return torch.cat([points[: 3 * segment], torch.stack(kept)])
