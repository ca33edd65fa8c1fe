"""`clipdraw plot`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipdraw.cli.options import Json, Quiet, takes_limits
from clipdraw.cli.progress import display

if TYPE_CHECKING:
    from clipdraw.plotting import Plotted


@takes_limits
def plot(
    source: Annotated[Path, typer.Argument(help="The folder of a run, or a drawing (.svg, .json).")],
    machine: Annotated[str, typer.Option(help="axidraw, hpgl, gcode, or svg for any other software.")] = "svg",
    paper: Annotated[str, typer.Option(help="a6 to a0, letter, legal, tabloid, or a size such as 200x300mm.")] = "a4",
    landscape: Annotated[bool, typer.Option("--landscape", help="The paper lies on its longer side.")] = False,
    margin: Annotated[float, typer.Option(help="Millimeters that stay free on all sides.")] = 15.0,
    size: Annotated[float, typer.Option(help="Millimeters of the drawing's width; 0: what the margins allow.")] = 0.0,
    pens: Annotated[
        str, typer.Option(help='Colors of the pens, "#000,#c00,teal"; or a number: as many colors of the drawing.')
    ] = "#000000",
    pen_width: Annotated[float, typer.Option(help="Millimeters; wider strokes are filled by several lines.")] = 0.5,
    opacity: Annotated[
        str, typer.Option(help="hatch: faint colors get lines farther apart; drop: they are drawn in full.")
    ] = "hatch",
    faint: Annotated[float, typer.Option(help="Leave out what covers less of the paper than this fraction.")] = 0.2,
    device: Annotated[str, typer.Option(help="The plotter that HPGL is for, as vpype calls it.")] = "hp7475a",
    pen_up: Annotated[str, typer.Option(help="The G-code that lifts the pen.")] = "G0 Z5",
    pen_down: Annotated[str, typer.Option(help="The G-code that lowers it, with the speed.")] = "G1 Z0 F1500",
    out: Annotated[Path | None, typer.Option(help="The file; DRAWING-MACHINE with the machine's ending.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a drawing for a pen plotter: lines in millimeters by pens, sorted so that the pen travels little.

    A stroke goes to the pen whose color is nearest. What is paler than its pen is hatched, strokes wider than the pen
    are filled, the background and what reaches beyond the canvas are left out.
    """
    with display(quiet=quiet) as shown:
        from clipdraw.drawing import Drawing
        from clipdraw.plotting import MACHINES, Plan
        from clipdraw.plotting import plot as write

        plan = Plan(
            machine, paper, landscape, margin, size, tuple(pens.split(",")), pen_width, opacity, faint, device,
            pen_up, pen_down,
        )  # fmt: skip
        file = source / "drawing.svg" if source.is_dir() else source
        target = out or file.with_name(f"{file.stem}-{machine}{MACHINES[machine]}")
        drawing = Drawing.load(file)
        if shown:
            shown.say(f"writing {target}")
        plotted = write(drawing, target, plan)
    _report(plotted, as_json=as_json)


def _report(plotted: Plotted, *, as_json: bool) -> None:
    if as_json:
        pens = [{"pen": each.pen, "lines": each.lines, "drawn_mm": each.drawn} for each in plotted.layers]
        travel = {"travel_mm": plotted.travel, "unsorted_travel_mm": plotted.unsorted_travel}
        print(json.dumps({"file": str(plotted.file), "pens": pens, **travel}))
        return
    for each in plotted.layers:
        print(f"{each.pen}  {each.lines} lines, {each.drawn / 1000:.2f} m")
    print(f"travel   {plotted.travel / 1000:.2f} m; in the drawing's order {plotted.unsorted_travel / 1000:.2f} m")
    print(plotted.file)
