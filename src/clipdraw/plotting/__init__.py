"""Drawings for pen plotters: lines in millimeters, sorted by pens, in the file that a machine reads.

vpype (extra `plotter`) sorts the lines and writes SVG and HPGL. It is imported when something is plotted.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError, MissingExtraError, check_fields
from clipdraw.io.svg.foreign.values import css_color

MACHINES = {"svg": ".svg", "axidraw": ".svg", "hpgl": ".hpgl", "gcode": ".gcode"}
"""The machines, and the ending of the file that each reads."""
OPACITIES = "hatch", "drop"
"""The ways to treat a color that is fainter than the pen's: lines farther apart, or nothing."""
MOST_PENS = 32
_LARGEST_MM = 10_000.0
_RANGES = {"margin": (0, 1000), "size": (0, _LARGEST_MM), "pen_width": (0.05, 100), "faint": (0, 1)}


@dataclass(frozen=True)
class Plan:
    """The way a drawing is plotted. Lengths are in millimeters.

    Args:
        machine: one of `MACHINES`. `axidraw` is SVG whose layers stop the machine to change pens.
        paper: `a6` to `a0`, `letter`, `legal`, `tabloid`, or a size such as `200x300mm`.
        landscape: whether the paper lies on its longer side.
        margin: free on all four sides, 0 to 1000.
        size: width of the drawing's canvas on the paper; 0 makes it as large as the margins allow.
        pens: a color of each pen, as CSS writes it; or one number: as many colors of the drawing itself.
        pen_width: of the line that a pen leaves, 0.05 to 100. Wider strokes are filled by several lines.
        opacity: `hatch`: what is fainter than its pen gets lines farther apart; `drop`: it is drawn in full.
        faint: what covers less than this fraction of the paper is left out, 0 to 1.
        device: the plotter that HPGL is written for, as vpype knows it.
        pen_up: the G-code that lifts the pen.
        pen_down: the G-code that lowers it, and says how fast it draws.

    Raises:
        InputError: a value is out of range.
    """

    machine: str = "svg"
    paper: str = "a4"
    landscape: bool = False
    margin: float = 15.0
    size: float = 0.0
    pens: tuple[str, ...] = ("#000000",)
    pen_width: float = 0.5
    opacity: str = "hatch"
    faint: float = 0.2
    device: str = "hp7475a"
    pen_up: str = "G0 Z5"
    pen_down: str = "G1 Z0 F1500"

    def __post_init__(self) -> None:
        check_fields(self, prefix="a plot's ")
        for name, allowed in (("machine", tuple(MACHINES)), ("opacity", OPACITIES)):
            if getattr(self, name) not in allowed:
                raise InputError(f"a plot's {name} is one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        for name, (lowest, highest) in _RANGES.items():
            if not lowest <= getattr(self, name) <= highest:
                raise InputError(f"a plot's {name} is from {lowest} to {highest}, got {getattr(self, name)}")
        if not 1 <= (self.pen_count or len(self.pens)) <= MOST_PENS:
            raise InputError(f"a plot has 1 to {MOST_PENS} pens, got {self.pen_count or len(self.pens)}")
        if self.pen_count is None:
            self.colors()

    @property
    def pen_count(self) -> int | None:
        """How many colors of the drawing are to be pens; None if the pens' colors are given."""
        return int(self.pens[0]) if len(self.pens) == 1 and self.pens[0].strip().isdecimal() else None

    def colors(self) -> list[tuple[float, float, float]]:
        """Red, green and blue of each given pen, in [0, 1].

        Raises:
            InputError: one is no color.
        """
        found = [css_color(text.strip()) for text in self.pens]
        for text, color in zip(self.pens, found, strict=True):
            if color is None:
                raise InputError(f"a pen's color is written #cc0000 or by its name, got {text!r}")
        return [(color[0], color[1], color[2]) for color in found if color is not None]


@dataclass(frozen=True)
class Layer:
    """The lines of one pen, as they stand in the file.

    Args:
        pen: its color.
        lines: how many there are.
        drawn: their length in millimeters.
    """

    pen: str
    lines: int
    drawn: float


@dataclass(frozen=True)
class Plotted:
    """A file for a plotter.

    Args:
        file: where it is.
        layers: of each pen that draws something, in their order.
        travel: how far the lifted pen goes from line to line, in millimeters.
        unsorted_travel: how far it would go if lines were in the drawing's order.
    """

    file: Path
    layers: tuple[Layer, ...]
    travel: float
    unsorted_travel: float


def plot(drawing: Drawing, out: str | Path, plan: Plan | None = None) -> Plotted:
    """Write a drawing for a plotter, without its background and its frame.

    What comes back is measured in the file that was written.

    Raises:
        MissingExtraError: vpype is not installed.
        InputError: no line is left, or the paper or the machine has no room for the drawing.
    """
    if find_spec("vpype") is None:
        raise MissingExtraError("plotting", extra="plotter")
    from clipdraw.plotting.page import arranged
    from clipdraw.plotting.reading import layers_of, travel_of
    from clipdraw.plotting.writing import write

    plan = plan or Plan()
    page, unsorted_travel = arranged(drawing, plan)
    write(page, Path(out), plan)
    layers = layers_of(Path(out), page, plan)
    summary = tuple(Layer(pen, len(lines), lines.length()) for pen, lines in layers.items())
    return Plotted(Path(out), summary, travel_of(layers.values()), unsorted_travel)
