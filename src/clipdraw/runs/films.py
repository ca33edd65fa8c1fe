"""Films of a run: how the drawing came about, and how it is drawn, stroke by stroke."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8

from clipdraw.config import Config
from clipdraw.config.groups import FilmSettings
from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError, InputError, MissingExtraError
from clipdraw.figures import Cell, Sheet, write_sheet
from clipdraw.io import write_text
from clipdraw.io.animated_svg import making_of_svg, partial_stroke, self_drawing_svg, stroke_ends
from clipdraw.io.images import to_bytes, write_png
from clipdraw.io.svg import from_svg, to_svg
from clipdraw.io.video import write_gif, write_mp4, write_numbered, write_webp
from clipdraw.optimization.arrangement import Arrangement, tiles, visible
from clipdraw.optimization.loop import check_tensor
from clipdraw.progress import log, track
from clipdraw.raster import picture_of, rasterize
from clipdraw.runs.folder import CHECKPOINT, config_of, read_checkpoint, read_record

NAMES = {"optimization": "making-of", "strokes": "strokes"}
"""The kinds of films, and what their files in a run folder are called."""
FRAMES = "frames"
"""The folder in that of a run for pictures of single steps."""

States = Mapping[int, Drawing]
"""Number of steps to the drawing after them, ascending."""

_STAGES = 8  # of a strip


@dataclass(frozen=True)
class Film:
    """The settings of a film.

    Args:
        kind: `optimization`: the strokes move as they did in the run; `strokes`: the finished drawing appears
            stroke by stroke, in the order of painting.
        length_s: seconds until the drawing is complete.
        hold_s: seconds that it then stays.
        size: pixels along the longer side.
        fps: frames a second. What lies between two kept states is interpolated.

    Raises:
        ConfigError: a value is out of range.
    """

    kind: str = "optimization"
    length_s: float = 8.0
    hold_s: float = 2.0
    size: int = 448
    fps: int = 25

    def __post_init__(self) -> None:
        FilmSettings((self.kind,), (), self.length_s, self.hold_s, self.size, self.fps)  # which checks them


def film(
    source: str | Path,
    *,
    kind: str = "optimization",
    out: str | Path | None = None,
    length: float = 8.0,
    hold: float = 2.0,
    size: int = 448,
    fps: int = 25,
) -> Path:
    """Write a film of a run that is finished or interrupted.

    Args:
        source: the folder of the run; for `strokes` an SVG file of strokes will do.
        kind: `optimization` or `strokes`.
        out: the file, `.mp4`, `.webp`, `.gif` or `.svg`; `.png`, a strip of eight moments; or without an ending, a
            new folder for each frame as a numbered PNG. If not given, `making-of` or `strokes` in the folder, as mp4
            with the extra `video`, else as WebP.
        length: seconds until the drawing is complete.
        hold: seconds that it then stays.
        size: pixels along the longer side; of no meaning for SVG.
        fps: frames a second; of no meaning for SVG.

    Returns:
        The file or folder.

    Raises:
        ConfigError: a value is out of range.
        InputError: the file's ending names no format of films.
        FormatError: the source is no run, or one that keeps no states.
        MissingExtraError: mp4 without the extra `video`.
    """
    source = Path(source)
    settings = Film(kind, length, hold, size, fps)
    target = Path(out) if out is not None else _beside(source, kind)
    _writer(target)
    states = _states(source, kind)
    write_film(states, target, settings)
    return target


def write_films(states: States, folder: Path, films: Sequence[Film], formats: Sequence[str]) -> tuple[Path, ...]:
    """Write films into the folder of a run, each in every format.

    Args:
        states: the drawing as the run went on; the last one is the finished drawing.
        folder: of the run.
        films: what they are like.
        formats: of `settings.FILM_FORMATS`.

    Returns:
        The files.
    """
    files = []
    for settings in films:
        for ending in formats:
            files.append(folder / f"{NAMES[settings.kind]}.{_video() if ending == 'video' else ending}")
            write_film(states, files[-1], settings)
    return tuple(files)


def write_film(states: States, path: Path, settings: Film) -> None:
    """Write one film in the format that the file's ending names."""
    near = {index: state.to(device="cpu") for index, state in states.items()}
    plain = {index: replace(state, styles=()) if state.only_strokes else state for index, state in near.items()}
    _writer(path)(plain, path, settings)


def films_of(config: Config) -> list[Film]:
    """The films that a run is to make of itself; it is certain then that they can be made.

    Raises:
        MissingExtraError: mp4 without the extra `video`.
    """
    asked = config.film
    if "mp4" in asked.formats and not find_spec("av"):
        raise MissingExtraError("mp4 films", extra="video")
    return [Film(kind, asked.length, asked.hold, asked.size, asked.fps) for kind in asked.kinds]


def _video() -> str:
    return "mp4" if find_spec("av") else "webp"


def _beside(source: Path, kind: str) -> Path:
    name = f"{NAMES[kind]}.{_video()}"
    return source / name if source.is_dir() else source.with_name(f"{source.stem}-{name}")


def _states(source: Path, kind: str) -> States:
    """The states that a run has kept, the drawing last; of a file, the drawing alone."""
    if not source.is_dir():
        if kind != "strokes":
            raise FormatError(f"{source}: the film of an optimization needs the folder of a run")
        drawing = Drawing.load(source)
    else:
        read_record(source)
        drawing = Drawing.load(source / "drawing.svg")
    if kind == "strokes":
        return {0: drawing}
    checkpoint = read_checkpoint(source)
    try:
        states = kept_states(checkpoint, drawing)
    except FormatError as error:
        raise FormatError(f"{source / CHECKPOINT}: {error}; a film of the strokes does not need it") from None
    if not states:
        raise FormatError(f"{source / CHECKPOINT}: holds no states of the drawing")
    arrangement = config_of(read_record(source), source).recipe().arrangement
    return {**states, max(states): drawing} if arrangement is None else shown_states(states, arrangement)


def kept_states(checkpoint: Mapping[str, torch.Tensor], like: Drawing) -> dict[int, Drawing]:
    """The states in a checkpoint, as drawings otherwise like the given one, or like the one that it holds.

    Raises:
        FormatError: they do not fit it.
    """
    if "snapshots.index" not in checkpoint:
        return {}
    if _LIKE in checkpoint:
        like = from_svg(bytes(checkpoint[_LIKE].cpu().to(torch.uint8).flatten().tolist()).decode(errors="replace"))
    indices = checkpoint["snapshots.index"].flatten()
    check_tensor(checkpoint, "snapshots.index", torch.zeros_like(indices, dtype=torch.int64))
    if not len(indices) or bool((indices.diff() <= 0).any()):
        raise FormatError("its snapshots.index does not ascend")
    names = [name for name in _moving(like) if name in _MOVING or f"snapshots.{name}" in checkpoint]
    for name in names:
        tensor = getattr(like, name)
        check_tensor(checkpoint, f"snapshots.{name}", tensor.expand(len(indices), *tensor.shape))
    stacked = [checkpoint[f"snapshots.{name}"] for name in names]
    return {
        index: replace(like, **dict(zip(names, tensors, strict=True)))
        for index, *tensors in zip(indices.tolist(), *stacked, strict=True)
    }


def stored_states(states: States, *, of: Arrangement | None) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint that hold states, of paths that are moved, as `kept_states` reads them.

    Args:
        states: as the run went on.
        of: what makes the drawing of these paths; with one, the drawing's file does not tell what they are like.
    """
    like = next(iter(states.values()))
    tensors = {"snapshots.index": torch.tensor(list(states))}
    for name in _moving(like):
        stacked = torch.stack([getattr(state, name) for state in states.values()]).cpu()
        if name != "background" or bool((stacked != stacked[0]).any()):
            tensors[f"snapshots.{name}"] = stacked
    if of is not None:
        tensors[_LIKE] = torch.frombuffer(bytearray(to_svg(like.to(device="cpu")).encode()), dtype=torch.uint8)
    return tensors


def shown_states(states: States, arrangement: Arrangement | None) -> dict[int, Drawing]:
    """The drawings that states of moved paths make, all of the same paths."""
    if arrangement is None:
        return dict(states)
    shown = [arrangement(state) for state in states.values()]
    return dict(zip(states, visible(shown) if tiles(arrangement) else shown, strict=True))


def _writer(path: Path) -> Callable[[States, Path, Film], None]:
    """The function that writes films with this ending.

    Raises:
        InputError: there is none.
    """
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise InputError(f"a film is stored as {', '.join(filter(None, _WRITERS))}, or in a folder, got {path.name}")
    return _WRITERS[ending]


def _write_svg(states: States, path: Path, settings: Film) -> None:
    log.info("writing %s", path.name)
    drawings = list(states.values())
    if settings.kind == "strokes":
        text = self_drawing_svg(drawings[-1], seconds=settings.length_s, hold_s=settings.hold_s)
    else:
        first, last = min(states), max(states)
        times = [settings.length_s * (index - first) / max(last - first, 1) for index in states]
        text = making_of_svg(drawings, times, hold_s=settings.hold_s)
    write_text(text, path)


def _write_mp4(states: States, path: Path, settings: Film) -> None:
    write_mp4(_frames(states, path, settings), path, fps=settings.fps, hold_s=settings.hold_s)


def _write_webp(states: States, path: Path, settings: Film) -> None:
    write_webp(_frames(states, path, settings), path, fps=settings.fps, hold_s=settings.hold_s)


def _write_gif(states: States, path: Path, settings: Film) -> None:
    write_gif(_frames(states, path, settings), path, fps=settings.fps, hold_s=settings.hold_s)


def _write_numbered(states: States, path: Path, settings: Film) -> None:
    write_numbered(_frames(states, path, settings), path)


def write_frame(drawing: Drawing, folder: Path, step: int, size: int) -> None:
    """Write the drawing after a step of a run as `frames/00010.png`, `size` pixels along its longer side."""
    height, width = drawing.canvas.pixel_size(size)
    (folder / FRAMES).mkdir(exist_ok=True)
    write_png(picture_of(drawing, height=height, width=width), folder / FRAMES / f"{step:05}.png")


def _write_strip(states: States, path: Path, settings: Film) -> None:
    """Eight moments side by side, captioned, as in Figure 2 of the paper."""
    moments = np.linspace(0, 1, _STAGES)
    if settings.kind == "strokes":
        whole = list(states.values())[-1]
        counts = [int(np.searchsorted(stroke_ends(whole)[1:], moment, side="right")) for moment in moments]
        counts[-1] = len(whole)
        drawings = [whole.subset(range(count)) for count in counts]
        captions = [f"{count} strokes" for count in counts]
    else:
        first, last = min(states), max(states)
        indices = [first + moment * (last - first) for moment in moments]
        drawings = [_between(states, index) for index in indices]
        captions = [f"step {round(index)}" for index in indices]
    cells = [Cell(drawing, [caption]) for drawing, caption in zip(drawings, captions, strict=True)]
    write_sheet(Sheet([cells], side=settings.size), path)


_WRITERS: dict[str, Callable[[States, Path, Film], None]] = {
    ".mp4": _write_mp4, ".webp": _write_webp, ".gif": _write_gif, ".svg": _write_svg, ".png": _write_strip,
    "": _write_numbered,
}  # fmt: skip


Frames = Iterator[UInt8[np.ndarray, "height width 3"]]


def _frames(states: States, path: Path, settings: Film) -> Frames:
    """Each frame as 8-bit pixels, the last one the finished drawing."""
    height, width = next(iter(states.values())).canvas.pixel_size(settings.size)
    size = max(2, height), max(2, width)
    count = max(2, round(settings.length_s * settings.fps))
    moments = [number / (count - 1) for number in range(count)]
    if settings.kind == "strokes":
        frames = _strokewise(list(states.values())[-1], moments, size)
    else:
        frames = _interpolated(states, moments, size)
    return track(frames, f"writing {path.name}", total=count)


def _interpolated(states: States, moments: Sequence[float], size: tuple[int, int]) -> Frames:
    """The drawing at moments from 0, the first state, to 1, the last one."""
    first, last = min(states), max(states)
    height, width = size
    for moment in moments:
        yield to_bytes(rasterize(_between(states, first + moment * (last - first)), height=height, width=width))


def _between(states: States, step: float) -> Drawing:
    """The drawing after a number of steps: between two states, linearly."""
    indices = list(states)
    after = min(int(np.searchsorted(indices, step)), len(indices) - 1)
    before = max(after - 1, 0)
    span = max(indices[after] - indices[before], 1)
    weight = min(max((step - indices[before]) / span, 0.0), 1.0)
    one, other = states[indices[before]], states[indices[after]]
    names = _moving(other)
    mixed: dict[str, Any] = {name: torch.lerp(getattr(one, name), getattr(other, name), weight) for name in names}
    return replace(other, **mixed)


_MOVING = ("points", "widths", "colors")
_LIKE = "snapshots.like"  # in a checkpoint: the SVG of one of the states


def _moving(drawing: Drawing) -> tuple[str, ...]:
    """The tensors of a drawing that differ from state to state."""
    return (*_MOVING, *(name for name in ("fills", "background") if getattr(drawing, name) is not None))


def _strokewise(drawing: Drawing, moments: Sequence[float], size: tuple[int, int]) -> Frames:
    """The drawing as it is painted, at moments from 0 to 1.

    The finished strokes stay as an image; only those that come are rasterized over it.
    """
    height, width = size
    ends = stroke_ends(drawing)
    image, done = rasterize(drawing.subset([]), height=height, width=width), 0
    for moment in moments:
        finished = len(drawing) if moment >= 1 else int(np.searchsorted(ends[1:], moment, side="right"))
        if finished > done:
            coming = drawing.subset(range(done, finished))
            image, done = rasterize(coming, height=height, width=width, background=image), finished
        span = ends[done + 1] - ends[done] if done < len(drawing) else 0.0
        if span > 0 and moment > ends[done] and drawing.only_strokes:
            stroke = partial_stroke(drawing, done, float((moment - ends[done]) / span))
            yield to_bytes(rasterize(stroke, height=height, width=width, background=image))
        else:
            yield to_bytes(image)
