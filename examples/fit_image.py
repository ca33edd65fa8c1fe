"""Paint a picture with filled curves or with strokes: `python examples/fit_image.py photo.jpg`.

Without a picture it paints a sunset of its own. Each step rasterizes the drawing, compares it with the picture, and
moves points, widths and colors down the gradient; it is what diffvg's painterly example does.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.io.images import read_image, write_png
from clipdraw.raster import rasterize


def sunset(size: int) -> Tensor:
    """A picture of a low sun over the sea: 3 x size x size."""
    y, x = torch.meshgrid(*[(torch.arange(size) + 0.5) / size] * 2, indexing="ij")
    sky = torch.stack((0.25 + 0.75 * y, 0.2 + 0.45 * y, 0.5 - 0.15 * y))
    sun = ((0.13 - ((x - 0.62) ** 2 + (y - 0.5) ** 2).sqrt()) * size).clamp(0, 1)
    picture = sky + sun * (torch.tensor([1.0, 0.85, 0.4])[:, None, None] - sky)
    glitter = (0.5 + 0.5 * (60 * y**2 + 4 * (6 * x).sin()).sin()) * (
        -(((x - 0.62) / (0.05 + 0.5 * (y - 0.6))) ** 2)
    ).exp()
    sea = torch.stack((0.08 + 0.8 * glitter, 0.2 + 0.45 * glitter, 0.4 + 0.1 * glitter))
    shore = 0.62 + 0.01 * (9 * x).sin()
    picture = torch.where(y > shore, sea, picture)
    hills = 0.62 - 0.16 * (1 - x).clamp(0) ** 2 * (1.2 + (13 * x).sin())
    picture = torch.where((y > hills) & (y <= shore), torch.tensor([0.16, 0.1, 0.22])[:, None, None], picture)
    return picture.clamp(0, 1)


def scaled(picture: Tensor, longest: int) -> Tensor:
    """The picture with sides of at most so many pixels."""
    share = min(1.0, longest / max(picture.shape[1:]))
    size = [max(1, round(share * side)) for side in picture.shape[1:]]
    return functional.interpolate(picture[None], size=size, mode="area")[0]


def wobbly_circles(count: int, points: int, random: torch.Generator) -> Tensor:
    """Points around the origin: count x points x 2."""
    angle = torch.linspace(0, 2 * torch.pi, points + 1)[:-1]
    radius = 0.4 + 0.6 * torch.rand(count, points, 1, generator=random)
    return radius * torch.stack((angle.cos(), angle.sin()), dim=1)


def start(picture: Tensor, count: int, *, strokes: bool, seed: int) -> Drawing:
    """Blobs, or strokes of two segments, all over the picture and in its colors, large ones first."""
    random = torch.Generator().manual_seed(seed)
    height, width = picture.shape[1:]
    centers = torch.rand(count, 2, generator=random) * torch.tensor([width, height])
    radii = (height * width / count) ** 0.5 * (1.6 - torch.arange(count) / count)[:, None, None]
    if strokes:
        steps = torch.randn(count, 7, 2, generator=random).cumsum(1)
        points, segments = centers[:, None] + 0.25 * radii * (steps - steps.mean(1, keepdim=True)), 2
    else:
        points, segments = centers[:, None] + radii * wobbly_circles(count, 12, random), 4
    columns, rows = centers.long().T
    colors = torch.cat((picture[:, rows, columns].T, torch.full((count, 1), 0.8)), dim=1)
    style = Style() if strokes else Style(closed=(True,), fill="nonzero", stroked=False)
    return Drawing(
        points.reshape(-1, 2),
        0.6 * radii.flatten() if strokes else torch.zeros(count),
        colors,
        (segments,) * count,
        Canvas(width, height),
        picture.mean((1, 2)),
        styles=() if strokes else (style,) * count,
        fills=None if strokes else colors.clone(),
    )


def fit(drawing: Drawing, picture: Tensor, *, steps: int, rate: float = 1.0) -> tuple[Drawing, float, float]:
    """Optimize a drawing towards a picture.

    Args:
        drawing: where to start.
        picture: what it should look like, in pixels of any size: 3 x height x width.
        steps: of Adam.
        rate: of the points, in canvas units a step at first; it falls to nothing.

    Returns:
        The drawing, and the mean squared error before and after.
    """
    drawing = drawing.detached()
    paints = [drawing.colors, *([] if drawing.fills is None else [drawing.fills])]
    groups = [([drawing.points], rate), ([drawing.widths], 0.2 * rate), (paints, 0.02), ([drawing.background], 0.01)]
    for tensors, _ in groups:
        for tensor in tensors:
            tensor.requires_grad_()
    optimizer = torch.optim.Adam([{"params": tensors, "lr": speed} for tensors, speed in groups])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps))
    height, width = picture.shape[1:]

    def loss() -> Tensor:
        return functional.mse_loss(rasterize(drawing, height=height, width=width), picture)

    before = float(loss().detach())
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            drawing.widths.clamp_(min=0)
            for paint in (*paints, drawing.background):
                paint.clamp_(0, 1)
    return drawing.detached(), before, float(loss().detach())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", type=Path, help="any common picture file")
    parser.add_argument("--paths", type=int, default=256)
    parser.add_argument("--strokes", action="store_true", help="open strokes instead of filled curves")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--size", type=int, default=256, help="of the longer side while fitting, in pixels")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("fit.svg"), help="a PNG goes beside it")
    options = parser.parse_args()
    picture = sunset(options.size) if options.picture is None else scaled(read_image(options.picture), options.size)
    began = time.perf_counter()
    drawing = start(picture, options.paths, strokes=options.strokes, seed=options.seed)
    drawing, before, after = fit(drawing, picture, steps=options.steps)
    print(f"mean squared error {before:.5f} before, {after:.5f} after {time.perf_counter() - began:.0f} s")
    drawing = replace(drawing, metadata={"seed": str(options.seed)})
    write_png(rasterize(drawing, width=2 * picture.shape[2]), options.out.with_suffix(".png"))
    drawing.save(options.out)
    print(options.out)


if __name__ == "__main__":
    main()
