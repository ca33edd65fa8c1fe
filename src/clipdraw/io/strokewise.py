"""A drawing that appears stroke after stroke, each drawn along its length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from clipdraw.bezier import flatten
from clipdraw.drawing import Drawing

_FAINTEST = 0.02
"""Strokes of less opacity are not waited for."""
_SAMPLES = 16
"""Chords by which the length of a segment is measured."""


def stroke_ends(drawing: Drawing) -> Float64[np.ndarray, " ends"]:
    """When each stroke begins and ends, as shares of the whole: stroke i between entries i and i + 1.

    Each takes as long as the way along its control points, and a little more, so that short ones are seen to be drawn.
    """
    lengths = [float((part[1:] - part[:-1]).norm(dim=-1).sum()) for part in drawing.stroke_points()]
    slack = max(sum(lengths) / max(len(lengths), 1), 1e-9) / 4
    visible = ((drawing.colors[:, 3] >= _FAINTEST) & (drawing.widths > 0)).tolist()
    spans = [(length + slack) * (seen or not any(visible)) for length, seen in zip(lengths, visible, strict=True)]
    ends = np.cumsum([0.0, *spans])
    return ends / max(ends[-1], 1e-9)


def beginning(points: Float[Tensor, "_ 2"], share: float) -> Float[Tensor, "_ 2"]:
    """The control points of the first part of an open stroke.

    Args:
        points: of the stroke.
        share: of its length, in (0, 1].

    Source: de Casteljau's subdivision; the length is that of `_SAMPLES` chords a segment.
    """
    cubics = torch.stack([points[start : start + 4] for start in range(0, len(points) - 1, 3)])
    steps = torch.arange(_SAMPLES + 1, dtype=points.dtype, device=points.device)
    curve = flatten(cubics[:, None], steps, torch.full_like(steps, _SAMPLES))
    chords = (curve[:, 1:] - curve[:, :-1]).norm(dim=-1).flatten()
    ends = torch.cat([chords.new_zeros(1), chords.cumsum(0)])
    at = min(int(torch.searchsorted(ends, share * ends[-1])), len(chords))
    chord = max(at - 1, 0)
    within = float((share * ends[-1] - ends[chord]) / chords[chord].clamp(min=1e-12))
    whole, step = divmod(chord, _SAMPLES)
    parameter = min(max((step + within) / _SAMPLES, 0.0), 1.0)
    a, b, c, d = cubics[whole]
    ab, bc, cd = (torch.lerp(p, q, parameter) for p, q in ((a, b), (b, c), (c, d)))
    abc, bcd = torch.lerp(ab, bc, parameter), torch.lerp(bc, cd, parameter)
    return torch.cat([points[: 3 * whole], torch.stack([a, ab, abc, torch.lerp(abc, bcd, parameter)])])


def begun(drawing: Drawing, index: int, share: float) -> Drawing:
    """One stroke of a drawing, as far as it is drawn."""
    stroke = drawing.subset([index])
    points = beginning(stroke.points, share)
    return replace(stroke, points=points, segments=(len(points) // 3,))
