"""A team of threads for compiled functions, which need no interpreter lock.

Each thread calls the same function, which claims chunks of work from shared counters until none is left: a thread that
the system holds up costs one chunk, not its part of the work. A function may go through several stages
(`kernels/stages.c`); where one needs all of the one before, a thread waits by spinning, but not for long: OpenMP-style
pools spin for a thread that the system has taken away; this one gives up and sleeps.
"""

from __future__ import annotations

import atexit
import math
import os
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from time import sleep

from clipdraw.errors import InputError

NAP_S = 1e-4
"""How long a thread sleeps that no longer waits for others, before it looks again."""

LONGEST_END_S = 5.0
"""How long the end of a process waits for a thread that is at work."""

_chosen: int | None = None
_helpers: list[_Helper] = []


def usable_processors() -> int:
    """How many processors this process may use: those that it may run on, within its group's quota of time."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(allowed, _quota())))


@cache
def _quota(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """Processors' worth of time that Linux grants the control groups of this process, as containers limit it."""
    try:
        groups = dict(line.split(":", 2)[1:] for line in own.read_text().splitlines())
    except (OSError, ValueError):
        groups = {}
    path = root / groups.get("", "/").lstrip("/")
    folders = [root / "cpu", *(folder for folder in (path, *path.parents) if folder.is_relative_to(root))]
    return min(map(_granted, folders))


def _granted(group: Path) -> float:
    """The limit of one group, in the files of either version of control groups."""
    for files in (["cpu.max"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]):
        try:
            quota, period = (int(text) for file in files for text in (group / file).read_text().split())
        except (OSError, ValueError):  # there is no such file, or it says `max`
            continue
        if quota > 0 and period > 0:
            return quota / period
    return math.inf


def set_threads(count: int | None) -> int | None:
    """Set how many threads rasterize, the calling one included; None: as many as there are usable processors.

    Returns:
        What was set before.

    Raises:
        InputError: the count is below 1.
    """
    global _chosen
    if count is not None and count < 1:
        raise InputError(f"rasterizing takes at least 1 thread, got {count}")
    former, _chosen = _chosen, count
    return former


def get_threads() -> int:
    """How many threads rasterize, the calling one included."""
    return usable_processors() if _chosen is None else _chosen


def run_parallel(work: Callable[[], bool], *, threads: int) -> None:
    """Call a function on some threads at once, this one included, until all is done.

    Args:
        work: claims chunks by atomically raising a counter, marks each as done by raising another; false if it no
            longer waits for others that are at theirs, and wants to be called again.
        threads: at most this many calls; those that no thread has begun when the work is done are dropped.
    """
    calls = [helper.submit(work) for helper in _team(threads - 1)]
    try:
        while not work():
            for call in calls:
                call.wait()
    finally:
        for call in calls:
            call.drop()


class _Call:
    """A call that another thread is to make."""

    def __init__(self, work: Callable[[], bool]) -> None:
        self._work: Callable[[], bool] | None = work
        self._offer, self._wanted = [True], True
        self._error: BaseException | None = None
        self._returned = allocate_lock()
        self._returned.acquire()

    def drop(self) -> None:
        """Take it back, or, if somebody has begun, have it made no more than once."""
        self._wanted = False
        if self._take():
            self._work = None  # a helper that is busy elsewhere finds the call later

    def _take(self) -> bool:
        """Whether nobody else has."""
        try:
            return self._offer.pop()  # indivisible
        except IndexError:
            return False

    def run(self) -> None:
        if not self._take():
            return
        try:
            while self._work and not self._work() and self._wanted:  # what one thread does alone may take long
                sleep(NAP_S)
        except BaseException as error:  # noqa: BLE001  # whoever waits raises it
            self._error = error
        finally:
            self._returned.release()

    def wait(self) -> None:
        """Wait until it has returned, if it has begun; raise what it raised."""
        if self._take():
            self._work = None
            return
        with self._returned:
            pass
        if self._error is not None:
            raise self._error


class _Helper:
    """A thread that makes calls, one after another; with an executor's futures 256 strokes took 5 % longer."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._ended = allocate_lock()
        self._ended.acquire()
        start_new_thread(self._serve, ())  # `Thread.start` waits for ever for one that found no memory to begin

    def submit(self, work: Callable[[], bool]) -> _Call:
        call = _Call(work)
        self._calls.put(call)
        return call

    def stop(self) -> None:
        self._calls.put(None)
        self._ended.acquire(timeout=LONGEST_END_S)

    def _serve(self) -> None:
        try:
            while (call := self._calls.get()) is not None:
                call.run()
                del call  # and what it refers to
        finally:
            self._ended.release()


def _team(count: int) -> list[_Helper]:
    with suppress(RuntimeError, MemoryError):  # without memory for another thread, those that there are do all
        while len(_helpers) < count:
            _helpers.append(_Helper())
    return _helpers[:count]


@atexit.register
def _dismiss() -> None:
    """A thread in compiled code when the interpreter goes would take the process down."""
    while _helpers:
        _helpers.pop().stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.clear)
