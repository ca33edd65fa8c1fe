"""The runs of a sweep: begun, gone on with, or found finished, one after another or in several processes.

A process ends with the one that started it: it notices at its next step and leaves a folder that can be gone on with.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from clipdraw.config import fingerprint, settings_of
from clipdraw.errors import ClipdrawError, FormatError
from clipdraw.evaluate.explain import Word
from clipdraw.optimization.loop import Step
from clipdraw.progress import Interrupt
from clipdraw.runs.folder import CONFIGURATION, config_of, read_record
from clipdraw.runs.session import Run, draw, resume
from clipdraw.runs.sweep.plan import Cell

_ATTENTION_S = 0.2
"""Seconds after which an interruption is noticed at the latest."""

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
    """The state of a run, in the end or before it is begun.

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


_FORMER = 6
"""Characters at the end of names that runs had before: of the twelve that a configuration has, the first six."""


def folder_of(cell: Cell, runs: Path) -> Path:
    """The folder of a run: the one of its name before, if that holds it, else of its name."""
    former = runs / cell.name[:-_FORMER]
    try:
        _recorded(cell, former)
    except FormatError:
        return runs / cell.name
    return former


def _recorded(cell: Cell, folder: Path) -> dict[str, Any]:
    """The record of a run.

    Raises:
        FormatError: there is none, it is damaged, or it is not of this cell.
    """
    record = read_record(folder)
    if fingerprint(config_of(record, folder)) != fingerprint(cell.config):
        raise FormatError(f"{folder / CONFIGURATION}: has other settings than the sweep: delete the folder, and go on")
    return record


def found(task: Task) -> Outcome:
    """The state of a run before anything is done."""
    name, folder = task.cell.name, task.folder
    try:
        record = _recorded(task.cell, folder)
    except FormatError:  # `perform` tells what is wrong
        return Outcome(name, folder, "waiting")
    status = record.get("status")
    if status != "finished":
        return Outcome(name, folder, status if status in ("interrupted", "failed") else "waiting")
    words = tuple(Word(*pair) for pair in record.get("words") or ())
    return Outcome(name, folder, status, record.get("similarity"), record.get("seconds") or 0.0, words=words)


def perform(task: Task, on_step: OnStep) -> Outcome:
    """Take a run from where it is to its end, or to where it is interrupted."""
    name, folder = task.cell.name, task.folder

    def told(step: Step) -> None:
        on_step(name, step.index)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a sweep gives its notes at the beginning, once
            done = _go_on(task, told) if (folder / CONFIGURATION).exists() else _begin(task, told)
    except (ClipdrawError, OSError) as error:
        return Outcome(name, folder, "failed", message=str(error))
    return Outcome(name, folder, done.status, done.similarity, done.seconds, words=done.words)


def _go_on(task: Task, on_step: Callable[[Step], None]) -> Run:
    _recorded(task.cell, task.folder)
    return resume(task.folder, on_step=on_step)


def _begin(task: Task, on_step: Callable[[Step], None]) -> Run:
    settings: dict[str, Any] = settings_of(task.cell.config)
    if task.threads:
        settings["threads"] = task.threads
    return draw(settings.pop("prompt"), out=task.folder, on_step=on_step, **settings)


def in_processes(tasks: Sequence[Task], count: int, on_step: OnStep, interrupt: Interrupt) -> Iterator[Outcome]:
    """The outcomes of runs in `count` processes, as they come.

    Once `interrupt` is requested, no run is begun and those under way end after their step.
    """
    waiting = deque(tasks)
    crew = [_Worker() for _ in range(min(count, len(waiting)))]
    stopping = False
    try:
        while True:
            stopping = stopping or _stopped(crew, interrupt)
            for worker in crew:
                if worker.task is None and waiting and not interrupt.requested:
                    worker.begin(waiting.popleft())
            busy = {worker.connection: worker for worker in crew if worker.task}
            if not busy:
                return
            for connection in wait(list(busy), timeout=_ATTENTION_S):
                worker = busy[connection]  # type: ignore[index]
                if outcome := worker.receive(on_step):
                    yield outcome
            crew = [_Worker() if waiting and not worker.alive else worker for worker in crew]
    finally:
        for worker in crew:
            worker.end()


def _stopped(crew: Sequence[_Worker], interrupt: Interrupt) -> bool:
    """Pass an interruption on; True if there is one."""
    if interrupt.requested:
        for worker in crew:
            worker.stop()
    return interrupt.requested


class _Worker:
    """A process with a line to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, far = context.Pipe()
        self.task: Task | None = None
        self.alive = True
        self._process = context.Process(target=_serve, args=(far,), daemon=True)
        self._process.start()
        far.close()

    def begin(self, task: Task) -> None:
        """Have it make a run."""
        self.task = task
        with suppress(OSError):  # if it is dead, `receive` finds out
            self.connection.send(task)

    def stop(self) -> None:
        """Have it end its run after the step that is under way."""
        if self.task:
            with suppress(OSError):
                self.connection.send(None)

    def receive(self, on_step: OnStep) -> Outcome | None:
        """Take one message; the outcome of the run if that is what it is."""
        assert self.task is not None
        try:
            message: Any = self.connection.recv()
        except (EOFError, OSError):
            self.alive = False
            message = Outcome(self.task.cell.name, self.task.folder, "failed", message="its process was killed")
        if isinstance(message, Outcome):
            self.task = None
            return message
        on_step(*message)
        return None

    def end(self) -> None:
        """Let it go, at once if it is at work."""
        self.connection.close()
        if self.task:
            self._process.terminate()
        self._process.join()


def _serve(line: Connection) -> None:
    """A worker's life: take a run, tell its steps, tell its outcome."""
    if hasattr(os, "setsid"):
        os.setsid()  # Ctrl-C reaches the process that the user sees, which passes it on

    def on_step(name: str, index: int) -> None:
        line.send((name, index))
        if line.poll():
            line.recv()
            signal.raise_signal(signal.SIGINT)

    with suppress(EOFError, OSError):  # the other end is gone
        while True:
            if task := line.recv():
                line.send(perform(task, on_step))
