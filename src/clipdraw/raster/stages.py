"""Compiled loops of the Numba backend: forward and backward, in stages that a team of threads goes through together.

See `threads`: to wake a thread takes as long as a stage may, so a team is called for all of them at once.
"""

from __future__ import annotations

from clipdraw.raster.compile import compiled
from clipdraw.raster.compositing import composite, sum_colors, uncomposite
from clipdraw.raster.counters import finish, finished, take
from clipdraw.raster.coverage import cover, uncover
from clipdraw.raster.layout import arrange, count_pieces


@compiled
def cover_all(counters, scene, size, tolerance):
    """Flatten paths, find out what layers cover and list the runs of each row.

    Args:
        counters: see `counters`, by stage, and of the threads at last.
        scene: what is covered, and room for what becomes of it.
        size: height and width of the image.
        tolerance: see `layout.count_pieces`.

    Returns:
        Whether that is done: false if other threads are still at it. Rows are listed only if there was room for all.
    """
    return cover_first(counters, take(counters[-1, 0], 1), scene, size, tolerance)


@compiled
def composite_all(counters, scene, paint, image, used):
    """`compositing.composite`; whether that is done."""
    return composite_then(counters, take(counters[-1, 0], 1), scene, paint, image, used)


@compiled
def cover_and_composite(counters, scene, size, tolerance, paint, image, used):
    """Both, the second only if there was room for what is covered; whether that is done."""
    own = take(counters[-1, 0], 1)
    if not cover_first(counters, own, scene, size, tolerance):
        return False
    return not has_room(scene.layout, scene.fragments) or composite_then(counters, own, scene, paint, image, used)


@compiled
def cover_first(counters, own, scene, size, tolerance):
    """`cover_all`, for the thread of that number."""
    paths, layout, rows, fragments = scene
    if take(counters[0, 0], 1) == 0:  # before others are awake
        count_pieces(paths, size, tolerance, layout.rows)
        finish(counters[0], 1)
    if not finished(counters[0], 1):
        return False
    cover(counters[1], own, paths, layout, fragments, *size)
    if not finished(counters[1], len(paths.indices.layers)):
        return False
    if not has_room(layout, fragments):
        return True
    if take(counters[2, 0], 1) == 0:
        arrange(layout, rows, size[0])
        finish(counters[2], 1)
    return finished(counters[2], 1)


@compiled
def composite_then(counters, own, scene, paint, image, used):
    """`composite_all`, for the thread of that number."""
    composite(counters[3], own, scene.layout, scene.rows, scene.fragments, paint, image, used)
    return finished(counters[3], len(used))


@compiled
def uncover_all(counters, scene, paint, used, grad_images, by_paint, moved, by_geometry):
    """From the gradient of the images to those of paint and of what is moved.

    Args:
        counters: work taken and done, by stage.
        scene, paint: what is covered, and with what.
        used: the number of fragments of each row.
        grad_images: gradient of the images, and what gets that of the background: see `compositing.uncomposite`.
        by_paint: gets the gradient of the colors by run (it may take the place of what is known of the runs where
            nothing is knocked out), of the fragments' own colors, and of the layers' colors, all x 4.
        moved: whether each path's geometry needs a gradient, or nothing if none does.
        by_geometry: gets the gradients of points, radii and matrices.

    Returns:
        Whether that is done: false if other threads are still at it.
    """
    paths, layout, rows, fragments = scene
    by_run, by_own, by_color = by_paint
    grads = fragments.coverage, by_run, by_own
    own = take(counters[-1, 0], 1)
    uncomposite(counters[0], own, layout, rows, fragments, paint, *grad_images, used, grads)
    if not finished(counters[0], len(used)):
        return False
    if take(counters[1, 0], 1) == 0:
        sum_colors(layout, paint, by_run, by_color)
        finish(counters[1], 1)
    uncover(counters[2], own, paths, layout, fragments, moved, *by_geometry)
    return finished(counters[2], len(moved)) and finished(counters[1], 1)


@compiled
def has_room(layout, fragments):
    """Whether all that layers cover was written."""
    claimed = layout.claimed
    return (
        claimed[0] <= len(fragments.coverage)
        and claimed[1] <= len(fragments.place)
        and claimed[2] <= len(layout.runs)
        and claimed[3] <= len(fragments.last)
    )
