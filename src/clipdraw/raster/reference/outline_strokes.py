"""Polylines to the outlines of strokes: the definition that `kernels/outline_strokes.c` follows.

An outline is built piece by piece: two sides, joins, caps. Where the bend is gentle both sides share a mitered vertex
with the next piece; elsewhere the inner side goes through the pivot itself, so that no winding number is ever negative
and the union of all parts is where it isn't 0.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clipdraw.raster.batch import Batch
from clipdraw.raster.constants import CAPS, JOINS, SHORTEST_PX
from clipdraw.raster.reference.flatten import Polylines, pixels_per_unit
from clipdraw.raster.reference.stroke_parts import Joins, Pens, Pieces, caps, cross, dots, sides


def outline_strokes(
    batch: Batch,
    cubics: Float[Tensor, "cubics 4 2"],
    lines: Polylines,
    index: dict[str, Tensor],
    path_of_subpath: Tensor,
    stroked: Int[Tensor, " paths"],
) -> list[tuple[Tensor, Tensor]]:
    """Sides, joins and caps of all stroked subpaths."""
    dtype = batch.points.dtype
    cap, join, limit = index["pens"].unbind(1)
    pens = Pens(batch.radii, pixels_per_unit(batch.matrices.detach()), cap.long(), join.long(), limit.to(dtype))
    lines = _without_short_pieces(lines, pens.scale[path_of_subpath], stroked[path_of_subpath] >= 0)
    if not len(lines.subpath):
        return []
    path = path_of_subpath[lines.subpath]
    same = lines.subpath[1:] == lines.subpath[:-1]
    count = torch.bincount(lines.subpath, minlength=len(path_of_subpath)) - 1
    ring = (index["closed"] > 0) & (count > 1)
    pieces = _measure_pieces(lines, same.nonzero()[:, 0], pens.of(path), cubics, ring[lines.subpath])
    number = torch.full((len(path) + 1,), -1, device=path.device)
    number[pieces.begin] = torch.arange(len(pieces.begin), device=path.device)
    starts = torch.ones_like(path, dtype=torch.bool)
    starts[1:] = ~same
    first_vertex = starts.nonzero()[:, 0]
    last_vertex = torch.cat((first_vertex[1:], torch.tensor([len(path)], device=path.device))) - 1
    alone = first_vertex == last_vertex
    edges = [dots(lines, pens.of(path), first_vertex[alone])]
    open_first, open_last = (v[~alone & ~ring[lines.subpath[first_vertex]]] for v in (first_vertex, last_vertex))
    for vertex, piece, end in ((open_first, number[open_first], -1), (open_last, number[open_last - 1], 1)):
        edges.append(caps(lines, pieces, pens.of(path[vertex]), vertex, piece, end))
    ringed = first_vertex[~alone & ring[lines.subpath[first_vertex]]]
    ring_last = last_vertex[~alone & ring[lines.subpath[first_vertex]]]
    inner = (~starts).clone()
    inner[last_vertex] = False
    stem = torch.cat((inner.nonzero()[:, 0], ringed))
    before = torch.cat((number[inner.nonzero()[:, 0] - 1], number[ring_last - 1]))
    joins = Joins(lines, pieces, pens.of(path[stem]), stem, before, number[stem])
    edges += joins.edges()
    edges += sides(lines, pieces, pens.of(path[pieces.begin]), joins)
    return [(ends, stroked[path[vertex]]) for ends, vertex in edges]


def _without_short_pieces(lines: Polylines, scale: Tensor, wanted: Bool[Tensor, " subpaths"]) -> Polylines:
    """The polylines of some subpaths, without pieces too short to have a direction.

    A vertex is left out if it isn't far enough from the one before that is kept; if it was a corner, that is one then.
    The last one takes the place of those that it isn't far enough from.
    """
    vertex = lines.vertex.detach()
    place = torch.arange(len(vertex), device=vertex.device)
    same = lines.subpath[1:] == lines.subpath[:-1]
    shortest = SHORTEST_PX / scale.clamp(min=1e-30)
    short = same & ((vertex[1:] - vertex[:-1]).square().sum(1) <= shortest[lines.subpath[1:]].square())
    for subpath in lines.subpath[1:][short].unique().tolist():
        own = (lines.subpath == subpath).nonzero()[:, 0]
        place[own] = own[_far_apart(vertex[own].tolist(), float(shortest[subpath]))]
    corner = torch.zeros_like(place).scatter_reduce(0, place, lines.corner.long(), "amax") > 0
    kept = place == torch.arange(len(place), device=place.device)
    return Polylines(*(part[kept & wanted[lines.subpath]] for part in lines._replace(corner=corner)))


def _far_apart(places: list[list[float]], shortest: float) -> list[int]:
    """For each place the one that stands for it, itself if that is kept.

    Kept are the first, and then those more than `shortest` from the one before that is kept.
    """
    kept, chosen = [0], list(range(len(places)))

    def near(k: int) -> bool:
        (x, y), (px, py) = places[k], places[kept[-1]]
        return (x - px) ** 2 + (y - py) ** 2 <= shortest**2

    last = len(places) - 1
    for k in range(1, last + 1):
        while k == last and len(kept) > 1 and near(k):
            gone = kept.pop()
            chosen = [last if place == gone else place for place in chosen]
        if near(k):
            chosen[k] = kept[-1]
        else:
            kept.append(k)
    return chosen


def _measure_pieces(
    lines: Polylines,
    begin: Int[Tensor, " pieces"],
    pens: Pens,
    cubics: Float[Tensor, "cubics 4 2"],
    ring: Bool[Tensor, " vertices"],
) -> Pieces:
    """The pieces that begin at some vertices.

    Where a segment begins or ends and the pen isn't round, sides, joins and caps have the direction of the curve,
    unless half of a side would be lost by that on the inside of the bend. Joins that hardly turn don't.
    """
    along = lines.vertex[begin + 1] - lines.vertex[begin]
    length = along.square().sum(1).clamp(min=1e-30).sqrt()
    along = along / length[:, None]
    alone = ~ring
    alone[1:] &= lines.subpath[1:] != lines.subpath[:-1]
    final = ~ring
    final[:-1] &= lines.subpath[1:] != lines.subpath[:-1]
    angular = torch.where(alone | final, pens.cap != CAPS["round"], pens.join != JOINS["round"])
    ends, losses = [], []
    for vertex, segments, order in ((begin, lines.beginning, (0, 1, 2)), (begin + 1, lines.ending, (3, 2, 1))):
        segment, pen = segments[vertex], pens.of(vertex)
        here, near, far = cubics[segment.clamp(min=0)][:, order].unbind(1)
        shortest = (SHORTEST_PX / pen.scale.clamp(min=1e-30)).square()
        arm = torch.where(((near - here).detach().square().sum(1) > shortest)[:, None], near - here, far - here)
        known = arm.detach().square().sum(1) > shortest
        arm = arm * (1 if order[0] == 0 else -1)
        tangent = arm / torch.where(known, arm.square().sum(1), 1).sqrt()[:, None]
        sine, cosine = cross(tangent.detach(), along.detach()), (tangent * along).detach().sum(1)
        lost = pen.radius.detach() * sine.abs() / cosine.clamp(min=1e-12)
        used = known & (segment >= 0) & angular[vertex] & (cosine > 0) & (lost <= 0.5 * length.detach())
        ends.append(torch.where(used[:, None], tangent, along))
        losses.append(torch.where(used, lost, 0))
    return Pieces(begin, along, tuple(ends), length, tuple(losses))  # type: ignore[arg-type]
