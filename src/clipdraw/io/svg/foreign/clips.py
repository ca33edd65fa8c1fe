"""Rectangles that foreign SVG files clip their content to: a drawing does not clip, so what sticks out is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from clipdraw.drawing import Canvas
from clipdraw.io.svg.foreign.outlines import Run

Box = Float64[np.ndarray, "2 2"]
Matrix = Float64[np.ndarray, "3 3"]

_SLACK = 1e-3
"""How far something may stick out, as a share of the rectangle, before it counts."""


@dataclass
class Clip:
    """A rectangle that clips.

    Args:
        note: what the warning calls it.
        matrix: from its coordinates to those of the canvas.
        box: lowest and highest coordinates.
        cuts: whether something sticks out of it.
    """

    note: str
    matrix: Matrix
    box: Box
    cuts: bool = False

    def take(self, box: Box, matrix: Matrix, reach: float, canvas: Canvas) -> bool:
        """Whether a shape is the first that sticks out, within the canvas.

        Args:
            box: lowest and highest coordinates of the shape in its own coordinates.
            matrix: from these to those of the canvas.
            reach: how far its stroke reaches around it, in canvas units.
            canvas: outside of it nothing is seen.
        """
        if self.cuts:
            return False
        grown = moved_box(box, matrix) + np.array([[-reach], [reach]])
        seen = np.stack((np.maximum(grown[0], 0), np.minimum(grown[1], (canvas.width, canvas.height))))
        if (seen[0] > seen[1]).any():
            return False
        back = np.linalg.inv(self.matrix)
        share = reach * np.abs(back[:2, :2]).sum(axis=1)
        own = moved_box(box, back @ matrix) + np.stack((-share, share))
        self.cuts = not (self._holds(own) or self._holds(moved_box(seen, back)))
        return self.cuts

    def matters(self, canvas: Canvas) -> bool:
        """Whether it can be seen at all: it does not hold the whole canvas, and is not folded to a line."""
        if not np.isfinite(self.matrix).all() or not np.linalg.det(self.matrix):
            return False
        whole = np.array([[0, 0], [canvas.width, canvas.height]], dtype=np.float64)
        return not self._holds(moved_box(whole, np.linalg.inv(self.matrix)))

    def _holds(self, box: Box) -> bool:
        slack = _SLACK * (self.box[1] - self.box[0])
        return bool((box[0] >= self.box[0] - slack).all() and (box[1] <= self.box[1] + slack).all())


def moved_box(box: Box, matrix: Matrix) -> Box:
    """The lowest and highest coordinates of a box's corners after a transform."""
    corners = np.array([[x, y] for x in box[:, 0] for y in box[:, 1]]) @ matrix[:2, :2].T + matrix[:2, 2]
    return np.stack((corners.min(axis=0), corners.max(axis=0)))


def rectangle(runs: Sequence[Run]) -> Box | None:
    """The box of an outline that is one rectangle with level sides; None of any other."""
    corners = runs[0].points[::3] if len(runs) == 1 else np.zeros((0, 2))
    if len(corners) != 4:
        return None
    low, high = corners.min(axis=0), corners.max(axis=0)
    near = 1e-9 * float((high - low).max())
    turns = [tuple(corner) for corner in (corners - low > near).tolist()]
    level = all((a != c) != (b != d) for (a, b), (c, d) in pairwise([*turns, turns[0]]))
    away = np.minimum(np.abs(runs[0].points - low), np.abs(runs[0].points - high)).min(axis=1)
    return np.stack((low, high)) if level and len(set(turns)) == 4 and (away <= near).all() else None
