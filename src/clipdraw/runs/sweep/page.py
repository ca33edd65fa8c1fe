"""The page of a sweep: every drawing with its files."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from clipdraw.runs.sweep.plan import Cell
from clipdraw.runs.sweep.tasks import Outcome

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


def page(title: str, cells: Sequence[Cell], outcomes: Sequence[Outcome]) -> str:
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


def _figure(cell: Cell, outcome: Outcome) -> str:
    folder = f"runs/{quote(cell.name)}"
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
