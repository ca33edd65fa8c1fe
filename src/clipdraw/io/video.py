"""Frames to a film: mp4 through PyAV, animated WebP and GIF through Pillow; or to numbered pictures.

PyAV is an optional part, for its codecs are GPL.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from clipdraw.errors import InputError, MissingExtraError
from clipdraw.io import atomic_path

Frames = Iterable[UInt8[np.ndarray, "_ _ 3"]]
"""Pictures in red, green and blue, all of one size."""

WEBP_QUALITY = 75
"""51 frames of 256 moving strokes at 336 x 336: 1.4 MB with a mean error of 4.7/255; with 90, 2.3 MB and 3.5."""

H264_CRF = "18"
"""x264's quality. 75 frames of 256 moving strokes at 336 x 336: 1.1 MB with a mean error of 3.5/255, which is
mostly yuv420p's; with 23, 0.65 MB and 4.2."""
COLOR_MATRIX = "colormatrix=smpte170m"
"""The matrix by which PyAV turns RGB into YUV, for the file to name; players guess another one for large films."""


def write_mp4(frames: Frames, path: str | Path, *, fps: float = 25.0, hold_s: float = 2.0) -> None:
    """Write a film as H.264 in mp4 (yuv420p, which every player and browser shows), whole or not at all.

    Odd sizes grow by one pixel, by repeating the last row or column. One frame at a time is in memory.

    Args:
        frames: red, green, blue, all of one size.
        path: where to.
        fps: frames a second, above 0 and at most 1000.
        hold_s: how long the last frame stays beyond its own time, in seconds, at most 600.

    Raises:
        MissingExtraError: PyAV is not installed.
        InputError: there are no frames, their sizes differ, or `fps` or `hold_s` is out of range.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("mp4 films", extra="video") from error
    _check_timing(fps, hold_s)
    rest = iter(_with_hold(_same_size(frames), round(hold_s * fps)))
    first = next(rest, None)
    if first is None:
        raise InputError("a film needs at least one frame")
    height, width = first.shape[:2]
    rate = Fraction(fps).limit_denominator(1001)
    with (
        atomic_path(path) as temporary,
        av.open(str(temporary), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        stream = container.add_stream(
            "libx264", rate=rate, options={"crf": H264_CRF, "preset": "medium", "x264-params": COLOR_MATRIX}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = 1 / rate
        for index, picture in enumerate(chain([first], rest)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_webp(frames: Frames, path: str | Path, *, fps: float = 25.0, hold_s: float = 2.0) -> None:
    """Write an endlessly repeating film as WebP, whole or not at all.

    Pillow holds all frames in memory until the file is written: 0.6 MB each at 448 x 448.

    Args:
        frames: as for `write_mp4`.
        path: as for `write_mp4`.
        fps: as for `write_mp4`.
        hold_s: as for `write_mp4`.

    Raises:
        InputError: as `write_mp4`.
    """
    _check_timing(fps, hold_s)
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
            quality=WEBP_QUALITY,
            method=2,
        )


def write_gif(frames: Frames, path: str | Path, *, fps: float = 25.0, hold_s: float = 2.0) -> None:
    """Write an endlessly repeating film as GIF, each frame in 256 colors of its own, whole or not at all.

    Median cut is off by 0.7 to 1.8 of 255 on drawings, an octree by 1.8 to 2.7 in a tenth of the time or less.
    A GIF counts time in hundredths of a second; 2 is the least that viewers keep to, so above 50 frames a second
    some are left out. Pillow holds all frames in memory until the file is written.

    Args:
        frames: as for `write_mp4`.
        path: as for `write_mp4`.
        fps: as for `write_mp4`.
        hold_s: as for `write_mp4`.

    Raises:
        InputError: as `write_mp4`.
    """
    _check_timing(fps, hold_s)
    pictures = _pictures(frames)
    kept = pictures[:: max(1, math.ceil(fps / 50))]
    if kept[-1] is not pictures[-1]:
        kept.append(pictures[-1])
    times = _times_ms(len(kept), fps * len(kept) / len(pictures), hold_s, unit_ms=10)
    first, *rest = (picture.quantize(256, dither=Image.Dither.NONE) for picture in kept)
    with atomic_path(path) as temporary:
        first.save(temporary, format="GIF", save_all=True, append_images=rest, duration=times, loop=0, optimize=False)


def write_numbered(frames: Frames, folder: str | Path) -> None:
    """Write each frame as a PNG file, `00001.png` and so on, into a folder that is new or empty.

    Raises:
        InputError: the folder holds something already, cannot be made, or sizes differ.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot make the folder: {error.strerror or error}") from None
    if any(folder.iterdir()):
        raise InputError(f"{folder} is not empty: name another folder for the pictures")
    for number, frame in enumerate(_same_size(frames), 1):
        with atomic_path(folder / f"{number:05}.png") as temporary:
            Image.fromarray(frame).save(temporary)


def _pictures(frames: Frames) -> list[Image.Image]:
    """The frames, all of them, as Pillow has pictures.

    Raises:
        InputError: there are none, or their sizes differ.
    """
    pictures = [Image.fromarray(frame) for frame in _same_size(frames)]
    if not pictures:
        raise InputError("a film needs at least one frame")
    return pictures


def _times_ms(count: int, fps: float, hold_s: float, *, unit_ms: int) -> list[int]:
    """The time that each frame is shown, in whole units that add up to the whole time."""
    ends = [round(1000 * index / fps / unit_ms) * unit_ms for index in range(count + 1)]
    times = [max(unit_ms, end - begin) for begin, end in pairwise(ends)]
    times[-1] += round(1000 * hold_s / unit_ms) * unit_ms
    return times


def _check_timing(fps: float, hold_s: float) -> None:
    """Check the timing of a film.

    Raises:
        InputError: `fps` is not above 0 and at most 1000, or `hold_s` not within [0, 600].
    """
    if not 0 < fps <= 1000:
        raise InputError(f"a film of {fps} frames a second cannot be written; use a number above 0, at most 1000")
    if not 0 <= hold_s <= 600:
        raise InputError(f"a film cannot hold its last frame for {hold_s} seconds; use 0 to 600")


def _same_size(frames: Frames) -> Frames:
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


def _with_hold(frames: Frames, repeats: int) -> Iterator[UInt8[np.ndarray, "_ _ 3"]]:
    """The frames in even sizes, the last one `repeats` times more."""
    frame = None
    for frame in frames:
        frame = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
        yield frame
    if frame is not None:
        yield from (frame for _ in range(repeats))
