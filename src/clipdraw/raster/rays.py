"""Compiled: how often the edges in a pixel wind around several places, which takes one instruction for all of them.

Numba has no type for several numbers in one, hence the instructions are spelled out.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from clipdraw.raster.plan import SAME

LANES = 4
"""So many places at a time."""
FLAGS = ("contract", "reassoc", "nsz")
NUMBERS, INTEGERS, WORD = ir.VectorType(ir.DoubleType(), LANES), ir.VectorType(ir.IntType(64), LANES), ir.IntType(64)


@intrinsic
def count_windings(typing_context, chords, n, places, whose, windings):
    """Write the change of the winding number along rays from a pixel's left side.

    Args:
        chords: the edges in the pixel: x0, y0, x1, y1, float64, at least n x 4.
        n: how many there are.
        places: where rays end, x and y, and the height at which they begin: float64, at least 3 x `LANES`.
        whose: the edges on which they end, which don't count: int64, `LANES`.
        windings: gets the changes: int64, `LANES`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        edges, lines, own, out = (
            context.make_array(signature.args[k])(context, builder, arguments[k]).data for k in (0, 2, 3, 4)
        )
        count = context.cast(builder, arguments[1], signature.args[1], types.intp)
        _write(builder, edges, count, lines, own, out)
        return context.get_dummy_value()

    return types.void(chords, n, places, whose, windings), generate


def _write(builder: Any, edges: Any, count: Any, lines: Any, own: Any, out: Any) -> None:
    """For each edge: does it cross the ray, and which way."""
    less, more = (lambda one, two, sign=sign: builder.fcmp_ordered(sign, one, two) for sign in "<>")
    add, subtract, multiply = (
        lambda one, two, write=write: write(one, two, flags=FLAGS)
        for write in (builder.fadd, builder.fsub, builder.fmul)
    )

    def read(array: Any, first: int, kind: Any) -> Any:
        place = builder.gep(array, [ir.Constant(WORD, first)])
        return builder.load(builder.bitcast(place, kind.as_pointer()), align=8)

    def spread(number: Any, kind: Any) -> Any:
        one = builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
        order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), order)

    px, py, border = (read(lines, k * LANES, NUMBERS) for k in range(3))
    slope, mine, zero = subtract(py, border), read(own, 0, INTEGERS), ir.Constant(NUMBERS, [0.0] * LANES)
    square = ir.Constant(NUMBERS, [SAME * SAME] * LANES)
    total = cgutils.alloca_once_value(builder, ir.Constant(INTEGERS, [0] * LANES))
    builder.store(ir.Constant(INTEGERS, [0] * LANES), total)
    with cgutils.for_range(builder, count) as loop:
        first = builder.mul(loop.index, ir.Constant(WORD, 4))
        ax, ay, bx, by = (
            spread(builder.load(builder.gep(edges, [builder.add(first, ir.Constant(WORD, k))])), NUMBERS)
            for k in range(4)
        )
        before = more(subtract(multiply(px, subtract(ay, border)), multiply(slope, ax)), zero)
        after = more(subtract(multiply(px, subtract(by, border)), multiply(slope, bx)), zero)
        # between the left side and the place: that lies beyond the edge, seen from the left side
        dx, dy = subtract(bx, ax), subtract(by, ay)
        cross = subtract(multiply(dx, subtract(py, ay)), multiply(dy, subtract(px, ax)))
        # one on the other: the first is taken to lie before the second
        length = add(multiply(dx, dx), multiply(dy, dy))
        on = less(multiply(cross, cross), multiply(square, length))
        here = spread(loop.index, INTEGERS)
        beyond = builder.icmp_unsigned("==", less(cross, zero), after)
        beyond = builder.select(on, builder.icmp_signed("<", here, mine), beyond)
        other = builder.icmp_signed("!=", here, mine)
        crossed = builder.and_(builder.and_(builder.icmp_unsigned("!=", before, after), beyond), other)
        way = builder.select(after, ir.Constant(INTEGERS, [1] * LANES), ir.Constant(INTEGERS, [-1] * LANES))
        step = builder.select(crossed, way, ir.Constant(INTEGERS, [0] * LANES))  # downwards, upwards
        builder.store(builder.add(builder.load(total), step), total)
    place = builder.bitcast(out, INTEGERS.as_pointer())
    builder.store(builder.load(total), place, align=8)
