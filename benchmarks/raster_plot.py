"""Draw time against strokes and against touched pixels: `python -m benchmarks.raster_plot raster.json`.

Reads what `benchmarks.raster` wrote. Each panel has a straight line, fitted by least squares.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, MARGIN, GAP = 360, 240, 44, 24
COLORS = {"points": "#1f6f8b", "line": "#c0603b", "ink": "#444444", "grid": "#dddddd"}


def ticks(most: float, *, about: int = 4) -> list[float]:
    """Round numbers from 0 to at most `most`."""
    power = 10 ** math.floor(math.log10(most / about))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor * about >= most)
    return [step * k for k in range(int(most / step) + 1)]


def label(number: float) -> str:
    """A short number: 20, 500k, 2M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def panel(left: float, title: str, xs: Sequence[float], times: Sequence[float]) -> list[str]:
    """The elements of one plot."""
    across, down = WIDTH - MARGIN - 12, HEIGHT - 2 * MARGIN
    most_x, most_y = 1.05 * max(xs), 1.1 * max(times)
    slope, base = np.polyfit(xs, times, 1)
    off = np.sqrt(np.mean((np.polyval((slope, base), xs) - times) ** 2)) / np.mean(times)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + MARGIN + across * x / most_x, HEIGHT - MARGIN - down * y / most_y

    (x0, y0), x1 = at(0, 0), at(most_x, 0)[0]
    parts = [f'<text x="{x0}" y="{MARGIN - 20}" font-weight="bold">{title}</text>']
    for tick in ticks(most_y):
        y = at(0, tick)[1]
        parts.append(f'<path d="M{x0} {y:.1f}H{x1}" stroke="{COLORS["grid"]}"/>')
        parts.append(f'<text x="{x0 - 5}" y="{y + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    for tick in ticks(most_x):
        x = at(tick, 0)[0]
        parts.append(f'<path d="M{x:.1f} {y0}v4" stroke="{COLORS["ink"]}"/>')
        parts.append(f'<text x="{x:.1f}" y="{y0 + 17}" text-anchor="middle">{label(tick)}</text>')
    (ax, ay), (bx, by) = at(0, max(base, 0)), at(max(xs), base + slope * max(xs))
    parts.append(f'<path d="M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}" stroke="{COLORS["line"]}" stroke-width="1.5"/>')
    for x, y in (at(*pair) for pair in zip(xs, times, strict=True)):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLORS["points"]}"/>')
    each = f"{1e6 * slope:.3g} ns" if slope < 1e-3 else f"{1e3 * slope:.3g} µs"
    told = f"{base:.2f} ms + {each} each; off by {100 * off:.0f} %"
    return [*parts, f'<text x="{x0}" y="{HEIGHT - 8}" fill="{COLORS["line"]}">{told}</text>']


def plot(costs: dict[str, list[dict[str, float]]]) -> str:
    """The whole SVG."""
    strokes, pixels = costs["strokes"], costs["pixels"]
    total = 2 * WIDTH + GAP
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{HEIGHT}" viewBox="0 0 {total} {HEIGHT}" '
        f'font-family="sans-serif" font-size="11" fill="{COLORS["ink"]}">',
        f'<rect width="{total}" height="{HEIGHT}" fill="white"/>',
        *panel(0, "ms, by published strokes at 224", *columns(strokes, "strokes")),
        *panel(WIDTH + GAP, "ms, by touched pixels (512 strokes)", *columns(pixels, "touched pixels")),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def columns(rows: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    """One column, and the times."""
    return [row[name] for row in rows], [row["ms"] for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("svg", type=Path, nargs="?", default=Path("docs/raster-cost.svg"))
    options = parser.parse_args()
    report = json.loads(options.report.read_text(encoding="utf-8"))
    options.svg.write_text(plot(report["cost, ms"]), encoding="utf-8")


if __name__ == "__main__":
    main()
