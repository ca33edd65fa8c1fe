"""Films that are SVG files: the optimization, and a drawing that appears stroke by stroke.

Both are SMIL animations over a file that is the finished drawing: a viewer without animation shows the finished
drawing, `Drawing.load` reads it, and when the film ends, the exact attributes of the file are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float64, Int64

from clipdraw.bezier import first_part
from clipdraw.drawing import Canvas, Drawing, Style, control_points
from clipdraw.errors import InputError
from clipdraw.io.svg import document

MAX_RATE = 20.0
"""Key frames a second; browsers move the strokes smoothly between them."""

_GRID_STEPS = 2240
"""Key frames place points on a grid of this many steps along the canvas's shorter side: 0.1 of 224 units."""

_LEAST_OPACITY = 0.02
"""Strokes of less opacity take no time when a drawing appears stroke by stroke."""


def stroke_ends(drawing: Drawing) -> Float64[np.ndarray, " ends"]:
    """Start and end of each stroke as fractions of a film's time: stroke i is drawn between entries i and i + 1.

    A visible stroke takes time in proportion to the length of its control polygon plus a quarter of the mean length,
    so that short strokes are seen to be drawn.
    """
    lengths = [float((part[1:] - part[:-1]).norm(dim=-1).sum()) for part in drawing.stroke_points()]
    slack = max(sum(lengths) / max(len(lengths), 1), 1e-9) / 4
    seen_stroke = (drawing.colors[:, 3] >= _LEAST_OPACITY) & (drawing.widths > 0)
    seen_fill = seen_stroke if drawing.fills is None else drawing.fills[:, 3] >= _LEAST_OPACITY
    parts = zip(drawing.styles or [Style()] * len(drawing), seen_stroke.tolist(), seen_fill.tolist(), strict=True)
    visible = [(style.stroked and stroke) or (style.fill is not None and fill) for style, stroke, fill in parts]
    spans = [(length + slack) * (seen or not any(visible)) for length, seen in zip(lengths, visible, strict=True)]
    ends = np.cumsum([0.0, *spans])
    return ends / max(ends[-1], 1e-9)


def partial_stroke(drawing: Drawing, index: int, fraction: float) -> Drawing:
    """A drawing of one stroke, cut at a fraction of its length, in (0, 1]."""
    stroke = drawing.subset([index])
    points = first_part(stroke.points, fraction)
    return replace(stroke, points=points, segments=(len(points) // 3,))


def making_of_svg(
    snapshots: Sequence[Drawing],
    times_s: Sequence[float],
    *,
    hold_s: float | None = None,
    max_bytes: int = 1_500_000,
) -> str:
    """The film of an optimization: its strokes move, bend and change color from snapshot to snapshot.

    The snapshots are resampled to key frames at even distances, as many as fit into `max_bytes`; motion
    between snapshots is linear. At its end the film shows the last snapshot exactly and stays there.

    Args:
        snapshots: drawings of the same strokes, at least one.
        times_s: when each is shown, in seconds from the start, ascending.
        hold_s: how long the last snapshot stays before the film starts again; None: it plays once.
        max_bytes: the largest size of the text. A film that cannot be made so small is left out,
            and only the last drawing remains.

    Raises:
        InputError: the snapshots differ in their strokes or canvas, hold other paths, or the times do not fit.
    """
    snapshots = [_plain(snapshot) for snapshot in snapshots]
    _check(snapshots, times_s, hold_s)
    final, seconds = snapshots[-1], float(times_s[-1] - times_s[0])
    still = document(final)
    if len(snapshots) == 1 or seconds <= 0:
        return still
    most = max(2, min(round(seconds * MAX_RATE), round(seconds / _least_gap(times_s))) + 1)
    attributes = _timing(seconds, hold_s)
    count = most
    while count > 1:
        text = document(final, inside=_morphs(final, _key_frames(snapshots, times_s, count), attributes))
        size = len(text.encode())
        if size <= max_bytes:
            return text
        fraction = (max_bytes - len(still.encode())) / (size - len(still.encode()))
        count = min(count - 1, max(2, int(count * fraction)))
    return still


def self_drawing_svg(drawing: Drawing, *, seconds: float = 8.0, hold_s: float | None = None) -> str:
    """The film of a drawing that appears path by path, in painting order: strokes along their length, others whole.

    Args:
        drawing: what to draw.
        seconds: until it is complete, above 0.
        hold_s: how long it then stays before the film starts again; None: it plays once.

    Raises:
        InputError: `seconds` or `hold_s` is out of range, or the drawing cannot be stored or holds other paths.
    """
    drawing = _plain(drawing)
    if not 0 < seconds < math.inf:
        raise InputError(f"a film of {seconds} seconds cannot be made; use a positive number")
    _check_hold(hold_s)
    plain = not drawing.styles
    times_ms = [round(time) for time in (stroke_ends(drawing) * seconds * 1000).tolist()]
    begins = _decimals_text(times_ms, 3)
    spans = _decimals_text([max(1, end - begin) for begin, end in pairwise(times_ms)], 3)
    clock, start = "", ""
    if hold_s is not None:  # all strokes follow the clock that the first one carries
        begin = f'begin="0s;film.end+{hold_s:.3f}s"'
        clock = f'<set id="film" attributeName="visibility" to="visible" {begin} dur="{seconds:.3f}s"/>'
        start = "film.begin+"

    def inside(index: int) -> str:
        begin, spent = f"{start}{begins[index]}s", spans[index]
        hidden = ""
        if times_ms[index]:
            hidden = f'<set attributeName="visibility" to="hidden" begin="{start}0s" dur="{begins[index]}s"/>'
        if not plain:
            later = (
                f'<set attributeName="visibility" to="hidden" begin="{start}0s" dur="{times_ms[index + 1] / 1000}s"/>'
            )
            return f"{clock if index == 0 else ''}{later}"
        return (
            f"{clock if index == 0 else ''}{hidden}"
            f'<set attributeName="stroke-dasharray" to="1 2" begin="{begin}" dur="{spent}s"/>'
            f'<animate attributeName="stroke-dashoffset" values="1;0" begin="{begin}" dur="{spent}s"/>'
        )

    return document(drawing, inside=inside, attributes=' pathLength="1"' if plain else "")


@dataclass(frozen=True)
class _KeyFrames:
    """Resampled snapshots in whole steps of the written decimals: points `10**-decimals`, widths and opacity 0.01."""

    points: Int64[np.ndarray, "frames points 2"]
    widths: Int64[np.ndarray, "frames strokes"]
    colors: Int64[np.ndarray, "frames strokes 4"]
    fills: Int64[np.ndarray, "frames strokes 4"]
    decimals: int


def _plain(drawing: Drawing) -> Drawing:
    """The drawing, without styles if all paths are open round strokes, of which they say nothing more."""
    if not drawing.only_strokes:
        return drawing
    return replace(drawing, styles=(), fills=None, gradients=(), transforms=None)


def _check(snapshots: Sequence[Drawing], times_s: Sequence[float], hold_s: float | None) -> None:
    if not snapshots or len(snapshots) != len(times_s):
        raise InputError(f"a film needs as many snapshots as times, got {len(snapshots)} and {len(times_s)}")
    alike = {(s.segments, s.styles, s.canvas, s.fills is None) for s in snapshots}
    if len(alike) > 1:
        raise InputError("the snapshots of a film must have the same canvas and the same segments in each stroke")
    steps = [later - earlier for earlier, later in pairwise(times_s)]
    if not all(math.isfinite(time) for time in times_s) or any(step <= 0 for step in steps):
        raise InputError("the times of a film must be finite and ascend")
    _check_hold(hold_s)
    for snapshot in snapshots:
        if not all(part.isfinite().all() for part in snapshot.parameters()):
            raise InputError("a snapshot holds numbers that are not finite")


def _check_hold(hold_s: float | None) -> None:
    if hold_s is not None and not 0 <= hold_s <= 600:
        raise InputError(f"a film cannot hold its last drawing for {hold_s} seconds; use 0 to 600, or None for ever")


def _least_gap(times_s: Sequence[float]) -> float:
    return min(later - earlier for earlier, later in pairwise(times_s))


def _timing(seconds: float, hold_s: float | None) -> Callable[[int], str]:
    """The timing attributes of a stroke's animations; all strokes follow the first one's clock."""
    duration = f' dur="{seconds:.3f}s"'
    if hold_s is None:
        return lambda index: duration
    begin = f' begin="0s;film.end+{hold_s:.3f}s"'
    return lambda index: (' id="film"' if index == 0 else "") + begin + duration


def _key_frames(snapshots: Sequence[Drawing], times_s: Sequence[float], count: int) -> _KeyFrames:
    """`count` frames at even distances, between snapshots linearly interpolated."""
    at = np.interp(np.linspace(times_s[0], times_s[-1], count), times_s, np.arange(len(snapshots)))
    lower = np.minimum(at.astype(int), max(len(snapshots) - 2, 0))
    decimals = _decimals(snapshots[0].canvas)
    moving = [
        (
            snapshot.points,
            snapshot.widths,
            snapshot.colors,
            snapshot.colors if snapshot.fills is None else snapshot.fills,
        )
        for snapshot in snapshots
    ]
    arrays = [[part.detach().double().cpu().numpy() for part in parts] for parts in moving]
    points, widths, colors, fills = (
        np.stack([(1 - t) * arrays[i][part] + t * arrays[i + 1][part] for i, t in zip(lower, at - lower, strict=True)])
        for part in range(4)
    )
    levels = [255, 255, 255, 100]
    scaled = (
        points * 10**decimals,
        widths.clip(0) * 10 ** (decimals + 1),
        colors.clip(0, 1) * levels,
        fills.clip(0, 1) * levels,
    )
    points, widths, colors, fills = (np.rint(part).astype(np.int64) for part in scaled)
    return _KeyFrames(points, widths, colors, fills, decimals)


def _decimals(canvas: Canvas) -> int:
    return max(0, math.ceil(-math.log10(min(canvas.width, canvas.height) / _GRID_STEPS)))


def _morphs(drawing: Drawing, frames: _KeyFrames, timing: Callable[[int], str]) -> Callable[[int], str]:
    """The function from a stroke's index to its `<animate>` elements; attributes that never change get none."""
    styles, counts = drawing.styles or (Style(),) * len(drawing), iter(drawing.segments)
    closed = [style.closed for style in styles]
    sizes = [[control_points(next(counts), closed=flag) for flag in flags] for flags in closed]
    starts = np.cumsum([0, *map(sum, sizes)])

    def data(points: Int64[np.ndarray, "points 2"], index: int) -> str:
        parts = np.split(points, np.cumsum(sizes[index])[:-1])
        return "".join(_path(part, frames.decimals, flag) for part, flag in zip(parts, closed[index], strict=True))

    def inside(index: int) -> str:
        part, style = frames.points[:, starts[index] : starts[index + 1]], styles[index]
        tracks = {"d": [data(points, index) for points in part]}
        if style.stroked:
            widths = _decimals_text(frames.widths[:, index].tolist(), frames.decimals + 1)
            tracks |= _paint("stroke", frames.colors[:, index], style.stroke_gradient) | {"stroke-width": widths}
        if style.fill:
            tracks |= _paint("fill", frames.fills[:, index], style.fill_gradient)
        moving = {
            name: values for name, values in tracks.items() if len(set(values)) > 1 or (index == 0 and name == "d")
        }
        return "".join(
            f'<animate attributeName="{name}"{timing(index if name == "d" else -1)} values="{";".join(values)}"/>'
            for name, values in moving.items()
        )

    return inside


def _paint(name: str, colors: Int64[np.ndarray, "frames 4"], gradient: int | None) -> dict[str, list[str]]:
    """The color, unless a gradient stands for it, and the opacity in each frame."""
    codes = ["#" + bytes(color.tolist()).hex() for color in colors[:, :3].astype(np.uint8)]
    opacities = {f"{name}-opacity": _decimals_text(colors[:, 3].tolist(), 2)}
    return ({name: codes} if gradient is None else {}) | opacities


def _path(points: Int64[np.ndarray, "points 2"], decimals: int, closed: bool) -> str:
    """Path data relative to each segment's start, which needs fewer digits; rounding does not add up."""
    if closed:
        points = np.concatenate([points, points[:1]])
    corners = np.repeat(points[:-1:3], 3, axis=0)
    numbers = _decimals_text((points[1:] - corners).reshape(-1).tolist(), decimals)
    texts = [number if at == 0 or number[0] == "-" else f" {number}" for at, number in enumerate(numbers)]
    x, y = _decimals_text(points[0].tolist(), decimals)
    return f"M{x} {y}c{''.join(texts)}{'z' if closed else ''}"


def _decimals_text(steps: Iterable[int], decimals: int) -> list[str]:
    """Each number of `steps` times `10**-decimals`, in as few characters as possible."""
    texts = []
    for step in steps:
        digits = f"{abs(step):0{decimals + 1}d}"
        whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
        texts.append(("-" if step < 0 else "") + (f"{whole.lstrip('0')}.{fraction}" if fraction else whole))
    return texts
