"""The interface of a text-image encoder, whoever trained it, and what one may offer besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


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
