"""Our own SVG files, read back to the very same drawing."""

from __future__ import annotations

import json
import re
from xml.etree.ElementTree import Element

import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import FormatError
from clipdraw.formats.digits import LIMIT, parse_number
from clipdraw.formats.svg_write import NAMESPACE, VERSION, canvas_side

SVG = "{http://www.w3.org/2000/svg}"
MAX_STROKES = 100_000
MAX_SEGMENTS = 200_000

_PERCENTAGES = re.compile(r"rgb\(([\d.]{1,60})%,([\d.]{1,60})%,([\d.]{1,60})%\)")
_SVG_KEYS = {"viewBox", "width", "height", "version", "id"}
_RECT_KEYS = {"width", "height", "fill", "id"}
_GROUP = {"fill": "none", "stroke-linecap": "round", "stroke-linejoin": "round", "id": None}
_PATH_KEYS = {"d", "stroke", "stroke-opacity", "stroke-width", "pathLength", "id"}
_ABOUT = {SVG + name for name in ("title", "desc", "metadata", "defs")}
_ANIMATION = {SVG + name for name in ("animate", "set")}


class _EditedError(Exception):
    """The file bears our mark, but an editor changed its structure."""


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
    except _EditedError:
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


def percent_color(text: str) -> tuple[float, float, float] | None:
    """The color in an `rgb()` of percentages, or None if it is written in another way."""
    match = _PERCENTAGES.fullmatch(text)
    if match is None:
        return None
    try:
        red, green, blue = (min(float(part) / 100, 1.0) for part in match.groups())
    except ValueError:  # two decimal points
        return None
    return red, green, blue


def _json_text(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"a damaged metadata entry: {error}") from error
    if not isinstance(value, str):
        raise FormatError(f"a damaged metadata entry: {text!r:.40} is not a string")
    return value


def _read(root: Element) -> Drawing:
    if not _plain_keys(root) <= _SVG_KEYS:
        raise _EditedError
    canvas = _canvas(root)
    parts = [child for child in root if child.tag.startswith(SVG) and not (child.tag in _ABOUT and not _draws(child))]
    if [part.tag for part in parts] != [SVG + "rect", SVG + "g"]:
        raise _EditedError
    rect, group = parts
    if not _plain_keys(rect) <= _RECT_KEYS or not _plain_keys(group) <= _GROUP.keys():
        raise _EditedError
    if any(group.get(key) != value for key, value in _GROUP.items() if value):
        raise _EditedError
    if (rect.get("width"), rect.get("height")) != (canvas_side(canvas.width), canvas_side(canvas.height)):
        raise _EditedError
    background = _required_color(rect, "fill", what="the background")
    _check_count(len(group), MAX_STROKES, what="strokes")
    points: list[float] = []
    segments, widths, colors = [], [], []
    for index, path in enumerate(group):
        _check_path(path)
        stroke = f"of stroke {index}"
        numbers = _path_numbers(path, what=f"stroke {index}")
        points += numbers
        _check_count(len(points) // 6, MAX_SEGMENTS, what="segments")
        segments.append((len(numbers) // 2 - 1) // 3)
        widths.append(parse_number(_required(path, "stroke-width", index), what=f"the width {stroke}", low=0.0))
        opacity = parse_number(path.get("stroke-opacity", "1"), what=f"the opacity {stroke}", low=0.0, high=1.0)
        colors.append([*_required_color(path, "stroke", what=f"the color {stroke}"), opacity])
    return Drawing(
        points=torch.tensor(points, dtype=torch.float32).reshape(-1, 2),
        widths=torch.tensor(widths, dtype=torch.float32),
        colors=torch.tensor(colors, dtype=torch.float32).reshape(-1, 4),
        segments=tuple(segments),
        canvas=canvas,
        background=torch.tensor(background, dtype=torch.float32),
        metadata=read_metadata(root),
    )


def _plain_keys(element: Element) -> set[str]:
    return {key for key in element.keys() if not key.startswith("{")}  # noqa: SIM118 - an element is not a mapping


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
        raise _EditedError
    return Canvas(width, height)


def _check_path(path: Element) -> None:
    if path.tag != SVG + "path" or not _plain_keys(path) <= _PATH_KEYS:
        raise _EditedError
    if any(child.tag not in _ANIMATION for child in path):
        raise _EditedError


def _path_numbers(path: Element, *, what: str) -> list[float]:
    data = path.get("d")
    if data is None:
        raise FormatError(f"{what} has no path data (d)")
    start, _, rest = data.removeprefix("M").partition("C")
    texts = [*start.split(), *rest.split()]
    if not data.startswith("M") or len(start.split()) != 2:
        raise _EditedError
    _check_count(len(texts) // 6, MAX_SEGMENTS, what="segments")
    try:
        numbers = list(map(float, texts))
    except ValueError:
        raise _EditedError from None
    if not all(-LIMIT <= number <= LIMIT for number in numbers):
        raise FormatError(f"{what} has a coordinate that is not finite or beyond ±{LIMIT:g}")
    if len(numbers) < 8 or len(numbers) % 6 != 2:
        raise FormatError(f"{what} has {len(numbers)} coordinates, which make no whole cubic segments")
    return numbers


def _required(element: Element, key: str, index: int) -> str:
    value = element.get(key)
    if value is None:
        raise FormatError(f"stroke {index} has no {key}")
    return value


def _required_color(element: Element, key: str, *, what: str) -> tuple[float, float, float]:
    text = element.get(key)
    if text is None:
        raise FormatError(f"{what} is missing")
    color = percent_color(text)
    if color is None:
        raise _EditedError
    return color


def _check_count(count: int, limit: int, *, what: str) -> None:
    if count > limit:
        raise FormatError(f"more than {limit:,} {what}")
