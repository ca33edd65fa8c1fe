"""The built-in encoder: `python -m benchmarks.builtin`. Prints JSON.

Eight views forward and backward, medians in milliseconds taken in turn in one process: with plain convolutions by
all threads, with packed ones, packed with each thread computing a share of the views, and that with the tower as one
operation, which is what ships. And the seconds until it is ready, torch's import apart.
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

THREADS, ROUNDS = 2, 40
LIMIT_MS, LIMIT_READY_S = 12.0, 1.0


def ready_s() -> dict[str, float]:
    """Seconds to load it, to embed its first text and to imagine one."""
    marks = [time.perf_counter()]
    encoder = builtin.load()
    marks.append(time.perf_counter())
    encoder.encode_text(["a cat"])
    marks.append(time.perf_counter())
    encoder.imagine("a cat")
    marks.append(time.perf_counter())
    names = ("load", "first text", "imagine")
    return {name: after - before for name, before, after in zip(names, marks, marks[1:], strict=False)}


def ways() -> dict[str, Callable[[], object]]:
    """Each way to compute the gradient of eight views."""
    views = torch.rand(8, 3, builtin.VIEW_SIZE, builtin.VIEW_SIZE, requires_grad=True)
    whole = builtin.load()
    with patch.object(builtin, "frozen", lambda tower: tower):
        packed = builtin.load()
    with patch.object(builtin, "pack_convolutions", lambda *_: None):
        plain = builtin.load()

    def together(encoder: builtin.BuiltinEncoder) -> object:
        with patch.object(builtin, "in_shares", lambda network, given: network(given)):
            return torch.autograd.grad(encoder.encode_image(views).sum(), views)

    return {
        "plain": lambda: together(plain),
        "packed": lambda: together(packed),
        "packed, in shares": lambda: torch.autograd.grad(packed.encode_image(views).sum(), views),
        "as one operation, in shares": lambda: torch.autograd.grad(whole.encode_image(views).sum(), views),
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
