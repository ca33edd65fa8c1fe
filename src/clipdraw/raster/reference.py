"""The definition of how a drawing is rasterized, in plain PyTorch: any device, float32 or float64.

A stroke is the union of the round-capped, round-joined straight pieces of its flattened segments.
At each pixel only the nearest piece counts, so a stroke that crosses itself isn't painted twice.
The pixel's coverage is the exact area of its unit square inside a strip of half width r, at the
signed distance d of the square's center from the strip's axis, with the axis normal n:

    coverage = F(r - d; n) - F(-r - d; n)

Beside a piece the strip is the piece, prolonged; past its end, the tangent to the disc around the end.

That is exact along straight edges and good along bent ones, and wrong where a pixel sees more than
one straight edge: at caps, sharp turns, and where the stroke goes out of the pixel's reach and comes
back. Partly covered pixels there are split into `SPLIT` x `SPLIT` smaller squares, each treated in
the same way.
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

SPLIT = 2
"""Into how many rows and columns a pixel near a cap, a corner or a hairpin is split."""

SPLIT_FROM = 1e-3
"""Pixels covered by less than this, or by 1 less this or more, are not split."""

SHARP_TURN = 0.4
"""A turn of the polyline is sharp from about this angle, in radians (compared by its chord, 2 sin(angle / 2))."""

SHARP_BEND = 0.35
"""A turn is sharp as well from this bend, in radians per pixel of the two pieces' mean length."""

SHARP_REACH_PX = 1.5
"""Pixels are split up to a sharp turn's stroke radius plus this, along the piece."""

NEAR_PX2 = 1e-6
"""Squared distance from a vertex below which the direction away from it is taken as constant."""


class Pieces(NamedTuple):
    """Straight pieces in stroke order, in pixels."""

    ends: Float[Tensor, "pieces 2 2"]
    stroke: Int[Tensor, " pieces"]
    sharp: Bool[Tensor, "pieces 2"]
    """Whether the start, the end, is a cap or a sharp turn."""
    radius: Float[Tensor, " pieces"]


class Fragments(NamedTuple):
    """A stroke at a pixel, each within a tile."""

    pixel: Int[Tensor, " fragments"]
    slot: Int[Tensor, " fragments"]
    """The stroke, counted among those of the tile."""
    nearest: Int[Tensor, " fragments"]
    """Its nearest piece, counted among those of the tile."""
    gap: Bool[Tensor, " fragments"]
    """Whether the stroke goes out of the pixel's reach and comes back."""


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
    # where nothing is in view, gradients are 0 and not missing
    background = drawing.background + sum(leaf[:0].sum() for leaf in drawing.parameters())
    tensors = (*pieces, drawing.colors, background)
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
    center: Float[Tensor, "fragments 2"], ends: Float[Tensor, "fragments 2 2"], radius: Float[Tensor, " fragments"]
) -> Float[Tensor, " fragments"]:
    """The fraction of a unit square that a straight piece covers.

    Args:
        center: the square's center.
        ends: start and end of the piece.
        radius: half the stroke width, 0 or more.

    Differentiable in all three.
    """
    along, offset = ends[:, 1] - ends[:, 0], center - ends[:, 0]
    square, dot = _dot(along, along), _dot(along, offset)
    beside = (dot > 0) & (dot < square)
    normal = along.flip(-1) * along.new_tensor((-1, 1)) / _root(square, beside)[:, None]

    last = (dot >= square) & (square > 0)
    offset_end = center - torch.where(last[:, None], ends[:, 1], ends[:, 0])
    square_end = _dot(offset_end, offset_end)
    away = square_end > NEAR_PX2
    root = _root(square_end, away)
    direction = torch.where(away[:, None], offset_end / root[:, None], along.new_tensor((1, 0)))

    distance = torch.where(beside, _dot(normal, offset), torch.where(away, root, 0 * root))
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
    return Pieces(ends, stroke[owner], _sharp(ends.detach(), owner, stroke, first), radii[stroke[owner]])


def _sharp(
    ends: Float[Tensor, "pieces 2 2"],
    owner: Int[Tensor, " pieces"],
    stroke: Int[Tensor, " cubics"],
    first: Int[Tensor, " edges"],
) -> Bool[Tensor, "pieces 2"]:
    """Whether each piece's start and end is a cap or a sharp turn."""
    along = ends[:, 1] - ends[:, 0]
    length = _dot(along, along).sqrt()
    before = slice(None, -1)
    chord = 2 * (length[before] * length[1:] - _dot(along[before], along[1:]))
    limit = (SHARP_BEND / 2 * (length[before] + length[1:])).clamp(max=SHARP_TURN)
    turns = chord >= limit.square() * length[before] * length[1:]
    joined = stroke[owner][before] == stroke[owner][1:]
    turns, changes = turns & joined, owner[1:] != owner[:-1]
    edge = torch.ones(1, dtype=torch.bool, device=ends.device)[: len(owner)]
    starts = torch.cat((edge, changes)) & (first[stroke[owner]] == owner)
    stops = torch.cat((changes, edge)) & (first[1:][stroke[owner]] - 1 == owner)
    return torch.stack((starts | torch.cat((~edge, turns)), stops | torch.cat((turns, ~edge))), dim=1)


def _tile(
    box: tuple[int, int, int, int],
    ends: Float[Tensor, "pieces 2 2"],
    stroke: Int[Tensor, " pieces"],
    sharp: Bool[Tensor, "pieces 2"],
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
    ids, slot = torch.unique_consecutive(stroke[touching], return_inverse=True)
    near = Pieces(ends[touching], slot, sharp[touching], radius[touching])
    found = _nearest(center, near, touching, len(ids))
    alpha = _coverage(center[found.pixel], near, found) * colors[ids[found.slot], 3]
    alpha = alpha.new_zeros(len(center), len(ids)).index_put((found.pixel, found.slot), alpha)
    return composite(alpha, colors[ids, :3], background).T.reshape(3, rows, columns)


def _coverage(center: Float[Tensor, "fragments 2"], near: Pieces, found: Fragments) -> Float[Tensor, " fragments"]:
    """Coverage of each fragment, those at sharp places by the mean of their parts."""
    coverage = piece_coverage(center, near.ends[found.nearest], near.radius[found.nearest])
    chosen = _to_split(center, near, found, coverage.detach()).nonzero()[:, 0]
    if not len(chosen):
        return coverage
    step = (torch.arange(SPLIT, device=center.device) + 0.5) / SPLIT - 0.5
    parts = (center[chosen, None] + torch.cartesian_prod(step, step).to(center.dtype)).reshape(-1, 2)
    owner = found.slot[chosen].repeat_interleave(SPLIT**2)
    piece = torch.cat([_nearest_of(*batch, near) for batch in zip(parts.split(4096), owner.split(4096), strict=True)])
    fine = piece_coverage(SPLIT * parts, SPLIT * near.ends[piece], SPLIT * near.radius[piece])
    return coverage.index_put((chosen,), fine.reshape(-1, SPLIT**2).mean(1))


@torch.no_grad()
def _to_split(
    center: Float[Tensor, "fragments 2"], near: Pieces, found: Fragments, coverage: Float[Tensor, " fragments"]
) -> Bool[Tensor, " fragments"]:
    start, end = near.ends[found.nearest].unbind(1)
    length = _dot(end - start, end - start).sqrt()
    along = _dot(center - start, end - start) / torch.where(length > 0, length, 1)
    from_ends = torch.stack((along, length - along), dim=1)
    beside = ((along > 0) & (along < length))[:, None]
    at_end = torch.stack(((along < length) | (length == 0), (along >= length) & (length > 0)), dim=1)
    close = torch.where(beside, from_ends < (near.radius[found.nearest] + SHARP_REACH_PX)[:, None], at_end)
    wanted = found.gap | (close & near.sharp[found.nearest]).any(1)
    return wanted & (coverage > SPLIT_FROM) & (coverage < 1 - SPLIT_FROM)


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
def _nearest(center: Float[Tensor, "pixels 2"], near: Pieces, number: Int[Tensor, " pieces"], slots: int) -> Fragments:
    """The nearest piece of each stroke at each pixel within its reach, the first of equals."""
    distance = _square_distance(center, near.ends)
    inside = distance < (near.radius + REACH_PX).square()
    distance = torch.where(inside, distance, torch.inf)
    where, shape, none = near.stroke.expand(len(center), -1), (len(center), slots), int(number[-1]) + 1
    least = distance.new_full(shape, torch.inf).scatter_reduce(1, where, distance, "amin")
    place = torch.arange(len(number), device=center.device).expand_as(where)
    best = torch.where(distance == least.gather(1, where), place, len(number))
    best = number.new_full(shape, len(number)).scatter_reduce(1, where, best, "amin")
    first = number.new_full(shape, none).scatter_reduce(1, where, torch.where(inside, number, none), "amin")
    last = number.new_full(shape, -1).scatter_reduce(1, where, torch.where(inside, number, -1), "amax")
    count = number.new_zeros(shape).scatter_add(1, where, inside.long())
    pixel, slot = least.isfinite().nonzero(as_tuple=True)
    gap = (last - first + 1 > count)[pixel, slot]
    return Fragments(pixel, slot, best[pixel, slot], gap)


@torch.no_grad()
def _nearest_of(center: Float[Tensor, "parts 2"], slot: Int[Tensor, " parts"], near: Pieces) -> Int[Tensor, " parts"]:
    """The nearest piece of one stroke at each place."""
    other = slot[:, None] != near.stroke
    return _square_distance(center, near.ends).masked_fill(other, torch.inf).argmin(1)


def _square_distance(
    center: Float[Tensor, "places 2"], ends: Float[Tensor, "pieces 2 2"]
) -> Float[Tensor, "places pieces"]:
    along = ends[:, 1] - ends[:, 0]
    offset = center[:, None] - ends[:, 0]
    square = _dot(along, along)
    t = (_dot(offset, along) / torch.where(square > 0, square, 1)).clamp(0, 1)
    return (offset - t[..., None] * along).square().sum(-1)
