"""Frames to an animated WebP or GIF file, which needs nothing beyond Pillow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from clipdraw.errors import InputError
from clipdraw.io.files import atomic_path

QUALITY = 75
"""51 frames of 256 moving strokes at 336 x 336: 1.4 MB with a mean error of 4.7/255; with 90, 2.3 MB and 3.5."""


def write_webp(
    frames: Iterable[UInt8[np.ndarray, "_ _ 3"]], path: str | Path, *, fps: float = 25.0, hold_s: float = 2.0
) -> None:
    """Write an endlessly repeating film, whole or not at all.

    Pillow holds all frames in memory until the file is written: 0.6 MB each at 448 x 448.

    Args:
        frames: red, green, blue, all of one size.
        path: where to.
        fps: frames a second, above 0 and at most 1000.
        hold_s: how long the last frame stays beyond its own time, in seconds.

    Raises:
        InputError: there are no frames, their sizes differ, or `fps` or `hold_s` is out of range.
    """
    check_timing(fps, hold_s)
    pictures = _pictures(frames)
    times = _times_ms(len(pictures), fps, hold_s, unit_ms=1)
    first, *rest = pictures
    with atomic_path(path) as temporary:
        first.save(
            temporary,
            format="WEBP",
            save_all=True,
            append_images=rest,
            duration=times,
            loop=0,
            quality=QUALITY,
            method=2,
        )


def write_gif(
    frames: Iterable[UInt8[np.ndarray, "_ _ 3"]], path: str | Path, *, fps: float = 25.0, hold_s: float = 2.0
) -> None:
    """Write an endlessly repeating film as GIF, each frame in 256 colors of its own, whole or not at all.

    Median cut is off by 0.7 to 1.8 of 255 on drawings, an octree by 1.8 to 2.7 in a tenth of the time or less.
    A GIF counts time in hundredths of a second; 2 is the least that viewers keep to, so above 50 frames a second
    some are left out. Pillow holds all frames in memory until the file is written.

    Args, Raises: as `write_webp`.
    """
    check_timing(fps, hold_s)
    pictures = _pictures(frames)
    kept = pictures[:: max(1, math.ceil(fps / 50))]
    if kept[-1] is not pictures[-1]:
        kept.append(pictures[-1])
    times = _times_ms(len(kept), fps * len(kept) / len(pictures), hold_s, unit_ms=10)
    first, *rest = (picture.quantize(256, dither=Image.Dither.NONE) for picture in kept)
    with atomic_path(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=rest, duration=times, loop=0, optimize=False)


def _pictures(frames: Iterable[UInt8[np.ndarray, "_ _ 3"]]) -> list[Image.Image]:
    pictures = [Image.fromarray(frame) for frame in same_size(frames)]
    if not pictures:
        raise InputError("a film needs at least one frame")
    return pictures


def _times_ms(count: int, fps: float, hold_s: float, *, unit_ms: int) -> list[int]:
    """How long each frame is shown, in whole units that add up."""
    ends = [round(1000 * index / fps / unit_ms) * unit_ms for index in range(count + 1)]
    times = [max(unit_ms, end - begin) for begin, end in pairwise(ends)]
    times[-1] += round(1000 * hold_s / unit_ms) * unit_ms
    return times


def check_timing(fps: float, hold_s: float) -> None:
    """Check what all films ask for.

    Raises:
        InputError: `fps` is not above 0 and at most 1000, or `hold_s` not within [0, 600].
    """
    if not 0 < fps <= 1000:
        raise InputError(f"a film of {fps} frames a second cannot be written; use a number above 0, at most 1000")
    if not 0 <= hold_s <= 600:
        raise InputError(f"a film cannot hold its last frame for {hold_s} seconds; use 0 to 600")


def same_size(frames: Iterable[UInt8[np.ndarray, "_ _ 3"]]) -> Iterable[UInt8[np.ndarray, "_ _ 3"]]:
    """The frames, one after another, while they fit the first one.

    Raises:
        InputError: a frame is not of the first one's size.
    """
    shape = None
    for index, frame in enumerate(frames):
        shape = shape or frame.shape
        if frame.shape != shape or min(shape) < 1:
            raise InputError(f"frame {index} of the film is {frame.shape}, the first one {shape}; sizes must agree")
        yield np.ascontiguousarray(frame)
