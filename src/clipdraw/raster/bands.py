"""Large images in bands of rows, one after another: what the kernels need for a band does not grow with the image.

Curves are flattened for the whole image, and each row is worked out by itself: the bits are those of the whole image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.limits import check_limits
from clipdraw.raster.batch import Batch
from clipdraw.raster.covering import (
    FRAGMENTS,
    UNLIMITED,
    Band,
    Covered,
    Storage,
    cover_once,
    keep,
    own_colors_of,
    paint_struct,
    paths_struct,
    storage_for,
)
from clipdraw.raster.native import Paths, call, memory
from clipdraw.raster.threads import get_threads

LARGE_PIXELS = 2**20
"""Images of more pixels than this are made in bands."""
LARGE_WORK = 2**31
"""So are those of more pixels times layers than this."""
MOST_FRAGMENTS, MOST_SPANS, MOST_COLORED = 2**24, 2**22, 2**21
"""The most that layers may cover of a band: pixels, spans, and pixels where gradients give each its color."""
MOST_OF_LAYERS, LEAST_OF_LAYER = 2**21, 2**16
"""Pixels, and chords, of a band that the layers at work may have in all, and that one may have at least."""


def is_large(batch: Batch) -> bool:
    """Whether the image of a batch of one drawing is better made in bands."""
    pixels = batch.size[0] * batch.size[1]
    return len(batch.background) == 1 and (
        pixels > LARGE_PIXELS or pixels * max(1, len(batch.index.layers)) > LARGE_WORK
    )


def bands(batch: Batch) -> Iterator[Float[Tensor, "3 _ width"]]:
    """The image of one drawing, band after band from the top; without gradients.

    Args:
        batch: of one drawing, float32, in CPU memory.

    Raises:
        LimitError: it took longer or more memory than `clipdraw.limits` allows.
        OutOfMemoryError: there was not enough memory.
    """
    (height, width), top = batch.size, 0
    paths, most = paths_struct(batch), max(LEAST_OF_LAYER, MOST_OF_LAYERS // get_threads())
    rows = most_rows = max(1, min(height, most // (2 * width)))
    fragments = MOST_COLORED if batch.gradients else MOST_FRAGMENTS
    storage = storage_for((fragments, 0, MOST_SPANS, 0))
    while top < height:
        check_limits()
        band = Band(top, min(rows, height - top), most, for_gradients=False)
        image, claimed = _composite(batch, paths, band, storage)
        if image is not None:
            yield image
            top += band.rows
            rows = min(2 * rows, most_rows) if 4 * claimed[FRAGMENTS] < fragments else rows
        elif band.rows > 1:
            rows = max(1, band.rows // 4)
        elif most < UNLIMITED:
            most = UNLIMITED
        else:
            storage = storage_for(claimed)
    keep(storage)


def _composite(
    batch: Batch, paths: Paths, band: Band, storage: Storage
) -> tuple[Float[Tensor, "3 _ width"] | None, tuple[int, ...]]:
    """One band, if there is room for it; and how much room it takes."""
    image = memory(1, 3, band.rows, batch.size[1], dtype=torch.float32)
    used = memory(band.rows, dtype=torch.int64)
    if batch.background.shape[2:] != (1, 1):
        batch = _with_background_of(batch, band)
    covered: Covered | None
    if batch.gradients:  # colors depend on what is covered
        covered, claimed = cover_once(batch, paths, band, storage, None)
        if covered is not None:
            paint = paint_struct(batch, own_colors_of(batch, covered), covered.first_own, image, used)
            call("composite_all", covered.paths, covered.coverage, paint)
    else:
        paint = paint_struct(batch, torch.empty(0, 4), batch.index.gradients, image, used)
        covered, claimed = cover_once(batch, paths, band, storage, paint)
    return None if covered is None else image[0], claimed


def _with_background_of(batch: Batch, band: Band) -> Batch:
    return replace(batch, background=batch.background[:, :, band.top : band.top + band.rows])
