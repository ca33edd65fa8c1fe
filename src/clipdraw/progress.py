"""Saying what is being done, through the logger `clipdraw`: what begins at INFO, how far it is at DEBUG."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
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
