"""A drawing as the text of an SVG file, the same bytes each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing, control_points
from clipdraw.errors import InputError
from clipdraw.formats.digits import LIMIT, as_percent, shortest

NAMESPACE = "urn:clipdraw:drawing"
"""Marks a file as ours, and holds its metadata; Inkscape keeps both."""

VERSION = "1"

_UNSAFE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PLAIN = re.compile("[\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")


def to_svg(drawing: Drawing) -> str:
    """The drawing as the text of an SVG file.

    Coordinates, widths, colors and opacities are written with as many digits as give the same 32-bit
    float again; colors are `rgb()` percentages, which browsers, resvg, librsvg and Inkscape accept with
    decimals. Values a little outside are written as renderers treat them: colors and opacity are
    limited to [0, 1], widths to 0 and above.

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
    paths = path_data(drawing)
    paints = color_text(drawing.colors[:, :3])
    opacities = shortest(drawing.colors[:, 3].clamp(0, 1), what="the opacity")
    widths = shortest(drawing.widths.clamp(min=0), what="the width")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:clipdraw="{NAMESPACE}" clipdraw:version="{VERSION}"'
        f' viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        *_about(drawing),
        f'<rect width="{width}" height="{height}" fill="{color_text(drawing.background[None])[0]}"/>',
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
    ]
    for index, (data, paint, opacity, full) in enumerate(zip(paths, paints, opacities, widths, strict=True)):
        start = f'<path d="{data}" stroke="{paint}" stroke-opacity="{opacity}" stroke-width="{full}"{attributes}'
        content = inside(index)
        lines.append(f"{start}>{content}</path>" if content else f"{start}/>")
    return "\n".join([*lines, "</g>", "</svg>", ""])


def canvas_side(side: float) -> str:
    """A side of the canvas, exactly.

    Raises:
        InputError: longer than 1e7 units.
    """
    if side > LIMIT:
        raise InputError(f"a canvas side of {side:g} cannot be stored; it must be at most {LIMIT:g}")
    return f"{float(side)!r}".removesuffix(".0")


def path_data(drawing: Drawing) -> list[str]:
    """The `d` attribute of each stroke: one absolute `M`, then one absolute `C`.

    Raises:
        InputError: a coordinate is not finite or beyond ±1e7.
    """
    numbers = shortest(drawing.points, what="the coordinate")
    texts, begin = [], 0
    for count in drawing.segments:
        end = begin + 2 * control_points(count)
        texts.append(f"M{numbers[begin]} {numbers[begin + 1]}C{' '.join(numbers[begin + 2 : end])}")
        begin = end
    return texts


def color_text(colors: Float[Tensor, "n 3"]) -> list[str]:
    """Each color as `rgb()` of exact percentages.

    Raises:
        InputError: a color is not finite.
    """
    numbers = [as_percent(number) for number in shortest(colors.clamp(0, 1), what="the color")]
    return [f"rgb({','.join(f'{part}%' for part in numbers[at : at + 3])})" for at in range(0, len(numbers), 3)]


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
