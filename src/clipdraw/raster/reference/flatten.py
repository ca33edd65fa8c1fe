"""Segments to polylines."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clipdraw.bezier import TOLERANCE, piece_counts
from clipdraw.bezier import flatten as flatten_cubics
from clipdraw.raster.batch import Batch
from clipdraw.raster.constants import AT_SIDES, CAPS, FARTHEST_PX, IN_THIN, JOINS, SHORTEST_PX, STROKE, THIN_PX


class Polylines(NamedTuple):
    """Flattened subpaths, in the coordinates of their paths."""

    vertex: Float[Tensor, "vertices 2"]
    subpath: Int[Tensor, " vertices"]
    corner: Bool[Tensor, " vertices"]
    """Whether a segment begins or ends there."""
    ending: Int[Tensor, " vertices"]
    """The segment that ends there, the last one where a subpath begins; -1 for none."""
    beginning: Int[Tensor, " vertices"]
    """The segment that begins there, the last one where a subpath ends; -1 for none."""


def sound_paths(batch: Batch, cubics: Int[Tensor, "cubics 4"], path: Int[Tensor, " cubics"]) -> Bool[Tensor, " paths"]:
    """Whether all numbers of each path are finite and none reaches beyond `FARTHEST_PX`."""
    points, matrix = batch.points.detach()[cubics], batch.matrices.detach()
    place = points @ matrix[path, :, :2].transpose(1, 2) + matrix[path, None, :, 2]
    near = (place.abs() <= FARTHEST_PX).all(2).all(1)  # false for NaN
    bad = torch.zeros_like(batch.radii, dtype=torch.long).index_add(0, path, (~near).long())
    return (bad == 0) & (batch.radii.detach() * matrix[:, :, :2].abs().amax((1, 2)) <= FARTHEST_PX)


def flatten(batch: Batch, cubics: Float[Tensor, "segments 4 2"], index: dict[str, Tensor]) -> Polylines:
    """The polylines of all subpaths."""
    subpath = torch.repeat_interleave(index["first_cubic"].diff())
    first = torch.zeros(len(cubics), dtype=torch.long, device=cubics.device)
    first[index["first_cubic"][:-1]] = 1
    counts = _piece_counts(batch, cubics, index)
    points = counts + first
    owner = torch.repeat_interleave(points)
    begin = points.cumsum(0) - points
    step = torch.arange(len(owner), device=owner.device) - begin[owner] + 1 - first[owner]
    vertex = flatten_cubics(cubics[owner], step.to(cubics.dtype), counts[owner].to(cubics.dtype))
    ending = torch.where(step == counts[owner], owner, -1)
    beginning = torch.where(step == counts[owner], owner + 1, -1)
    first, last = (index["first_cubic"][subpath[owner] + k] - k for k in (0, 1))
    ending = torch.where(step == 0, last, ending)
    beginning = torch.where(step == 0, first, beginning.minimum(last))
    return Polylines(vertex, subpath[owner], ending >= 0, ending, beginning)


@torch.no_grad()
def _piece_counts(
    batch: Batch, cubics: Float[Tensor, "cubics 4 2"], index: dict[str, Tensor]
) -> Int[Tensor, " cubics"]:
    """How finely each segment is flattened: one out of sight not at all, thin strokes and what a side cuts finer."""
    path, radii, matrices = index["path"], batch.radii.nan_to_num(), batch.matrices.nan_to_num()
    matrix = matrices[path]
    place = cubics @ matrix[:, :, :2].transpose(1, 2) + matrix[:, None, :, 2]
    low, high = torch.aminmax(place, dim=1)
    extent = place.new_tensor((batch.size[1], batch.size[0]))
    reach = (radii * _stretch(matrices) * _widest(index))[path, None]
    seen = ((high + reach + 1 > 0) & (low - reach - 1 < extent)).all(1)
    layer_path, rule = index["layers"].unbind(1)
    thin = torch.zeros_like(radii, dtype=torch.bool)
    thin[layer_path[rule == STROKE]] = True
    thin &= 2 * radii * pixels_per_unit(matrices) < THIN_PX
    cut = [(low < side - SHORTEST_PX) & (high > side + SHORTEST_PX) for side in (torch.zeros_like(extent), extent)]
    counts = piece_counts(place, tolerance=TOLERANCE)
    for chosen, fraction in ((cut[0] | cut[1]).any(1), AT_SIDES), (thin[path], IN_THIN):
        counts = torch.where(chosen, piece_counts(place, tolerance=TOLERANCE * fraction), counts)
    return torch.where(seen, counts, 1)


def pixels_per_unit(matrices: Float[Tensor, "paths 2 3"]) -> Float[Tensor, " paths"]:
    """Pixels per unit: the root of how much larger the matrices make areas."""
    return (matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]).abs().sqrt()


def _stretch(matrices: Float[Tensor, "paths 2 3"]) -> Float[Tensor, " paths"]:
    """How much longer the matrices make things, at most."""
    return 2**0.5 * matrices[:, :, :2].square().sum(1).amax(1).sqrt()


def _widest(index: dict[str, Tensor]) -> Tensor:
    cap, join, limit = index["pens"].unbind(1)
    square = torch.where(cap == CAPS["square"], 1.5, 1.0)
    return torch.where(join == JOINS["miter"], limit.clamp(min=1.5), square).float()
