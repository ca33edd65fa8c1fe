"""Compiled: counters by which threads share work out, of chunks taken and of chunks done: int64, 2."""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic

from clipdraw.raster.compile import inlined

SPINS = 20_000
"""How often a thread looks whether others are done before it gives up: for a tenth of a millisecond or a few."""


@intrinsic
def take(typing_context, counter, amount):
    """Raise `counter[0]` by `amount` in one indivisible step; returns what it was."""

    def generate(context, builder, signature, arguments):
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        step = context.cast(builder, arguments[1], signature.args[1], types.int64)
        return builder.atomic_rmw("add", array.data, step, "seq_cst")

    if isinstance(counter, types.Array) and counter.dtype == types.int64 and isinstance(amount, types.Integer):
        return types.int64(counter, amount), generate
    return None


@inlined
def finish(counter):
    """Tell that a chunk that was taken is done: what was written for it is there for whoever finds it `finished`."""
    take(counter[1:], 1)


@inlined
def finished(counter, count, chunk):
    """Whether all `count` things are done, of which each chunk has so many; waits for others for a while."""
    spins = 0
    while take(counter[1:], 0) * chunk < count and spins < SPINS:
        spins += 1
    return spins < SPINS
