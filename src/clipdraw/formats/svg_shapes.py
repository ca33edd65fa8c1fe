"""Foreign SVG shapes to runs of cubic segments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float64
from svgelements import (
    Arc,
    Circle,
    Close,
    CubicBezier,
    Ellipse,
    Matrix,
    Move,
    Path,
    Polygon,
    Polyline,
    QuadraticBezier,
    Rect,
    SimpleLine,
)

from clipdraw.errors import FormatError
from clipdraw.formats.svg_read_parts import MAX_SEGMENTS
from clipdraw.formats.svg_style import length

_COMMAND = re.compile(r"([a-df-zA-DF-Z])([^a-df-zA-DF-Z]*)")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ARITY = {"z": 0, "h": 1, "v": 1, "m": 2, "l": 2, "t": 2, "s": 4, "q": 4, "c": 6, "a": 5}
_FIELDS = {
    "line": {"x1": "w", "y1": "h", "x2": "w", "y2": "h"},
    "rect": {"x": "w", "y": "h", "width": "w", "height": "h", "rx": "w", "ry": "h"},
    "circle": {"cx": "w", "cy": "h", "r": "d"},
    "ellipse": {"cx": "w", "cy": "h", "rx": "w", "ry": "h"},
}
_MAKERS: dict[str, Callable[..., Path]] = {"line": SimpleLine, "rect": Rect, "circle": Circle, "ellipse": Ellipse}
SHAPES = frozenset({"path", "polyline", "polygon", *_FIELDS})


class UnreadableError(ValueError):
    """A shape or transform that renderers pass over."""


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


def affine(text: str | None) -> Float64[np.ndarray, "3 3"]:
    """The matrix of a `transform` attribute.

    Raises:
        UnreadableError: it is not understood.
    """
    if not text:
        return np.eye(3)
    if len(text) > 2000:
        raise UnreadableError("a transform of more than 2,000 characters")
    try:
        m = Matrix(text)
        matrix = np.array([[m.a, m.c, m.e], [m.b, m.d, m.f], [0, 0, 1]], dtype=np.float64)
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise UnreadableError(str(error)) from error
    if not np.isfinite(matrix).all():
        raise UnreadableError(text)
    return matrix


def shape_runs(element: Element, tag: str, viewport: tuple[float, float]) -> list[Run]:
    """The subpaths of a shape in its own coordinates.

    Args:
        element: the shape.
        tag: its name, one of `SHAPES`.
        viewport: what percentages refer to.

    Raises:
        UnreadableError: its geometry is not understood.
        FormatError: it has too many segments.
    """
    data = element.get("d" if tag == "path" else "points", "")
    if count_segments(data) > MAX_SEGMENTS:
        raise FormatError(f"a path of more than {MAX_SEGMENTS:,} segments")
    try:
        return list(_runs(_path(element, tag, data, viewport)))
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise UnreadableError(str(error)) from error


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


def count_segments(data: str) -> int:
    """About how many segments path data describes, without building them."""
    return sum(
        max(1, len(_NUMBER.findall(numbers)) // (_ARITY.get(letter.lower(), 1) or 1))
        for letter, numbers in _COMMAND.findall(data if data[:1].isalpha() else "L" + data)
    )


def _path(element: Element, tag: str, data: str, viewport: tuple[float, float]) -> Path:
    if tag == "path":
        return Path(data)
    if tag in ("polyline", "polygon"):
        return Path((Polyline if tag == "polyline" else Polygon)(points=data)) if data.strip() else Path()
    width, height = viewport
    sizes = {"w": width, "h": height, "d": (width * width / 2 + height * height / 2) ** 0.5}
    fields = _FIELDS[tag]
    values = {key: length(element.get(key), of=sizes[size]) for key, size in fields.items() if element.get(key)}
    extents = [values.get(key, 0.0) for key in fields if key in ("width", "height", "r")]
    if tag == "ellipse":
        values = {"rx": values.get("ry", 0.0), "ry": values.get("rx", 0.0), **values}
        extents = [values["rx"], values["ry"]]
    if tag != "line" and min(extents) <= 0:
        return Path()
    return Path(_MAKERS[tag](**values))


def _runs(path: Path) -> Iterator[Run]:
    points: list[tuple[float, float]] = []
    for before, segment in pairwise([None, *path]):
        _smooth(segment, before)
        if isinstance(segment, Move):
            if len(points) > 1:
                yield _run(points, closed=False)
            points = [_xy(segment.end)]
            continue
        points = points or [_xy(segment.start)]
        if isinstance(segment, Close):
            if len(points) == 1 or not np.allclose(points[-1], _xy(segment.end), rtol=1e-9, atol=1e-9):
                points += _line(points[-1], _xy(segment.end))
            yield _run(points, closed=True)
            points = []
        else:
            points += _cubics(points[-1], segment)
    if len(points) > 1:
        yield _run(points, closed=False)


def _smooth(segment: Any, before: Any) -> None:
    """Correct the control point that a smooth curve takes from the one before.

    Only curves of one degree continue each other; svgelements reflects the control points of either.

    Source: SVG 2, sections 9.3.6 and 9.3.7.
    """
    if not getattr(segment, "smooth", False):
        return
    alike = type(segment) is type(before)
    if isinstance(segment, QuadraticBezier):
        segment.control = before.control.reflected_across(segment.start) if alike else segment.start
    elif not alike:
        segment.control1 = segment.start


def _run(points: list[tuple[float, float]], *, closed: bool) -> Run:
    return Run(np.array(points[:-1] if closed else points, dtype=np.float64), closed)


def _cubics(start: tuple[float, float], segment: object) -> list[tuple[float, float]]:
    """The control points that follow `start`."""
    if isinstance(segment, CubicBezier):
        return [_xy(segment.control1), _xy(segment.control2), _xy(segment.end)]
    if isinstance(segment, QuadraticBezier):
        control, end = np.array(_xy(segment.control)), np.array(_xy(segment.end))
        first, second = (np.array(start) + 2 * control) / 3, (end + 2 * control) / 3
        return [tuple(first), tuple(second), tuple(end)]
    if isinstance(segment, Arc) and segment.sweep and segment.rx and segment.ry:
        return [_xy(p) for part in segment.as_cubic_curves() for p in (part.control1, part.control2, part.end)]
    return _line(start, _xy(segment.end))  # type: ignore[attr-defined]


def _line(start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]]:
    (x0, y0), (x1, y1) = start, end
    return [((2 * x0 + x1) / 3, (2 * y0 + y1) / 3), ((x0 + 2 * x1) / 3, (y0 + 2 * y1) / 3), end]


def _xy(point: object) -> tuple[float, float]:
    return float(point.x), float(point.y)  # type: ignore[attr-defined]
