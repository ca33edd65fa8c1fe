"""Batches that other processes make ahead, the same as if they were made when they are needed.

On a machine with an accelerator one process makes far fewer pictures than a network can learn from.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch.nn import functional

from training import pictures
from training.redrawing import Redrawn
from training.things import Things

Small = tuple[UInt8[np.ndarray, "batch 3 32 32"], list[str]]
"""Pictures at half their size, and their captions."""


class Maker:
    """A maker of batches, each from the number of its step.

    Args:
        things: where the packed drawings are.
        redrawn: where redrawn pictures are, if there are any.
        share: of redrawn pictures.
        seed: of everything.
    """

    def __init__(self, things: Path | Things, redrawn: Path, share: float, seed: int) -> None:
        self.things = things if isinstance(things, Things) else Things.load(things)
        self.redrawn, self.share, self.seed = Redrawn.load(redrawn), share, seed

    def __call__(self, step: int, count: int) -> Small:
        """The pictures of a step, uint8, and their captions."""
        generator = np.random.default_rng((self.seed, step))
        made = pictures.make(self.things, count, generator)
        made = self.redrawn.mix_into(made, self.share, generator)
        return (functional.avg_pool2d(made.views, 2) * 255).round().byte().numpy(), made.captions


_MAKER: list[Maker] = []  # of a process that makes batches


def _start(things: Path, redrawn: Path, share: float, seed: int) -> None:
    torch.set_num_threads(1)
    _MAKER[:] = [Maker(things, redrawn, share, seed)]


def _make(step: int, count: int) -> Small:
    return _MAKER[0](step, count)


class Ahead:
    """Batches made by several processes, some steps ahead.

    Args:
        things: where the packed drawings are.
        redrawn: where redrawn pictures are, if there are any.
        share: of redrawn pictures.
        seed: of everything.
        workers: how many processes.
    """

    def __init__(self, things: Path, redrawn: Path, share: float, seed: int, *, workers: int) -> None:
        self._pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (things, redrawn, share, seed))
        self._depth = 3 * workers
        self._asked: deque[tuple[int, int, Future[Small]]] = deque()

    def __call__(self, step: int, count: int) -> Small:
        """The pictures of a step; those of the next steps are asked for with the same count."""
        while self._asked and self._asked[0][:2] != (step, count):
            self._asked.popleft()[2].cancel()
        first = step + len(self._asked)
        for later in range(first, step + self._depth):
            self._asked.append((later, count, self._pool.submit(_make, later, count)))
        return self._asked.popleft()[2].result()

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)
