"""The hosted predictor: inputs named as in the two published ones, drawings streamed as they come.

    COG_PREDICT_TYPE_STUB=predict.py:Runner python -m cog.server.http

Cog checks inputs against a schema that only `cog build` writes, so each is checked here, too. Defaults are literals
because that schema is made without running this file.
"""

import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from inspect import signature
from itertools import count
from pathlib import Path as LocalPath
from tempfile import TemporaryDirectory
from typing import Any

import cog
from cog import BaseRunner, Input, Path

sys.path.insert(0, str(LocalPath(__file__).parent / "src"))  # an image holds this folder, not an installed clipdraw

from clipdraw import Drawing, Step, config, rasterize
from clipdraw.errors import InputError
from clipdraw.io.images import write_png
from clipdraw.io.paths_json import from_json
from clipdraw.runs import encoder_of

MOST_DRAWINGS = 500
"""Drawings of one answer, which holds them all as base64."""
MOST_PATHS = 4096


class Runner(BaseRunner):
    """Draws what a text describes."""

    def setup(self) -> None:
        """Load the encoder: the built-in encoder, or what the environment variable CLIPDRAW_ENCODER names.

        One step is drawn, so that all is loaded before the first prediction and not in it.
        """
        self._encoder = os.environ.get("CLIPDRAW_ENCODER", "builtin")
        self._files: TemporaryDirectory[str] | None = None
        list(self.run(num_paths=1, num_iterations=1))

    @cog.streaming
    def run(
        self,
        prompt: str = Input(
            default="Watercolor painting of an underwater submarine.",
            description="What to draw.",
            min_length=1,
            max_length=1000,
        ),
        num_paths: int = Input(default=256, description="Number of strokes.", ge=1, le=4096),
        num_iterations: int = Input(default=600, description="Number of updates.", ge=1, le=10000),
        display_frequency: int = Input(default=10, description="Updates between two drawings.", ge=1, le=10000),
        distance_from_centre_threshold: float = Input(
            default=75.0,
            description="What is farther from the middle is pulled back.",
            ge=0,
            le=1000,
        ),
        distance_from_centre_power: float = Input(default=2.0, description="Power of the distance beyond.", ge=1, le=8),
        distance_from_centre_weight: float = Input(default=0.001, description="Its weight; 0: none.", ge=0, le=100),
        negative_prompt: str = Input(default="", description="What to stay away from.", max_length=1000),
        seed: int = Input(default=0, description="The same seed gives the same drawing.", ge=0, le=2147483647),
        preset: str = Input(
            default="default",
            description="The recipe: ours, or those of the notebook, of its author's predictor and of the article's.",
            choices=["default", "notebook", "predictor", "article"],
        ),
        width: int = Input(default=224, description="Width of the canvas.", ge=32, le=1024),
        height: int = Input(default=224, description="Height of the canvas.", ge=32, le=1024),
        output_size: int = Input(default=448, description="Pixels along a PNG's longer side.", ge=16, le=2048),
        output_format: str = Input(default="png", description="Of all drawings.", choices=["png", "svg", "json"]),
        starting_paths: str = Input(default="", description="JSON of the drawing to go on from.", max_length=5000000),
    ) -> Iterator[Path]:
        """Yield the drawing after each `display_frequency` updates and after the last one."""
        given = checked(dict(locals()))
        settings, every = _settings(given, self._encoder), given["display_frequency"]
        if settings.steps > every * MOST_DRAWINGS:
            least = math.ceil(settings.steps / MOST_DRAWINGS)
            raise InputError(f"display_frequency must be at least {least} for {settings.steps} updates, got {every}")
        path = self._new_paths(given["output_format"])
        write = _writer(given["output_format"], given["output_size"])
        for step in _steps(settings, given["starting_paths"]):
            if step.index % every == 0 or step.index == step.of:
                file = path()
                write(step.drawing.detached().to(device="cpu"), file)
                self.record_metric("similarity", step.similarity)
                yield Path(file)

    def _new_paths(self, ending: str) -> Callable[[], LocalPath]:
        """A function that names a new file at each call, in a folder that the next prediction removes."""
        if self._files:
            self._files.cleanup()
        self._files = TemporaryDirectory(prefix="clipdraw-")
        folder, numbers = LocalPath(self._files.name), count(1)
        return lambda: folder / f"drawing-{next(numbers):05}.{ending}"


_INPUTS = [p for p in signature(Runner.run).parameters.values() if p.name != "self"]  # before Cog unwraps the defaults


def checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of `Runner.run`, with defaults for those that are not given.

    Raises:
        InputError: one is of the wrong type or beyond its limits.
    """
    given = {p.name: values.get(p.name, p.default) for p in _INPUTS}
    given = {p.name: p.default.default if given[p.name] is p.default else given[p.name] for p in _INPUTS}
    return {p.name: _checked(p.name, given[p.name], p.annotation, p.default) for p in _INPUTS}


def _checked(name: str, value: Any, kind: type, limits: Any) -> Any:
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        wanted = {int: "a whole number", float: "a number", str: "a text"}[kind]
        raise InputError(f"{name} must be {wanted}, got {_shortened(value)}")
    if limits.choices and value not in limits.choices:
        raise InputError(f"{name} is one of {', '.join(limits.choices)}, got {_shortened(value)}")
    if limits.ge is not None and not limits.ge <= value <= limits.le:
        raise InputError(f"{name} must be from {limits.ge} to {limits.le}, got {value}")
    if limits.min_length and not value.strip():
        raise InputError(f"{name} must not be empty")
    if limits.max_length and len(value) > limits.max_length:
        raise InputError(f"{name} must have at most {limits.max_length} characters, got {len(value)}")
    return value


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _settings(given: Mapping[str, Any], encoder: str) -> config.Config:
    """The configuration that the inputs mean."""
    options = {
        "preset": None if given["preset"] == "default" else given["preset"],  # that which goes with the encoder
        "judge.encoders": (encoder,),
        "seed": given["seed"],
        "canvas": (float(given["width"]), float(given["height"])),
        "strokes": given["num_paths"],
        "steps": given["num_iterations"],
        "center.radius": given["distance_from_centre_threshold"],
        "center.power": given["distance_from_centre_power"],
        "center.weight": given["distance_from_centre_weight"],
    }
    if given["negative_prompt"].strip():
        options["negative"] = (given["negative_prompt"],)
    return config.resolve(given["prompt"], options)


def _steps(settings: config.Config, paths: str) -> Iterator[Step]:
    start = None
    if paths:
        start = from_json(paths)
        if not 1 <= len(start) <= MOST_PATHS:
            raise InputError(f"starting_paths must have from 1 to {MOST_PATHS} paths, got {len(start)}")
    return settings.build(encoder_of(settings), start=start).optimize()


def _writer(ending: str, size: int) -> Callable[[Drawing, LocalPath], None]:
    """The function that writes a drawing as such a file."""
    if ending != "png":
        return Drawing.save

    def write(drawing: Drawing, file: LocalPath) -> None:
        height, width = drawing.canvas.pixel_size(size)
        write_png(rasterize(drawing, height=height, width=width), file)

    return write
