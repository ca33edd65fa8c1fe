"""The rasterizer, forward and backward: `python -m benchmarks.raster`. Prints JSON; medians in milliseconds.

Strokes are as published: 1 to 3 segments, steps of 11.2 units, 2 units wide. Every figure is taken in one
process, with one and two threads, alone and beside a busy process.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from clipdraw import Drawing, RandomStrokes, rasterize
from clipdraw.drawing import Canvas
from clipdraw.raster import set_threads

CASES = ((256, 224), (1024, 224), (4096, 224), (1024, 1024))
LIMIT_MS = {(256, 224): 8.0}


def start(strokes: int) -> Drawing:
    drawing = RandomStrokes(strokes)(Canvas(), torch.Generator().manual_seed(0))
    for parameter in drawing.parameters():
        parameter.requires_grad_()
    return drawing


def both_ways_ms(drawing: Drawing, size: int, *, seconds: float = 2.0) -> float:
    """The median of forward and backward over about `seconds`, after a few that warm up."""
    weights = torch.rand(3, size, size, generator=torch.Generator().manual_seed(1))  # the image's gradient
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 8 or time.perf_counter() - began < seconds:
        started = time.perf_counter()
        rasterize(drawing, height=size, width=size).backward(weights)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[3:])


@contextmanager
def busy_process() -> Iterator[None]:
    """Another process that never rests."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def first_call_s() -> float:
    """Seconds of the first call in a fresh process, importing torch apart."""
    code = (
        "import time, torch; from benchmarks.raster import start; d = start(16); t = time.perf_counter();"
        "import clipdraw; clipdraw.rasterize(d).sum().backward(); print(time.perf_counter() - t)"
    )
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    report = {}
    for strokes, size in CASES:
        drawing = start(strokes)
        row = {}
        for threads in (1, 2):
            set_threads(threads)
            row[f"{threads} threads"] = both_ways_ms(drawing, size)
        with busy_process():
            row["2 threads, beside a busy process"] = both_ways_ms(drawing, size)
        row["busy / alone"] = row["2 threads, beside a busy process"] / row["2 threads"]
        if (strokes, size) in LIMIT_MS:
            row["limit"] = LIMIT_MS[strokes, size]
        report[f"{strokes} strokes at {size}"] = row
    print(json.dumps({"both ways, ms": report, "first call, s": first_call_s()}, indent=1))


if __name__ == "__main__":
    main()
