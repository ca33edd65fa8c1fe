"""The built-in encoder: `python -m benchmarks.builtin`. Prints JSON.

Eight views forward and backward, medians in milliseconds taken in turn in one process: with plain convolutions, and
with packed ones, which is what ships. And the seconds until it is ready, torch's import apart.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable
from unittest.mock import patch

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from clipdraw.encoders import builtin
from clipdraw.encoders.builtin import image_tower

THREADS, ROUNDS = 2, 40
LIMIT_MS, LIMIT_READY_S = 12.0, 1.0


def ready_s() -> dict[str, float]:
    """Seconds to load it, to embed its first text and to sample its prior."""
    marks = [time.perf_counter()]
    encoder = builtin.load()
    marks.append(time.perf_counter())
    encoder.encode_text(["a cat"])
    marks.append(time.perf_counter())
    encoder.prior.sample("a cat")
    marks.append(time.perf_counter())
    names = ("load", "first text", "first pictures")
    return {name: after - before for name, before, after in zip(names, marks, marks[1:], strict=False)}


def ways() -> dict[str, Callable[[], object]]:
    """Each way to compute the gradient of eight views."""
    views = torch.rand(8, 3, image_tower.VIEW_SIZE, image_tower.VIEW_SIZE, requires_grad=True)
    packed = builtin.load()
    with patch.object(image_tower, "pack_convolutions", lambda tower: None):
        plain = builtin.load()
    return {
        "plain": lambda: torch.autograd.grad(plain.encode_image(views).sum(), views),
        "packed": lambda: torch.autograd.grad(packed.encode_image(views).sum(), views),
    }


def main() -> None:
    torch.set_num_threads(THREADS)
    ready = ready_s()
    computed = ways()
    times: dict[str, list[float]] = {name: [] for name in computed}
    for _ in range(ROUNDS):
        for name, compute in computed.items():
            started = time.perf_counter()
            compute()
            times[name].append((time.perf_counter() - started) * 1000)
    medians = {name: statistics.median(taken[3:]) for name, taken in times.items()}
    medians["limit"] = LIMIT_MS
    print(json.dumps({"8 views, ms": medians, "ready, s": ready | {"limit": LIMIT_READY_S}}, indent=1))


if __name__ == "__main__":
    main()
