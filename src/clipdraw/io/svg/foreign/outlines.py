"""The outlines of foreign SVG shapes: runs of cubic segments, made from path commands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from svgelements import Arc

from clipdraw.io.svg.foreign.path_data import Command, single_commands

Point = tuple[float, float]


@dataclass(frozen=True)
class Run:
    """One subpath: its control points, and whether it is closed; then its first point is not repeated at the end."""

    points: Float64[np.ndarray, "points 2"]
    closed: bool

    @property
    def segments(self) -> int:
        """The number of cubic segments."""
        return len(self.points) // 3

    def outline(self) -> Float64[np.ndarray, "segments 4 2"]:
        """The control points of each segment."""
        points = np.concatenate((self.points, self.points[:1])) if self.closed else self.points
        return points[np.arange(self.segments)[:, None] * 3 + np.arange(4)]


def outline_runs(commands: Iterable[Command]) -> list[Run]:
    """The subpaths that path commands draw."""
    pen = _Pen()
    for letter, numbers in single_commands(list(commands)):
        pen.follow(letter.lower(), _absolute(letter, numbers, pen.at))
    pen.end_run(closed=False)
    return pen.runs


def extent(runs: Sequence[Run]) -> Float64[np.ndarray, "2 2"]:
    """Lowest and highest coordinates of the curves, without their control points.

    Source: the extremes of a cubic, where its derivative a t^2 + b t + c is zero.
    """
    cubics = np.concatenate([run.outline() for run in runs])
    p0, p1, p2, p3 = cubics.transpose(1, 0, 2)
    a, b, c = p3 - p0 + 3 * (p1 - p2), 2 * (p0 - 2 * p1 + p2), p1 - p0
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    half = -(b + np.where(b < 0, -root, root)) / 2
    times = np.nan_to_num(np.stack((np.zeros_like(a), np.ones_like(a), half / a, c / half)), posinf=0.0, neginf=0.0)
    t = times.clip(0, 1)
    s = 1 - t
    places = (s**3 * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t**3 * p3).reshape(-1, 2)
    return np.stack((places.min(axis=0), places.max(axis=0)))


def flat(runs: Sequence[Run]) -> bool:
    """Whether each run lies on a line, so that it encloses nothing."""
    for run in runs:
        away = run.points - run.points[0]
        along = away[np.abs(away).sum(axis=1).argmax()]
        if np.abs(away @ (along[1], -along[0])).max() > 1e-9 * (along @ along):
            return False
    return True


class _Pen:
    """Follows commands in absolute coordinates; a move, a line, and so on, each has its small letter."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.points: list[Point] = []
        self.at: Point = (0.0, 0.0)
        self.start: Point = (0.0, 0.0)
        self.before = ""
        self.control: Point = (0.0, 0.0)

    def follow(self, letter: str, numbers: list[float]) -> None:
        """Draw one command."""
        if letter == "m":
            self.end_run(closed=False)
            self.at = self.start = (numbers[0], numbers[1])
            self.points = [self.at]
        elif letter == "z":
            self._close()
        else:
            self.points = self.points or [self.at]
            self.points += self._cubics(letter, numbers)
            self.at = self.points[-1]
        self.before = letter

    def end_run(self, *, closed: bool) -> None:
        """Put the subpath to the others, if it has a segment."""
        if len(self.points) > 1:
            points = self.points[:-1] if closed else self.points
            self.runs.append(Run(np.array(points, dtype=np.float64), closed))
        self.points = []

    def _close(self) -> None:
        points = self.points = self.points or [self.at]
        if len(points) == 1 or not _same(points[-1], self.start):
            points += _line(points[-1], self.start)
        self.at = self.start
        self.end_run(closed=True)

    def _cubics(self, letter: str, numbers: list[float]) -> list[Point]:
        """The control points that follow."""
        x0, y0 = self.at
        if letter == "h":
            return _line(self.at, (numbers[0], y0))
        if letter == "v":
            return _line(self.at, (x0, numbers[0]))
        if letter == "a":
            return _arc(self.at, numbers)
        points = [(numbers[at], numbers[at + 1]) for at in range(0, len(numbers), 2)]
        if letter == "l":
            return _line(self.at, points[0])
        if letter in "st":
            points = [self._reflected("cs" if letter == "s" else "qt"), *points]
        self.control = points[-2]
        return points if letter in "cs" else _raised(self.at, points[0], points[1])

    def _reflected(self, alike: str) -> Point:
        """The first control point of a smooth curve; only curves of one degree continue each other."""
        if not self.before or self.before not in alike:
            return self.at
        return 2 * self.at[0] - self.control[0], 2 * self.at[1] - self.control[1]


def _same(one: Point, other: Point) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(one, other, strict=True))


def _absolute(letter: str, numbers: list[float], at: Point) -> list[float]:
    if letter.isupper() or letter == "z":
        return numbers
    if letter == "a":
        return [*numbers[:5], numbers[5] + at[0], numbers[6] + at[1]]
    if letter == "v":
        return [numbers[0] + at[1]]
    return [number + at[index % 2] for index, number in enumerate(numbers)]


def _raised(start: Point, control: Point, end: Point) -> list[Point]:
    """A quadratic curve as a cubic one."""
    (x0, y0), (x1, y1), (x2, y2) = start, control, end
    return [((x0 + 2 * x1) / 3, (y0 + 2 * y1) / 3), ((x2 + 2 * x1) / 3, (y2 + 2 * y1) / 3), end]


def _arc(start: Point, numbers: list[float]) -> list[Point]:
    rx, ry, turn, large, sweep, x, y = numbers
    if not rx or not ry or start == (x, y):
        return _line(start, (x, y))
    arc = Arc(start, abs(rx), abs(ry), turn, large, sweep, (x, y))
    points = [
        (float(p.x), float(p.y)) for part in arc.as_cubic_curves() for p in (part.control1, part.control2, part.end)
    ]
    return [*points[:-1], (x, y)] if points else _line(start, (x, y))


def _line(start: Point, end: Point) -> list[Point]:
    (x0, y0), (x1, y1) = start, end
    return [((2 * x0 + x1) / 3, (2 * y0 + y1) / 3), ((x0 + 2 * x1) / 3, (y0 + 2 * y1) / 3), end]
