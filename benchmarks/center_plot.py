"""The article's penalties against the distance from the middle: `python -m benchmarks.center_plot`.

Each curve is `clipdraw.optimization.center.Center` of one control point, in units of the published weight.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from benchmarks.raster_plot import ticks
from clipdraw import Canvas, Drawing, load_encoder
from clipdraw.optimization.center import Center
from clipdraw.optimization.losses import Frame

WIDTH, HEIGHT, MARGIN = 480, 260, 44
FARTHEST, MOST = 150, 6000.0
CURVES = (
    ("pull", Center(kind="pull"), "#777777"),
    ("ring 25", Center(25.0, kind="ring"), "#1f6f8b"),
    ("disc 75", Center(), "#c0603b"),
    ("ring 75", Center(kind="ring"), "#d29a1e"),
)


def penalties(center: Center) -> list[float]:
    """Of a point at each whole distance."""
    term, found = center.build(load_encoder()), []
    for distance in range(FARTHEST + 1):
        place = torch.tensor([112.0 + distance, 112.0])
        dot = Drawing(place.expand(4, 2).clone(), torch.ones(1), torch.ones(1, 4), (1,), Canvas())
        frame = Frame(dot, torch.ones(3, 1, 1), torch.ones(1, 1), 0.0)
        found.append(term(frame).item() / len(dot.points) / center.weight)
    return found


def plot() -> str:
    """The whole SVG."""

    def at(distance: float, value: float) -> tuple[float, float]:
        across, down = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
        return MARGIN + across * distance / FARTHEST, HEIGHT - MARGIN - down * value / MOST

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11" fill="#444444">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{MARGIN}" y="{MARGIN - 20}" font-weight="bold">penalty of a point, by its distance</text>',
    ]
    (left, bottom), right = at(0, 0), at(FARTHEST, 0)[0]
    for tick in ticks(MOST):
        y = at(0, tick)[1]
        lines.append(f'<path d="M{left} {y:.1f}H{right}" stroke="#dddddd"/>')
        lines.append(f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for distance in (0, 25, 75, 112, FARTHEST):
        x = at(distance, 0)[0]
        lines.append(f'<path d="M{x:.1f} {bottom}v4" stroke="#444444"/>')
        lines.append(f'<text x="{x:.1f}" y="{bottom + 17}" text-anchor="middle">{distance}</text>')
    for number, (name, center, color) in enumerate(CURVES):
        places = (at(distance, value) for distance, value in enumerate(penalties(center)) if value <= MOST)
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        dashes = ' stroke-dasharray="6 4"' if name == "ring 75" else ""  # the disc's curve shows through
        lines.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2"{dashes}/>')
        lines.append(f'<text x="{at(109, 0)[0]:.1f}" y="{MARGIN + 12 + 15 * number}" fill="{color}">{name}</text>')
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("svg", type=Path, nargs="?", default=Path("docs/penalties.svg"))
    parser.parse_args().svg.write_text(plot(), encoding="utf-8")


if __name__ == "__main__":
    main()
