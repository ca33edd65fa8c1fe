"""A CLIP or SigLIP checkpoint: its files, and what is read from them with the library `transformers`.

The library is imported when a model is read: it costs seconds.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from clipdraw.encoders import open_clip
from clipdraw.errors import MissingExtraError, WeightsError
from clipdraw.weights import SAFETENSORS, SAFETENSORS_INDEX, Kind, locate, one_line

_FILES = (
    "config.json",
    open_clip.CONFIG,
    SAFETENSORS_INDEX,
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)


@dataclass(frozen=True)
class _Family:
    """The differences between architectures.

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
        mean=open_clip.PIXELS["mean"],
        std=open_clip.PIXELS["std"],
        pad_to_end=False,
    ),
    "siglip": _Family(
        "SiglipModel", "PreTrainedTokenizerFast", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), pad_to_end=True
    ),
}
"""`model_type` of a configuration to its family. SigLIP 2 at a fixed resolution is of type `siglip`."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that has been read.

    Args:
        model: a `CLIPModel` or `SiglipModel`.
        tokenizer: its fast tokenizer.
        mean: of pixel values, per channel, in the model's training.
        std: of pixel values, per channel.
        pad_to_end: whether texts are padded to the full length, unmasked.
    """

    model: Any
    tokenizer: Any
    mean: Sequence[float]
    std: Sequence[float]
    pad_to_end: bool


def find_checkpoint(name: str) -> Path:
    """The folder of a checkpoint that is named by it, by a hub's id or by OpenAI's name; fetched if need be.

    Raises:
        MissingExtraError: the library that reads it is not installed.
        WeightsError: it cannot be found or fetched.
    """
    if find_spec("transformers") is None:
        raise MissingExtraError("a CLIP or SigLIP encoder", extra="clip")
    return locate(name, ENCODER)


def read_checkpoint(name: str, *, normalize: bool) -> Checkpoint:
    """The checkpoint of that name, as `find_checkpoint` finds it; without `normalize` its pixel statistics are 0 and 1.

    Raises:
        MissingExtraError: the library that reads it is not installed.
        WeightsError: it cannot be found, fetched or read, or is of an unsupported kind.
    """
    folder = find_checkpoint(name)
    return (_read_open_clip if _is_open_clip(folder) else _read_transformers)(folder, normalize=normalize)


def missing_file(folder: Path) -> str:
    """A file that a checkpoint's folder lacks to be loaded; empty if it is complete."""
    if _is_open_clip(folder):
        return ""
    if not _has_weights(folder) and any((folder / file).is_file() for file in (open_clip.CONFIG, open_clip.WEIGHTS)):
        return open_clip.lacking(folder)
    if not (folder / "config.json").is_file():
        return "config.json"
    if not (folder / SAFETENSORS).is_file():
        if not (folder / SAFETENSORS_INDEX).is_file():
            return SAFETENSORS
        try:
            shards = set(json.loads((folder / SAFETENSORS_INDEX).read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError, TypeError):
            return f"a readable {SAFETENSORS_INDEX}"
        absent = sorted(shard for shard in shards if not (folder / shard).is_file())
        if absent:
            return absent[0]
    if not any((folder / tokenizer).is_file() for tokenizer in open_clip.TOKENIZERS):
        return "tokenizer.json"
    return ""


def _is_open_clip(folder: Path) -> bool:
    """Whether a folder is to be read as open_clip's.

    Some hold a model in both forms, and some another model's `config.json` and weights beside it.
    """
    return not open_clip.lacking(folder) and not (_has_weights(folder) and _model_type(folder) in _FAMILIES)


def _has_weights(folder: Path) -> bool:
    return any((folder / file).is_file() for file in (SAFETENSORS, SAFETENSORS_INDEX))


def _model_type(folder: Path) -> str | None:
    """The architecture that a folder's `config.json` names; None without one."""
    try:
        return str(json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _weights(folder: Path, there: Collection[str]) -> tuple[str, ...]:
    """Patterns of the weights to fetch into a folder that has the other files, of those that are `there`."""
    ours = {SAFETENSORS, SAFETENSORS_INDEX} & set(there) and _model_type(folder) in _FAMILIES
    return (open_clip.WEIGHTS,) if open_clip.WEIGHTS in there and not ours else ("model*.safetensors",)


ENCODER = Kind(
    "the encoder",
    "pass a folder, a hub id (owner/model), an OpenAI name such as ViT-B/32, or builtin as encoder",
    "use --encoder builtin",
    _FILES,
    missing_file,
    safe=(SAFETENSORS, SAFETENSORS_INDEX, open_clip.WEIGHTS),
    weights=_weights,
    hub_id=open_clip.hub_id,
)
"""Checkpoints as a kind of model."""


def _family(folder: Path) -> _Family:
    """The architecture that a checkpoint's configuration names."""
    kind = _read_json(folder / "config.json").get("model_type")
    if kind not in _FAMILIES:
        raise WeightsError(
            f"the encoder in {str(folder)!r} is of type {kind!r}; supported are: {', '.join(_FAMILIES)} "
            "(SigLIP 2 at a fixed resolution included)"
        )
    return _FAMILIES[kind]


_UNCHANGED = (0.0,) * 3, (1.0,) * 3  # mean and deviation


def _pixel_statistics(folder: Path, family: _Family) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and deviation of pixel values, per channel, from a checkpoint's files or else its family."""
    settings: Mapping[str, Any] = {}
    for file in ("processor_config.json", "preprocessor_config.json"):
        if (folder / file).is_file():
            found = _read_json(folder / file)
            settings = {**settings, **found.get("image_processor", found)}
    if not settings.get("do_normalize", True):
        return _UNCHANGED
    return _three(folder, settings.get("image_mean", family.mean), settings.get("image_std", family.std))


def _three(folder: Path, *statistics: Any) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and deviation as they were read, if each is three numbers."""
    for values in statistics:
        if not (isinstance(values, Sequence) and len(values) == 3 and all(isinstance(v, int | float) for v in values)):
            raise WeightsError(f"the encoder in {str(folder)!r} has no 3 numbers as pixel statistics but {values!r}")
    mean, std = ([float(value) for value in values] for values in statistics)
    return mean, std


def _read_json(path: Path) -> Mapping[str, Any]:
    """The object that a JSON file holds."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"cannot read {str(path)!r}: {one_line(error)}; fetch the checkpoint again") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{str(path)!r} holds no settings; fetch the checkpoint again")
    return content


def _read_transformers(folder: Path, *, normalize: bool) -> Checkpoint:
    """A checkpoint in the form of `transformers`.

    Raises:
        WeightsError: a file is damaged, or weights are missing.
    """
    import transformers

    family = _family(folder)
    mean, std = _pixel_statistics(folder, family) if normalize else _UNCHANGED
    with _reading(folder):
        model, report = getattr(transformers, family.model).from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        tokenizer = getattr(transformers, family.tokenizer).from_pretrained(folder, local_files_only=True)
    missing = sorted(key for key in report["missing_keys"] if not key.endswith("position_ids"))
    if missing:
        raise WeightsError(f"the encoder in {str(folder)!r} lacks {len(missing)} weights, such as {missing[0]}")
    if family.pad_to_end:
        _ignore_case(tokenizer)
    return Checkpoint(model, tokenizer, mean, std, family.pad_to_end)


def _read_open_clip(folder: Path, *, normalize: bool) -> Checkpoint:
    """A checkpoint in the form of open_clip.

    Raises:
        WeightsError: a file is damaged, or the model is not plain CLIP.
    """
    with _reading(folder):
        model, tokenizer, pixels = open_clip.read(folder)
    mean, std = _three(folder, pixels["mean"], pixels["std"]) if normalize else _UNCHANGED
    return Checkpoint(model, tokenizer, mean, std, pad_to_end=False)


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Read quietly, and call whatever goes wrong a damaged file."""
    try:
        with _quiet():
            yield
    except WeightsError:
        raise
    except Exception as error:  # damaged files show as errors of any type, bare `Exception` among them
        raise WeightsError(
            f"cannot read the encoder in {str(folder)!r}: {one_line(error)}; fetch the checkpoint again"
        ) from error


def _ignore_case(tokenizer: Any) -> None:
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
