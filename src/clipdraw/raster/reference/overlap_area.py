"""The exact area, within one pixel, that outlines wind around: the definition that `kernels/overlap_area.c` follows."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clipdraw.raster.constants import EVENODD, SAME, SINGLE, TILT


def is_inside(winding: Tensor, rule: Tensor) -> Bool[Tensor, "*batch"]:
    """Whether winding numbers are inside under the fill rule."""
    return torch.where(rule == EVENODD, winding % 2 == 1, winding != 0)


class OverlapArea:
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
        point = torch.stack((point[..., 0].clamp(min=same(point) / 2), point[..., 1]), dim=-1)
        ray = point[..., 0] * torch.where(point[..., 1] < 0.5, TILT, -TILT)
        before = self.corner[:, None, None] + self._winding(point, ray)
        y = self.along[..., 1, None]
        step = torch.where(y * point[..., 0] + self.along[..., 0, None] * ray > 0, 1.0, -1.0)
        rule = rule[:, None, None]
        one, two = is_inside(before.long(), rule), is_inside((before + step).long(), rule)
        signed = torch.where(one == two, 0, torch.where(two, step, -step)) * length
        self.edge_weights = torch.stack(((signed * (1 - middle)).sum(2), (signed * middle).sum(2)), dim=-1)
        self.area = (area + (signed * y * (1 - point[..., 0])).sum((1, 2))).clamp(0, 1)

    def _border(self) -> Float[Tensor, " fragments"]:
        """The painted length of the left side."""
        y = torch.where(self.signs != 0, self.events, 0)
        ends = torch.cat((torch.zeros_like(y[:, :1]), y, torch.ones_like(y[:, :1])), dim=1).sort(1).values
        middle = (ends[:, 1:] + ends[:, :-1]) / 2
        winding = self.corner[:, None] + self._border_winding(middle)
        return (ends.diff(dim=1) * is_inside(winding.long(), self.rule[:, None])).sum(1)

    def _border_winding(self, y: Float[Tensor, "fragments places"]) -> Float[Tensor, "fragments places"]:
        """How much the winding number on the left side has changed from the corner down to y, and at y."""
        return ((self.events[:, None] <= y[..., None]) * self.signs[:, None]).sum(2)

    def _cuts(self) -> tuple[Float[Tensor, "fragments n parts"], Float[Tensor, "fragments n parts"]]:
        """Where the parts of each chord begin and end: where others cross it or end on it."""
        away, away_last = (place[:, None] - self.first[:, :, None] for place in (self.first, self.last))
        along = self.along[:, :, None]
        one, two = cross(along, away), cross(along, away_last)
        other = self.along[:, None]
        three, four = cross(other, away), cross(other, away - along)
        crossed = ((one > 0) != (two > 0)) & ((three > 0) != (four > 0))
        place = torch.where(crossed, three / torch.where(crossed, three - four, 1), 1)
        squares = self.along.square().sum(2)
        square = squares[:, :, None]
        near = same(squares) ** 2
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
        side = cross(self.along[:, None, None], point[..., None, :] - first)
        index = torch.arange(count, device=point.device)
        earlier = (index < index[:, None])[:, None]
        near = side.square() < same(side) ** 2 * self.along.square().sum(2)[:, None, None]
        beyond = torch.where(near, earlier, (side < 0) == below[1])
        itself = (index == index[:, None])[:, None]
        counted = (below[0] != below[1]) & beyond & ~itself
        return total + torch.where(counted, torch.where(below[1], 1.0, -1.0), 0).sum(3)


def same(like: Tensor) -> float:
    """`SAME`, in the precision of geometry."""
    return SAME if like.dtype == torch.float64 else SINGLE


def cross(one: Float[Tensor, "*#batch 2"], two: Float[Tensor, "*#batch 2"]) -> Float[Tensor, "*batch"]:
    """The cross product of vectors in the plane."""
    return one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
