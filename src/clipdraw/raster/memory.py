"""Compiled: memory for as long as a function works."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from clipdraw.raster.compile import array_at

BYTES = ir.IntType(8).as_pointer()


@intrinsic
def room(typing_context, shape, dtype):
    """An array of that shape, a tuple, whose numbers are whatever was there; to be handed to `release`."""
    kind = types.Array(dtype.dtype, len(shape), "C")

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sizes = cgutils.unpack_tuple(builder, arguments[0])
        sizes = [context.cast(builder, size, of, types.intp) for size, of in zip(sizes, shape, strict=True)]
        size = context.get_constant(types.intp, context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        for along in sizes:
            size = builder.mul(size, along)
        allocate = ir.FunctionType(BYTES, [ir.IntType(64)])
        place = builder.call(cgutils.get_or_insert_function(builder.module, allocate, "malloc"), [size])
        place = builder.bitcast(place, make_array(kind)(context, builder).data.type)
        return array_at(context, builder, kind, place, sizes)

    return kind(shape, dtype), generate


@intrinsic
def release(typing_context, arrays):
    """Give the memory of an array, or of a tuple of such and of such tuples, back."""

    def free(context: Any, builder: Any, kind: Any, value: Any) -> None:
        if isinstance(kind, types.BaseTuple):
            for one, part in zip(kind, cgutils.unpack_tuple(builder, value), strict=True):
                free(context, builder, one, part)
        else:
            give = cgutils.get_or_insert_function(builder.module, ir.FunctionType(ir.VoidType(), [BYTES]), "free")
            builder.call(give, [builder.bitcast(make_array(kind)(context, builder, value).data, BYTES)])

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        free(context, builder, arrays, arguments[0])
        return context.get_dummy_value()

    return types.void(arrays), generate
