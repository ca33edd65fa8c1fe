"""Compiled loops of the Numba backend: fragments to image rows, and back."""

from __future__ import annotations

import numpy as np

from clipdraw.raster.compile import compiled, inlined
from clipdraw.raster.counters import finish, take_chunk
from clipdraw.raster.knockout import count_fragments, knock_out, restore, unknock
from clipdraw.raster.lanes import lay, lay_and_keep, unlay
from clipdraw.raster.memory import release, room

CHUNK = 8
"""Rows taken at a time: rows of a layer lie next to each other in memory, and threads had better not meet there."""


@inlined
def background_row(paint, row, height, line):
    """Begin a row with what is behind everything."""
    page, width, background = row // height, len(line), paint.background
    if background.shape[2] == 1 and background.shape[3] == 1:
        red, green, blue = background[page, 0, 0, 0], background[page, 1, 0, 0], background[page, 2, 0, 0]
        for x in range(width):
            line[x, 0], line[x, 1], line[x, 2], line[x, 3] = red, green, blue, 0
    else:
        read_row(background, row, height, line)


@inlined
def read_row(image, row, height, line):
    """A row of the images, pages x 3 x height x width, as pixels x 4, the last 0."""
    page, y = row // height, row % height
    for x in range(len(line)):
        line[x, 0], line[x, 1], line[x, 2], line[x, 3] = (
            image[page, 0, y, x],
            image[page, 1, y, x],
            image[page, 2, y, x],
            0,
        )


@inlined
def write_row(image, row, height, line):
    """Back again."""
    page, y = row // height, row % height
    for channel in range(3):
        for x in range(len(line)):
            image[page, channel, y, x] = line[x, channel]


@inlined
def hide_row(layout, rows, fragments, paint, row, hidden):
    """Mark the runs of a row of which nothing is seen, since all that lies above is opaque: their layer is -1 - layer.

    Their colors still matter for the gradient of the opacity above.

    Args:
        layout, rows, fragments, paint: what the layers cover, and with what.
        row: the row.
        hidden: scratch, width.
    """
    hidden[:] = False
    for number in range(rows.first[row + 1] - 1, rows.first[row] - 1, -1):
        run = rows.run[number]
        layer, left, right, seen = layout.runs[run, 0], layout.runs[run, 1], layout.runs[run, 2], False
        for x in range(left, right):
            seen |= not hidden[x]
        if not seen:
            layout.runs[run, 0] = -1 - layer
        elif paint.first[layer] < 0 and paint.colors[layer, 3] == 1:
            place = layout.first[layer, 0] + layout.runs[run, 3] - left
            for x in range(left, right):
                hidden[x] |= fragments.coverage[place + x] == 1


@inlined
def composite_row(layout, rows, fragments, paint, row, line, beneath):
    """Composite the layers over one row, back to front.

    Args:
        layout, rows, fragments, paint: what the layers cover, and with what.
        row: the row.
        line: its background, replaced by its image: width x 4.
        beneath: if not empty, gets the color under each fragment of the row: fragments x 4.

    Returns:
        The number of fragments.
    """
    used, keep, coverage, colors = 0, len(beneath) > 0, fragments.coverage, paint.colors
    for number in range(rows.first[row], rows.first[row + 1]):
        run = rows.run[number]
        mark, left, right, offset = layout.runs[run, 0], layout.runs[run, 1], layout.runs[run, 2], layout.runs[run, 3]
        length, layer = right - left, max(mark, -1 - mark)
        place = layout.first[layer, 0] + offset
        if mark < 0 and not keep:
            used += length
            continue
        first = paint.first[layer]
        if first >= 0:
            composite_own(coverage, paint.own, first + offset, place, left, length, line, beneath, used, keep)
        elif keep:
            lay_and_keep(line, left, length, coverage, place, colors, layer, beneath, used)
        else:
            lay(line, left, length, coverage, place, colors, layer)
        used += length
    return used


@compiled
def composite_knocked_out(layout, rows, fragments, paint, row, line, beneath):
    """`composite_row` where strokes may knock out the fills beneath them."""
    kept = room((count_fragments(layout, rows, row),), np.float32)
    knock_out(layout, rows, fragments, paint, row, kept)
    used = composite_row(layout, rows, fragments, paint, row, line, beneath)
    restore(layout, rows, fragments, row, kept)
    release(kept)
    return used


@compiled
def composite_own(coverage, own, first, place, left, length, line, beneath, used, keep):
    """Composite a run where each fragment has its own color, `own` from `first` on."""
    for k in range(length):
        alpha = coverage[place + k] * own[first + k, 3]
        for channel in range(3):
            old = line[left + k, channel]
            if keep:
                beneath[used + k, channel] = old
            line[left + k, channel] = old + alpha * (own[first + k, channel] - old)


@compiled
def composite(counters, own, layout, rows, fragments, paint, image, used):
    """Composite all layers over all rows of all pages.

    Args:
        counters, own: see `counters`.
        layout, rows, fragments, paint: what the layers cover, and with what.
        image: gets the images: pages x 3 x height x width.
        used: gets the number of fragments of each row: int64, rows.
    """
    width = image.shape[3]
    scratch = room((width, 4), np.float32), room((0, 4), np.float32), room((width,), np.bool_)
    composite_rows(counters, own, layout, rows, fragments, paint, image, used, *scratch)
    release(scratch)


@compiled
def composite_rows(counters, own, layout, rows, fragments, paint, image, used, line, nothing, hidden):
    """`composite`, with scratch."""
    height, opaque = image.shape[2], False
    for layer in range(len(paint.colors)):
        opaque |= paint.colors[layer, 3] == 1
    while True:
        start, stop = take_chunk(counters, own, len(used), CHUNK)
        if start == stop:
            return
        for row in range(start, stop):
            if opaque:
                hide_row(layout, rows, fragments, paint, row, hidden)
            background_row(paint, row, height, line)
            if len(paint.knockouts) > 0:
                used[row] = composite_knocked_out(layout, rows, fragments, paint, row, line, nothing)
            else:
                used[row] = composite_row(layout, rows, fragments, paint, row, line, nothing)
            write_row(image, row, height, line)
        finish(counters, stop - start)


@compiled
def uncomposite(counters, own, layout, rows, fragments, paint, grad_image, through, used, grads):
    """From the gradient of the images to those of coverage and paint.

    The color beneath each fragment is found once more, row by row, rather than kept: that takes
    less time than memory would.

    Args:
        counters, own: see `counters`.
        layout, rows, fragments, paint: what the layers cover, and with what.
        grad_image: gradient of the images, pages x 3 x height x width.
        through: gets that of the background, of the same shape; nothing if it is empty.
        used: number of fragments of each row.
        grads: gets the gradient of coverage (fragments), of the colors by run (runs x 4) and of the fragments' own
            (fragments x 4). That by run may take the place of what is known of the runs where nothing is knocked out.
    """
    height, width = grad_image.shape[2:]
    most = 1
    for row in range(len(used)):
        most = max(most, used[row])
    kept = room((most if len(paint.knockouts) > 0 else 0,), np.float32)
    scratch = room((most, 4), np.float32), room((width, 4), np.float32), room((width, 4), np.float32), kept
    uncomposite_rows(counters, own, layout, rows, fragments, paint, grad_image, through, used, grads, scratch, height)
    release(scratch)


@compiled
def uncomposite_rows(counters, own, layout, rows, fragments, paint, grad_image, through, used, grads, scratch, height):
    """`uncomposite`, with scratch."""
    (coverage_grad, color_grad, own_grad), (beneath, line, grad, kept) = grads, scratch
    coverage = fragments.coverage
    while True:
        start, stop = take_chunk(counters, own, len(used), CHUNK)
        if start == stop:
            return
        for row in range(start, stop):
            background_row(paint, row, height, line)
            read_row(grad_image, row, height, grad)
            if len(paint.knockouts) > 0:
                knock_out(layout, rows, fragments, paint, row, kept)
            top = composite_row(layout, rows, fragments, paint, row, line, beneath)
            for number in range(rows.first[row + 1] - 1, rows.first[row] - 1, -1):
                run = rows.run[number]
                layer, left, right = layout.runs[run, 0], layout.runs[run, 1], layout.runs[run, 2]
                length, offset, whose = right - left, layout.runs[run, 3], max(layer, -1 - layer)
                place, first = layout.first[whose, 0] + offset, paint.first[whose]
                top -= length
                if layer < 0:
                    color_grad[run] = 0
                    coverage_grad[place : place + length] = 0
                    if first >= 0:
                        own_grad[first + offset : first + offset + length] = 0
                elif first >= 0:
                    uncomposite_own(
                        coverage, paint.own, first + offset, place, left, length, grad, beneath, top, coverage_grad,
                        own_grad,
                    )  # fmt: skip
                else:
                    unlay(
                        grad, left, length, coverage, place, paint.colors, layer, beneath, top, coverage_grad,
                        color_grad, run,
                    )  # fmt: skip
            if len(paint.knockouts) > 0:
                unknock(layout, rows, paint, row, kept, grads)
            if len(through) > 0:
                write_row(through, row, height, grad)
        finish(counters, stop - start)


@compiled
def uncomposite_own(coverage, own, first, place, left, length, grad, beneath, top, coverage_grad, own_grad):
    """Take one layer off one row, where each fragment has its own color, `own` from `first` on.

    Args:
        coverage: of all fragments.
        own, first: their colors, and which is the first.
        place: the first fragment.
        left, length: its columns.
        grad: width x 4; goes from the gradient of the row with the layer to that without it.
        beneath, top: the colors under the row's fragments, and where those of the layer begin.
        coverage_grad: gets the gradient of coverage, by fragment.
        own_grad: gets that of the colors.
    """
    for k in range(length):
        covered, opacity, gain = coverage[place + k], own[first + k, 3], np.float32(0)
        for channel in range(3):
            g = grad[left + k, channel]
            gain += g * (own[first + k, channel] - beneath[top + k, channel])
            own_grad[first + k, channel] = covered * opacity * g
            grad[left + k, channel] = g - covered * opacity * g
        own_grad[first + k, 3] = covered * gain
        coverage_grad[place + k] = gain * opacity


@compiled
def sum_colors(layout, paint, color_grad, out):
    """Add up the color gradients of each layer that has one color over its runs, top to bottom."""
    for layer in range(len(out)):
        red = green = blue = opacity = 0.0
        first = layout.first[layer, 2]
        last = first + (layout.counts[layer, 2] if paint.first[layer] < 0 else 0)
        for run in range(first, last):
            red, green = red + color_grad[run, 0], green + color_grad[run, 1]
            blue, opacity = blue + color_grad[run, 2], opacity + color_grad[run, 3]
        out[layer, 0], out[layer, 1], out[layer, 2], out[layer, 3] = red, green, blue, opacity
