"""Several processes that draw, each one run after another.

A process ends with the one that started it: it notices at its next step and leaves a folder that can be gone on with.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from clipdraw.runs.interrupt import Interrupt
from clipdraw.runs.sweep.tasks import OnStep, Outcome, Task, perform

_ATTENTION_S = 0.2
"""Seconds after which an interruption is noticed at the latest."""


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
                    worker.give(waiting.popleft())
            busy = {worker.connection: worker for worker in crew if worker.task}
            if not busy:
                return
            for connection in wait(list(busy), timeout=_ATTENTION_S):
                worker = busy[connection]  # type: ignore[index]
                if outcome := worker.heard(on_step):
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

    def give(self, task: Task) -> None:
        """Have it make a run."""
        self.task = task
        with suppress(OSError):  # if it is dead, `heard` finds out
            self.connection.send(task)

    def stop(self) -> None:
        """Have it end its run after the step that is under way."""
        if self.task:
            with suppress(OSError):
                self.connection.send(None)

    def heard(self, on_step: OnStep) -> Outcome | None:
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
