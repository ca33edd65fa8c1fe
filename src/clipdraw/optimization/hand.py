"""Losses on how lines run: how much they bend, whether they cross themselves, how long and how straight they are.

Each is a mean over the drawing's paths that does not change when all of it is made larger or smaller, times the number
of views, as a prompt is their sum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.drawing import Drawing, Style
from clipdraw.encoders import Encoder
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.losses import Frame, Term
from clipdraw.raster.index import index_of

_SAMPLES = 6  # places of a segment where its bending is measured
_CHORDS = 6  # of a segment, in which crossings are looked for
_MOST_CHORDS = 1500  # of a path: a pair of chords takes about 100 bytes
_PARALLEL = 1e-4  # the sine of an angle below which chords do not cross
_TWIST = 0.02  # the weight of `twisted` beside `looped`
_SHORT = 1e-3  # of a canvas of 1 unit: below it a length counts as that


@dataclass(frozen=True)
class _LineLoss:
    """A loss on lines.

    Args:
        weight: against a prompt's 1, above 0.

    Raises:
        InputError: the weight is not above 0.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, prefix=f"{type(self).__name__.lower()}: its ")
        if not self.weight > 0:
            raise InputError(f"the weight of {type(self).__name__.lower()} is above 0, got {self.weight}")

    def _term(self, measure: Callable[[Drawing], Tensor]) -> Term:
        def weighted(frame: Frame) -> Tensor:
            return self.weight * len(frame.embeddings) * measure(frame.drawing)

        return weighted


@dataclass(frozen=True)
class Smooth(_LineLoss):
    """The bending of the lines, and the corners where their segments meet."""

    name: str = "smooth"

    def build(self, encoder: Encoder) -> Term:
        """The weighted bending."""
        return self._term(bending)


@dataclass(frozen=True)
class Crossing(_LineLoss):
    """The lines' crossings of themselves.

    Of 20 random lines with 20 crossings, 160 steps of Adam leave none by `looped` and 16 by `twisted`, which also asks
    something of lines that do not cross; it counts little, and keeps segments from beginning to cross.
    """

    name: str = "crossing"

    def build(self, encoder: Encoder) -> Term:
        """The weighted sum of both measures of crossings."""
        return self._term(lambda drawing: looped(drawing) + _TWIST * twisted(drawing))


@dataclass(frozen=True)
class Length(_LineLoss):
    """The length of the lines, in shorter sides of the canvas."""

    name: str = "length"

    def build(self, encoder: Encoder) -> Term:
        """The weighted mean length."""
        return self._term(lambda drawing: _of_paths(drawing, path_lengths(drawing)))


@dataclass(frozen=True)
class Straight(_LineLoss):
    """The difference of lines from straight ones."""

    name: str = "straight"

    def build(self, encoder: Encoder) -> Term:
        """The weighted detours."""
        return self._term(detours)


class _Lines(NamedTuple):
    """Where the segments of a drawing are; nothing here depends on a tensor."""

    cubics: Int[Tensor, "segments 4"]
    path: Int[Tensor, " segments"]
    next: Int[Tensor, " segments"]
    """The segment that goes on from each; itself at the end of an open line."""


@lru_cache(maxsize=8)
def _lines(segments: tuple[int, ...], styles: tuple[Style, ...]) -> _Lines:
    index = index_of(segments, styles)
    following = np.arange(len(index.path)) + 1
    first, last = index.first_cubic[:-1], index.first_cubic[1:] - 1
    following[last] = np.where(index.closed == 1, first, last)
    return _Lines(
        *(torch.from_numpy(np.asarray(part, dtype=np.int64)) for part in (index.cubics, index.path, following))
    )


def _cubics(drawing: Drawing) -> tuple[Float[Tensor, "segments 4 2"], _Lines]:
    """The control points of each segment, on a canvas whose shorter side is 1."""
    lines = _lines(drawing.segments, drawing.styles)
    lines = _Lines(*(part.to(drawing.points.device) for part in lines))
    return drawing.points[lines.cubics] / min(drawing.canvas.width, drawing.canvas.height), lines


def _of_paths(drawing: Drawing, values: Tensor) -> Float[Tensor, ""]:
    """The sum of values, divided by the number of paths."""
    return values.sum() / max(len(drawing), 1)


def _cross(a: Float[Tensor, "*#n 2"], b: Float[Tensor, "*#n 2"]) -> Float[Tensor, "*n"]:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _length(vectors: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n"]:
    """Lengths, with a gradient of 0 where one is 0."""
    return (vectors.square().sum(-1) + 1e-12).sqrt()


def bending(drawing: Drawing) -> Float[Tensor, ""]:
    """The mean over the paths of how much their segments bend and turn where they meet; 0 for straight lines.

    A segment's is the integral over its parameter of the part of the second derivative that is across the line,
    squared, in lengths of the segment's control polygon. It is independent of the scale, finite at cusps, and nearly
    the square of the angle that an even arc turns through: 2.0 for a quarter circle. Each corner adds 1 - cos(angle).
    """
    cubics, lines = _cubics(drawing)
    a, b, c, d = cubics.unbind(1)
    size = sum((_length(part) for part in (b - a, c - b, d - c)), cubics.new_tensor(_SHORT))
    t = ((torch.arange(_SAMPLES, device=cubics.device) + 0.5) / _SAMPLES)[:, None, None].to(cubics)
    speed = 3 * ((1 - t) ** 2 * (b - a) + 2 * t * (1 - t) * (c - b) + t**2 * (d - c))
    force = 6 * ((1 - t) * (a - 2 * b + c) + t * (b - 2 * c + d))
    across = _cross(speed, force).square() / (speed.square().sum(-1) + (0.03 * size).square())
    curved = across.mean(0) / size.square()
    arriving, leaving = d - c, (b - a)[lines.next]
    cosine = (arriving * leaving).sum(-1) / (_length(arriving) * _length(leaving)).clamp(min=_SHORT**2)
    corners = (1 - cosine) * (lines.next != torch.arange(len(lines.next), device=cubics.device))
    return _of_paths(drawing, curved + corners)


def twisted(drawing: Drawing) -> Float[Tensor, ""]:
    """The mean over the paths of how far their segments are from not crossing themselves; 0 if none can.

    A segment of control points A B C D does not cross itself if AB and CD turn to the same side as AB and BC.

    Source: Ma et al. 2022 (LIVE), arXiv 2206.04655, equation 5 (Xing loss).
    """
    cubics, _ = _cubics(drawing)
    a, b, c, d = cubics.unbind(1)
    sides = (_cross(b - a, c - b) > 0).to(cubics)
    sine = _cross(b - a, d - c) / (_length(b - a) * _length(d - c)).clamp(min=_SHORT**2)
    return _of_paths(drawing, sides * torch.relu(-sine) + (1 - sides) * torch.relu(sine))


def looped(drawing: Drawing) -> Float[Tensor, ""]:
    """The mean over the paths of the lengths that would have to vanish for them not to cross themselves.

    For each crossing it is the shortest of the loop between and the ends before and after, as a fraction of the line;
    for closed lines of the two loops.
    """
    total = drawing.points.new_zeros(())
    for line, closed in polylines(drawing):
        first, second = crossings(line, closed=closed)
        if len(first):
            steps = _length(line[1:] - line[:-1])
            along = torch.cat([steps.new_zeros(1), steps.cumsum(0)])
            middles = (along[1:] + along[:-1]) / 2
            loop, rest = middles[second] - middles[first], middles[first] + along[-1] - middles[second]
            ends = rest if closed else torch.minimum(middles[first], along[-1] - middles[second])
            total = total + (torch.minimum(loop, ends) / along[-1].detach()).sum()
    return total / max(len(drawing), 1)


def polylines(drawing: Drawing) -> list[tuple[Float[Tensor, "_ 2"], bool]]:
    """Each subpath of several segments as a line of chords, and whether it is closed."""
    cubics, _ = _cubics(drawing)
    flags = [flag for style in drawing.styles for flag in style.closed] or [False] * len(drawing.segments)
    parts = []
    for curves, closed in zip(cubics.split(drawing.segments), flags, strict=True):
        chords = min(_CHORDS, max(1, _MOST_CHORDS // len(curves)))
        t = (torch.arange(chords, device=cubics.device) / chords)[None, :, None].to(cubics)
        a, b, c, d = (point[:, None] for point in curves.unbind(1))
        curve = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
        parts.append((torch.cat([curve.flatten(0, 1), curves[-1, 3:]]), closed))
    return parts


@torch.no_grad()
def crossings(line: Float[Tensor, "vertices 2"], *, closed: bool = False) -> tuple[Tensor, Tensor]:
    """The chords of a line that cross others that are not their neighbors: first and second of each pair."""
    start, end = line[:-1], line[1:]
    along = end - start

    def left(points: Tensor) -> Tensor:
        return _cross(along[:, None], points[None] - start[:, None]) > 0

    apart = left(start) != left(end)  # (chord, other): the other's ends are on both sides of the chord
    slanted = _cross(along[:, None], along[None]).abs() > _PARALLEL * (_length(along)[:, None] * _length(along)[None])
    both = torch.triu(apart & apart.T & slanted, diagonal=2)
    if closed:
        both[0, -1] = False
    first, second = both.nonzero(as_tuple=True)
    return first, second


def path_lengths(drawing: Drawing) -> Float[Tensor, " segments"]:
    """The length of each segment, in shorter sides of the canvas: the mean of its chord's and its control polygon's.

    Source: Gravesen 1997, "Adaptive subdivision and the length and energy of Bezier curves".
    """
    cubics, _ = _cubics(drawing)
    polygon = _length(cubics[:, 1:] - cubics[:, :-1]).sum(1)
    return (polygon + _length(cubics[:, 3] - cubics[:, 0])) / 2


def detours(drawing: Drawing) -> Float[Tensor, ""]:
    """The mean over the subpaths of the fraction of their control polygons by which these are longer than straight.

    An open line is straight from end to end; each segment of a closed one is.
    """
    cubics, _ = _cubics(drawing)
    polygon = _length(cubics[:, 1:] - cubics[:, :-1]).sum(1)
    flags = [flag for style in drawing.styles for flag in style.closed] or [False] * len(drawing.segments)
    counts = [
        count
        for count, closed in zip(drawing.segments, flags, strict=True)
        for count in ([1] * count if closed else [count])
    ]
    last = torch.tensor(counts, device=cubics.device).cumsum(0) - 1
    first = torch.cat([last.new_zeros(1), last[:-1] + 1])
    lengths = torch.cat([polygon.new_zeros(1), polygon.cumsum(0)])
    lengths = lengths[last + 1] - lengths[first]
    straight = _length(cubics[last, 3] - cubics[first, 0])
    return (1 - straight / lengths.clamp(min=_SHORT)).clamp(min=0).mean()
