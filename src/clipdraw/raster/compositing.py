"""Compiled loops of the Numba backend: fragments to image rows, and back."""

from __future__ import annotations

import numpy as np

from clipdraw.raster.compile import compiled, take

CHUNK = 4
"""Rows taken at a time."""


@compiled
def composite_row(layout, fragments, colors, row, line, beneath):  # noqa: ANN001, ANN201
    """Composite the strokes over one row, back to front.

    Args:
        layout, fragments: what the strokes cover.
        colors: red, green, blue, opacity of each stroke.
        row: the row.
        line: its background, replaced by its image: width x 4, the last of no meaning.
        beneath: if not empty, gets the color under each fragment of the row: fragments x 4.

    Returns:
        The number of fragments.
    """
    used, keep, coverage, left, right = 0, len(beneath) > 0, fragments.coverage, layout.left, layout.right
    row_span, row_stroke, offset = layout.row_span, layout.row_stroke, layout.offset
    for number in range(layout.row_first[row], layout.row_first[row + 1]):
        span, s = row_span[number], row_stroke[number]
        place = offset[span]
        paint, opacity = (colors[s, 0], colors[s, 1], colors[s, 2], np.float32(0)), colors[s, 3]
        for x in range(left[span], right[span]):
            alpha = coverage[place] * opacity
            place += 1
            for channel in range(4):
                old = line[x, channel]
                if keep:
                    beneath[used, channel] = old
                line[x, channel] = old + alpha * (paint[channel] - old)
            used += 1
    return used


@compiled
def composite(counter, layout, fragments, colors, background, image, used):  # noqa: ANN001, ANN201
    """Composite all strokes over all rows; `used` gets the number of fragments of each row: int64, height."""
    height, width = image.shape[1:]
    line, nothing = np.zeros((width, 4), np.float32), np.empty((0, 4), np.float32)
    while True:
        start = take(counter, CHUNK)
        if start >= height:
            return
        for row in range(start, min(start + CHUNK, height)):
            line[:, :3] = background
            used[row] = composite_row(layout, fragments, colors, row, line, nothing)
            for channel in range(3):
                for x in range(width):
                    image[channel, row, x] = line[x, channel]


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
        grads: gets the gradient of coverage (fragments), of the colors by span (spans x 4) and of the
            background by row (height x 3).
    """
    coverage_grad, color_grad, background_grad = grads
    height, width = grad_image.shape[1:]
    beneath = np.empty((max(1, used.max()), 4), np.float32)
    line, grad = np.zeros((width, 4), np.float32), np.zeros((width, 4), np.float32)
    while True:
        start = take(counter, CHUNK)
        if start >= height:
            return
        for row in range(start, min(start + CHUNK, height)):
            line[:, :3] = background
            for channel in range(3):
                for x in range(width):
                    grad[x, channel] = grad_image[channel, row, x]
            top = composite_row(layout, fragments, colors, row, line, beneath)
            for number in range(layout.row_first[row + 1] - 1, layout.row_first[row] - 1, -1):
                span, s = layout.row_span[number], layout.row_stroke[number]
                top -= layout.right[span] - layout.left[span]
                uncomposite_span(
                    layout, fragments, colors[s], span, grad, beneath[top:], coverage_grad, color_grad[span]
                )
            for channel in range(3):
                background_grad[row, channel] = grad[:, channel].sum()


@compiled
def uncomposite_span(layout, fragments, color, span, grad, beneath, coverage_grad, color_grad):  # noqa: ANN001, ANN201
    """Take one stroke off one row: `grad` goes from the gradient of the row with it to that without it."""
    left, first = layout.left[span], layout.offset[span]
    red, green, blue, opacity = color
    sum0 = sum1 = sum2 = sum3 = np.float32(0)
    for k in range(layout.right[span] - left):
        coverage = fragments.coverage[first + k]
        alpha = coverage * opacity
        x = left + k
        g0, g1, g2 = grad[x, 0], grad[x, 1], grad[x, 2]
        gain = g0 * (red - beneath[k, 0]) + g1 * (green - beneath[k, 1]) + g2 * (blue - beneath[k, 2])
        coverage_grad[first + k] = gain * opacity
        sum0, sum1, sum2, sum3 = sum0 + alpha * g0, sum1 + alpha * g1, sum2 + alpha * g2, sum3 + coverage * gain
        through = np.float32(1) - alpha
        grad[x, 0], grad[x, 1], grad[x, 2] = g0 * through, g1 * through, g2 * through
    color_grad[0], color_grad[1], color_grad[2], color_grad[3] = sum0, sum1, sum2, sum3


@compiled
def sum_colors(strokes, layout, color_grad, out):  # noqa: ANN001, ANN201
    """Add up the color gradients of each stroke over its spans, top to bottom."""
    for s in range(len(out)):
        red = green = blue = opacity = 0.0
        for span in range(strokes.first_span[s], strokes.first_span[s + 1]):
            if layout.right[span] > layout.left[span]:
                grad = color_grad[span]
                red, green, blue, opacity = red + grad[0], green + grad[1], blue + grad[2], opacity + grad[3]
        out[s, 0], out[s, 1], out[s, 2], out[s, 3] = red, green, blue, opacity
