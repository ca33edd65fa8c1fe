"""The drawings of a sweep together: a sheet as PNG and SVG, and a page with links to every file."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.figures import Cell, Sheet, write_sheet
from clipdraw.io import write_text
from clipdraw.runs.sweep.plan import Cell as Planned
from clipdraw.runs.sweep.plan import Plan
from clipdraw.runs.sweep.workers import Outcome

_SIDE, _LARGEST = 224, 10_000
_STYLE = """
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1.5rem; }
figure { margin: 0; }
img, .none { width: 100%; aspect-ratio: 1; object-fit: contain; background: white; border: 1px solid #8884;
  box-sizing: border-box; }
.none { display: grid; place-items: center; background: none; }
small { opacity: 0.75; }
"""
_FILES = (("SVG", "drawing.svg"), ("PNG", "drawing.png"), ("film", "making-of.svg"), ("settings", "run.json"))


def write_gathered(folder: Path, plan: Plan, cells: Sequence[Planned], outcomes: Sequence[Outcome]) -> None:
    """Write `sheet.png`, `sheet.svg` and `index.html` of what is drawn so far."""
    sheet = _sheet(plan, [Cell(_drawing(outcome), _words(outcome)) for outcome in outcomes])
    write_sheet(sheet, folder / "sheet.png", folder / "sheet.svg")
    write_text(_page(plan.about or sheet.title, cells, outcomes), folder / "index.html")


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


def _page(title: str, cells: Sequence[Planned], outcomes: Sequence[Outcome]) -> str:
    """The text of an HTML page that needs nothing but the files beside it."""
    shown = escape(title or "A sweep")
    figures = [_figure(cell, outcome) for cell, outcome in zip(cells, outcomes, strict=True)]
    finished = sum(outcome.status == "finished" for outcome in outcomes)
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{shown}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{shown}</h1>",
            f'<p>{finished} of {len(cells)} drawings; together: <a href="sheet.png">PNG</a>, '
            '<a href="sheet.svg">SVG</a>.</p>',
            "<main>",
            *figures,
            "</main></body></html>",
            "",
        ]
    )


def _figure(cell: Planned, outcome: Outcome) -> str:
    folder = f"runs/{quote(outcome.folder.name)}"
    label, prompt = escape(", ".join(cell.labels[1:]) or cell.config.prompt), escape(cell.config.prompt)
    if not (outcome.folder / "drawing.svg").is_file():
        why = escape(outcome.message or outcome.status)
        caption = f"<figcaption>{prompt}<br><small>{label}</small></figcaption>"
        return f'<figure><div class="none">{why}</div>{caption}</figure>'
    links = " ".join(
        f'<a href="{folder}/{file}">{name}</a>' for name, file in _FILES if (outcome.folder / file).is_file()
    )
    similarity = "" if outcome.similarity is None else f"similarity {outcome.similarity:.3f}, "
    words = f"<br>{escape(', '.join(word.text for word in outcome.words))}" if outcome.words else ""
    state = "" if outcome.status == "finished" else f"{escape(outcome.status)}, "
    about = f"{label}<br>{state}{similarity}{outcome.seconds:.1f} s{words}<br>{links}"
    return (
        f'<figure><a href="{folder}/drawing.svg"><img src="{folder}/drawing.svg" alt="{prompt}" loading="lazy"></a>'
        f"<figcaption>{prompt}<br><small>{about}</small></figcaption></figure>"
    )
