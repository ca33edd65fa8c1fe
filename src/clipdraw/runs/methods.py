"""Ways to synthesize an image for a prompt by optimization, side by side.

Each takes a configuration and says what is optimized, for what, and how; `optimize` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from clipdraw.config import Config
from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.errors import ConfigError, InputError
from clipdraw.optimization.loop import Recipe
from clipdraw.optimization.losses import Frame, Likeness, Loss, Prompt, Term
from clipdraw.optimization.parameterizations import Latents, Parameterization, Pixels, biggan


@dataclass(frozen=True)
class Attempt:
    """What `optimize` is given.

    Args:
        start: what is optimized.
        losses: what it is asked for.
        recipe: how.
    """

    start: Drawing | Parameterization
    losses: tuple[Loss, ...]
    recipe: Recipe


@dataclass(frozen=True)
class Method:
    """A way to synthesize an image.

    Args:
        title: what a figure calls it.
        about: what it optimizes, in a line.
        attempt: what `optimize` is given for a configuration, an encoder and the name of a generator's weights.
    """

    title: str
    about: str
    attempt: Callable[[Config, Encoder, str], Attempt]


def _random(config: Config) -> torch.Generator:
    return torch.Generator().manual_seed(config.seed)


def _strokes(config: Config, encoder: Encoder, generator: str = "") -> Attempt:
    start = config.start(encoder)(config.drawing_canvas(), _random(config))
    return Attempt(start, config.losses(), config.recipe())


def _without_augmentation(config: Config, encoder: Encoder, generator: str = "") -> Attempt:
    """One view says what several would: all are the same."""
    return _strokes(replace(config, augment=False, views=1), encoder)


def _without_negatives(config: Config, encoder: Encoder, generator: str = "") -> Attempt:
    return _strokes(replace(config, negative=()), encoder)


def _of_any_image(config: Config) -> tuple[Loss, ...]:
    """The losses that need no strokes."""
    return tuple(loss for loss in config.losses() if isinstance(loss, Prompt | Likeness))


def _pixels(config: Config, encoder: Encoder, generator: str = "") -> Attempt:
    start = Pixels.noise(config.drawing_canvas(), _random(config), device=encoder.device)
    return Attempt(start, _of_any_image(config), config.recipe())


@lru_cache(maxsize=1)
def _generator(name: str, device: torch.device) -> biggan.BigGAN:
    """The generator, read once for all pictures."""
    return biggan.load(name, device=device)


def _biggan(config: Config, encoder: Encoder, generator: str) -> Attempt:
    start = Latents(_generator(generator or biggan.PUBLISHED, encoder.device), _random(config))
    return Attempt(start, (*_of_any_image(config), Oddness()), config.recipe())


@dataclass(frozen=True)
class Oddness:
    """How far latents are from those that their generator was trained for.

    Args:
        weight: against a prompt's 1; Murdock's notebook weighs the prompt 100.
    """

    weight: float = 0.01
    name: str = "oddness"

    def build(self, encoder: Encoder) -> Term:
        """The weighted oddness, times the views, as a prompt is their sum."""

        def oddness(frame: Frame) -> Tensor:
            if not isinstance(frame.subject, Latents):
                raise InputError(f"only latents can be odd; what is optimized here is {type(frame.subject).__name__}")
            return self.weight * len(frame.embeddings) * frame.subject.oddness()

        return oddness


METHODS = {
    "clipdraw": Method("CLIPDraw", "strokes", _strokes),
    "pixels": Method("Pixel optimization", "every pixel by itself", _pixels),
    "biggan": Method("BigGAN optimization", "the latents of a generator of photographs", _biggan),
    "no-augment": Method("CLIPDraw, no augmentation", "strokes, seen as they are", _without_augmentation),
    "no-negative": Method("CLIPDraw, no negatives", "strokes, for the prompt alone", _without_negatives),
}
"""Methods by their names. The first four are those of the paper's Figure 3."""

FIGURE_3 = ("clipdraw", "pixels", "biggan", "no-augment")


def method(name: str) -> Method:
    """The method of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in METHODS:
        raise ConfigError(f"there is no method {name!r}; there are: {', '.join(METHODS)}")
    return METHODS[name]
