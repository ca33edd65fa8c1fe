"""The picture of the page on plotters: `python docs/scripts/plotting_picture.py FOLDER`, of a run.

What it shows of a plot is the file for the plotter, read as any SVG.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from clipdraw.drawing import Drawing
from clipdraw.figures import Cell, Sheet, write_sheet
from clipdraw.plotting import Plan, plot

PICTURE = Path(__file__).parents[1] / "plotting.webp"
PENS = {
    "four pens of its colors": ("4",),
    "a black, a red and a blue pen": ("#000", "#d02010", "#1040c0"),
    "a black pen": ("#000",),
}


def main(run: Path) -> None:
    """Draw the sheet: the drawing, and its plots by different pens."""
    drawing = Drawing.load(run / "drawing.svg")
    cells = [Cell(drawing, ("the drawing",))]
    with TemporaryDirectory() as folder:
        for name, pens in PENS.items():
            file = Path(folder) / "plot.svg"
            found = plot(drawing, file, Plan(paper="150x150mm", margin=5, pens=pens))
            drawn, travel = sum(layer.drawn for layer in found.layers) / 1000, found.travel / 1000
            lines = name, f"{drawn:.1f} m of lines, {travel:.1f} m of travel"
            cells.append(Cell(Drawing.load(file), lines))
    write_sheet(Sheet([cells], side=300, scale=1.5), PICTURE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
