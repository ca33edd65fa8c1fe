"""How the loops of the Numba backend are compiled, cached and given work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit, types
from numba.extending import intrinsic

OPTIONS = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy"}
"""Infinities and NaN keep their meaning; no operation depends on how work is shared out."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function at its first call and keep the machine code for later processes.

    It is kept in `__pycache__` beside the source; where that isn't writable, in the user's cache folder
    (`~/.cache/numba` or its like); `NUMBA_CACHE_DIR` overrides both. Where none can be written,
    each process compiles anew.
    """
    return _compile(function, OPTIONS)


def compiled_exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for functions in which every operation must be rounded as it is written."""
    return _compile(function, {**OPTIONS, "fastmath": False})


def _compile(function: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # Numba found no place for its cache
        return njit(**options)(function)


@intrinsic
def take(typing_context, counter, amount):  # noqa: ANN001, ANN201, ARG001
    """Raise `counter[0]` by `amount` in one indivisible step; returns what it was."""

    def generate(context, builder, signature, arguments):  # noqa: ANN001, ANN202
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        step = context.cast(builder, arguments[1], signature.args[1], types.int64)
        return builder.atomic_rmw("add", array.data, step, "monotonic")

    if isinstance(counter, types.Array) and counter.dtype == types.int64 and isinstance(amount, types.Integer):
        return types.int64(counter, amount), generate
    return None


