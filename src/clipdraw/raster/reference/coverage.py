"""The exact area of each pixel of a tile that outlines wind around: the definition that `kernels/coverage.c` follows.

The area is found from detached places; its gradient is that of the boundary: where an edge of the painted region
moves by (x, y), the area on its right grows by dx y - dy x for each step (dx, dy) along it.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.raster.constants import BORDER, EVENODD, MOST_CHORDS, SINGLE
from clipdraw.raster.reference.chords import Box, Chords, find_chords, rounding_px
from clipdraw.raster.reference.overlap_area import OverlapArea, is_inside, same

_ROOM = 1 << 21
"""Numbers in the largest intermediate result."""


def coverage(
    ends: Float[Tensor, "edges 2 2"], slot: Int[Tensor, " edges"], rule: Int[Tensor, " slots"], box: Box
) -> Float[Tensor, "slots rows columns"]:
    """The coverage of the pixels of a tile by layers.

    Args:
        ends: start and end of each edge, in pixels; closed outlines, but for what cannot touch the tile's rows or
            is right of it.
        slot: the layer of each edge.
        rule: how each layer is painted.
        box: the tile.

    Differentiable in the ends.
    """
    rows, columns = box.shape
    with torch.no_grad():
        chords = find_chords(ends.detach(), box)
        place = ends.detach()[chords.edge]
        fall = (chords.span[:, 1] - chords.span[:, 0]) * (place[:, 1, 1] - place[:, 0, 1])
        steps = ends.new_zeros(len(rule), rows, columns + 1)
        steps.index_put_((slot[chords.edge], chords.row - box.top, chords.column - box.left + 1), fall, accumulate=True)
        integral = steps.cumsum(2)[:, :, :columns]
        covered = is_inside(integral.round().long(), rule[:, None, None]).to(ends.dtype)
        within = chords.column >= box.left
        chords = Chords(*(part[within] for part in chords))
    if not len(chords.edge):
        return covered
    key = ((slot[chords.edge] * rows + chords.row - box.top) * columns) + chords.column - box.left
    order = torch.argsort(key, stable=True)
    fragment, counts = torch.unique_consecutive(key[order], return_counts=True)
    chords, counts = _without_doubtful(ends.detach(), Chords(*(part[order] for part in chords)), counts)
    area = _fragment_areas(ends, chords, counts, integral.flatten()[fragment], rule[fragment // (rows * columns)])
    return covered.flatten().index_put((fragment,), area).reshape(covered.shape)


def _without_doubtful(
    ends: Tensor, chords: Chords, counts: Int[Tensor, " fragments"]
) -> tuple[Chords, Int[Tensor, " fragments"]]:
    """Chords in the order of their pixels, and how many each has, without those along tops and bottoms of pixels that
    have too many: rounding must not decide, which puts them above or below.
    """
    place, near = ends[chords.edge, :, 1], same(ends)
    y = place[:, :1] + chords.span * (place[:, 1:] - place[:, :1]) - chords.row[:, None]
    along = (y.abs() < near).all(1) | ((1 - y).abs() < near).all(1)
    owner = torch.repeat_interleave(counts)
    kept = ~(along & (counts > MOST_CHORDS)[owner])
    return Chords(*(part[kept] for part in chords)), torch.bincount(owner[kept], minlength=len(counts))


def _fragment_areas(
    ends: Float[Tensor, "edges 2 2"],
    chords: Chords,
    counts: Int[Tensor, " fragments"],
    integral: Float[Tensor, " fragments"],
    rule: Int[Tensor, " fragments"],
) -> Float[Tensor, " fragments"]:
    """Areas of the pixels that edges go through; chords are in the order of their pixels."""
    owner = torch.repeat_interleave(counts)  # chords
    with torch.no_grad():
        area, weights = _summed_areas(ends.detach(), chords, owner, integral, rule)  # fragments; chords x 2
        begin, size = counts.cumsum(0) - counts, 1
        while size <= MOST_CHORDS:
            fits = (counts <= size) & (counts > size // 2) if size > 1 else counts <= size
            for some in fits.nonzero()[:, 0].split(max(1, _ROOM // (size**2 * (size + 1)))):
                member = begin[some, None] + torch.arange(size, device=begin.device)  # some x size
                valid = torch.arange(size, device=begin.device) < counts[some, None]
                member = member.clamp(max=len(chords.edge) - 1)
                found = OverlapArea(_places(ends.detach(), chords, member, valid), integral[some], rule[some])
                area[some] = found.area
                weights[member[valid]] = _weigh_edges(chords.span[member], found.edge_weights)[valid]
            size *= 2
        along = ends.detach()[chords.edge, 1] - ends.detach()[chords.edge, 0]
        across = torch.stack((-along[:, 1], along[:, 0]), dim=1)  # chords x 2: the area's gradient, for each weight
    moved = (ends[chords.edge] * weights[:, :, None]).sum(1)  # chords x 2
    return area + _only_gradient(torch.zeros_like(area).index_add(0, owner, (moved * across).sum(1)))


def _only_gradient(value: Tensor) -> Tensor:
    return value - value.detach()


def _summed_areas(
    ends: Float[Tensor, "edges 2 2"],
    chords: Chords,
    owner: Int[Tensor, " chords"],
    integral: Float[Tensor, " fragments"],
    rule: Int[Tensor, " fragments"],
) -> tuple[Float[Tensor, " fragments"], Float[Tensor, "chords 2"]]:
    """Areas of pixels by their winding numbers, summed and limited, and the weights of their chords' edges.

    Exact only where no edges overlap; kept for pixels with too many edges.
    """
    place, span = ends[chords.edge], chords.span
    along = place[:, 1] - place[:, 0]
    middle = place[:, 0, 0] + span.mean(1) * along[:, 0] - chords.column
    right = (span[:, 1] - span[:, 0]) * along[:, 1] * (1 - middle)  # chords: the area to the right of each
    total = integral.index_add(0, owner, right)
    phase = total - 2 * (total / 2).floor()
    fold, fold_slope = torch.where(phase < 1, phase, 2 - phase), torch.where(phase < 1, 1.0, -1.0)
    clamp_slope = torch.where(total.abs() >= 1, 0.0, torch.where(total >= 0, 1.0, -1.0))
    slope = torch.where(rule == EVENODD, fold_slope, clamp_slope)
    area = torch.where(rule == EVENODD, fold, total.abs().clamp(max=1))
    length, mean = span[:, 1] - span[:, 0], span.mean(1)
    weights = (slope[owner] * length)[:, None] * torch.stack((1 - mean, mean), dim=1)
    return area, weights.to(ends.dtype)


def _places(ends: Tensor, chords: Chords, member: Tensor, valid: Tensor) -> Float[Tensor, "fragments n 4"]:
    """The chords of some pixels, from the pixel's corner; those that are none have no length and border on nothing."""
    place, span = ends[chords.edge[member]], chords.span[member]
    corner = torch.stack((chords.column[member], chords.row[member]), dim=-1)
    along = place[..., 1, :] - place[..., 0, :]
    ended = (span == span.new_tensor((0, 1)))[..., None]
    points = torch.where(ended, place, place[..., 0, None, :] + span[..., None] * along[..., None, :])
    points = points - corner[..., None, :]
    rounding = rounding_px(place)
    border = BORDER if points.dtype == torch.float64 else SINGLE
    x = torch.where(points[..., 0] < border + torch.where(ended[..., 0], 0, rounding[..., None]), 0, points[..., 0])
    points = torch.stack((x, points[..., 1]), dim=-1).clamp(0, 1)
    return torch.where(valid[..., None, None], points, 0.5).flatten(2)


def _weigh_edges(span: Float[Tensor, "fragments n 2"], weights: Float[Tensor, "fragments n 2"]) -> Tensor:
    """From integrals along chords to those along edges."""
    length, whole = span[..., 1] - span[..., 0], weights.sum(-1)
    second = length * (span[..., 0] * whole + length * weights[..., 1])
    return torch.stack((length * whole - second, second), dim=-1)
