"""The rasterizer, forward and backward: `python -m benchmarks.raster --out raster.json`. JSON; medians in ms.

Strokes are as published: 1 to 3 segments, steps of 11.2 units, 2 units wide. Every time is taken in one process,
with one and two threads, alone and beside a busy process. `benchmarks/raster_plot.py` draws what is written.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from clipdraw import Drawing, RandomStrokes, rasterize
from clipdraw.drawing import Canvas, Style
from clipdraw.raster import set_threads

FEWEST = 8
"""Times that a median is taken of, at least; the first three don't count."""


@dataclass(frozen=True)
class Case:
    """A drawing to rasterize, and the milliseconds it may take, both ways with two threads."""

    kind: str
    count: int
    size: int
    limit_ms: float | None = None

    @property
    def name(self) -> str:
        return f"{self.count} {self.kind} at {self.size}"

    def drawing(self) -> Drawing:
        made = blobs(self.count, self.size) if self.kind == "filled paths" else start(self.count)
        if self.kind == "wide strokes":
            made = replace(made, widths=torch.full_like(made.widths, 20.0))
        return leaves(made)


CASES = (
    Case("strokes", 256, 224, 3.0),
    Case("strokes", 1024, 224, 10.0),
    Case("strokes", 4096, 224, 40.0),
    Case("strokes", 1024, 1024, 40.0),
    Case("wide strokes", 256, 224, 8.0),
    Case("filled paths", 512, 512, 30.0),
)
STROKES = 64, 128, 256, 512, 1024, 2048, 4096
"""How many there are where cost is set against strokes, at 224."""
WIDTHS = 1.0, 2.0, 5.0, 10.0, 20.0, 40.0
"""Of 512 strokes, in units, where it is set against touched pixels, at 224 and at 448."""
MEMORY_LIMIT_MB = 100.0
REFERENCE_LIMIT_MB = 1000.0
FIRST_CALL_LIMIT_S = 0.3


def leaves(drawing: Drawing) -> Drawing:
    """The drawing, with gradients wanted of all that an optimizer may move."""
    drawing = drawing.detached()
    for parameter in drawing.parameters():
        parameter.requires_grad_()
    return drawing


def start(strokes: int) -> Drawing:
    """Strokes as published."""
    return leaves(RandomStrokes(strokes)(Canvas(), torch.Generator().manual_seed(0)))


def blobs(count: int, size: int) -> Drawing:
    """Closed filled paths of four segments, about a tenth of the canvas across."""
    random = torch.Generator().manual_seed(0)
    angle = torch.arange(12) / 12 * 2 * torch.pi
    radius = 0.06 * size * (0.5 + torch.rand(count, 12, 1, generator=random))
    centers = size * torch.rand(count, 1, 2, generator=random)
    points = centers + radius * torch.stack((angle.cos(), angle.sin()), dim=1)
    fills = torch.rand(count, 4, generator=random)
    styles = (Style(closed=(True,), fill="nonzero", stroked=False),) * count
    none = torch.zeros(count), torch.zeros(count, 4)
    return Drawing(points.reshape(-1, 2), *none, (4,) * count, Canvas(size, size), styles=styles, fills=fills)


def both_ways_ms(drawing: Drawing, size: int, *, seconds: float = 2.0) -> float:
    """The median of forward and backward over about `seconds`, after a few that warm up."""
    weights = torch.rand(3, size, size, generator=torch.Generator().manual_seed(1))  # the image's gradient
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < FEWEST or time.perf_counter() - began < seconds:
        started = time.perf_counter()
        rasterize(drawing, height=size, width=size).backward(weights)
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times[3:]), 4)


def touched_pixels(drawing: Drawing, size: int) -> int:
    """How many pixels the layers may cover, each counted for each layer."""
    from clipdraw.raster.batch import make_batch
    from clipdraw.raster.covering import cover

    return int(cover(make_batch([drawing], (size, size))).counts[:, 0].sum())


@contextmanager
def busy_process() -> Iterator[None]:
    """Another process that never rests."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def fresh_process(code: str) -> list[float]:
    """The numbers that some code prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [float(word) for word in done.stdout.split()]


def first_call_s() -> float:
    """Seconds of the first call in a fresh process, importing torch apart."""
    code = (
        "import time, torch; t = time.perf_counter(); import clipdraw;"
        "d = clipdraw.RandomStrokes(16)(clipdraw.Canvas(), torch.Generator()); d.points.requires_grad_();"
        "clipdraw.rasterize(d).sum().backward(); print(time.perf_counter() - t)"
    )
    return min(fresh_process(code)[0] for _ in range(2))  # the first process may have to read from disk


def memory_mb(strokes: int, size: int) -> dict[str, float]:
    """The growth of the peak in a fresh process, forward and backward: over torch, which has multiplied two images of
    that size both ways, and over the same with a small drawing.

    The gradient of the image is there before; the drawing, the image, and all else, isn't.
    """
    code = (
        "import torch; from benchmarks.memory import peak_mb; torch.set_num_threads(1);"
        f"g = torch.rand(3, {size}, {size}); (g * g.clone().requires_grad_()).backward(g); bare = peak_mb();"
        "import clipdraw; from clipdraw.raster import set_threads; from benchmarks.raster import start; set_threads(2);"
        f"d = start({strokes}); clipdraw.rasterize(start(16)).sum().backward(); warm = peak_mb();"
        f"[clipdraw.rasterize(d, height={size}, width={size}).backward(g) for _ in range(3)];"
        "print(bare, warm, peak_mb())"
    )
    bare, warm, peak = fresh_process(code)
    return {
        "beyond torch": round(peak - bare, 1),
        "beyond torch and clipdraw": round(peak - warm, 1),
    }


def reference_memory_mb(strokes: int, size: int) -> float:
    """The growth of the reference's peak in a fresh process, over torch as in `memory_mb`."""
    code = (
        "import torch; from benchmarks.memory import peak_mb;"
        f"g = torch.rand(3, {size}, {size}); (g * g.clone().requires_grad_()).backward(g); bare = peak_mb();"
        f"import clipdraw; from benchmarks.raster import start; d = start({strokes});"
        f"clipdraw.rasterize(d, height={size}, width={size}, backend='reference').backward(g); print(peak_mb() - bare)"
    )
    return round(fresh_process(code)[0], 1)


def timed(case: Case, *, seconds: float) -> dict[str, float | bool | None]:
    """One case, with one thread and two, alone and beside a busy process."""
    drawing = case.drawing()
    row: dict[str, float | bool | None] = {}
    alone: dict[int, float] = {}
    for threads in (1, 2):
        set_threads(threads)
        row[f"{threads} threads"] = alone[threads] = both_ways_ms(drawing, case.size, seconds=seconds)
    with busy_process():
        row["2 threads, beside a busy process"] = busy = both_ways_ms(drawing, case.size, seconds=seconds)
    row["1 / 2 threads"] = round(alone[1] / alone[2], 2)
    row["busy / alone"] = round(busy / alone[2], 2)
    row["touched pixels"] = touched_pixels(drawing, case.size)
    row["limit"] = case.limit_ms
    row["kept"] = case.limit_ms is None or alone[2] <= case.limit_ms
    return row


def costs(*, seconds: float) -> dict[str, list[dict[str, float]]]:
    """Time against the number of strokes, and against touched pixels with the same strokes; two threads."""
    set_threads(2)
    by_strokes, by_pixels = [], []
    for count in STROKES:
        drawing = start(count)
        pixels, ms = touched_pixels(drawing, 224), both_ways_ms(drawing, 224, seconds=seconds)
        by_strokes.append({"strokes": count, "touched pixels": pixels, "ms": ms})
    for size in (224, 448):
        for width in WIDTHS:
            drawing = leaves(replace(start(512), widths=torch.full((512,), width)))
            pixels, ms = touched_pixels(drawing, size), both_ways_ms(drawing, size, seconds=seconds)
            by_pixels.append({"size": size, "width": width, "touched pixels": pixels, "ms": ms})
    return {"strokes": by_strokes, "pixels": by_pixels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each median")
    parser.add_argument("--out", type=Path, help="a file for the JSON beside standard output")
    parser.add_argument("--reference", action="store_true", help="its memory too, which takes minutes")
    options = parser.parse_args()
    first, memory = first_call_s(), memory_mb(4096, 1024)
    report = {
        "both ways, ms": {case.name: timed(case, seconds=options.seconds) for case in CASES},
        "cost, ms": costs(seconds=options.seconds),
        "memory of 4096 strokes at 1024, MB": {**memory, "limit": MEMORY_LIMIT_MB},
        "first call, s": {"first call": round(first, 2), "limit": FIRST_CALL_LIMIT_S},
        "torch": torch.__version__,
    }
    if options.reference:
        grown = reference_memory_mb(4096, 1024)
        report["memory of 4096 strokes at 1024, reference, MB"] = {"beyond torch": grown, "limit": REFERENCE_LIMIT_MB}
    text = json.dumps(report, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
