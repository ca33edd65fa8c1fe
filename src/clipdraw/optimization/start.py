"""The strokes that a drawing starts from: random ones, or those fitted to a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing, control_points
from clipdraw.encoders import Encoder
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.arrangement import Arrangement
from clipdraw.optimization.constraints import WIDEST, Constraint
from clipdraw.optimization.losses import ink, mean_opacity
from clipdraw.optimization.parameterization import Rates, Strokes
from clipdraw.optimization.prior_picture import Place, PriorPicture, visible
from clipdraw.optimization.regions import scattered, stroke_counts
from clipdraw.optimization.schedules import Constant
from clipdraw.optimization.shapes import OneLine, OnPaper, Start
from clipdraw.optimization.targets import difference_of_layers, over
from clipdraw.progress import track
from clipdraw.raster import rasterize, rasterize_layer

_COVERING = 0.15
"""Ink that white counts as within a thing that lies among others, which its strokes have to cover."""
_FIT_SIZE, _FIT_SIZE_OF_SEVERAL = 64, 96  # pixels along the longer side, of one thing and of several
_FIT_RATES = (2.5, 0.8, 0.06)  # points and widths in units of a 224-unit canvas, colors
_FIT_OPACITY_WEIGHT = 5e-4
_FIT_OPACITY = 0.7
_DARKER = 0.5  # the stroke of a filled shape
_MOST_SEGMENTS, _MOST_SEGMENTS_IN_ALL, _FARTHEST = 1000, 1_000_000, 10


@dataclass(frozen=True)
class RandomStrokes:
    """Short random strokes anywhere on the canvas.

    Args:
        strokes: how many, at least 1.
        segments: fewest and most cubic segments of a stroke, uniform between, 1 to 1000; n have 3n + 1 control points.
        reach: how far each control point may lie from the one before, per axis, as a fraction of the canvas, 0 to 10.
        width: full stroke width at the start, in units of a 224-unit canvas, 0 to 1000.
        opacity: smallest and largest opacity at the start, in [0, 1].
        spread: fraction of the canvas's width and height, about its middle, in which strokes begin.

    Raises:
        InputError: a value is out of range.

    Source: Frans et al. 2021 (CLIPDraw), published notebook: 256 strokes of 1 to 3 segments, reach 0.05,
    half width 1, every color channel and the opacity uniform in [0, 1]. Points may leave the canvas. The paper's text
    speaks of 3 to 5 control points; those of the notebook are 4, 7 or 10.
    """

    strokes: int = 256
    segments: tuple[int, int] = (1, 3)
    reach: float = 0.05
    width: float = 2.0
    opacity: tuple[float, float] = (0.0, 1.0)
    spread: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="the start's ")
        if self.strokes < 1:
            raise InputError(f"strokes must be at least 1, got {self.strokes}")
        if not 1 <= self.segments[0] <= self.segments[1] <= _MOST_SEGMENTS:
            raise InputError(
                f"segments must be at least 1 and at most {_MOST_SEGMENTS}, fewest first, got {self.segments}"
            )
        if self.strokes * self.segments[1] > _MOST_SEGMENTS_IN_ALL:
            raise InputError(
                f"{self.strokes:,} strokes of up to {self.segments[1]} segments; at most {_MOST_SEGMENTS_IN_ALL:,} "
                "segments are drawn"
            )
        if not 0 <= self.reach <= _FARTHEST:
            raise InputError(f"the start's reach is from 0 to {_FARTHEST}, got {self.reach}")
        if not 0 <= self.width <= WIDEST:
            raise InputError(f"the start's width is from 0 to {WIDEST:g}, got {self.width}")
        if not 0 <= self.opacity[0] <= self.opacity[1] <= 1:
            raise InputError(f"opacity lies in [0, 1], smallest first, got {self.opacity}")
        if not 0 < self.spread <= 1:
            raise InputError(f"spread lies in (0, 1], got {self.spread}")

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """A drawing on `canvas`; the same generator state gives the same drawing."""
        fewest, most = self.segments
        counts = torch.randint(fewest, most + 1, (self.strokes,), generator=generator).tolist()
        size = torch.tensor([canvas.width, canvas.height])
        strokes = []
        for count in counts:
            steps = torch.rand(control_points(count), 2, generator=generator)
            steps[0] = 0.5 + (steps[0] - 0.5) * self.spread
            steps[1:] = (steps[1:] * 2 - 1) * self.reach
            strokes.append(steps.cumsum(0) * size)
        colors = torch.rand(self.strokes, 4, generator=generator)
        low, high = self.opacity
        colors[:, 3] = low + (high - low) * colors[:, 3]
        widths = torch.full((self.strokes,), self.width * canvas.scale)
        return Drawing(torch.cat(strokes), widths, colors, tuple(counts), canvas)


@dataclass(frozen=True)
class RegionStrokes:
    """Strokes or shapes that each begin in their own region.

    Args:
        strokes: the random start.
        places: the regions.
    """

    strokes: Start
    places: tuple[Place, ...]

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """A drawing on `canvas`; the same generator state gives the same drawing."""
        return scattered(self.strokes(canvas, generator), self.places)


@dataclass(frozen=True)
class PriorStrokes:
    """Strokes or shapes that roughly paint a picture that the encoder's image prior has.

    Random ones are set where the picture has ink, in its colors, each place of the picture having its own, and fitted
    to it by gradient descent on the squared difference of pixels. With an encoder without an image prior, the random
    ones are the start.

    Args:
        strokes: the random start.
        picture: of what.
        encoder: the encoder.
        constraints: rules that are restored after each step of the fit.
        steps: of the fit, 0 or more.
        arrangement: from the paths that are moved to the drawing that is to paint the picture.

    Raises:
        InputError: the steps are below 0.

    Source: Santurkar et al. 2019, arXiv 1906.09453 (a start drawn for the class); Ma et al. 2022 (LIVE),
    arXiv 2206.04655 (paths fitted to a picture, begun where it differs).
    """

    strokes: Start
    picture: PriorPicture
    encoder: Encoder
    constraints: Sequence[Constraint] = ()
    steps: int = 80
    arrangement: Arrangement | None = None

    def __post_init__(self) -> None:
        check_fields(self, prefix="the start's ")
        if self.steps < 0:
            raise InputError(f"the steps of a fit are 0 or more, got {self.steps}")

    def __call__(self, canvas: Canvas, generator: torch.Generator) -> Drawing:
        """A drawing on `canvas`; the same generator state gives the same drawing."""
        start = self.strokes(canvas, generator)
        places = self.picture.places
        if not self.picture.is_known(self.encoder):
            return scattered(start, places)
        size = canvas.pixel_size(_FIT_SIZE if len(places) == 1 else _FIT_SIZE_OF_SEVERAL)
        picture = self.picture.painted(self.encoder, *size).cpu()
        shown = over(picture, start.paper) if len(picture) == 4 else picture
        placed = self._set_on_ink(shown, start, generator)
        return self._fitted(placed, shown if start.background is not None else picture)

    def _fitted(self, drawing: Drawing, picture: Float[Tensor, "channels height width"]) -> Drawing:
        """The drawing after the fit to a picture, or to what is painted of one if it has no background."""
        rates = Rates(*_FIT_RATES, points_schedule=Constant(1.0))
        strokes = Strokes(drawing, rates=rates, constraints=self.constraints, arrangement=self.arrangement)
        optimizer = torch.optim.Adam([{"params": [p.tensor], "lr": p.rate} for p in strokes.parameters()])
        for _ in track(range(self.steps), f"preparing the start of {len(drawing)} strokes", total=self.steps):
            shown = strokes.subject
            paint, differ = (rasterize_layer, difference_of_layers) if len(picture) == 4 else (rasterize, _difference)
            image = paint(shown, height=picture.shape[1], width=picture.shape[2])
            loss = differ(image, picture) + _FIT_OPACITY_WEIGHT * mean_opacity(shown)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                strokes.project()
        return strokes.drawing.detached()

    def _set_on_ink(
        self, picture: Float[Tensor, "3 height width"], drawing: Drawing, generator: torch.Generator
    ) -> Drawing:
        """The drawing with each path moved to a random place that has ink, in the color of that place."""
        amounts = ink(picture, drawing.paper)
        line = self.strokes.start if isinstance(self.strokes, OnPaper) else self.strokes
        if isinstance(line, OneLine):
            return _in_colors_of(picture, line.on_ink(amounts, drawing, generator), amounts.argmax()[None])
        height, width = amounts.shape
        places = torch.cat([
            torch.multinomial(own.flatten(), count, replacement=True, generator=generator)
            for own, count in zip(self._needs(amounts), stroke_counts(self.picture.places, len(drawing)), strict=True)
            if count
        ])  # fmt: skip
        pixel = torch.stack([places % width, places // width], 1) + torch.rand(len(drawing), 2, generator=generator)
        at = pixel / torch.tensor([width, height]) * torch.tensor([drawing.canvas.width, drawing.canvas.height])
        moved = [
            points - _anchor(points, drawing) + place for points, place in zip(drawing.stroke_points(), at, strict=True)
        ]
        return _in_colors_of(picture, replace(drawing, points=torch.cat(moved)), places)

    def _needs(self, amounts: Float[Tensor, "height width"]) -> list[Float[Tensor, "height width"]]:
        """How much strokes of each place are needed at each pixel: its ink where no thing above hides it."""
        if len(self.picture.places) == 1:
            return [amounts + 0.01]
        seen = visible(self.picture.layers(self.encoder, *amounts.shape))
        return [(amounts + _COVERING) * own.cpu() + 1e-9 for own in seen]


def _difference(one: Tensor, other: Tensor) -> Float[Tensor, ""]:
    return (one - other).square().mean()


def _anchor(points: Float[Tensor, "_ 2"], drawing: Drawing) -> Float[Tensor, " 2"]:
    """Where a path is: where a stroke begins, or the middle of a shape."""
    return points.mean(0) if drawing.styles else points[0]


def _in_colors_of(picture: Float[Tensor, "3 height width"], drawing: Drawing, places: Tensor) -> Drawing:
    """The drawing with each path in the color of a pixel; the strokes of filled ones are darker."""
    colors = torch.cat([picture.flatten(1)[:, places].T, torch.full((len(drawing), 1), _FIT_OPACITY)], 1)
    if drawing.fills is None:
        return replace(drawing, colors=colors)
    return replace(drawing, colors=colors * torch.tensor([_DARKER, _DARKER, _DARKER, 1.0]), fills=colors)
