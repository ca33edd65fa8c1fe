"""What every text-image encoder offers, whoever trained it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


@runtime_checkable
class Encoder(Protocol):
    """Texts and images to unit vectors in one space, where the cosine says how well they match.

    Normalizing pixel values is the encoder's own business. Weights are frozen: gradients flow to the
    views, never to the weights.
    """

    name: str
    """What names it on the command line, such as `builtin` or a hub id."""
    view_size: int
    """Height and width of the views it reads, in pixels."""
    dimensions: int
    """Length of its embeddings."""

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        ...

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts."""
        ...

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of square views in [0, 1]; differentiable in `views`."""
        ...

    def unread(self, text: str) -> str:
        """The end of `text` that is beyond what the encoder reads; empty if it reads all of it."""
        ...


@runtime_checkable
class Imagines(Protocol):
    """What an encoder may be able to do besides: say roughly what a text looks like."""

    def imagine(self, text: str) -> Float[Tensor, "pictures 3 side side"]:
        """One or more small square pictures on white, in [0, 1]; the one that fits best comes first."""
        ...


CLIP_LOGIT_SCALE = 100.0
"""Where CLIP's training ended. Source: Radford et al. 2021, arXiv 2103.00020, section 2.5."""


@runtime_checkable
class Calibrated(Protocol):
    """What an encoder may know besides: how much a difference of cosines means to it."""

    @property
    def logit_scale(self) -> float:
        """What cosines are multiplied by before a softmax over texts, as in its training."""
        ...


def logit_scale_of(encoder: Encoder) -> float:
    """The encoder's own scale, or CLIP's if it does not say."""
    return encoder.logit_scale if isinstance(encoder, Calibrated) else CLIP_LOGIT_SCALE
