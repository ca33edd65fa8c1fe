"""Rules that must hold after each step: each moves a drawing's tensors to the nearest that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError, check_fields

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
    """Color channels in [0, 1] and the opacity between `opacity` and 1.

    Raises:
        InputError: the opacity is out of range.
    """

    opacity: float = 0.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="the least ")
        if not 0 <= self.opacity <= 1:
            raise InputError(f"the least opacity lies in [0, 1], got {self.opacity:g}")

    def project(self, drawing: Drawing) -> None:
        """Clamp the colors."""
        drawing.colors.clamp_(0.0, 1.0)
        drawing.colors[:, 3].clamp_(min=self.opacity)


@dataclass(frozen=True)
class PointsOnCanvas:
    """Every control point within the canvas; a path then stays within it too (convex hull property)."""

    def project(self, drawing: Drawing) -> None:
        """Clamp the points."""
        drawing.points[:, 0].clamp_(0.0, drawing.canvas.width)
        drawing.points[:, 1].clamp_(0.0, drawing.canvas.height)
