"""Path elements of our own SVG files: shape and paint as attributes, and these read back to the last bit.

Any renderer shows them; attributes of our own namespace hold what SVG has no place for: the colors of paints that
are not shown, and the transforms of which a path's one matrix is the product.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args
from xml.etree.ElementTree import Element

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Cap, Drawing, FillRule, Gradient, Join, Style, control_points
from clipdraw.errors import FormatError, InputError
from clipdraw.io.svg.gradients import GRADIENT_ID, EditedError, matrix_text, required_color
from clipdraw.io.svg.syntax import (
    LIMIT,
    MAX_SEGMENTS,
    OWN,
    SVG,
    check_count,
    color_text,
    exact,
    parse_number,
    plain_keys,
    required,
    shortest,
)
from clipdraw.limits import check_limits

_BLACK = "rgb(0%,0%,0%)"
_SERVER = re.compile(rf"url\(#{GRADIENT_ID}(\d{{1,6}})\)")
_STROKE_KEYS = {"d", "stroke", "stroke-opacity", "stroke-width", "pathLength", "id"}
_STYLED_KEYS = {
    "d", "id", "fill", "fill-opacity", "fill-rule", "stroke", "stroke-opacity", "stroke-width", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "opacity", "transform",
}  # fmt: skip
_KEYWORDS = {"fill-rule": get_args(FillRule), "stroke-linecap": get_args(Cap), "stroke-linejoin": get_args(Join)}
_ANIMATIONS = {SVG + "animate", SVG + "set"}


def path_data(drawing: Drawing) -> list[str]:
    """The `d` attribute of each path: for each subpath an absolute `M`, then an absolute `C`, then `z` if it is closed.

    Raises:
        InputError: a coordinate is not finite or beyond ±1e7.
    """
    numbers = shortest(drawing.points, what="the coordinate")
    closed = [style.closed for style in drawing.styles] or [(False,)] * len(drawing.segments)
    counts, texts, begin = iter(drawing.segments), [], 0
    for flags in closed:
        parts = []
        for flag in flags:
            end = begin + 2 * control_points(next(counts), closed=flag)
            rest = numbers[begin + 2 : end] + (numbers[begin : begin + 2] if flag else [])
            parts.append(f"M{numbers[begin]} {numbers[begin + 1]}C{' '.join(rest)}{'z' if flag else ''}")
            begin = end
        texts.append("".join(parts))
    return texts


def paint_attributes(drawing: Drawing) -> list[str]:
    """The attributes that tell how each path is painted, with a leading space.

    Only what differs from the group around the paths is written: a stroke with round caps and joins, and no fill.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    stroke_colors, stroke_opacities = _color_texts(drawing.colors)
    fill_colors, fill_opacities = _color_texts(drawing.fills, count=len(drawing))
    widths = shortest(drawing.widths.clamp(min=0), what="the width")
    texts = []
    for index, style in enumerate(drawing.styles or [Style()] * len(drawing)):
        fill = _paint_text("fill", fill_colors[index], fill_opacities[index], style.fill is not None,
            style.fill_gradient)  # fmt: skip
        rule = ' fill-rule="evenodd"' if style.fill == "evenodd" else ""
        stroke = _paint_text("stroke", stroke_colors[index], stroke_opacities[index], style.stroked,
            style.stroke_gradient)  # fmt: skip
        width = "" if widths[index] == "0" and not style.stroked else f' stroke-width="{widths[index]}"'
        texts.append(f"{fill}{rule}{stroke}{width}{_pen_text(style)}{_transform_text(drawing, style)}")
    return texts


def _color_texts(colors: Float[Tensor, "paths 4"] | None, *, count: int = 0) -> tuple[list[str], list[str]]:
    """The colors and opacities of paths, or of `count` paths without a paint."""
    if colors is None:
        return [_BLACK] * count, ["0"] * count
    return color_text(colors[:, :3]), shortest(colors[:, 3].clamp(0, 1), what="the opacity")


def _paint_text(name: str, color: str, opacity: str, painted: bool, gradient: int | None) -> str:
    """A paint and its opacity; a paint that is neither shown nor holds anything is left out."""
    shown = "none" if not painted else color if gradient is None else f"url(#{GRADIENT_ID}{gradient})"
    text = "" if name == "fill" and shown == "none" else f' {name}="{shown}"'
    if shown != color and color != _BLACK:
        text += f' clipdraw:{name}="{color}"'
    if not painted and gradient is not None:
        text += f' clipdraw:{name}-gradient="{gradient}"'
    return text if not painted and opacity == "0" else f'{text} {name}-opacity="{opacity}"'


def _pen_text(style: Style) -> str:
    """Caps, joins and the opacity of the path where they are not the usual ones."""
    if style.miter_limit > LIMIT:
        raise InputError(f"a miter limit of {style.miter_limit:g} cannot be stored; it must be at most {LIMIT:g}")
    parts = {
        "stroke-linecap": (style.cap, "round"),
        "stroke-linejoin": (style.join, "round"),
        "stroke-miterlimit": (exact(style.miter_limit), "4"),
        "opacity": ("1" if style.opacity == 1 else repr(float(style.opacity)), "1"),
    }
    return "".join(f' {name}="{value}"' for name, (value, usual) in parts.items() if value != usual)


def _transform_text(drawing: Drawing, style: Style) -> str:
    if not style.transforms or drawing.transforms is None:
        return ""
    numbers = " ".join(map(str, style.transforms))
    matrix = matrix_text(product(drawing.transforms, style.transforms))
    return f' transform="{matrix}" clipdraw:transforms="{numbers}"'


def product(transforms: Float[Tensor, "transforms 2 3"], chain: tuple[int, ...]) -> Float[Tensor, "2 3"]:
    """One matrix for several transforms, outermost first."""
    last = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
    result = torch.eye(3, dtype=torch.float64)
    for number in chain:
        result = result @ torch.cat((transforms[number].detach().cpu().double(), last))
    return result[:2].float()


@dataclass(frozen=True)
class Shared:
    """Parts of a drawing that its paths refer to, as far as the file was read.

    Args:
        styled: whether the drawing has styles; without, each path is an open stroke.
        filled: whether it has fills.
        gradients: its gradients.
        transforms: its transforms, if it has any.
    """

    styled: bool
    filled: bool
    gradients: tuple[Gradient, ...]
    transforms: Float[Tensor, "transforms 2 3"] | None


@dataclass(frozen=True)
class _Paint:
    """A fill or stroke of a path: whether it is painted, its color and opacity, and the number of its gradient."""

    painted: bool
    color: tuple[float, float, float, float]
    gradient: int | None


def read_paths(group: Element, shared: Shared) -> Drawing:
    """The drawing of the paths in a group, on the default canvas.

    Raises:
        EditedError: something is not written as `path_data` and `paint_attributes` do.
        FormatError: a number is impossible or missing.
    """
    points: list[float] = []
    segments: list[int] = []
    styles, widths, colors, fills = [], [], [], []
    for index, path in enumerate(group):
        check_limits()
        what = f"{'path' if shared.styled else 'stroke'} {index}"
        _check_element(path, styled=shared.styled)
        stroke = _read_paint(path, "stroke", shared, what=what)
        closed = _read_subpaths(path, points, segments, what=what)
        width = required(path, "stroke-width", what=what) if stroke.painted else path.get("stroke-width", "0")
        widths.append(parse_number(width, what=f"the width of {what}", low=0.0))
        colors.append(stroke.color)
        if shared.styled:
            fill = _read_paint(path, "fill", shared, what=what)
            fills.append(fill.color)
            styles.append(_read_style(path, closed, fill, stroke, shared))
        elif closed != (False,):
            raise EditedError
    if (shared.styled and not styles) or (not shared.filled and any(style.fill for style in styles)):
        raise EditedError
    return Drawing(
        points=torch.tensor(points, dtype=torch.float32).reshape(-1, 2),
        widths=torch.tensor(widths, dtype=torch.float32),
        colors=torch.tensor(colors, dtype=torch.float32).reshape(-1, 4),
        segments=tuple(segments),
        styles=tuple(styles),
        fills=torch.tensor(fills, dtype=torch.float32) if shared.filled else None,
        gradients=shared.gradients,
        transforms=shared.transforms,
    )


def _check_element(path: Element, *, styled: bool) -> None:
    if path.tag != SVG + "path" or not plain_keys(path) <= (_STYLED_KEYS if styled else _STROKE_KEYS):
        raise EditedError
    if any(styled or child.tag not in _ANIMATIONS for child in path):
        raise EditedError


def _read_subpaths(path: Element, points: list[float], segments: list[int], *, what: str) -> tuple[bool, ...]:
    """Add the points and segments of a path; return which of its subpaths are closed."""
    data = path.get("d")
    if data is None:
        raise FormatError(f"{what} has no path data (d)")
    if not data.startswith("M"):
        raise EditedError
    closed = []
    for part in data[1:].split("M"):
        numbers = _read_subpath(part.removesuffix("z"), what=what)
        segments.append((len(numbers) // 2 - 1) // 3)
        closed.append(part.endswith("z"))
        if closed[-1] and numbers[:2] != numbers[-2:]:
            raise EditedError
        points += numbers[:-2] if closed[-1] else numbers
        check_count(len(points) // 6, MAX_SEGMENTS, what="segments")
    return tuple(closed)


def _read_subpath(data: str, *, what: str) -> list[float]:
    """The coordinates of a subpath, whose data stands between `M` and the end or `z`."""
    start, _, rest = data.partition("C")
    texts = [*start.split(), *rest.split()]
    if len(start.split()) != 2:
        raise EditedError
    check_count(len(texts) // 6, MAX_SEGMENTS, what="segments")
    try:
        numbers = list(map(float, texts))
    except ValueError:
        raise EditedError from None
    if not all(-LIMIT <= number <= LIMIT for number in numbers):
        raise FormatError(f"{what} has a coordinate that is not finite or beyond ±{LIMIT:g}")
    if len(numbers) < 8 or len(numbers) % 6 != 2:
        raise FormatError(f"{what} has {len(numbers)} coordinates, which make no whole cubic segments")
    return numbers


def _read_paint(path: Element, name: str, shared: Shared, *, what: str) -> _Paint:
    shown = path.get(name, "none") if name == "fill" else path.get(name)
    if shown is None:
        raise FormatError(f"the color of {what} is missing")
    server = _SERVER.fullmatch(shown) if shared.styled else None
    number = server[1] if server else path.get(f"{OWN}{name}-gradient")
    painted = shown != "none"
    if number is not None and not (number.isdecimal() and int(number) < len(shared.gradients)):
        raise FormatError(f"{what} refers to the gradient {number:.20} of {len(shared.gradients)}")
    color = (0.0, 0.0, 0.0) if not painted or server else required_color(path, name, what=what)
    if f"{OWN}{name}" in path.keys():  # noqa: SIM118 - an element is not a mapping
        color = required_color(path, f"{OWN}{name}", what=what)
    text = path.get(f"{name}-opacity", "1" if painted else "0")
    opacity = parse_number(text, what=f"the opacity of {what}", low=0.0, high=1.0)
    return _Paint(painted, (*color, opacity), None if number is None else int(number))


def _read_style(path: Element, closed: tuple[bool, ...], fill: _Paint, stroke: _Paint, shared: Shared) -> Style:
    rule, cap, join = (_keyword(path, name) for name in ("fill-rule", "stroke-linecap", "stroke-linejoin"))
    return Style(
        closed=closed,
        fill=rule if fill.painted else None,
        stroked=stroke.painted,
        cap=cap,
        join=join,
        miter_limit=parse_number(path.get("stroke-miterlimit", "4"), what="a miter limit", low=1.0),
        fill_gradient=fill.gradient,
        stroke_gradient=stroke.gradient,
        transforms=_read_chain(path, shared.transforms),
        opacity=parse_number(path.get("opacity", "1"), what="the opacity of a path", low=0.0, high=1.0),
    )


def _keyword(path: Element, name: str) -> Any:
    """The value of an attribute that is one of a few words, the first of which is the usual one."""
    value = path.get(name, _KEYWORDS[name][0])
    if value not in _KEYWORDS[name]:
        raise EditedError
    return value


def _read_chain(path: Element, transforms: Float[Tensor, "transforms 2 3"] | None) -> tuple[int, ...]:
    """The numbers of a path's transforms, if the matrix that renderers see is still their product."""
    text, shown = path.get(f"{OWN}transforms"), path.get("transform")
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


def stored_parts(drawing: Drawing) -> str:
    """The words by which a file says which optional parts its drawing has."""
    parts: Sequence[tuple[str, object]] = (("fills", drawing.fills), ("transforms", drawing.transforms))
    return " ".join(["styles", *(name for name, part in parts if part is not None)])
