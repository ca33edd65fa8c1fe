"""Subpaths cut into dashes, and cut off at the edges of what clips them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int64

from clipdraw.io.svg.foreign.path_data import Subpath, extreme_times

MAX_DASHES = 20_000
"""The most dashes of a subpath that are drawn."""

_PARTS = 16
"""The parts of a segment whose lengths are tabulated."""

_NEWTON_STEPS = 3
_BISECTIONS = 12
_ROUNDED = 1 + 1e-9
"""How far beyond the end of a subpath, relative to its length, a dot may stand: it is rounding."""
_NODES, _WEIGHTS = (values.reshape(-1, 1) for values in np.polynomial.legendre.leggauss(5))

Cubics = Float64[np.ndarray, "_ 4 2"]
Values = Float64[np.ndarray, " values"]
Indices = Int64[np.ndarray, " values"]


@dataclass(frozen=True)
class Dashes:
    """A pattern of dashes along a stroke, in the coordinates of its path.

    Args:
        lengths: of a dash, the gap after it, the next dash and so on; an even number, 0 or more, with a positive sum.
        offset: where in the pattern a subpath begins.
        shortest: the length of dashes of length 0, which are dots, squares or nothing; 0 leaves them out.
    """

    lengths: tuple[float, ...]
    offset: float = 0.0
    shortest: float = 0.0

    def cut(self, subpath: Subpath) -> list[Subpath] | None:
        """The dashes of a subpath, open; None if they are too many. The last and the first of a loop become one.

        Source: SVG 2, section 13.5.6.
        """
        curve = _Curve(subpath.cubics())
        if curve.length == 0:
            return [subpath]
        if len(self.lengths) * curve.length > 2 * MAX_DASHES * sum(self.lengths):
            return None
        begins, ends = self._spans(curve.length)
        if not len(begins):
            return []
        if begins[0] <= 0 and ends[0] >= curve.length:
            return [subpath]
        dashes = curve.pieces(begins, ends)
        if subpath.closed and len(dashes) > 1 and begins[0] <= 0 and ends[-1] >= curve.length:
            dashes[0] = np.concatenate((dashes.pop(), dashes[0]))
        return [_open(cubics) for cubics in dashes]

    def _spans(self, length: float) -> tuple[Values, Values]:
        """Where each dash begins and ends on a subpath of this length, in order."""
        edges = np.concatenate(([0.0], np.cumsum(self.lengths)))
        periods = np.arange(np.ceil(length / edges[-1]) + 1)[:, None] * edges[-1] - self.offset % edges[-1]
        begins, ends = ((periods + sides).ravel() for sides in (edges[:-1:2], edges[1::2]))
        dots, middles = ends - begins < self.shortest, (begins + ends) / 2
        begins = np.where(dots, middles - self.shortest / 2, begins).clip(0, length)
        ends = np.where(dots, middles + self.shortest / 2, ends).clip(0, length)
        kept = (ends > begins) & (~dots | ((middles >= 0) & (middles <= length * _ROUNDED)))
        return begins[kept], ends[kept]


def curve_length(subpaths: Sequence[Subpath]) -> float:
    """The length of the way along all subpaths."""
    return sum(_Curve(subpath.cubics()).length for subpath in subpaths)


class _Curve:
    """Segments one after another, by the length of the way along them."""

    def __init__(self, cubics: Cubics) -> None:
        self.cubics = cubics
        grid = np.tile(np.linspace(0, 1, _PARTS + 1), (len(cubics), 1))
        number = np.repeat(np.arange(len(cubics)), _PARTS)
        parts = self._lengths(number, grid[:, :-1].ravel(), grid[:, 1:].ravel())
        self.reached = np.concatenate(([0.0], np.cumsum(parts)))
        self.length = float(self.reached[-1])

    def _lengths(self, number: Indices, begin: Values, end: Values) -> Values:
        """The length of each segment from one time to another, by Gauss's quadrature."""
        times = (begin + end) / 2 + (end - begin) / 2 * _NODES
        return (self._speeds(number, times) * _WEIGHTS).sum(axis=0) * (end - begin) / 2

    def _speeds(
        self, number: Indices, times: Float64[np.ndarray, "*nodes values"]
    ) -> Float64[np.ndarray, "*nodes values"]:
        steps = 3 * np.diff(self.cubics[number], axis=1)
        s, t = (1 - times)[..., None], times[..., None]
        velocity = s * s * steps[:, 0] + 2 * s * t * steps[:, 1] + t * t * steps[:, 2]
        return np.hypot(velocity[..., 0], velocity[..., 1])

    def locate(self, distances: Values) -> tuple[Indices, Values]:
        """The segment at each distance from the beginning, and the time within it."""
        part = np.clip(np.searchsorted(self.reached, distances, side="right") - 1, 0, len(self.reached) - 2)
        number, begin = part // _PARTS, part % _PARTS / _PARTS
        wanted = distances - self.reached[part]
        whole = self.reached[part + 1] - self.reached[part]
        times = begin + np.divide(wanted, whole, out=np.zeros_like(wanted), where=whole > 0) / _PARTS
        for _ in range(_NEWTON_STEPS):
            speed = self._speeds(number, times)
            short = wanted - self._lengths(number, begin, times)
            times = times + np.divide(short, speed, out=np.zeros_like(short), where=speed > 0)
            times = times.clip(begin, begin + 1 / _PARTS)
        return number, times

    def pieces(self, begins: Values, ends: Values) -> list[Cubics]:
        """The segments between each two distances."""
        (first, begin), (last, end) = self.locate(begins), self.locate(ends)
        counts = last - first + 1
        piece = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(piece)) - np.repeat(counts.cumsum() - counts, counts) + first[piece]
        begin = np.where(number == first[piece], begin[piece], 0.0)
        end = np.where(number == last[piece], end[piece], 1.0)
        kept = end > begin
        parts = part_of_cubics(self.cubics[number[kept]], begin[kept], end[kept])
        return np.split(parts, np.bincount(piece[kept], minlength=len(counts)).cumsum()[:-1])


def part_of_cubics(cubics: Cubics, begins: Values, ends: Values) -> Cubics:
    """The part of each segment between two times. Source: its control points are the blossom of the two."""
    times = ((begins, begins, begins), (begins, begins, ends), (begins, ends, ends), (ends, ends, ends))
    return np.stack([_blossom(cubics, three) for three in times], axis=1)


def _blossom(cubics: Cubics, times: Sequence[Values]) -> Float64[np.ndarray, "_ 2"]:
    points = cubics
    for each in times:
        time = each[:, None, None]
        points = (1 - time) * points[:, :-1] + time * points[:, 1:]
    return points[:, 0]


def _open(cubics: Cubics) -> Subpath:
    return Subpath(np.concatenate((cubics[:, :3].reshape(-1, 2), cubics[-1:, 3])), closed=False)


def cut_off(subpaths: Sequence[Subpath], corners: Float64[np.ndarray, "corners 2"]) -> list[Subpath]:
    """The outlines of what a fill paints within a convex polygon; the fill rule stays right.

    What is beyond an edge is moved onto the edge, where it encloses nothing.

    Args:
        subpaths: the outlines; open ones are closed by a line, as fills do.
        corners: of the polygon, one after another.
    """
    turned = corners - corners.mean(axis=0)
    area = sum(float(a[0] * b[1] - a[1] * b[0]) for a, b in pairwise((*turned, turned[0])))
    outlines = [_closed(subpath) for subpath in subpaths]
    for start, end in pairwise((*corners, corners[0])):
        inward = np.array((start[1] - end[1], end[0] - start[0])) * np.sign(area)
        outlines = [inner for outline in outlines if len(inner := _within(outline, start, inward))]
    return [Subpath(outline[:, :3].reshape(-1, 2), closed=True) for outline in outlines]


def _closed(subpath: Subpath) -> Cubics:
    cubics = subpath.cubics()
    return cubics if subpath.closed else np.concatenate((cubics, _lines(cubics[-1:, 3], cubics[:1, 0])))


def _lines(starts: Float64[np.ndarray, "lines 2"], ends: Float64[np.ndarray, "lines 2"]) -> Cubics:
    return starts[:, None] + np.linspace(0, 1, 4)[:, None] * (ends - starts)[:, None]


def _within(outline: Cubics, start: Float64[np.ndarray, " 2"], inward: Float64[np.ndarray, " 2"]) -> Cubics:
    """An outline without what is beyond a line, closed along the line."""
    heights = (outline - start) @ inward
    if (heights >= 0).all() or (heights <= 0).all():
        return outline if heights.max() > 0 else outline[:0]
    parts = part_of_cubics(*_inner_parts(outline, heights))
    following = np.roll(parts[:, 0], -1, axis=0)
    apart = np.flatnonzero((parts[:, 3] != following).any(axis=1))
    return np.insert(parts, apart + 1, _lines(parts[apart, 3], following[apart]), axis=0)


def _inner_parts(outline: Cubics, heights: Float64[np.ndarray, "_ 4"]) -> tuple[Cubics, Values, Values]:
    """The segments that are not all beyond a line, with the times between which they are not, in order.

    Args:
        outline: segments.
        heights: of their control points over the line.
    """
    zero, one = np.zeros((len(outline), 1)), np.ones((len(outline), 1))
    crossings = np.zeros((len(outline), 3))
    mixed = (heights < 0).any(axis=1) & (heights > 0).any(axis=1)
    if mixed.any():
        crossings[mixed] = _roots(heights[mixed])
    times = np.concatenate((zero, np.sort(crossings, axis=1), one), axis=1)
    begins, ends = times[:, :-1], times[:, 1:]
    number, at = np.nonzero((ends > begins) & (_values(heights, (begins + ends) / 2) > 0))
    return outline[number], begins[number, at], ends[number, at]


def _roots(heights: Float64[np.ndarray, "_ 4"]) -> Float64[np.ndarray, "_ 3"]:
    """The times at which cubics are zero, between their extremes; 0 where there are fewer than three."""
    edges = np.zeros((len(heights), 4))
    edges[:, 1:3], edges[:, 3] = np.sort(extreme_times(*heights.T), axis=0).T, 1
    low, high = edges[:, :-1], edges[:, 1:]
    rising = _values(heights, low) < 0
    crossing = rising != (_values(heights, high) < 0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        before = (_values(heights, middle) < 0) == rising
        low, high = np.where(before, middle, low), np.where(before, high, middle)
    times, (q0, q1, q2) = (low + high) / 2, 3 * np.diff(heights).T[:, :, None]
    for _ in range(_NEWTON_STEPS):
        slope = (1 - times) ** 2 * q0 + 2 * times * (1 - times) * q1 + times * times * q2
        step = np.divide(_values(heights, times), slope, out=np.zeros_like(slope), where=slope != 0)
        times = (times - step).clip(low, high)
    return np.where(crossing, times, 0.0)


def _values(
    heights: Float64[np.ndarray, "_ 4"], times: Float64[np.ndarray, "_ times"]
) -> Float64[np.ndarray, "_ times"]:
    """The values of cubics with these Bernstein coefficients."""
    p0, p1, p2, p3 = heights.T[:, :, None]
    s, t = 1 - times, times
    return s**3 * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t**3 * p3
