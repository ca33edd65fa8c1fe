"""Pictures of scenes: drawings painted, placed into their boxes and composited, a batch at a time."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from training.data import blurred_along, paint_named
from training.scenes import Box

SIZE = 64
"""Height and width of composed pictures, in pixels."""
_SMALL = 0.55  # boxes below this share of the canvas are read from a halved drawing, which does not alias


def painted(picture: UInt8[np.ndarray, "height width 4"], color: str, generator: np.random.Generator) -> np.ndarray:
    """A drawing in shades of a named color: its dark lines stay dark, its lightest parts light.

    A drawing in one paint takes the color alone.
    """
    paint = np.array([0.97, 0.97, 0.95]) if color == "white" else paint_named(color, generator).reshape(3)
    ink = picture[..., 3] > 32
    tone = picture[..., :3].astype(np.float32).mean(-1) / 255.0
    out = picture.copy()
    if not ink.any() or tone[ink].max() < 0.05:
        out[..., :3] = (255 * paint).astype(np.uint8)
        return out
    middle = np.median(tone[ink])
    shade = np.clip(tone / max(middle, 0.2), 0.0, 1.35)[..., None]
    shade = np.maximum(shade, 0.45) if color in ("white", "gray") else np.maximum(shade, 0.15)
    color_of = np.clip(paint * shade, 0, 1)
    light = np.clip((tone - max(0.93, middle + 0.1)) * 12, 0, 0.85)[..., None]
    out[..., :3] = (255 * (color_of * (1 - light) + light)).astype(np.uint8)
    return out


def placed(
    pictures: UInt8[np.ndarray, "layers 64 64 4"], boxes: list[Box], flips: np.ndarray, generator: np.random.Generator
) -> Float[Tensor, "layers 4 64 64"]:
    """Premultiplied pictures on an empty canvas, each in its box, slightly turned."""
    straight = torch.from_numpy(pictures).float().permute(0, 3, 1, 2) / 255.0
    rgba = torch.cat([straight[:, :3] * straight[:, 3:], straight[:, 3:]], 1)
    sizes = torch.tensor([box.size for box in boxes], dtype=torch.float32)
    centers = torch.tensor([(box.x, box.y) for box in boxes]) * 2 - 1
    matrices = _matrices(centers, sizes, torch.from_numpy(flips), generator)
    out = torch.empty(len(boxes), 4, SIZE, SIZE)
    small = sizes < _SMALL
    for chosen, halve in ((~small, False), (small, True)):
        if chosen.any():
            source = rgba[chosen].unflatten(3, (-1, 2)).mean(4).unflatten(2, (-1, 2)).mean(3) if halve else rgba[chosen]
            grid = functional.affine_grid(matrices[chosen], [len(source), 4, SIZE, SIZE], align_corners=False)
            soft = 0.5 * source + 0.5 * blurred_along(blurred_along(source, 2), 3)
            out[chosen] = functional.grid_sample(soft, grid, padding_mode="zeros", align_corners=False)
    return out


def _matrices(centers: Tensor, sizes: Tensor, flips: Tensor, generator: np.random.Generator) -> Tensor:
    """From canvas to picture coordinates (layers, 2, 3)."""
    count = len(sizes)
    angle = torch.from_numpy(generator.normal(0, 0.05, count)).float()
    stretch = torch.from_numpy(np.exp(generator.normal(0, 0.04, count))).float()
    sign = 1.0 - 2.0 * flips.float()
    cos, sin = torch.cos(angle) / sizes, torch.sin(angle) / sizes
    linear = torch.stack([torch.stack([sign * cos * stretch, sign * -sin], 1), torch.stack([sin, cos / stretch], 1)], 1)
    offset = -(linear @ centers.float()[:, :, None])
    return torch.cat([linear, offset], 2)


def composited(layers: Float[Tensor, "layers 4 size size"], owners: list[int], count: int) -> Tensor:
    """Pictures (count, 4, size, size): the layers of each over one another, in their order."""
    out = torch.zeros(count, *layers.shape[1:])
    for layer, owner in zip(layers, owners, strict=True):
        out[owner] = layer + out[owner] * (1 - layer[3:])
    return out


def on_backgrounds(rgba: Float[Tensor, "count 4 size size"], generator: np.random.Generator) -> Tensor:
    """Pictures (count, 3, size, size) on white for two thirds, else on a pale color or a soft gradient."""
    count = len(rgba)
    kind = torch.from_numpy(generator.random((count, 1, 1, 1))).float()
    pale = 1 - 0.4 * torch.from_numpy(generator.random((count, 3, 1, 1))).float()
    ends = 1 - 0.4 * torch.from_numpy(generator.random((count, 3, 2, 1))).float()
    sloped = functional.interpolate(ends, size=rgba.shape[2:], mode="bilinear")
    background = torch.where(kind < 0.66, torch.ones(()), torch.where(kind < 0.85, pale, sloped))
    return (rgba[:, :3] + (1 - rgba[:, 3:]) * background).clamp(0, 1)
