"""The drawings of a sweep together: a sheet as PNG and SVG, and a page."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.figures.sheet import Cell, Sheet, write_sheet
from clipdraw.io.files import write_text
from clipdraw.runs.sweep.page import page
from clipdraw.runs.sweep.plan import Cell as Planned
from clipdraw.runs.sweep.plan import Plan
from clipdraw.runs.sweep.tasks import Outcome

_SIDE, _LARGEST = 224, 10_000


def write_gathered(folder: Path, plan: Plan, cells: Sequence[Planned], outcomes: Sequence[Outcome]) -> None:
    """Write `sheet.png`, `sheet.svg` and `index.html` of what is drawn so far."""
    sheet = _sheet(plan, [Cell(_drawing(outcome), _words(outcome)) for outcome in outcomes])
    write_sheet(sheet, folder / "sheet.png", folder / "sheet.svg")
    write_text(page(plan.about or sheet.title, cells, outcomes), folder / "index.html")


def _drawing(outcome: Outcome) -> Drawing | str:
    """The drawing, or why there is none."""
    try:
        return Drawing.load(outcome.folder / "drawing.svg")
    except FormatError:
        return outcome.status


def _words(outcome: Outcome) -> tuple[str, ...]:
    """The nearest words in a line, as the paper's Figure 4 has them; nothing if they were not asked for."""
    return (", ".join(word.text for word in outcome.words),) if outcome.words else ()


def _sheet(plan: Plan, cells: Sequence[Cell]) -> Sheet:
    """One axis of several values: in rows as they come, captioned. More: the last one across, the others down."""
    axes = plan.axes()
    title = " · ".join(axis[0].label for axis in axes if len(axis) == 1)
    labels = [[choice.label for choice in axis] for axis in axes if len(axis) > 1]
    if len(labels) < 2:
        count = len(cells)
        columns = count if count <= 4 else math.ceil(math.sqrt(1.5 * count))
        captions = [(label,) for label in labels[0]] if labels else [()]
        captioned = [Cell(cell.shown, (*above, *cell.lines)) for cell, above in zip(cells, captions, strict=True)]
        return Sheet(_in_rows(captioned, columns), title=title, side=_side(columns, count))
    *down, across = labels
    rows = [", ".join(parts) for parts in itertools.product(*down)]
    side = _side(len(across), len(cells))
    return Sheet(_in_rows(cells, len(across)), columns=across, rows=rows, title=title, side=side)


def _in_rows(cells: Sequence[Cell], columns: int) -> list[Sequence[Cell]]:
    return [cells[start : start + columns] for start in range(0, len(cells), columns)]


def _side(columns: int, count: int) -> int:
    """The side of a cell, smaller where there are very many."""
    return max(16, min(_SIDE, _LARGEST // columns - 20, _LARGEST // math.ceil(count / columns) - 80))
