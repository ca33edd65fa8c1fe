"""Move the paths of an SVG so that it looks like a picture: `python examples/refine_svg.py drawing.svg photo.png`.

Points, widths, colors, and gradients and transforms where there are any, follow the gradient of the squared
difference; how many paths there are and how they are painted stays. It is what diffvg's `refine_svg` does.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Drawing
from clipdraw.io.images import read_image, write_png
from clipdraw.raster import rasterize


def rates(drawing: Drawing) -> list[tuple[Tensor, float]]:
    """Each tensor that may move with its step: about half a percent of its usual extent."""
    unit = 0.005 * min(drawing.canvas.width, drawing.canvas.height)
    found = [(drawing.points, unit), (drawing.widths, 0.2 * unit), (drawing.colors, 0.02), (drawing.background, 0.01)]
    found += [] if drawing.fills is None else [(drawing.fills, 0.02)]
    found += [] if drawing.transforms is None else [(drawing.transforms, 0.001)]
    for gradient in drawing.gradients:
        found += [(gradient.geometry, unit), (gradient.radius, unit), (gradient.colors, 0.02)]
    return found


def limit(drawing: Drawing) -> None:
    """Widths of 0 or more, colors in [0, 1]."""
    paints = [drawing.colors, drawing.background, *(gradient.colors for gradient in drawing.gradients)]
    with torch.no_grad():
        drawing.widths.clamp_(min=0)
        for paint in [*paints, *([] if drawing.fills is None else [drawing.fills])]:
            paint.clamp_(0, 1)


def refine(drawing: Drawing, picture: Tensor, *, steps: int) -> tuple[Drawing, float, float]:
    """The drawing that looks more like the picture, and the mean squared error before and after.

    Args:
        drawing: where to start.
        picture: 3 x height x width, of the canvas's proportions.
        steps: of Adam.
    """
    drawing = drawing.detached()
    groups = [{"params": [tensor.requires_grad_()], "lr": rate} for tensor, rate in rates(drawing) if tensor.numel()]
    optimizer = torch.optim.Adam(groups)
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
        limit(drawing)
    return drawing.detached(), before, float(loss().detach())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("svg", type=Path)
    parser.add_argument("picture", type=Path, help="any common picture file; it is stretched to the drawing's shape")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--size", type=int, default=256, help="of the image that is compared: its shorter side")
    parser.add_argument("--out", type=Path, default=Path("refined.svg"), help="a PNG goes beside it")
    options = parser.parse_args()
    drawing = Drawing.load(options.svg)
    scale = options.size / min(drawing.canvas.width, drawing.canvas.height)
    size = [max(1, round(scale * side)) for side in (drawing.canvas.height, drawing.canvas.width)]
    picture = functional.interpolate(read_image(options.picture)[None], size=size, mode="area")[0]
    began = time.perf_counter()
    drawing, before, after = refine(drawing, picture, steps=options.steps)
    print(f"mean squared error {before:.5f} before, {after:.5f} after {time.perf_counter() - began:.0f} s")
    write_png(rasterize(drawing, height=2 * size[0], width=2 * size[1]), options.out.with_suffix(".png"))
    drawing.save(options.out)
    print(options.out)


if __name__ == "__main__":
    main()
