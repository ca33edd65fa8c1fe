"""The definition of how drawings are rasterized, in plain PyTorch: any device, float32 or float64.

Every layer, a fill or a stroke, is an outline of straight edges (`outlines`). Its coverage of a pixel is the exact area
that its outline winds around (`coverage`). Layers are composited back to front (`composite`).
"""

from __future__ import annotations

from math import isqrt

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from clipdraw.raster.batch import Batch
from clipdraw.raster.reference.chords import Box
from clipdraw.raster.reference.composite import apply_group_opacity, paints
from clipdraw.raster.reference.composite import composite as composite_layers  # not to hide the module of that name
from clipdraw.raster.reference.coverage import coverage as coverage_of
from clipdraw.raster.reference.outlines import Outlines, build_outlines

TILES_PX = 64, 256
"""Pixels are worked off in squares, which bounds the memory: of a side between these, a power of two."""
ROOM_ON_CPU, ROOM_ELSEWHERE = 1 << 22, 1 << 24
"""Layers times pixels in a tile. Larger tiles take fewer operations and more arithmetic: 256 strokes at 224 take 6,700
in one tile and 81,000 in tiles of 64 pixels, which a graphics processor would spend its time on."""
DRAWINGS_AT_ONCE = 16
"""Most drawings of a batch that are worked off at once."""


def rasterize(batch: Batch) -> Float[Tensor, "drawings 3 height width"]:
    """The images of a batch of drawings; see `clipdraw.rasterize`.

    Deterministic on a CPU; on a GPU the order of gradient sums may vary.

    Args:
        batch: what to rasterize, on any device.

    Differentiable in everything in the batch; not in how finely curves are flattened.
    """
    height, width = batch.size
    requires_grad = torch.from_numpy(batch.geometry_requires_grad).to(batch.points.device)
    found = build_outlines(batch)
    path = torch.from_numpy(batch.index.layers[:, 0]).to(requires_grad.device)[found.layer]
    ends = torch.where(requires_grad[path][:, None, None], found.ends, found.ends.detach())
    # where nothing is in view, gradients are 0 and not missing
    nothing = sum(tensor.reshape(-1)[:0].sum().to(batch.points.dtype) for tensor in (*batch.tensors(), batch.matrices))
    page = torch.from_numpy(batch.drawing_index).to(requires_grad.device)[found.layer]
    images = []
    for first in range(0, len(batch.background), DRAWINGS_AT_ONCE):
        group = range(first, min(first + DRAWINGS_AT_ONCE, len(batch.background)))
        mine = (page >= group.start) & (page < group.stop)
        edges, rows = Outlines(ends[mine], found.layer[mine]), []
        side = _tile_px(batch, group)
        for top in range(0, height, side):
            boxes = [Box(top, left, min(top + side, height), min(left + side, width)) for left in range(0, width, side)]
            rows.append(torch.cat([_tile(batch, edges, group, box) for box in boxes], dim=3))
        images.append(torch.cat(rows, dim=2))
    return torch.cat(images) + nothing


def _tile_px(batch: Batch, group: range) -> int:
    """The side of the tiles for some drawings."""
    layers = int(np.isin(batch.drawing_index, group).sum())
    room = ROOM_ON_CPU if batch.points.device.type == "cpu" else ROOM_ELSEWHERE
    fits = isqrt(room // max(1, layers))
    return min(max(1 << max(fits.bit_length() - 1, 0), TILES_PX[0]), TILES_PX[1])


def _tile(batch: Batch, found: Outlines, group: range, box: Box) -> Float[Tensor, "pages 3 rows columns"]:
    """One tile of some drawings."""
    behind = batch.background[group.start : group.stop]
    if behind.shape[2:] != (1, 1):
        behind = behind[:, :, box.top : box.bottom, box.left : box.right]
    behind = behind.expand(len(group), 3, *box.shape)
    near = _near(found, box, len(batch.index.layers))
    if not len(near):
        return behind
    layers, slot = torch.unique(found.layer[near], return_inverse=True)
    arguments = batch, box, found.ends[near], slot, layers, group, behind
    return checkpoint(_painted, *arguments, use_reentrant=False, preserve_rng_state=False)


def _painted(
    batch: Batch, box: Box, ends: Tensor, slot: Tensor, layers: Tensor, group: range, behind: Tensor
) -> Float[Tensor, "pages 3 rows columns"]:
    """A tile's layers composited."""
    rule = torch.from_numpy(batch.index.layers[:, 1]).to(ends.device)[layers]
    covered_by = coverage_of(ends, slot, rule, box).flatten(1).to(batch.points.dtype)
    numbers = layers.tolist()
    counts = np.bincount(batch.drawing_index[numbers] - group.start, minlength=len(group)).tolist()
    pages = []
    for mine, covered, below in zip(layers.split(counts), covered_by.split(counts), behind.flatten(2), strict=True):
        alpha, colors = paints(batch, mine, covered, box)
        pages.append(composite_layers(apply_group_opacity(batch, mine, alpha), colors, below) if len(mine) else below)
    return torch.stack(pages).reshape(behind.shape)


@torch.no_grad()
def _near(found: Outlines, box: Box, layers: int) -> Int[Tensor, " near"]:
    """The edges that matter in a tile: of layers that reach it, all those in its rows that are not right of it."""
    ends = found.ends
    if not len(ends):
        return found.layer
    low, high = torch.aminmax(ends, dim=1)
    left = ends.new_full((layers,), torch.inf).scatter_reduce(0, found.layer, low[:, 0], "amin")
    right = ends.new_full((layers,), -torch.inf).scatter_reduce(0, found.layer, high[:, 0], "amax")
    reached: Bool[Tensor, " layers"] = (left < box.right) & (right > box.left)
    kept = (low[:, 1] < box.bottom) & (high[:, 1] > box.top) & (low[:, 0] < box.right)
    return (kept & reached[found.layer]).nonzero()[:, 0]
