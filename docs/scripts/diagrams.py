"""Diagrams of the code, made from the code: `python docs/scripts/diagrams.py [--check]`.

`layers.svg` shows the parts of the package in their layers and which imports which; `way.svg` the calls from a prompt
to its files. With `--check` nothing is written, and the exit code is 1 if a picture is not what the code gives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import grimp
import svg
from call_trace import Call, record
from parts import ROOT, layers, purpose

FIGURES = ROOT / "docs" / "figures"
COLORS = (svg.BLUE, svg.RED, svg.GOLD, svg.GREEN, "#7d4f9e", "#555555", "#b0578d", "#2e8b8b")


def imports() -> dict[tuple[str, str], int]:
    """How many modules of a part import from another, by the pair of parts."""
    graph = grimp.build_graph("clipdraw", cache_dir=None)
    counts: dict[tuple[str, str], int] = {}
    for module in sorted(graph.modules):
        pieces = module.split(".")
        if len(pieces) > 1 and pieces[1] != "__main__":
            others = {name.split(".")[1] for name in graph.find_modules_directly_imported_by(module) if "." in name}
            for other in others - {pieces[1]}:
                counts[pieces[1], other] = counts.get((pieces[1], other), 0) + 1
    return counts


def layers_picture() -> str:
    """A row for each part, with a dot below each part that it imports: all lie on the diagonal's left."""
    rows, counts = list(reversed(layers())), imports()
    parts = [part for layer in rows for part in layer]
    side, left, top = 27.0, 120.0, 96.0
    right = left + side * len(parts)
    xs = {part: left + side * (k + 0.5) for k, part in enumerate(parts)}
    pieces, y = [], top
    for number, layer in enumerate(rows):
        height = side * len(layer)
        shade = "#f4f6f7" if number % 2 else "#ffffff"
        pieces.append(svg.rect(0, y, right + 440, height, fill=shade))
        for part in layer:
            color = COLORS[number % len(COLORS)]
            middle = y + side / 2
            pieces.append(svg.text(left - 10, middle + 4, part, size=12, text_anchor="end", fill=color))
            turned = f"translate({xs[part] + 4:g} {top - 6:g}) rotate(-60)"
            pieces.append(svg.element("g", svg.text(0, 0, part, size=12), transform=turned))
            pieces.append(svg.rect(xs[part] - 4, middle - 4, 8, 8, fill=svg.PALE))
            for other in parts:
                if count := counts.get((part, other), 0):
                    pieces.append(svg.dot(xs[other], middle, r=2.5 + 1.3 * count**0.5, fill=color))
            pieces.append(svg.text(right + 14, middle + 4, about(part)))
            y += side
    return svg.picture(right + 440, y + 6, pieces)


def about(part: str) -> str:
    """The purpose of a part, shortened to its place in the picture."""
    sentence = purpose(part)
    return sentence if len(sentence) <= 68 else sentence[:66].rsplit(" ", 1)[0] + " ..."


def way_picture(calls: Sequence[Call]) -> str:
    """The calls from top to bottom, each as an arrow from one part's line to another's, with what comes back."""
    order = [part for layer in layers() for part in layer]
    parts = sorted({part for call in calls for part in (call.caller, call.part)}, key=order.index)
    lane, row, top = 64.0, 21.0, 62.0
    xs = {part: 40 + lane * k for k, part in enumerate(parts)}
    bottom, label = top + row * len(calls) + 6, 40 + lane * (len(parts) - 1) + 30
    back, pieces = label + 270, []
    for k, part in enumerate(parts):
        color = COLORS[k % len(COLORS)]
        pieces.append(svg.line(xs[part], 42, xs[part], bottom, stroke=svg.PALE))
        high = 18 if k % 2 else 35
        pieces.append(svg.text(xs[part], high, part, size=12, text_anchor="middle", font_weight="bold", fill=color))
    for k, call in enumerate(calls):
        y, color = top + row * k, COLORS[parts.index(call.part) % len(COLORS)]
        pieces.append(svg.dot(xs[call.caller], y, r=2.5))
        if call.part != call.caller:
            pieces.append(svg.arrow(xs[call.caller], y, xs[call.part], y, stroke=color, stroke_width=1.4))
        inner = call.module.partition(".")[2]
        name = call.name if "." in call.name or not inner else f"{inner}.{call.name}"
        pieces.append(svg.text(label, y + 4, name, size=12, fill=color))
        if call.result:
            pieces.append(svg.text(back, y + 4, call.result, size=12))
    pieces.append(svg.text(label, 35, "function", size=12, font_weight="bold"))
    pieces.append(svg.text(back, 35, "gives back", size=12, font_weight="bold"))
    return svg.picture(back + 170, bottom + 10, pieces)


def main() -> int:
    """Write the pictures, or compare them with those that are there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, content in (("layers.svg", layers_picture()), ("way.svg", way_picture(record()))):
        file = FIGURES / name
        if not file.exists() or file.read_text(encoding="utf-8") != content:
            stale.append(name)
        if not check:
            file.write_text(content, encoding="utf-8")
    if check and stale:
        print(f"not what the code gives: {', '.join(stale)}; run python docs/scripts/diagrams.py", file=sys.stderr)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
