"""How the loops of the Numba backend are compiled."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from inspect import unwrap
from itertools import count
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from clipdraw.errors import InputError

OPTIONS = {"nogil": True, "fastmath": {"contract", "reassoc", "nsz"}, "error_model": "numpy", "_nrt": False}
"""Infinities and NaN keep their meaning; no operation depends on how work is shared out. Nobody counts who uses an
array, which would take longer than what most functions do with it: `memory` has what functions allocate."""
ALONE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Functions that only compiled ones call; what Python needs to call them takes a quarter of the time to compile."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function when another one that is compiled calls it first."""
    return njit(**OPTIONS, **ALONE)(unwrap(function))  # without the checks that jaxtyping adds during tests


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for functions that become part of those that call them: to hand a dozen arrays on takes longer than what
    most functions do with them.
    """
    return njit(**OPTIONS, **ALONE, forceinline=True)(unwrap(function))


def called(function: Any, folder: Path | None) -> Callable[..., Any]:
    """What was `compiled`, for Python to call; Numba keeps its machine code in the folder if it can."""
    function, before = njit(**OPTIONS)(function.py_func), numba.config.CACHE_DIR
    if folder is None:
        return function
    try:
        numba.config.CACHE_DIR = str(folder)  # read here and never again
        with suppress(RuntimeError):
            function.enable_caching()
    finally:
        numba.config.CACHE_DIR = before
    return function


def object_code(function: Callable[..., Any], arguments: tuple[Any, ...], symbol: str) -> bytes:
    """The machine code of a compiled function, as an object file.

    Args:
        function: what was `compiled`.
        arguments: an example of what it will be given; precisions and numbers of axes matter.
        symbol: what it is called in the object file: there it takes the address of the words that stand for its
            arguments, see `machine`.

    Raises:
        InputError: Numba is told not to compile.
    """
    if numba.config.DISABLE_JIT:
        raise InputError("NUMBA_DISABLE_JIT is set: use backend='reference'")
    unpack = _unpacking(_contiguous(numba.typeof(arguments)))

    def start(address):
        return function(*unpack(address))

    dispatcher: Any = compiled(start)
    dispatcher.compile((types.intp,))
    (result,) = dispatcher.overloads.values()
    module = llvm.parse_assembly(result.library.get_llvm_str())
    module.get_function(result.fndesc.mangled_name).name = symbol
    _, processor, features = result.library.codegen.magic_tuple()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(processor, features, opt=3, reloc="pic", jit=True).emit_object(module)


def _contiguous(kind: types.Type) -> types.Type:
    """The type without what is of no matter: how numbers were stored in Python, whether arrays are read-only."""
    if isinstance(kind, types.BaseTuple):
        return types.BaseTuple.from_types([_contiguous(part) for part in kind], getattr(kind, "instance_class", None))
    if isinstance(kind, types.Array):
        return types.Array(kind.dtype, kind.ndim, "C")
    return types.float64 if isinstance(kind, types.Float) else types.int64


def _unpacking(kind: types.Type) -> Any:
    """An intrinsic that makes arguments of such a type from the address of their words."""

    def make(context: Any, builder: Any, of: types.Type, words: Any) -> Any:
        if isinstance(of, types.BaseTuple):
            return context.make_tuple(builder, of, [make(context, builder, part, words) for part in of])
        if isinstance(of, types.Array):
            place = builder.inttoptr(next(words), make_array(of)(context, builder).data.type)
            return array_at(context, builder, of, place, [next(words) for _ in range(of.ndim)])
        return builder.bitcast(next(words), context.get_value_type(of))

    @intrinsic
    def unpack(typing_context, address):
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            first = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
            words = (builder.load(cgutils.gep_inbounds(builder, first, k)) for k in count())
            return make(context, builder, kind, words)

        return kind(address), generate

    return unpack


def array_at(context: Any, builder: Any, kind: types.Array, place: Any, sizes: list[Any]) -> Any:
    """An array of what is at a place."""
    array = make_array(kind)(context, builder)
    item = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    strides = [item]
    for size in reversed(sizes[1:]):
        strides.insert(0, builder.mul(strides[0], size))
    populate_array(array, data=place, shape=sizes, strides=strides, itemsize=item, meminfo=None)
    return array._getvalue()
