"""Drawings as the JSON that CLIPDraw's interactive predictor took and gave: a list of paths.

    [{"points": [[x, y], ...], "num_control_points": [2, ...], "stroke_width": w, "stroke_color": [r, g, b, a]}, ...]

`num_control_points` has for each cubic segment the points between its ends: 2. `stroke_width` is half the pen's width,
as in the renderer of that time. The list says nothing of canvas and background: 224 x 224, white. A drawing on
another canvas is stored as `{"canvas": [width, height], "background": [r, g, b], "paths": [...]}`, with the background
null if it has none. Metadata is lost.

Source: Frans et al. 2021 (CLIPDraw), notebook; the predictor clipdraw-interactive on Replicate.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import FormatError, InputError
from clipdraw.io import read_bytes, write_text
from clipdraw.io.svg.syntax import LIMIT, MAX_PATHS, MAX_SEGMENTS, check_count, shortest

_BETWEEN = 2
"""Control points between the ends of a cubic segment."""


def write_paths(drawing: Drawing, path: str | Path) -> None:
    """Write the drawing's strokes as a JSON file, whole or not at all.

    Raises:
        InputError: a path is no plain stroke, a number cannot be stored, or the folder does not exist.
    """
    write_text(to_json(drawing) + "\n", path)


def read_paths(path: str | Path) -> Drawing:
    """The drawing in a JSON file.

    Raises:
        FormatError: the file cannot be read or is not of this form; the message names the file.
    """
    path = Path(path)
    try:
        return from_json(read_bytes(path).decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not text: {error.reason}") from error
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def to_json(drawing: Drawing) -> str:
    """The drawing's strokes as JSON; each number has the fewest digits that give it again.

    Raises:
        InputError: a path is no plain stroke, or a number cannot be stored.
    """
    if not drawing.only_strokes:
        raise InputError("JSON holds open strokes with round ends alone; save drawings with other paths as SVG")
    widths, colors = _numbers(drawing.widths / 2, "a half width"), _numbers(drawing.colors, "a color")
    paths = [
        {
            "points": _rows(_numbers(points, "a coordinate"), 2),
            "num_control_points": [_BETWEEN] * segments,
            "stroke_width": width,
            "stroke_color": color,
        }
        for points, segments, width, color in zip(
            drawing.stroke_points(), drawing.segments, widths, _rows(colors, 4), strict=True
        )
    ]
    behind, canvas = drawing.background, [drawing.canvas.width, drawing.canvas.height]
    if drawing.canvas == Canvas() and behind is not None and bool((behind == 1).all()):
        return json.dumps(paths)
    background = None if behind is None else _numbers(behind, "a background")
    return json.dumps({"canvas": canvas, "background": background, "paths": paths})


def from_json(text: str) -> Drawing:
    """The drawing in JSON text of this form.

    Colors are limited to [0, 1]: a web page that used the predictor added a little to each whole number.

    Raises:
        FormatError: the text is not of this form.
    """
    try:
        content = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {error}") from error
    canvas, white = Canvas(), [1.0, 1.0, 1.0]
    background: list[float] | None = white
    if isinstance(content, dict):
        canvas = Canvas(*_checked(content.get("canvas", [224.0, 224.0]), 2, what="the canvas", low=1e-3))
        background = content.get("background", white)
        background = None if background is None else _checked(background, 3, what="the background")
        content = content.get("paths")
    if not isinstance(content, list):
        raise FormatError("not a list of paths, nor an object that has one as its paths")
    check_count(len(content), MAX_PATHS, what="paths")
    strokes = [_stroke(path, f"path {number}") for number, path in enumerate(content, 1)]
    segments = tuple(len(points) // 6 for points, _, _ in strokes)
    check_count(sum(segments), MAX_SEGMENTS, what="segments")
    return Drawing(
        points=torch.tensor([number for points, _, _ in strokes for number in points]).reshape(-1, 2),
        widths=2 * torch.tensor([width for _, width, _ in strokes]),
        colors=torch.tensor([color for _, _, color in strokes]).reshape(-1, 4).clamp(0, 1),
        segments=segments,
        canvas=canvas,
        background=None if background is None else torch.tensor(background).clamp(0, 1),
    )


def _stroke(path: Any, what: str) -> tuple[list[float], float, list[float]]:
    """The coordinates of a path one after another, its half width and its color."""
    if not isinstance(path, dict):
        raise FormatError(f"{what} is {path!r:.40}, not an object")
    for key in ("points", "stroke_width", "stroke_color"):
        if key not in path:
            raise FormatError(f"{what} has no {key}")
    points = path["points"]
    if not isinstance(points, list):
        raise FormatError(f"{what} has points {points!r:.40}, which are no list")
    numbers = [number for point in points for number in _checked(point, 2, what=f"a point of {what}")]
    if len(points) < 4 or len(points) % 3 != 1:
        raise FormatError(f"{what} has {len(points)} points; cubic segments have 4, 7, 10, ...")
    between = path.get("num_control_points", [_BETWEEN] * (len(points) // 3))
    if between != [_BETWEEN] * (len(points) // 3):
        raise FormatError(f"{what} of {len(points)} points has num_control_points {between!r:.40}, not 2 a segment")
    [width] = _checked([path["stroke_width"]], 1, what=f"the stroke_width of {what}", low=0)
    return numbers, width, _checked(path["stroke_color"], 4, what=f"the stroke_color of {what}")


def _checked(values: Any, count: int, *, what: str, low: float = -LIMIT) -> list[float]:
    """The numbers of a list that has `count` of them.

    Raises:
        FormatError: the value is something else, or a number is beyond the limits.
    """
    if not isinstance(values, list) or len(values) != count or not all(type(v) in (int, float) for v in values):
        raise FormatError(f"{what} is {values!r:.40}, not {count} number{'s' * (count > 1)}")
    if not all(low <= value <= LIMIT for value in values):
        raise FormatError(f"{what} is {values!r:.40}; numbers must lie within {low:g} and {LIMIT:g}")
    return [float(value) for value in values]


def _numbers(values: Float[Tensor, "*shape"], what: str) -> list[float]:
    return [float(digits) for digits in shortest(values, what=what)]


def _rows(numbers: Sequence[float], length: int) -> list[list[float]]:
    return [list(numbers[start : start + length]) for start in range(0, len(numbers), length)]


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
