"""The attacks on the image tower while it learns: noise in pixels, and strokes.

A tower that was never attacked is pleased by scribbles; one that withstands these attacks asks for shapes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.drawing import Canvas, Drawing, control_points
from clipdraw.raster import rasterize

Objective = Callable[[Tensor], Tensor]
"""The loss of views (batch, 3, size, size): what an attack makes larger."""

# Pixel sizes and radii: fine noise, and coarser patches such as strokes can make.
_PIXELS = ((1, 8 / 255), (1, 8 / 255), (2, 10 / 255), (4, 14 / 255))
_STROKES, _SEGMENTS, _COLUMNS = 10, 2, 16
# How far one step moves control points (in pixels of a view) and colors.
_POINTS_STEP, _COLORS_STEP = 4.0, 0.25


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, its parameters without gradients, while in the block."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.eval()
    yield
    model.train()
    for parameter in model.parameters():
        parameter.requires_grad_(True)


def move_pixels(views: Tensor, objective: Objective, strength: float) -> Tensor:
    """Views moved one step against the objective (FGSM from a random start; Wong et al. 2020, arXiv 2001.03994).

    Args:
        views: (batch, 3, size, size) in [0, 1].
        objective: what is made larger.
        strength: share of the full radius, which is drawn at random from a few.
    """
    block, radius = _PIXELS[int(torch.randint(len(_PIXELS), ()))]
    radius *= strength
    side = views.shape[-1] // block
    noise = torch.empty(len(views), 3, side, side, device=views.device).uniform_(-radius, radius).requires_grad_()
    (gradient,) = torch.autograd.grad(objective(views + _enlarged(noise, block)), noise)
    with torch.no_grad():
        noise = (noise + 1.25 * radius * gradient.sign()).clamp(-radius, radius)
        return (views + _enlarged(noise, block)).clamp(0, 1)


def _enlarged(noise: Tensor, block: int) -> Tensor:
    return noise if block == 1 else functional.interpolate(noise, scale_factor=block, mode="bilinear")


def add_strokes(views: Tensor, objective: Objective, *, steps: int = 1) -> Tensor:
    """Views with random strokes painted over them, which were moved some steps against the objective.

    Args:
        views: (batch, 3, size, size) in [0, 1]; the batch a multiple of 16.
        objective: what is made larger.
        steps: how often the strokes are moved.
    """
    sheet = _Sheet(len(views), views.shape[-1])
    points, widths, colors = sheet.random()
    for _ in range(steps):
        points.requires_grad_()
        colors.requires_grad_()
        loss = objective(sheet.over(views, points, widths, colors))
        by_points, by_colors = torch.autograd.grad(loss, (points, colors))
        with torch.no_grad():
            points = sheet.within(points + _POINTS_STEP * by_points.sign())
            colors = (colors + _COLORS_STEP * by_colors.sign()).clamp(0, 1)
    with torch.no_grad():
        return sheet.over(views, points, widths, colors)


class _Sheet:
    """One canvas with a tile for each view, so that one call rasterizes the strokes of all."""

    def __init__(self, views: int, size: int) -> None:
        self.views, self.size = views, size
        self.canvas = Canvas(_COLUMNS * size, views // _COLUMNS * size)
        index = torch.arange(views * _STROKES) // _STROKES
        corners = torch.stack([index % _COLUMNS, index // _COLUMNS], 1) * float(size)
        self.corners = corners.repeat_interleave(control_points(_SEGMENTS), 0)

    def random(self) -> tuple[Tensor, Tensor, Tensor]:
        """Points, widths and colors of short strokes."""
        count = self.views * _STROKES
        steps = (torch.rand(count, control_points(_SEGMENTS), 2) - 0.5) * 0.3
        steps[:, 0] = torch.rand(count, 2)
        points = self.within(self.corners + (steps.cumsum(1) * self.size).reshape(-1, 2))
        colors = torch.rand(count, 4)
        return points, 1.0 + 6.0 * torch.rand(count), colors

    def within(self, points: Tensor) -> Tensor:
        """Points held inside their own tile."""
        return self.corners + (points - self.corners).clamp(4.0, self.size - 4.0)

    def over(self, views: Tensor, points: Tensor, widths: Tensor, colors: Tensor) -> Tensor:
        """Views with the strokes painted over them."""
        paint = self._tiles(points, widths, colors).to(views.device)
        white = torch.cat([torch.ones_like(colors[:, :3]), colors[:, 3:]], 1)
        return (paint + views * (1 - self._tiles(points, widths, white)[:, :1].to(views.device))).clamp(0, 1)

    def _tiles(self, points: Tensor, widths: Tensor, colors: Tensor) -> Tensor:
        """(views, 3, size, size): the strokes on black."""
        segments = (_SEGMENTS,) * len(widths)
        drawing = Drawing(points, widths, colors, segments, self.canvas, background=torch.zeros(3))
        tiles = rasterize(drawing).unflatten(2, (_COLUMNS, self.size)).unflatten(1, (-1, self.size))
        return tiles.permute(1, 3, 0, 2, 4).flatten(0, 1)
