"""The interface of a text-image encoder, whoever trained it, what one may offer besides, and several as one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.errors import InputError


@runtime_checkable
class Encoder(Protocol):
    """Texts and images to unit vectors in one space, where the cosine says how well they match.

    Normalizing pixel values is the encoder's own business. Weights are frozen: gradients flow to the
    views, never to the weights.

    An encoder may also have `prior`, an `ImagePrior`; `logit_scale`, the factor of cosines in its training's softmax;
    `unknown_words(text)`, the words that it does not know; and `layers(views)`, its feature maps from the first to the
    last. Read them with `prior_of`, `logit_scale_of`, `unknown_words` and `layers_of`.
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


MOST_TEXTS = 4096
"""Texts whose vectors an encoder remembers: some megabytes, and more than the nouns that `explain` compares with."""


def remember(kept: dict[str, Tensor], new: Mapping[str, Tensor], most: int) -> None:
    """Add what was computed to what is kept, and forget the oldest beyond `most`."""
    kept.update(new)
    for name in list(islice(kept, max(0, len(kept) - most))):
        kept.pop(name, None)  # another thread may have been here


CLIP_LOGIT_SCALE = 100.0
"""The value at which CLIP's training ended. Source: Radford et al. 2021, arXiv 2103.00020, section 2.5."""


def prior_of(encoder: Encoder) -> ImagePrior | None:
    """The encoder's prior of pictures, if it has one."""
    return getattr(encoder, "prior", None)


def logit_scale_of(encoder: Encoder) -> float:
    """The factor of cosines before a softmax over texts: the encoder's own, or CLIP's if it has none."""
    return getattr(encoder, "logit_scale", CLIP_LOGIT_SCALE)


def unknown_words(encoder: Encoder, text: str) -> tuple[str, ...]:
    """The words of a text that the encoder does not know, as far as it can tell.

    Raises:
        UnreadableError: it knows none of them.
    """
    known_by = getattr(encoder, "unknown_words", None)
    return known_by(text) if known_by else ()


def layers_of(encoder: Encoder, views: Float[Tensor, "views 3 size size"]) -> list[Tensor]:
    """The encoder's feature maps of views, each (views, channels, rows, columns), from the first layer to the last.

    Raises:
        InputError: the encoder does not show its layers.
    """
    layers = getattr(encoder, "layers", None)
    if layers is None:
        raise InputError(f"the encoder {encoder.name} does not show its layers, which a picture's likeness needs")
    return list(layers(views))


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

    def layers(self, views: Float[Tensor, "views 3 size size"]) -> list[Tensor]:
        """The feature maps of all encoders."""
        return [found for one in self.encoders for found in layers_of(one, _resize(views, one.view_size))]

    def truncated_tail(self, text: str) -> str:
        """The end of `text` that at least one encoder does not read."""
        return max((encoder.truncated_tail(text) for encoder in self.encoders), key=len)

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """The words of a text that at least one encoder does not know.

        Raises:
            UnreadableError: one of them knows none.
        """
        return tuple(dict.fromkeys(word for encoder in self.encoders for word in unknown_words(encoder, text)))

    def _concatenate(self, vectors: list[Tensor]) -> Tensor:
        return torch.cat([math.sqrt(weight) * each for weight, each in zip(self._weights, vectors, strict=True)], 1)


def _resize(views: Tensor, size: int) -> Tensor:
    if views.shape[-1] == size:
        return views
    return functional.interpolate(views, size=(size, size), mode="bilinear", antialias=True)
