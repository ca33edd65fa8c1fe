"""Subpaths cut into dashes, and cut off at the edges of what clips them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int64

from clipdraw.io.svg.foreign.path_data import Subpath

MAX_DASHES = 20_000
"""The most dashes of a subpath that are drawn."""

_PARTS = 16
"""The parts of a segment whose lengths are tabulated."""

_NEWTON_STEPS = 3
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
        dashes = list(curve.pieces(begins, ends))
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

    def pieces(self, begins: Values, ends: Values) -> Iterator[Cubics]:
        """The segments between each two distances."""
        places = zip(*self.locate(begins), *self.locate(ends), strict=True)
        for first, begin, last, end in places:
            cubics = self.cubics[first : last + 1].copy()
            if first == last:
                yield part_of_cubics(cubics, begin, end)
                continue
            cubics[-1:] = part_of_cubics(cubics[-1:], 0.0, end)
            cubics[:1] = part_of_cubics(cubics[:1], begin, 1.0)
            yield cubics[int(begin >= 1) : len(cubics) - int(end <= 0)]


def part_of_cubics(cubics: Cubics, begin: float, end: float) -> Cubics:
    """The part of each segment between two times. Source: its control points are the blossom of the two."""
    times = ((begin, begin, begin), (begin, begin, end), (begin, end, end), (end, end, end))
    return np.stack([_blossom(cubics, three) for three in times], axis=1)


def _blossom(cubics: Cubics, times: Sequence[float]) -> Float64[np.ndarray, "_ 2"]:
    points = cubics
    for time in times:
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
    return cubics if subpath.closed else np.concatenate((cubics, _line(cubics[-1, 3], cubics[0, 0])))


def _line(start: Float64[np.ndarray, " 2"], end: Float64[np.ndarray, " 2"]) -> Cubics:
    return (start + np.linspace(0, 1, 4)[:, None] * (end - start))[None]


def _within(outline: Cubics, start: Float64[np.ndarray, " 2"], inward: Float64[np.ndarray, " 2"]) -> Cubics:
    """An outline without what is beyond a line, closed along the line."""
    heights = (outline - start) @ inward
    if (heights >= 0).all():
        return outline
    inner: list[Cubics] = []
    for cubic, height in zip(outline, heights, strict=True):
        inner += [cubic[None]] if (height >= 0).all() else _inner_parts(cubic[None], height)
    joined: list[Cubics] = []
    for part, following in pairwise((*inner, *inner[:1])):
        joined += [part, _line(part[-1, 3], following[0, 0])] if (part[-1, 3] != following[0, 0]).any() else [part]
    return np.concatenate(joined) if joined else outline[:0]


def _inner_parts(cubic: Cubics, height: Float64[np.ndarray, " 4"]) -> Iterator[Cubics]:
    """The parts of one segment that are not beyond the line that its control points have these heights over."""
    if (height <= 0).all():
        return
    p0, p1, p2, p3 = height
    polynomial = np.trim_zeros((p3 - 3 * p2 + 3 * p1 - p0, 3 * (p2 - 2 * p1 + p0), 3 * (p1 - p0), p0), "f")
    roots = np.roots(polynomial)
    times = sorted(float(root.real) for root in roots if abs(root.imag) < 1e-9 and 0 < root.real < 1)
    for begin, end in pairwise((0.0, *times, 1.0)):
        if np.polyval(polynomial, (begin + end) / 2) > 0:
            yield part_of_cubics(cubic, begin, end)
