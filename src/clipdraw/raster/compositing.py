"""Compiled loops of the Numba backend: fragments to image rows, and back."""

from __future__ import annotations

import numpy as np

from clipdraw.raster.compile import compiled, take

CHUNK = 4
"""Rows taken at a time."""


@compiled
def composite_row(layout, fragments, colors, row, image, beneath):  # noqa: ANN001, ANN201
    """Composite the strokes over one row, back to front.

    Args:
        layout, fragments: what the strokes cover.
        colors: red, green, blue, opacity of each stroke.
        row: the row.
        image: its background, replaced by its image: 3 x width.
        beneath: if not empty, gets the color under each fragment of the row: 3 x fragments.

    Returns:
        The number of fragments.
    """
    used, keep = 0, beneath.shape[1] > 0
    for s in range(len(colors)):
        if not layout.rows[s, 0] <= row < layout.rows[s, 1]:
            continue
        left = layout.left[s, row]
        length = max(0, layout.right[s, row] - left)
        first = fragments.first[s] + layout.offset[s, row]
        coverage = fragments.coverage[first : first + length]
        for channel in range(3):
            color, opacity = colors[s, channel], colors[s, 3]
            line = image[channel, left : left + length]
            if keep:
                beneath[channel, used : used + length] = line
            for x in range(length):
                line[x] += coverage[x] * opacity * (color - line[x])
        used += length
    return used


@compiled
def composite(counter, layout, fragments, colors, background, image, used):  # noqa: ANN001, ANN201
    """Composite all strokes over all rows; `used` gets the number of fragments of each row."""
    height, nothing = image.shape[1], np.empty((3, 0), np.float32)
    while True:
        start = take(counter, CHUNK)
        if start >= height:
            return
        for row in range(start, min(start + CHUNK, height)):
            line = image[:, row]
            for channel in range(3):
                line[channel] = background[channel]
            used[row] = composite_row(layout, fragments, colors, row, line, nothing)


@compiled
def uncomposite(counter, layout, fragments, colors, background, grad_image, used, grads):  # noqa: ANN001, ANN201
    """From the gradient of the image to those of coverage, colors and background.

    The color beneath each fragment is found once more, row by row, rather than kept: that takes
    less time than memory would.

    Args:
        counter: work left.
        layout, fragments: what the strokes cover.
        colors, background: the paint.
        grad_image: gradient of the image, 3 x height x width.
        used: number of fragments of each row.
        grads: gets the gradient of coverage (fragments), of the colors by row (strokes x height x 4, set where a
            stroke has that row) and of the background by row (height x 3).
    """
    coverage_grad, color_grad, background_grad = grads
    height, width = grad_image.shape[1:]
    beneath = np.empty((3, max(1, used.max())), np.float32)
    line, grad = np.empty((3, width), np.float32), np.empty((3, width), np.float32)
    while True:
        start = take(counter, CHUNK)
        if start >= height:
            return
        for row in range(start, min(start + CHUNK, height)):
            for channel in range(3):
                line[channel] = background[channel]
                grad[channel] = grad_image[channel, row]
            top = composite_row(layout, fragments, colors, row, line, beneath)
            for s in range(len(colors) - 1, -1, -1):
                if layout.rows[s, 0] <= row < layout.rows[s, 1]:
                    top -= max(0, layout.right[s, row] - layout.left[s, row])
                    uncomposite_span(layout, fragments, colors, s, row, grad, beneath[:, top:], coverage_grad, color_grad)
            for channel in range(3):
                background_grad[row, channel] = grad[channel].sum()


@compiled
def uncomposite_span(layout, fragments, colors, s, row, grad, beneath, coverage_grad, color_grad):  # noqa: ANN001, ANN201
    """Take one stroke off one row: `grad` goes from the gradient of the row with it to that without it."""
    left = layout.left[s, row]
    length = max(0, layout.right[s, row] - left)
    first = fragments.first[s] + layout.offset[s, row]
    coverage, out = fragments.coverage[first : first + length], coverage_grad[first : first + length]
    red, green, blue, opacity = colors[s]
    sum_red = sum_green = sum_blue = sum_opacity = np.float32(0)
    grad_red, grad_green, grad_blue = grad[0, left : left + length], grad[1, left : left + length], grad[2, left : left + length]
    under_red, under_green, under_blue = beneath[0], beneath[1], beneath[2]
    for x in range(length):
        g_red, g_green, g_blue = grad_red[x], grad_green[x], grad_blue[x]
        gain = g_red * (red - under_red[x]) + g_green * (green - under_green[x]) + g_blue * (blue - under_blue[x])
        alpha = coverage[x] * opacity
        sum_opacity += coverage[x] * gain
        sum_red += alpha * g_red
        sum_green += alpha * g_green
        sum_blue += alpha * g_blue
        out[x] = gain * opacity
        through = np.float32(1) - alpha
        grad_red[x], grad_green[x], grad_blue[x] = g_red * through, g_green * through, g_blue * through
    target = color_grad[s, row]
    target[0], target[1], target[2], target[3] = sum_red, sum_green, sum_blue, sum_opacity


@compiled
def sum_colors(counter, layout, color_grad, out):  # noqa: ANN001, ANN201
    """Add up the color gradients of each stroke over its rows, top to bottom."""
    while True:
        start = take(counter, 64)
        if start >= len(out):
            return
        for s in range(start, min(start + 64, len(out))):
            for channel in range(4):
                total = 0.0
                for row in range(layout.rows[s, 0], layout.rows[s, 1]):
                    total += color_grad[s, row, channel]
                out[s, channel] = total
