"""Random drawings through the rasterizer: `python -m benchmarks.fuzz --count 100000`. Prints JSON; exits 1 on failure.

Each must give an image in [0, 1] and finite gradients, and the same bits again, with one thread and with two. Each
has a seed of its own: `--seed SEED --count 1` repeats one. Drawings are rasterized in a process apart, so that a
crash or a hang is a failure like others.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

import torch
from torch import Tensor

from benchmarks.fuzz_drawings import Case, random_case
from clipdraw import Drawing
from clipdraw.raster import rasterize, set_threads

LEEWAY = 1e-5
"""How far beyond [0, 1] rounding may take an image."""
IMAGE_TOLERANCE = 0.01
"""Largest difference of a pixel between backends."""
PATIENCE_S = 60.0
"""A drawing that takes longer hangs."""


@dataclass(frozen=True)
class Failure:
    """What went wrong with the drawing of a seed."""

    seed: int
    what: str


def both_ways(case: Case, *, threads: int = 1, backend: str = "numba") -> dict[str, Tensor]:
    """The image, and the gradients of its inner product with smooth weights; in what precision the backend likes."""
    set_threads(threads)
    dtype = torch.float64 if backend == "reference" else torch.float32
    drawing = case.drawing.to(dtype=dtype).detached()
    behind = None if case.background is None else case.background.to(dtype).clone()
    leaves = {name: leaf.requires_grad_() for name, leaf in named(drawing).items() if leaf.numel()}
    leaves |= {} if behind is None else {"image behind": behind.requires_grad_()}
    image = rasterize(
        drawing, height=case.height, width=case.width, background=behind, frozen=case.frozen, backend=backend
    )
    found = {"image": image.detach()}
    if not image.requires_grad:
        return found
    y, x = torch.meshgrid(torch.arange(case.height), torch.arange(case.width), indexing="ij")
    weights = torch.stack([(0.7 * x + 0.2 * y).sin(), (0.5 * y - 0.3 * x).cos(), (0.4 * x + 0.6 * y + 1).sin()])
    (image * weights.to(dtype)).sum().backward()
    grads = {name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for name, leaf in leaves.items()}
    return found | grads


def named(drawing: Drawing) -> dict[str, Tensor]:
    """The leaves of a drawing by their names."""
    names = "points", "widths", "colors", "background", "fills", "transforms"
    leaves = {name: getattr(drawing, name) for name in names if getattr(drawing, name) is not None}
    for number, gradient in enumerate(drawing.gradients):
        leaves |= {
            f"gradient {number}, {name}": getattr(gradient, name)
            for name in ("geometry", "radius", "offsets", "colors")
        }
    return leaves


def faults(case: Case, *, reference: bool = False) -> Iterator[str]:
    """All that is wrong with what becomes of a case."""
    try:
        found = both_ways(case)
        again = {threads: both_ways(case, threads=threads) for threads in (1, 2)}
        other = both_ways(case, backend="reference") if reference else {}
    except Exception as error:  # noqa: BLE001 - any is a finding
        yield f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        return
    image = found["image"]
    if image.isfinite().all() and (image.min() < -LEEWAY or image.max() > 1 + LEEWAY):
        yield f"the image is in [{float(image.min()):.6g}, {float(image.max()):.6g}]"
    odd = [name for name, tensor in found.items() if not tensor.isfinite().all()]
    if odd:
        yield f"not finite: {odd}"
    for threads, repeated in again.items():
        odd = [name for name in found if not torch.equal(found[name].nan_to_num(), repeated[name].nan_to_num())]
        if odd:
            yield f"other bits with {threads} threads: {odd}"
    yield from differences(found, other)


def differences(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> Iterator[str]:
    """Whether two backends disagree about the image.

    Gradients aren't compared here but in `tests/parity`: where edges lie on each other, as in many of these
    drawings, they are one-sided, and rounding decides which.
    """
    if wanted:
        off = float((found["image"] - wanted["image"]).abs().max())
        if not off <= IMAGE_TOLERANCE:
            yield f"backends differ: image by {off:.3g}"


def work(connection: Connection, seeds: range, every: int) -> None:
    """Check drawings one after another and tell of each: its seed, seconds and faults."""
    torch.set_num_threads(1)
    for seed in seeds:
        connection.send((seed, None, []))
        case, started = random_case(seed), time.perf_counter()
        found = list(faults(case, reference=every > 0 and seed % every == 0))
        connection.send((seed, time.perf_counter() - started, found))


def run(seeds: range, *, every: int = 0) -> tuple[list[Failure], list[tuple[float, int]]]:
    """Check the drawings of all seeds; returns failures, and the slowest with their seconds.

    Args:
        seeds: of the drawings.
        every: each drawing whose seed this divides is compared with the reference; 0 for none.
    """
    failures: list[Failure] = []
    slowest: list[tuple[float, int]] = []
    context, start = get_context("spawn"), seeds.start

    def fail(seed: int, what: str) -> None:
        failures.append(Failure(seed, what))
        print(f"{seed}: {what}", file=sys.stderr, flush=True)

    while start < seeds.stop:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(theirs, range(start, seeds.stop), every), daemon=True)
        worker.start()
        theirs.close()
        patience, seed = 600.0, start  # the first may have to be compiled
        try:
            while ours.poll(patience):
                seed, seconds, found = ours.recv()
                for what in found:
                    fail(seed, what)
                if seconds is not None:
                    patience, start = PATIENCE_S, seed + 1
                    slowest = sorted([*slowest, (round(seconds, 3), seed)], reverse=True)[:5]
            fail(seed, f"takes more than {PATIENCE_S:g} s")
        except EOFError:
            worker.join()
            if start < seeds.stop:
                fail(seed, f"the process ends with {worker.exitcode}")
        worker.kill()
        worker.join()
        start = max(start, seed + 1)
    return failures, slowest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first drawing; the next one has the next")
    parser.add_argument("--reference", type=int, default=0, metavar="K", help="compare each K-th with the reference")
    options = parser.parse_args()
    began = time.perf_counter()
    failures, slowest = run(range(options.seed, options.seed + options.count), every=options.reference)
    report = {
        "drawings": options.count,
        "seed": options.seed,
        "compared with the reference": options.count // options.reference if options.reference else 0,
        "seconds": round(time.perf_counter() - began, 1),
        "slowest, s": {str(seed): seconds for seconds, seed in slowest},
        "failures": [{"seed": failure.seed, "what": failure.what} for failure in failures],
    }
    print(json.dumps(report, indent=1))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
