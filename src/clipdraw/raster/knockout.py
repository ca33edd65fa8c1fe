"""Compiled loops of the Numba backend: fills beneath strokes of paths whose opacity is that of both together.

Such strokes knock out the fills beneath them; see `plan.Index.knockouts`.
"""

from __future__ import annotations

import numpy as np

from clipdraw.raster.compile import compiled, inlined


@inlined
def left_over(alpha, opacity):
    """The share of a fill that is left beneath a stroke of this alpha, and its derivative; see `Index.knockouts`."""
    through, least = 1 - alpha, (1 - opacity) / 2
    if through < least:
        return (1 - alpha / opacity) / least, -1 / (opacity * least)
    return (1 - alpha / opacity) / through, (1 - 1 / opacity) / through**2


@inlined
def run_of(layout, rows, number):
    """The layer, first column, column after the last and first fragment of a run in the list of rows."""
    run = rows.run[number]
    mark = layout.runs[run, 0]
    layer = max(mark, -1 - mark)
    return layer, layout.runs[run, 1], layout.runs[run, 2], layout.first[layer, 0] + layout.runs[run, 3]


@inlined
def opacity_of(layout, paint, layer, fragment):
    """The opacity of the layer in a fragment."""
    first = paint.first[layer]
    return paint.colors[layer, 3] if first < 0 else paint.own[first + fragment - layout.first[layer, 0], 3]


@compiled
def count_fragments(layout, rows, row):
    """The number of fragments of a row."""
    count = 0
    for number in range(rows.first[row], rows.first[row + 1]):
        run = rows.run[number]
        count += layout.runs[run, 2] - layout.runs[run, 1]
    return count


@compiled
def knock_out(layout, rows, fragments, paint, row, kept):
    """Leave of the fills of a row what their strokes do not knock out.

    Args:
        layout, rows, fragments, paint: what the layers cover, and with what.
        row: the row.
        kept: gets what its fragments covered before, run by run.
    """
    coverage, used = fragments.coverage, 0
    for number in range(rows.first[row], rows.first[row + 1]):
        layer, left, right, place = run_of(layout, rows, number)
        for x in range(left, right):
            kept[used + x - left] = coverage[place + x - left]
        used += right - left
        together = paint.knockouts[layer]
        if together == 1:
            continue
        for lower in range(number - 1, rows.first[row] - 1, -1):
            below, begin, end, fill = run_of(layout, rows, lower)
            if below < layer - 1:
                break
            for x in range(max(left, begin), min(right, end) if below < layer else 0):
                fragment = place + x - left
                alpha = np.float64(coverage[fragment]) * opacity_of(layout, paint, layer, fragment)
                coverage[fill + x - begin] *= left_over(alpha, together)[0]


@compiled
def restore(layout, rows, fragments, row, kept):
    """Give the fragments of a row back what they covered before `knock_out`."""
    used = 0
    for number in range(rows.first[row], rows.first[row + 1]):
        _, left, right, place = run_of(layout, rows, number)
        for k in range(right - left):
            fragments.coverage[place + k] = kept[used + k]
        used += right - left


@compiled
def unknock(layout, rows, paint, row, kept, grads):
    """From the gradient of what the fills of a row cover after `knock_out` to that before, and to that of strokes.

    Args:
        layout, rows, paint: what the layers cover, and with what.
        row: the row.
        kept: what its fragments covered before, run by run.
        grads: the gradients as `compositing.uncomposite` gives them, which are changed.
    """
    (coverage_grad, color_grad, own_grad), used = grads, 0
    for number in range(rows.first[row], rows.first[row + 1]):
        layer, left, right, place = run_of(layout, rows, number)
        together, first, total = paint.knockouts[layer], paint.first[layer], 0.0
        under = used
        for lower in range(number - 1, rows.first[row] - 1, -1):
            below, begin, end, fill = run_of(layout, rows, lower)
            under -= end - begin
            if together == 1 or below < layer - 1:
                break
            for x in range(max(left, begin), min(right, end) if below < layer else 0):
                fragment, beneath = place + x - left, fill + x - begin
                covered, opacity = np.float64(kept[used + x - left]), opacity_of(layout, paint, layer, fragment)
                share, slope = left_over(covered * opacity, together)
                by_alpha = coverage_grad[beneath] * kept[under + x - begin] * slope
                coverage_grad[beneath] *= share
                coverage_grad[fragment] += by_alpha * opacity
                total += by_alpha * covered
                if first >= 0:
                    own_grad[first + fragment - layout.first[layer, 0], 3] += by_alpha * covered
        if first < 0:
            color_grad[rows.run[number], 3] += total
        used += right - left
