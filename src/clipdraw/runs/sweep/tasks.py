"""One run of a sweep: begun, gone on with, or found finished."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipdraw import runs as run
from clipdraw.errors import ClipdrawError, FormatError
from clipdraw.evaluate.explanation import Word
from clipdraw.optimization.loop import Step
from clipdraw.runs.folder import CONFIGURATION, read_record
from clipdraw.runs.sweep.plan import Cell

OnStep = Callable[[str, int], None]
"""Called with the name of a run and the number of its steps so far."""


@dataclass(frozen=True)
class Task:
    """A run to be made.

    Args:
        cell: what.
        folder: where.
        threads: CPU threads, whatever the configuration says; 0 leaves it to that.
    """

    cell: Cell
    folder: Path
    threads: int = 0


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Args:
        name: of the run.
        folder: of the run.
        status: `finished`, `interrupted`, `failed`, or `waiting` if it was not begun.
        similarity: cosine between the drawing and the prompt; None unless it is finished.
        seconds: time in the loop.
        message: why it failed.
        words: the words nearest to the drawing, if the run was asked to explain itself.
    """

    name: str
    folder: Path
    status: str
    similarity: float | None = None
    seconds: float = 0.0
    message: str = ""
    words: tuple[Word, ...] = ()


def found(task: Task) -> Outcome:
    """What there is of a run before anything is done."""
    try:
        record = read_record(task.folder)
    except FormatError:
        return Outcome(task.cell.name, task.folder, "waiting")
    status = record.get("status")
    if status != "finished":
        return Outcome(task.cell.name, task.folder, "waiting" if status == "running" else str(status))
    words = tuple(Word(*pair) for pair in record.get("words", ()))
    similarity, seconds = record.get("similarity"), record.get("seconds", 0.0)
    return Outcome(task.cell.name, task.folder, "finished", similarity, seconds, words=words)


def perform(task: Task, on_step: OnStep) -> Outcome:
    """Take a run from where it is to its end, or to where it is interrupted."""
    name, folder = task.cell.name, task.folder

    def told(step: Step) -> None:
        on_step(name, step.index)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a sweep gives its notes at the beginning, once
            done = run.resume(folder, on_step=told) if (folder / CONFIGURATION).exists() else _begin(task, told)
    except (ClipdrawError, OSError) as error:
        return Outcome(name, folder, "failed", message=str(error))
    return Outcome(name, folder, done.status, done.similarity, done.seconds, words=done.words)


def _begin(task: Task, on_step: Callable[[Step], None]) -> run.Run:
    settings: dict[str, Any] = task.cell.config.to_dict()
    if task.threads:
        settings["threads"] = task.threads
    return run.draw(settings.pop("prompt"), out=task.folder, on_step=on_step, **settings)
