"""Outlines to chords, the parts of edges in single pixels: the definition that `kernels/chords.c` follows."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.raster.constants import ROUNDINGS
from clipdraw.raster.reference.overlap_area import same


class Box(NamedTuple):
    """A tile, in pixels."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left


class Chords(NamedTuple):
    """Parts of edges in single pixels."""

    edge: Int[Tensor, " chords"]
    row: Int[Tensor, " chords"]
    column: Int[Tensor, " chords"]
    """One before the tile's first for all that is left of it."""
    span: Float[Tensor, "chords 2"]
    """Where on the edge each begins and ends, from 0 to 1."""


def find_chords(ends: Float[Tensor, "edges 2 2"], box: Box) -> Chords:
    """Cut edges at the sides of pixels."""
    high, low = ends[:, :, 1].amax(1), ends[:, :, 1].amin(1)
    first = low.floor().clamp(box.top, box.bottom).long()
    last = high.floor().clamp(box.top - 1, box.bottom - 1).long()
    counts = (last - first + 1).clamp(min=0)
    edge, number = _expand(counts)
    row = first[edge] + number
    span = _cut(ends[edge], row, axis=1)
    x = ends[edge, 0, 0, None] + span * (ends[edge, 1, 0] - ends[edge, 0, 0])[:, None]
    rounding = rounding_px(ends[edge])  # the cuts alone decide in which of two columns a chord is
    first = (x.amin(1) - rounding).floor().clamp(box.left - 1, box.right).long()
    last = (x.amax(1) + rounding).floor().clamp(box.left - 1, box.right - 1).long()
    pair, number = _expand((last - first + 1).clamp(min=0))
    edge, row, column = edge[pair], row[pair], first[pair] + number
    own = _cut(ends[edge], column, axis=0, open_below=column < box.left)
    span = torch.stack((torch.maximum(span[pair, 0], own[:, 0]), torch.minimum(span[pair, 1], own[:, 1])), dim=1)
    kept = (span[:, 1] - span[:, 0]) * (ends[edge, 1] - ends[edge, 0]).abs().amax(1) > same(ends)
    return Chords(edge[kept], row[kept], column[kept], span[kept])


def rounding_px(ends: Float[Tensor, "*batch 2 2"]) -> Float[Tensor, "*batch"]:
    """How far the x of places within edges may be off."""
    start, end = ends[..., 0].unbind(-1)
    return ROUNDINGS * torch.finfo(ends.dtype).eps * (start.abs() + (end - start).abs())


def _expand(counts: Int[Tensor, " n"]) -> tuple[Int[Tensor, " all"], Int[Tensor, " all"]]:
    """For each of so many: whose it is, and which of them."""
    owner = torch.repeat_interleave(counts)
    return owner, torch.arange(len(owner), device=counts.device) - (counts.cumsum(0) - counts)[owner]


def _cut(ends: Tensor, pixel: Tensor, *, axis: int, open_below: Tensor | None = None) -> Float[Tensor, "n 2"]:
    """The part of each edge that is in a row or column."""
    start, along = ends[:, 0, axis], ends[:, 1, axis] - ends[:, 0, axis]
    level = along == 0
    divisor = torch.where(level, 1, along)
    sides = torch.stack((pixel - start, pixel + 1 - start), dim=1) / divisor[:, None]
    if open_below is not None:
        sides[:, 0] = torch.where(open_below, torch.where(along > 0, -torch.inf, torch.inf), sides[:, 0])
    low, high = sides.amin(1), sides.amax(1)
    inside = start.floor() == pixel
    if open_below is not None:
        inside |= open_below & (start < pixel + 1)
    low, high = torch.where(level, 0, low), torch.where(level, inside.to(low.dtype), high)
    return torch.stack((low.clamp(min=0), high.clamp(max=1)), dim=1)
