"""Frames to an mp4 file through PyAV, which is an optional part: its codecs are GPL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from clipdraw.errors import InputError, MissingExtraError
from clipdraw.io.files import atomic_path
from clipdraw.io.film import check_timing, same_size

CRF = "18"
"""x264's quality. 75 frames of 256 moving strokes at 336 x 336: 1.1 MB with a mean error of 3.5/255, which is
mostly yuv420p's; with 23, 0.65 MB and 4.2."""
MATRIX = "colormatrix=smpte170m"
"""How PyAV turns RGB into YUV; unless the file says so, players guess another matrix for large films."""


def write_mp4(
    frames: Iterable[UInt8[np.ndarray, "_ _ 3"]], path: str | Path, *, fps: float = 25.0, hold_s: float = 2.0
) -> None:
    """Write a film as H.264 in mp4 (yuv420p, which every player and browser shows), whole or not at all.

    Odd sizes grow by one pixel, by repeating the last row or column. One frame at a time is in memory.

    Args:
        frames: red, green, blue, all of one size.
        path: where to.
        fps: frames a second, above 0 and at most 1000.
        hold_s: how long the last frame stays beyond its own time, in seconds.

    Raises:
        MissingExtraError: PyAV is not installed.
        InputError: there are no frames, their sizes differ, or `fps` or `hold_s` is out of range.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("mp4 films", extra="video") from error
    check_timing(fps, hold_s)
    rest = iter(_held(same_size(frames), round(hold_s * fps)))
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
            "libx264", rate=rate, options={"crf": CRF, "preset": "medium", "x264-params": MATRIX}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = 1 / rate
        for index, picture in enumerate(chain([first], rest)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _held(frames: Iterable[UInt8[np.ndarray, "_ _ 3"]], repeats: int) -> Iterator[UInt8[np.ndarray, "_ _ 3"]]:
    """The frames in even sizes, the last one `repeats` times more."""
    frame = None
    for frame in frames:
        frame = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
        yield frame
    if frame is not None:
        yield from (frame for _ in range(repeats))
