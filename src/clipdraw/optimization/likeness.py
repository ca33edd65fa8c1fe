"""Losses that ask a drawing to be like a picture: in what it shows and where, or in its style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

from jaxtyping import Float
from torch import Tensor

from clipdraw.encoders import Encoder, layers_of
from clipdraw.errors import InputError, check_fields
from clipdraw.framing import fitted
from clipdraw.optimization.losses import Frame, Term

VIEWS = 4
"""Views that are compared in each step."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """The difference between what the encoder sees in a drawing and in a picture, under the same random views.

    Args:
        picture: on white, in [0, 1]; it is set into the middle of the canvas.
        weight: of meaning, 1 minus the cosine of the embeddings, against a prompt's 1; 0 or more.
        places: of the feature maps, in which meaning has its place: the squared difference relative to the picture's,
            meaned over layers; 0 or more.
        layers: from which layer on maps are compared, as a fraction of all, in [0, 1): the first ones tell colors and
            edges, the last ones things.

    Raises:
        InputError: a value is out of range.

    Source: Vinker et al. 2022 (CLIPasso), arXiv 2202.05822, section 3.2: semantic and geometric loss.
    """

    picture: Float[Tensor, "3 height width"]
    weight: float = 1.0
    places: float = 1.0
    layers: float = 0.5
    name: str = "likeness"

    def __post_init__(self) -> None:
        check_fields(self, prefix="a likeness's ")
        if self.weight < 0 or self.places < 0 or not 0 <= self.layers < 1:
            raise InputError(
                f"weights of a likeness are 0 or more and its layers in [0, 1), got {self.weight}, {self.places} and "
                f"{self.layers}"
            )

    def build(self, encoder: Encoder) -> Term:
        """The weighted differences, times the views, as a prompt is their sum."""
        fitted_to = cache(partial(fitted, self.picture.to(encoder.device)))

        def difference(frame: Frame) -> Tensor:
            picture = fitted_to(*frame.image.shape[1:]).to(frame.image)
            seen, wanted = frame.views_of([frame.image, picture], VIEWS)
            loss = frame.image.new_zeros(())
            if self.weight:
                cosines = (encoder.encode_image(seen) * encoder.encode_image(wanted).detach()).sum(1)
                loss = loss + self.weight * (1 - cosines.mean())
            if self.places:
                loss = loss + self.places * _map_difference(self._maps(encoder, seen), self._maps(encoder, wanted))
            return len(frame.embeddings) * loss

        return difference

    def _maps(self, encoder: Encoder, views: Tensor) -> Sequence[Tensor]:
        maps = layers_of(encoder, views)
        return maps[int(self.layers * len(maps)) :]


def _map_difference(seen: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """The mean over layers of the squared difference of maps, relative to the square of what is wanted."""
    pairs = [(a.float(), b.float().detach()) for a, b in zip(seen, wanted, strict=True)]
    parts = [(a - b).square().mean() / b.square().mean().clamp(min=_LEAST) for a, b in pairs]
    return sum(parts[1:], parts[0]) / len(parts)


_LEAST = 1e-8


@dataclass(frozen=True, eq=False)
class Style:
    """The difference between how often features go together in a drawing and in a picture, wherever they are.

    Args:
        picture: in [0, 1].
        strength: against a prompt's 1, above 0.

    Raises:
        InputError: the strength is not above 0.

    Source: Gatys et al. 2016, "Image Style Transfer Using Convolutional Neural Networks": Gram matrices of feature
    maps; here of the judge's own layers, relative to those of the picture.
    """

    picture: Float[Tensor, "3 height width"]
    strength: float = 1.0
    name: str = "style"

    def __post_init__(self) -> None:
        check_fields(self, prefix="a style's ")
        if self.strength <= 0:
            raise InputError(f"the strength of a style is above 0, got {self.strength}")

    def build(self, encoder: Encoder) -> Term:
        """The weighted difference of Gram matrices, times the views, as a prompt is their sum."""

        def difference(frame: Frame) -> Tensor:
            seen, wanted = frame.views_of([frame.image, self.picture.to(frame.image)], VIEWS)
            grams = [[_gram(each) for each in layers_of(encoder, views)] for views in (seen, wanted)]
            return self.strength * len(frame.embeddings) * _map_difference(*grams)

        return difference


def _gram(maps: Float[Tensor, "views channels rows columns"]) -> Float[Tensor, "channels channels"]:
    """The mean product of each two channels over places and views."""
    flat = maps.float().transpose(0, 1).flatten(1)
    return flat @ flat.T / flat.shape[1]
