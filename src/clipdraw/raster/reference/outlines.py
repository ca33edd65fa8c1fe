"""Layers to the outlines that are filled: the definition that `kernels/outlines.c` follows."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clipdraw.raster.batch import Batch
from clipdraw.raster.constants import STROKE
from clipdraw.raster.reference.flatten import Polylines, flatten, sound_paths
from clipdraw.raster.reference.outline_strokes import outline_strokes


class Outlines(NamedTuple):
    """Edges of all layers, in pixels."""

    ends: Float[Tensor, "edges 2 2"]
    layer: Int[Tensor, " edges"]


def build_outlines(batch: Batch) -> Outlines:
    """The outlines of all layers of a batch.

    Paths with a number that isn't finite have none, nor have those that reach beyond `FARTHEST_PX`.

    Differentiable in points, radii and matrices; not in how finely curves are flattened.
    """
    device = batch.points.device
    if not len(batch.index.cubics):
        return Outlines(batch.points.new_zeros(0, 2, 2), torch.zeros(0, dtype=torch.long, device=device))
    index = {name: torch.from_numpy(part).to(device) for name, part in batch.index._asdict().items()}
    batch = replace(batch, points=batch.points.to(batch.matrices.dtype), radii=batch.radii.to(batch.matrices.dtype))
    sound = sound_paths(batch, index["cubics"], index["path"])
    cubics = torch.where(sound[index["path"], None, None], batch.points[index["cubics"]], 0)
    lines = flatten(batch, cubics, index)
    path_of_subpath = torch.repeat_interleave(index["first_subpath"].diff())
    layer_path, rule = index["layers"].unbind(1)
    parts = []
    filled = (rule != STROKE) & sound[layer_path]
    parts.append(_outline_fills(lines, path_of_subpath, layer_path, filled))
    stroked = torch.full((len(batch.radii),), -1, device=device)
    chosen = ((rule == STROKE) & sound[layer_path] & (batch.radii.detach()[layer_path] > 0)).nonzero()[:, 0]
    stroked[layer_path[chosen]] = chosen
    parts.extend(outline_strokes(batch, cubics, lines, index, path_of_subpath, stroked))
    ends, layer = (torch.cat(some) for some in zip(*parts, strict=True))
    matrix = batch.matrices[layer_path[layer]]
    ends = ends @ matrix[:, :, :2].transpose(1, 2) + matrix[:, None, :, 2]
    return Outlines(ends, layer)


def _outline_fills(
    lines: Polylines, path_of_subpath: Tensor, layer_path: Tensor, filled: Bool[Tensor, " layers"]
) -> tuple[Tensor, Tensor]:
    """Every polyline, closed, once for each fill of its path."""
    count = len(lines.subpath)
    following = torch.arange(1, count + 1, device=lines.subpath.device)
    last = torch.ones_like(lines.corner)
    last[:-1] = lines.subpath[1:] != lines.subpath[:-1]
    begins = torch.nonzero(torch.cat((last.new_ones(1), last[:-1])))[:, 0]
    following[last] = begins
    layer_of = torch.full((int(path_of_subpath.max()) + 1,), -1, device=following.device)
    chosen = filled.nonzero()[:, 0]
    layer_of[layer_path[chosen]] = chosen
    layer = layer_of[path_of_subpath[lines.subpath]]
    kept = layer >= 0
    ends = torch.stack((lines.vertex, lines.vertex[following]), dim=1)
    return ends[kept], layer[kept]
