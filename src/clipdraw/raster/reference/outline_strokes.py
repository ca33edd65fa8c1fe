"""Paths to the outlines that are filled, in plain PyTorch: the definition that `outlines` follows.

A fill's outline is its flattened path. A stroke's is built piece by piece: two sides, joins, caps. Where the bend
is gentle both sides share a mitered vertex with the next piece; elsewhere the inner side goes through the pivot
itself, so that nothing is ever wound negatively and the union of all parts is what winds at all.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from clipdraw.geometry import TOLERANCE, flatten, piece_counts
from clipdraw.raster.batch import Batch
from clipdraw.raster.constants import (
    ARC_TOLERANCE_PX,
    AT_SIDES,
    CAPS,
    FARTHEST_PX,
    IN_THIN,
    JOINS,
    LARGEST_ARC_STEP,
    MITER_AREA_PX,
    MOST_ARC_STEPS,
    SHORTEST_PX,
    SMOOTH_TURN,
    STROKE,
    THIN_PX,
    TURNED_BACK,
)


class Outlines(NamedTuple):
    """Edges of all layers, in pixels."""

    ends: Float[Tensor, "edges 2 2"]
    layer: Int[Tensor, " edges"]


class _Polylines(NamedTuple):
    """Flattened subpaths, in the coordinates of their paths."""

    vertex: Float[Tensor, "vertices 2"]
    subpath: Int[Tensor, " vertices"]
    corner: Bool[Tensor, " vertices"]
    """Whether a segment begins or ends there."""
    ending: Int[Tensor, " vertices"]
    """The segment that ends there, the last one where a subpath begins; -1 for none."""
    beginning: Int[Tensor, " vertices"]
    """The segment that begins there, the last one where a subpath ends; -1 for none."""


class _Pieces(NamedTuple):
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


class _Pens(NamedTuple):
    """What strokes are drawn with, by path or by whatever is asked for."""

    radius: Float[Tensor, " paths"]
    scale: Float[Tensor, " paths"]
    """Pixels per unit."""
    cap: Int[Tensor, " paths"]
    join: Int[Tensor, " paths"]
    limit: Float[Tensor, " paths"]

    def of(self, path: Int[Tensor, " n"]) -> _Pens:
        return _Pens(*(part[path] for part in self))


def outlines(batch: Batch) -> Outlines:
    """The outlines of all layers of a batch.

    Paths with a number that isn't finite have none, nor have those that reach beyond `FARTHEST_PX`.

    Differentiable in points, radii and matrices; not in how finely curves are flattened.
    """
    device = batch.points.device
    if not len(batch.index.cubics):
        return Outlines(batch.points.new_zeros(0, 2, 2), torch.zeros(0, dtype=torch.long, device=device))
    index = {name: torch.from_numpy(part).to(device) for name, part in batch.index._asdict().items()}
    batch = replace(batch, points=batch.points.to(batch.matrices.dtype), radii=batch.radii.to(batch.matrices.dtype))
    sound = _sound_paths(batch, index["cubics"], index["path"])
    cubics = torch.where(sound[index["path"], None, None], batch.points[index["cubics"]], 0)
    lines = _flatten(batch, cubics, index)
    path_of_subpath = torch.repeat_interleave(index["first_subpath"].diff())
    layer_path, rule = index["layers"].unbind(1)
    parts = []
    filled = (rule != STROKE) & sound[layer_path]
    parts.append(_fill_edges(lines, path_of_subpath, layer_path, filled))
    stroked = torch.full((len(batch.radii),), -1, device=device)
    chosen = ((rule == STROKE) & sound[layer_path] & (batch.radii.detach()[layer_path] > 0)).nonzero()[:, 0]
    stroked[layer_path[chosen]] = chosen
    parts.extend(_stroke_edges(batch, cubics, lines, index, path_of_subpath, stroked))
    ends, layer = (torch.cat(some) for some in zip(*parts, strict=True))
    matrix = batch.matrices[layer_path[layer]]
    ends = ends @ matrix[:, :, :2].transpose(1, 2) + matrix[:, None, :, 2]
    return Outlines(ends, layer)


def _sound_paths(batch: Batch, cubics: Int[Tensor, "cubics 4"], path: Int[Tensor, " cubics"]) -> Bool[Tensor, " paths"]:
    points, matrix = batch.points.detach()[cubics], batch.matrices.detach()
    place = points @ matrix[path, :, :2].transpose(1, 2) + matrix[path, None, :, 2]
    near = (place.abs() <= FARTHEST_PX).all(2).all(1)  # false for NaN
    bad = torch.zeros_like(batch.radii, dtype=torch.long).index_add(0, path, (~near).long())
    return (bad == 0) & (batch.radii.detach() * matrix[:, :, :2].abs().amax((1, 2)) <= FARTHEST_PX)


def _flatten(batch: Batch, cubics: Float[Tensor, "cubics 4 2"], index: dict[str, Tensor]) -> _Polylines:
    subpath = torch.repeat_interleave(index["first_cubic"].diff())
    first = torch.zeros(len(cubics), dtype=torch.long, device=cubics.device)
    first[index["first_cubic"][:-1]] = 1
    counts = _piece_counts(batch, cubics, index)
    points = counts + first
    owner = torch.repeat_interleave(points)
    begin = points.cumsum(0) - points
    step = torch.arange(len(owner), device=owner.device) - begin[owner] + 1 - first[owner]
    vertex = flatten(cubics[owner], step.to(cubics.dtype), counts[owner].to(cubics.dtype))
    ending = torch.where(step == counts[owner], owner, -1)
    beginning = torch.where(step == counts[owner], owner + 1, -1)
    first, last = (index["first_cubic"][subpath[owner] + k] - k for k in (0, 1))
    ending = torch.where(step == 0, last, ending)
    beginning = torch.where(step == 0, first, beginning.minimum(last))
    return _Polylines(vertex, subpath[owner], ending >= 0, ending, beginning)


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
    thin &= 2 * radii * _scale(matrices) < THIN_PX
    cut = [(low < side - SHORTEST_PX) & (high > side + SHORTEST_PX) for side in (torch.zeros_like(extent), extent)]
    counts = piece_counts(place, tolerance=TOLERANCE)
    for chosen, share in ((cut[0] | cut[1]).any(1), AT_SIDES), (thin[path], IN_THIN):
        counts = torch.where(chosen, piece_counts(place, tolerance=TOLERANCE * share), counts)
    return torch.where(seen, counts, 1)


def _scale(matrices: Float[Tensor, "paths 2 3"]) -> Float[Tensor, " paths"]:
    """Pixels per unit: the root of how much larger the matrices make areas."""
    return (matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]).abs().sqrt()


def _stretch(matrices: Float[Tensor, "paths 2 3"]) -> Float[Tensor, " paths"]:
    """How much longer the matrices make things, at most."""
    return 2**0.5 * matrices[:, :, :2].square().sum(1).amax(1).sqrt()


def _widest(index: dict[str, Tensor]) -> Tensor:
    cap, join, limit = index["pens"].unbind(1)
    square = torch.where(cap == CAPS["square"], 1.5, 1.0)
    return torch.where(join == JOINS["miter"], limit.clamp(min=1.5), square).float()


def _fill_edges(
    lines: _Polylines, path_of_subpath: Tensor, layer_path: Tensor, filled: Bool[Tensor, " layers"]
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


def _stroke_edges(
    batch: Batch,
    cubics: Float[Tensor, "cubics 4 2"],
    lines: _Polylines,
    index: dict[str, Tensor],
    path_of_subpath: Tensor,
    stroked: Int[Tensor, " paths"],
) -> list[tuple[Tensor, Tensor]]:
    """Sides, joins and caps of all stroked subpaths."""
    dtype = batch.points.dtype
    cap, join, limit = index["pens"].unbind(1)
    pens = _Pens(batch.radii, _scale(batch.matrices.detach()), cap.long(), join.long(), limit.to(dtype))
    lines = _kept(lines, pens.scale[path_of_subpath], stroked[path_of_subpath] >= 0)
    if not len(lines.subpath):
        return []
    path = path_of_subpath[lines.subpath]
    same = lines.subpath[1:] == lines.subpath[:-1]
    count = torch.bincount(lines.subpath, minlength=len(path_of_subpath)) - 1
    ring = (index["closed"] > 0) & (count > 1)
    pieces = _pieces(lines, same.nonzero()[:, 0], pens.of(path), cubics, ring[lines.subpath])
    number = torch.full((len(path) + 1,), -1, device=path.device)
    number[pieces.begin] = torch.arange(len(pieces.begin), device=path.device)
    starts = torch.ones_like(path, dtype=torch.bool)
    starts[1:] = ~same
    first_vertex = starts.nonzero()[:, 0]
    last_vertex = torch.cat((first_vertex[1:], torch.tensor([len(path)], device=path.device))) - 1
    alone = first_vertex == last_vertex
    edges = [_dots(lines, pens.of(path), first_vertex[alone])]
    open_first, open_last = (v[~alone & ~ring[lines.subpath[first_vertex]]] for v in (first_vertex, last_vertex))
    for vertex, piece, end in ((open_first, number[open_first], -1), (open_last, number[open_last - 1], 1)):
        edges.append(_caps(lines, pieces, pens.of(path[vertex]), vertex, piece, end))
    ringed = first_vertex[~alone & ring[lines.subpath[first_vertex]]]
    ring_last = last_vertex[~alone & ring[lines.subpath[first_vertex]]]
    inner = (~starts).clone()
    inner[last_vertex] = False
    stem = torch.cat((inner.nonzero()[:, 0], ringed))
    before = torch.cat((number[inner.nonzero()[:, 0] - 1], number[ring_last - 1]))
    joins = _Joins(lines, pieces, pens.of(path[stem]), stem, before, number[stem])
    edges += joins.edges()
    edges += _sides(lines, pieces, pens.of(path[pieces.begin]), joins)
    return [(ends, stroked[path[vertex]]) for ends, vertex in edges]


def _kept(lines: _Polylines, scale: Tensor, wanted: Bool[Tensor, " subpaths"]) -> _Polylines:
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
    return _Polylines(*(part[kept & wanted[lines.subpath]] for part in lines._replace(corner=corner)))


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


def _pieces(
    lines: _Polylines,
    begin: Int[Tensor, " pieces"],
    pens: _Pens,
    cubics: Float[Tensor, "cubics 4 2"],
    ring: Bool[Tensor, " vertices"],
) -> _Pieces:
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
        sine, cosine = _cross(tangent.detach(), along.detach()), (tangent * along).detach().sum(1)
        lost = pen.radius.detach() * sine.abs() / cosine.clamp(min=1e-12)
        used = known & (segment >= 0) & angular[vertex] & (cosine > 0) & (lost <= 0.5 * length.detach())
        ends.append(torch.where(used[:, None], tangent, along))
        losses.append(torch.where(used, lost, 0))
    return _Pieces(begin, along, tuple(ends), length, tuple(losses))  # type: ignore[arg-type]


def _cross(one: Float[Tensor, "n 2"], two: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]


def _turned(vector: Float[Tensor, "*batch 2"]) -> Float[Tensor, "*batch 2"]:
    x, y = vector.unbind(-1)
    return torch.stack((-y, x), dim=-1)


def _arc_steps(angle: Tensor, radius_px: Tensor) -> Int[Tensor, " arcs"]:
    """How many edges arcs get."""
    step = (2 * (2 * ARC_TOLERANCE_PX / radius_px.clamp(min=1e-6)).sqrt()).clamp(max=LARGEST_ARC_STEP)
    return (angle / step - 1e-6).ceil().clamp(1, MOST_ARC_STEPS).long()


def _swelling(step: Tensor) -> Tensor:
    """How far an arc's inner vertices lie outside, so that the area is the disc's."""
    return torch.where(step > 1e-6, (step.clamp(min=1e-6) / step.clamp(min=1e-6).sin()).sqrt(), 1)


def _fan(steps: Int[Tensor, " arcs"]) -> tuple[Int[Tensor, " edges"], Int[Tensor, " edges"]]:
    """For arcs of so many edges each: the arc of each edge, and its number there."""
    owner = torch.repeat_interleave(steps)
    begin = steps.cumsum(0) - steps
    return owner, torch.arange(len(owner), device=owner.device) - begin[owner]


def _dots(lines: _Polylines, pens: _Pens, vertex: Int[Tensor, " dots"]) -> tuple[Tensor, Tensor]:
    """Discs and squares of strokes without length."""
    pens = pens.of(vertex)
    square = pens.cap == CAPS["square"]
    half_turn = torch.full_like(pens.radius.detach(), math.pi)
    steps = torch.where(square, 4, (2 * _arc_steps(half_turn, pens.radius.detach() * pens.scale)).clamp(min=8))
    owner, step = _fan(torch.where(pens.cap == CAPS["butt"], 0, steps))
    turn = 2 * math.pi / steps.to(pens.radius.dtype)
    swell = torch.where(square, 2**0.5, _swelling(turn))[owner]
    angle = -turn[owner, None] * (torch.stack((step, step + 1), dim=1) + 0.5)
    arm = swell[:, None, None] * torch.stack((angle.cos(), angle.sin()), dim=-1)
    place = vertex[owner]
    return lines.vertex[place, None] + pens.radius[owner, None, None] * arm, place


def _caps(
    lines: _Polylines, pieces: _Pieces, pens: _Pens, vertex: Tensor, piece: Tensor, end: int
) -> tuple[Tensor, Tensor]:
    """Caps at the start (`end` is -1, from the minus side to the plus side) or at the end (1, back again)."""
    along = end * pieces.along[max(end, 0)][piece]
    across = _turned(along)
    half_turn = torch.full_like(pens.radius.detach(), math.pi)
    steps = _arc_steps(half_turn, pens.radius.detach() * pens.scale).clamp(min=4)
    square = pens.cap == CAPS["square"]
    steps = torch.where(pens.cap == CAPS["round"], steps, torch.where(square, 3, 1))
    owner, step = _fan(steps)
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
    return _cross(one, two) / (1 + (one * two).sum(1)).clamp(min=1e-12)


class _Joins:
    """Where two pieces of a stroke meet."""

    def __init__(
        self, lines: _Polylines, pieces: _Pieces, pens: _Pens, stem: Tensor, before: Tensor, after: Tensor
    ) -> None:
        self.lines, self.pens, self.stem, self.before, self.after = lines, pens, stem, before, after
        one, two = pieces.along[1][before], pieces.along[0][after]
        gentle = _half_turn(one, two).detach().abs() <= math.tan(SMOOTH_TURN / 2)
        one, two = (
            torch.where(gentle[:, None], pieces.chord[piece], along) for piece, along in ((before, one), (after, two))
        )
        self.along, self.normals = one, (_turned(one), _turned(two))
        self.cross, self.dot = _cross(one, two), (one * two).sum(1)
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
        owner, step = _fan(steps)
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


def _sides(lines: _Polylines, pieces: _Pieces, pens: _Pens, joins: _Joins) -> list[tuple[Tensor, Tensor]]:
    """Both sides of all pieces."""
    stems = torch.stack((pieces.begin, pieces.begin + 1), dim=1)
    edges = []
    for side in (1, -1):
        ending, beginning = joins.arms(side)
        first = (side * _turned(pieces.along[0])).index_put((joins.after,), beginning)
        last = (side * _turned(pieces.along[1])).index_put((joins.before,), ending)
        ends = lines.vertex[stems] + pens.radius[:, None, None] * torch.stack((first, last), dim=1)
        edges.append((ends if side > 0 else ends.flip(1), pieces.begin))
    return edges
