"""The options that several commands have, and those that are settings of a run, each told once."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from inspect import Parameter, Signature, signature
from typing import Annotated, Any

import typer

from clipdraw.errors import ConfigError, InputError
from clipdraw.limits import Limits

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
_CENTER, _PEN, _FILMS, _LAYOUT = "Keep to the middle", "Pen and paper", "Films", "Layout"
_SOURCES = "Pictures of your own"


@dataclass(frozen=True)
class SettingOption:
    """An option that is a setting of `clipdraw.Config`.

    Args:
        setting: its full name.
        kind: of its value.
        help: a line about it.
        flags: as they are written, if not `--` and the name of the option.
        panel: the heading that it stands under.
        hidden: whether the help leaves it out.
    """

    setting: str
    kind: Any
    help: str
    flags: tuple[str, ...] = ()
    panel: str | None = None
    hidden: bool = False

    def parameter(self, name: str) -> Parameter:
        """The parameter of a command."""
        option = typer.Option(*self.flags, help=self.help, rich_help_panel=self.panel, hidden=self.hidden)
        return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[self.kind | None, option])


_CENTER_OPTIONS = {
    "radius": SettingOption(
        "center.radius",
        float,
        "Pull back what lies farther from the middle, in units of a 224-unit canvas.",
        panel=_CENTER,
    ),
    "weight": SettingOption("center.weight", float, "How strongly; 0: not at all.", panel=_CENTER),
    "power": SettingOption("center.power", float, "Power of the distance beyond the radius.", panel=_CENTER),
    "kind": SettingOption(
        "center.kind",
        str,
        "disc: free within the radius; ring: drawn to it; pull, sum: to the middle.",
        panel=_CENTER,
    ),
    "on": SettingOption("center.on", str, "What is pulled: control points, or ink.", panel=_CENTER),
}
OPTIONS = {
    "strokes": SettingOption("strokes", int, "Number of strokes: few is a cartoon, many has detail."),
    "steps": SettingOption("steps", int, "Number of updates."),
    "views": SettingOption("views.count", int, "Distorted copies that are judged in each step."),
    "seed": SettingOption("seed", int, "The same seed gives the same drawing."),
    "canvas": SettingOption("canvas", str, "Size in canvas units: 224 or 320x180."),
    "encoder": SettingOption(
        "judge.encoders",
        list[str],
        "The judge, NAME[:WEIGHT]: builtin, a hub id, OpenAI's name (ViT-B/32) or a folder. Repeat it for several.",
    ),
    "negative": SettingOption(
        "negative", list[str], "TEXT[:WEIGHT] to stay away from (weight 0.3). Repeat it for several."
    ),
    "region": SettingOption(
        "regions",
        list[str],
        'TEXT[:WEIGHT]@PLACE, such as "a sun@top right": a name, a box in percent (10,20,40,60), a mask (SVG, PNG), '
        "or background. Repeat it for several.",
        panel=_LAYOUT,
    ),
    "scene": SettingOption(
        "scene",
        str,
        "Read the prompt as a scene of several things: auto (with the built-in judge), on, off.",
        panel=_LAYOUT,
    ),
    **{f"center_{name}": option for name, option in _CENTER_OPTIONS.items()},
    # The published spelling, which the help leaves out.
    **{f"centre_{name}": replace(option, hidden=True) for name, option in _CENTER_OPTIONS.items()},
    "palette": SettingOption(
        "pen.palette", str, "The only colors of strokes: #264653,#e76f51,..., or a name such as nord.", panel=_PEN
    ),
    "palette_from": SettingOption("pen.palette_from", str, "A picture whose colors become the palette.", panel=_PEN),
    "source": SettingOption(
        "source.file", str, "A drawing to start from and move, or a picture to draw.", ("--from",), panel=_SOURCES
    ),
    "like": SettingOption("source.like", str, "A picture that it is to be like.", panel=_SOURCES),
    "style": SettingOption("source.style", str, "A picture in whose style it is to be.", panel=_SOURCES),
    "below": SettingOption("source.below", str, "A drawing that stays under what is drawn.", panel=_SOURCES),
    "medium": SettingOption(
        "medium",
        str,
        "watercolor, ink, pencil, crayon, marker, woodcut, neon, pixel, line, flat, wireframe, none; or auto, the one "
        "that the prompt names.",
        panel=_PEN,
    ),
    "background": SettingOption("background", str, "A color, none (transparent), or optimized.", panel=_PEN),
    "shape": SettingOption("shape", str, "stroke, fill (closed shapes), both, or pixel (a mosaic).", panel=_PEN),
    "film_kind": SettingOption(
        "film.kinds", list[str], "optimization (the default), strokes; repeat it for both.", panel=_FILMS
    ),
    "film_format": SettingOption(
        "film.formats", list[str], "svg, mp4, webp, gif, or video: mp4 if possible, else webp.", panel=_FILMS
    ),
    "film_length": SettingOption("film.length", float, "Seconds until the drawing is complete.", panel=_FILMS),
    "film_hold": SettingOption("film.hold", float, "Seconds that it then stays.", panel=_FILMS),
    "film_size": SettingOption("film.size", int, "Pixels along the longer side.", panel=_FILMS),
    "frames": SettingOption("film.frames", int, "Save a PNG of the drawing every so many steps.", panel=_FILMS),
    "preset": SettingOption("preset", str, "Where other settings come from; see presets. If not named, the judge's."),
    "device": SettingOption("device", str, "auto, cpu, cuda or mps."),
    "threads": SettingOption("threads", int, "CPU threads; 0 takes what is there."),
    "explain": SettingOption("explain", bool, "Show the words nearest to it all along.", ("--explain",)),
    "set": SettingOption(
        "", list[str], "NAME=VALUE for any setting, such as --set judge.precision=float32.", ("--set",)
    ),
}
"""Options that are settings, by the names of their parameters."""

Command = Callable[..., None]


def takes_settings(*names: str) -> Callable[[Command], Command]:
    """Give a command options that are settings, in the place of its parameter `settings`.

    The command is called with the values of those that were given, by the settings' full names.

    Args:
        names: of `OPTIONS`; `--set` comes last.
    """
    chosen = {name: OPTIONS[name] for name in (*names, "set")}

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            values = {name: given.pop(name) for name in chosen}
            command(settings=_settings(values), **given)

        own = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in signature(command, eval_str=True).parameters.values()]
        added = [option.parameter(name) for name, option in chosen.items()]
        parameters = [p for one in own for p in (added if one.name == "settings" else [one])]
        with_options.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {p.name: p.annotation for p in parameters}
        return with_options

    return decorate


def takes_limits(command: Command) -> Command:
    """Give a command options for the most time and memory that reading a file, or making its image, may take."""

    @functools.wraps(command)
    def with_options(*, limit_seconds: float, limit_megabytes: float, **given: Any) -> None:
        with Limits(limit_seconds, limit_megabytes).for_each():
            command(**given)

    own = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in signature(command, eval_str=True).parameters.values()]
    parameters = [*own, *(_limit(name, unit) for name, unit in _LIMITS.items())]
    with_options.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {p.name: p.annotation for p in parameters}
    return with_options


_LIMITS = {"seconds": "time", "megabytes": "memory"}


def _limit(name: str, what: str) -> Parameter:
    """The parameter of a command for one of its limits."""
    option = typer.Option(help=f"The most {what} that reading a file, or making its image, may take.")
    default = getattr(Limits, name)
    return Parameter(f"limit_{name}", Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[float, option])


def _settings(values: dict[str, Any]) -> dict[str, Any]:
    """The settings that were given, those of `--set` first."""
    found = {name: toml_value(value) for name, value in named(values.pop("set") or [], "--set NAME=VALUE")}
    for name, value in values.items():
        if value not in (None, []):
            found[OPTIONS[name].setting] = parse_canvas(value) if name == "canvas" else value
    return found


def find_encoders(settings: Mapping[str, Any], *more: str) -> None:
    """Make sure that the encoders that were named are there, before PyTorch is loaded, which takes seconds.

    Args:
        settings: by full names.
        more: names of other encoders.

    Raises:
        ConfigError, MissingExtraError, WeightsError: one is not there.
    """
    from clipdraw.encoders import find_encoder, split_weight

    texts = settings.get("judge.encoders", ())
    for name in (*(split_weight(text)[0] for text in texts if isinstance(texts, list)), *more):
        find_encoder(name)


def named(pairs: list[str], form: str) -> Iterator[tuple[str, str]]:
    """The two sides of each pair.

    Raises:
        ConfigError: there is no equals sign or nothing before it.
    """
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            option, _, rest = form.partition(" ")
            raise ConfigError(f"{option} takes {rest}, got {pair!r}")
        yield name.strip(), value


def toml_value(text: str) -> Any:
    """The value that TOML reads in the text, or the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):  # no TOML, or a number of too many digits, or brackets in brackets
        return text


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
