"""Compiled loops over pixels of four numbers, red, green, blue and one more, that take one instruction for all four.

Runs are short, five pixels in a typical stroke: a loop over the pixels of one channel would hardly ever fill an
instruction. Numba has no type for such numbers, hence the instructions are spelled out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

FOUR = ir.VectorType(ir.FloatType(), 4)
FLAGS = ("contract", "reassoc", "nsz")


class _Code:
    """What `builder` writes, for arrays of float32 in order."""

    def __init__(self, context: Any, builder: Any, kinds: Any, arguments: Any) -> None:
        self.context, self.builder = context, builder
        self.values = [
            context.make_array(kind)(context, builder, value).data
            if isinstance(kind, types.Array)
            else context.cast(builder, value, kind, types.intp)
            for kind, value in zip(kinds, arguments, strict=True)
        ]

    def at(self, array: Any, index: Any) -> Any:
        """The address of a number."""
        return self.builder.gep(array, [index])

    def four_at(self, array: Any, pixel: Any) -> Any:
        """The address of a pixel."""
        place = self.builder.gep(array, [self.builder.mul(pixel, ir.Constant(pixel.type, 4))])
        return self.builder.bitcast(place, FOUR.as_pointer())

    def load(self, place: Any) -> Any:
        return self.builder.load(place, align=4)

    def store(self, value: Any, place: Any) -> None:
        self.builder.store(value, place, align=4)

    def add(self, one: Any, two: Any) -> Any:
        return self.builder.fadd(one, two, flags=FLAGS)

    def subtract(self, one: Any, two: Any) -> Any:
        return self.builder.fsub(one, two, flags=FLAGS)

    def multiply(self, one: Any, two: Any) -> Any:
        return self.builder.fmul(one, two, flags=FLAGS)

    def four_times(self, number: Any) -> Any:
        """A number in each lane."""
        undefined = ir.Constant(FOUR, ir.Undefined)
        one = self.builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(ir.IntType(32), 4), [0] * 4))

    def sum(self, four: Any) -> Any:
        """The sum of the lanes."""
        for order in ([2, 3, 0, 1], [1, 0, 3, 2]):
            mask = ir.Constant(ir.VectorType(ir.IntType(32), 4), order)
            four = self.add(four, self.builder.shuffle_vector(four, four, mask))
        return self.builder.extract_element(four, ir.Constant(ir.IntType(32), 0))

    def last(self, four: Any) -> Any:
        return self.builder.extract_element(four, ir.Constant(ir.IntType(32), 3))


def _written(kinds: Any, write: Callable[[_Code], None]) -> Any:
    """The signature of an intrinsic without a result, and what writes it; None for wrong arguments."""
    if not all(
        isinstance(kind, types.Integer) or (isinstance(kind, types.Array) and kind.dtype == types.float32)
        for kind in kinds
    ):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write(_Code(context, builder, signature.args, arguments))
        return context.get_dummy_value()

    return types.void(*kinds), generate


@intrinsic
def lay(typing_context, line, left, length, coverage, place, colors, layer):
    """Composite one color over a run.

    Args:
        line: pixels x 4.
        left, length: the run.
        coverage, place: of all fragments, and the run's first.
        colors, layer: red, green, blue and opacity of all layers, and the layer: layers x 4.
    """
    return _written((line, left, length, coverage, place, colors, layer), lambda code: _write_lay(code))


@intrinsic
def lay_and_keep(
    typing_context, line, left, length, coverage, place, colors, layer, beneath, top
):  # fmt: skip
    """The same; `beneath`, fragments x 4, gets what was there, from `top` on."""
    kinds = line, left, length, coverage, place, colors, layer, beneath, top
    return _written(kinds, lambda code: _write_lay(code))


def _write_lay(code: _Code) -> None:
    line, left, length, coverage, place, colors, layer, *kept = code.values
    builder = code.builder
    color = code.load(code.four_at(colors, layer))
    opacity = code.last(color)
    with cgutils.for_range(builder, length) as loop:
        here = code.four_at(line, builder.add(left, loop.index))
        old = code.load(here)
        if kept:
            code.store(old, code.four_at(kept[0], builder.add(kept[1], loop.index)))
        alpha = code.multiply(code.load(code.at(coverage, builder.add(place, loop.index))), opacity)
        code.store(code.add(old, code.multiply(code.four_times(alpha), code.subtract(color, old))), here)


@intrinsic
def unlay(
    typing_context, grad, left, length, coverage, place, colors, layer, beneath, top, by_coverage, by_color, run
):  # fmt: skip
    """Take one color off a run: `grad`, pixels x 4, the last 0, goes from the gradient of the line with it to that of
    the line without it.

    Args:
        left, length, coverage, place, colors, layer: as for `lay`.
        beneath, top: what was there before, pixels x 4, and where that of the run begins.
        by_coverage: gets the gradient of coverage, by fragment.
        by_color, run: gets that of the color, runs x 4.
    """
    kinds = grad, left, length, coverage, place, colors, layer, beneath, top, by_coverage, by_color, run
    return _written(kinds, _write_unlay)


def _write_unlay(code: _Code) -> None:
    grad, left, length, coverage, place, colors, layer, beneath, top, by_coverage, by_color, run = code.values
    builder = code.builder
    color = code.load(code.four_at(colors, layer))
    opacity = code.last(color)
    total = cgutils.alloca_once_value(builder, ir.Constant(FOUR, [0.0] * 4))
    total_opacity = cgutils.alloca_once_value(builder, ir.Constant(ir.FloatType(), 0.0))
    builder.store(ir.Constant(FOUR, [0.0] * 4), total)
    builder.store(ir.Constant(ir.FloatType(), 0.0), total_opacity)
    with cgutils.for_range(builder, length) as loop:
        here = code.four_at(grad, builder.add(left, loop.index))
        through = code.load(here)
        under = code.load(code.four_at(beneath, builder.add(top, loop.index)))
        fragment = builder.add(place, loop.index)
        covered = code.load(code.at(coverage, fragment))
        gain = code.sum(code.multiply(through, code.subtract(color, under)))
        taken = code.multiply(code.four_times(covered), through)
        builder.store(code.add(builder.load(total), taken), total)
        builder.store(code.add(builder.load(total_opacity), code.multiply(covered, gain)), total_opacity)
        code.store(code.multiply(gain, opacity), code.at(by_coverage, fragment))
        code.store(code.subtract(through, code.multiply(code.four_times(opacity), taken)), here)
    by_channel = code.multiply(builder.load(total), code.four_times(opacity))
    by_channel = builder.insert_element(by_channel, builder.load(total_opacity), ir.Constant(ir.IntType(32), 3))
    code.store(by_channel, code.four_at(by_color, run))
