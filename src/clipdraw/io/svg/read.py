"""Our own SVG files, read back to the very same drawing."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree.ElementTree import Element

import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import FormatError
from clipdraw.io.svg.numbers import parse_number
from clipdraw.io.svg.read_parts import (
    MAX_SEGMENTS,
    MAX_STROKES,
    SVG,
    EditedError,
    check_count,
    path_data,
    path_numbers,
    plain_keys,
    required,
    required_color,
)
from clipdraw.io.svg.read_styles import read_gradients, read_styled, read_transforms
from clipdraw.io.svg.write import NAMESPACE, VERSION, canvas_side

_SVG_KEYS = {"viewBox", "width", "height", "version", "id"}
_RECT_KEYS = {"width", "height", "fill", "id"}
_GROUP = {"fill": "none", "stroke-linecap": "round", "stroke-linejoin": "round", "id": None}
_PATH_KEYS = {"d", "stroke", "stroke-opacity", "stroke-width", "pathLength", "id"}
_ABOUT = {SVG + name for name in ("title", "desc", "metadata", "defs")}
_ANIMATION = {SVG + name for name in ("animate", "set")}


def own_drawing(root: Element) -> Drawing | None:
    """The drawing in a file of ours; None if the file is foreign, or ours but rearranged by an editor.

    Files that Inkscape has only opened and saved again are still read exactly.

    Raises:
        FormatError: the file is ours and holds an impossible number, lacks one, or is of a newer version.
    """
    version = root.get(f"{{{NAMESPACE}}}version")
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
    for element in root.iterfind(f"{SVG}metadata/{{{NAMESPACE}}}entry"):
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
    parts = [child for child in root if child.tag.startswith(SVG) and not (child.tag in _ABOUT and not _draws(child))]
    defs = parts.pop(0) if parts and parts[0].tag == SVG + "defs" else None
    if [part.tag for part in parts] != [SVG + "rect", SVG + "g"]:
        raise EditedError
    rect, group = parts
    held = group.get(f"{{{NAMESPACE}}}holds", "").split()
    if not plain_keys(rect) <= _RECT_KEYS or not plain_keys(group) <= _GROUP.keys() or (defs is not None and not held):
        raise EditedError
    if any(group.get(key) != value for key, value in _GROUP.items() if value):
        raise EditedError
    if (rect.get("width"), rect.get("height")) != (canvas_side(canvas.width), canvas_side(canvas.height)):
        raise EditedError
    background = torch.tensor(required_color(rect, "fill", what="the background"), dtype=torch.float32)
    check_count(len(group), MAX_STROKES, what="strokes")
    if held:
        gradients, transforms = read_gradients(defs), read_transforms(root) if "transforms" in held else None
        drawing = read_styled(group, gradients=gradients, transforms=transforms, filled="fills" in held)
    else:
        drawing = _read_strokes(group)
    return replace(drawing, canvas=canvas, background=background, metadata=read_metadata(root))


def _read_strokes(group: Element) -> Drawing:
    points: list[float] = []
    segments, widths, colors = [], [], []
    for index, path in enumerate(group):
        _check_path(path)
        stroke = f"of stroke {index}"
        numbers = path_numbers(path_data(path, what=f"stroke {index}"), what=f"stroke {index}")
        points += numbers
        check_count(len(points) // 6, MAX_SEGMENTS, what="segments")
        segments.append((len(numbers) // 2 - 1) // 3)
        width = required(path, "stroke-width", what=f"stroke {index}")
        widths.append(parse_number(width, what=f"the width {stroke}", low=0.0))
        opacity = parse_number(path.get("stroke-opacity", "1"), what=f"the opacity {stroke}", low=0.0, high=1.0)
        colors.append([*required_color(path, "stroke", what=f"the color {stroke}"), opacity])
    return Drawing(
        points=torch.tensor(points, dtype=torch.float32).reshape(-1, 2),
        widths=torch.tensor(widths, dtype=torch.float32),
        colors=torch.tensor(colors, dtype=torch.float32).reshape(-1, 4),
        segments=tuple(segments),
    )


def _draws(element: Element) -> bool:
    """Whether definitions hold something, such as a gradient that an editor added."""
    return element.tag == SVG + "defs" and len(element) > 0


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


def _check_path(path: Element) -> None:
    if path.tag != SVG + "path" or not plain_keys(path) <= _PATH_KEYS:
        raise EditedError
    if any(child.tag not in _ANIMATION for child in path):
        raise EditedError
