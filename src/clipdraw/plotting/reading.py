"""The lines that a file makes a plotter draw: read back, to measure and to check it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import vpype

from clipdraw.errors import InputError
from clipdraw.plotting import Plan
from clipdraw.plotting.page import PX_PER_MM, page_size

_FINE = 0.01 * PX_PER_MM
"""vpype cuts curves into pieces of this length; there are none."""


def layers_of(file: Path, page: vpype.Document, plan: Plan) -> dict[str, vpype.LineCollection]:
    """The lines in a file in millimeters from the upper left of the paper, by the names of their pens.

    Args:
        file: what was written.
        page: what it was written from, for the names of pens that HPGL only numbers.
        plan: the machine and the paper.
    """
    numbered = {"hpgl": _from_hpgl, "gcode": _from_gcode}.get(plan.machine, _from_svg)(file, plan)
    return {str(page[number].property(vpype.METADATA_FIELD_COLOR)): lines for number, lines in numbered.items()}


def travel_of(layers: Iterable[vpype.LineCollection]) -> float:
    """How far a lifted pen goes from line to line, in millimeters."""
    return float(sum(lines.pen_up_length()[0] for lines in layers))


def hpgl_paper(plan: Plan) -> tuple[vpype.PlotterConfig, vpype.PaperConfig]:
    """The facts that vpype knows of a plotter for HPGL, and of the paper in it.

    Raises:
        InputError: it does not know them.
    """
    plotter = vpype.config_manager.get_plotter_config(plan.device)
    if plotter is None:
        known = ", ".join(vpype.config_manager.get_plotter_list())
        raise InputError(f"an HPGL plotter is one of {known}, got {plan.device!r}")
    paper = plotter.paper_config(plan.paper)
    if paper is None or paper.paper_size is None:
        known = ", ".join(each.name for each in plotter.paper_configs if each.paper_size)
        raise InputError(f"the {plan.device} takes the papers {known or 'of no fixed size'}, got {plan.paper!r}")
    return plotter, paper


def reach(plotter: vpype.PlotterConfig, paper: vpype.PaperConfig, plan: Plan) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what a plotter reaches of the paper, in millimeters."""
    if paper.x_range is None or paper.y_range is None:
        return -math.inf, -math.inf, math.inf, math.inf
    to_page = _hpgl_places(plotter, paper, plan)
    ends = [to_page(complex(x, y)) for x, y in zip(paper.x_range, paper.y_range, strict=True)]
    xs, ys = sorted(end.real for end in ends), sorted(end.imag for end in ends)
    return xs[0], ys[0], xs[1], ys[1]


def _hpgl_places(plotter: vpype.PlotterConfig, paper: vpype.PaperConfig, plan: Plan) -> Callable[[complex], complex]:
    """From a plotter's units to millimeters from the upper left of the paper as it is looked at."""
    assert paper.paper_size is not None
    width, height = paper.paper_size
    left, top = paper.origin_location
    if paper.origin_location_reference == "botleft":
        top = height - top
    unit, upward = plotter.plotter_unit_length, -1 if paper.y_axis_up else 1
    turned = plan.landscape != (width > height)

    def place(at: complex) -> complex:
        x, y = left + unit * at.real, top + upward * unit * at.imag
        if paper.rotate_180:
            x, y = width - x, height - y
        if turned:
            x, y = height - y, x
        return complex(x, y) / PX_PER_MM

    return place


def _from_svg(file: Path, plan: Plan) -> dict[int, vpype.LineCollection]:
    document = vpype.read_multilayer_svg(str(file), quantization=_FINE)
    document.scale(1 / PX_PER_MM)
    return dict(document.layers)


def _from_hpgl(file: Path, plan: Plan) -> dict[int, vpype.LineCollection]:
    place = _hpgl_places(*hpgl_paper(plan), plan)
    layers: dict[int, vpype.LineCollection] = {}
    pen, at = 0, 0j
    for name, text in re.findall(r"(SP|PU|PD)([\d,.-]*);", file.read_text(encoding="utf-8")):
        numbers = [float(number) for number in text.split(",") if number]
        points = [place(complex(x, y)) for x, y in zip(numbers[::2], numbers[1::2], strict=False)]
        if name == "SP":
            pen = int(numbers[0])
        elif name == "PD":
            layers.setdefault(pen, vpype.LineCollection()).append(np.array([at, *points]))
        at = points[-1] if points else at
    return layers


def _from_gcode(file: Path, plan: Plan) -> dict[int, vpype.LineCollection]:
    height = page_size(plan)[1]
    layers: dict[int, vpype.LineCollection] = {}
    text = file.read_text(encoding="utf-8")
    for pen, moves in re.findall(r"\(pen (\d+)[^)]*\)([^(]*)", text):
        lines: list[list[complex]] = []
        for move, x, y in re.findall(r"^G([01]) X([\d.-]+) Y([\d.-]+)", moves, re.MULTILINE):
            if move == "0":
                lines.append([])
            lines[-1].append(complex(float(x), height - float(y)))
        layers[int(pen)] = vpype.LineCollection([np.array(line) for line in lines if len(line) > 1])
    return layers
