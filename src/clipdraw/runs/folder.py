"""The folder of one run: what it is called and the files that are written as the run goes on."""

from __future__ import annotations

import json
import math
import os
import re
import unicodedata
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO
from zlib import crc32

import torch
from safetensors.torch import load, save
from torch import Tensor

from clipdraw.config import Config, from_dict, settings_of
from clipdraw.errors import ClipdrawError, FormatError, InputError, shortened
from clipdraw.io import atomic_path, leftovers, write_text

CONFIGURATION, METRICS, CHECKPOINT = "run.json", "metrics.jsonl", "checkpoint.safetensors"


def slug(text: str) -> str:
    """A short file name for a text: lower case, hyphens, at most 60 characters, never empty."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:60].strip("-") or "drawing"


def make_folder(title: str, seed: int, out: Path | None) -> Path:
    """A new folder for a run: `out`, or `drawings/<slug>-s<seed>`, with `-2`, `-3` ... if that is taken.

    `out` may be a folder in which a process was killed before its first file was whole.

    Raises:
        InputError: `out` holds something already, or the folder cannot be made.
    """
    try:
        if out is not None:
            if out.exists() and not (out.is_dir() and is_free(out)):
                resumable = ", or continue it with resume" if (out / CONFIGURATION).exists() else ""
                raise InputError(f"{out} exists and is not empty: name another folder{resumable}")
            out.mkdir(parents=True, exist_ok=True)
            if not os.access(out, os.W_OK):
                raise InputError(f"{out}: cannot be written: permission denied")
            return out
        base = Path("drawings")
        base.mkdir(exist_ok=True)
        return _first_free(base / f"{slug(title)}-s{seed}")
    except OSError as error:
        raise InputError(f"{out or 'drawings'}: cannot make the folder: {error.strerror or error}") from None


def is_free(folder: Path) -> bool:
    """Whether a folder holds nothing, or nothing but what a killed process left of its first file."""
    return len(leftovers(folder)) == len(list(folder.iterdir()))


def _first_free(path: Path) -> Path:
    number = 1
    while True:
        candidate = path if number == 1 else path.with_name(f"{path.name}-{number}")
        try:
            candidate.mkdir()
        except FileExistsError:
            number += 1
        else:
            return candidate


def to_json(values: Mapping[str, Any], *, indent: int | None = None) -> str:
    """The text of a JSON object that ends a line; null stands for numbers that JSON does not know."""
    text = json.dumps(_finite(values), indent=indent, ensure_ascii=False) + "\n"
    return text.encode(errors="backslashreplace").decode()  # half surrogates, of names that are not UTF-8, as \\udcff


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `run.json`."""
    write_text(to_json(record, indent=2), folder / CONFIGURATION)


_KINDS: dict[str, tuple[type, ...]] = {
    "status": (str,), "config": (dict,), "words": (list,), "similarity": (int, float), "seconds": (int, float),
}  # fmt: skip
"""The types of what is read from `run.json`, if it is there."""
_DRAW_AGAIN = "delete the folder or name another one, and draw again"


def read_record(folder: Path) -> dict[str, Any]:
    """The content of `run.json`.

    Raises:
        FormatError: the folder is not that of a run, or the file is damaged.
    """
    file = folder / CONFIGURATION
    try:
        record = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise FormatError(f"{folder}: not the folder of a run: it has no {CONFIGURATION}") from None
    except OSError as error:
        raise FormatError(f"{file}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{file}: damaged: {error}; {_DRAW_AGAIN}") from None
    if not isinstance(record, dict):
        raise FormatError(f"{file}: damaged: not a JSON object; {_DRAW_AGAIN}")
    wrong = [name for name, kind in _KINDS.items() if not isinstance(record.get(name), (*kind, type(None)))]
    if not wrong and not all(_is_word(pair) for pair in record.get("words") or ()):
        wrong = ["words"]
    if wrong:
        raise FormatError(f"{file}: damaged: {wrong[0]} is {shortened(repr(record[wrong[0]]))}; {_DRAW_AGAIN}")
    return record


def _is_word(pair: Any) -> bool:
    """Whether it is a word and its probability."""
    return isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], float)


def config_of(record: Mapping[str, Any], folder: Path) -> Config:
    """The configuration in a record.

    Raises:
        FormatError: there is none, or a setting is wrong.
    """
    if "configs" in record:
        raise FormatError(f"{folder}: a comparison does not go on: compare again, into another folder")
    if record.get("config") is None:
        raise FormatError(f"{folder / CONFIGURATION}: has no configuration")
    try:
        return from_dict({"scene": "off", **record["config"]})  # older runs have read no scenes
    except ClipdrawError as error:
        raise FormatError(f"{folder / CONFIGURATION}: {error}") from None


def write_checkpoint(folder: Path, tensors: Mapping[str, Tensor], config: Config) -> None:
    """Write `checkpoint.safetensors`, which names the settings that it depends on; the former one stays if this fails.

    Args:
        folder: of the run.
        tensors: the state.
        config: of the run.
    """
    with atomic_path(folder / CHECKPOINT) as temporary:
        plain = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
        temporary.write_bytes(save(plain, {"settings": to_json(_decisive(config)), "checksum": _checksum(plain)}))


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """A CRC-32 of all numbers, by the tensors' names."""
    found = 0
    for name in sorted(tensors):
        found = crc32(tensors[name].numpy().data, crc32(name.encode(), found))
    return f"{found:08x}"


def _decisive(config: Config) -> dict[str, Any]:
    """The settings that decide how a run goes on."""
    return {name: value for name, value in settings_of(config).items() if not _INDIFFERENT.fullmatch(name)}


_INDIFFERENT = re.compile(r"device|threads|preset|explain|judge\.precision|film\..*")


def read_checkpoint(folder: Path, config: Config | None = None) -> dict[str, Tensor]:
    """The content of `checkpoint.safetensors`; empty if no checkpoint was written yet.

    Args:
        folder: of the run.
        config: that the checkpoint must have been made with.

    Raises:
        FormatError: the file is damaged, or was made with other settings.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return {}
    try:
        content = path.read_bytes()  # safetensors opens no file whose name is not UTF-8
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = header.get("__metadata__", {})  # older ones have none
        if "checksum" in about and about["checksum"] != _checksum(tensors):
            raise ValueError("its numbers do not add up to its checksum")
        stored = dict(json.loads(about.get("settings", "{}")))
    except Exception as error:  # noqa: BLE001 - safetensors has its own exception types, all of them mean this
        raise FormatError(f"{path}: damaged: {shortened(' '.join(str(error).split()), 200)}") from None
    if config is not None:
        _check_unchanged(stored, config, folder / CONFIGURATION)
    return tensors


def _check_unchanged(stored: Mapping[str, Any], config: Config, file: Path) -> None:
    """Raise `FormatError` if a setting is not that of the checkpoint."""
    for name, value in json.loads(to_json(_decisive(config))).items():
        if stored.get(name, value) != value:
            now, then = shortened(str(value)), shortened(str(stored[name]))
            raise FormatError(f"{file}: {name} is {now}, but the checkpoint was made with {then}: undo the change")


class Metrics:
    """`metrics.jsonl`: one line a step.

    Args:
        folder: of the run.
        keep: how many steps to keep of an existing file; what came after the last checkpoint is made again. Lines of
            them that are damaged or missing are left out, with a warning.
    """

    def __init__(self, folder: Path, *, keep: int = 0) -> None:
        path = folder / METRICS
        lines = _lines_of_steps(path, keep) if keep else []
        if len(lines) < keep:
            warnings.warn(
                f"{path}: {keep - len(lines)} of {keep} lines are damaged or missing and are left out", stacklevel=2
            )
        write_text("".join(lines), path)
        self._file: TextIO = path.open("a", encoding="utf-8")

    def add(self, values: Mapping[str, Any]) -> None:
        """Write one line, at once."""
        self._file.write(to_json(values))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _lines_of_steps(path: Path, most: int) -> list[str]:
    """The lines of a file of metrics that are of steps up to `most`, in order."""
    found: list[str] = []
    last = 0
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            step = json.loads(line)["step"]
        except (ValueError, RecursionError, TypeError, KeyError):
            continue
        if isinstance(step, int) and last < step <= most:
            found.append(line.decode() + "\n")
            last = step
    return found


def _finite(value: Any) -> Any:
    """`value` with null in place of numbers that JSON does not know."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, torch.Tensor):
        return _finite(value.tolist())
    return value
