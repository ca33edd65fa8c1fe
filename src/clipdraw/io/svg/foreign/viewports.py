"""Viewports of foreign SVG files: how the content of a viewBox is fitted into a rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float64

from clipdraw.drawing import Canvas
from clipdraw.errors import FormatError, InputError
from clipdraw.io.svg.foreign.path_data import numbers_of
from clipdraw.io.svg.foreign.style import length
from clipdraw.io.svg.numbers import LIMIT

_SAME = 1e-3
"""By how much the proportions of a file and its viewBox may differ, as a share, before they count as different."""
_SHARES = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}


def view_box(element: Element) -> list[float] | None:
    """Left, top, width and height of a `viewBox`; None if there is no usable one."""
    box = numbers_of(element.get("viewBox", "")[:400])
    return box if box is not None and len(box) == 4 and min(box[2:]) >= 0 else None


def fit(size: Sequence[float], box: Sequence[float], aspect: str) -> Float64[np.ndarray, "3 3"]:
    """The matrix from the coordinates of a viewBox to those of a rectangle of this size at the origin.

    Source: SVG 2, section 8.2.
    """
    (width, height), (left, top, across, down) = size, box
    x, y = width / across, height / down
    words = aspect.split()
    align = words[0] if words else "xMidYMid"
    if align != "none":
        x = y = max(x, y) if "slice" in words[1:] else min(x, y)
    along, upright = (_SHARES.get(align[at : at + 3], 0.5) for at in (1, 5))
    dx = along * (width - x * across) if align != "none" else 0.0
    dy = upright * (height - y * down) if align != "none" else 0.0
    return np.array([[x, 0, dx - x * left], [0, y, dy - y * top], [0, 0, 1]], dtype=np.float64)


def root_view(root: Element) -> tuple[Canvas, Float64[np.ndarray, "3 3"], tuple[float, float]]:
    """The canvas, the matrix from the file's coordinates to those of the canvas, and what percentages refer to.

    The canvas is the viewBox; where the file is shown in other proportions, what is shown, in units of the same size.

    Raises:
        FormatError: the file has no usable size.
    """
    box = view_box(root)
    shown = [length(root.get(key), of=float("nan"), default=float("nan")) for key in ("width", "height")]
    sides = shown if box is None else box[2:]
    if not all(abs(number) <= LIMIT for number in (*(box or ()), *sides)):  # also for NaN
        raise FormatError("neither a usable viewBox nor a usable width and height tell its size")
    try:
        canvas = Canvas(*sides)
        left, top, width, height = box or (0.0, 0.0, *sides)
        matrix = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]], dtype=np.float64)
        if min(shown) > 0 and abs(shown[0] * height / (shown[1] * width) - 1) > _SAME:
            onto = fit(shown, (left, top, width, height), root.get("preserveAspectRatio", "")[:40])
            unit = min(onto[0, 0], onto[1, 1])
            matrix = np.diag((1 / unit, 1 / unit, 1)) @ onto
            canvas = Canvas(float(shown[0] / unit), float(shown[1] / unit))
    except InputError as error:
        raise FormatError(str(error)) from error
    if not np.isfinite(matrix).all() or not max(canvas.width, canvas.height) <= LIMIT:
        raise FormatError("neither a usable viewBox nor a usable width and height tell its size")
    return canvas, matrix, (width, height)
