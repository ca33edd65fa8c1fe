"""From canvas units to pixels."""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.raster.constants import FLATTEST, STEEPEST


def pixels_per_unit(drawing: Drawing, height: int, width: int) -> tuple[float, float]:
    """Pixels per canvas unit, across and down; they differ only where sizes were rounded."""
    return width / drawing.canvas.width, height / drawing.canvas.height


def exact_dtype(device: torch.device) -> torch.dtype:
    """The precision of geometry: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


@lru_cache(maxsize=32)
def _scaling(across: float, down: float, dtype: torch.dtype, device: torch.device) -> Float[Tensor, "3 3"]:
    """From canvas units to pixels; shared, so not to be written to."""
    return torch.tensor([[across, 0, 0], [0, down, 0], [0, 0, 1]], dtype=dtype, device=device)


@lru_cache(maxsize=4)
def _scalings(
    across: float, down: float, dtype: torch.dtype, device: torch.device, count: int
) -> Float[Tensor, "count 2 3"]:
    """The same for many paths, without the last row."""
    return _scaling(across, down, dtype, device)[:2].repeat(count, 1, 1)


def matrices_px(drawing: Drawing, height: int, width: int) -> Float[Tensor, "paths 2 3"]:
    """The matrices from the coordinates of each path to pixels, in `exact_dtype`; NaN for paths that paint nothing.

    That is if a number is beyond `STEEPEST`, or if the matrix makes a line or a point of everything.

    Differentiable in `drawing.transforms`.
    """
    device, dtype = drawing.points.device, exact_dtype(drawing.points.device)
    stretch = pixels_per_unit(drawing, height, width)
    if drawing.transforms is None or not any(style.transforms for style in drawing.styles):
        return _scalings(*stretch, dtype, device, len(drawing))
    scale = _scaling(*stretch, dtype, device)
    last = torch.tensor([[0.0, 0.0, 1.0]], dtype=dtype, device=device)
    sound = (drawing.transforms.detach().abs() <= STEEPEST).all(2).all(1)  # false for NaN
    transforms = torch.where(sound[:, None, None], drawing.transforms, 0).to(dtype)  # which makes all things flat
    square = torch.cat((transforms, last.expand(len(transforms), 1, 3)), dim=1)
    chains: dict[tuple[int, ...], Tensor] = {(): scale}
    for style in drawing.styles:
        for depth in range(1, len(style.transforms) + 1):
            chain = style.transforms[:depth]
            if chain not in chains:
                chains[chain] = chains[chain[:-1]] @ square[chain[-1]]
    matrices = torch.stack([chains[style.transforms] for style in drawing.styles])[:, :2]
    known, linear = matrices.detach(), matrices.detach()[:, :, :2]
    area = (linear[:, 0, 0] * linear[:, 1, 1] - linear[:, 0, 1] * linear[:, 1, 0]).abs()
    kept = (known.abs() <= STEEPEST).all(2).all(1) & (area > FLATTEST * linear.square().sum((1, 2)))
    return torch.where(kept[:, None, None], matrices, torch.nan)
