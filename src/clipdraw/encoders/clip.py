"""CLIP and SigLIP encoders of the `transformers` library, from the hub or from a folder.

The library is imported when a model is loaded: it costs seconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize as unit

from clipdraw.encoders.patches import PatchProduct
from clipdraw.encoders.pooling import PoolingAttention
from clipdraw.encoders.precision import choose_precision
from clipdraw.errors import InputError, MissingExtraError, WeightsError
from clipdraw.weights import fetch_model, is_model_id, missing_part, one_line

_TEXTS_AT_ONCE = 32
_SHORT = 256
"""Up to how many tokens a view is short, see `_tuned`."""


@dataclass(frozen=True)
class _Family:
    """What differs between architectures.

    Args:
        model: the model's class in `transformers`.
        tokenizer: the tokenizer's class; always one that keeps character offsets.
        mean: of pixel values, per channel, if the checkpoint does not say.
        std: of pixel values, per channel, if the checkpoint does not say.
        pad_to_end: whether texts are padded to the full length, unmasked and in lower case, as in training.
    """

    model: str
    tokenizer: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    pad_to_end: bool


_FAMILIES = {
    "clip": _Family(
        "CLIPModel",
        "CLIPTokenizerFast",
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
        pad_to_end=False,
    ),
    "siglip": _Family(
        "SiglipModel", "PreTrainedTokenizerFast", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), pad_to_end=True
    ),
}
"""`model_type` of a configuration to its family. SigLIP 2 at a fixed resolution is of type `siglip`."""


def load(
    name: str, *, device: torch.device | str = "cpu", precision: str = "auto", normalize: bool = True
) -> TransformersEncoder:
    """The encoder of a checkpoint.

    Args:
        name: a hub id such as `openai/clip-vit-base-patch32`, or a folder with a checkpoint's files.
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
    if find_spec("transformers") is None:
        raise MissingExtraError("a CLIP or SigLIP encoder", extra="clip")
    device = torch.device(device)
    dtype = choose_precision(precision, device)
    folder = _folder(name)
    family = _family(folder)
    mean, std = _pixel_statistics(folder, family) if normalize else ((0.0,) * 3, (1.0,) * 3)
    model, tokenizer = _read_checkpoint(folder, family)
    return TransformersEncoder(
        name,
        model.to(device=device, dtype=dtype),
        tokenizer=tokenizer,
        mean=torch.tensor(mean, device=device),
        std=torch.tensor(std, device=device),
        pad_to_end=family.pad_to_end,
    )


@final
class TransformersEncoder:
    """A CLIP or SigLIP checkpoint as an `Encoder`; made by `load`.

    Args:
        name: what names it on the command line.
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
        """Where its weights are."""
        return self._mean.device

    @property
    def logit_scale(self) -> float:
        """What cosines are multiplied by before a softmax over texts, as in its training."""
        return float(self._model.logit_scale.exp())

    @property
    def precision(self) -> str:
        """The number format it computes in, such as `bfloat16`."""
        return str(self._model.dtype).removeprefix("torch.")

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts dimensions"]:
        """Unit vectors of texts, in float32. Each different text is computed once and remembered.

        Raises:
            InputError: `texts` is one string.
        """
        if isinstance(texts, str):
            raise InputError(f"encode_text takes a list of texts, got one text: {texts!r}")
        new = [text for text in dict.fromkeys(texts) if text not in self._texts]
        for start in range(0, len(new), _TEXTS_AT_ONCE):
            batch = new[start : start + _TEXTS_AT_ONCE]
            self._texts.update(zip(batch, self._embed_texts(batch), strict=True))
        if not texts:
            return torch.empty(0, self.dimensions, device=self.device)
        return torch.stack([self._texts[text] for text in texts])

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views dimensions"]:
        """Unit vectors of square views in [0, 1], in float32.

        Differentiable in `views`, which may be of any floating-point type.

        Raises:
            InputError: the views are not of `view_size`.
        """
        size = self.view_size
        if tuple(views.shape[1:]) != (3, size, size):
            raise InputError(f"{self.name} reads views of shape (n, 3, {size}, {size}), got {tuple(views.shape)}")
        pixels = (views.float() - self._mean) / self._std
        features = self._model.get_image_features(pixel_values=pixels.to(self._model.dtype))
        return unit(_vectors(features).float(), dim=-1)

    def unread(self, text: str) -> str:
        """The end of `text` that is beyond what the encoder reads; empty if it reads all of it."""
        encoding = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        starts = [start for start, _ in encoding["offset_mapping"]]
        room = self._most_tokens - self._tokenizer.num_special_tokens_to_add()
        return text[starts[room] :].lstrip() if len(starts) > room else ""

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
    if head is not None and isinstance(getattr(head, "attention", None), torch.nn.MultiheadAttention):
        head.attention = PoolingAttention(head.attention)
    if model.device.type == "cpu" and model.dtype != torch.float32 and embeddings.num_positions <= _SHORT:
        model.set_attn_implementation("eager")
    return model


def _vectors(features: Any) -> Float[Tensor, "inputs dimensions"]:
    """The embeddings themselves: since version 5, `transformers` wraps them."""
    return features if isinstance(features, Tensor) else features.pooler_output


def _folder(name: str) -> Path:
    """Where the files of a checkpoint are, complete and as safetensors; fetched if `name` is a hub id."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if not is_model_id(name):
            raise WeightsError(f"no folder {name!r}; pass a folder, a hub id (owner/model) or builtin as encoder")
        return fetch_model(name)
    missing = missing_part(folder)
    if missing == "model.safetensors" and (any(folder.glob("*.bin")) or any(folder.glob("*.pt"))):
        raise WeightsError(
            f"the encoder folder {name!r} has only pickled weights, which are not loaded because they can "
            "run code; convert them at https://huggingface.co/spaces/safetensors/convert"
        )
    if missing:
        raise WeightsError(f"the encoder folder {name!r} has no {missing}; it needs all files of a checkpoint")
    return folder


def _family(folder: Path) -> _Family:
    """The architecture that a checkpoint's configuration names."""
    kind = _read_json(folder / "config.json").get("model_type")
    if kind not in _FAMILIES:
        raise WeightsError(
            f"the encoder in {str(folder)!r} is of type {kind!r}; supported are: {', '.join(_FAMILIES)} "
            "(SigLIP 2 at a fixed resolution included)"
        )
    return _FAMILIES[kind]


def _pixel_statistics(folder: Path, family: _Family) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and deviation of pixel values, per channel, from a checkpoint's files or else its family."""
    settings: Mapping[str, Any] = {}
    for file in ("processor_config.json", "preprocessor_config.json"):
        if (folder / file).is_file():
            found = _read_json(folder / file)
            settings = {**settings, **found.get("image_processor", found)}
    if not settings.get("do_normalize", True):
        return (0.0,) * 3, (1.0,) * 3
    mean, std = settings.get("image_mean", family.mean), settings.get("image_std", family.std)
    for values in (mean, std):
        if not (isinstance(values, Sequence) and len(values) == 3 and all(isinstance(v, int | float) for v in values)):
            raise WeightsError(f"the encoder in {str(folder)!r} has no 3 numbers as pixel statistics but {values!r}")
    return [float(value) for value in mean], [float(value) for value in std]


def _read_json(path: Path) -> Mapping[str, Any]:
    """The object that a JSON file holds."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read {str(path)!r}: {one_line(error)}; fetch the checkpoint again") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{str(path)!r} holds no settings; fetch the checkpoint again")
    return content


def _view_size(vision: Any, name: str) -> int:
    """Height and width of the views a vision tower reads."""
    size = vision.image_size
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise WeightsError(f"{name} reads views of {size} pixels; only square ones are supported")
    return sides.pop()


def _read_checkpoint(folder: Path, family: _Family) -> tuple[Any, Any]:
    """Model and tokenizer of a folder.

    Raises:
        WeightsError: a file is damaged, or weights are missing.
    """
    import transformers

    try:
        with _quiet():
            model, report = getattr(transformers, family.model).from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
            tokenizer = getattr(transformers, family.tokenizer).from_pretrained(folder, local_files_only=True)
    except Exception as error:  # damaged files show as errors of any type, bare `Exception` among them
        raise WeightsError(
            f"cannot read the encoder in {str(folder)!r}: {one_line(error)}; fetch the checkpoint again"
        ) from error
    missing = sorted(key for key in report["missing_keys"] if not key.endswith("position_ids"))
    if missing:
        raise WeightsError(f"the encoder in {str(folder)!r} lacks {len(missing)} weights, such as {missing[0]}")
    if family.pad_to_end:
        _read_lower_case(tokenizer)
    return model, tokenizer


def _read_lower_case(tokenizer: Any) -> None:
    """Make a tokenizer ignore case, as SigLIP's training did; not all SigLIP 2 checkpoints' files say so.

    Done inside the tokenizer, so that its offsets still refer to the text as written.
    """
    from tokenizers import normalizers

    backend = tokenizer.backend_tokenizer
    old = [] if backend.normalizer is None else [backend.normalizer]
    backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), *old])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's progress bars and advice off the terminal while a checkpoint is read."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
