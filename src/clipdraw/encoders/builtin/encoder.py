"""The encoder that ships inside: trained on openly licensed drawings, no network, no other package's weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders.builtin.exemplars import Exemplars
from clipdraw.encoders.builtin.frozen import frozen
from clipdraw.encoders.builtin.image_tower import VIEW_SIZE, ImageTower
from clipdraw.encoders.builtin.imagination import Imagination
from clipdraw.encoders.builtin.packed import pack_convolutions
from clipdraw.encoders.builtin.readings import other_number, readings
from clipdraw.encoders.builtin.shares import in_shares
from clipdraw.encoders.builtin.text_tower import TextTower, widened
from clipdraw.encoders.builtin.tint import agreement, colors_in, deepened, tinted
from clipdraw.encoders.precision import choose_precision
from clipdraw.errors import WeightsError
from clipdraw.framing import framed

WEIGHTS = Path(__file__).parent / "weights" / "builtin.safetensors"
"""The weights; their metadata holds the version and the model card's address within the project."""
SHA256 = "e8b51cc429af4a762958fe8e5644a387a2d3bf7ccc92f00caaeee3abc8e60652"
"""Checksum of the weights."""
_NEARLY_AS_GOOD, _MOST_PICTURES = 0.06, 3
_EXEMPLARS = 6  # that each reading of a text brings
_OTHER_HUE, _OF_THE_HUE = 0.1, 0.5  # what hues count that agree less than this with the color that a text names
_OF_NAME, _IMAGINED = 0.5, 0.6  # what a name's cosine with the text counts; the cosine that imagining is worth
_FEW, _TEXTS_AT_ONCE = 32, 64
_TYPICAL_VIEWS = 4  # in one thread in one step: the convolutions' layout is chosen for it


class BuiltinEncoder:
    """Texts and 64 x 64 views to unit vectors.

    Args:
        tensors: weights by name: `image.`, `text.`, `imagination.`, `exemplars.` and `projection`, the linear map
            from texts to the shared space.
        version: of the weights.
        device: where to compute.
        dtype: what the image side computes in.
    """

    name = "builtin"
    view_size = VIEW_SIZE
    logit_scale = 39.1
    """Learned in training, with the weights that ship."""

    def __init__(self, tensors: dict[str, Tensor], *, version: str, device: torch.device, dtype: torch.dtype) -> None:
        self.version, self._dtype = version, dtype
        self.device = device
        self._image = ImageTower(folded=True)
        image, shapes = widened(_part(tensors, "image.")), self._image.state_dict()
        self._image.load_state_dict({name: image[name].reshape(like.shape) for name, like in shapes.items()})
        self._image.to(device=device, dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._image.eval().requires_grad_(False)
        pack_convolutions(self._image, torch.zeros(_TYPICAL_VIEWS, 3, VIEW_SIZE, VIEW_SIZE, device=device, dtype=dtype))
        self._embed = frozen(self._image)
        self._text_tensors = _part(tensors, "text.")
        self._imagination_tensors = _part(tensors, "imagination.")
        self._exemplars_tensors = _part(tensors, "exemplars.")
        self._projection = tensors["projection"].float().to(device)
        self.dimensions = len(self._projection)
        self._cache: dict[str, Tensor] = {}
        self._imagined: dict[str, Tensor] = {}

    @cached_property
    def _imagination(self) -> Imagination:
        return Imagination.from_tensors(widened(self._imagination_tensors))

    @cached_property
    def _exemplars(self) -> Exemplars:
        return Exemplars.from_tensors(self._exemplars_tensors)

    @cached_property
    def _text(self) -> TextTower:
        return TextTower.from_tensors(self._text_tensors)

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts.

        Of a few each is computed once, by itself, so that its last digit does not depend on the others. Many, such as
        a list of words, are computed together, which takes a fifth of the time.
        """
        if len(texts) > _FEW:
            groups = [texts[at : at + _TEXTS_AT_ONCE] for at in range(0, len(texts), _TEXTS_AT_ONCE)]
            return torch.cat([self._embed_texts(group) for group in groups])
        for text in texts:
            if text not in self._cache:
                self._cache[text] = self._embed_texts([text])[0]
        return torch.stack([self._cache[text] for text in texts])

    @torch.no_grad()
    def _embed_texts(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        return functional.normalize(self._text.embed(texts).to(self.device) @ self._projection.T, dim=1)

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of views in [0, 1]; differentiable in `views`."""
        return in_shares(self._embed, views.to(device=self.device, dtype=self._dtype))

    def imagine(self, text: str) -> Float[Tensor, "pictures 3 side side"]:
        """What the text may look like, on white: the picture that fits it best, and others nearly as good."""
        if text not in self._imagined:
            with torch.no_grad():
                pictures, priors = self._candidates(text)
                whole = torch.stack([framed(picture, VIEW_SIZE, VIEW_SIZE) for picture in pictures])
                scores = self.encode_image(whole) @ self.encode_text([text])[0] + priors
                order = scores.argsort(descending=True)
                good = int((scores > scores.max() - _NEARLY_AS_GOOD).sum())
                self._imagined[text] = pictures[order[: min(good, _MOST_PICTURES)]]
        return self._imagined[text]

    def _candidates(self, text: str) -> tuple[Tensor, Tensor]:
        """Pictures that the text may mean, (pictures, 3, side, side), and what each is worth before it is looked at."""
        names = readings(text)
        vectors = self._text.embed(names)
        imagined = self._imagination.pictures(vectors).flatten(0, 1)
        either = torch.cat([self._text.embed([other_number(names[0])]), vectors])
        coordinates, cosines, worth = self._exemplars.near(either, _EXEMPLARS, whole=2)
        known = deepened(self._imagination.picture_at(coordinates))
        prior, colors = _OF_NAME * cosines + worth, list(colors_in(text))
        agreed = (
            torch.stack([agreement(known, color) for color in colors]).amax(0) if colors else torch.ones(len(known))
        )
        plain = prior - _OTHER_HUE * (_OF_THE_HUE - agreed).clamp(min=0)
        priors = [torch.full((len(imagined),), _OF_NAME * _IMAGINED), plain, prior.repeat(len(colors))]
        pictures = [imagined, known, *(tinted(known, color) for color in colors)]
        return torch.cat(pictures).to(self.device), torch.cat(priors).to(self.device)

    def unread(self, text: str) -> str:
        """The end of `text` that is beyond what the encoder reads."""
        return self._text.unread(text)


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


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
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
            version = (file.metadata() or {}).get("version", "unknown")
        return BuiltinEncoder(tensors, version=version, device=device, dtype=dtype)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise WeightsError(f"the built-in encoder's weights are damaged ({error}); reinstall clipdraw") from None


def checksum(path: Path = WEIGHTS) -> str:
    """The SHA-256 of the weights, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
