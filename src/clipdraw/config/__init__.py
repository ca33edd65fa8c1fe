"""One run, described by plain values: what the command line, files and run folders hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from clipdraw.config.prompts import NUMBER, parse_prompts, title_of, written
from clipdraw.drawing import Canvas
from clipdraw.encoders import Encoder
from clipdraw.errors import ConfigError, InputError
from clipdraw.optimization.constraints import ColorRange, Constraint, PointsOnCanvas, WidthRange
from clipdraw.optimization.loop import Recipe
from clipdraw.optimization.losses import Centre, Ink, Likeness, Loss, Prompt
from clipdraw.optimization.parameterizations import Rates
from clipdraw.optimization.schedules import SCHEDULES
from clipdraw.optimization.start import ImaginedStrokes, RandomStrokes
from clipdraw.optimization.views import OUTSIDES, Views

_LISTS = ("encoder", "film_kinds", "film_formats")
"""Settings with any number of values."""
_MOST = {"strokes": 100_000, "steps": 1_000_000, "views": 1024, "canvas": 16_384}


@dataclass(frozen=True)
class Config:
    """Every setting of a run. Lengths are in units of a 224-unit canvas and scale with the canvas.

    Args:
        prompt: the text to draw, `TEXT` or `TEXT:WEIGHT` (weight 1, see `prompts.parse_weighted`).
        also: more texts to draw in the same picture, written in the same way.
        negative: texts to stay away from, written in the same way (weight 0.3).
        encoder: one or more judges, each `builtin`, a hub id or a folder, and `:WEIGHT` if it is not 1.
        preset: the preset that the other values come from.
        seed: of the start and the views.
        canvas: width and height in canvas units.
        strokes: number of strokes, 1 to 100,000.
        steps: number of updates, 1 to 1,000,000.
        views: distorted copies a step, 1 to 1024.
        segments: fewest and most cubic segments of a stroke.
        start_reach: distance between neighboring control points at the start, as a share of the canvas.
        start_width: full stroke width at the start.
        start_opacity: smallest and largest opacity at the start.
        start_spread: share of the canvas, about its middle, in which strokes begin.
        likeness: how strongly the drawing keeps to what the encoder imagines of the weightiest prompt, from which
            it then starts; 0: it starts at random and nothing is imagined. Only the built-in encoder imagines.
        likeness_until: share of the run at whose end that has faded.
        ink: weight of the mean opacity, which makes needless strokes fade; 0 leaves it out.
        centre_radius: what lies beyond this distance from the middle is pulled back.
        centre_weight: how strongly; 0 leaves it out. If it is not given and another of these is, the published 0.001.
        centre_power: of the distance beyond the radius.
        centre_kind: `sum`, `pull`, `ring` or `disc`; see `losses.Centre`.
        centre_on: what is pulled: control `points` or `ink`.
        width_range: smallest and largest full width.
        least_opacity: strokes are never fainter.
        keep_on_canvas: whether control points stay on the canvas.
        points_rate: learning rate of control points.
        width_rate: learning rate of full widths.
        color_rate: learning rate of colors and opacities.
        points_schedule: `constant`, `published` or `cosine`.
        other_schedule: the same for widths and colors.
        augment: whether views are distorted at all.
        view_distortion: strength of the random perspective, in [0, 1).
        view_area: smallest and largest share of the picture that a view covers.
        outside: `white`, `black` or `gray` beyond the picture's edge.
        normalize: whether pixel values are normalized as the encoder was trained; for real CLIP only.
        resolution: pixels along the longer side of the optimized picture; 0 takes the encoder's view size.
        explain: whether the words nearest to the drawing are found in each step.
        film_kinds: films that are made of the run: `optimization`, `strokes`, both, or none.
        film_formats: each as `svg`, `mp4`, `webp`, `gif`, or `video`: mp4 with the extra of that name, else WebP.
        film_length: seconds until the drawing is complete.
        film_hold: seconds that it then stays.
        film_size: pixels along the longer side.
        film_fps: frames a second.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: CPU threads; 0 takes what is there.
    """

    prompt: str
    also: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    encoder: tuple[str, ...] = ("builtin",)
    preset: str = "default"
    seed: int = 0
    canvas: tuple[float, float] = (224.0, 224.0)
    strokes: int = 256
    steps: int = 250
    views: int = 8
    segments: tuple[int, int] = (1, 3)
    start_reach: float = 0.05
    start_width: float = 2.0
    start_opacity: tuple[float, float] = (0.0, 1.0)
    start_spread: float = 1.0
    likeness: float = 0.0
    likeness_until: float = 1.0
    ink: float = 0.0
    centre_radius: float = 75.0
    centre_weight: float = 0.0
    centre_power: float = 2.0
    centre_kind: str = "disc"
    centre_on: str = "points"
    width_range: tuple[float, float] = (2.0, 100.0)
    least_opacity: float = 0.0
    keep_on_canvas: bool = False
    points_rate: float = 1.0
    width_rate: float = 0.2
    color_rate: float = 0.01
    points_schedule: str = "published"
    other_schedule: str = "constant"
    augment: bool = True
    view_distortion: float = 0.5
    view_area: tuple[float, float] = (0.7, 0.9)
    outside: str = "white"
    normalize: bool = True
    resolution: int = 0
    explain: bool = False
    film_kinds: tuple[str, ...] = ("optimization",)
    film_formats: tuple[str, ...] = ("svg", "video")
    film_length: float = 4.0
    film_hold: float = 2.0
    film_size: int = 336
    film_fps: int = 15
    device: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        for name in ("strokes", "steps", "views"):
            _require(name, getattr(self, name), 1, _MOST[name])
        if not self.encoder:
            raise ConfigError("no encoder: name at least one, such as builtin")
        self.judges()
        for side in self.canvas:
            _require("canvas side", side, 1, _MOST["canvas"])
        _require("threads", self.threads, 0, 1024)
        _require("resolution", self.resolution, 0, 8192)
        _require("seed", self.seed, 0, 2**63 - 1)
        _require("least_opacity", self.least_opacity, 0, 1)
        if not 0 <= self.width_range[0] <= self.width_range[1]:
            raise ConfigError(f"width_range is 0 or more, smallest first, got {self.width_range}")
        choices = {"points_schedule": SCHEDULES, "other_schedule": SCHEDULES, "outside": OUTSIDES}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} is one of {', '.join(allowed)}, got {getattr(self, name)!r}")

    def prompts(self) -> tuple[Prompt, ...]:
        """The texts to draw, then those to stay away from.

        Raises:
            InputError: a text is blank or a weight is not above 0.
        """
        return parse_prompts((self.prompt, *self.also), self.negative)

    def judges(self) -> dict[str, float]:
        """The encoders' names, each with its weight.

        Raises:
            ConfigError: a weight is not above 0, or an encoder is named twice.
        """
        found: dict[str, float] = {}
        for text in self.encoder:
            match = re.fullmatch(rf"(.+):({NUMBER})", text)
            name, weight = (match[1], float(match[2])) if match else (text, 1.0)
            if not 0 < weight < float("inf"):
                raise ConfigError(f"the weight of an encoder is above 0, got {text!r}")
            if name in found:
                raise ConfigError(f"the encoder {name!r} is named twice; {name}:2 counts twice as much")
            found[name] = weight
        return found

    @property
    def title(self) -> str:
        """All prompts in one line, with the weights that are not the usual ones."""
        return title_of(self.prompts())

    def about(self) -> dict[str, str]:
        """What a file of the drawing says about it: the title as `prompt`, the seed, and each prompt if there are more.

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

    def losses(self) -> tuple[Loss, ...]:
        """The prompts and what else is asked of the drawing.

        Raises:
            InputError: a text is blank or a weight is not above 0.
        """
        others: list[Loss] = [Ink(self.ink)] if self.ink else []
        if self.likeness:
            others.append(Likeness(self._imagined(), self.likeness, self.likeness_until, choice=self.seed))
        if self.centre_weight:
            others.append(
                Centre(self.centre_radius, self.centre_weight, self.centre_power, self.centre_kind, self.centre_on)
            )
        return *self.prompts(), *others

    def _imagined(self) -> str:
        """The text of the weightiest prompt: the one that is imagined."""
        return max(self.prompts(), key=lambda prompt: prompt.weight).text

    def start(self, encoder: Encoder) -> RandomStrokes | ImaginedStrokes:
        """How the drawing starts, if `encoder` judges it."""
        strokes = RandomStrokes(
            self.strokes, self.segments, self.start_reach, self.start_width, self.start_opacity, self.start_spread
        )
        if not self.likeness:
            return strokes
        return ImaginedStrokes(strokes, self._imagined(), encoder, self.seed, self.recipe().constraints)

    def drawing_canvas(self) -> Canvas:
        """The canvas."""
        return Canvas(*self.canvas)

    def recipe(self) -> Recipe:
        """How the drawing is optimized."""
        constraints: list[Constraint] = [WidthRange(*self.width_range), ColorRange(self.least_opacity)]
        if self.keep_on_canvas:
            constraints.append(PointsOnCanvas())
        schedules = SCHEDULES[self.points_schedule], SCHEDULES[self.other_schedule]
        return Recipe(
            steps=self.steps,
            views=Views(self.views, self.view_distortion, self.view_area, outside=self.outside, enabled=self.augment),
            rates=Rates(self.points_rate, self.width_rate, self.color_rate, *schedules),
            constraints=tuple(constraints),
            resolution=self.resolution or None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as `from_dict` reads them."""
        return asdict(self)


def _require(name: str, value: float, lowest: float, highest: float) -> None:
    if not lowest <= value <= highest:
        raise ConfigError(f"{name} must be from {lowest} to {highest}, got {value}")


def parse_canvas(text: str) -> tuple[float, float]:
    """Width and height from `224` or `320x180`.

    Raises:
        InputError: the text is neither.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:x(\d+(?:\.\d+)?))?", text.strip().lower())
    if not match:
        raise InputError(f"a canvas is written 224 or 320x180, got {text!r}")
    width = float(match[1])
    return width, float(match[2] or width)


def presets() -> dict[str, dict[str, Any]]:
    """The presets by name: `about`, and the settings that each changes."""
    return tomllib.loads((Path(__file__).parent / "presets.toml").read_text(encoding="utf-8"))


def from_dict(values: Mapping[str, Any]) -> Config:
    """The configuration of plain values as JSON and TOML hold them.

    Raises:
        ConfigError: a setting is unknown, of the wrong type or out of range, or there is no prompt.
    """
    known = {f.name: f for f in fields(Config)}
    for name in values:
        if name not in known:
            raise ConfigError(f"there is no setting {name!r}; there are: {', '.join(known)}")
    if "prompt" not in values:
        raise ConfigError('no prompt: say what to draw, for example prompt = "a bonfire"')
    return Config(**{name: _converted(name, value) for name, value in values.items()})


def _converted(name: str, value: Any) -> Any:
    """`value` in the type of the setting's default."""
    default = getattr(Config, name, "")
    try:
        if isinstance(default, tuple):
            if isinstance(value, str) or not hasattr(value, "__len__"):
                raise TypeError
            kind = type(default[0]) if default else str
            if default and name not in _LISTS and len(value) != len(default):
                raise TypeError
            return tuple(_checked(kind, item) for item in value)
        return _checked(type(default), value)
    except TypeError:
        wanted = f"a list like {list(default)}" if isinstance(default, tuple) else f"of type {type(default).__name__}"
        raise ConfigError(f"{name} is {wanted}, got {value!r}") from None


def _checked(kind: type, value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise TypeError
    return value


def resolve(prompt: str, options: Mapping[str, Any], *, file: Path | None = None) -> Config:
    """The configuration of a run: the preset's values, over them the file's, over them the options.

    Args:
        prompt: the text to draw, `TEXT` or `TEXT:WEIGHT`.
        options: settings given by the caller; None means not given.
        file: a TOML file of settings.

    Raises:
        ConfigError: the preset is unknown, the file unreadable or a setting wrong.
    """
    given = {name: value for name, value in options.items() if value is not None}
    stored = read_toml(file) if file else {}
    name = given.get("preset", stored.get("preset", "default"))
    available = presets()
    if name not in available:
        raise ConfigError(f"there is no preset {name!r}; there are: {', '.join(available)}")
    preset = {key: value for key, value in available[name].items() if key != "about"}
    chosen = {**stored, **given}
    if "centre_weight" not in {**preset, **chosen} and any(setting.startswith("centre_") for setting in chosen):
        chosen["centre_weight"] = Centre.weight
    return from_dict({**preset, **chosen, "prompt": prompt, "preset": name})


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        ConfigError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from None
