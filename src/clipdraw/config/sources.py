"""Pictures and drawings of one's own: from the files that settings name to starts, targets, losses and layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import ConfigError, FormatError
from clipdraw.io import readers
from clipdraw.io.images import read_image
from clipdraw.optimization.arrangement import Arrangement, Below, Combined
from clipdraw.optimization.likeness import Likeness, Style
from clipdraw.optimization.losses import Loss
from clipdraw.optimization.prior_picture import Place
from clipdraw.raster import rasterize

if TYPE_CHECKING:
    from clipdraw.config.settings import Config

FILES = "source.file", "source.like", "source.style", "source.below"
"""The settings that name files."""
_PICTURE_SIDE = 256
"""Pixels along the longer side of the picture that a drawing is made into."""


def is_drawing(file: str) -> bool:
    """Whether a file is a drawing, by its ending; else it is a picture."""
    return Path(file).suffix.lower().lstrip(".") in readers


def check_together(config: Config) -> None:
    """Refuse sources that contradict other settings.

    Raises:
        ConfigError: two of them do; the message says which.
    """
    source = config.source
    if source.file and config.regions:
        raise ConfigError("source.file and regions do not go together: the file says what is where")
    if source.below and not is_drawing(source.below):
        raise ConfigError(f"source.below is a drawing (.svg, .json), got {source.below!r}; trace a picture first")
    if source.file and is_drawing(source.file) and (config.shape != "stroke" or config.hand.one_line):
        raise ConfigError("source.file and shape do not go together: the paths of a drawing are what they are")


def start(config: Config) -> Drawing | None:
    """The drawing that the run starts from, on the run's canvas; None if no drawing is given.

    Raises:
        FormatError: it cannot be read, or has no path.
    """
    file = config.source.file
    if not file or not is_drawing(file):
        return None
    drawing = _on_canvas(Drawing.load(file), file, config)
    if not len(drawing):
        raise FormatError(f"{file}: a drawing without paths, which leaves nothing to move")
    return drawing


def places(config: Config) -> tuple[Place, ...]:
    """The place of a picture that the drawing starts from or is kept near; empty if no file is given.

    Raises:
        FormatError: it cannot be read.
    """
    file = config.source.file
    if not file:
        return ()
    text = max(config.prompts(), key=lambda prompt: prompt.weight).text
    return (Place(text, shown=_picture(file)),)


def arrangement(config: Config, own: Arrangement | None) -> Arrangement | None:
    """The run's arrangement, over the drawing that is to stay under what is drawn.

    Raises:
        FormatError: it cannot be read.
    """
    file = config.source.below
    if not file:
        return own
    below = Below(_on_canvas(Drawing.load(file), file, config))
    return Combined((own, below)) if own else below


def losses(config: Config) -> tuple[Loss, ...]:
    """The losses that ask a drawing to be like pictures.

    Raises:
        FormatError: one cannot be read.
    """
    source = config.source
    found: list[Loss] = []
    if source.like:
        found.append(Likeness(_picture(source.like), source.like_weight, source.like_places, source.like_layers))
    if source.style:
        found.append(Style(_picture(source.style), source.style_strength))
    return tuple(found)


def _picture(file: str) -> Float[Tensor, "3 height width"]:
    """The picture in a file, or that of the drawing in it."""
    if not is_drawing(file):
        return read_image(file)
    drawing = Drawing.load(file)
    height, width = drawing.canvas.pixel_size(_PICTURE_SIDE)
    return rasterize(replace(drawing, background=drawing.paper), height=height, width=width)


def _on_canvas(drawing: Drawing, file: str, config: Config) -> Drawing:
    """The drawing, whose canvas is the run's.

    Raises:
        ConfigError: it is not.
    """
    canvas = Canvas(*config.canvas)
    if drawing.canvas != canvas:
        size = f"{drawing.canvas.width:g}x{drawing.canvas.height:g}"
        raise ConfigError(
            f"{file}: its canvas is {size}, the run's {canvas.width:g}x{canvas.height:g}; use --canvas {size}"
        )
    return drawing
