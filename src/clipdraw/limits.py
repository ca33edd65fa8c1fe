"""Limits of time and memory, for work on files that others made. Nothing is limited but in a `with` block."""

from __future__ import annotations

import sys
import time
from _thread import start_new_thread
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from clipdraw.errors import InputError, LimitError, OutOfMemoryError, check_fields

_EVERY_S = 0.02
"""How often time and memory are looked at."""
PATIENCE, BUSY = 4, 0.8
"""How many times as long work may take on a machine that is busy otherwise."""
_STATM = Path("/proc/self/statm")
_LARGE = 2**22
"""Bytes of memory from which on it is asked for before it is taken."""


@dataclass(frozen=True)
class Limits:
    """The most time and memory that a piece of work may take.

    Args:
        seconds: by the clock, above 0; up to `PATIENCE` times as long while others leave this process less than `BUSY`
            of a processor.
        megabytes: by which the process may grow, in 2^20 bytes, above 0; not limited on Windows.

    Raises:
        InputError: a value is out of range.
    """

    seconds: float = 10.0
    megabytes: float = 1024.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="a limit's ")
        if not (self.seconds > 0 and self.megabytes > 0):
            raise InputError(f"limits are above 0, got {self.seconds:g} seconds and {self.megabytes:g} megabytes")

    @contextmanager
    def over(self, work: str) -> Iterator[None]:
        """Limit what is done in the block.

        Args:
            work: what that is, for the message.

        Raises:
            LimitError: it took longer or more memory.
        """
        token = _running.set(_Running(self, work))
        try:
            yield
        finally:
            _running.reset(token)

    @contextmanager
    def for_each(self) -> Iterator[None]:
        """Limit each piece of work in the block that calls `limited`: reading a file, or making an image."""
        token = _for_each.set(self)
        try:
            yield
        finally:
            _for_each.reset(token)


class _Running:
    """Work that is under way, and what it may still take."""

    def __init__(self, limits: Limits, work: str) -> None:
        self.limits, self.work = limits, work
        self.next_look = time.monotonic()
        self.began, self.began_cpu = self.next_look, time.process_time()
        self.most_bytes = resident_bytes() + limits.megabytes * 2**20

    def error(self, more_bytes: int = 0) -> LimitError | None:
        """The error, if a limit is passed, or would be with so much more memory."""
        limits, now = self.limits, time.monotonic()
        self.next_look = now + _EVERY_S
        worked = time.process_time() - self.began_cpu
        if now - self.began > limits.seconds * (1 if worked > BUSY * limits.seconds else PATIENCE):
            return LimitError(
                f"{self.work} took longer than {limits.seconds:g} seconds; --limit-seconds allows it more time"
            )
        if resident_bytes() + more_bytes > self.most_bytes:
            return LimitError(
                f"{self.work} takes more than {limits.megabytes:g} megabytes of memory; "
                "--limit-megabytes allows it more"
            )
        return None

    def check(self, more_bytes: int = 0) -> None:
        """Raise what is wrong."""
        error = self.error(more_bytes)
        if error is not None:
            raise error


_running: ContextVar[_Running | None] = ContextVar("_running", default=None)

_for_each: ContextVar[Limits | None] = ContextVar("_for_each", default=None)


def limited(work: str) -> AbstractContextManager[None]:
    """A block that is limited if `Limits.for_each` says so.

    Args:
        work: what is done in it, for the message.
    """
    limits = _for_each.get()
    return nullcontext() if limits is None or _running.get() else limits.over(work)


def check_limits() -> None:
    """Raise an error if the work that is under way has passed its limits; cheap enough for loops.

    Raises:
        LimitError: it has.
    """
    running = _running.get()
    if running is not None and time.monotonic() >= running.next_look:
        running.check()


def reserve(size: int) -> None:
    """Raise an error if the work that is under way may not take so many more bytes of memory.

    Raises:
        LimitError: it may not.
    """
    running = _running.get()
    if running is not None and size >= _LARGE:
        running.check(size)


@contextmanager
def watched(stop: Callable[[], object]) -> Iterator[None]:
    """Let another thread look at the limits during a block that itself cannot, as in compiled code.

    Args:
        stop: makes the block raise an `OutOfMemoryError` soon; called from the other thread.

    Raises:
        LimitError: a limit was passed.
    """
    running = _running.get()
    if running is None:
        yield
        return
    done = Event()
    with suppress(RuntimeError, MemoryError):  # without memory for another thread, limits are looked at afterwards
        start_new_thread(_watch, (running, done, stop))
    try:
        yield
    except OutOfMemoryError:
        running.check()
        raise
    finally:
        done.set()
    running.check()


def _watch(running: _Running, done: Event, stop: Callable[[], object]) -> None:
    while not done.wait(_EVERY_S):
        if running.error() is not None:
            stop()
            return


def resident_bytes() -> int:
    """The memory that this process has now, or had at most where the system tells no more; 0 if it tells nothing."""
    try:
        return int(_STATM.read_bytes().split()[1]) * _page_bytes()
    except OSError:
        pass
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _page_bytes() -> int:
    import resource

    return resource.getpagesize()
