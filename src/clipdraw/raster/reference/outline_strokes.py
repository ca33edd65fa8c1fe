"""Polylines to the outlines of strokes: the definition that `kernels/outline_strokes.c` follows.

An outline is built piece by piece: two sides, joins, caps. Where the bend is gentle both sides share a mitered vertex
with the next piece; elsewhere the inner side goes through the pivot itself, so that no winding number is ever negative
and the union of all parts is where it isn't 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clipdraw.raster.batch import Batch
from clipdraw.raster.constants import (
    ARC_TOLERANCE_PX,
    CAPS,
    JOINS,
    LARGEST_ARC_STEP,
    MITER_AREA_PX,
    MOST_ARC_STEPS,
    SHORTEST_PX,
    SMOOTH_TURN,
    TURNED_BACK,
)
from clipdraw.raster.reference.flatten import Polylines, pixels_per_unit


class Pieces(NamedTuple):
    """Straight pieces of strokes."""

    begin: Int[Tensor, " pieces"]
    """The vertex where each begins; it ends at the next."""
    chord: Float[Tensor, "pieces 2"]
    """Unit vectors."""
    along: tuple[Float[Tensor, "pieces 2"], Float[Tensor, "pieces 2"]]
    """Unit vectors where each begins and where it ends: of the curve at ends of segments, if the pen isn't round."""
    length: Float[Tensor, " pieces"]
    lost: tuple[Float[Tensor, " pieces"], Float[Tensor, " pieces"]]
    """By how much a side is shorter for the difference, at both ends."""


class Pens(NamedTuple):
    """The pens of strokes, by path or by another index."""

    radius: Float[Tensor, " paths"]
    scale: Float[Tensor, " paths"]
    """Pixels per unit."""
    cap: Int[Tensor, " paths"]
    join: Int[Tensor, " paths"]
    limit: Float[Tensor, " paths"]

    def of(self, path: Int[Tensor, " n"]) -> Pens:
        """The pens of some paths."""
        return Pens(*(part[path] for part in self))


def cross(one: Float[Tensor, "n 2"], two: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
    """The cross product of vectors in the plane."""
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]


def turned(vector: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
    """Vectors turned by a right angle, from the x axis to the y axis."""
    x, y = vector.unbind(-1)
    return torch.stack((-y, x), dim=-1)


def _arc_steps(angle: Tensor, radius_px: Tensor) -> Int[Tensor, " arcs"]:
    """How many edges arcs get."""
    step = (2 * (2 * ARC_TOLERANCE_PX / radius_px.clamp(min=1e-6)).sqrt()).clamp(max=LARGEST_ARC_STEP)
    return (angle / step - 1e-6).ceil().clamp(1, MOST_ARC_STEPS).long()


def _swelling(step: Tensor) -> Tensor:
    """How far an arc's inner vertices lie outside, so that the area is the disc's."""
    return torch.where(step > 1e-6, (step.clamp(min=1e-6) / step.clamp(min=1e-6).sin()).sqrt(), 1)


def fan(steps: Int[Tensor, " arcs"]) -> tuple[Int[Tensor, " edges"], Int[Tensor, " edges"]]:
    """For arcs of so many edges each: the arc of each edge, and its number there."""
    owner = torch.repeat_interleave(steps)
    begin = steps.cumsum(0) - steps
    return owner, torch.arange(len(owner), device=owner.device) - begin[owner]


def dots(lines: Polylines, pens: Pens, vertex: Int[Tensor, " dots"]) -> tuple[Tensor, Tensor]:
    """Discs and squares of strokes without length."""
    pens = pens.of(vertex)
    square = pens.cap == CAPS["square"]
    half_turn = torch.full_like(pens.radius.detach(), math.pi)
    steps = torch.where(square, 4, (2 * _arc_steps(half_turn, pens.radius.detach() * pens.scale)).clamp(min=8))
    owner, step = fan(torch.where(pens.cap == CAPS["butt"], 0, steps))
    turn = 2 * math.pi / steps.to(pens.radius.dtype)
    swell = torch.where(square, 2**0.5, _swelling(turn))[owner]
    angle = -turn[owner, None] * (torch.stack((step, step + 1), dim=1) + 0.5)
    arm = swell[:, None, None] * torch.stack((angle.cos(), angle.sin()), dim=-1)
    place = vertex[owner]
    return lines.vertex[place, None] + pens.radius[owner, None, None] * arm, place


def caps(
    lines: Polylines, pieces: Pieces, pens: Pens, vertex: Tensor, piece: Tensor, end: int
) -> tuple[Tensor, Tensor]:
    """Caps at the start (`end` is -1, from the minus side to the plus side) or at the end (1, back again)."""
    along = end * pieces.along[max(end, 0)][piece]
    across = turned(along)
    half_turn = torch.full_like(pens.radius.detach(), math.pi)
    steps = _arc_steps(half_turn, pens.radius.detach() * pens.scale).clamp(min=4)
    square = pens.cap == CAPS["square"]
    steps = torch.where(pens.cap == CAPS["round"], steps, torch.where(square, 3, 1))
    owner, step = fan(steps)
    number = torch.stack((step, step + 1), dim=1)
    inner = (number > 0) & (number < steps[owner, None])
    angle = math.pi * number.to(along.dtype) / steps[owner, None]
    swell = torch.where(inner, _swelling(math.pi / steps.to(along.dtype))[owner, None], 1)
    sideways, ahead = swell * angle.cos(), swell * angle.sin() * inner
    corner = square[owner, None]
    sideways = torch.where(corner, torch.where(number < 2, 1.0, -1.0), sideways)
    ahead = torch.where(corner, inner.to(along.dtype), ahead)
    arm = sideways[..., None] * across[owner, None] + ahead[..., None] * along[owner, None]
    place = vertex[owner]
    return lines.vertex[place, None] + pens.radius[owner, None, None] * arm, place


def _half_turn(one: Float[Tensor, "n 2"], two: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
    """The tangent of half the turn from one direction to another."""
    return cross(one, two) / (1 + (one * two).sum(1)).clamp(min=1e-12)


class Joins:
    """Where two pieces of a stroke meet."""

    def __init__(
        self, lines: Polylines, pieces: Pieces, pens: Pens, stem: Tensor, before: Tensor, after: Tensor
    ) -> None:
        self.lines, self.pens, self.stem, self.before, self.after = lines, pens, stem, before, after
        one, two = pieces.along[1][before], pieces.along[0][after]
        gentle = _half_turn(one, two).detach().abs() <= math.tan(SMOOTH_TURN / 2)
        one, two = (
            torch.where(gentle[:, None], pieces.chord[piece], along) for piece, along in ((before, one), (after, two))
        )
        self.along, self.normals = one, (turned(one), turned(two))
        self.cross, self.dot = cross(one, two), (one * two).sum(1)
        slope = _half_turn(one, two)
        self.miter = self.normals[0] - slope[:, None] * one
        flat = slope.detach()
        self.side = torch.where(self.cross.detach() > 0, 1, -1)
        lost = (torch.where(gentle, 0, pieces.lost[end][piece]) for end, piece in ((1, before), (0, after)))
        rooms = (pieces.length[piece] - 2 * less for piece, less in zip((before, after), lost, strict=True))
        back = self.dot.detach() < TURNED_BACK
        self.tight = back | (pens.radius.detach() * flat.abs() > 0.5 * torch.minimum(*rooms).detach())
        self.kind = torch.where(lines.corner[stem], pens.join, JOINS["round"])
        self.pointed = (self.kind == JOINS["miter"]) & (1 + flat.square() <= pens.limit.square()) & ~back
        more = (pens.radius.detach() * pens.scale).square() * flat.abs() ** 3 / 3  # what a miter adds to a round join
        smooth = (flat.abs() <= math.tan(SMOOTH_TURN / 2)) | ((self.kind == JOINS["round"]) & (more <= MITER_AREA_PX))
        self.mitered = smooth & ~back

    def arms(self, side: int) -> tuple[Tensor, Tensor]:
        """On the plus (1) or minus (-1) side: where the piece before ends and the piece after begins, radius 1."""
        parted = torch.where(self.side == side, self.tight, ~self.mitered)[:, None]
        return tuple(side * torch.where(parted, normal, self.miter) for normal in self.normals)  # type: ignore[return-value]

    def edges(self) -> list[tuple[Tensor, Tensor]]:
        """The edges between the pieces."""
        return [part for side in (1, -1) for part in (self._pivots(side), self._outer(side))]

    def _pivots(self, side: int) -> tuple[Tensor, Tensor]:
        chosen = ((self.side == side) & self.tight).nonzero()[:, 0]
        center = self.lines.vertex[self.stem[chosen]]
        radius = self.pens.radius[chosen, None]
        one, two = (center + radius * side * normal[chosen] for normal in self.normals)
        first, last = (one, two) if side > 0 else (two, one)
        ends = torch.stack((torch.stack((first, center), 1), torch.stack((center, last), 1)))
        return ends.flatten(0, 1), self.stem[chosen].repeat(2)

    def _outer(self, side: int) -> tuple[Tensor, Tensor]:
        chosen = ((self.side != side) & ~self.mitered).nonzero()[:, 0]
        turn = self.side[chosen] * torch.atan2(self.cross[chosen], self.dot[chosen]).abs()
        pens = self.pens.of(chosen)
        steps = _arc_steps(turn.detach().abs(), pens.radius.detach() * pens.scale)
        pointed = self.pointed[chosen]
        steps = torch.where(self.kind[chosen] == JOINS["round"], steps, torch.where(pointed, 2, 1))
        owner, step = fan(steps)
        steps = steps[owner, None]
        number = torch.stack((step, step + 1), dim=1)
        angle = turn[owner, None] * number / steps
        inner = (number > 0) & (number < steps)
        swell = torch.where(inner, _swelling(turn[owner, None].abs() / steps), 1)
        normal, along = self.normals[0][chosen][owner, None], self.along[chosen][owner, None]
        arm = side * swell[..., None] * (angle.cos()[..., None] * normal - angle.sin()[..., None] * along)
        last = side * self.normals[1][chosen][owner, None]
        arm = torch.where((number == steps)[..., None], last, arm)
        arm = torch.where((inner & pointed[owner, None])[..., None], side * self.miter[chosen][owner, None], arm)
        place = self.stem[chosen][owner]
        ends = self.lines.vertex[place, None] + pens.radius[owner, None, None] * arm
        return (ends if side > 0 else ends.flip(1)), place


def sides(lines: Polylines, pieces: Pieces, pens: Pens, joins: Joins) -> list[tuple[Tensor, Tensor]]:
    """Both sides of all pieces."""
    stems = torch.stack((pieces.begin, pieces.begin + 1), dim=1)
    edges = []
    for side in (1, -1):
        ending, beginning = joins.arms(side)
        first = (side * turned(pieces.along[0])).index_put((joins.after,), beginning)
        last = (side * turned(pieces.along[1])).index_put((joins.before,), ending)
        ends = lines.vertex[stems] + pens.radius[:, None, None] * torch.stack((first, last), dim=1)
        edges.append((ends if side > 0 else ends.flip(1), pieces.begin))
    return edges


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
