"""The film of a run: how the drawing came about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from clipdraw.drawing import Drawing
from clipdraw.errors import MissingExtraError
from clipdraw.formats.animated_svg import write_making_of
from clipdraw.formats.film import write_webp
from clipdraw.raster import rasterize

SECONDS, HOLD_S = 4.0, 2.0
"""Length of the film, and how long it shows the finished drawing at the end."""
LONGEST_SIDE = 336
"""Pixels along the longer side of the film."""


def write_films(snapshots: Sequence[Drawing], drawing: Drawing, folder: Path) -> tuple[Path, ...]:
    """Write `making-of.svg`, and `making-of.mp4` or, without the extra `video`, `making-of.webp`.

    Args:
        snapshots: the drawing as the run went on, at even intervals.
        drawing: as it is in the end.
        folder: of the run.

    Returns:
        The files.
    """
    animated = folder / "making-of.svg"
    states = [*snapshots, drawing]
    times = [SECONDS * i / (len(states) - 1) for i in range(len(states))]
    write_making_of(states, times, animated, hold_s=HOLD_S)
    rate = max(1, round(len(states) / SECONDS))
    try:
        from clipdraw.formats.av import write_mp4

        film = folder / "making-of.mp4"
        write_mp4(_frames(states), film, fps=rate, hold_s=HOLD_S)
    except MissingExtraError:
        film = folder / "making-of.webp"
        write_webp(_frames(states), film, fps=rate, hold_s=HOLD_S)
    return animated, film


def _frames(states: Sequence[Drawing]) -> Iterator[np.ndarray]:
    """Each state as 8-bit pixels (height, width, 3)."""
    canvas = states[0].canvas
    scale = LONGEST_SIDE / max(canvas.width, canvas.height)
    height, width = (max(2, round(side * scale)) for side in (canvas.height, canvas.width))
    for state in states:
        image = rasterize(state.to(device="cpu"), height=height, width=width).detach()
        yield (image.permute(1, 2, 0) * 255 + 0.5).byte().numpy()
