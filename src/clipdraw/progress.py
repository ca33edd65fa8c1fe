"""How far long work is, and whether it is asked to stop.

What is being done is said through the logger `clipdraw`: what begins at INFO, how far it is at DEBUG.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

log = logging.getLogger("clipdraw")

Item = TypeVar("Item")


def track(items: Iterable[Item], what: str, *, total: int) -> Iterator[Item]:
    """Pass items on and log how many are done.

    Args:
        items: what is worked on, one after another.
        what: the work in a few words, such as `writing making-of.mp4`; logged before the first.
        total: how many items there are; with `what` and `done` an attribute of the record after each.
    """
    log.info("%s", what)
    for done, item in enumerate(items, 1):
        yield item
        log.debug("%s: %d of %d", what, done, total, extra={"what": what, "done": done, "total": total})


class Interrupt:
    """Whether the user has asked to stop; a second Ctrl-C stops at once."""

    def __init__(self) -> None:
        self.requested = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Turn Ctrl-C and termination into a request, while in the block and in the main thread."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    former = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
