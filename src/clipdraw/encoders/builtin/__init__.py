"""The encoder that ships inside: trained on openly licensed drawings, no network, no other package's weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders.base import MOST_TEXTS, remember
from clipdraw.encoders.builtin.image_tower import VIEW_SIZE, ImageTower
from clipdraw.encoders.builtin.prior import BuiltinPrior, Exemplars, PictureNetwork
from clipdraw.encoders.builtin.spelling import spell_out, unknown_words
from clipdraw.encoders.builtin.storage import SHA256, WEIGHTS, checksum, read, select
from clipdraw.encoders.builtin.text_tower import TextTower
from clipdraw.encoders.devices import choose_precision
from clipdraw.errors import InputError, WeightsError, shortened
from clipdraw.framing import letterbox
from clipdraw.progress import log

__all__ = ["SHA256", "WEIGHTS", "BuiltinEncoder", "checksum", "load"]

_FEW, _TEXTS_AT_ONCE = 32, 64


class BuiltinEncoder:
    """Texts and 64 x 64 views to unit vectors.

    The text side and the prior are made from their weights when they are first needed, on the CPU.

    Args:
        tensors: weights by name: `image.`, `text.`, `imagination.` and `exemplars.` (the prior), and `projection`, the
            linear map from texts to the shared space.
        version: of the weights.
        device: where to compute.
        dtype: what the image side computes in.
    """

    name = "builtin"
    view_size = VIEW_SIZE
    logit_scale = 39.1
    """Learned in training, with the weights that ship."""

    def __init__(self, tensors: dict[str, Tensor], *, version: str, device: torch.device, dtype: torch.dtype) -> None:
        self.version, self.device = version, device
        self._dtype, self._tensors = dtype, tensors
        self._image = ImageTower.from_tensors(select(tensors, "image."), device=device, dtype=dtype)
        self._projection = tensors["projection"].float().to(device)
        self.dimensions = len(self._projection)
        self._texts: dict[str, Tensor] = {}

    @cached_property
    def text_tower(self) -> TextTower:
        """The network that reads texts."""
        return TextTower.from_tensors(select(self._tensors, "text."))

    @cached_property
    def prior(self) -> BuiltinPrior:
        """Pictures of what a text may look like."""
        network = PictureNetwork.from_tensors(select(self._tensors, "imagination."))
        exemplars = Exemplars.from_tensors(select(self._tensors, "exemplars."))
        return BuiltinPrior(network, exemplars, self.text_tower.embed, self._cosines)

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts.

        Of a few each is computed by itself and remembered, so that its last digit does not depend on the others. Many,
        such as a list of words, are computed together, which takes a fifth of the time.

        Raises:
            InputError: `texts` is one string.
            UnreadableError: it knows no word of a text.
        """
        if isinstance(texts, str):
            raise InputError(f"encode_text takes a list of texts, got one text: {shortened(texts)!r}")
        if not texts:
            return torch.empty(0, self.dimensions, device=self.device)
        if len(texts) > _FEW:
            log.info("reading %d texts", len(texts))
            groups = [texts[at : at + _TEXTS_AT_ONCE] for at in range(0, len(texts), _TEXTS_AT_ONCE)]
            return torch.cat([self._embed_texts(group) for group in groups])
        known = {text: self._texts.get(text) for text in texts}
        vectors = {text: self._embed_texts([text])[0] if found is None else found for text, found in known.items()}
        remember(self._texts, vectors, MOST_TEXTS)
        return torch.stack([vectors[text] for text in texts])

    @torch.no_grad()
    def _embed_texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        for text in texts:
            self.unknown_words(text)
        vectors = self.text_tower.embed([spell_out(text) for text in texts])
        return functional.normalize(vectors.to(self.device) @ self._projection.T, dim=1)

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of views in [0, 1]; differentiable in `views`, once."""
        return self._image(views.to(device=self.device, dtype=self._dtype))

    def layers(self, views: Float[Tensor, "views 3 size size"]) -> list[Tensor]:
        """The feature maps of views after each stage, from 32 x 32 down to 4 x 4; differentiable in `views`, once."""
        return self._image.features(views.to(device=self.device, dtype=self._dtype))

    def truncated_tail(self, text: str) -> str:
        """The end of `text` that is beyond what the encoder reads, in the letters that it reads."""
        return self.text_tower.truncated_tail(spell_out(text))

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """The words of a text that it does not know: to it they are all the same.

        Raises:
            UnreadableError: it knows none.
        """
        return unknown_words(text, self.text_tower.words)

    def _cosines(self, pictures: Tensor, text: str) -> Tensor:
        whole = torch.stack([letterbox(picture, VIEW_SIZE, VIEW_SIZE) for picture in pictures.to(self.device)])
        return self.encode_image(whole) @ self.encode_text([text])[0]


def load(
    *, device: str | torch.device = "cpu", precision: str = "auto", normalize: bool = True, path: Path = WEIGHTS
) -> BuiltinEncoder:
    """The built-in encoder.

    Args:
        device: where to compute.
        precision: of the image side, as in `load_encoder`.
        normalize: of no effect: this encoder reads plain pixel values.
        path: the weights.

    Raises:
        ConfigError: the precision is unknown.
        WeightsError: the file is missing or damaged.
    """
    device = torch.device(device)
    dtype = choose_precision(precision, device)
    try:
        tensors, version = read(path)
        return BuiltinEncoder(tensors, version=version, device=device, dtype=dtype)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsError(f"the built-in encoder's weights are damaged ({error}); reinstall clipdraw") from None
