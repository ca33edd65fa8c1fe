"""Compiled: counters by which threads share the work of a stage out.

They are int64, shares + 1 x 8, eight so that no two lie in one line of a cache, of which the first is used: how many
things of each share are taken, and how many of all are done. A thread begins with its own share, the same one in each
pass: what it works on then is likely to be in its core's cache.
"""

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
def take_chunk(counters, own, count, chunk):
    """Take the next few of some things, of a thread's own share as long as there are any, then of others'.

    Args:
        counters: of a stage.
        own: the thread's number.
        count: how many things there are.
        chunk: how many to take at most.

    Returns:
        The first one and the one after the last; the same number twice if all are taken.
    """
    shares = len(counters) - 1
    for turn in range(shares):
        share = (own + turn) % shares
        first, last = count * share // shares, count * (share + 1) // shares
        if counters[share, 0] < last - first:
            start = first + take(counters[share], chunk)
            if start < last:
                return start, min(start + chunk, last)
    return count, count


@inlined
def finish(counters, count):
    """Tell that so many things that were taken are done: what was written is there for whoever finds all `finished`."""
    take(counters[-1], count)


@inlined
def finished(counters, count):
    """Whether all `count` things are done; waits for others for a while."""
    spins = 0
    while take(counters[-1], 0) < count and spins < SPINS:
        spins += 1
    return spins < SPINS
