"""The compiled kernels: the shared object that the build made from `kernels`, and the structs that it takes.

`kernels/kernels.h` tells what the fields of the structs are; names and order are the same here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from ctypes import CDLL, Structure, byref, c_double, c_int64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from clipdraw.errors import OutOfMemoryError
from clipdraw.limits import reserve, watched
from clipdraw.raster.threads import get_threads, run_parallel

LIBRARY = Path(__file__).with_name("_kernels" + {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so"))
"""The shared object that `hatch_build.py` makes."""

STAGES = 4
"""The most stages of a function; each has counters of its own."""
KINDS = 4
"""Fragments, chords, spans and edges."""

_OUT_OF_MEMORY, _DONE = -1, 1


@cache
def library() -> CDLL | None:
    """The compiled kernels, or None where the build could not make them."""
    try:
        return CDLL(str(LIBRARY))
    except OSError:
        return None


class _Struct(Structure):
    """A struct of addresses and numbers.

    Args:
        fields: by name, for an address an array or a tensor, which is kept alive, or None for no address.
    """

    def __init__(self, **fields: Any) -> None:
        super().__init__(**{name: _word(value) for name, value in fields.items()})
        self._kept = fields


def _word(value: Any) -> Any:
    """The address of an array or a tensor; other values as they are."""
    if isinstance(value, Tensor):
        return value.data_ptr()
    if isinstance(value, np.ndarray):
        return value.__array_interface__["data"][0]
    return value


class Index(_Struct):
    """See `raster.index.Index`."""

    _fields_ = [
        ("path_count", c_int64),
        ("layer_count", c_int64),
        ("cubics", c_void_p),
        ("first_cubic", c_void_p),
        ("closed", c_void_p),
        ("first_subpath", c_void_p),
        ("pens", c_void_p),
        ("layers", c_void_p),
        ("first_layer", c_void_p),
    ]


class Paths(_Struct):
    """The geometry of a drawing, and the size of its image."""

    _fields_ = [
        ("index", Index),
        ("points", c_void_p),
        ("matrices", c_void_p),
        ("radii", c_void_p),
        ("first_piece", c_void_p),
        ("longest", c_void_p),
        ("height", c_int64),
        ("width", c_int64),
        ("top", c_int64),
        ("rows", c_int64),
        ("tolerance", c_double),
    ]


class Coverage(_Struct):
    """The coverage of all layers, in spans of pixels."""

    _fields_ = [
        ("row_count", c_int64),
        ("most", c_int64),
        ("for_gradients", c_int64),
        ("drawing_index", c_void_p),
        ("layer_rows", c_void_p),
        ("claimed", c_void_p),
        ("capacity", c_int64 * KINDS),
        ("first", c_void_p),
        ("counts", c_void_p),
        ("coverage", c_void_p),
        ("chord_fragment", c_void_p),
        ("chord_weights", c_void_p),
        ("spans", c_void_p),
        ("edge_end", c_void_p),
        ("first_in_row", c_void_p),
        ("row_spans", c_void_p),
    ]


class Paint(_Struct):
    """Colors of layers, backgrounds and images."""

    _fields_ = [
        ("colors", c_void_p),
        ("own_colors", c_void_p),
        ("first_own", c_void_p),
        ("background", c_void_p),
        ("background_is_image", c_int64),
        ("group_opacities", c_void_p),
        ("image", c_void_p),
        ("used", c_void_p),
    ]


class Gradients(_Struct):
    """Gradients: of the images, and of all else from that."""

    _fields_ = [
        ("grad_image", c_void_p),
        ("grad_background", c_void_p),
        ("grad_spans", c_void_p),
        ("grad_own_colors", c_void_p),
        ("grad_colors", c_void_p),
        ("geometry_requires_grad", c_void_p),
        ("grad_points", c_void_p),
        ("grad_radii", c_void_p),
        ("grad_matrices", c_void_p),
    ]


class _Team(_Struct):
    """The counters by which a team of threads divides work."""

    _fields_ = [
        ("threads", c_int64),
        ("counters", c_void_p),
        ("arrived", c_void_p),
        ("failed", c_void_p),
    ]


def call(name: str, *structs: _Struct) -> None:
    """Call a function of the kernels on all threads.

    Args:
        name: the function.
        structs: what it takes after the team.

    Raises:
        LimitError: it took longer or more memory than `clipdraw.limits` allows.
        OutOfMemoryError: there was not enough memory.
    """
    threads = get_threads()
    counters = torch.zeros(2 + STAGES * (threads + 1), 8, dtype=torch.int64)
    team = _Team(threads=threads, counters=counters[2:], arrived=counters[0], failed=counters[1])
    with watched(lambda: counters[1].fill_(1)):
        run_parallel(_work(getattr(library(), name), (team, *structs)), threads=threads)


def _work(function: Any, structs: tuple[_Struct, ...]) -> Callable[[], bool]:
    """A call from any thread that returns whether all is done; the interpreter lock is free meanwhile."""
    arguments = [byref(struct) for struct in structs]

    def work() -> bool:
        state = function(*arguments)
        if state == _OUT_OF_MEMORY:
            raise OutOfMemoryError("there is not enough memory to rasterize this: take a smaller image or fewer paths")
        return bool(state == _DONE)

    return work


def memory(*shape: int, dtype: torch.dtype) -> Tensor:
    """A tensor in CPU memory whose numbers are whatever was there.

    By torch: numpy asks the system for pages so large that the last ones lie idle.

    Raises:
        LimitError: that is more than `clipdraw.limits` allows.
        OutOfMemoryError: there was not enough memory.
    """
    reserve(math.prod(shape) * dtype.itemsize)
    try:
        return torch.empty(shape, dtype=dtype)
    except RuntimeError as error:
        raise OutOfMemoryError(f"there is not enough memory for {shape} numbers to rasterize this") from error
