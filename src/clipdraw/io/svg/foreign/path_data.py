"""Path data by SVG's grammar, up to the first error, as subpaths of cubic segments.

Source: SVG 2, sections 9.3.9 and 9.5.4. Numbers may also end in a point, as in SVG 1.1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float64

from clipdraw.io.svg.foreign.values import NUMBER
from clipdraw.limits import check_limits

Command = tuple[str, list[float]]
"""A letter, and the numbers of one or more commands of that kind."""

Point = tuple[float, float]
Values = Float64[np.ndarray, "*values"]

_SPACE = r"[ \t\r\n\f]*+"
_COMMA = rf"{_SPACE},?{_SPACE}"
_ARC = _COMMA.join([NUMBER] * 3 + ["[01]"] * 2 + [NUMBER] * 2)
_ARITY = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "t": 2, "a": 7, "z": 0}

_NUMBER = re.compile(NUMBER)
_NUMBERS = re.compile(rf"{NUMBER}(?:{_COMMA}{NUMBER})*+")
_ARCS = re.compile(rf"{_ARC}(?:{_COMMA}{_ARC})*+")
_ARC_NUMBERS = re.compile(_COMMA.join(f"({part})" for part in [NUMBER] * 3 + ["[01]"] * 2 + [NUMBER] * 2))
_LETTER = re.compile(rf"{_SPACE}([MmZzLlHhVvCcSsQqTtAa]){_SPACE}")
_BLANK = re.compile(_SPACE)
_COMMAND = re.compile(r"([a-df-zA-DF-Z])([^a-df-zA-DF-Z]*)")
_LEAST_ARC_NUMBERS = 5
"""Numbers of an arc at least: its flags may stand close together."""
_ARC_PIECE = math.pi / 6
"""The largest angle of one cubic segment of an arc: at most 4e-7 of the radius off."""
_STRAIGHT = 1e-12
"""The sine of half the angle at a vertex is at least 1 less this where the curve goes straight on."""


def path_commands(data: str) -> tuple[list[Command], bool]:
    """The commands of path data up to its first error, and whether there is none."""
    if data.strip() in ("", "none"):
        return [], True
    commands: list[Command] = []
    at = 0
    while letter := _LETTER.match(data, at):
        at = letter.end()
        numbers, end = _numbers(data, at, arcs=letter[1] in "aA")
        arity = _ARITY[letter[1].lower()]
        whole = len(numbers) - len(numbers) % arity if arity else 0
        if (not commands and letter[1] not in "mM") or bool(arity) != bool(whole):
            return commands, False
        commands.append((letter[1], numbers[:whole]))
        if len(numbers) != whole:
            return commands, False
        at = end
    return commands, _ends(data, at)


def point_list(text: str) -> tuple[list[float], bool]:
    """The coordinates of a list of points up to its first error, and whether there is none."""
    numbers, end = _numbers(text, _start(text), arcs=False)
    whole = len(numbers) - len(numbers) % 2
    return numbers[:whole], whole == len(numbers) and _ends(text, end)


def number_list(text: str) -> list[float] | None:
    """All numbers of a list; None if it holds anything else."""
    numbers, end = _numbers(text, _start(text), arcs=False)
    return numbers if _ends(text, end) else None


def count_segments(data: str) -> int:
    """About how many segments path data describes, without building them."""
    arities = _ARITY | {"a": _LEAST_ARC_NUMBERS}
    return sum(
        max(1, len(_NUMBER.findall(numbers)) // (arities.get(letter.lower(), 1) or 1))
        for letter, numbers in _COMMAND.findall(data if data[:1].isalpha() else "L" + data)
    )


def _numbers(text: str, at: int, *, arcs: bool) -> tuple[list[float], int]:
    """The numbers from `at` on, and where they end."""
    match = (_ARCS if arcs else _NUMBERS).match(text, at)
    if match is None:
        return [], at
    if arcs:
        return [float(part) for group in _ARC_NUMBERS.findall(match[0]) for part in group], match.end()
    return list(map(float, _NUMBER.findall(match[0]))), match.end()


def _start(text: str) -> int:
    blank = _BLANK.match(text)
    return blank.end() if blank else 0


def _ends(text: str, at: int) -> bool:
    blank = _BLANK.match(text, at)
    return blank is not None and blank.end() == len(text)


@dataclass(frozen=True)
class Subpath:
    """The control points of a subpath, and whether it is closed; then its first point is not repeated at the end."""

    points: Float64[np.ndarray, "points 2"]
    closed: bool

    @property
    def segments(self) -> int:
        """The number of cubic segments."""
        return len(self.points) // 3

    def cubics(self) -> Float64[np.ndarray, "segments 4 2"]:
        """The control points of each segment."""
        points = np.concatenate((self.points, self.points[:1])) if self.closed else self.points
        return points[np.arange(self.segments)[:, None] * 3 + np.arange(4)]


def extent(subpaths: Sequence[Subpath]) -> Float64[np.ndarray, "2 2"]:
    """Lowest and highest coordinates of the curves; control points off the curve do not count."""
    cubics = np.concatenate([subpath.cubics() for subpath in subpaths])
    p0, p1, p2, p3 = cubics.transpose(1, 0, 2)
    t = np.stack((np.zeros_like(p0), np.ones_like(p0), *extreme_times(p0, p1, p2, p3)))
    s = 1 - t
    points = (s**3 * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t**3 * p3).reshape(-1, 2)
    return np.stack((points.min(axis=0), points.max(axis=0)))


def extreme_times(p0: Values, p1: Values, p2: Values, p3: Values) -> Float64[np.ndarray, "2 ..."]:
    """The two times at which cubics turn, within [0, 1].

    Source: the derivative a t^2 + b t + c is zero.
    """
    a, b, c = p3 - p0 + 3 * (p1 - p2), 2 * (p0 - 2 * p1 + p2), p1 - p0
    root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
    half = -(b + np.where(b < 0, -root, root)) / 2
    with np.errstate(all="ignore"):
        times = np.stack((half / a, c / half))
    return np.nan_to_num(times, posinf=0.0, neginf=0.0).clip(0, 1)


def stroke_tips(
    subpath: Subpath, radius: float, *, square_caps: bool, miter_limit: float
) -> Float64[np.ndarray, "tips 2"]:
    """The corners of a stroke that lie further from the curve than half its width: of square caps and of miters.

    Args:
        subpath: the curve.
        radius: half the stroke's width.
        square_caps: whether an open curve ends in square caps.
        miter_limit: the longest miter, in widths, 1 or more; sharper corners are beveled, as all are at 1.

    Source: SVG 2, section 13.5.5: a miter at an angle of a is 1 / sin(a / 2) widths long.
    """
    cubics = subpath.cubics()
    first, last = _directions(cubics), _directions(cubics[:, ::-1])
    moving = first.any(axis=1)
    vertices, onward, backward = cubics[moving, 0], first[moving], last[moving]
    if not len(vertices):
        return np.empty((0, 2))
    before = np.roll(backward, 1, axis=0)
    sine = np.sqrt((1 - (onward * before).sum(axis=1)).clip(0) / 2)  # of half the angle
    mitered = (sine < 1 - _STRAIGHT) & (sine * miter_limit >= 1)
    mitered[0] &= subpath.closed
    sine = sine[mitered, None]
    tips = vertices[mitered] - radius * (onward + before)[mitered] / (2 * sine * np.sqrt(1 - sine**2))
    if subpath.closed or not square_caps:
        return tips
    ends, inward = np.stack((cubics[0, 0], cubics[-1, 3])), np.stack((onward[0], backward[-1]))
    across = inward[:, ::-1] * (-1, 1)
    corners = [ends - radius * (inward + side * across) for side in (-1, 1)]
    return np.concatenate((tips, *corners))


def _directions(cubics: Float64[np.ndarray, "segments 4 2"]) -> Float64[np.ndarray, "segments 2"]:
    """Unit vectors from the first control point of each segment to the next one elsewhere; 0 where there is none."""
    ways = cubics[:, 1:] - cubics[:, :1]
    lengths = np.linalg.norm(ways, axis=2)
    chosen = (lengths > 0).argmax(axis=1)
    rows = np.arange(len(cubics))
    return ways[rows, chosen] / np.where(lengths > 0, lengths, 1)[rows, chosen, None]


def is_flat(subpaths: Sequence[Subpath]) -> bool:
    """Whether each subpath lies on a line, so that it encloses nothing."""
    for subpath in subpaths:
        offsets = subpath.points - subpath.points[0]
        direction = offsets[np.abs(offsets).sum(axis=1).argmax()]
        if np.abs(offsets @ (direction[1], -direction[0])).max() > 1e-9 * (direction @ direction):
            return False
    return True


def build_subpaths(commands: Iterable[Command]) -> list[Subpath]:
    """The subpaths that path commands draw.

    Raises:
        ValueError, ArithmeticError: an arc of extreme numbers.
    """
    pen = Pen()
    for letter, numbers in single_commands(commands):
        check_limits()
        pen.follow(letter, numbers)
    pen.end_subpath(closed=False)
    return pen.subpaths


def single_commands(commands: Iterable[Command]) -> Iterator[Command]:
    """The commands one by one; further pairs after a move are lines."""
    for letter, numbers in commands:
        arity = _ARITY[letter.lower()]
        if not arity:
            yield letter, []
        following = {"m": "l", "M": "L"}.get(letter, letter)
        for at in range(0, len(numbers), arity or 1):
            yield following if at else letter, numbers[at : at + arity]


def _absolute(letter: str, numbers: list[float], at: Point) -> list[float]:
    if letter.isupper() or letter == "z":
        return numbers
    if letter == "a":
        return [*numbers[:5], numbers[5] + at[0], numbers[6] + at[1]]
    if letter == "v":
        return [numbers[0] + at[1]]
    return [number + at[index % 2] for index, number in enumerate(numbers)]


class Pen:
    """A pen that follows commands.

    `at` is where it stands, `added` are the control points of the last curve or line, from its start on.
    """

    def __init__(self) -> None:
        self.subpaths: list[Subpath] = []
        self.points: list[Point] = []
        self.added: list[Point] = []
        self.at: Point = (0.0, 0.0)
        self.start: Point = (0.0, 0.0)
        self.before = ""
        self.control: Point = (0.0, 0.0)

    def follow(self, letter: str, numbers: list[float]) -> None:
        """Draw one command."""
        numbers, letter = _absolute(letter, numbers, self.at), letter.lower()
        if letter == "m":
            self.end_subpath(closed=False)
            self.at = self.start = (numbers[0], numbers[1])
            self.points = [self.at]
        elif letter == "z":
            self._close()
        else:
            self.added = [self.at, *self._cubics(letter, numbers)]
            self.points = self.points or [self.at]
            self.points += self.added[1:]
            self.at = self.added[-1]
        self.before = letter

    def end_subpath(self, *, closed: bool) -> None:
        """Keep the subpath if it has a segment, and begin the next one."""
        if len(self.points) > 1:
            points = self.points[:-1] if closed else self.points
            self.subpaths.append(Subpath(np.array(points, dtype=np.float64), closed))
        self.points = []

    def _close(self) -> None:
        points = self.points = self.points or [self.at]
        if len(points) == 1 or not _same(points[-1], self.start):
            points += _line(points[-1], self.start)
        self.at = self.start
        self.end_subpath(closed=True)

    def _cubics(self, letter: str, numbers: list[float]) -> list[Point]:
        """The control points that a command adds."""
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


def _line(start: Point, end: Point) -> list[Point]:
    (x0, y0), (x1, y1) = start, end
    return [((2 * x0 + x1) / 3, (2 * y0 + y1) / 3), ((x0 + 2 * x1) / 3, (y0 + 2 * y1) / 3), end]


def _raised(start: Point, control: Point, end: Point) -> list[Point]:
    """A quadratic curve as a cubic one."""
    (x0, y0), (x1, y1), (x2, y2) = start, control, end
    return [((x0 + 2 * x1) / 3, (y0 + 2 * y1) / 3), ((x2 + 2 * x1) / 3, (y2 + 2 * y1) / 3), end]


def _arc(start: Point, numbers: list[float]) -> list[Point]:
    """The control points after the start of an elliptical arc, in equal pieces of 30 degrees at most.

    On the unit circle the handles of a piece of angle p are 4/3 tan(p/4) long.

    Source: SVG 2, appendix on arcs (F.6.5 and F.6.6 in SVG 1.1).
    """
    rx, ry, degrees, large, sweep, x, y = numbers
    if not rx or not ry or start == (x, y):
        return _line(start, (x, y))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    half_x, half_y = (start[0] - x) / 2, (start[1] - y) / 2
    u, v = (cos * half_x + sin * half_y) / abs(rx), (cos * half_y - sin * half_x) / abs(ry)
    grow = max(1.0, math.hypot(u, v))  # radii that do not reach
    rx, ry, u, v = abs(rx) * grow, abs(ry) * grow, u / grow, v / grow
    distance = math.sqrt(max(0.0, 1 / (u * u + v * v) - 1)) * (-1 if large == sweep else 1)
    center_u, center_v = distance * v, -distance * u
    first, last = (math.atan2(side * v - center_v, side * u - center_u) for side in (1, -1))
    angle = (last - first) % math.tau - (0 if sweep else math.tau)
    count = math.ceil(abs(angle) / _ARC_PIECE - 1e-6)  # half an ellipse is 6 pieces in spite of rounding
    handle = 4 / 3 * math.tan(angle / count / 4)
    unit: list[Point] = []
    for one, other in pairwise(first + angle * step / count for step in range(count + 1)):
        unit += [
            (math.cos(one) - handle * math.sin(one), math.sin(one) + handle * math.cos(one)),
            (math.cos(other) + handle * math.sin(other), math.sin(other) - handle * math.cos(other)),
            (math.cos(other), math.sin(other)),
        ]
    matrix = np.array([[cos * rx, -sin * ry], [sin * rx, cos * ry]])
    center = matrix @ (center_u, center_v) + ((start[0] + x) / 2, (start[1] + y) / 2)
    points = [(float(px), float(py)) for px, py in np.array(unit) @ matrix.T + center]
    return [*points[:-1], (x, y)]
