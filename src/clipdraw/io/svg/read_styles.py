"""Paths that are more than strokes, gradients and transforms of our own SVG files; see `svg_write_styles`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing, Gradient, Style
from clipdraw.errors import FormatError, InputError
from clipdraw.io.svg.numbers import parse_number
from clipdraw.io.svg.read_parts import (
    MAX_SEGMENTS,
    SVG,
    EditedError,
    check_count,
    path_data,
    path_numbers,
    percent_color,
    plain_keys,
    required,
    required_color,
)
from clipdraw.io.svg.write_styles import GRADIENT_ID, NAMESPACE, matrix_text, product

Color = tuple[float, float, float]

_OURS = f"{{{NAMESPACE}}}"
_MATRIX = re.compile(r"matrix\(([^()]{1,400})\)")
_SERVER = re.compile(rf"url\(#{GRADIENT_ID}(\d{{1,6}})\)")
_PATH_KEYS = {
    "d", "id", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-opacity", "stroke-width", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "opacity", "transform",
}  # fmt: skip
_GRADIENT_KEYS = {"id", "gradientUnits", "gradientTransform", "spreadMethod"}
_COORDINATES = {"linear": ("x1", "y1", "x2", "y2"), "radial": ("cx", "cy", "fx", "fy")}


@dataclass(frozen=True)
class _Paint:
    """A fill or stroke of a path: whether it is painted, how, and with which gradient."""

    painted: bool
    color: tuple[float, float, float, float]
    gradient: int | None


def read_styled(
    group: Element, *, gradients: tuple[Gradient, ...], transforms: Float[Tensor, "transforms 2 3"] | None, filled: bool
) -> Drawing:
    """The drawing of the paths in a group, on the usual canvas.

    Args:
        group: its elements are the paths.
        gradients: what paths refer to.
        transforms: what paths refer to.
        filled: whether the drawing has fills.

    Raises:
        EditedError: it is written in another way than ours.
        FormatError: a number is impossible or missing.
    """
    points: list[float] = []
    segments: list[int] = []
    styles, widths, colors, fills = [], [], [], []
    for index, path in enumerate(group):
        if path.tag != SVG + "path" or len(path) or not plain_keys(path) <= _PATH_KEYS:
            raise EditedError
        what = f"path {index}"
        fill, stroke = (_read_paint(path, name, len(gradients), what=what) for name in ("fill", "stroke"))
        closed = _read_subpaths(path, points, segments, what=what)
        width = required(path, "stroke-width", what=what) if stroke.painted else path.get("stroke-width", "0")
        widths.append(parse_number(width, what=f"the width of {what}", low=0.0))
        colors.append(stroke.color)
        fills.append(fill.color)
        styles.append(_read_style(path, closed, (fill, stroke), transforms))
    if not styles or (not filled and any(style.fill for style in styles)):
        raise EditedError
    return Drawing(
        points=torch.tensor(points, dtype=torch.float32).reshape(-1, 2),
        widths=torch.tensor(widths, dtype=torch.float32),
        colors=torch.tensor(colors, dtype=torch.float32),
        segments=tuple(segments),
        styles=tuple(styles),
        fills=torch.tensor(fills, dtype=torch.float32) if filled else None,
        gradients=gradients,
        transforms=transforms,
    )


def _read_subpaths(path: Element, points: list[float], segments: list[int], *, what: str) -> tuple[bool, ...]:
    """Add the points and segments of a path; return which of its subpaths are closed."""
    data = path_data(path, what=what)
    if not data.startswith("M"):
        raise EditedError
    closed = []
    for part in data[1:].split("M"):
        numbers = path_numbers(f"M{part.removesuffix('z')}", what=what)
        segments.append((len(numbers) // 2 - 1) // 3)
        closed.append(part.endswith("z"))
        if closed[-1] and numbers[:2] != numbers[-2:]:
            raise EditedError
        points += numbers[:-2] if closed[-1] else numbers
        check_count(len(points) // 6, MAX_SEGMENTS, what="segments")
    return tuple(closed)


def _read_paint(path: Element, name: str, gradients: int, *, what: str) -> _Paint:
    shown = path.get(name, "none") if name == "fill" else path.get(name)
    if shown is None:
        raise FormatError(f"the color of {what} is missing")
    server = _SERVER.fullmatch(shown)
    number = server[1] if server else path.get(f"{_OURS}{name}-gradient")
    painted = shown != "none"
    if number is not None and not (number.isdecimal() and int(number) < gradients):
        raise FormatError(f"{what} refers to the gradient {number:.20} of {gradients}")
    color = (0.0, 0.0, 0.0) if not painted or server else _color(shown)
    if f"{_OURS}{name}" in path.keys():  # noqa: SIM118 - an element is not a mapping
        color = _color(path.get(f"{_OURS}{name}", ""))
    text = path.get(f"{name}-opacity", "1" if painted else "0")
    opacity = parse_number(text, what=f"the opacity of {what}", low=0.0, high=1.0)
    return _Paint(painted, (*color, opacity), None if number is None else int(number))


def _color(text: str) -> Color:
    color = percent_color(text)
    if color is None:
        raise EditedError
    return color


def _read_style(
    path: Element,
    closed: tuple[bool, ...],
    paints: tuple[_Paint, _Paint],
    transforms: Float[Tensor, "transforms 2 3"] | None,
) -> Style:
    fill, stroke = paints
    cap, join = path.get("stroke-linecap", "round"), path.get("stroke-linejoin", "round")
    rule = path.get("fill-rule", "nonzero")
    known = (
        rule in ("nonzero", "evenodd") and cap in ("round", "butt", "square") and join in ("round", "bevel", "miter")
    )
    if not known:
        raise EditedError
    return Style(
        closed=closed,
        fill=rule if fill.painted else None,  # type: ignore[arg-type]
        stroked=stroke.painted,
        cap=cap,  # type: ignore[arg-type]
        join=join,  # type: ignore[arg-type]
        miter_limit=parse_number(path.get("stroke-miterlimit", "4"), what="a miter limit", low=1.0),
        fill_gradient=fill.gradient,
        stroke_gradient=stroke.gradient,
        transforms=_read_chain(path, transforms),
        opacity=parse_number(path.get("opacity", "1"), what="the opacity of a path", low=0.0, high=1.0),
    )


def _read_chain(path: Element, transforms: Float[Tensor, "transforms 2 3"] | None) -> tuple[int, ...]:
    """The numbers of a path's transforms, if the matrix that renderers see is still theirs."""
    text, shown = path.get(f"{_OURS}transforms"), path.get("transform")
    if text is None and shown is None:
        return ()
    numbers = (text or "").split()
    if transforms is None or not numbers or not all(n.isdecimal() and int(n) < len(transforms) for n in numbers):
        raise EditedError
    chain = tuple(map(int, numbers))
    try:
        same = matrix_text(product(transforms, chain)) == shown
    except InputError:  # beyond all limits
        same = False
    if not same:
        raise EditedError
    return chain


def read_transforms(root: Element) -> Float[Tensor, "transforms 2 3"]:
    """The transforms in the metadata.

    Raises:
        EditedError: one is written in another way than ours.
        FormatError: a number is impossible.
    """
    elements = root.iterfind(f"{SVG}metadata/{_OURS}transform")
    matrices = [_matrix(element.get("matrix", "")) for element in elements]
    return torch.stack(matrices) if matrices else torch.zeros(0, 2, 3)


def _matrix(text: str) -> Float[Tensor, "2 3"]:
    match = _MATRIX.fullmatch(text)
    numbers = match[1].split() if match else []
    if len(numbers) != 6:
        raise EditedError
    values = [parse_number(number, what="a transform") for number in numbers]
    return torch.tensor(values, dtype=torch.float32).reshape(3, 2).T.contiguous()


def read_gradients(defs: Element | None) -> tuple[Gradient, ...]:
    """The gradients in `<defs>`, which are numbered.

    Raises:
        EditedError: something is written in another way than ours.
        FormatError: a number is impossible or missing.
    """
    elements = () if defs is None else tuple(defs)
    if [element.get("id") for element in elements] != [f"{GRADIENT_ID}{number}" for number in range(len(elements))]:
        raise EditedError
    return tuple(_gradient(element) for element in elements)


def _gradient(element: Element) -> Gradient:
    kind = element.tag.removeprefix(SVG).removesuffix("Gradient")
    if kind not in _COORDINATES or element.get("gradientUnits") != "userSpaceOnUse":
        raise EditedError
    names = _COORDINATES[kind]
    spread = element.get("spreadMethod", "pad")
    if not plain_keys(element) <= {*_GRADIENT_KEYS, *names, "r"} or spread not in ("pad", "reflect", "repeat"):
        raise EditedError
    values = [parse_number(required(element, name, what="a gradient"), what=f"a gradient's {name}") for name in names]
    radius = element.get("r") if kind == "radial" else element.get(f"{_OURS}r", "1")
    offsets, colors = _stops(element)
    return Gradient(
        kind,  # type: ignore[arg-type]
        torch.tensor(values, dtype=torch.float32).reshape(2, 2),
        torch.tensor(offsets, dtype=torch.float32),
        torch.tensor(colors, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(parse_number(radius or "", what="a gradient's r", low=0.0), dtype=torch.float32),
        spread,  # type: ignore[arg-type]
        _matrix(element.get("gradientTransform", "matrix(1 0 0 1 0 0)")),
    )


def _stops(elements: Sequence[Element] | Element) -> tuple[list[float], list[tuple[float, ...]]]:
    offsets: list[float] = []
    colors: list[tuple[float, ...]] = []
    for stop in elements:
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
