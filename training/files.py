"""Files that are either whole or not there at all, whenever a stage is interrupted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path`, and its permissions, when the block ends well.

    What an interruption leaves of it, the next run overwrites.
    """
    partial = path.with_name(f"{path.name}.partial")
    yield partial
    if path.exists():
        shutil.copymode(path, partial)  # safetensors lets nobody else read what it writes
    partial.replace(path)


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Store arrays as `numpy.savez` does."""
    with whole(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def write_text(path: Path, text: str) -> None:
    """Store a text as UTF-8."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
