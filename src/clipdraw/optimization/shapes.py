"""Other starts than short strokes: closed shapes, and one line that runs through the whole picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.drawing import Canvas, Cap, Drawing, Style
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.constraints import WIDEST

SHAPES = ("stroke", "fill", "both", "pixel")
"""The kinds of paths: an open stroke, a filled shape, one with a stroke around it, or a square in a mosaic."""
_BLOB = 4  # segments, as LIVE has
_HANDLE = 4 / 3 * math.tan(math.pi / 8)  # of a quarter of a circle, in radii
_MOST_POINTS = 2000  # whose tour is shortened; a pass over more takes seconds
_ROUNDS = 5  # by which points move to where the ink is


@runtime_checkable
class Start(Protocol):
    """A drawing before the first step."""

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """A drawing on `canvas`; the same generator state gives the same drawing."""
        ...


@dataclass(frozen=True)
class OnPaper:
    """The drawing of another start, on a background, with the ends of strokes as the pen makes them.

    Args:
        start: the other start.
        color: red, green, blue in [0, 1]; None for no background.
        cap: how strokes end: `round`, `butt` or `square`.
    """

    start: Start
    color: tuple[float, float, float] | None
    cap: Cap = "round"

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """The drawing on `canvas`."""
        drawing = self.start(canvas, generator)
        if self.cap != "round":
            styles = drawing.styles or (Style(),) * len(drawing)
            drawing = replace(drawing, styles=tuple(replace(style, cap=self.cap) for style in styles))
        return replace(drawing, background=None if self.color is None else drawing.points.new_tensor(self.color))


@dataclass(frozen=True)
class RandomShapes:
    """Closed round shapes of four segments anywhere on the canvas.

    Args:
        shapes: how many, at least 1.
        reach: mean radius, as a fraction of the canvas's shorter side, 0 to 10.
        width: full width of their strokes, in units of a 224-unit canvas, 0 to 1000.
        opacity: smallest and largest opacity, in [0, 1].
        spread: fraction of the canvas's width and height, about its middle, in which they are.
        shape: `fill`, or `both` for a stroke around the fill.

    Raises:
        InputError: a value is out of range.

    Source: Ma et al. 2022 (LIVE), arXiv 2206.04655 (closed paths of four segments that begin as circles).
    """

    shapes: int = 256
    reach: float = 0.05
    width: float = 2.0
    opacity: tuple[float, float] = (0.0, 1.0)
    spread: float = 1.0
    shape: str = "fill"

    def __post_init__(self) -> None:
        check_fields(self, prefix="the start's ")
        if self.shapes < 1 or not 0 <= self.reach <= 10 or not 0 <= self.width <= WIDEST or not 0 < self.spread <= 1:
            raise InputError(
                f"shapes are at least 1, of reach 0 to 10, width 0 to {WIDEST:g} and spread (0, 1], got {self.shapes}, "
                f"{self.reach}, {self.width}, {self.spread}"
            )
        if not 0 <= self.opacity[0] <= self.opacity[1] <= 1:
            raise InputError(f"opacity lies in [0, 1], smallest first, got {self.opacity}")
        if self.shape not in SHAPES[1:3]:
            raise InputError(f"a closed shape is {' or '.join(SHAPES[1:3])}, got {self.shape!r}")

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """A drawing on `canvas`; the same generator state gives the same drawing."""
        size = torch.tensor([canvas.width, canvas.height])
        centers = (0.5 + (torch.rand(self.shapes, 1, 2, generator=generator) - 0.5) * self.spread) * size
        radii = self.reach * size.min() * (0.5 + torch.rand(self.shapes, 1, 1, generator=generator))
        turns = torch.rand(self.shapes, 1, generator=generator) * math.tau
        points = centers + radii * _circle(turns)
        fills = torch.rand(self.shapes, 4, generator=generator)
        low, high = self.opacity
        fills[:, 3] = low + (high - low) * fills[:, 3]
        style = Style(closed=(True,), fill="nonzero", stroked=self.shape == "both")
        return Drawing(
            points=points.flatten(0, 1),
            widths=torch.full((self.shapes,), self.width * canvas.scale),
            colors=fills * torch.tensor([0.5, 0.5, 0.5, 1.0]),
            segments=(_BLOB,) * self.shapes,
            canvas=canvas,
            styles=(style,) * self.shapes,
            fills=fills,
        )


def _circle(turns: Float[Tensor, "shapes 1"]) -> Float[Tensor, "shapes points 2"]:
    """The control points of circles of radius 1 that begin at these angles."""
    angles = turns + torch.arange(_BLOB) * (math.tau / _BLOB)
    on = torch.stack([angles.cos(), angles.sin()], -1)
    along = torch.stack([-angles.sin(), angles.cos()], -1) * _HANDLE
    return torch.stack([on, on + along, (on - along).roll(-1, 1)], 2).flatten(1, 2)


@dataclass(frozen=True)
class OneLine:
    """A single smooth line that visits random places without going far between them.

    Args:
        segments: cubic segments, 1 to 100,000.
        width: its full width, in units of a 224-unit canvas, 0 to 1000.
        opacity: its opacity, in [0, 1].
        spread: fraction of the canvas's width and height, about its middle, in which the places are.

    Raises:
        InputError: a value is out of range.

    Source: Bosch and Herman 2004, "Continuous line drawings via the traveling salesman problem".
    """

    segments: int = 256
    width: float = 2.0
    opacity: float = 1.0
    spread: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="the line's ")
        if not (1 <= self.segments <= 100_000 and 0 <= self.width <= WIDEST):
            raise InputError(
                f"a line has 1 to 100,000 segments and a width from 0 to {WIDEST:g}, got {self.segments} and "
                f"{self.width}"
            )
        if not (0 <= self.opacity <= 1 and 0 < self.spread <= 1):
            raise InputError(
                f"a line's opacity lies in [0, 1], its spread in (0, 1], got {self.opacity} and {self.spread}"
            )

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """A drawing on `canvas`; the same generator state gives the same drawing."""
        places = 0.5 + (torch.rand(self.segments + 1, 2, generator=generator) - 0.5) * self.spread
        return self._through(
            places * torch.tensor([canvas.width, canvas.height]), canvas, torch.rand(3, generator=generator)
        )

    def on_ink(self, amounts: Float[Tensor, "height width"], drawing: Drawing, generator: torch.Generator) -> Drawing:
        """The line through places that are the denser the more ink a picture of the canvas has.

        Args:
            amounts: of ink at each pixel of the picture, 0 or more.
            drawing: the line of `__call__`, whose canvas, color and background it keeps.
            generator: the only source of randomness.
        """
        canvas = drawing.canvas
        places = _stipples(amounts, self.segments + 1, generator) * torch.tensor([canvas.width, canvas.height])
        return replace(self._through(places, canvas, drawing.colors[0, :3]), background=drawing.background)

    def _through(self, places: Float[Tensor, "places 2"], canvas: Canvas, color: Float[Tensor, " 3"]) -> Drawing:
        points = smooth_through(places[tour(places)])
        widths, colors = torch.tensor([self.width * canvas.scale]), torch.cat([color, torch.tensor([self.opacity])])
        return Drawing(points, widths, colors[None], (self.segments,), canvas)


def smooth_through(places: Float[Tensor, "places 2"]) -> Float[Tensor, "points 2"]:
    """The control points of a smooth line through places, in their order.

    Source: Catmull and Rom 1974, "A class of local interpolating splines".
    """
    around = torch.cat([places[:1], places, places[-1:]])
    handles = (around[2:] - around[:-2]) / 6
    inner = torch.stack([places[:-1], places[:-1] + handles[:-1], places[1:] - handles[1:]], 1).flatten(0, 1)
    return torch.cat([inner, places[-1:]])


def _stipples(
    amounts: Float[Tensor, "height width"], count: int, generator: torch.Generator
) -> Float[Tensor, "count 2"]:
    """Places in [0, 1]^2 that are the denser the larger the amounts, and at even distances.

    Source: Secord 2002, "Weighted Voronoi stippling".
    """
    height, width = amounts.shape
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    pixels, weights = torch.stack([x, y], -1).reshape(-1, 2), amounts.flatten() + 1e-6
    chosen = torch.multinomial(weights, count, replacement=True, generator=generator)
    places = pixels[chosen] + (torch.rand(count, 2, generator=generator) - 0.5) / torch.tensor([width, height])
    for _ in range(_ROUNDS if count <= _MOST_POINTS else 0):
        owner = torch.cdist(pixels, places).argmin(1)
        total = torch.zeros(count).index_add(0, owner, weights)
        moved = torch.zeros(count, 2).index_add(0, owner, pixels * weights[:, None]) / total.clamp(min=1e-9)[:, None]
        places = torch.where(total[:, None] > 0, moved, places)
    return places


def tour(places: Float[Tensor, "places 2"]) -> Int[Tensor, " places"]:
    """An order in which a line through all places is short: along a Hilbert curve, then without detours (2-opt).

    Source: Croes 1958, "A method for solving traveling-salesman problems".
    """
    at = places.detach().double().cpu().numpy()
    order = np.argsort(_hilbert(at), kind="stable")
    if len(order) <= _MOST_POINTS:
        while _shortened(at, order):
            pass
    return torch.from_numpy(order)


def _shortened(at: np.ndarray, order: np.ndarray) -> bool:
    """Turn around the parts of a tour, in place, whose turn makes it shorter; whether there was one."""
    changed = False
    for i in range(len(order) - 2):
        here, then = at[order[i]], at[order[i + 1]]
        others = at[order[i + 1 :]]  # the part from i + 1 to j is turned around: i -> j, i + 1 -> j + 1
        kept = np.hypot(*(others[1:-1] - others[2:]).T)
        gain = np.hypot(*(here - then)) + kept - np.hypot(*(here - others[1:-1]).T) - np.hypot(*(then - others[2:]).T)
        if len(gain) and gain.max() > 1e-9:
            j = i + 2 + int(gain.argmax())
            order[i + 1 : j + 1] = order[i + 1 : j + 1][::-1].copy()
            changed = True
    return changed


def _hilbert(at: np.ndarray) -> np.ndarray:
    """How far along a Hilbert curve over their bounding box each place is."""
    low, span = at.min(0), max(float(np.ptp(at, axis=0).max()), 1e-9)
    x, y = ((at - low) / span * 1023).astype(np.int64).T
    distance, side = np.zeros(len(at), dtype=np.int64), 512
    while side:
        right, lower = (x & side) > 0, (y & side) > 0
        distance += side * side * ((3 * right) ^ lower)
        flip = ~lower & right
        x, y = np.where(flip, 1023 - x, x), np.where(flip, 1023 - y, y)
        x, y = np.where(lower, x, y), np.where(lower, y, x)
        side //= 2
    return distance
