"""The settings of a run: plain values in groups, as the command line, files and run folders hold them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from clipdraw.config.prompts import parse_prompts, title_of, written
from clipdraw.drawing import Canvas, Drawing
from clipdraw.encoders import Encoder, split_weight
from clipdraw.encoders.devices import PRECISIONS
from clipdraw.errors import ConfigError, check_fields
from clipdraw.optimization.center import CIRCLES, Center
from clipdraw.optimization.constraints import ColorRange, Constraint, PointsOnCanvas, WidthRange
from clipdraw.optimization.loop import Problem, Recipe
from clipdraw.optimization.losses import Loss, Opacity, Prior, Prompt
from clipdraw.optimization.parameterization import Parameterization, Rates
from clipdraw.optimization.schedules import SCHEDULES
from clipdraw.optimization.start import PriorStrokes, RandomStrokes
from clipdraw.optimization.views import OUTSIDES, Views

FILM_KINDS, FILM_FORMATS = ("optimization", "strokes"), ("svg", "video", "mp4", "webp", "gif")
"""The kinds of films, and the formats that a run can write; `video` is mp4 with the extra of that name, else WebP."""
_MOST_FRAMES = 20_000


class _Group:
    """Settings that belong together; of which group, the name of the class says."""

    def __post_init__(self) -> None:
        check_fields(self, prefix=f"{type(self).__name__.removesuffix('Settings').lower()}.", error=ConfigError)


@dataclass(frozen=True)
class JudgeSettings(_Group):
    """The encoders that say how well the drawing matches its prompts.

    Args:
        encoders: one or more, each `builtin`, a hub id, OpenAI's name of a CLIP or a folder, and `:WEIGHT` if it is not
            1.
        normalize: whether pixel values are normalized as the encoder was trained; for real CLIP only.
        precision: number format that encoders compute in: `float32`, `bfloat16`, `float16`, or `auto`, the one that is
            measured to be fast here.
    """

    encoders: tuple[str, ...] = ("builtin",)
    normalize: bool = True
    precision: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.encoders:
            raise ConfigError("no encoder: name at least one, such as builtin")
        self.weights()
        _require_one_of("judge.precision", self.precision, ("auto", *PRECISIONS))

    def weights(self) -> dict[str, float]:
        """The encoders' names, each with its weight.

        Raises:
            ConfigError: a weight is not above 0, or an encoder is named twice.
        """
        found: dict[str, float] = {}
        for text in self.encoders:
            name, weight = split_weight(text)
            if not 0 < weight < float("inf"):
                raise ConfigError(f"the weight of an encoder is above 0, got {text!r}")
            if name in found:
                raise ConfigError(f"the encoder {name!r} is named twice; {name}:2 counts twice as much")
            found[name] = weight
        return found


@dataclass(frozen=True)
class StartSettings(_Group):
    """The strokes before the first step; see `start.RandomStrokes`.

    Args:
        segments: fewest and most cubic segments of a stroke, 1 to 1000.
        reach: distance between neighboring control points, as a fraction of the canvas, 0 to 10.
        width: full stroke width, 0 to 1000.
        opacity: smallest and largest opacity, 0 to 1.
        spread: fraction of the canvas, about its middle, in which strokes begin, above 0 and at most 1.
    """

    segments: tuple[int, int] = (1, 3)
    reach: float = 0.05
    width: float = 2.0
    opacity: tuple[float, float] = (0.0, 1.0)
    spread: float = 1.0


@dataclass(frozen=True)
class PriorSettings(_Group):
    """The picture that an encoder's image prior has of the weightiest prompt; only the built-in encoder has a prior.

    Args:
        weight: how strongly the drawing, which then starts from the picture, keeps to it; 0: it starts from random
            strokes and the prior is not used.
        until: fraction of the run after which the prior has no effect, above 0 and at most 1.
    """

    weight: float = 0.0
    until: float = 1.0


@dataclass(frozen=True)
class ViewSettings(_Group):
    """The distorted copies that the encoder sees in each step; see `views.Views`.

    Args:
        count: how many, 1 to 1024.
        augment: whether they are distorted at all.
        distortion: strength of the random perspective, in [0, 1).
        area: smallest and largest fraction of the picture that a view covers, above 0 and at most 1.
        outside: `white`, `black` or `gray` beyond the picture's edge.
    """

    count: int = 8
    augment: bool = True
    distortion: float = 0.5
    area: tuple[float, float] = (0.7, 0.9)
    outside: str = "white"

    def __post_init__(self) -> None:
        super().__post_init__()
        _require("views.count", self.count, 1, 1024)
        _require_one_of("views.outside", self.outside, OUTSIDES)


@dataclass(frozen=True)
class RateSettings(_Group):
    """Adam's learning rates, 0 to 1000.

    Args:
        points: of control points.
        width: of full widths.
        color: of colors and opacities.
        points_schedule: `constant`, `published` or `cosine`.
        other_schedule: the same for widths and colors.
    """

    points: float = 1.0
    width: float = 0.2
    color: float = 0.01
    points_schedule: str = "published"
    other_schedule: str = "constant"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("points_schedule", "other_schedule"):
            _require_one_of(f"rates.{name}", getattr(self, name), SCHEDULES)


@dataclass(frozen=True)
class ConstraintSettings(_Group):
    """The rules that hold after each step.

    Args:
        width_range: smallest and largest full width, 0 to 1000.
        least_opacity: strokes are never fainter, 0 to 1.
        keep_on_canvas: whether control points stay on the canvas.
    """

    width_range: tuple[float, float] = (2.0, 100.0)
    least_opacity: float = 0.0
    keep_on_canvas: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _require("constraints.least_opacity", self.least_opacity, 0, 1)


@dataclass(frozen=True)
class CenterSettings(_Group):
    """The pull to the middle of the canvas; see `center.Center`.

    The picture of an image prior, if the drawing keeps to one, is shrunk into the circle of a `ring` or `disc`.

    Args:
        radius: what lies beyond this distance from the middle is pulled back, 0 to 10,000.
        weight: how strongly; 0 leaves it out. If another center setting is given without a weight, it is 0.001 (see
            `resolve`).
        power: of the distance beyond the radius, 1 to 10.
        kind: `sum`, `pull`, `ring` or `disc`.
        on: what is pulled: control `points` or `ink`.
    """

    radius: float = 75.0
    weight: float = 0.0
    power: float = 2.0
    kind: str = "disc"
    on: str = "points"


@dataclass(frozen=True)
class FilmSettings(_Group):
    """The films that are made of the run; see `films.Film`.

    Args:
        kinds: `optimization`, `strokes`, both, or none.
        formats: each as `svg`, `mp4`, `webp`, `gif`, or `video`: mp4 with the extra of that name, else WebP.
        length: seconds until the drawing is complete, above 0 and at most 600.
        hold: seconds that it then stays, 0 to 600.
        size: pixels along the longer side, 16 to 4096.
        fps: frames a second, 1 to 120.
        frames: steps from one PNG of the drawing to the next, in `frames/`, of this size, up to 1,000,000; 0 for none.
    """

    kinds: tuple[str, ...] = ("optimization",)
    formats: tuple[str, ...] = ("svg", "video")
    length: float = 4.0
    hold: float = 2.0
    size: int = 336
    fps: int = 15
    frames: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in (("kinds", FILM_KINDS), ("formats", FILM_FORMATS)):
            for value in getattr(self, name):
                _require_one_of(f"film.{name}", value, allowed)
        if not 0 < self.length <= 600:
            raise ConfigError(f"a film is above 0 and at most 600 seconds long, got {self.length}")
        for name, lowest, highest in (("hold", 0, 600), ("size", 16, 4096), ("fps", 1, 120), ("frames", 0, 1_000_000)):
            _require(f"film.{name}", getattr(self, name), lowest, highest)
        if (self.length + self.hold) * self.fps > _MOST_FRAMES:
            raise ConfigError(f"a film of more than {_MOST_FRAMES:,} frames is not made; shorten it or lower its rate")


@dataclass(frozen=True)
class Config:
    """Every setting of a run. Lengths are in units of a 224-unit canvas and scale with the canvas.

    Args:
        prompt: the text to draw, `TEXT` or `TEXT:WEIGHT` (weight 1, see `prompts.parse_weighted`).
        also: more texts to draw in the same picture, written in the same way.
        negative: texts to stay away from, written in the same way (weight 0.3).
        preset: the preset that the other values come from; if none is named, that which goes with the encoders.
        seed: of the start and the views.
        canvas: width and height in canvas units, 1 to 16,384.
        strokes: number of strokes, 1 to 100,000.
        steps: number of updates, 1 to 1,000,000.
        resolution: pixels along the longer side of the picture that views are made of, up to 8192; 0 takes the
            encoder's view size. Of a larger picture each pixel of a view is a mean.
        opacity_weight: weight of the mean opacity, which makes needless strokes fade; 0 leaves it out.
        explain: whether the words nearest to the drawing are found in each step.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: CPU threads of the run, up to 1024; 0 takes what is there.
        judge: the encoders.
        start: the strokes before the first step.
        prior: the picture that an encoder has of the prompt.
        views: the distorted copies that the encoder sees.
        rates: learning rates.
        constraints: rules that hold after each step.
        center: the pull to the middle.
        film: the films of the run.

    Raises:
        InputError, ConfigError: a value is out of range or a text is blank.
    """

    prompt: str
    also: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    preset: str = "default"
    seed: int = 0
    canvas: tuple[float, float] = (224.0, 224.0)
    strokes: int = 256
    steps: int = 250
    resolution: int = 0
    opacity_weight: float = 0.0
    explain: bool = False
    device: str = "auto"
    threads: int = 0
    judge: JudgeSettings = field(default_factory=JudgeSettings)
    start: StartSettings = field(default_factory=StartSettings)
    prior: PriorSettings = field(default_factory=PriorSettings)
    views: ViewSettings = field(default_factory=ViewSettings)
    rates: RateSettings = field(default_factory=RateSettings)
    constraints: ConstraintSettings = field(default_factory=ConstraintSettings)
    center: CenterSettings = field(default_factory=CenterSettings)
    film: FilmSettings = field(default_factory=FilmSettings)

    def __post_init__(self) -> None:
        check_fields(self, error=ConfigError)
        _require("strokes", self.strokes, 1, 100_000)
        _require("steps", self.steps, 1, 1_000_000)
        for side in self.canvas:
            _require("canvas side", side, 1, 16_384)
        _require("threads", self.threads, 0, 1024)
        _require("resolution", self.resolution, 0, 8192)
        _require("seed", self.seed, 0, 2**63 - 1)
        # Building them checks the remaining values, also those of what is left out.
        self._losses()
        Prior(self._weightiest_text(), self.prior.weight or Prior.weight, self.prior.until)
        Center(**{**asdict(self.center), "weight": self.center.weight or Center.weight})
        self.recipe()
        self._random_strokes()

    def prompts(self) -> tuple[Prompt, ...]:
        """The texts to draw, then those to stay away from."""
        return parse_prompts((self.prompt, *self.also), self.negative)

    @property
    def title(self) -> str:
        """All prompts in one line, with the weights that are not the usual ones."""
        return title_of(self.prompts())

    def metadata(self) -> dict[str, str]:
        """The metadata of a file of the drawing: the title as `prompt`, the seed, and each prompt if there are more.

        `prompts` and `negative` hold one text a line, with its weight if that is not the usual one.
        """
        prompts = self.prompts()
        groups = {
            "prompts": [written(prompt) for prompt in prompts if prompt.weight > 0],
            "negative": [written(prompt) for prompt in prompts if prompt.weight < 0],
        }
        more = (
            {name: "\n".join(" ".join(text.split()) for text in texts) for name, texts in groups.items() if texts}
            if len(prompts) > 1
            else {}
        )
        return {"prompt": self.title, **more, "seed": str(self.seed)}

    def build(self, encoder: Encoder, *, start: Parameterization | Drawing | None = None) -> Problem:
        """The optimization that this configuration describes.

        Args:
            encoder: what embeds the views and the texts.
            start: what is optimized instead of the configured strokes.
        """
        if start is None:
            start = self._start(encoder)(Canvas(*self.canvas), self.generator())
        return Problem(start, self._losses(), self.recipe(), encoder, self.seed)

    def recipe(self) -> Recipe:
        """Steps, views, rates and constraints, whatever the drawing shows."""
        views, rates = self.views, self.rates
        schedules = SCHEDULES[rates.points_schedule], SCHEDULES[rates.other_schedule]
        return Recipe(
            steps=self.steps,
            views=Views(views.count, views.distortion, views.area, outside=views.outside, enabled=views.augment),
            rates=Rates(rates.points, rates.width, rates.color, *schedules),
            constraints=self._constraints(),
            resolution=self.resolution or None,
        )

    def generator(self) -> torch.Generator:
        """A new random generator with the run's seed."""
        return torch.Generator().manual_seed(self.seed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values in nested groups, as `from_dict` reads them."""
        return asdict(self)

    def _losses(self) -> tuple[Loss, ...]:
        others: list[Loss] = [Opacity(self.opacity_weight)] if self.opacity_weight else []
        if self.prior.weight:
            weight, until = self.prior.weight, self.prior.until
            others.append(Prior(self._weightiest_text(), weight, until, self.seed, self._aim_radius()))
        if self.center.weight:
            others.append(Center(**asdict(self.center)))
        return *self.prompts(), *others

    def _weightiest_text(self) -> str:
        return max(self.prompts(), key=lambda prompt: prompt.weight).text

    def _start(self, encoder: Encoder) -> RandomStrokes | PriorStrokes:
        strokes = self._random_strokes()
        if not self.prior.weight:
            return strokes
        text, rules, radius = self._weightiest_text(), self._constraints(), self._aim_radius()
        return PriorStrokes(strokes, text, encoder, self.seed, rules, radius=radius)

    def _aim_radius(self) -> float | None:
        """The circle that the prior's picture is shrunk into: where the pull to the middle wants the drawing.

        As a fraction of the canvas's shorter side.
        """
        center = self.center
        return center.radius / Canvas().width if center.weight and center.kind in CIRCLES else None

    def _random_strokes(self) -> RandomStrokes:
        return RandomStrokes(self.strokes, **asdict(self.start))

    def _constraints(self) -> tuple[Constraint, ...]:
        rules = self.constraints
        always = WidthRange(*rules.width_range), ColorRange(rules.least_opacity)
        return (*always, PointsOnCanvas()) if rules.keep_on_canvas else always


def _require(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise ConfigError(f"{name} must be from {lowest} to {highest}, got {value}")


def _require_one_of(name: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} is one of {', '.join(allowed)}, got {value!r}")
