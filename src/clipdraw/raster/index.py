"""Where the subpaths, segments and layers of drawings are; nothing here depends on a tensor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from clipdraw.drawing import Style, control_points
from clipdraw.raster.constants import CAPS, EVENODD, JOINS, NO_GROUP_OPACITY, NONZERO, STROKE


class Index(NamedTuple):
    """The structure of a drawing, or of several whose paths follow one another."""

    cubics: np.ndarray
    """Control points of each segment: int64, segments x 4."""
    first_cubic: np.ndarray
    """First segment of each subpath, and the number of segments at the end: int64, subpaths + 1."""
    closed: np.ndarray
    """1 for closed subpaths: int64, subpaths."""
    first_subpath: np.ndarray
    """First subpath of each path, and the number of subpaths at the end: int64, paths + 1."""
    path: np.ndarray
    """The path of each segment: int64, segments."""
    pens: np.ndarray
    """Cap, join and miter limit of each path: float64, paths x 3."""
    layers: np.ndarray
    """Fills and strokes, back to front: the path, and how it is painted: int64, layers x 2."""
    first_layer: np.ndarray
    """First layer of each path, and the number of layers at the end: int64, paths + 1."""
    gradients: np.ndarray
    """The gradient of each layer, -1 for none: int64, layers."""
    opacities: np.ndarray
    """The opacity of each layer's path, which multiplies its own: float64, layers; empty if all are 1."""
    group_opacities: np.ndarray
    """The same for strokes with a fill beneath, unless it is nearly 0 or 1 (`NO_GROUP_OPACITY`), and 1 for other
    layers: float64, layers; empty if all are 1.

    SVG composites fill and stroke, of alphas F and S, and then both with their path's opacity a over what lies below.
    That is, with alphas aF and aS, source-over as for other layers if of the fill only (1 - S) / (1 - aS) is left: the
    stroke hides it. For opacities of colors above 1, which SVG doesn't have, the divisor is at least (1 - a) / 2.
    """


class _Layer(NamedTuple):
    """A fill or a stroke."""

    path: int
    rule: int
    gradient: int
    opacity: float
    group_opacity: float


def index_of(segments: tuple[int, ...], styles: tuple[Style, ...]) -> Index:
    """The index of a drawing with these segment counts of subpaths, and styles of paths."""
    styles = styles or (Style(),) * len(segments)
    closed = np.array([flag for style in styles for flag in style.closed], dtype=np.int64)
    first_subpath = _firsts([len(style.closed) for style in styles])
    subpath = np.repeat(np.arange(len(segments)), np.asarray(segments, dtype=np.int64))
    layers = list(_layers_of(styles))
    painted = np.array([layer[:2] for layer in layers], dtype=np.int64).reshape(-1, 2)
    return Index(
        cubics=_cubics(segments, closed, subpath),
        first_cubic=_firsts(segments),
        closed=closed,
        first_subpath=first_subpath,
        path=np.repeat(np.arange(len(styles)), np.diff(first_subpath))[subpath],
        pens=np.array([(CAPS[s.cap], JOINS[s.join], s.miter_limit) for s in styles], np.float64).reshape(-1, 3),
        layers=painted,
        first_layer=_firsts(np.bincount(painted[:, 0], minlength=len(styles))),
        gradients=np.array([layer.gradient for layer in layers], dtype=np.int64),
        opacities=_unless_all_one([layer.opacity for layer in layers]),
        group_opacities=_unless_all_one([layer.group_opacity for layer in layers]),
    )


def _cubics(segments: tuple[int, ...], closed: np.ndarray, subpath: np.ndarray) -> np.ndarray:
    """Control points of each segment; the last one of a closed subpath ends where the first begins."""
    first_segment = _firsts(segments)
    first_point = _firsts([control_points(n, closed=bool(c)) for n, c in zip(segments, closed, strict=True)])
    within = np.arange(len(subpath)) - first_segment[subpath]
    cubics = (first_point[subpath] + 3 * within)[:, None] + np.arange(4)
    wraps = (within == np.asarray(segments, dtype=np.int64)[subpath] - 1) & (closed[subpath] > 0)
    cubics[wraps, 3] = first_point[subpath[wraps]]
    return cubics


def _layers_of(styles: tuple[Style, ...]) -> Iterator[_Layer]:
    for path, style in enumerate(styles):
        if style.fill is not None:
            rule = NONZERO if style.fill == "nonzero" else EVENODD
            yield _Layer(path, rule, _number(style.fill_gradient), style.opacity, 1.0)
        if style.stroked:
            grouped = style.fill is not None and NO_GROUP_OPACITY <= style.opacity <= 1 - NO_GROUP_OPACITY
            group_opacity = style.opacity if grouped else 1.0
            yield _Layer(path, STROKE, _number(style.stroke_gradient), style.opacity, group_opacity)


def _number(gradient: int | None) -> int:
    return -1 if gradient is None else gradient


def _unless_all_one(numbers: list[float]) -> np.ndarray:
    return np.array(numbers if any(number != 1 for number in numbers) else [], dtype=np.float64)


def _firsts(counts: np.ndarray | list[int] | tuple[int, ...]) -> np.ndarray:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(np.asarray(counts, dtype=np.int64))))
