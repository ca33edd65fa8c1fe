"""The definition of how a drawing is rasterized, in plain PyTorch: any device, float32 or float64.

A stroke is the union of the round-capped, round-joined straight pieces of its flattened segments.
At each pixel only the nearest piece counts, so a stroke that crosses itself isn't painted twice.
The pixel's coverage is the exact area of its unit square inside a strip of half width r, at the
signed distance d of the square's center from the strip's axis, with the axis normal n:

    coverage = F(r - d; n) - F(-r - d; n)

Beside a piece the strip is the piece, prolonged. Beyond a piece's end it is the tangent to the
disc around the end, and at the stroke's own ends d is lengthened to sqrt(d^2 + 1/12): the
variance of a unit square along the tangent, which makes up for the disc's curvature
(the disc's total area becomes exact: pi (r^2 - 1/12) inside d' = r, + pi / 12 by the smoothing).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from clipdraw.drawing import Drawing
from clipdraw.geometry import flatten
from clipdraw.raster.plan import REACH_PX, cubics_px, pixels_per_unit, radii_px, segment_index, visible_counts

TILE_PX = 32
"""Pixels are worked off in squares of this side, which bounds the memory."""

ROUND_VARIANCE = 1 / 12
"""Square pixels: variance of a unit square along any direction."""

NEAR_PX2 = 1e-6
"""Squared distance from a vertex below which the direction away from it is taken as constant."""


class Pieces(NamedTuple):
    """Straight pieces in stroke order, in pixels."""

    ends: Float[Tensor, "pieces 2 2"]
    stroke: Int[Tensor, " pieces"]
    caps: Bool[Tensor, "pieces 2"]
    """Whether the start, the end, is an end of the stroke."""
    radius: Float[Tensor, " pieces"]


def rasterize(drawing: Drawing, height: int, width: int) -> Float[Tensor, "3 height width"]:
    """The image of a drawing; see `clipdraw.rasterize`.

    Deterministic on a CPU; on a GPU the order of gradient sums may vary.

    Args:
        drawing: what to rasterize, on any device.
        height: rows of pixels.
        width: columns of pixels.

    Differentiable in points, widths, colors and background; not in the choice of the nearest piece.
    """
    pieces = _pieces(drawing, height, width)
    tensors = (*pieces, drawing.colors, drawing.background)
    rows = []
    for top in range(0, height, TILE_PX):
        bottom = min(top + TILE_PX, height)
        boxes = [(top, left, bottom, min(left + TILE_PX, width)) for left in range(0, width, TILE_PX)]
        tiles = [checkpoint(_tile, box, *tensors, use_reentrant=False, preserve_rng_state=False) for box in boxes]
        rows.append(torch.cat(tiles, dim=2))
    return torch.cat(rows, dim=1)


def half_plane_area(distance: Float[Tensor, "*batch"], normal: Float[Tensor, "*#batch 2"]) -> Float[Tensor, "*batch"]:
    """The exact area of a unit square on the inner side of a straight line: F(s; n).

    Args:
        distance: signed distance s of the line from the square's center, positive where the center is inside.
        normal: unit normal n of the line.

    Differentiable in both.
    """
    size = normal.abs()
    long, short = size.amax(-1), size.amin(-1)
    half, flat, away = (long + short) / 2, (long - short) / 2, distance.abs()
    corner = torch.minimum((half - away).clamp(min=0), short)
    area = corner.square() / (2 * (long * short).clamp(min=1e-12))
    ends = torch.where(distance < 0, area, 1 - area)
    return torch.where(away <= flat, 0.5 + distance / long, ends)


def strip_area(
    distance: Float[Tensor, "*batch"], normal: Float[Tensor, "*#batch 2"], radius: Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    """The exact area of a unit square within an endless straight strip.

    Args:
        distance: signed distance of the square's center from the strip's axis.
        normal: unit normal of the axis.
        radius: half the strip's width, 0 or more.

    Differentiable in all three.
    """
    return half_plane_area(radius - distance, normal) - half_plane_area(-radius - distance, normal)


def piece_coverage(
    center: Float[Tensor, "fragments 2"],
    ends: Float[Tensor, "fragments 2 2"],
    caps: Bool[Tensor, "fragments 2"],
    radius: Float[Tensor, " fragments"],
) -> Float[Tensor, " fragments"]:
    """The fraction of a pixel that a straight piece covers.

    Args:
        center: the pixel's center.
        ends: start and end of the piece.
        caps: whether the start, the end, is an end of the stroke.
        radius: half the stroke width, 0 or more.

    Differentiable in all that are real.
    """
    along, offset = ends[:, 1] - ends[:, 0], center - ends[:, 0]
    square, dot = _dot(along, along), _dot(along, offset)
    beside = (dot > 0) & (dot < square)
    normal = along.flip(-1) * along.new_tensor((-1, 1)) / _root(square, beside)[:, None]

    last = dot >= square
    last = last & (square > 0)
    offset_end = center - torch.where(last[:, None], ends[:, 1], ends[:, 0])
    square_end = _dot(offset_end, offset_end)
    away = square_end > NEAR_PX2
    root = _root(square_end, away)
    direction = torch.where(away[:, None], offset_end / root[:, None], along.new_tensor((1, 0)))
    cap = torch.where(last, caps[:, 1], caps[:, 0])
    rounded = torch.where(cap, (square_end + ROUND_VARIANCE).sqrt(), torch.where(away, root, 0 * root))

    distance = torch.where(beside, _dot(normal, offset), rounded)
    return strip_area(distance, torch.where(beside[:, None], normal, direction), radius)


def _dot(one: Float[Tensor, "*#batch 2"], two: Float[Tensor, "*#batch 2"]) -> Float[Tensor, "*batch"]:
    return (one * two).sum(-1)


def _root(square: Float[Tensor, "*batch"], valid: Bool[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """Square roots where valid, else 1: neither values nor gradients turn infinite."""
    return torch.where(valid, square, 1).sqrt()


def _pieces(drawing: Drawing, height: int, width: int) -> Pieces:
    scale, index = pixels_per_unit(drawing, height, width), segment_index(drawing.segments)
    device = drawing.points.device
    stroke, first = (torch.from_numpy(part).to(device) for part in (index.stroke, index.first_cubic))
    cubics, radii = cubics_px(drawing, scale), radii_px(drawing, scale)
    counts = visible_counts(cubics, radii[stroke], size=(height, width))
    ends, owner = flatten(cubics, counts)
    changes = torch.ones(1, dtype=torch.bool, device=device)
    new = torch.cat((changes, owner[1:] != owner[:-1])) if len(owner) else changes[:0]
    starts = new & (first[stroke[owner]] == owner)
    stops = new.roll(-1) & (first[1:][stroke[owner]] - 1 == owner)
    return Pieces(ends, stroke[owner], torch.stack((starts, stops), dim=1), radii[stroke[owner]])


def _tile(
    box: tuple[int, int, int, int],
    ends: Float[Tensor, "pieces 2 2"],
    stroke: Int[Tensor, " pieces"],
    caps: Bool[Tensor, "pieces 2"],
    radius: Float[Tensor, " pieces"],
    colors: Float[Tensor, "strokes 4"],
    background: Float[Tensor, " 3"],
) -> Float[Tensor, "3 rows columns"]:
    top, left, bottom, right = box
    rows, columns = bottom - top, right - left
    touching = _touching(box, ends, radius)
    if not len(touching):
        return background[:, None, None].expand(3, rows, columns)
    center = torch.cartesian_prod(*(torch.arange(*span, device=ends.device) for span in ((top, bottom), (left, right))))
    center = center.flip(-1).to(ends.dtype) + 0.5
    ids, local = torch.unique_consecutive(stroke[touching], return_inverse=True)
    pixel, slot, nearest = _nearest(center, ends[touching].detach(), radius[touching].detach(), local, len(ids))
    chosen = touching[nearest]
    coverage = piece_coverage(center[pixel], ends[chosen], caps[chosen], radius[chosen])
    alpha = coverage * colors[ids[slot], 3]
    alpha = alpha.new_zeros(len(center), len(ids)).index_put((pixel, slot), alpha)
    return composite(alpha, colors[ids, :3], background).T.reshape(3, rows, columns)


def composite(
    alpha: Float[Tensor, "pixels strokes"], colors: Float[Tensor, "strokes 3"], background: Float[Tensor, " 3"]
) -> Float[Tensor, "pixels 3"]:
    """Source-over, back to front, over an opaque background.

    Args:
        alpha: coverage times opacity, straight.
        colors: red, green, blue of each stroke.
        background: red, green, blue.

    Differentiable in all three, at alpha 1 too.
    """
    above = (1 - alpha).flip(1).cumprod(1).flip(1)
    through = torch.cat((above[:, 1:], torch.ones_like(above[:, :1])), dim=1)
    return (alpha * through) @ colors + above[:, :1] * background


def _touching(
    box: tuple[int, int, int, int], ends: Float[Tensor, "pieces 2 2"], radius: Float[Tensor, " pieces"]
) -> Int[Tensor, " touching"]:
    top, left, bottom, right = box
    low, high = torch.aminmax(ends.detach(), dim=1)
    reach = radius.detach()[:, None] + REACH_PX
    inside = (low - reach < ends.new_tensor((right, bottom))) & (high + reach > ends.new_tensor((left, top)))
    return inside.all(dim=1).nonzero()[:, 0]


@torch.no_grad()
def _nearest(
    center: Float[Tensor, "pixels 2"],
    ends: Float[Tensor, "pieces 2 2"],
    radius: Float[Tensor, " pieces"],
    slot: Int[Tensor, " pieces"],
    slots: int,
) -> tuple[Int[Tensor, " fragments"], Int[Tensor, " fragments"], Int[Tensor, " fragments"]]:
    """The nearest piece of each stroke at each pixel within its reach, the first of equals."""
    along = ends[:, 1] - ends[:, 0]
    offset = center[:, None] - ends[:, 0]
    square = _dot(along, along)
    t = (_dot(offset, along) / torch.where(square > 0, square, 1)).clamp(0, 1)
    distance = (offset - t[..., None] * along).square().sum(-1)
    distance = torch.where(distance < (radius + REACH_PX).square(), distance, torch.inf)
    where = slot.expand(len(center), -1)
    least = distance.new_full((len(center), slots), torch.inf).scatter_reduce(1, where, distance, "amin")
    number = torch.arange(len(slot), device=slot.device).expand_as(where)
    number = torch.where(distance == least.gather(1, where), number, len(slot))
    first = number.new_full(least.shape, len(slot)).scatter_reduce(1, where, number, "amin")
    pixel, stroke = least.isfinite().nonzero(as_tuple=True)
    return pixel, stroke, first[pixel, stroke]
