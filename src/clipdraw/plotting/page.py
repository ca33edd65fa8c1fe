"""A drawing on paper: a layer of lines for each pen, placed between the margins and sorted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
import vpype
import vpype_cli
from PIL import Image

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError
from clipdraw.plotting import Plan
from clipdraw.plotting.marks import Mark, marks_of

PX_PER_MM = vpype.convert_length("mm")
"""vpype's unit: CSS pixels."""
_SHORTEST_MM, _SIMPLE_MM = 0.05, 0.02
_SAMPLES = 2000  # of the drawing's colors, by their areas

Color = tuple[float, float, float]


def arranged(drawing: Drawing, plan: Plan) -> tuple[vpype.Document, float]:
    """The page for a plotter, and how far a lifted pen would go in millimeters if its lines were not sorted.

    Raises:
        InputError: no line is left, or there is no room.
    """
    size = page_size(plan)
    scale, corner = _placed(drawing.canvas, size, plan)
    marks = list(marks_of(drawing, scale))
    pens = plan.colors() if plan.pen_count is None else main_colors(marks, plan.pen_count)
    page = vpype.Document(page_size=(size[0] * PX_PER_MM, size[1] * PX_PER_MM))
    for number, (pen, lines) in enumerate(_inked(marks, pens, drawing, plan).items(), 1):
        layer = vpype.LineCollection(lines)
        layer.crop(0, 0, drawing.canvas.width * scale, drawing.canvas.height * scale)
        if not layer.is_empty():
            stop = "!" if plan.machine == "axidraw" and not page.is_empty() else ""
            page.add(layer, number)
            page[number].set_property(vpype.METADATA_FIELD_COLOR, vpype.Color(hex_of(pen)))
            page[number].set_property(vpype.METADATA_FIELD_NAME, f"{stop}{number} {hex_of(pen)}")
            page[number].set_property(vpype.METADATA_FIELD_PEN_WIDTH, plan.pen_width * PX_PER_MM)
    if page.is_empty():
        raise InputError("no line is left to plot: lower --faint or name pens of the drawing's colors")
    page.translate(*corner)
    page.scale(PX_PER_MM)
    return vpype_cli.execute("linesort --two-opt", page), page.pen_up_length() / PX_PER_MM


def page_size(plan: Plan) -> tuple[float, float]:
    """Width and height of the paper in millimeters.

    Raises:
        InputError: the paper is not known.
    """
    try:
        short, long = sorted(side / PX_PER_MM for side in vpype.convert_page_size(plan.paper))
    except ValueError:
        short = long = 0.0
    if short <= 0:
        names = ", ".join(name for name in vpype.PAGE_SIZES if name != "tight")
        raise InputError(f"a paper is one of {names}, or a size such as 200x300mm, got {plan.paper!r}")
    return (long, short) if plan.landscape else (short, long)


def _placed(canvas: Canvas, size: tuple[float, float], plan: Plan) -> tuple[float, tuple[float, float]]:
    """Millimeters of a canvas unit, and where the canvas's upper left corner is so that it lies in the middle."""
    room = size[0] - 2 * plan.margin, size[1] - 2 * plan.margin
    largest = min(room[0] / canvas.width, room[1] / canvas.height)
    scale = plan.size / canvas.width if plan.size else largest
    paper = f"{plan.paper} with margins of {plan.margin:g} mm"
    if largest <= 0:
        raise InputError(f"{paper} has no room for a drawing")
    if scale > largest * (1 + 1e-6):
        raise InputError(f"{paper} has room for a width of {largest * canvas.width:g} mm, not of {plan.size:g}")
    return scale, ((size[0] - canvas.width * scale) / 2, (size[1] - canvas.height * scale) / 2)


def _inked(marks: Sequence[Mark], pens: Sequence[Color], drawing: Drawing, plan: Plan) -> dict[Color, list[np.ndarray]]:
    """The lines of each pen in millimeters, as complex numbers."""
    paper = np.array(drawing.paper.detach().tolist())
    lines: dict[Color, list[np.ndarray]] = {pen: [] for pen in pens}
    for mark in marks:
        pen = nearest(mark.color, pens)
        coverage = mark.opacity * darkness(mark.color, pen, paper)
        if coverage >= max(plan.faint, 1e-3):
            inked = mark.lines(plan.pen_width, coverage if plan.opacity == "hatch" else 1.0)
            lines[pen] += _as_lines(inked)
    return lines


def nearest(color: Color, pens: Sequence[Color]) -> Color:
    """The pen whose color is nearest, by red, green and blue."""
    distances = np.square(np.array(pens) - np.array(color)).sum(1)
    return pens[int(distances.argmin())]


def darkness(color: Color, pen: Color, paper: np.ndarray) -> float:
    """How much of the paper a pen has to cover to look like a color from afar, in [0, 1]."""
    ink = np.array(pen) - paper
    length = float(ink @ ink)
    return float(np.clip((np.array(color) - paper) @ ink / length, 0, 1)) if length else 1.0


def main_colors(marks: Sequence[Mark], count: int) -> list[Color]:
    """The colors that stand best for those of a drawing, by their areas; the lightest first."""
    areas = np.array([mark.area for mark in marks])
    repeats = np.ceil(areas / max(areas.sum(), 1e-9) * _SAMPLES).astype(int) if len(marks) else []
    colors = np.repeat(np.array([mark.color for mark in marks]).reshape(-1, 3), repeats, axis=0)
    if not len(colors):
        return [(0.0, 0.0, 0.0)]
    samples = Image.fromarray((255 * colors[None]).round().astype(np.uint8))
    chosen = samples.quantize(count, kmeans=count).convert("RGB").getcolors(_SAMPLES * 2) or []
    found = {(red / 255, green / 255, blue / 255) for _, (red, green, blue) in chosen}
    return sorted(found, key=lambda color: (-sum(color), color))


def hex_of(color: Color) -> str:
    """A color as `#rrggbb`."""
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in color)


def _as_lines(inked: shapely.Geometry) -> list[np.ndarray]:
    """The lines of a geometry, without vertices that change nothing and without specks."""
    parts = shapely.get_parts(shapely.get_parts(inked.simplify(_SIMPLE_MM)))
    found = [shapely.get_coordinates(part) for part in parts if part.length >= _SHORTEST_MM]
    return [coordinates[:, 0] + 1j * coordinates[:, 1] for coordinates in found]
