"""Our own SVG files, read back to the very same drawing."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree.ElementTree import Element

import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import FormatError
from clipdraw.io.svg.gradients import EditedError, read_gradients, read_transforms, required_color
from clipdraw.io.svg.numbers import MAX_PATHS, check_count, parse_number
from clipdraw.io.svg.styles import Shared, read_paths
from clipdraw.io.svg.write import VERSION, canvas_side
from clipdraw.io.svg.xml import OWN, SVG, plain_keys

_SVG_KEYS = {"viewBox", "width", "height", "version", "id"}
_RECT_KEYS = {"width", "height", "fill", "id"}
_GROUP = {"fill": "none", "stroke-linecap": "round", "stroke-linejoin": "round", "id": None}
_UNPAINTED = {SVG + name for name in ("title", "desc", "metadata", "defs")}


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
    if (rect.get("width"), rect.get("height")) != (canvas_side(canvas.width), canvas_side(canvas.height)):
        raise EditedError
    background = torch.tensor(required_color(rect, "fill", what="the background"), dtype=torch.float32)
    check_count(len(group), MAX_PATHS, what="paths")
    transforms = read_transforms(root) if "transforms" in words else None
    drawing = read_paths(group, Shared(bool(words), "fills" in words, read_gradients(defs), transforms))
    return replace(drawing, canvas=canvas, background=background, metadata=read_metadata(root))


def _parts(root: Element) -> tuple[Element | None, Element, Element]:
    """The gradients, if there are any, the background and the group of paths."""
    parts = [
        child
        for child in root
        if child.tag.startswith(SVG) and (child.tag not in _UNPAINTED or (child.tag == SVG + "defs" and len(child)))
    ]
    defs = parts.pop(0) if parts and parts[0].tag == SVG + "defs" else None
    if [part.tag for part in parts] != [SVG + "rect", SVG + "g"]:
        raise EditedError
    rect, group = parts
    if not plain_keys(rect) <= _RECT_KEYS or not plain_keys(group) <= _GROUP.keys():
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
