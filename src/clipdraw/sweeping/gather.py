"""The drawings of a sweep together: a sheet as PNG and SVG, and a page."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.formats.atomic import write_text
from clipdraw.sheets import Sheet, write_sheet
from clipdraw.sweeping.page import page
from clipdraw.sweeping.plan import Cell, Plan
from clipdraw.sweeping.tasks import Outcome

_SIDE, _LARGEST = 224, 10_000
_Item = TypeVar("_Item")


def write_gathered(folder: Path, plan: Plan, cells: Sequence[Cell], outcomes: Sequence[Outcome]) -> None:
    """Write `sheet.png`, `sheet.svg` and `index.html` of what is drawn so far."""
    sheet = _sheet(plan, [_drawing(outcome) for outcome in outcomes])
    for ending in ("png", "svg"):
        write_sheet(sheet, folder / f"sheet.{ending}")
    write_text(page(plan.about or sheet.title, cells, outcomes), folder / "index.html")


def _drawing(outcome: Outcome) -> Drawing | str:
    """The drawing, or why there is none."""
    try:
        return Drawing.load(outcome.folder / "drawing.svg")
    except FormatError:
        return outcome.status


def _sheet(plan: Plan, drawings: Sequence[Drawing | str]) -> Sheet:
    """One axis of several values: in rows as they come, captioned. More: the last one across, the others down."""
    axes = plan.axes()
    title = " · ".join(axis[0].label for axis in axes if len(axis) == 1)
    labels = [[choice.label for choice in axis] for axis in axes if len(axis) > 1]
    if len(labels) < 2:
        count = len(drawings)
        columns = count if count <= 4 else math.ceil(math.sqrt(1.5 * count))
        captions = labels[0] if labels else [""]
        return Sheet(
            _in_rows(drawings, columns), captions=_in_rows(captions, columns), title=title, side=_side(columns, count)
        )
    *down, across = labels
    rows = [", ".join(parts) for parts in itertools.product(*down)]
    side = _side(len(across), len(drawings))
    return Sheet(_in_rows(drawings, len(across)), columns=across, rows=rows, title=title, side=side)


def _in_rows(items: Sequence[_Item], columns: int) -> list[Sequence[_Item]]:
    return [items[start : start + columns] for start in range(0, len(items), columns)]


def _side(columns: int, count: int) -> int:
    """The side of a cell, smaller where there are very many."""
    return max(16, min(_SIDE, _LARGEST // columns - 20, _LARGEST // math.ceil(count / columns) - 80))
