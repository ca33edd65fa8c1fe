"""How the loops of the Numba backend are compiled, and where their machine code is kept."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from inspect import unwrap
from pathlib import Path
from typing import Any

import numba
from numba import njit

OPTIONS = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy"}
"""Infinities and NaN keep their meaning; no operation depends on how work is shared out."""


@cache
def cache_folder() -> Path | None:
    """Where machine code is kept for later processes, or None if nothing can be written there.

    It is `clipdraw/numba-<fingerprint>` in `NUMBA_CACHE_DIR`, `XDG_CACHE_HOME` or `~/.cache`, the first that is
    set. Numba itself notices only changes of the file that a function is in, not of the functions and
    constants that it uses: hence the fingerprint, of all sources that machine code depends on.
    """
    here = Path(__file__).parent
    sources = [*sorted(here.glob("*.py")), here.parent / "geometry.py"]
    fingerprint = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(base).expanduser() / "clipdraw" / f"numba-{fingerprint}"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function at its first call and keep the machine code in `cache_folder()`, where there is one.

    It can't make arrays: arrays are not counted while it uses them, which would take longer than what most functions
    do with them.
    """
    return _compiled(function, _nrt=False, **OPTIONS)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for functions that become part of those that call them: to hand a dozen arrays on takes longer than what
    most functions do with them.
    """
    return _compiled(function, _nrt=False, forceinline=True, **OPTIONS)


def compiled_to_allocate(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for functions that make arrays."""
    return _compiled(function, **OPTIONS)


def _compiled(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    function = unwrap(function)  # of the checks that jaxtyping adds during tests
    folder, before = cache_folder(), numba.config.CACHE_DIR
    if folder is None:
        return njit(**options)(function)
    try:
        numba.config.CACHE_DIR = str(folder)  # read once, when the function is decorated
        return njit(cache=True, **options)(function)
    finally:
        numba.config.CACHE_DIR = before
