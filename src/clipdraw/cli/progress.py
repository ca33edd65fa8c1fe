"""Standard error while a command works: a line for each thing that begins, and how far it is with the time left.

A terminal shows a bar; elsewhere there are lines, at least a second apart and about fifty for one thing at most.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

_LINE_EVERY_S, _MOST_LINES = 1.0, 50


class Display(logging.Handler):
    """A handler of the logger `clipdraw` that shows its records, and the progress that `advance` is told.

    Args:
        overall: `advance` counts the whole work, beside which the logger's messages are details.
    """

    def __init__(self, *, overall: bool = False) -> None:
        super().__init__(logging.DEBUG)
        self._overall, self._message, self._below = overall, "", ""
        self._what, self._first, self._began, self._told = "", 0, 0.0, 0.0
        self._done, self._total = 0, 0
        self._bar: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record of `clipdraw.progress`."""
        about = vars(record)
        if self._overall and self._what:
            if record.levelno >= logging.INFO:
                self._message = record.getMessage()
                self._show()
        elif "done" in about:
            self.advance(about["what"], about["done"], about["total"])
        elif record.levelno >= logging.INFO:
            self.say(record.getMessage())

    def say(self, text: str) -> None:
        """Say what begins."""
        self.stop()
        print(text, file=sys.stderr, flush=True)

    def advance(self, what: str, done: int, total: int, *, detail: str = "", unit: str = "") -> None:
        """Show how far something is.

        Args:
            what: the work.
            done: how many parts of it are done.
            total: how many there are.
            detail: shown beside it.
            unit: of the parts, if their number a second is to be shown.
        """
        now = time.monotonic()
        if what != self._what:
            self.stop()
            self._what, self._first, self._began, self._told = what, done - 1, now, now
        self._done, self._total = done, total
        rate = (done - self._first) / max(now - self._began, 1e-9)
        speed = f"{rate:.1f} {unit}/s" if unit and done > self._first + 1 else ""
        self._message = "  ".join(part for part in (detail, speed) if part)
        self._show()

    def show_below(self, text: str) -> None:
        """A line that stays below the bar."""
        self._below = text

    def stop(self) -> None:
        """Remove the bar."""
        if self._bar:
            self._bar.stop()
        self._bar, self._what, self._below = None, "", ""

    def _show(self) -> None:
        if sys.stderr.isatty() or self._bar:
            self._bar = self._bar or _bar()
            self._bar.start()
            self._bar.update(
                self._bar.task_ids[0], description=self._what, completed=self._done, total=self._total,
                detail=self._message, below=self._below,
            )  # fmt: skip
            return
        now = time.monotonic()
        left = (now - self._began) / max(self._done - self._first, 1) * (self._total - self._done)
        whole = now - self._began + left
        if now - self._told > max(_LINE_EVERY_S, whole / _MOST_LINES):
            self._told = now
            parts = f"{self._what}: {self._done} of {self._total}", self._message, f"{left:.0f} s left", self._below
            print("  ".join(part for part in parts if part), file=sys.stderr, flush=True)


@contextmanager
def display(*, quiet: bool, overall: bool = False) -> Iterator[Display | None]:
    """Show what the library logs while in the block; None and nothing if `quiet`."""
    if quiet:
        yield None
        return
    logger, shown = logging.getLogger("clipdraw"), Display(overall=overall)
    before = logger.level
    logger.addHandler(shown)
    logger.setLevel(logging.DEBUG)
    shown.say("loading PyTorch")
    try:
        yield shown
    finally:
        shown.stop()
        logger.removeHandler(shown)
        logger.setLevel(before)


def _bar() -> Progress:
    from rich.console import Console, RenderableType
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class WithLine(Progress):
        """The bar, and a line below it."""

        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            yield from (Text(task.fields["below"]) for task in self.tasks if task.fields["below"])

    detail = TextColumn("{task.fields[detail]}", markup=False)
    columns: Any = TextColumn("{task.description}", markup=False), MofNCompleteColumn(), BarColumn(), detail
    bar = WithLine(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    bar.add_task("", total=None, detail="", below="")
    return bar
