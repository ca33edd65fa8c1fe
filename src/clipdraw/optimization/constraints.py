"""Rules that must hold after each step: each moves a drawing's tensors to the nearest that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError, check_fields

HALF = 112.0
"""Half the side of the published canvas."""
WIDEST = 1000.0
"""The widest stroke that settings allow: more than four canvases, in units of a 224-unit canvas."""


@runtime_checkable
class Constraint(Protocol):
    """A rule and its projection."""

    def project(self, drawing: Drawing) -> None:
        """Change the drawing's tensors in place, as little as possible, so that the rule holds."""
        ...


@dataclass(frozen=True)
class WidthRange:
    """Full stroke widths between two bounds, in units of a 224-unit canvas.

    Raises:
        InputError: a bound is out of range.

    Source: Frans et al. 2021 (CLIPDraw), published notebook: half widths in [1, 50].
    """

    lowest: float = 2.0
    highest: float = 100.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="a width range's ")
        if not 0 <= self.lowest <= self.highest <= WIDEST:
            raise InputError(f"a width range is from 0 to {WIDEST:g}, got {self.lowest:g} to {self.highest:g}")

    def project(self, drawing: Drawing) -> None:
        """Clamp the widths."""
        drawing.widths.clamp_(self.lowest * drawing.canvas.scale, self.highest * drawing.canvas.scale)


@dataclass(frozen=True)
class ColorRange:
    """Color channels in [0, 1] and the opacity, of strokes and fills, between `opacity` and `highest`.

    Raises:
        InputError: an opacity is out of range.
    """

    opacity: float = 0.0
    highest: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="the least ")
        if not 0 <= self.opacity <= 1:
            raise InputError(f"the least opacity lies in [0, 1], got {self.opacity:g}")
        if not self.opacity <= self.highest <= 1:
            raise InputError(f"the highest opacity lies in [{self.opacity:g}, 1], got {self.highest:g}")

    def project(self, drawing: Drawing) -> None:
        """Clamp the colors."""
        for colors in (drawing.colors,) if drawing.fills is None else (drawing.colors, drawing.fills):
            colors.clamp_(0.0, 1.0)
            colors[:, 3].clamp_(self.opacity, self.highest)


@dataclass(frozen=True)
class PointsOnCanvas:
    """Every control point within the canvas; a path then stays within it too (convex hull property).

    Args:
        margin: the least distance from the canvas's edge, in units of a 224-unit canvas, -1000 to 1000 and at most half
            the shorter side. Below 0, points may be so far outside.
        whole_paths: whether the outlines keep the distance, not just the points: half a stroke's width is added.

    Raises:
        InputError: the margin is out of range.
    """

    margin: float = 0.0
    whole_paths: bool = False

    def __post_init__(self) -> None:
        check_fields(self, prefix="the points' ")
        if not -1000 <= self.margin <= HALF:
            raise InputError(f"a margin is from -1000 to {HALF:g}, half the canvas, got {self.margin:g}")

    def project(self, drawing: Drawing) -> None:
        """Clamp the points."""
        least = edge_distances(drawing, self.margin, whole_paths=self.whole_paths)
        for axis, side in enumerate((drawing.canvas.width, drawing.canvas.height)):
            points = drawing.points[:, axis]
            points.copy_(torch.minimum(torch.maximum(points, least), side - least))


@dataclass(frozen=True)
class PointsInDisc:
    """Every control point within a circle about the middle of the canvas, so that it stays on it when it is turned.

    Args:
        margin: distance of the circle from the nearest edges, in units of a 224-unit canvas, 0 to half the canvas.
        whole_paths: whether the outlines stay within the circle, not just the points.

    Raises:
        InputError: the margin is out of range.
    """

    margin: float = 0.0
    whole_paths: bool = False

    def __post_init__(self) -> None:
        check_fields(self, prefix="the points' ")
        if not 0 <= self.margin <= HALF:
            raise InputError(f"a margin is from 0 to {HALF:g}, half the canvas, got {self.margin:g}")

    def project(self, drawing: Drawing) -> None:
        """Pull the points outside straight back to the circle."""
        canvas = drawing.canvas
        middle = drawing.points.new_tensor([canvas.width / 2, canvas.height / 2])
        offsets = drawing.points - middle
        least = edge_distances(drawing, self.margin, whole_paths=self.whole_paths)
        radius = (HALF * canvas.scale - least).reshape(-1, 1)
        distances = offsets.norm(dim=1, keepdim=True)
        drawing.points.copy_(torch.where(distances > radius, middle + offsets * (radius / distances), drawing.points))


def edge_distances(drawing: Drawing, margin: float, *, whole_paths: bool) -> Float[Tensor, "*points"]:
    """The distance from the canvas's edge that points have to keep: one for all, or with half the widths one for each.

    Args:
        drawing: the drawing.
        margin: in units of a 224-unit canvas.
        whole_paths: whether half of each path's width is added, as far as that is possible.
    """
    least, half = margin * drawing.canvas.scale, min(drawing.canvas.width, drawing.canvas.height) / 2
    if not whole_paths:
        return drawing.points.new_tensor(least)
    counts = torch.tensor(drawing.point_counts(), device=drawing.points.device)
    stroked = [style.stroked for style in drawing.styles] or [True] * len(drawing)
    widths = drawing.widths.detach() * torch.tensor(stroked, device=drawing.widths.device)
    return (least + widths / 2).clamp(max=half).repeat_interleave(counts)
