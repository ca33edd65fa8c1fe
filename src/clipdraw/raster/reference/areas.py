"""The exact area of each pixel of a tile that outlines wind around, in plain PyTorch.

The area is found from detached places; its gradient is that of the boundary: where an edge of the painted region
moves by (x, y), the area on its right grows by dx y - dy x for each step (dx, dy) along it.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clipdraw.raster.constants import BORDER, EVENODD, MOST_CHORDS, ROUNDINGS, SAME, SINGLE, TILT

_ROOM = 1 << 21
"""Numbers in the largest intermediate result."""


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


def tile_coverage(
    ends: Float[Tensor, "edges 2 2"], slot: Int[Tensor, " edges"], rule: Int[Tensor, " slots"], box: Box
) -> Float[Tensor, "slots rows columns"]:
    """What layers cover of the pixels of a tile.

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
        chords = _chords(ends.detach(), box)
        place = ends.detach()[chords.edge]
        fall = (chords.span[:, 1] - chords.span[:, 0]) * (place[:, 1, 1] - place[:, 0, 1])
        steps = ends.new_zeros(len(rule), rows, columns + 1)
        steps.index_put_((slot[chords.edge], chords.row - box.top, chords.column - box.left + 1), fall, accumulate=True)
        integral = steps.cumsum(2)[:, :, :columns]
        covered = _inside(integral.round().long(), rule[:, None, None]).to(ends.dtype)
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


def _chords(ends: Float[Tensor, "edges 2 2"], box: Box) -> Chords:
    """Cut edges at the sides of pixels."""
    high, low = ends[:, :, 1].amax(1), ends[:, :, 1].amin(1)
    first = low.floor().clamp(box.top, box.bottom).long()
    last = high.floor().clamp(box.top - 1, box.bottom - 1).long()
    counts = (last - first + 1).clamp(min=0)
    edge, number = _expand(counts)
    row = first[edge] + number
    span = _cut(ends[edge], row, axis=1)
    x = ends[edge, 0, 0, None] + span * (ends[edge, 1, 0] - ends[edge, 0, 0])[:, None]
    first = x.amin(1).floor().clamp(box.left - 1, box.right).long()
    last = x.amax(1).floor().clamp(box.left - 1, box.right - 1).long()
    pair, number = _expand((last - first + 1).clamp(min=0))
    edge, row, column = edge[pair], row[pair], first[pair] + number
    own = _cut(ends[edge], column, axis=0, open_below=column < box.left)
    span = torch.stack((torch.maximum(span[pair, 0], own[:, 0]), torch.minimum(span[pair, 1], own[:, 1])), dim=1)
    kept = (span[:, 1] - span[:, 0]) * (ends[edge, 1] - ends[edge, 0]).abs().amax(1) > _same(ends)
    return Chords(edge[kept], row[kept], column[kept], span[kept])


def _without_doubtful(
    ends: Tensor, chords: Chords, counts: Int[Tensor, " fragments"]
) -> tuple[Chords, Int[Tensor, " fragments"]]:
    """Chords in the order of their pixels, and how many each has, without those along tops and bottoms of pixels that
    have too many: rounding must not decide, which puts them above or below.
    """
    place, near = ends[chords.edge, :, 1], _same(ends)
    y = place[:, :1] + chords.span * (place[:, 1:] - place[:, :1]) - chords.row[:, None]
    along = (y.abs() < near).all(1) | ((1 - y).abs() < near).all(1)
    owner = torch.repeat_interleave(counts)
    kept = ~(along & (counts > MOST_CHORDS)[owner])
    return Chords(*(part[kept] for part in chords)), torch.bincount(owner[kept], minlength=len(counts))


def _expand(counts: Int[Tensor, " n"]) -> tuple[Int[Tensor, " all"], Int[Tensor, " all"]]:
    """For each of so many: whose it is, and which of them."""
    owner = torch.repeat_interleave(counts)
    return owner, torch.arange(len(owner), device=counts.device) - (counts.cumsum(0) - counts)[owner]


def _cut(ends: Tensor, cell: Tensor, *, axis: int, open_below: Tensor | None = None) -> Float[Tensor, "n 2"]:
    """The part of each edge that is in a row or column."""
    start, along = ends[:, 0, axis], ends[:, 1, axis] - ends[:, 0, axis]
    level = along == 0
    divisor = torch.where(level, 1, along)
    sides = torch.stack((cell - start, cell + 1 - start), dim=1) / divisor[:, None]
    if open_below is not None:
        sides[:, 0] = torch.where(open_below, torch.where(along > 0, -torch.inf, torch.inf), sides[:, 0])
    low, high = sides.amin(1), sides.amax(1)
    inside = (
        (start.floor() == cell) if open_below is None else (start.floor() == cell) | (open_below & (start < cell + 1))
    )
    low, high = torch.where(level, 0, low), torch.where(level, inside.to(low.dtype), high)
    return torch.stack((low.clamp(min=0), high.clamp(max=1)), dim=1)


def _fragment_areas(
    ends: Float[Tensor, "edges 2 2"],
    chords: Chords,
    counts: Int[Tensor, " fragments"],
    integral: Float[Tensor, " fragments"],
    rule: Int[Tensor, " fragments"],
) -> Float[Tensor, " fragments"]:
    """Areas of the pixels that edges go through; chords are in the order of their pixels."""
    begin = counts.cumsum(0) - counts
    with torch.no_grad():
        area = torch.zeros_like(integral)
        share = ends.new_zeros(len(chords.edge), 2)
        size = 1
        while size < 2 * MOST_CHORDS:
            fits = counts <= size if size == 1 else (counts <= size) & (counts > size // 2)
            if size == MOST_CHORDS:
                crowded = counts > size
                _add_up(ends.detach(), chords, crowded, counts, integral, rule, area, share)
            for some in fits.nonzero()[:, 0].split(max(1, _ROOM // (size**2 * (size + 1)))):
                member = begin[some, None] + torch.arange(size, device=begin.device)
                valid = torch.arange(size, device=begin.device) < counts[some, None]
                member = member.clamp(max=len(chords.edge) - 1)
                found = _Overlap(_places(ends.detach(), chords, member, valid), integral[some], rule[some])
                area[some] = found.area
                share[member[valid]] = _edge_shares(chords.span[member], found.shares)[valid]
            size *= 2
        owner = torch.repeat_interleave(counts)
        along = ends.detach()[chords.edge, 1] - ends.detach()[chords.edge, 0]
        across = torch.stack((-along[:, 1], along[:, 0]), dim=1)  # the area's gradient, for each share
    moved = (ends[chords.edge] * share[:, :, None]).sum(1)
    return area + _only_gradient(torch.zeros_like(area).index_add(0, owner, (moved * across).sum(1)))


def _only_gradient(value: Tensor) -> Tensor:
    return value - value.detach()


def _add_up(
    ends: Tensor, chords: Chords, chosen: Tensor, counts: Tensor, integral: Tensor, rule: Tensor, area: Tensor,
    share: Tensor,
) -> None:  # fmt: skip
    """Areas of pixels with too many edges: their windings, added up and limited."""
    owner = torch.repeat_interleave(counts)
    mine = chosen[owner]
    place, span = ends[chords.edge], chords.span
    along = place[:, 1] - place[:, 0]
    middle = place[:, 0, 0] + span.mean(1) * along[:, 0] - chords.column
    right = (span[:, 1] - span[:, 0]) * along[:, 1] * (1 - middle)
    total = integral.index_add(0, owner, right)
    phase = total - 2 * (total / 2).floor()
    fold, fold_slope = torch.where(phase < 1, phase, 2 - phase), torch.where(phase < 1, 1.0, -1.0)
    clamp_slope = torch.where(total.abs() >= 1, 0.0, torch.where(total >= 0, 1.0, -1.0))
    slope = torch.where(rule == EVENODD, fold_slope, clamp_slope)
    area[chosen] = torch.where(rule == EVENODD, fold, total.abs().clamp(max=1))[chosen]
    length, mean = span[:, 1] - span[:, 0], span.mean(1)
    shares = (slope[owner] * length)[:, None] * torch.stack((1 - mean, mean), dim=1)
    share[mine] = shares[mine].to(share.dtype)


def _places(ends: Tensor, chords: Chords, member: Tensor, valid: Tensor) -> Float[Tensor, "fragments n 4"]:
    """The chords of some pixels, from the pixel's corner; those that are none have no length and border on nothing."""
    place, span = ends[chords.edge[member]], chords.span[member]
    corner = torch.stack((chords.column[member], chords.row[member]), dim=-1)
    along = place[..., 1, :] - place[..., 0, :]
    ended = (span == span.new_tensor((0, 1)))[..., None]
    points = torch.where(ended, place, place[..., 0, None, :] + span[..., None] * along[..., None, :])
    points = points - corner[..., None, :]
    rounding = ROUNDINGS * torch.finfo(place.dtype).eps * (place[..., 0, 0].abs() + along[..., 0].abs())
    border = BORDER if points.dtype == torch.float64 else SINGLE
    x = torch.where(points[..., 0] < border + torch.where(ended[..., 0], 0, rounding[..., None]), 0, points[..., 0])
    points = torch.stack((x, points[..., 1]), dim=-1).clamp(0, 1)
    return torch.where(valid[..., None, None], points, 0.5).flatten(2)


def _edge_shares(span: Float[Tensor, "fragments n 2"], shares: Float[Tensor, "fragments n 2"]) -> Tensor:
    """From integrals along chords to those along edges."""
    length, whole = span[..., 1] - span[..., 0], shares.sum(-1)
    second = length * (span[..., 0] * whole + length * shares[..., 1])
    return torch.stack((length * whole - second, second), dim=-1)


def _inside(winding: Tensor, rule: Tensor) -> Bool[Tensor, "*batch"]:
    """Whether what winds so often is painted."""
    return torch.where(rule == EVENODD, winding % 2 == 1, winding != 0)


class _Overlap:
    """The painted area of pixels in which outlines may overlap.

    Each chord is cut where others cross it; each part is a boundary if only one of its sides is painted.

    Args:
        chords: x0, y0, x1, y1 from the pixel's corner.
        integral: of the winding number along the pixel's left side.
        rule: how it is painted.
    """

    def __init__(
        self,
        chords: Float[Tensor, "fragments n 4"],
        integral: Float[Tensor, " fragments"],
        rule: Int[Tensor, " fragments"],
    ) -> None:
        self.first, self.last, self.rule = chords[..., :2], chords[..., 2:], rule
        self.along = self.last - self.first
        y = torch.cat((self.first[..., 1], self.last[..., 1]), dim=1)
        borders = torch.cat((self.first[..., 0] <= 0, self.last[..., 0] <= 0), dim=1)
        sign = torch.ones_like(y)
        sign[:, : y.shape[1] // 2] = -1  # one that comes in: above, the left side lies beyond the outline
        self.events, self.signs = y, torch.where(borders, sign, 0)
        self.corner = (integral - (self.signs * (1 - y)).sum(1)).round()
        area = self._border()
        begin, end = self._cuts()
        length, middle = end - begin, (begin + end) / 2
        point = self.first[:, :, None] + middle[..., None] * self.along[:, :, None]
        point = torch.stack((point[..., 0].clamp(min=_same(point) / 2), point[..., 1]), dim=-1)
        ray = point[..., 0] * torch.where(point[..., 1] < 0.5, TILT, -TILT)
        before = self.corner[:, None, None] + self._winding(point, ray)
        y = self.along[..., 1, None]
        step = torch.where(y * point[..., 0] + self.along[..., 0, None] * ray > 0, 1.0, -1.0)
        rule = rule[:, None, None]
        one, two = _inside(before.long(), rule), _inside((before + step).long(), rule)
        signed = torch.where(one == two, 0, torch.where(two, step, -step)) * length
        self.shares = torch.stack(((signed * (1 - middle)).sum(2), (signed * middle).sum(2)), dim=-1)
        self.area = (area + (signed * y * (1 - point[..., 0])).sum((1, 2))).clamp(0, 1)

    def _border(self) -> Float[Tensor, " fragments"]:
        """The painted length of the left side."""
        y = torch.where(self.signs != 0, self.events, 0)
        ends = torch.cat((torch.zeros_like(y[:, :1]), y, torch.ones_like(y[:, :1])), dim=1).sort(1).values
        middle = (ends[:, 1:] + ends[:, :-1]) / 2
        winding = self.corner[:, None] + self._border_winding(middle)
        return (ends.diff(dim=1) * _inside(winding.long(), self.rule[:, None])).sum(1)

    def _border_winding(self, y: Float[Tensor, "fragments places"]) -> Float[Tensor, "fragments places"]:
        """How much the winding number on the left side has changed from the corner down to y, and at y."""
        return ((self.events[:, None] <= y[..., None]) * self.signs[:, None]).sum(2)

    def _cuts(self) -> tuple[Float[Tensor, "fragments n parts"], Float[Tensor, "fragments n parts"]]:
        """Where the parts of each chord begin and end: where others cross it or end on it."""
        away, away_last = (place[:, None] - self.first[:, :, None] for place in (self.first, self.last))
        along = self.along[:, :, None]
        one, two = _cross(along, away), _cross(along, away_last)
        other = self.along[:, None]
        three, four = _cross(other, away), _cross(other, away - along)
        crossed = ((one > 0) != (two > 0)) & ((three > 0) != (four > 0))
        place = torch.where(crossed, three / torch.where(crossed, three - four, 1), 1)
        squares = self.along.square().sum(2)
        square = squares[:, :, None]
        near = _same(squares) ** 2
        ended, ended_last = one.square() < near * square, two.square() < near * square
        met = torch.minimum(three.square(), four.square()) < near * squares[:, None]
        square = torch.where(square > 0, square, 1)
        at, at_last = (((part * along).sum(-1) / square).clamp(0, 1) for part in (away, away_last))
        place = torch.where(ended, at, torch.where(ended_last, at_last, torch.where(met, 1, place)))
        both = ended & ended_last
        if both.any():
            place = torch.cat((place, torch.where(both, at_last, 1)), dim=2)
        place = place.sort(2).values
        edge = torch.zeros_like(place[:, :, :1])
        return torch.cat((edge, place), dim=2), torch.cat((place, edge + 1), dim=2)

    def _winding(
        self, point: Float[Tensor, "fragments n parts 2"], ray: Float[Tensor, "fragments n parts"]
    ) -> Float[Tensor, "fragments n parts"]:
        """The change of the winding number from the corner to each point, down the left side and along a ray."""
        count = point.shape[1]
        border = point[..., 1] + ray
        total = self._border_winding(border.flatten(1)).reshape(border.shape)
        first, last = self.first[:, None, None], self.last[:, None, None]
        x, y, slope = point[..., 0, None], border[..., None], -ray[..., None]
        below = [x * (place[..., 1] - y) - slope * place[..., 0] > 0 for place in (first, last)]
        cross = _cross(self.along[:, None, None], point[..., None, :] - first)
        index = torch.arange(count, device=point.device)
        earlier = (index < index[:, None])[:, None]
        near = cross.square() < _same(cross) ** 2 * self.along.square().sum(2)[:, None, None]
        beyond = torch.where(near, earlier, (cross < 0) == below[1])
        itself = (index == index[:, None])[:, None]
        counted = (below[0] != below[1]) & beyond & ~itself
        return total + torch.where(counted, torch.where(below[1], 1.0, -1.0), 0).sum(3)


def _same(like: Tensor) -> float:
    """`SAME`, in the precision of geometry."""
    return SAME if like.dtype == torch.float64 else SINGLE


def _cross(one: Float[Tensor, "*#batch 2"], two: Float[Tensor, "*#batch 2"]) -> Float[Tensor, "*batch"]:
    return one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
