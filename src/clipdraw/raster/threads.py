"""A plain thread pool for compiled loops that release the interpreter lock.

Each thread of a team calls the same compiled function, which takes chunks of work from a shared
counter until none is left: a thread that the system holds up costs one chunk, not its share.
OpenMP-style pools wait for such a thread by spinning; this one doesn't.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from clipdraw.errors import InputError

_chosen: int | None = None
_pools: dict[int, ThreadPoolExecutor] = {}
os.register_at_fork(after_in_child=_pools.clear)


def set_threads(count: int | None) -> None:
    """Set how many threads rasterize, the calling one included; None: as many as there are usable cores.

    Raises:
        InputError: the count is below 1.
    """
    global _chosen
    if count is not None and count < 1:
        raise InputError(f"rasterizing takes at least 1 thread, got {count}")
    _chosen = count


def get_threads() -> int:
    """How many threads rasterize, the calling one included."""
    if _chosen is not None:
        return _chosen
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def together(work: Callable[..., None], *arguments: Any, threads: int) -> None:
    """Call `work(counter, *arguments)` on some threads at once, this one included, and wait.

    Args:
        work: takes chunks by atomically raising `counter[0]`, from 0, until none is left.
        arguments: handed on.
        threads: at most this many calls; those that no thread has begun when the work is done are dropped.
    """
    counter = np.zeros(1, np.int64)
    helpers = threads - 1
    futures = [_pool(helpers).submit(work, counter, *arguments) for _ in range(helpers)]
    try:
        work(counter, *arguments)
    finally:
        for future in futures:
            if not future.cancel():
                future.result()


def _pool(workers: int) -> ThreadPoolExecutor:
    if workers not in _pools:
        _pools[workers] = ThreadPoolExecutor(workers, thread_name_prefix="clipdraw-raster")
    return _pools[workers]
