"""Arrangements that give paths a texture: squares of a mosaic, light around strokes, the bristles of a brush."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError, check_fields


@dataclass(frozen=True)
class Mosaic:
    """Squares of equal size side by side: of a closed path of four segments only the color is free.

    The path at number k is the square in column k % columns and row k // columns; rows and columns fill the canvas.

    Args:
        columns: how many, at least 1; rows are as many as paths fill.
    """

    columns: int

    def __post_init__(self) -> None:
        if self.columns < 1:
            raise InputError(f"a mosaic has at least one column, got {self.columns}")

    @property
    def copies(self) -> int:
        """One: paths stay as many."""
        return 1

    def __call__(self, drawing: Drawing) -> Drawing:
        """The drawing with its paths as squares."""
        count, canvas = len(drawing), drawing.canvas
        size = drawing.points.new_tensor([canvas.width / self.columns, canvas.height / -(-count // self.columns)])
        number = torch.arange(count, device=size.device)
        corner = torch.stack([number % self.columns, number // self.columns], 1) * size
        return replace(drawing, points=(corner[:, None] + _square(size)).flatten(0, 1))


def _square(size: Float[Tensor, " 2"]) -> Float[Tensor, "12 2"]:
    """The control points of a rectangle of that width and height with its corner at the origin."""
    corners = size.new_tensor([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    sides = [corners[k] + (corners[k + 1] - corners[k]) * t / 3 for k in range(4) for t in range(3)]
    return torch.stack(sides) * size


@dataclass(frozen=True)
class Glow:
    """Light around strokes: below all of them wide, faint copies of each.

    Args:
        strength: opacity of the light against that of the stroke, above 0 and at most 1.

    Raises:
        InputError: the strength is out of range.
    """

    strength: float = 0.5

    def __post_init__(self) -> None:
        check_fields(self, prefix="a glow's ")
        if not 0 < self.strength <= 1:
            raise InputError(f"the strength of a glow is above 0 and at most 1, got {self.strength}")

    @property
    def copies(self) -> int:
        """The stroke and its lights."""
        return 1 + len(_LIGHTS)

    def __call__(self, drawing: Drawing) -> Drawing:
        """The drawing with light, widest first, and the strokes on top."""
        count = len(drawing)
        copies = drawing.subset([*range(count)] * self.copies)
        lights = [(wider, opacity * self.strength) for wider, opacity in _LIGHTS]
        wider, opacity = (copies.widths.new_tensor(each) for each in zip(*lights, (1.0, 1.0), strict=True))
        colors = copies.colors * torch.cat([opacity.new_ones(self.copies, 3), opacity[:, None]], 1).repeat_interleave(
            count, 0
        )
        return replace(copies, widths=copies.widths * wider.repeat_interleave(count), colors=colors)


_LIGHTS = (6.0, 0.1), (3.5, 0.18), (2.0, 0.35)
"""How much wider each copy of a stroke is, and its opacity."""


@dataclass(frozen=True)
class Bristles:
    """Each stroke as several thin ones side by side, as a dry brush or wax on rough paper leaves them.

    Args:
        count: of thin strokes for each, 2 to 32.

    Raises:
        InputError: the count is out of range.
    """

    count: int = 5

    def __post_init__(self) -> None:
        check_fields(self, prefix="bristles' ")
        if not 2 <= self.count <= 32:
            raise InputError(f"a brush has 2 to 32 bristles, got {self.count}")

    @property
    def copies(self) -> int:
        """The count."""
        return self.count

    def __call__(self, drawing: Drawing) -> Drawing:
        """The drawing with the bristles of a stroke one after another."""
        order = [path for path in range(len(drawing)) for _ in range(self.count)]
        copies = drawing.subset(order)
        angle = torch.arange(self.count, device=copies.widths.device) * _GOLDEN_ANGLE
        radius = ((torch.arange(self.count, device=angle.device) + 0.5) / self.count).sqrt() / 2
        offsets = torch.stack([angle.cos(), angle.sin()], 1) * radius[:, None]
        moves = offsets.repeat(len(drawing), 1) * copies.widths[:, None]
        counts = torch.tensor(copies.point_counts(), device=angle.device)
        thin = copies.widths * (_BRISTLE / self.count)
        return replace(copies, points=copies.points + moves.repeat_interleave(counts, 0), widths=thin)


_GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
"""Angle between neighbors of an even arrangement on a disk. Source: Vogel 1979, sunflower seeds."""
_BRISTLE = 1.5
"""Width of all bristles together, of the stroke's: less than there is room for leaves paper between them."""
