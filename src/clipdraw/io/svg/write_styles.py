"""What our SVG files say of paths that are more than strokes: attributes, gradients and transforms.

Any renderer shows them; attributes of our own namespace hold what SVG has no place for, so that a file gives the
very same drawing again: colors that are not painted, and of which transforms a path's one matrix is made.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing, Gradient, Style
from clipdraw.errors import InputError
from clipdraw.io.svg.numbers import LIMIT, as_percent, shortest

NAMESPACE = "urn:clipdraw:drawing"
"""Marks a file as ours, and holds what SVG has no place for; Inkscape keeps both."""

BLACK = "rgb(0%,0%,0%)"
GRADIENT_ID = "gradient"
"""What the `id` of gradients begins with; their number follows."""


def color_text(colors: Float[Tensor, "n 3"]) -> list[str]:
    """Each color as `rgb()` of exact percentages.

    Raises:
        InputError: a color is not finite.
    """
    numbers = [as_percent(number) for number in shortest(colors.clamp(0, 1), what="the color")]
    return [f"rgb({','.join(f'{part}%' for part in numbers[at : at + 3])})" for at in range(0, len(numbers), 3)]


def held(drawing: Drawing) -> str:
    """What a drawing has besides styles, as the file says it."""
    more = {"fills": drawing.fills, "transforms": drawing.transforms}
    return " ".join(["styles", *(name for name, tensor in more.items() if tensor is not None)])


def definitions(drawing: Drawing) -> list[str]:
    """The lines of `<defs>`; none without gradients.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    if not drawing.gradients:
        return []
    lines = [line for number, gradient in enumerate(drawing.gradients) for line in _definition(number, gradient)]
    return ["<defs>", *lines, "</defs>"]


def _definition(number: int, gradient: Gradient) -> Iterator[str]:
    names = ("x1", "y1", "x2", "y2") if gradient.kind == "linear" else ("cx", "cy", "fx", "fy")
    values = dict(zip(names, shortest(gradient.geometry, what="the gradient's coordinate"), strict=True))
    (radius,) = shortest(gradient.radius.clamp(min=0), what="the gradient's radius")
    values["r" if gradient.kind == "radial" else "clipdraw:r"] = radius
    if gradient.spread != "pad":
        values["spreadMethod"] = gradient.spread
    matrix = matrix_text(gradient.matrix)
    if matrix != "matrix(1 0 0 1 0 0)":
        values["gradientTransform"] = matrix
    if gradient.kind == "linear" and radius == "1":
        del values["clipdraw:r"]
    attributes = "".join(f' {name}="{value}"' for name, value in values.items())
    yield f'<{gradient.kind}Gradient id="{GRADIENT_ID}{number}" gradientUnits="userSpaceOnUse"{attributes}>'
    offsets = shortest(gradient.offsets.clamp(0, 1).cummax(0).values, what="the gradient's offset")
    opacities = shortest(gradient.colors[:, 3].clamp(0, 1), what="the opacity")
    for offset, color, opacity in zip(offsets, color_text(gradient.colors[:, :3]), opacities, strict=True):
        yield f'<stop offset="{offset}" stop-color="{color}" stop-opacity="{opacity}"/>'
    yield f"</{gradient.kind}Gradient>"


def matrix_text(matrix: Float[Tensor, "2 3"]) -> str:
    """A matrix as SVG writes it, column by column.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    return f"matrix({' '.join(shortest(matrix.T, what='the transform'))})"


def transform_entries(drawing: Drawing) -> list[str]:
    """The elements of `<metadata>` that hold the drawing's transforms."""
    matrices = () if drawing.transforms is None else drawing.transforms
    return [f'<clipdraw:transform matrix="{matrix_text(matrix)}"/>' for matrix in matrices]


def product(transforms: Float[Tensor, "transforms 2 3"], chain: tuple[int, ...]) -> Float[Tensor, "2 3"]:
    """One matrix for several transforms, outermost first."""
    last = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
    result = torch.eye(3, dtype=torch.float64)
    for number in chain:
        result = result @ torch.cat((transforms[number].detach().cpu().double(), last))
    return result[:2].float()


def paint_attributes(drawing: Drawing) -> list[str]:
    """For each path the attributes that tell how it is painted, with a leading space.

    Paths inherit a stroke with round caps and joins, and no fill.

    Raises:
        InputError: a number is not finite or beyond ±1e7.
    """
    fills = torch.zeros_like(drawing.colors) if drawing.fills is None else drawing.fills
    inks, washes = color_text(drawing.colors[:, :3]), color_text(fills[:, :3])
    opacities = shortest(drawing.colors[:, 3].clamp(0, 1), what="the opacity")
    densities = shortest(fills[:, 3].clamp(0, 1), what="the opacity")
    widths = shortest(drawing.widths.clamp(min=0), what="the width")
    texts = []
    for index, style in enumerate(drawing.styles):
        fill = _paint("fill", washes[index], densities[index], painted=style.fill is not None, of=style.fill_gradient)
        rule = ' fill-rule="evenodd"' if style.fill == "evenodd" else ""
        stroke = _paint("stroke", inks[index], opacities[index], painted=style.stroked, of=style.stroke_gradient)
        width = "" if widths[index] == "0" and not style.stroked else f' stroke-width="{widths[index]}"'
        texts.append(f"{fill}{rule}{stroke}{width}{_pen(style)}{_opacity(style)}{_transform(drawing, style)}")
    return texts


def _paint(name: str, color: str, opacity: str, *, painted: bool, of: int | None) -> str:
    """A paint and its opacity; what is not painted and transparent black is left out."""
    shown = "none" if not painted else color if of is None else f"url(#{GRADIENT_ID}{of})"
    text = "" if name == "fill" and shown == "none" else f' {name}="{shown}"'
    if shown != color and color != BLACK:
        text += f' clipdraw:{name}="{color}"'
    if not painted and of is not None:
        text += f' clipdraw:{name}-gradient="{of}"'
    return text if not painted and opacity == "0" else f'{text} {name}-opacity="{opacity}"'


def _pen(style: Style) -> str:
    if style.miter_limit > LIMIT:
        raise InputError(f"a miter limit of {style.miter_limit:g} cannot be stored; it must be at most {LIMIT:g}")
    parts = {
        "stroke-linecap": (style.cap, "round"),
        "stroke-linejoin": (style.join, "round"),
        "stroke-miterlimit": (repr(float(style.miter_limit)).removesuffix(".0"), "4"),
    }
    return "".join(f' {name}="{value}"' for name, (value, usual) in parts.items() if value != usual)


def _opacity(style: Style) -> str:
    return "" if style.opacity == 1 else f' opacity="{float(style.opacity)!r}"'


def _transform(drawing: Drawing, style: Style) -> str:
    if not style.transforms or drawing.transforms is None:
        return ""
    numbers = " ".join(map(str, style.transforms))
    matrix = matrix_text(product(drawing.transforms, style.transforms))
    return f' transform="{matrix}" clipdraw:transforms="{numbers}"'
