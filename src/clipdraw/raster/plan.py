"""What every backend does first: which segments and layers there are, canvas units to pixels, how fine to flatten."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing, Style, control_points

STEEPEST = 1e12
"""Paths whose matrices have numbers beyond this paint nothing."""
FLATTEST = 1e-6
"""Matrices whose determinant is below this, times the sum of the squares of their numbers, make all things flat: as in
SVG, paths with such a matrix paint nothing."""
FARTHEST_PX = 1e9
"""Paths with a control point or a radius beyond this paint nothing: rounding of float64 would show."""

NONZERO, EVENODD, STROKE = 0, 1, 2
"""How a layer is painted."""
CAPS = {"round": 0, "butt": 1, "square": 2}
JOINS = {"round": 0, "bevel": 1, "miter": 2}

SMOOTH_TURN = 0.3
"""Turns up to this, in radians, are mitered whatever the join: a round one would differ by less than r^2 / 1000."""
MITER_AREA_PX = 0.005
"""So are turns within segments and at round joins where that paints at most this much more, in square pixels."""
TURNED_BACK = -0.9999
"""Cosine of the turns below which a stroke goes back on itself: they have no miter."""
HAIRLINE_PX = 0.01
"""Strokes narrower than this are drawn this wide, and as much fainter."""
AT_SIDES, IN_THIN = 0.45, 0.25
"""Segments that a side of the image may cut, and those of strokes narrower than `THIN_PX`, are flattened within these
shares of the tolerance. Only over whole pieces is a polyline's direction the curve's on average, and borders of pixels
cut thin strokes as the image's sides cut others: gradients of points would be off by 3 % there, at worst by a
quarter."""
THIN_PX = 1.0
SHORTEST_PX = 1e-3
"""Pieces of a stroke not longer than this are left out: they have no direction to speak of."""
ARC_TOLERANCE_PX = 0.06
"""Distance between round caps and joins and their polylines."""
MOST_ARC_STEPS = 256
"""Most edges of a round cap or join: keeps a width of a million units from filling the memory."""
LARGEST_ARC_STEP = 0.8
"""The largest angle that one edge of a round cap or join spans, in radians."""
MOST_CHORDS = 32
"""Most edges in a pixel for which overlaps are sorted out; beyond, windings are added up and limited."""
TILT = 0.18347
"""The slope of the rays by which windings are counted, which lean towards the pixel's middle row: a number so odd that
no edge is parallel to them."""
SAME = 1e-11
"""Edges nearer to each other than this, in pixels, lie on each other."""
BORDER = 1e-9
"""Ends of edges nearer to the left side of a pixel than this, in pixels, lie on it."""
SINGLE = 1e-5
"""What `SAME` and `BORDER` are where geometry is in float32, in which places are hardly known better."""
ROUNDINGS = 4
"""So many units in the last place of its coordinates a place within an edge may be off."""

NO_KNOCKOUT = 1e-4
"""An opacity of a path that is so near to 0 or 1 only multiplies those of its fill and stroke, which is off by as much
where they overlap; rounding in float32 would show more."""


class Index(NamedTuple):
    """Where the subpaths, segments and layers of a drawing are; it depends on no tensor."""

    cubics: np.ndarray
    """Control points of each segment: int64, cubics x 4."""
    first_cubic: np.ndarray
    """First segment of each subpath, and the number of segments at the end: int64, subpaths + 1."""
    closed: np.ndarray
    """1 for closed subpaths: int64, subpaths."""
    first_subpath: np.ndarray
    """First subpath of each path, and the number of subpaths at the end: int64, paths + 1."""
    path: np.ndarray
    """The path of each segment: int64, cubics."""
    pens: np.ndarray
    """Cap, join and miter limit of each path: float64, paths x 3."""
    layers: np.ndarray
    """What is painted, back to front: path, and how: int64, layers x 2."""
    first_layer: np.ndarray
    """First layer of each path, and the number of layers at the end: int64, paths + 1."""
    gradients: np.ndarray
    """The gradient of each layer, -1 for none: int64, layers."""
    opacities: np.ndarray
    """The opacity of each layer's path, which multiplies its own: float64, layers; nothing if all are 1."""
    knockouts: np.ndarray
    """The same for strokes with a fill beneath, unless it is nearly 0 or 1 (`NO_KNOCKOUT`), and 1 for other layers:
    float64, layers; nothing if all are 1.

    SVG composites fill and stroke, of alphas F and S, and then both with their path's opacity a over what lies below.
    That is, with alphas aF and aS, source-over as for other layers if of the fill only (1 - S) / (1 - aS) is left: the
    stroke knocks it out. For opacities of colors above 1, which SVG doesn't have, the divisor is at least (1 - a) / 2.
    """


@lru_cache(maxsize=32)
def index_of(segments: tuple[int, ...], styles: tuple[Style, ...]) -> Index:
    """Where everything is, for the segment counts and styles of a drawing."""
    styles = styles or (Style(),) * len(segments)
    counts = np.asarray(segments, dtype=np.int64)
    closed = np.array([flag for style in styles for flag in style.closed], dtype=np.int64)
    first_cubic = _firsts(counts)
    first_subpath = _firsts([len(style.closed) for style in styles])
    first_point = _firsts([control_points(n, closed=bool(c)) for n, c in zip(segments, closed, strict=True)])
    subpath = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(subpath)) - first_cubic[subpath]
    cubics = (first_point[subpath] + 3 * within)[:, None] + np.arange(4)
    wraps = (within == counts[subpath] - 1) & (closed[subpath] > 0)
    cubics[wraps, 3] = first_point[subpath[wraps]]
    path_of_subpath = np.repeat(np.arange(len(styles)), np.diff(first_subpath))
    layers, gradients, opacities, knockouts = [], [], [], []
    for number, style in enumerate(styles):
        if style.fill is not None:
            layers.append((number, NONZERO if style.fill == "nonzero" else EVENODD))
            gradients.append(-1 if style.fill_gradient is None else style.fill_gradient)
            opacities.append(style.opacity)
            knockouts.append(1.0)
        if style.stroked:
            layers.append((number, STROKE))
            gradients.append(-1 if style.stroke_gradient is None else style.stroke_gradient)
            opacities.append(style.opacity)
            knocks = style.fill is not None and NO_KNOCKOUT <= style.opacity <= 1 - NO_KNOCKOUT
            knockouts.append(style.opacity if knocks else 1.0)
    painted = np.array(layers, dtype=np.int64).reshape(-1, 2)
    return Index(
        cubics,
        first_cubic,
        closed,
        first_subpath,
        path_of_subpath[subpath],
        np.array([(CAPS[s.cap], JOINS[s.join], s.miter_limit) for s in styles]).reshape(-1, 3),
        painted,
        _firsts(np.bincount(painted[:, 0], minlength=len(styles))),
        np.array(gradients, dtype=np.int64),
        _unless_all_one(opacities),
        _unless_all_one(knockouts),
    )


def _unless_all_one(numbers: list[float]) -> np.ndarray:
    return np.array(numbers if any(number != 1 for number in numbers) else [], dtype=np.float64)


def _firsts(counts: np.ndarray | list[int]) -> np.ndarray:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(np.asarray(counts, dtype=np.int64))))


def pixels_per_unit(drawing: Drawing, height: int, width: int) -> tuple[float, float]:
    """Pixels per canvas unit, across and down; they differ only where sizes were rounded."""
    return width / drawing.canvas.width, height / drawing.canvas.height


def exact_dtype(device: torch.device) -> torch.dtype:
    """What geometry is computed in: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


@lru_cache(maxsize=32)
def _scaling(across: float, down: float, dtype: torch.dtype, device: torch.device) -> Float[Tensor, "3 3"]:
    """From canvas units to pixels; shared, so not to be written to."""
    return torch.tensor([[across, 0, 0], [0, down, 0], [0, 0, 1]], dtype=dtype, device=device)


@lru_cache(maxsize=32)
def _scalings(
    across: float, down: float, dtype: torch.dtype, device: torch.device, count: int
) -> Float[Tensor, "count 2 3"]:
    """The same for many paths, without the last row."""
    return _scaling(across, down, dtype, device)[:2].repeat(count, 1, 1)


def matrices_px(drawing: Drawing, height: int, width: int) -> Float[Tensor, "paths 2 3"]:
    """What takes the points of each path to pixels, in `exact_dtype`; NaN for what paints nothing.

    That is if a number is beyond `STEEPEST`, or if the matrix makes a line or a point of everything.

    Differentiable in `drawing.transforms`.
    """
    device, dtype = drawing.points.device, exact_dtype(drawing.points.device)
    stretch = pixels_per_unit(drawing, height, width)
    if drawing.transforms is None or not any(style.transforms for style in drawing.styles):
        return _scalings(*stretch, dtype, device, len(drawing))
    scale = _scaling(*stretch, dtype, device)
    last = torch.tensor([[0.0, 0.0, 1.0]], dtype=dtype, device=device)
    sound = (drawing.transforms.detach().abs() <= STEEPEST).all(2).all(1)  # false for NaN
    transforms = torch.where(sound[:, None, None], drawing.transforms, 0).to(dtype)  # which makes all things flat
    square = torch.cat((transforms, last.expand(len(transforms), 1, 3)), dim=1)
    chains: dict[tuple[int, ...], Tensor] = {(): scale}
    for style in drawing.styles:
        for depth in range(1, len(style.transforms) + 1):
            chain = style.transforms[:depth]
            if chain not in chains:
                chains[chain] = chains[chain[:-1]] @ square[chain[-1]]
    matrices = torch.stack([chains[style.transforms] for style in drawing.styles])[:, :2]
    known, linear = matrices.detach(), matrices.detach()[:, :, :2]
    area = (linear[:, 0, 0] * linear[:, 1, 1] - linear[:, 0, 1] * linear[:, 1, 0]).abs()
    kept = (known.abs() <= STEEPEST).all(2).all(1) & (area > FLATTEST * linear.square().sum((1, 2)))
    return torch.where(kept[:, None, None], matrices, torch.nan)
