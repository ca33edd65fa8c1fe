"""Text-image encoders: their interface, several as one, and how to load them, the built-in one or CLIP-like models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.errors import ConfigError
from clipdraw.progress import log
from clipdraw.registry import Registry

__all__ = ["Encoder", "Ensemble", "ImagePrior", "encoders", "load_encoder", "logit_scale_of", "prior_of"]

CLIP_LOGIT_SCALE = 100.0
"""The value at which CLIP's training ended. Source: Radford et al. 2021, arXiv 2103.00020, section 2.5."""

encoders = Registry("encoders", {"builtin": "clipdraw.encoders.builtin:load"})
"""Name to `load(*, device, precision, normalize) -> Encoder`.

Every loader takes these three keywords; one that has no use for a keyword ignores it.
"""


@runtime_checkable
class Encoder(Protocol):
    """Texts and images to unit vectors in one space, where the cosine says how well they match.

    Normalizing pixel values is the encoder's own business. Weights are frozen: gradients flow to the
    views, never to the weights.

    An encoder may also have `prior`, an `ImagePrior`, and `logit_scale`, the factor of cosines in its training's
    softmax; read them with `prior_of` and `logit_scale_of`.
    """

    name: str
    """The name on the command line, such as `builtin` or a hub id."""
    view_size: int
    """Height and width of the views it reads, in pixels."""
    dimensions: int
    """Length of its embeddings."""

    @property
    def device(self) -> torch.device:
        """The device of its weights."""
        ...

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts."""
        ...

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of square views in [0, 1]; differentiable in `views`."""
        ...

    def truncated_tail(self, text: str) -> str:
        """The end of `text` that is cut off before it is encoded; empty if nothing is."""
        ...


@runtime_checkable
class ImagePrior(Protocol):
    """Pictures of what a text may look like: where a drawing starts, and what it is kept near."""

    def sample(self, text: str) -> Float[Tensor, "pictures 3 side side"]:
        """One or more small square pictures on white, in [0, 1], the likeliest first; the same ones each time."""
        ...


def prior_of(encoder: Encoder) -> ImagePrior | None:
    """The encoder's prior of pictures, if it has one."""
    return getattr(encoder, "prior", None)


def logit_scale_of(encoder: Encoder) -> float:
    """The factor of cosines before a softmax over texts: the encoder's own, or CLIP's if it has none."""
    return getattr(encoder, "logit_scale", CLIP_LOGIT_SCALE)


class Ensemble:
    """Encoders side by side; the cosine in its space is the mean of theirs, by weight.

    Args:
        encoders: at least one, all on the same device.
        weights: of each, above 0; all the same if not given.
    """

    def __init__(self, encoders: Sequence[Encoder], weights: Sequence[float] | None = None) -> None:
        self.encoders = tuple(encoders)
        weights = weights or [1.0] * len(self.encoders)
        self._weights = [weight / sum(weights) for weight in weights]
        self.name = " + ".join(encoder.name for encoder in encoders)
        self.view_size = max(encoder.view_size for encoder in encoders)
        self.dimensions = sum(encoder.dimensions for encoder in encoders)
        self.device = self.encoders[0].device
        scales = map(logit_scale_of, self.encoders)
        self.logit_scale = sum(weight * scale for weight, scale in zip(self._weights, scales, strict=True))

    @cached_property
    def prior(self) -> ImagePrior | None:
        """The prior of the first encoder that has one."""
        return next((prior for prior in map(prior_of, self.encoders) if prior), None)

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts."""
        return self._concatenate([encoder.encode_text(texts) for encoder in self.encoders])

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of views, each encoder seeing them at its own size; differentiable in `views`."""
        return self._concatenate([one.encode_image(_resize(views, one.view_size)) for one in self.encoders])

    def truncated_tail(self, text: str) -> str:
        """The end of `text` that at least one encoder does not read."""
        return max((encoder.truncated_tail(text) for encoder in self.encoders), key=len)

    def _concatenate(self, vectors: list[Tensor]) -> Tensor:
        return torch.cat([math.sqrt(weight) * each for weight, each in zip(self._weights, vectors, strict=True)], 1)


def _resize(views: Tensor, size: int) -> Tensor:
    if views.shape[-1] == size:
        return views
    return functional.interpolate(views, size=(size, size), mode="bilinear", antialias=True)


def load_encoder(
    name: str = "builtin", *, device: torch.device | str = "cpu", precision: str = "auto", normalize: bool = True
) -> Encoder:
    """A text-image encoder on its device, frozen.

    Args:
        name: `builtin` or the name of a plug-in; a folder with a CLIP or SigLIP checkpoint; or such a
            checkpoint's hub id, as `openai/clip-vit-base-patch32`. A registered name goes before a folder of
            that name (which is reached as `./name`).
        device: where to compute.
        precision: `"float32"`, `"bfloat16"`, `"float16"`, or `"auto"`: whichever is measured to be fast here.
        normalize: whether CLIP-like encoders normalize pixel values as in their training; the published
            CLIPDraw notebook does not.

    Returns:
        The encoder.

    Raises:
        ConfigError: `name` is none of these, or `precision` is unknown.
        MissingExtraError: the encoder needs a part of clipdraw that is not installed.
        WeightsError: its weights cannot be found, fetched or read.
    """
    if name in tuple(encoders):
        log.info("loading the encoder %s", name)
        return encoders[name](device=device, precision=precision, normalize=normalize)
    if not name or ("/" not in name and not Path(name).expanduser().is_dir()):
        raise ConfigError(
            f"no encoder called {name!r}; there are: {', '.join(sorted(encoders))}, a folder with a CLIP or "
            "SigLIP checkpoint, or a hub id such as openai/clip-vit-base-patch32"
        )
    from clipdraw.encoders import clip

    log.info("loading the encoder %s", name)
    return clip.load(name, device=device, precision=precision, normalize=normalize)
