"""Gradients and transforms of our own SVG files: their elements, and these read back to the last bit.

Gradients are numbered in `<defs>`; transforms stand in `<metadata>`, for a path shows only the product of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args
from xml.etree.ElementTree import Element

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing, Gradient, Spread
from clipdraw.errors import FormatError
from clipdraw.io.svg.syntax import (
    OWN,
    SVG,
    color_text,
    parse_number,
    parse_percent_color,
    plain_keys,
    required,
    shortest,
)

GRADIENT_ID = "gradient"
"""The `id` of a gradient without its number."""

_MATRIX = re.compile(r"matrix\(([^()]{1,400})\)")
_IDENTITY = "matrix(1 0 0 1 0 0)"
_GRADIENT_KEYS = {"id", "gradientUnits", "gradientTransform", "spreadMethod"}
_COORDINATES = {"linear": ("x1", "y1", "x2", "y2"), "radial": ("cx", "cy", "fx", "fy")}


class EditedError(Exception):
    """A file bears our mark, but an editor changed its structure."""


def write_gradients(drawing: Drawing) -> list[str]:
    """The lines of `<defs>`; none without gradients.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    if not drawing.gradients:
        return []
    lines = [line for number, gradient in enumerate(drawing.gradients) for line in _write_gradient(number, gradient)]
    return ["<defs>", *lines, "</defs>"]


def _write_gradient(number: int, gradient: Gradient) -> Iterator[str]:
    numbers = shortest(gradient.geometry, what="the gradient's coordinate")
    values = dict(zip(_COORDINATES[gradient.kind], numbers, strict=True))
    (radius,) = shortest(gradient.radius.clamp(min=0), what="the gradient's radius")
    if gradient.kind == "radial":
        values["r"] = radius
    elif radius != "1":
        values["clipdraw:r"] = radius
    if gradient.spread != "pad":
        values["spreadMethod"] = gradient.spread
    matrix = matrix_text(gradient.matrix)
    if matrix != _IDENTITY:
        values["gradientTransform"] = matrix
    attributes = "".join(f' {name}="{value}"' for name, value in values.items())
    yield f'<{gradient.kind}Gradient id="{GRADIENT_ID}{number}" gradientUnits="userSpaceOnUse"{attributes}>'
    offsets = shortest(gradient.offsets.clamp(0, 1).cummax(0).values, what="the gradient's offset")
    opacities = shortest(gradient.colors[:, 3].clamp(0, 1), what="the opacity")
    for offset, color, opacity in zip(offsets, color_text(gradient.colors[:, :3]), opacities, strict=True):
        yield f'<stop offset="{offset}" stop-color="{color}" stop-opacity="{opacity}"/>'
    yield f"</{gradient.kind}Gradient>"


def read_gradients(defs: Element | None) -> tuple[Gradient, ...]:
    """The gradients in `<defs>`.

    Raises:
        EditedError: something is not written as `write_gradients` does.
        FormatError: a number is impossible or missing.
    """
    elements = () if defs is None else tuple(defs)
    if [element.get("id") for element in elements] != [f"{GRADIENT_ID}{number}" for number in range(len(elements))]:
        raise EditedError
    return tuple(_read_gradient(element) for element in elements)


def _read_gradient(element: Element) -> Gradient:
    kind = element.tag.removeprefix(SVG).removesuffix("Gradient")
    if kind not in _COORDINATES or element.get("gradientUnits") != "userSpaceOnUse":
        raise EditedError
    names = _COORDINATES[kind]
    spread = element.get("spreadMethod", "pad")
    if not plain_keys(element) <= {*_GRADIENT_KEYS, *names, "r"} or spread not in get_args(Spread):
        raise EditedError
    values = [parse_number(required(element, name, what="a gradient"), what=f"a gradient's {name}") for name in names]
    radius = element.get("r") if kind == "radial" else element.get(f"{OWN}r", "1")
    offsets, colors = _read_stops(element)
    return Gradient(
        kind,  # type: ignore[arg-type]
        torch.tensor(values, dtype=torch.float32).reshape(2, 2),
        torch.tensor(offsets, dtype=torch.float32),
        torch.tensor(colors, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(parse_number(radius or "", what="a gradient's r", low=0.0), dtype=torch.float32),
        spread,  # type: ignore[arg-type]
        _read_matrix(element.get("gradientTransform", _IDENTITY)),
    )


def _read_stops(gradient: Element) -> tuple[list[float], list[tuple[float, ...]]]:
    offsets: list[float] = []
    colors: list[tuple[float, ...]] = []
    for stop in gradient:
        if stop.tag != SVG + "stop" or not plain_keys(stop) <= {"id", "offset", "stop-color", "stop-opacity"}:
            raise EditedError
        low = offsets[-1] if offsets else 0.0
        offsets.append(parse_number(required(stop, "offset", what="a stop"), what="an offset", low=low, high=1.0))
        text = required(stop, "stop-opacity", what="a stop")
        opacity = parse_number(text, what="the opacity of a stop", low=0.0, high=1.0)
        colors.append((*required_color(stop, "stop-color", what="the color of a stop"), opacity))
    if not offsets:
        raise EditedError
    return offsets, colors


def required_color(element: Element, key: str, *, what: str) -> tuple[float, float, float]:
    """The color in an attribute.

    Raises:
        FormatError: the element does not have the attribute.
        EditedError: the color is not written as `color_text` does.
    """
    text = element.get(key)
    if text is None:
        raise FormatError(f"{what} is missing")
    color = parse_percent_color(text)
    if color is None:
        raise EditedError
    return color


def write_transforms(drawing: Drawing) -> list[str]:
    """The elements of `<metadata>` that hold the drawing's transforms."""
    matrices = () if drawing.transforms is None else drawing.transforms
    return [f'<clipdraw:transform matrix="{matrix_text(matrix)}"/>' for matrix in matrices]


def read_transforms(root: Element) -> Float[Tensor, "transforms 2 3"]:
    """The transforms in `<metadata>`.

    Raises:
        EditedError: one is not written as `write_transforms` does.
        FormatError: a number is impossible.
    """
    elements = root.iterfind(f"{SVG}metadata/{OWN}transform")
    matrices = [_read_matrix(element.get("matrix", "")) for element in elements]
    return torch.stack(matrices) if matrices else torch.zeros(0, 2, 3)


def matrix_text(matrix: Float[Tensor, "2 3"]) -> str:
    """A matrix as SVG writes it, column by column.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    return f"matrix({' '.join(shortest(matrix.T, what='the transform'))})"


def _read_matrix(text: str) -> Float[Tensor, "2 3"]:
    match = _MATRIX.fullmatch(text)
    numbers = match[1].split() if match else []
    if len(numbers) != 6:
        raise EditedError
    values = [parse_number(number, what="a transform") for number in numbers]
    return torch.tensor(values, dtype=torch.float32).reshape(3, 2).T.contiguous()
