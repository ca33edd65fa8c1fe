"""Compiled loops of the Numba backend: fragments to image rows, and back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.compile import compiled, compiled_to_allocate, take

CHUNK = 16
"""Rows taken at a time: rows of a layer lie next to each other in memory, and threads had better not meet there."""


class Paint(NamedTuple):
    """What layers are painted with, and on; all float32 but `first`."""

    colors: np.ndarray
    """Red, green, blue, opacity of each layer that has one color: layers x 4."""
    own: np.ndarray
    """The same for each fragment of the layers that have gradients: fragments x 4."""
    first: np.ndarray
    """The place of each such layer's first fragment there, -1 for other layers: int64, layers."""
    background: np.ndarray
    """Red, green, blue of each pixel, or, with one row and one column, of all: pages x 3 x rows x columns."""


@compiled
def background_row(paint, row, height, line):
    """Begin a row with what is behind everything."""
    page, width = row // height, line.shape[1]
    one = paint.background.shape[2] == 1 and paint.background.shape[3] == 1
    for channel in range(3):
        for x in range(width):
            line[channel, x] = paint.background[page, channel, 0 if one else row % height, 0 if one else x]


@compiled
def composite_row(layout, rows, fragments, paint, row, line, beneath):
    """Composite the layers over one row, back to front.

    Args:
        layout, rows, fragments, paint: what the layers cover, and with what.
        row: the row.
        line: its background, replaced by its image: 3 x width.
        beneath: if not empty, gets the color under each fragment of the row: 3 x fragments.

    Returns:
        The number of fragments.
    """
    used, keep, coverage, colors, own = 0, beneath.shape[1] > 0, fragments.coverage, paint.colors, paint.own
    for number in range(rows.first[row], rows.first[row + 1]):
        run, layer = rows.run[number], rows.layer[number]
        left, place, first = layout.left[run], layout.offset[run], paint.first[layer]
        length = layout.right[run] - left
        if first >= 0:
            first += place - layout.first[layer, 0]
            for channel in range(3):
                for k in range(length):
                    old = line[channel, left + k]
                    if keep:
                        beneath[channel, used + k] = old
                    alpha = coverage[place + k] * own[first + k, 3]
                    line[channel, left + k] = old + alpha * (own[first + k, channel] - old)
        else:
            for channel in range(3):
                color, opacity = colors[layer, channel], colors[layer, 3]
                if keep:
                    for k in range(length):
                        beneath[channel, used + k] = line[channel, left + k]
                for k in range(length):
                    line[channel, left + k] += coverage[place + k] * opacity * (color - line[channel, left + k])
        used += length
    return used


@compiled_to_allocate
def composite(counter, layout, rows, fragments, paint, image, used):
    """Composite all layers over all rows of all pages.

    Args:
        counter: work left.
        layout, rows, fragments, paint: what the layers cover, and with what.
        image: gets the images: pages x 3 x height x width.
        used: gets the number of fragments of each row: int64, rows.
    """
    height, width = image.shape[2:]
    line, nothing = np.zeros((3, width), np.float32), np.empty((3, 0), np.float32)
    while True:
        start = take(counter, CHUNK)
        if start >= len(used):
            return
        for row in range(start, min(start + CHUNK, len(used))):
            background_row(paint, row, height, line)
            used[row] = composite_row(layout, rows, fragments, paint, row, line, nothing)
            image[row // height, :, row % height] = line


@compiled_to_allocate
def uncomposite(counter, layout, rows, fragments, paint, grad_image, used, grads):
    """From the gradient of the images to those of coverage and paint.

    The color beneath each fragment is found once more, row by row, rather than kept: that takes
    less time than memory would.

    Args:
        counter: work left.
        layout, rows, fragments, paint: what the layers cover, and with what.
        grad_image: gradient of the images, pages x 3 x height x width; replaced by that of the background.
        used: number of fragments of each row.
        grads: gets the gradient of coverage (fragments), of the colors by run (runs x 4) and of the fragments' own
            (fragments x 4).
    """
    coverage_grad, color_grad, own_grad = grads
    height, width = grad_image.shape[2:]
    beneath = np.empty((3, max(1, used.max())), np.float32)
    line, grad = np.zeros((3, width), np.float32), np.zeros((3, width), np.float32)
    while True:
        start = take(counter, CHUNK)
        if start >= len(used):
            return
        for row in range(start, min(start + CHUNK, len(used))):
            background_row(paint, row, height, line)
            grad[:] = grad_image[row // height, :, row % height]
            top = composite_row(layout, rows, fragments, paint, row, line, beneath)
            for number in range(rows.first[row + 1] - 1, rows.first[row] - 1, -1):
                run, layer = rows.run[number], rows.layer[number]
                left, place, first = layout.left[run], layout.offset[run], paint.first[layer]
                length = layout.right[run] - left
                top -= length
                if first >= 0:
                    first += place - layout.first[layer, 0]
                    uncomposite_own(
                        fragments.coverage, paint.own, first, place, left, length, grad, beneath, top, coverage_grad,
                        own_grad,
                    )  # fmt: skip
                else:
                    uncomposite_run(
                        fragments.coverage, paint.colors, layer, place, left, length, grad, beneath, top, coverage_grad,
                        color_grad, run,
                    )  # fmt: skip
            grad_image[row // height, :, row % height] = grad


@compiled
def uncomposite_run(coverage, colors, layer, place, left, length, grad, beneath, top, coverage_grad, color_grad, run):
    """Take one layer off one row: `grad` goes from the gradient of the row with it to that without it.

    Args:
        coverage: of all fragments.
        colors, layer: what the layer is painted with.
        place: its first fragment.
        left, length: its columns.
        grad: 3 x width.
        beneath, top: the colors under the row's fragments, and where those of the layer begin.
        coverage_grad: gets the gradient of coverage, by fragment.
        color_grad, run: gets that of the color, by run.
    """
    opacity = colors[layer, 3]
    gain, covered = coverage_grad[place : place + length], coverage[place : place + length]
    for channel in range(3):  # loops over few arrays each, so that they are turned into vector instructions
        color, total = colors[layer, channel], np.float32(0)
        through, under = grad[channel, left : left + length], beneath[channel, top : top + length]
        if channel == 0:
            for k in range(length):
                gain[k] = through[k] * (color - under[k])
        else:
            for k in range(length):
                gain[k] += through[k] * (color - under[k])
        for k in range(length):
            total += covered[k] * through[k]
        for k in range(length):
            through[k] -= covered[k] * opacity * through[k]
        color_grad[run, channel] = opacity * total
    total = np.float32(0)
    for k in range(length):
        total += covered[k] * gain[k]
    for k in range(length):
        gain[k] *= opacity
    color_grad[run, 3] = total


@compiled
def uncomposite_own(coverage, own, first, place, left, length, grad, beneath, top, coverage_grad, own_grad):
    """The same where each fragment has its own color, `own` from `first` on."""
    for k in range(length):
        covered, opacity, gain = coverage[place + k], own[first + k, 3], np.float32(0)
        for channel in range(3):
            g = grad[channel, left + k]
            gain += g * (own[first + k, channel] - beneath[channel, top + k])
            own_grad[first + k, channel] = covered * opacity * g
            grad[channel, left + k] = g - covered * opacity * g
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
