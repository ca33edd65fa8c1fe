"""One configuration executed into a folder."""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

import clipdraw
from clipdraw import raster
from clipdraw.config import Config, resolve
from clipdraw.config.groups import JudgeSettings
from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder, Ensemble, load_encoder, unknown_words
from clipdraw.encoders.devices import choose_device, choose_precision
from clipdraw.errors import ClipdrawError, FormatError, InputError, shortened
from clipdraw.evaluate.explain import Vocabulary, Word
from clipdraw.evaluate.score import embed, score
from clipdraw.io import remove_leftovers
from clipdraw.io.images import write_png
from clipdraw.optimization.loop import Step, check_tensor
from clipdraw.optimization.losses import distinct, similarity
from clipdraw.progress import interruptible, log
from clipdraw.runs.films import FRAMES, films_of, kept_states, shown_states, stored_states, write_films, write_frame
from clipdraw.runs.folder import (
    CHECKPOINT,
    CONFIGURATION,
    Metrics,
    config_of,
    make_folder,
    read_checkpoint,
    read_record,
    write_checkpoint,
    write_record,
)

CHECKPOINT_EVERY_S = 2.0
"""Seconds between checkpoints: what a killed run has to do again."""
PNG_SCALE, PNG_LARGEST_SIDE = 4, 8192
"""The PNG has this many pixels a canvas unit, unless a side would become larger than the limit."""
FILM_FRAMES = 60
"""The film of a run is made of about this many snapshots, evenly spread over the steps, and of the start."""


@dataclass(frozen=True)
class Run:
    """A run, finished or interrupted.

    Args:
        folder: where its files are.
        drawing: the drawing.
        similarity: cosine between the drawing, seen whole and undistorted, and the prompt; of several, their mean by
            weight.
        similarities: cosine of each prompt by its text, negative ones too; the second of the same text has ` (2)`.
        seconds: time in the loop, of all sessions together.
        steps: updates made.
        seed: the seed.
        status: `finished`, or `interrupted` if it was asked to stop.
        words: the words nearest to the drawing, if the run was asked to explain itself.
    """

    folder: Path
    drawing: Drawing
    similarity: float
    similarities: Mapping[str, float]
    seconds: float
    steps: int
    seed: int
    status: str
    words: tuple[Word, ...] = ()

    @property
    def steps_per_second(self) -> float:
        """Updates a second in the loop."""
        return self.steps / max(self.seconds, 1e-9)


OnStep = Callable[[Step], None]
OnWords = Callable[[tuple[Word, ...]], None]


def draw(
    prompt: str,
    *,
    out: str | Path | None = None,
    config_file: str | Path | None = None,
    on_step: OnStep | None = None,
    on_words: OnWords | None = None,
    **options: Any,
) -> Run:
    """Draw what a text describes, into a new folder.

    Ctrl-C ends the run after the step that is under way; what is drawn by then is written.

    Args:
        prompt: what to draw, `TEXT` or `TEXT:WEIGHT`; more texts go into `also`.
        out: the folder; `drawings/<slug>-s<seed>` if not given.
        config_file: a TOML file of settings.
        on_step: called after each step.
        on_words: called before `on_step` with the words nearest to the drawing, if `explain=True`.
        options: settings of `clipdraw.Config`, such as `strokes=64` or `rates={"color": 0.05}`.

    Returns:
        The finished run.

    Raises:
        InputError, ConfigError: a setting is wrong; nothing has been written.
        WeightsError: the encoder cannot be loaded; nothing has been written.
        DivergedError: the optimization broke down; the folder holds what there is.
    """
    config = resolve(prompt, options, file=Path(config_file) if config_file else None)
    with threads_of(config):
        # The folder is made after everything is loaded: what fails or is interrupted before leaves none behind.
        session = _Session(config, on_step, on_words)
        return session.go(make_folder(config.title, config.seed, Path(out) if out is not None else None))


def resume(folder: str | Path, *, on_step: OnStep | None = None, on_words: OnWords | None = None) -> Run:
    """Go on with a run that was interrupted or killed, to the drawing it would have become.

    Args:
        folder: of the run.
        on_step: called after each step.
        on_words: called before `on_step` with the words nearest to the drawing, if the run was started with `explain`.

    Raises:
        FormatError: the folder is not that of a run, a file in it is damaged, or its settings were changed.
        InputError: the run is finished.
    """
    folder = Path(folder)
    record = read_record(folder)
    config = config_of(record, folder)
    if record.get("status") == "finished":
        raise InputError(f"{folder}: the run is finished; there is nothing to resume")
    _note_other_precision(record, config)
    with threads_of(config):
        session = _Session(config, on_step, on_words)
        session.restore(folder)
        return session.go(folder)


def _note_other_precision(record: Mapping[str, Any], config: Config) -> None:
    """Warn if the encoder took another number format before, on another machine, than it takes here."""
    about, now = record.get("encoder"), precision_of(config)
    then = about.get("precision", now) if isinstance(about, dict) else now
    if then != now:
        warnings.warn(
            f"the run computed in {then} and goes on in {now}, which changes the drawing a little; judge.precision in "
            f"{CONFIGURATION} decides it",
            stacklevel=3,
        )


@contextmanager
def threads_of(config: Config) -> Iterator[None]:
    """The CPU threads that a configuration asks for, while in the block; those of before after it."""
    if not config.threads:
        yield
        return
    former = torch.get_num_threads(), raster.set_threads(config.threads)
    torch.set_num_threads(config.threads)
    try:
        yield
    finally:
        torch.set_num_threads(former[0])
        raster.set_threads(former[1])


def prepare(config: Config) -> Encoder:
    """Load the encoder, and warn of what it does not read.

    Raises:
        InputError: the device is not there, or the encoder knows no word of a text.
        WeightsError: the encoder cannot be loaded.
    """
    encoder = encoder_of(config)
    note_unread((prompt.text for prompt in config.prompts()), encoder)
    return encoder


def encoder_of(config: Config) -> Encoder:
    """The encoder on its device; the last one is kept, so that runs after one another load it once.

    Raises:
        InputError: the device is not there.
        WeightsError: the encoder cannot be loaded.
    """
    return _load(config.judge, choose_device(config.device))


@lru_cache(maxsize=1)
def _load(judge: JudgeSettings, device: str) -> Encoder:
    names, weights = zip(*judge.weights().items(), strict=True)
    encoders = [
        load_encoder(name, device=device, precision=judge.precision, normalize=judge.normalize) for name in names
    ]
    return encoders[0] if len(encoders) == 1 else Ensemble(encoders, list(weights))


def precision_of(config: Config) -> str:
    """The number format that encoders compute in here, which `auto` leaves open."""
    device = torch.device(choose_device(config.device))
    return str(choose_precision(config.judge.precision, device)).removeprefix("torch.")


def note_unread(texts: Iterable[str], encoder: Encoder) -> tuple[str, ...]:
    """Warn of texts whose end the encoder does not read, and of words that it does not know, which are returned.

    Raises:
        UnreadableError: it knows no word of a text.
    """
    texts = tuple(texts)
    for text in texts:
        if rest := encoder.truncated_tail(text):
            warnings.warn(f"the encoder does not read the end of the text: {shortened(rest)!r}", stacklevel=3)
    unknown = tuple(dict.fromkeys(word for text in texts for word in unknown_words(encoder, text)))
    if unknown:
        warnings.warn(f"the encoder does not know: {shortened(', '.join(unknown))}", stacklevel=3)
    return unknown


class _Session:
    """The work on a drawing from a start or a checkpoint to its end or an interruption.

    Args:
        config: what is drawn.
        on_step: called after each step.
        on_words: called before `on_step` with the words nearest to the drawing, if the configuration has `explain`.

    Raises:
        InputError, WeightsError, MissingExtraError: the run is not possible; nothing has been written.
    """

    folder: Path

    def __init__(self, config: Config, on_step: OnStep | None, on_words: OnWords | None) -> None:
        self.config, self.on_step, self.on_words = config, on_step, on_words
        self.films = films_of(config)
        self.encoder = prepare(config)
        self.optimization = config.build(self.encoder).begin()
        self.scene = config.scene_record(self.encoder)
        self.vocabulary = Vocabulary(self.encoder) if config.explain else None
        self.snapshots: dict[int, Drawing] = {0: self.optimization.moved.detached()}
        self.seconds = 0.0
        self.last_step: Step | None = None

    def restore(self, folder: Path) -> None:
        """Go back to where the checkpoint in a folder was written, if there is one.

        Raises:
            FormatError: it is damaged or another run's.
        """
        try:
            if checkpoint := read_checkpoint(folder, self.config):
                self._restore(checkpoint, folder / CHECKPOINT)
        except FormatError as error:
            raise FormatError(f"{error}; without {CHECKPOINT} resume begins again at the first step") from None

    def _restore(self, checkpoint: Mapping[str, torch.Tensor], path: Path) -> None:
        try:
            check_tensor(checkpoint, "seconds", torch.tensor(0.0, dtype=torch.float64))
            self.snapshots |= kept_states(checkpoint, self.optimization.moved.detached())
            self.optimization.restore(checkpoint)
        except FormatError as error:
            raise FormatError(f"{path}: does not fit {CONFIGURATION}: {error}") from None
        self.seconds = checkpoint["seconds"].item()

    def go(self, folder: Path) -> Run:
        """Take the steps that are left and write everything into the folder."""
        self.folder = folder
        for place in (folder, folder / FRAMES):
            remove_leftovers(place)
        self._record("running")
        metrics = Metrics(self.folder, keep=self.optimization.index)
        try:
            interrupted = self._loop(metrics)
        except ClipdrawError:
            self._finish("failed")
            raise
        finally:
            metrics.close()
        return self._finish("interrupted" if interrupted else "finished")

    def _loop(self, metrics: Metrics) -> bool:
        """Take steps; True if the user stopped them."""
        steps = self.config.steps
        log.info("drawing %s: %d steps", self.config.title, steps - self.optimization.index)
        every = max(1, steps // FILM_FRAMES)
        saved = began = time.perf_counter()
        before = self.seconds
        self._write_frame()
        with interruptible() as interrupt:
            while self.optimization.index < steps and not interrupt.requested:
                self.last_step = step = self.optimization.step()
                words = self.vocabulary.nearest(step.embeddings) if self.vocabulary else ()
                now = time.perf_counter()
                self.seconds = before + now - began
                metrics.add(_metrics(step, words, self.seconds))
                if step.index % every == 0 or step.index == steps:
                    self.snapshots[step.index] = self.optimization.moved.detached()
                self._write_frame()
                if now - saved > CHECKPOINT_EVERY_S:
                    self._save_checkpoint()
                    saved = time.perf_counter()
                self._tell(step, words)
        return self.optimization.index < steps

    def _write_frame(self) -> None:
        """Write the drawing as a numbered picture, if one is asked for after this step; always after the last one."""
        film, index = self.config.film, self.optimization.index
        if film.frames and (index % film.frames == 0 or index == self.config.steps):
            write_frame(self.optimization.drawing.detached().to(device="cpu"), self.folder, index, film.size)

    def _tell(self, step: Step, words: tuple[Word, ...]) -> None:
        if self.on_words and words:
            self.on_words(words)
        if self.on_step:
            self.on_step(step)

    def _finish(self, status: str) -> Run:
        """Write everything; the run has failed if its drawing cannot be written."""
        try:
            return self._write(status)
        except ClipdrawError:
            self._record("failed")
            raise

    def _write(self, status: str) -> Run:
        """Write the drawing as SVG and PNG, the films unless the run failed, and the record."""
        self._save_checkpoint()
        about, prompts = self.config.metadata(), self.config.prompts()
        drawing = replace(self.optimization.drawing.detached().to(device="cpu"), metadata=about)
        texts = [prompt.text for prompt in prompts]
        cosines = score(drawing, texts, self.encoder)
        words = self.vocabulary.nearest(embed(drawing, self.encoder)[None]) if self.vocabulary else ()
        mean, each = similarity(prompts, cosines), dict(zip(distinct(texts), cosines, strict=True))
        drawing.save(self.folder / "drawing.svg")
        log.info("writing drawing.png")
        longest = min(PNG_SCALE * max(self.config.canvas), PNG_LARGEST_SIDE)
        height, width = drawing.canvas.pixel_size(longest)
        write_png(raster.picture_of(drawing, height=height, width=width), self.folder / "drawing.png", metadata=about)
        if status != "failed":
            last = {self.optimization.index: replace(self.optimization.moved.detached(), metadata=about)}
            states = shown_states(self.snapshots | last, self.optimization.recipe.arrangement)
            write_films(states, self.folder, self.films, self.config.film.formats)
        self._record(status, similarity=mean, similarities=each, **({"words": words} if words else {}))
        steps, seed = self.optimization.index, self.config.seed
        return Run(self.folder, drawing, mean, each, self.seconds, steps, seed, status, words)

    def _record(self, status: str, **results: Any) -> None:
        unknown = [word for prompt in self.config.prompts() for word in unknown_words(self.encoder, prompt.text)]
        record = {
            "status": status,
            "config": self.config.to_dict(),
            "versions": versions(),
            "encoder": {
                "name": self.encoder.name,
                "view_size": self.encoder.view_size,
                "precision": precision_of(self.config),
                "unknown_words": list(dict.fromkeys(unknown)),
            },
            **({"scene": self.scene} if self.scene else {}),
            "seed": self.config.seed,
            "steps": self.optimization.index,
            "seconds": self.seconds,
            "steps_per_second": self.optimization.index / max(self.seconds, 1e-9),
            "losses": dict(self.last_step.losses) if self.last_step else {},
            "dropped_steps": self.optimization.dropped,
            **results,
        }
        write_record(self.folder, record)

    def _save_checkpoint(self) -> None:
        tensors = self.optimization.state()
        tensors["seconds"] = torch.tensor(self.seconds, dtype=torch.float64)
        tensors |= stored_states(self.snapshots, of=self.optimization.recipe.arrangement)
        write_checkpoint(self.folder, tensors, self.config)


def _metrics(step: Step, words: tuple[Word, ...], seconds: float) -> dict[str, Any]:
    line: dict[str, Any] = {"step": step.index, "similarity": step.similarity, "losses": dict(step.losses)}
    return line | {"seconds": round(seconds, 4), "dropped": step.dropped} | ({"words": words} if words else {})


def versions() -> dict[str, str]:
    """The versions that a drawing depends on."""
    found = {"clipdraw": clipdraw.__version__, "python": platform.python_version(), "torch": torch.__version__}
    return found | {"machine": platform.machine(), "system": platform.system()}
