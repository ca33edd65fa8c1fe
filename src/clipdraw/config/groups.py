"""The groups of settings: plain values with their ranges, and what each means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from clipdraw.config.colors import MOST_COLORS, colors_of_picture, parse_color, parse_palette
from clipdraw.encoders import split_weight
from clipdraw.encoders.devices import PRECISIONS
from clipdraw.errors import ConfigError, check_fields
from clipdraw.optimization.constraints import HALF, WIDEST
from clipdraw.optimization.schedules import SCHEDULES
from clipdraw.optimization.views import OUTSIDES

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
        encoders: one or more, each `builtin`, a hub id, OpenAI's name of a CLIP or a folder; with `:WEIGHT` unless 1.
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
        require_one_of("judge.precision", self.precision, ("auto", *PRECISIONS))

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
        outline: whether only the picture's outlines are drawn.
    """

    weight: float = 0.0
    until: float = 1.0
    outline: bool = False


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
        require("views.count", self.count, 1, 1024)
        require_one_of("views.outside", self.outside, OUTSIDES)


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
            require_one_of(f"rates.{name}", getattr(self, name), SCHEDULES)


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
        require("constraints.least_opacity", self.least_opacity, 0, 1)


@dataclass(frozen=True)
class PenSettings(_Group):
    """The colors, width and opacity that paths may have, and how much of them.

    Args:
        palette: the only colors of paths, each `#rrggbb` or a CSS name; or the name of a palette alone, such as `nord`.
            None: any color.
        palette_from: a picture whose colors become the palette, unless there is one.
        colors: how many of its colors, 1 to 256.
        ink: one color for all paths.
        width: the full width of all strokes, 0 to 1000; 0 leaves them free.
        opacity: of all paths, 0 to 1; 0 leaves it free.
        most_ink: the fraction of the canvas that may have ink, 0 to 1; 0 leaves it free.
        cap: how strokes end: `round`, `butt` or `square`.
        bristles: thin strokes side by side that each stroke is made of, 1 to 32.
        glow: opacity of light around strokes, against theirs, 0 to 1.
    """

    palette: tuple[str, ...] = ()
    palette_from: str = ""
    colors: int = 5
    ink: str = ""
    width: float = 0.0
    opacity: float = 0.0
    most_ink: float = 0.0
    cap: str = "round"
    bristles: int = 1
    glow: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, highest in (("width", WIDEST), ("opacity", 1), ("most_ink", 1), ("glow", 1)):
            require(f"pen.{name}", getattr(self, name), 0, highest)
        require("pen.colors", self.colors, 1, MOST_COLORS)
        require("pen.bristles", self.bristles, 1, 32)
        require_one_of("pen.cap", self.cap, ("round", "butt", "square"))
        if self.palette_from and not self.palette:
            object.__setattr__(self, "palette", colors_of_picture(self.palette_from, self.colors))
        parse_palette(self.palette)
        if self.ink:
            parse_color(self.ink, what="pen.ink")


@dataclass(frozen=True)
class HandSettings(_Group):
    """How lines run. Weights are against a prompt's 1, 0 or more, of which 0 leaves a loss out; see `hand`.

    Args:
        smooth: weight of the lines' bending and corners.
        crossing: weight of their crossings of themselves.
        length: weight of their length.
        straight: weight of their detours.
        symmetry: `none`, `mirror`, or `rotation:N` for N equal turns, 2 to 64. There are as many paths as `strokes` in
            all.
        tile: whether copies of the drawing side by side have no seams. Strokes may then leave the canvas.
        grid: spacing of the grid that control points are on, 0 to 112; 0 for none.
        margin: distance that lines keep from the canvas's edge, 0 to 111.
        one_line: whether the drawing is a single opaque line, of as many segments as `strokes`, 1 to 4 wide unless the
            pen has a width.
    """

    smooth: float = 0.0
    crossing: float = 0.0
    length: float = 0.0
    straight: float = 0.0
    symmetry: str = "none"
    tile: bool = False
    grid: float = 0.0
    margin: float = 0.0
    one_line: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, highest in (("smooth", 1e6), ("crossing", 1e6), ("length", 1e6), ("straight", 1e6), ("grid", HALF)):
            require(f"hand.{name}", getattr(self, name), 0, highest)
        require("hand.margin", self.margin, 0, HALF - 1)


@dataclass(frozen=True)
class SourceSettings(_Group):
    """Pictures and drawings of one's own; see `likeness`. Weights are against a prompt's 1, 0 or more.

    Args:
        file: the drawing (.svg, .json) whose paths the run starts from and moves, or the picture that strokes are
            fitted to at the start, instead of that of an image prior; `prior.weight` keeps the drawing near it.
        like: a picture or drawing that the drawing is to be like, in what it shows and where.
        like_weight: of what it shows.
        like_places: of where it shows it.
        like_layers: from which of the encoder's layers on, as a fraction of all, in [0, 1).
        style: a picture or drawing in whose style it is to be.
        style_strength: of the style, above 0.
        below: a drawing that stays as it is under what is drawn.
    """

    file: str = ""
    like: str = ""
    like_weight: float = 1.0
    like_places: float = 1.0
    like_layers: float = 0.25
    style: str = ""
    style_strength: float = 1.0
    below: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("like_weight", "like_places"):
            require(f"source.{name}", getattr(self, name), 0, 1e6)
        require("source.style_strength", self.style_strength, 1e-9, 1e6)
        require("source.like_layers", self.like_layers, 0, 0.99)


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
class GuideSettings(_Group):
    """Guidance by a diffusion model, toward the weightiest prompt; see `diffusion.Guide`.

    Args:
        model: a hub id or a folder of a Stable Diffusion 1 or 2, as safetensors; empty for none.
        weight: how strongly, against a prompt's 1; above 0 and at most 1,000,000.
        guidance: how much the text counts, 0 to 10,000.
        steps: the least and the most noise, as fractions of the model's steps, 0 to 1.
        precision: number format that the model computes in: `float32`, `bfloat16`, `float16` or `auto`.
    """

    model: str = ""
    weight: float = 1.0
    guidance: float = 100.0
    steps: tuple[float, float] = (0.05, 0.95)
    precision: str = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_one_of("guide.precision", self.precision, ("auto", *PRECISIONS))


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
                require_one_of(f"film.{name}", value, allowed)
        if not 0 < self.length <= 600:
            raise ConfigError(f"a film is above 0 and at most 600 seconds long, got {self.length}")
        for name, lowest, highest in (("hold", 0, 600), ("size", 16, 4096), ("fps", 1, 120), ("frames", 0, 1_000_000)):
            require(f"film.{name}", getattr(self, name), lowest, highest)
        if (self.length + self.hold) * self.fps > _MOST_FRAMES:
            raise ConfigError(f"a film of more than {_MOST_FRAMES:,} frames is not made; shorten it or lower its rate")


def require(name: str, value: float, lowest: float, highest: float) -> None:
    """Raise `ConfigError` if a setting is out of range."""
    if not lowest <= value <= highest:
        raise ConfigError(f"{name} must be from {lowest} to {highest}, got {value}")


def require_one_of(name: str, value: str, allowed: Collection[str]) -> None:
    """Raise `ConfigError` if a setting is none of the values that it may have."""
    if value not in allowed:
        raise ConfigError(f"{name} is one of {', '.join(allowed)}, got {value!r}")
