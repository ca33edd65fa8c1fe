"""Pages as files for machines: SVG and HPGL by vpype, and G-code."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import numpy as np
import vpype

from clipdraw.errors import InputError
from clipdraw.io import write_text
from clipdraw.plotting import Plan
from clipdraw.plotting.page import PX_PER_MM
from clipdraw.plotting.reading import hpgl_paper, reach


def write(page: vpype.Document, out: Path, plan: Plan) -> None:
    """Write a page for the machine of a plan, whole or not at all.

    Raises:
        InputError: the machine cannot reach all of it, or has fewer pens.
    """
    text = {"hpgl": _hpgl, "gcode": _gcode}.get(plan.machine, _svg)
    write_text(text(page, plan), out)


def _svg(page: vpype.Document, plan: Plan) -> str:
    """An SVG in millimeters with a layer for each pen, as Inkscape has them."""
    stream = StringIO()
    vpype.write_svg(stream, page, source_string="clipdraw plot", set_date=False)
    return stream.getvalue()


def _hpgl(page: vpype.Document, plan: Plan) -> str:
    plotter, paper = hpgl_paper(plan)
    if max(page.ids()) > plotter.pen_count:
        raise InputError(f"the {plan.device} has {plotter.pen_count} pens, not {max(page.ids())}")
    left, top, right, bottom = reach(plotter, paper, plan)
    bounds = page.bounds()
    assert bounds is not None
    x1, y1, x2, y2 = (side / PX_PER_MM for side in bounds)
    missing = max(left - x1, top - y1, x2 - right, y2 - bottom)
    if missing > 0:
        raise InputError(
            f"the {plan.device} does not reach the edge of {plan.paper}: give --margin {plan.margin + missing:.1f}"
        )
    stream = StringIO()
    vpype.write_hpgl(
        stream, page, page_size=paper.name, landscape=plan.landscape, center=False, device=plan.device,
        velocity=None, absolute=True, quiet=True,
    )  # fmt: skip
    return stream.getvalue()


def _gcode(page: vpype.Document, plan: Plan) -> str:
    """G-code in millimeters, the origin at the lower left of the paper; it stops before each pen but the first."""
    assert page.page_size is not None
    height = page.page_size[1] / PX_PER_MM
    commands = ["G21", "G90", plan.pen_up]
    for number, layer in page.layers.items():
        commands += [f"(pen {layer.property('vp_name')})", *(["M0"] if number != min(page.ids()) else [])]
        for line in layer:
            start, *rest = _places(line / PX_PER_MM, height)
            commands += [f"G0 {start}", plan.pen_down, *(f"G1 {place}" for place in rest), plan.pen_up]
    return "\n".join([*commands, "G0 X0 Y0", "M2", ""])


def _places(line: np.ndarray, height: float) -> Iterator[str]:
    return (f"X{point.real:.3f} Y{height - point.imag:.3f}" for point in line)
