"""Closed shapes that trace a picture, added in stages where the drawing differs from it most."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.schedules import Cosine
from clipdraw.progress import track
from clipdraw.raster import rasterize

_RATES = 1.0, 0.02
"""Adam's learning rates of points, in units of a 224-unit canvas, and of colors."""
_LAST_STEPS = 3
"""The last stage has as many times the steps of the others, with rates that fall to 0."""
_SEGMENTS = 4
_SIZES = 12
"""Sizes of squares that are compared when a shape is set, from a pixel about its center to half the picture."""
_CIRCLE = 4 / 3 * math.tan(math.pi / 8)
"""Distance of a cubic's inner control points from its ends, in radii, where four of them make a circle."""


@dataclass(frozen=True)
class Tracing:
    """Filled, opaque shapes of four cubic segments over a background of one color, fitted to a picture.

    Each stage doubles the number of shapes, adding each where painting a square in one color would remove most of the
    squared error, and then moves all of them by gradient descent on the squared difference of pixels.

    Args:
        shapes: how many, 1 to 10,000.
        steps: of gradient descent in each stage, 0 or more; the last has three times as many.
        size: pixels along the longer side at which the picture is compared, 8 to 2048.

    Raises:
        InputError: a value is out of range.

    Source: Ma et al. 2022 (LIVE), arXiv 2206.04655: paths added in stages where the error is largest. There the place
    is the largest connected part of the error; here it is the square whose color removes most of it.
    """

    shapes: int = 64
    steps: int = 60
    size: int = 128

    def __post_init__(self) -> None:
        check_fields(self, prefix="a tracing's ")
        for name, lowest, highest in (("shapes", 1, 10_000), ("steps", 0, 100_000), ("size", 8, 2048)):
            if not lowest <= getattr(self, name) <= highest:
                raise InputError(f"a tracing's {name} are {lowest} to {highest}, got {getattr(self, name)}")

    def __call__(self, picture: Float[Tensor, "3 height width"], canvas: Canvas | None = None) -> Drawing:
        """The drawing of a picture in [0, 1], on a canvas of its proportions; one unit a pixel if none is given.

        The same picture gives the same drawing.
        """
        canvas = canvas or Canvas(picture.shape[2], picture.shape[1])
        height, width = canvas.pixel_size(self.size)
        target = functional.interpolate(picture[None], size=(height, width), mode="bilinear", antialias=True)[0]
        drawing, stages = _empty(canvas, target), self._stages()
        for number in track(stages, f"tracing with {self.shapes} shapes", total=len(stages)):
            drawing = _with_more(drawing, target, number - len(drawing))
            last = number == self.shapes
            drawing = _fitted(drawing, target, self.steps * (_LAST_STEPS if last else 1), falling=last)
        return drawing

    def _stages(self) -> list[int]:
        """The number of shapes at the end of each stage."""
        doubled = [2**power for power in range(self.shapes.bit_length()) if 2**power < self.shapes]
        return [*doubled, self.shapes]


def _empty(canvas: Canvas, target: Tensor) -> Drawing:
    """A drawing without shapes over the median color of the picture's border."""
    border = torch.cat([target[:, 0], target[:, -1], target[:, :, 0], target[:, :, -1]], 1)
    return _shapes(torch.empty(0, 2), torch.empty(0, 3), canvas, border.median(1).values)


def _shapes(points: Tensor, fills: Float[Tensor, "shapes 3"], canvas: Canvas, background: Tensor) -> Drawing:
    count = len(fills)
    return Drawing(
        points,
        widths=torch.zeros(count),
        colors=torch.zeros(count, 4),
        segments=(_SEGMENTS,) * count,
        canvas=canvas,
        background=background,
        styles=(Style(closed=(True,), fill="nonzero", stroked=False),) * count,
        fills=torch.cat([fills, torch.ones(count, 1)], 1),
    )


def _fills(drawing: Drawing) -> Float[Tensor, "shapes 4"]:
    assert drawing.fills is not None
    return drawing.fills


def _with_more(drawing: Drawing, target: Float[Tensor, "3 height width"], count: int) -> Drawing:
    """The drawing with more circles on top, each where one color removes most of the error that those before leave."""
    height, width = target.shape[1:]
    image = rasterize(drawing, height=height, width=width)
    unit = drawing.canvas.width / width
    points, fills = [drawing.points], [_fills(drawing)[:, :3]]
    for _ in range(count):
        row, column, radius, color = _best_square(target, image)
        image[:, max(0, row - radius) : row + radius + 1, max(0, column - radius) : column + radius + 1] = color[
            :, None, None
        ]
        points.append(_circle(column + 0.5, row + 0.5, radius + 0.5) * unit)
        fills.append(color[None])
    return _shapes(torch.cat(points), torch.cat(fills), drawing.canvas, drawing.paper)


def _best_square(
    target: Float[Tensor, "3 height width"], image: Float[Tensor, "3 height width"]
) -> tuple[int, int, int, Float[Tensor, " 3"]]:
    """Row, column, radius and color of the square whose painting takes most from the squared error."""
    height, width = target.shape[1:]
    error = (target - image).square().sum(0, keepdim=True)
    sums_of = torch.cat([error, target, target.square().sum(0, keepdim=True), torch.ones_like(error)]).double()
    best = (-math.inf, 0, 0, 0, target.new_zeros(3))
    for radius in _radii(min(height, width)):
        sums = _box_sums(sums_of, radius)
        color, squares = sums[1:4] / sums[5], sums[4]
        gain = sums[0] - (squares - sums[5] * color.square().sum(0))
        most, place = gain.flatten().max(0)
        if most.item() > best[0]:
            row, column = divmod(int(place), width)
            best = most.item(), row, column, radius, color[:, row, column].float()
    return best[1:]


def _radii(shortest: int) -> list[int]:
    """Radii of squares in pixels, from 1 to half the picture's shorter side, each larger by about the same factor."""
    return sorted({max(1, round((shortest / 2) ** (i / (_SIZES - 1)))) for i in range(_SIZES)})


def _box_sums(values: Float[Tensor, "channels height width"], radius: int) -> Float[Tensor, "channels height width"]:
    """The sum over the square about each pixel, as far as it lies on the picture."""
    for dim in (1, 2):
        count = values.shape[dim]
        until = functional.pad(values.cumsum(dim).transpose(dim, 2), (1, 0)).transpose(dim, 2)
        at = torch.arange(count)
        high, low = (at + radius + 1).clamp(max=count), (at - radius).clamp(min=0)
        values = until.index_select(dim, high) - until.index_select(dim, low)
    return values


def _circle(x: float, y: float, radius: float) -> Float[Tensor, "12 2"]:
    """The control points of a circle of four segments."""
    quarter = torch.tensor([[1.0, 0.0], [1.0, _CIRCLE], [_CIRCLE, 1.0]])
    turns = [quarter]
    for _ in range(_SEGMENTS - 1):
        turns.append(turns[-1] @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    return torch.cat(turns) * radius + torch.tensor([x, y])


def _fitted(drawing: Drawing, target: Float[Tensor, "3 height width"], steps: int, *, falling: bool) -> Drawing:
    """The drawing after gradient descent on the squared difference of pixels."""
    height, width = target.shape[1:]
    drawing = drawing.detached()
    fills, background = _fills(drawing), drawing.paper
    rates = _RATES[0] * drawing.canvas.scale, _RATES[1], _RATES[1]
    moved = zip((drawing.points, fills, background), rates, strict=True)
    groups = [{"params": [tensor.requires_grad_()], "lr": rate} for tensor, rate in moved]
    optimizer = torch.optim.Adam(groups)
    for step in range(steps):
        loss = (rasterize(drawing, height=height, width=width) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * (Cosine()(step, steps) if falling else 1.0)
        optimizer.step()
        with torch.no_grad():
            fills.clamp_(0, 1)[:, 3] = 1
            background.clamp_(0, 1)
    return drawing.detached()
