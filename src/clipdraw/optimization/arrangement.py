"""Arrangements: what holds by construction, between the paths that are moved and the drawing that is shown.

An arrangement is a pure function of a drawing, differentiable in its points and colors. Gradient descent moves the
drawing that goes in; losses, files and films show the one that comes out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing, Style, control_points
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.colors import nearest
from clipdraw.optimization.constraints import PointsOnCanvas, edge_distances


@runtime_checkable
class Arrangement(Protocol):
    """A function from the paths that are moved to the drawing that is shown."""

    @property
    def copies(self) -> int:
        """The number of paths that each path becomes."""
        ...

    def __call__(self, drawing: Drawing) -> Drawing:
        """The arranged drawing; differentiable."""
        ...


@dataclass(frozen=True)
class Mirror:
    """Each path, and its mirror image at the vertical line through the middle of the canvas."""

    @property
    def copies(self) -> int:
        """Two."""
        return 2

    def __call__(self, drawing: Drawing) -> Drawing:
        """The symmetric drawing; a path and its image follow each other."""
        copies = _copied(drawing, [_IDENTITY, ((-1.0, 0.0, drawing.canvas.width), (0.0, 1.0, 0.0))])
        return _joined(copies, 2, mirrored=True)


@dataclass(frozen=True)
class Rotation:
    """Each path `order` times, turned about the middle of the canvas by equal angles.

    Args:
        order: how often a full turn shows the same picture, 2 to 64.

    Raises:
        InputError: the order is out of range.
    """

    order: int = 3

    def __post_init__(self) -> None:
        check_fields(self, prefix="a rotation's ")
        if not 2 <= self.order <= 64:
            raise InputError(f"the order of a rotation is from 2 to 64, got {self.order}")

    @property
    def copies(self) -> int:
        """The order."""
        return self.order

    def __call__(self, drawing: Drawing) -> Drawing:
        """The symmetric drawing; the copies of a path follow one another."""
        x, y = drawing.canvas.width / 2, drawing.canvas.height / 2
        turns = [(_cos(k, self.order), _cos(k - self.order / 4, self.order)) for k in range(self.order)]
        matrices = [((c, -s, x - c * x + s * y), (s, c, y - s * x - c * y)) for c, s in turns]
        return _joined(_copied(drawing, matrices), self.order)


@dataclass(frozen=True)
class Tile:
    """Each path, and what reaches into the canvas from the eight canvases around it, so that copies fit seamlessly."""

    @property
    def copies(self) -> int:
        """Nine, most of which do not reach the canvas; see `visible`."""
        return 9

    def __call__(self, drawing: Drawing) -> Drawing:
        """The drawing with the copies of all paths, layer by layer."""
        width, height = drawing.canvas.width, drawing.canvas.height
        moves = [(x * width, y * height) for y in (0, -1, 1) for x in (0, -1, 1)]
        return _copied(drawing, [((1.0, 0.0, x), (0.0, 1.0, y)) for x, y in moves])


@dataclass(frozen=True)
class Grid:
    """Control points on a square grid about the middle of the canvas; gradients pass as if they were not moved to it.

    Args:
        spacing: of the grid, above 0, in units of a 224-unit canvas.
        edge: the distance that points keep from the edge, which rounding would not; None if they may leave the canvas.

    Raises:
        InputError: the spacing is not above 0.

    Source: Bengio et al. 2013, arXiv 1308.3432 (the straight-through estimator).
    """

    spacing: float
    edge: PointsOnCanvas | None = None

    def __post_init__(self) -> None:
        check_fields(self, prefix="a grid's ")
        if not self.spacing > 0:
            raise InputError(f"the spacing of a grid is above 0, got {self.spacing}")

    @property
    def copies(self) -> int:
        """One: paths stay as many."""
        return 1

    def __call__(self, drawing: Drawing) -> Drawing:
        """The drawing with its points on the grid."""
        canvas, points = drawing.canvas, drawing.points
        spacing, middle = self.spacing * canvas.scale, points.new_tensor([canvas.width / 2, canvas.height / 2])
        steps = ((points.detach() - middle) / spacing).round()
        if self.edge is not None:
            least = edge_distances(drawing, self.edge.margin, whole_paths=self.edge.whole_paths)
            most = ((middle - least.reshape(-1, 1)) / spacing + 1e-4).floor().clamp(min=0)
            steps = torch.minimum(torch.maximum(steps, -most), most)
        return replace(drawing, points=_instead(points, middle + steps * spacing))


@dataclass(frozen=True)
class Palette:
    """Colors that are each exactly one of a few; gradients pass as if a color were not moved to the nearest.

    Opacities stay as they are.

    Args:
        colors: red, green and blue of each, in [0, 1].
        background: whether the background's color is one of them, too.

    Raises:
        InputError: there is no color, or one is out of range.

    Source: Bengio et al. 2013, arXiv 1308.3432 (the straight-through estimator).
    """

    colors: tuple[tuple[float, float, float], ...]
    background: bool = False

    def __post_init__(self) -> None:
        if not self.colors or not all(len(c) == 3 and all(0 <= part <= 1 for part in c) for c in self.colors):
            raise InputError(f"a palette has at least one color, each of three numbers in [0, 1], got {self.colors}")

    @property
    def copies(self) -> int:
        """One: paths stay as many."""
        return 1

    def __call__(self, drawing: Drawing) -> Drawing:
        """The drawing in colors of the palette, those of gradients among them."""
        changed: dict[str, Any] = {"colors": self._snapped(drawing.colors)}
        if drawing.fills is not None:
            changed["fills"] = self._snapped(drawing.fills)
        if self.background and drawing.background is not None:
            changed["background"] = self._snapped(drawing.background[None])[0]
        gradients = tuple(replace(each, colors=self._snapped(each.colors)) for each in drawing.gradients)
        return replace(drawing, **changed, gradients=gradients)

    def _snapped(self, colors: Float[Tensor, "n channels"]) -> Float[Tensor, "n channels"]:
        palette = colors.new_tensor(self.colors)
        chosen = palette[nearest(colors[:, :3].detach(), palette)]
        return torch.cat([_instead(colors[:, :3], chosen), colors[:, 3:]], 1)


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


@dataclass(frozen=True, eq=False)
class Below:
    """A drawing that stays as it is, under the paths that are moved.

    Args:
        drawing: on a canvas of the same size; its background is not shown.
    """

    drawing: Drawing

    @property
    def copies(self) -> int:
        """One: the paths that are moved stay as many."""
        return 1

    def __call__(self, drawing: Drawing) -> Drawing:
        """Both drawings as one."""
        fixed = self.drawing.to(device=drawing.points.device, dtype=drawing.points.dtype)
        return replace(joined(fixed, drawing), background=drawing.background, metadata=drawing.metadata)


@dataclass(frozen=True)
class Combined:
    """Several arrangements, one after the other.

    Args:
        parts: the first is applied first.
    """

    parts: tuple[Arrangement, ...]

    @property
    def copies(self) -> int:
        """The product of the parts' numbers of copies."""
        return math.prod(part.copies for part in self.parts)

    def __call__(self, drawing: Drawing) -> Drawing:
        """The drawing after all parts."""
        return reduce(lambda arranged, part: part(arranged), self.parts, drawing)


_Matrix = tuple[tuple[float, float, float], tuple[float, float, float]]
_IDENTITY: _Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def _cos(steps: float, order: int) -> float:
    """The cosine of so many parts of a full turn, exact at quarter turns."""
    quarters = 4 * steps / order
    exact = (1.0, 0.0, -1.0, 0.0)[round(quarters) % 4]
    return exact if quarters == round(quarters) else math.cos(math.tau * steps / order)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, free: Tensor, fixed: Tensor) -> Tensor:
        return fixed.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def _instead(free: Tensor, fixed: Tensor) -> Tensor:
    """The values of `fixed`, to the last bit, with the gradient of `free`."""
    result: Tensor = _StraightThrough.apply(free, fixed)
    return result


def _copied(drawing: Drawing, matrices: Sequence[_Matrix]) -> Drawing:
    """The drawing with a copy of each path for each matrix, which keeps lengths; copies of a path are neighbors."""
    count, paths = len(matrices), len(drawing)
    order = [path for path in range(paths) for _ in range(count)]
    copies = drawing.subset(order)
    stacked = drawing.points.new_tensor(matrices)
    of_path = torch.arange(count, device=stacked.device).repeat(paths)
    own = [_has_own_space(style) for style in copies.styles] or [False] * len(copies)
    chosen = torch.tensor(own, device=stacked.device)[:, None, None]
    counts = torch.tensor(copies.point_counts(), device=stacked.device)
    each = torch.where(chosen, stacked.new_tensor(_IDENTITY), stacked[of_path]).repeat_interleave(counts, 0)
    points = (each[:, :, :2] @ copies.points[:, :, None])[:, :, 0] + each[:, :, 2]
    return replace(copies, points=points, **(_transformed(copies, stacked, own) if any(own) else {}))


def _joined(copies: Drawing, count: int, *, mirrored: bool = False) -> Drawing:
    """The copies of each path as one path, if they have fills and strokes: a fill would hide a copy's stroke.

    Paths of one color look the same in any order. Those with own spaces stay as they are.

    Args:
        copies: of paths, those of one after another.
        count: copies of each path.
        mirrored: whether every second copy winds around the other way.
    """
    if not any(style.fill and style.stroked for style in copies.styles) or any(map(_has_own_space, copies.styles)):
        return copies
    single = copies.subset(range(0, len(copies), count))
    styles = tuple(replace(style, closed=style.closed * count) for style in single.styles)
    points = _turned_around(copies) if mirrored else copies.points
    return replace(single, points=points, segments=copies.segments, styles=styles)


def _turned_around(copies: Drawing) -> Float[Tensor, "points 2"]:
    """The points, those of every second path in the opposite order."""
    flags = [(flag, path % 2 == 1) for path, style in enumerate(copies.styles) for flag in style.closed]
    sizes = [control_points(n, closed=closed) for n, (closed, _) in zip(copies.segments, flags, strict=True)]
    parts = zip(copies.points.split(sizes), flags, strict=True)
    return torch.cat([part.flip(0).roll(int(closed), 0) if turn else part for part, (closed, turn) in parts])


def _has_own_space(style: Style) -> bool:
    """Whether a path, or a gradient that paints it, has coordinates other than the canvas's."""
    return bool(style.transforms) or style.fill_gradient is not None or style.stroke_gradient is not None


def _transformed(copies: Drawing, matrices: Float[Tensor, "copies 2 3"], chosen: Sequence[bool]) -> dict[str, Any]:
    """Styles and transforms by which the chosen paths have the matrix of their copy outermost."""
    known = matrices[:0] if copies.transforms is None else copies.transforms
    styles: list[Style] = []
    for index, (style, is_chosen) in enumerate(zip(copies.styles, chosen, strict=True)):
        outermost = len(known) + index % len(matrices)
        styles.append(replace(style, transforms=(outermost, *style.transforms)) if is_chosen else style)
    return {"styles": tuple(styles), "transforms": torch.cat([known, matrices])}


def touches_canvas(drawing: Drawing) -> list[bool]:
    """Whether each path may reach into the canvas: the box of its control points, and half its width, do."""
    counts = torch.tensor(drawing.point_counts(), device=drawing.points.device)
    path = torch.arange(len(drawing), device=counts.device).repeat_interleave(counts)[:, None].expand(-1, 2)
    points, width = drawing.points.detach(), drawing.widths.detach()[:, None] / 2
    low = torch.full((len(drawing), 2), math.inf, device=points.device).scatter_reduce(0, path, points, "amin") - width
    high = torch.full_like(low, -math.inf).scatter_reduce(0, path, points, "amax") + width
    inside = (high >= 0) & (low <= points.new_tensor([drawing.canvas.width, drawing.canvas.height]))
    moved = [bool(style.transforms) or style.join == "miter" or style.cap == "square" for style in drawing.styles]
    return [bool(a or b) for a, b in zip(inside.all(1).tolist(), moved or [False] * len(drawing), strict=True)]


def arranged(drawing: Drawing, arrangement: Arrangement | None) -> Drawing:
    """The drawing that is shown, without the copies of a tiling that do not reach the canvas."""
    if arrangement is None:
        return drawing
    shown = arrangement(drawing)
    return visible([shown])[0] if tiles(arrangement) else shown


def tiles(arrangement: Arrangement | None) -> bool:
    """Whether an arrangement makes a tile."""
    return isinstance(arrangement, Tile) or (isinstance(arrangement, Combined) and any(map(tiles, arrangement.parts)))


def visible(drawings: Sequence[Drawing]) -> list[Drawing]:
    """Drawings of the same paths without those that reach the canvas in none of them."""
    kept = [any(shown) for shown in zip(*map(touches_canvas, drawings), strict=True)]
    chosen = [path for path, shown in enumerate(kept) if shown]
    return [drawing if all(kept) else drawing.subset(chosen) for drawing in drawings]


def joined(below: Drawing, above: Drawing) -> Drawing:
    """A drawing with the paths of another one, which has no gradients and transforms, on top.

    Raises:
        InputError: their canvases differ.
    """
    if below.canvas != above.canvas:
        sizes = [f"{drawing.canvas.width:g} x {drawing.canvas.height:g}" for drawing in (above, below)]
        raise InputError(f"paths on a canvas of {sizes[0]} cannot be added to one of {sizes[1]}")
    both = [below, above.to(device=below.points.device, dtype=below.points.dtype)]
    styled, filled = any(each.styles for each in both), any(each.fills is not None for each in both)
    return replace(
        below,
        points=torch.cat([each.points for each in both]),
        widths=torch.cat([each.widths for each in both]),
        colors=torch.cat([each.colors for each in both]),
        segments=below.segments + above.segments,
        styles=sum((each.styles or (Style(),) * len(each) for each in both), ()) if styled else (),
        fills=torch.cat([torch.zeros_like(each.colors) if each.fills is None else each.fills for each in both])
        if filled
        else None,
    )
