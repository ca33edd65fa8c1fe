"""CLIP and SigLIP encoders of the `transformers` library, in the form that is fastest to go backward through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.functional import normalize as unit

from clipdraw.encoders.base import MOST_TEXTS, remember
from clipdraw.encoders.checkpoint import read_checkpoint
from clipdraw.encoders.devices import choose_precision
from clipdraw.errors import InputError, WeightsError
from clipdraw.progress import log

_TEXTS_AT_ONCE = 32


def load(
    name: str, *, device: torch.device | str = "cpu", precision: str = "auto", normalize: bool = True
) -> TransformersEncoder:
    """The encoder of a checkpoint.

    Args:
        name: a hub id such as `openai/clip-vit-base-patch32`, OpenAI's name of it, or a folder with its files.
        device: where to compute.
        precision: `"float32"`, `"bfloat16"`, `"float16"` or `"auto"` (see `choose_precision`).
        normalize: whether views are normalized with the mean and deviation of the checkpoint's training
            pictures, as they should be; the published CLIPDraw notebook does not.

    Returns:
        A frozen encoder.

    Raises:
        ConfigError: `precision` is unknown.
        MissingExtraError: `transformers` is not installed.
        WeightsError: the checkpoint cannot be found, fetched or read, or is of an unsupported kind.
    """
    device = torch.device(device)
    dtype = choose_precision(precision, device)
    checkpoint = read_checkpoint(name, normalize=normalize)
    return TransformersEncoder(
        name,
        checkpoint.model.to(device=device, dtype=dtype),
        tokenizer=checkpoint.tokenizer,
        mean=torch.tensor(checkpoint.mean, device=device),
        std=torch.tensor(checkpoint.std, device=device),
        pad_to_end=checkpoint.pad_to_end,
    )


@final
class TransformersEncoder:
    """A CLIP or SigLIP checkpoint as an `Encoder`; made by `load`.

    Args:
        name: its name on the command line.
        model: a `CLIPModel` or `SiglipModel` on its device, in the precision to compute in.
        tokenizer: its fast tokenizer.
        mean: of pixel values, subtracted from views.
        std: of pixel values, divides views.
        pad_to_end: whether texts are padded to the full length, unmasked.
    """

    def __init__(
        self,
        name: str,
        model: Any,
        *,
        tokenizer: Any,
        mean: Float[Tensor, " 3"],
        std: Float[Tensor, " 3"],
        pad_to_end: bool,
    ) -> None:
        self.name = name
        self.view_size: int = _view_size(model.config.vision_config, name)
        self.dimensions: int = getattr(model.config, "projection_dim", model.config.vision_config.hidden_size)
        self._model = _tuned(model.eval().requires_grad_(False), self.view_size)
        self._tokenizer = tokenizer
        self._mean, self._std = mean.view(3, 1, 1), std.view(3, 1, 1)
        self._pad_to_end = pad_to_end
        self._most_tokens: int = model.config.text_config.max_position_embeddings
        self._texts: dict[str, Tensor] = {}

    @property
    def device(self) -> torch.device:
        """The device of its weights."""
        return self._mean.device

    @property
    def logit_scale(self) -> float:
        """The factor of cosines before a softmax over texts, as in its training."""
        return float(self._model.logit_scale.exp())

    @property
    def precision(self) -> str:
        """The number format it computes in, such as `bfloat16`."""
        return str(self._model.dtype).removeprefix("torch.")

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts, in float32, which are remembered.

        Raises:
            InputError: `texts` is one string.
        """
        if isinstance(texts, str):
            raise InputError(f"encode_text takes a list of texts, got one text: {texts!r}")
        vectors = {text: self._texts[text] for text in texts if text in self._texts}
        new = [text for text in dict.fromkeys(texts) if text not in vectors]
        if len(new) > _TEXTS_AT_ONCE:
            log.info("reading %d texts", len(new))
        for start in range(0, len(new), _TEXTS_AT_ONCE):
            batch = new[start : start + _TEXTS_AT_ONCE]
            vectors.update(zip(batch, self._embed_texts(batch), strict=True))
        remember(self._texts, vectors, MOST_TEXTS)
        if not texts:
            return torch.empty(0, self.dimensions, device=self.device)
        return torch.stack([vectors[text] for text in texts])

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of square views in [0, 1], in float32.

        Differentiable in `views`, which may be of any floating-point type.

        Raises:
            InputError: the views are not of `view_size`.
        """
        features = self._model.get_image_features(pixel_values=self._pixels(views))
        return unit(_vectors(features).float(), dim=-1)

    def layers(self, views: Float[Tensor, "views 3 size size"]) -> list[Float[Tensor, "views channels rows columns"]]:
        """The feature maps of the patches of views, one of each layer of the transformer; differentiable in `views`.

        Raises:
            InputError: the views are not of `view_size`.
        """
        states = self._model.vision_model(pixel_values=self._pixels(views), output_hidden_states=True).hidden_states
        side = math.isqrt(states[0].shape[1])  # beside the patches there may be a token for the class, which is first
        return [tokens[:, -(side**2) :].transpose(1, 2).unflatten(2, (side, side)).float() for tokens in states[1:]]

    def _pixels(self, views: Tensor) -> Tensor:
        """Views as the model reads them."""
        size = self.view_size
        if tuple(views.shape[1:]) != (3, size, size):
            raise InputError(f"{self.name} reads views of shape (n, 3, {size}, {size}), got {tuple(views.shape)}")
        return ((views.float() - self._mean) / self._std).to(self._model.dtype)

    def truncated_tail(self, text: str) -> str:
        """The end of `text` that is beyond what the encoder reads; empty if it reads all of it."""
        encoding = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        starts = [start for start, _ in encoding["offset_mapping"]]
        most = self._most_tokens - self._tokenizer.num_special_tokens_to_add()
        return text[starts[most] :].lstrip() if len(starts) > most else ""

    @torch.no_grad()
    def _embed_texts(self, texts: list[str]) -> Float[Tensor, "texts dimensions"]:
        tokens = self._tokenizer(
            texts,
            padding="max_length" if self._pad_to_end else True,
            truncation=True,
            max_length=self._most_tokens,
            return_attention_mask=not self._pad_to_end,
            return_token_type_ids=False,
            return_tensors="pt",
        )
        return unit(_vectors(self._model.get_text_features(**tokens.to(self.device))).float(), dim=-1)


def _vectors(features: Any) -> Float[Tensor, "inputs dimensions"]:
    """The embeddings themselves: since version 5, `transformers` wraps them."""
    return features if isinstance(features, Tensor) else features.pooler_output


def _view_size(vision: Any, name: str) -> int:
    """Height and width of the views a vision tower reads."""
    size = vision.image_size
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise WeightsError(f"{name} reads views of {size} pixels; only square ones are supported")
    return sides.pop()


_SHORT = 256  # tokens of a view up to which plain attention is faster than torch's fused one, in less than float32


def _tuned(model: Any, view_size: int) -> Any:
    """The same model in the form that is fastest to go backward through.

    Patches become a matrix product, and SigLIP pools without copies. In less than float32 on a processor, torch's
    fused attention is slow to go backward through for short sequences: 24 ms against 10 ms a layer for 8 views of
    50 tokens, the same at 197, better at 577. So short views take the plain products.
    """
    embeddings = model.vision_model.embeddings
    if PatchProduct.replaces(embeddings.patch_embedding, view_size):
        embeddings.patch_embedding = PatchProduct(embeddings.patch_embedding)
    head = getattr(model.vision_model, "head", None)
    if head is not None and isinstance(getattr(head, "attention", None), nn.MultiheadAttention):
        head.attention = PoolingAttention(head.attention)
    if model.device.type == "cpu" and model.dtype != torch.float32 and embeddings.num_positions <= _SHORT:
        model.set_attn_implementation("eager")
    return model


@final
class PatchProduct(nn.Module):
    """A convolution over patches that touch and don't overlap, as one matrix product.

    The convolution's gradient to the pixels is slow on processors: for 8 views of a ViT-B/32 a whole pass
    (forward, and backward to the pixels) takes 1.63 s of one core with it and 1.38 s so, in bfloat16
    0.60 s and 0.48 s.

    Args:
        convolution: its weights are used; `replaces` must hold for it.
    """

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias
        self.patch = convolution.kernel_size

    @staticmethod
    def replaces(module: nn.Module, size: int) -> bool:
        """Whether `module` is such a convolution, and its patches cover views of `size` pixels exactly."""
        return (
            isinstance(module, nn.Conv2d)
            and module.stride == module.kernel_size
            and module.padding in ("valid", (0, 0))
            and module.dilation == (1, 1)
            and module.groups == 1
            and all(size % side == 0 for side in module.kernel_size)
        )

    def forward(
        self, views: Float[Tensor, "views channels height width"]
    ) -> Float[Tensor, "views features rows columns"]:
        """Embeddings of patches, laid out as the convolution's are."""
        count, channels, height, width = views.shape
        tall, wide = self.patch
        rows, columns = height // tall, width // wide
        patches = views.reshape(count, channels, rows, tall, columns, wide).permute(0, 2, 4, 1, 3, 5)
        embedded = linear(patches.reshape(count, rows * columns, -1), self.weight.flatten(1), self.bias)
        return embedded.transpose(1, 2).reshape(count, -1, rows, columns)


@final
class PoolingAttention(nn.Module):
    """SigLIP's attention that pools tokens, with the tokens laid out for one matrix product.

    It computes the same as an `nn.MultiheadAttention` whose keys are its values, batch first, without a mask. Batch
    first, torch hands keys to the product with their weights as a transposed view, for which the product copies
    the weights once for every token. So 2 views of a SigLIP B/16 in bfloat16, forward and backward to the pixels, take
    1.11 s of one core, and 0.40 s this way.

    Args:
        attention: its weights are used; it is changed to tokens first.
    """

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.attention = attention
        attention.batch_first = False

    def forward(
        self,
        query: Float[Tensor, "views queries width"],
        key: Float[Tensor, "views tokens width"],
        value: Float[Tensor, "views tokens width"],
    ) -> tuple[Float[Tensor, "views queries width"], None]:
        """The pooled tokens and, in the place of the weights, None; `value` is `key`."""
        query, tokens = (rows.transpose(0, 1).contiguous() for rows in (query, key))
        pooled, _weights = self.attention(query, tokens, tokens, need_weights=False)
        return pooled.transpose(0, 1), None
