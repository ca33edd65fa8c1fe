"""Several encoders as one: a drawing must please all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders.base import Encoder, ImagePrior, logit_scale_of, prior_of, unknown_words


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
