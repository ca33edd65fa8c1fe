"""Pickled weights as safetensors: the tensors alone, without running what else a pickle may hold.

A pickle is a program, so no command loads one on the way to a drawing. Here it is read by two readers that make
nothing but tensors: torch's own, and one for the archives of TorchScript as which OpenAI published CLIP, of which
torch's own loader would also compile the code.
"""

from __future__ import annotations

import json
import pickle
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import torch
from safetensors.torch import save_file
from torch import Tensor

from clipdraw.encoders import open_clip
from clipdraw.encoders.checkpoint import ENCODER
from clipdraw.errors import InputError, WeightsError
from clipdraw.progress import log
from clipdraw.weights import PICKLES, SAFETENSORS, content_of, one_line

_INDEX, _LIKELY = "pytorch_model.bin.index.json", ("pytorch_model.bin", "open_clip_pytorch_model.bin")


def convert_weights(source: Path, target: Path) -> None:
    """Write the pickled weights of a CLIP or SigLIP as safetensors, beside the other files that make them an encoder.

    Args:
        source: a `.pt` of OpenAI's; weights of open_clip's, with `open_clip_config.json` beside them; weights of
            `transformers`, with all other files of the checkpoint beside them; or the folder of one of these.
        target: a new or empty folder.

    Raises:
        InputError: the target holds something.
        WeightsError: there are no pickled weights, they hold more than weights, or are not of such a model.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError(f"{target} exists and is not empty: name a new folder")
    files = _pickled(source)
    tensors: dict[str, Tensor] = {}
    for file in files:
        log.info("reading %s", file)
        tensors |= read_pickled(file)
    of_transformers = any(name.startswith("vision_model.") for name in tensors)
    name, made = (_beside_transformers if of_transformers else _beside_open_clip)(files[0], tensors)
    target.mkdir(parents=True, exist_ok=True)
    log.info("writing %s", target / name)
    whole = {key: tensor.clone(memory_format=torch.contiguous_format) for key, tensor in tensors.items()}
    save_file(whole, target / name, metadata={"format": "pt"})
    for file in (files[0].with_name(file) for file in ENCODER.files if file not in ENCODER.safe):
        if file.is_file():
            shutil.copyfile(file, target / file.name)
    for file_name, content in made.items():
        (target / file_name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_pickled(path: Path) -> dict[str, Tensor]:
    """The weights in a pickle or a TorchScript archive, by name; nothing else of it is made.

    Raises:
        WeightsError: it holds something else, or is damaged.
    """
    try:
        found = _read_torchscript(path) if content_of(path) == "torchscript" else _read_pickle(path)
    except pickle.UnpicklingError as error:
        which = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise WeightsError(
            f"{path}: holds more than weights{f', such as {which[1]}' if which else ''}, of which nothing was loaded; "
            "where it was made, write model.state_dict() alone"
        ) from None
    except Exception as error:  # damaged files show as errors of any type
        raise WeightsError(f"{path}: cannot be read: {one_line(error)}; fetch it again") from error
    while isinstance(found, Mapping) and isinstance(inner := found.get("state_dict", found.get("model")), Mapping):
        found = inner  # the checkpoint of a training
    weights = found.items() if isinstance(found, Mapping) else ()
    plain = {re.sub(r"^(module\.|_orig_mod\.)+", "", str(k)): v for k, v in weights if isinstance(v, Tensor)}
    if not plain:
        raise WeightsError(f"{path}: holds no weights by name")
    return plain


def _read_pickle(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever torch notices, it reads the file or raises
        return torch.load(path, map_location="cpu", weights_only=True)


def _pickled(source: Path) -> list[Path]:
    """The files of pickled weights that a user means by a file or a folder."""
    if source.is_file():
        content = content_of(source)
        if content not in ("pickle", "torchscript"):
            raise WeightsError(f"{source}: holds no pickled weights{' but safetensors' if content else ''}")
        return [source]
    if not source.is_dir():
        raise WeightsError(f"{source}: there is no such file or folder")
    if (source / _INDEX).is_file():
        return sorted({source / file for file in json.loads((source / _INDEX).read_text())["weight_map"].values()})
    likely = [source / file for file in _LIKELY if (source / file).is_file()]
    found = likely or sorted(path for path in source.iterdir() if path.suffix in PICKLES)
    if len(found) != 1:
        what = f"several files of pickled weights; name one: {', '.join(map(str, found))}" if found else "none"
        raise WeightsError(f"{source}: pickled weights are wanted, and the folder has {what}")
    return found


def _beside_transformers(file: Path, tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, Any]]:
    """The name of the file of weights of `transformers`; nothing else has to be made."""
    for needed in (("config.json",), open_clip.TOKENIZERS):
        if not any(file.with_name(name).is_file() for name in needed):
            raise WeightsError(f"{file}: {needed[0]} is needed beside it; fetch all files of the checkpoint")
    return SAFETENSORS, {}


def _beside_open_clip(file: Path, tensors: Mapping[str, Tensor]) -> tuple[str, dict[str, Any]]:
    """The name of the file of weights of open_clip's, and a configuration if OpenAI's weights need one.

    Only the two packages' activations differ, for which the shapes of weights do not tell.
    """
    open_clip.to_transformers(tensors, file)
    if file.with_name(open_clip.CONFIG).is_file():
        return open_clip.WEIGHTS, {}
    openai = {"model_cfg": {"quick_gelu": True}}
    if "input_resolution" not in tensors:  # which the archives of OpenAI have among the weights
        raise WeightsError(
            f"{file}: {open_clip.CONFIG} is needed beside it, which tells the activation; "
            f"for weights trained on from OpenAI's, write {json.dumps(openai)} into a file of that name"
        )
    return open_clip.WEIGHTS, {open_clip.CONFIG: openai | {"preprocess_cfg": open_clip.PIXELS}}


def _read_torchscript(path: Path) -> dict[str, Tensor]:
    with ZipFile(path) as archive:
        (folder,) = (name.removesuffix("data.pkl") for name in archive.namelist() if name.endswith("/data.pkl"))
        return dict(_named("", _TensorsAlone(archive, folder).load()))


def _named(prefix: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    """The tensors among the attributes of a module and of those within, by dotted names."""
    for name, inner in vars(value).items():
        if isinstance(inner, Tensor):
            yield prefix + name, inner
        elif isinstance(inner, _Module):
            yield from _named(f"{prefix}{name}.", inner)


class _Module:
    """A stand-in for an object of a TorchScript archive: its attributes, without its code."""

    def __new__(cls, *ignored: Any) -> _Module:
        return super().__new__(cls)


class _TensorsAlone(pickle.Unpickler):
    """A reader of an archive's pickle to which every name is an empty class, but for those that make tensors.

    Source: torch's serialization of TorchScript, `docs/source/jit_utils.rst` and `torch/csrc/jit/serialization`.
    """

    def __init__(self, archive: ZipFile, folder: str) -> None:
        self._archive, self._folder = archive, folder
        super().__init__(BytesIO(self._bytes("data.pkl")))

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name; nothing is imported."""
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._tensor
        return dict if (module, name) == ("collections", "OrderedDict") else type(name, (_Module,), {})

    def persistent_load(self, pid: Any) -> Tensor:
        """The numbers of a storage."""
        _, dtype, key, _device, count = pid
        data = bytearray(self._bytes(f"data/{key}"))
        return torch.frombuffer(data, dtype=dtype)[:count] if data else torch.empty(0, dtype=dtype)

    def _bytes(self, name: str) -> bytes:
        if self._archive.getinfo(self._folder + name).compress_type != ZIP_STORED:
            raise ValueError(f"{name} is compressed, which TorchScript does not do")
        return self._archive.read(self._folder + name)

    def _tensor(self, storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Tensor:
        return storage.as_strided(size, stride, offset)


_STORAGES = {
    f"{kind}Storage": dtype
    for kind, dtype in (
        ("Double", torch.float64), ("Float", torch.float32), ("Half", torch.float16), ("BFloat16", torch.bfloat16),
        ("Long", torch.int64), ("Int", torch.int32), ("Short", torch.int16), ("Char", torch.int8),
        ("Byte", torch.uint8), ("Bool", torch.bool),
    )
}  # fmt: skip
"""The names of storages in a pickle, and the numbers that they hold."""
