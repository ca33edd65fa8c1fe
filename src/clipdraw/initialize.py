"""Where a drawing starts."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from clipdraw.drawing import Canvas, Drawing, control_points
from clipdraw.errors import InputError


@dataclass(frozen=True)
class RandomStrokes:
    """Short random strokes anywhere on the canvas.

    Args:
        strokes: how many, at least 1.
        segments: fewest and most cubic segments of a stroke, uniform between.
        reach: how far each control point may lie from the one before, per axis, as a share of the canvas.
        width: full stroke width at the start, in units of a 224-unit canvas.
        opacity: smallest and largest opacity at the start, in [0, 1].
        spread: share of the canvas's width and height, about its middle, in which strokes begin.

    Raises:
        InputError: a value is out of range.

    Source: Frans et al. 2021 (CLIPDraw), published notebook: 256 strokes of 1 to 3 segments, reach 0.05,
    half width 1, every color channel and the opacity uniform in [0, 1]. Points may leave the canvas.
    """

    strokes: int = 256
    segments: tuple[int, int] = (1, 3)
    reach: float = 0.05
    width: float = 2.0
    opacity: tuple[float, float] = (0.0, 1.0)
    spread: float = 1.0

    def __post_init__(self) -> None:
        if self.strokes < 1:
            raise InputError(f"strokes must be at least 1, got {self.strokes}")
        if not 1 <= self.segments[0] <= self.segments[1]:
            raise InputError(f"segments must be at least 1, fewest first, got {self.segments}")
        if not 0 <= self.opacity[0] <= self.opacity[1] <= 1:
            raise InputError(f"opacity lies in [0, 1], smallest first, got {self.opacity}")
        if not 0 < self.spread <= 1:
            raise InputError(f"spread lies in (0, 1], got {self.spread}")

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """A drawing on `canvas`; the same generator state gives the same drawing."""
        fewest, most = self.segments
        counts = torch.randint(fewest, most + 1, (self.strokes,), generator=generator).tolist()
        size = torch.tensor([canvas.width, canvas.height])
        strokes = []
        for count in counts:
            steps = torch.rand(control_points(count), 2, generator=generator)
            steps[0] = 0.5 + (steps[0] - 0.5) * self.spread
            steps[1:] = (steps[1:] * 2 - 1) * self.reach
            strokes.append(steps.cumsum(0) * size)
        colors = torch.rand(self.strokes, 4, generator=generator)
        low, high = self.opacity
        colors[:, 3] = low + (high - low) * colors[:, 3]
        widths = torch.full((self.strokes,), self.width * canvas.scale)
        return Drawing(torch.cat(strokes), widths, colors, tuple(counts), canvas)
