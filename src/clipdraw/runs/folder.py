"""The folder of one run: what it is called and the files that are written as the run goes on."""

from __future__ import annotations

import json
import math
import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from clipdraw.errors import FormatError, InputError
from clipdraw.io import atomic_path, write_text

CONFIGURATION, METRICS, CHECKPOINT = "run.json", "metrics.jsonl", "checkpoint.safetensors"


def slug(text: str) -> str:
    """A short file name for a text: lower case, hyphens, at most 60 characters, never empty."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:60].strip("-") or "drawing"


def make_folder(title: str, seed: int, out: Path | None) -> Path:
    """A new folder for a run: `out`, or `drawings/<slug>-s<seed>`, with `-2`, `-3` ... if that is taken.

    Raises:
        InputError: `out` holds something already, or the folder cannot be made.
    """
    try:
        if out is not None:
            if out.exists() and (not out.is_dir() or any(out.iterdir())):
                raise InputError(f"{out} exists and is not empty: name another folder, or continue it with resume")
            out.mkdir(parents=True, exist_ok=True)
            if not os.access(out, os.W_OK):
                raise InputError(f"{out}: cannot be written: permission denied")
            return out
        base = Path("drawings")
        base.mkdir(exist_ok=True)
        return _first_free(base / f"{slug(title)}-s{seed}")
    except OSError as error:
        raise InputError(f"{out or 'drawings'}: cannot make the folder: {error.strerror or error}") from None


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


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write `run.json`."""
    write_text(json.dumps(_finite(record), indent=2, ensure_ascii=False) + "\n", folder / CONFIGURATION)


def read_record(folder: Path) -> dict[str, Any]:
    """The content of `run.json`.

    Raises:
        FormatError: the folder is not that of a run.
    """
    try:
        return json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
    except OSError:
        raise FormatError(f"{folder}: not the folder of a run: it has no {CONFIGURATION}") from None
    except ValueError as error:
        raise FormatError(f"{folder / CONFIGURATION}: damaged: {error}") from None


def write_checkpoint(folder: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write `checkpoint.safetensors`; the former one stays whole if this fails."""
    with atomic_path(folder / CHECKPOINT) as temporary:
        temporary.write_bytes(save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def read_checkpoint(folder: Path) -> dict[str, Tensor]:
    """The content of `checkpoint.safetensors`; empty if no checkpoint was written yet.

    Raises:
        FormatError: the file is damaged.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return {}
    try:
        return load_file(path)
    except Exception as error:  # noqa: BLE001 - safetensors has its own exception types, all of them mean this
        raise FormatError(f"{path}: damaged: {error}") from None


class Metrics:
    """`metrics.jsonl`: one line a step.

    Args:
        folder: of the run.
        keep: lines to keep of an existing file; what came after the last checkpoint is made again.
    """

    def __init__(self, folder: Path, *, keep: int = 0) -> None:
        path = folder / METRICS
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)[:keep] if keep and path.exists() else []
        write_text("".join(lines), path)
        self._file: TextIO = path.open("a", encoding="utf-8")

    def add(self, values: Mapping[str, Any]) -> None:
        """Write one line, at once."""
        self._file.write(json.dumps(_finite(values), ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


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
