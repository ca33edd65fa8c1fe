"""Compiled loops of the Numba backend: forward and backward, in stages that a team of threads goes through together.

See `threads`: to wake a thread takes as long as a stage may, so a team is called for all of them at once.
"""

from __future__ import annotations

from clipdraw.raster.compile import compiled, compiled_to_allocate
from clipdraw.raster.compositing import CHUNK as ROWS
from clipdraw.raster.compositing import composite, sum_colors, uncomposite
from clipdraw.raster.counters import finish, finished, take
from clipdraw.raster.coverage import cover, uncover
from clipdraw.raster.layout import CHUNK as LAYERS
from clipdraw.raster.layout import arrange


@compiled_to_allocate
def cover_all(counters, paths, layout, rows, fragments, size):
    """Find out what layers cover and list the runs of each row.

    Args:
        counters: work taken and done, by stage.
        paths, layout, rows, fragments: what is covered, and room for what becomes of it.
        size: height and width of the image.

    Returns:
        Whether that is done: false if other threads are still at it. Rows are listed only if there was room for all.
    """
    cover(counters[0], paths, layout, fragments, *size)
    if not finished(counters[0], len(paths.layers), LAYERS):
        return False
    if not has_room(layout, fragments):
        return True
    if take(counters[1], 1) == 0:
        arrange(layout, rows, size[0])
        finish(counters[1])
    return finished(counters[1], 1, 1)


@compiled_to_allocate
def composite_all(counters, layout, rows, fragments, paint, image, used):
    """`compositing.composite`; whether that is done."""
    composite(counters[2], layout, rows, fragments, paint, image, used)
    return finished(counters[2], len(used), ROWS)


@compiled_to_allocate
def cover_and_composite(counters, paths, layout, rows, fragments, size, paint, image, used):
    """Both, the second only if there was room for what is covered; whether that is done."""
    if not cover_all(counters, paths, layout, rows, fragments, size):
        return False
    if not has_room(layout, fragments):
        return True
    return composite_all(counters, layout, rows, fragments, paint, image, used)


@compiled_to_allocate
def uncover_all(counters, painted, grad_image, through, grads, by_color, covered, moved, by_geometry):
    """From the gradient of the images to those of paint and of what is moved.

    Args:
        counters: work taken and done, by stage.
        painted: layout, rows, fragments, paint, and the number of fragments of each row.
        grad_image, through, grads: see `compositing.uncomposite`.
        by_color: gets the gradient of the colors: layers x 4.
        covered: paths, layout and fragments.
        moved: whether each path's geometry needs a gradient, or nothing if none does.
        by_geometry: gets the gradients of points, radii and matrices.

    Returns:
        Whether that is done: false if other threads are still at it.
    """
    layout, rows, fragments, paint, used = painted
    uncomposite(counters[0], layout, rows, fragments, paint, grad_image, through, used, grads)
    if not finished(counters[0], len(used), ROWS):
        return False
    if take(counters[1], 1) == 0:
        sum_colors(layout, paint, grads[1], by_color)
        finish(counters[1])
    uncover(counters[2], *covered, moved, *by_geometry)
    return finished(counters[2], len(moved), LAYERS) and finished(counters[1], 1, 1)


@compiled
def has_room(layout, fragments):
    """Whether all that layers cover was written."""
    fragments_claimed, chords, runs = layout.claimed[0], layout.claimed[1], layout.claimed[2]
    return fragments_claimed <= len(fragments.coverage) and chords <= len(fragments.place) and runs <= len(layout.row)
