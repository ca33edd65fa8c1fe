"""Diagrams of the code, made from the code: `python docs/scripts/diagrams.py [--check]`.

`layers.svg` shows the rooms of the package in their layers and which imports which; `way.svg` the calls from a prompt
to its files. With `--check` nothing is written, and the exit code is 1 if a picture is not what the code gives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import grimp
import svg
from call_trace import Call, record
from rooms import ROOT, layers, purpose

FIGURES = ROOT / "docs" / "figures"
COLORS = (svg.BLUE, svg.RED, svg.GOLD, svg.GREEN, "#7d4f9e", "#555555", "#b0578d", "#2e8b8b")


def imports() -> dict[tuple[str, str], int]:
    """How many modules of a room import from another, by the pair of rooms."""
    graph = grimp.build_graph("clipdraw", cache_dir=None)
    counts: dict[tuple[str, str], int] = {}
    for module in sorted(graph.modules):
        parts = module.split(".")
        if len(parts) > 1 and parts[1] != "__main__":
            others = {name.split(".")[1] for name in graph.find_modules_directly_imported_by(module) if "." in name}
            for other in others - {parts[1]}:
                counts[parts[1], other] = counts.get((parts[1], other), 0) + 1
    return counts


def layers_picture() -> str:
    """A row for each room, with a dot below each room that it imports: all lie on the diagonal's left."""
    rows, counts = list(reversed(layers())), imports()
    rooms = [room for layer in rows for room in layer]
    side, left, top = 27.0, 120.0, 96.0
    right = left + side * len(rooms)
    xs = {room: left + side * (k + 0.5) for k, room in enumerate(rooms)}
    parts, y = [], top
    for number, layer in enumerate(rows):
        height = side * len(layer)
        shade = "#f4f6f7" if number % 2 else "#ffffff"
        parts.append(svg.rect(0, y, right + 440, height, fill=shade))
        for room in layer:
            color = COLORS[number % len(COLORS)]
            middle = y + side / 2
            parts.append(svg.text(left - 10, middle + 4, room, size=12, text_anchor="end", fill=color))
            turned = f"translate({xs[room] + 4:g} {top - 6:g}) rotate(-60)"
            parts.append(svg.element("g", svg.text(0, 0, room, size=12), transform=turned))
            parts.append(svg.rect(xs[room] - 4, middle - 4, 8, 8, fill=svg.PALE))
            for other in rooms:
                if count := counts.get((room, other), 0):
                    parts.append(svg.dot(xs[other], middle, r=2.5 + 1.3 * count**0.5, fill=color))
            parts.append(svg.text(right + 14, middle + 4, about(room)))
            y += side
    return svg.picture(right + 440, y + 6, parts)


def about(room: str) -> str:
    """The purpose of a room, shortened to its place in the picture."""
    sentence = purpose(room)
    return sentence if len(sentence) <= 68 else sentence[:66].rsplit(" ", 1)[0] + " ..."


def way_picture(calls: Sequence[Call]) -> str:
    """The calls from top to bottom, each as an arrow from one room's line to another's, with what comes back."""
    order = [room for layer in layers() for room in layer]
    rooms = sorted({room for call in calls for room in (call.caller, call.room)}, key=order.index)
    lane, row, top = 64.0, 21.0, 62.0
    xs = {room: 40 + lane * k for k, room in enumerate(rooms)}
    bottom, label = top + row * len(calls) + 6, 40 + lane * (len(rooms) - 1) + 30
    back, parts = label + 270, []
    for k, room in enumerate(rooms):
        color = COLORS[k % len(COLORS)]
        parts.append(svg.line(xs[room], 42, xs[room], bottom, stroke=svg.PALE))
        high = 18 if k % 2 else 35
        parts.append(svg.text(xs[room], high, room, size=12, text_anchor="middle", font_weight="bold", fill=color))
    for k, call in enumerate(calls):
        y, color = top + row * k, COLORS[rooms.index(call.room) % len(COLORS)]
        parts.append(svg.dot(xs[call.caller], y, r=2.5))
        parts.append(svg.arrow(xs[call.caller], y, xs[call.room], y, stroke=color, stroke_width=1.4))
        inner = call.module.partition(".")[2]
        name = call.name if "." in call.name or not inner else f"{inner}.{call.name}"
        parts.append(svg.text(label, y + 4, name, size=12, fill=color))
        if call.result:
            parts.append(svg.text(back, y + 4, call.result, size=12))
    parts.append(svg.text(label, 35, "function", size=12, font_weight="bold"))
    parts.append(svg.text(back, 35, "gives back", size=12, font_weight="bold"))
    return svg.picture(back + 170, bottom + 10, parts)


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
