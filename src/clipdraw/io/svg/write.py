"""A drawing as the text of an SVG file, the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

from clipdraw.drawing import Drawing, control_points
from clipdraw.errors import InputError
from clipdraw.io.svg.numbers import LIMIT, shortest
from clipdraw.io.svg.write_styles import (
    NAMESPACE,
    color_text,
    definitions,
    held,
    paint_attributes,
    transform_entries,
)

VERSION = "1"

_UNSAFE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile("[\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def to_svg(drawing: Drawing) -> str:
    """The drawing as the text of an SVG file.

    Coordinates, widths, colors and opacities are written with as many digits as give the same 32-bit
    float again; colors are `rgb()` percentages, which browsers, resvg, librsvg and Inkscape accept with
    decimals. Values a little outside are written as renderers treat them: colors and opacity are
    limited to [0, 1], widths to 0 and above, and the offsets of a gradient's stops to those before them.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    return document(drawing)


def document(
    drawing: Drawing,
    *,
    inside: Callable[[int], str] = lambda index: "",
    attributes: str = "",
) -> str:
    """The text of an SVG file, with room for animation.

    Args:
        drawing: what to write.
        inside: index of a stroke to the content of its `<path>` element.
        attributes: more attributes of every `<path>`, with a leading space.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    width, height = (canvas_side(side) for side in (drawing.canvas.width, drawing.canvas.height))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:clipdraw="{NAMESPACE}" clipdraw:version="{VERSION}"'
        f' viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        *_about(drawing),
        *painted(drawing, inside=inside, attributes=attributes),
        "</svg>",
    ]
    return "\n".join([*lines, ""])


def painted(
    drawing: Drawing,
    *,
    inside: Callable[[int], str] = lambda index: "",
    attributes: str = "",
) -> list[str]:
    """The elements that paint the drawing, for an `<svg>` whose `viewBox` is its canvas; see `document`."""
    width, height = (canvas_side(side) for side in (drawing.canvas.width, drawing.canvas.height))
    paints = paint_attributes(drawing) if drawing.styles else _stroke_attributes(drawing)
    holds = f' clipdraw:holds="{held(drawing)}"' if drawing.styles else ""
    lines = [
        *(definitions(drawing) if drawing.styles else []),
        f'<rect width="{width}" height="{height}" fill="{color_text(drawing.background[None])[0]}"/>',
        f'<g fill="none" stroke-linecap="round" stroke-linejoin="round"{holds}>',
    ]
    for index, (data, paint) in enumerate(zip(path_data(drawing), paints, strict=True)):
        start = f'<path d="{data}"{paint}{attributes}'
        content = inside(index)
        lines.append(f"{start}>{content}</path>" if content else f"{start}/>")
    return [*lines, "</g>"]


def _stroke_attributes(drawing: Drawing) -> list[str]:
    """Color, opacity and width of each stroke, with a leading space."""
    opacities = shortest(drawing.colors[:, 3].clamp(0, 1), what="the opacity")
    widths = shortest(drawing.widths.clamp(min=0), what="the width")
    return [
        f' stroke="{color}" stroke-opacity="{opacity}" stroke-width="{width}"'
        for color, opacity, width in zip(color_text(drawing.colors[:, :3]), opacities, widths, strict=True)
    ]


def canvas_side(side: float) -> str:
    """A side of the canvas, exactly.

    Raises:
        InputError: longer than 1e7 units.
    """
    if side > LIMIT:
        raise InputError(f"a canvas side of {side:g} cannot be stored; it must be at most {LIMIT:g}")
    return f"{float(side)!r}".removesuffix(".0")


def path_data(drawing: Drawing) -> list[str]:
    """The `d` attribute of each path: for each subpath an absolute `M`, then an absolute `C`, then `z` if it is closed.

    Raises:
        InputError: a coordinate is not finite or beyond ±1e7.
    """
    numbers = shortest(drawing.points, what="the coordinate")
    closed = [style.closed for style in drawing.styles] or [(False,)] * len(drawing.segments)
    counts, texts, begin = iter(drawing.segments), [], 0
    for flags in closed:
        parts = []
        for flag in flags:
            end = begin + 2 * control_points(next(counts), closed=flag)
            rest = numbers[begin + 2 : end] + (numbers[begin : begin + 2] if flag else [])
            parts.append(f"M{numbers[begin]} {numbers[begin + 1]}C{' '.join(rest)}{'z' if flag else ''}")
            begin = end
        texts.append("".join(parts))
    return texts


def _about(drawing: Drawing) -> list[str]:
    entries = {str(key): str(value) for key, value in drawing.metadata.items()}
    title = _readable(entries.get("prompt") or entries.get("title") or "")
    return [
        *([f"<title>{title}</title>"] if title else []),
        "<metadata>",
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
        ' xmlns:cc="http://creativecommons.org/ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">',
        '<cc:Work rdf:about=""><dc:format>image/svg+xml</dc:format>'
        '<dc:type rdf:resource="http://purl.org/dc/dcmitype/StillImage"/>'
        f"{f'<dc:title>{title}</dc:title>' if title else ''}</cc:Work>",
        "</rdf:RDF>",
        *(_entry(key, value) for key, value in entries.items()),
        *(transform_entries(drawing) if drawing.styles else []),
        "</metadata>",
    ]


def _entry(key: str, value: str) -> str:
    """One entry; as JSON where XML would change it: control characters, outer spaces, half surrogates."""
    mark = ""
    if not all(_PLAIN.fullmatch(text) and text == text.strip() for text in (key, value)):
        key, value, mark = json.dumps(key), json.dumps(value), ' encoding="json"'
    return f"<clipdraw:entry name={quoteattr(key)}{mark}>{escape(value)}</clipdraw:entry>"


def _readable(text: str) -> str:
    return escape(" ".join(_UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text).split()))
