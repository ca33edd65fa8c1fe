"""Drawings as SVG files: our own files exactly, of foreign files all that is painted with paths."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import FormatError, InputError
from clipdraw.io import read_bytes, write_text
from clipdraw.io.svg.gradients import (
    EditedError,
    read_gradients,
    read_transforms,
    required_color,
    write_gradients,
    write_transforms,
)
from clipdraw.io.svg.styles import Shared, paint_attributes, path_data, read_paths, stored_parts
from clipdraw.io.svg.syntax import (
    LIMIT,
    MAX_PATHS,
    NAMESPACE,
    OWN,
    SVG,
    check_count,
    color_text,
    exact,
    parse_number,
    parse_xml,
    plain_keys,
)

__all__ = ["from_svg", "read_drawing", "to_svg", "write_drawing"]

VERSION = "1"
"""The version of our form of SVG; a reader refuses another one."""

UNSAFE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""A character that XML forbids."""
_PLAIN = re.compile("[\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+")
_SVG_KEYS = {"viewBox", "width", "height", "version", "id"}
_RECT_KEYS = {"width", "height", "fill", "id"}
_GROUP = {"fill": "none", "stroke-linecap": "round", "stroke-linejoin": "round", "id": None}
_UNPAINTED = {SVG + name for name in ("title", "desc", "metadata", "defs")}


def write_drawing(drawing: Drawing, path: str | Path) -> None:
    """Write the drawing as an SVG file, whole or not at all.

    Raises:
        InputError: the drawing holds numbers that a file cannot, or the folder does not exist.
    """
    write_text(to_svg(drawing), path)


def read_drawing(path: str | Path) -> Drawing:
    """The drawing in an SVG file.

    A file that `write_drawing` made gives the very same drawing. Of any other file the shapes, fills, strokes and
    gradients are kept; one `ForeignSvgWarning` names the parts that a drawing cannot hold.

    Raises:
        FormatError: the file cannot be read, is refused, or has no paths; the message names the file.
    """
    path = Path(path)
    try:
        return _drawing(parse_xml(read_bytes(path)), source=path.name)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def from_svg(text: str) -> Drawing:
    """The drawing in the text of an SVG file; see `read_drawing`.

    Raises:
        FormatError: the text is refused or has no paths.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"not text: {error}") from error
    return _drawing(parse_xml(data, encoding="utf-8"), source="the SVG")


def _drawing(root: Element, *, source: str) -> Drawing:
    drawing = own_drawing(root)
    if drawing is not None:
        return drawing
    from clipdraw.io.svg.foreign import foreign_drawing  # a tenth of a second that writing and our own files spare

    return foreign_drawing(root, source=source)


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
        *_background(drawing.background, width, height),
        f'<g fill="none" stroke-linecap="round" stroke-linejoin="round"{holds}>',
    ]
    for index, (data, paint) in enumerate(zip(path_data(drawing), paint_attributes(drawing), strict=True)):
        start = f'<path d="{data}"{paint}{attributes}'
        content = inside(index)
        lines.append(f"{start}>{content}</path>" if content else f"{start}/>")
    return [*lines, "</g>"]


def _background(color: Float[Tensor, " 3"] | None, width: str, height: str) -> list[str]:
    """The rectangle behind the paths; none for a drawing without a background."""
    return [] if color is None else [f'<rect width="{width}" height="{height}" fill="{color_text(color[None])[0]}"/>']


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
    return escape(" ".join(UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text).split()))


def own_drawing(root: Element) -> Drawing | None:
    """The drawing in a file of ours; None if the file is foreign, or ours but rearranged by an editor.

    Files that Inkscape has only opened and saved again are still read exactly.

    Raises:
        FormatError: the file is ours and holds an impossible number, lacks one, or is of a newer version.
    """
    version = root.get(f"{OWN}version")
    if root.tag != SVG + "svg" or version is None:
        return None
    if version != VERSION:
        raise FormatError(f"written in version {version!r:.20} of the format; this clipdraw reads {VERSION}: update it")
    try:
        return _read(root)
    except EditedError:
        return None


def read_metadata(root: Element) -> dict[str, str]:
    """The metadata entries of a file of ours.

    Raises:
        FormatError: an entry is damaged.
    """
    entries = {}
    for element in root.iterfind(f"{SVG}metadata/{OWN}entry"):
        key, value = element.get("name", ""), element.text or ""
        if element.get("encoding") == "json":
            key, value = _json_text(key), _json_text(value)
        entries[key] = value
    return entries


def _json_text(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"a damaged metadata entry: {error}") from error
    if not isinstance(value, str):
        raise FormatError(f"a damaged metadata entry: {text!r:.40} is not a string")
    return value


def _read(root: Element) -> Drawing:
    if not plain_keys(root) <= _SVG_KEYS:
        raise EditedError
    canvas = _canvas(root)
    defs, rect, group = _parts(root)
    words = group.get(f"{OWN}holds", "").split()
    if defs is not None and not words:
        raise EditedError
    background = None if rect is None else _read_background(rect, canvas)
    check_count(len(group), MAX_PATHS, what="paths")
    transforms = read_transforms(root) if "transforms" in words else None
    drawing = read_paths(group, Shared(bool(words), "fills" in words, read_gradients(defs), transforms))
    return replace(drawing, canvas=canvas, background=background, metadata=read_metadata(root))


def _read_background(rect: Element, canvas: Canvas) -> Float[Tensor, " 3"]:
    if not plain_keys(rect) <= _RECT_KEYS:
        raise EditedError
    if (rect.get("width"), rect.get("height")) != (canvas_side(canvas.width), canvas_side(canvas.height)):
        raise EditedError
    return torch.tensor(required_color(rect, "fill", what="the background"), dtype=torch.float32)


def _parts(root: Element) -> tuple[Element | None, Element | None, Element]:
    """The gradients and the background, if there are any, and the group of paths."""
    parts = [
        child
        for child in root
        if child.tag.startswith(SVG) and (child.tag not in _UNPAINTED or (child.tag == SVG + "defs" and len(child)))
    ]
    defs = parts.pop(0) if parts and parts[0].tag == SVG + "defs" else None
    rect = parts.pop(0) if parts and parts[0].tag == SVG + "rect" else None
    if [part.tag for part in parts] != [SVG + "g"]:
        raise EditedError
    (group,) = parts
    if not plain_keys(group) <= _GROUP.keys():
        raise EditedError
    if any(group.get(key) != value for key, value in _GROUP.items() if value):
        raise EditedError
    return defs, rect, group


def _canvas(root: Element) -> Canvas:
    box = root.get("viewBox")
    numbers = box.split() if box is not None else ["0", "0", root.get("width", ""), root.get("height", "")]
    if len(numbers) != 4:
        raise FormatError(f"its viewBox is {box!r:.60}; four numbers are needed")
    left, top = (parse_number(text, what="the viewBox") for text in numbers[:2])
    width, height = (parse_number(text, what="the canvas size", low=5e-324) for text in numbers[2:])
    if left or top:
        raise EditedError
    return Canvas(width, height)
