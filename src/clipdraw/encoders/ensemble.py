"""Several encoders as one judge: a drawing must please all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders.base import Encoder, Imagines, logit_scale_of


class Ensemble:
    """Encoders side by side; the cosine in its space is the mean of theirs, by weight.

    It imagines what the first of them that can imagines.

    Args:
        encoders: at least one, all on the same device.
        weights: of each, above 0; all the same if not given.
    """

    def __init__(self, encoders: Sequence[Encoder], weights: Sequence[float] | None = None) -> None:
        self.encoders = tuple(encoders)
        weights = weights or [1.0] * len(self.encoders)
        self._shares = [weight / sum(weights) for weight in weights]
        self.name = " + ".join(encoder.name for encoder in encoders)
        self.view_size = max(encoder.view_size for encoder in encoders)
        self.dimensions = sum(encoder.dimensions for encoder in encoders)
        self.device = self.encoders[0].device
        scales = map(logit_scale_of, self.encoders)
        imagining = [encoder for encoder in self.encoders if isinstance(encoder, Imagines)]
        if imagining:
            self.imagine = imagining[0].imagine
        self.logit_scale = sum(share * scale for share, scale in zip(self._shares, scales, strict=True))

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts."""
        return self._joined([encoder.encode_text(texts) for encoder in self.encoders])

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of views, each encoder seeing them at its own size; differentiable in `views`."""
        return self._joined([encoder.encode_image(_resized(views, encoder.view_size)) for encoder in self.encoders])

    def unread(self, text: str) -> str:
        """The end of `text` that at least one encoder does not read."""
        return max((encoder.unread(text) for encoder in self.encoders), key=len)

    def _joined(self, vectors: list[Tensor]) -> Tensor:
        return torch.cat([math.sqrt(share) * each for share, each in zip(self._shares, vectors, strict=True)], 1)


def _resized(views: Tensor, size: int) -> Tensor:
    if views.shape[-1] == size:
        return views
    return functional.interpolate(views, size=(size, size), mode="bilinear", antialias=True)
