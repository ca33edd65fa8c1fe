"""A drawing as the text of an SVG file, the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError
from clipdraw.io.svg.gradients import write_gradients, write_transforms
from clipdraw.io.svg.numbers import LIMIT, color_text, exact
from clipdraw.io.svg.styles import paint_attributes, path_data, stored_parts
from clipdraw.io.svg.xml import NAMESPACE

VERSION = "1"
"""The version of our form of SVG; a reader refuses another one."""

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
        *_metadata(drawing),
        *painted_elements(drawing, inside=inside, attributes=attributes),
        "</svg>",
    ]
    return "\n".join([*lines, ""])


def painted_elements(
    drawing: Drawing,
    *,
    inside: Callable[[int], str] = lambda index: "",
    attributes: str = "",
) -> list[str]:
    """The elements that paint the drawing, for an `<svg>` whose `viewBox` is its canvas; see `document`."""
    width, height = (canvas_side(side) for side in (drawing.canvas.width, drawing.canvas.height))
    holds = f' clipdraw:holds="{stored_parts(drawing)}"' if drawing.styles else ""
    lines = [
        *(write_gradients(drawing) if drawing.styles else []),
        f'<rect width="{width}" height="{height}" fill="{color_text(drawing.background[None])[0]}"/>',
        f'<g fill="none" stroke-linecap="round" stroke-linejoin="round"{holds}>',
    ]
    for index, (data, paint) in enumerate(zip(path_data(drawing), paint_attributes(drawing), strict=True)):
        start = f'<path d="{data}"{paint}{attributes}'
        content = inside(index)
        lines.append(f"{start}>{content}</path>" if content else f"{start}/>")
    return [*lines, "</g>"]


def canvas_side(side: float) -> str:
    """The text of a side of the canvas, exactly.

    Raises:
        InputError: longer than 1e7 units.
    """
    if side > LIMIT:
        raise InputError(f"a canvas side of {side:g} cannot be stored; it must be at most {LIMIT:g}")
    return exact(side)


def _metadata(drawing: Drawing) -> list[str]:
    entries = {str(key): str(value) for key, value in drawing.metadata.items()}
    title = _title(entries.get("prompt") or entries.get("title") or "")
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
        *(write_transforms(drawing) if drawing.styles else []),
        "</metadata>",
    ]


def _entry(key: str, value: str) -> str:
    """A metadata entry; as JSON where XML would change it: control characters, outer spaces, half surrogates."""
    mark = ""
    if not all(_PLAIN.fullmatch(text) and text == text.strip() for text in (key, value)):
        key, value, mark = json.dumps(key), json.dumps(value), ' encoding="json"'
    return f"<clipdraw:entry name={quoteattr(key)}{mark}>{escape(value)}</clipdraw:entry>"


def _title(text: str) -> str:
    """The text on one line, without characters that XML forbids."""
    return escape(" ".join(_UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text).split()))
