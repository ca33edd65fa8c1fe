"""Random drawings through the rasterizer: `python -m benchmarks.fuzz --count 100000`. Prints JSON; exits 1 on failure.

Each must give an image in [0, 1] and finite gradients, the same bits again, in a batch with others and with two
threads, and the reference's image; for one group of drawings in eight gradients are compared with the reference's,
too. Each has a seed of its own: `--seed SEED --count 1` repeats one. Drawings are rasterized in a process apart, so
that a crash or a hang is a failure like others. With `--log FILE` what was checked is noted there, and left out the
next time: delete it when the rasterizer changes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.fuzz_drawings import GROUP, Case, random_case
from clipdraw import Drawing
from clipdraw.raster import rasterize_batch, set_threads

LEEWAY = 1e-5
"""How far beyond [0, 1] rounding may take an image."""
IMAGE_TOLERANCE = 0.01
"""Largest difference of a pixel between backends."""
PATIENCE_S = 60.0
"""A drawing that takes longer hangs."""
GRADIENTS_EVERY = 8
"""Of so many groups one has the reference's gradients looked at, too."""

Found = dict[str, Tensor]
"""An image, and the gradients of what it was made from, by name."""


@dataclass(frozen=True)
class Failure:
    """The fault found with the drawing of a seed."""

    seed: int
    what: str


def both_ways(
    cases: Sequence[Case], *, threads: int = 1, backend: str = "native", backward: bool = True
) -> list[Found]:
    """For each case the image, and the gradients of its inner product with smooth weights.

    All go through the rasterizer at once, in the precision that the backend is compared in.
    """
    former = set_threads(threads)
    try:
        return _both_ways(cases, backend=backend, backward=backward)
    finally:
        set_threads(former)


def _both_ways(cases: Sequence[Case], *, backend: str, backward: bool) -> list[Found]:
    dtype = torch.float64 if backend == "reference" else torch.float32
    drawings = [case.drawing.to(dtype=dtype).detached() for case in cases]
    leaves = [named(drawing) for drawing in drawings]
    behind = None
    if cases[0].background is not None:
        for case, own in zip(cases, leaves, strict=True):
            own["image behind"] = case.background.to(dtype).clone()
        behind = torch.stack([own["image behind"].requires_grad_(backward) for own in leaves])
    for own in leaves:
        for leaf in own.values():
            leaf.requires_grad_(backward and leaf.numel() > 0)
    height, width = cases[0].height, cases[0].width
    frozen = [case.frozen for case in cases]
    images = rasterize_batch(drawings, height=height, width=width, background=behind, frozen=frozen, backend=backend)
    if images.requires_grad:
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        weights = torch.stack([(0.7 * x + 0.2 * y).sin(), (0.5 * y - 0.3 * x).cos(), (0.4 * x + 0.6 * y + 1).sin()])
        (images * weights.to(dtype)).sum().backward()
    grads = ({name: leaf.grad for name, leaf in own.items() if leaf.grad is not None} for own in leaves)
    return [{"image": image, **own} for image, own in zip(images.detach(), grads, strict=True)]


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


def faults(seeds: range) -> Iterator[tuple[int, str | None]]:
    """All that is wrong with the cases of some seeds of one group; (seed, None) before each that may take a while."""
    cases, singles = {}, {}
    for seed in seeds:
        yield seed, None
        try:
            cases[seed] = random_case(seed)
            (singles[seed],) = both_ways([cases[seed]])
        except Exception as error:  # noqa: BLE001 - any is a finding
            yield seed, told(error)
            continue
        for what in flaws(singles[seed]):
            yield seed, what
    if not singles:
        return
    yield seeds.start, None
    together = [cases[seed] for seed in singles]
    backward = seeds.start // GROUP % GRADIENTS_EVERY == 0
    try:
        batch = both_ways(together, threads=2)
        wanted = both_ways(together, backend="reference", backward=backward)
    except Exception as error:  # noqa: BLE001 - any is a finding
        yield seeds.start, f"together with others: {told(error)}"
        return
    for (seed, single), batched, theirs in zip(singles.items(), batch, wanted, strict=True):
        odd = [name for name in single if not torch.equal(single[name].nan_to_num(), batched[name].nan_to_num())]
        if odd:
            yield seed, f"other bits together with others and with two threads: {odd}"
        odd = [name for name, tensor in theirs.items() if not tensor.isfinite().all()]
        if odd:
            yield seed, f"not finite by the reference: {odd}"
        off = float((single["image"] - theirs["image"]).abs().max())
        if not off <= IMAGE_TOLERANCE:
            yield seed, f"backends differ: image by {off:.3g}"


def told(error: Exception) -> str:
    """An error in a line."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def flaws(found: Found) -> Iterator[str]:
    """The faults of an image and its gradients by themselves.

    Gradients aren't compared between backends here but in `tests/parity`: where edges lie on each other, as in many
    of these drawings, they are one-sided, and rounding decides which.
    """
    image = found["image"]
    if image.isfinite().all() and (image.min() < -LEEWAY or image.max() > 1 + LEEWAY):
        yield f"the image is in [{float(image.min()):.6g}, {float(image.max()):.6g}]"
    odd = [name for name, tensor in found.items() if not tensor.isfinite().all()]
    if odd:
        yield f"not finite: {odd}"


def groups(seeds: range) -> Iterator[range]:
    """The seeds, group by group."""
    start = seeds.start
    while start < seeds.stop:
        stop = min(seeds.stop, start - start % GROUP + GROUP)
        yield range(start, stop)
        start = stop


def work(connection: Connection, seeds: range) -> None:
    """Check drawings and tell of each group: the seed at work, what is wrong, and the seed after the group."""
    torch.set_num_threads(1)
    for group in groups(seeds):
        for seed, what in faults(group):
            connection.send((seed, what, None))
        connection.send((group.start, None, group.stop))


def run(seeds: range) -> Iterator[tuple[range, list[Failure]]]:
    """Check the drawings of all seeds; yields what was checked, and what failed of that."""
    context, start = get_context("spawn"), seeds.start
    failures: list[Failure] = []

    def fail(seed: int, what: str) -> None:
        failures.append(Failure(seed, what))
        print(f"{seed}: {what}", file=sys.stderr, flush=True)

    while start < seeds.stop:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(theirs, range(start, seeds.stop)), daemon=True)
        worker.start()
        theirs.close()
        patience, seed = 600.0, start  # torch has to be imported first
        try:
            while ours.poll(patience):
                seed, what, stop = ours.recv()
                if what is not None:
                    fail(seed, what)
                if stop is not None:
                    yield range(start, stop), failures[:]
                    failures.clear()
                    patience, start = PATIENCE_S, stop
            fail(seed, f"takes more than {PATIENCE_S:g} s")
        except EOFError:
            worker.join()
            if start < seeds.stop:
                fail(seed, f"the process ends with {worker.exitcode}")
        worker.kill()
        worker.join()
        if start < seeds.stop:  # the rest of the group goes without the drawing that stopped it
            yield range(start, seed + 1), failures[:]
            failures.clear()
            start = seed + 1


def checked(log: Path | None, start: int) -> tuple[int, list[Failure]]:
    """From a log: the seed after those, from `start` on, that were checked without a gap, and what failed of them."""
    found: list[Failure] = []
    for line in log.read_text().splitlines() if log and log.exists() else ():
        entry = json.loads(line)
        if entry["from"] <= start < entry["to"]:
            start = entry["to"]
            found += [Failure(**failure) for failure in entry["failures"]]
    return start, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first drawing; the next one has the next")
    parser.add_argument("--log", type=Path, help="a file that says what was checked: the next time goes on from there")
    options = parser.parse_args()
    end = options.seed + options.count
    start, failures = checked(options.log, options.seed)
    first, began = start, time.perf_counter()
    for part, found in run(range(start, end)):
        failures += found
        if options.log:
            entry = {"from": part.start, "to": part.stop, "failures": [asdict(failure) for failure in found]}
            with options.log.open("a") as file:
                file.write(json.dumps(entry) + "\n")
    seconds = time.perf_counter() - began
    report = {
        "drawings": options.count,
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "drawings a second": round((end - first) / seconds, 1),
        "failures": [asdict(failure) for failure in failures],
    }
    print(json.dumps(report, indent=1))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
