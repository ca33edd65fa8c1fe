import pytest
import torch
from clipdraw.io.svg.files import from_svg
from svg_samples import SVG

from clipdraw.drawing import Style

SQUARE = "M10 10h30v30h-30z"


def read(body):
    return from_svg(SVG.format(body))


def test_fill_and_stroke_on_one_path():
    drawing = read(f'<path d="{SQUARE}" fill="red" fill-opacity=".5" stroke="blue" stroke-opacity=".25"/>')
    assert drawing.fills.tolist() == [[1, 0, 0, 0.5]]
    assert drawing.colors.tolist() == [[0, 0, 1, 0.25]]
    assert drawing.widths.tolist() == [1.0]
    assert drawing.styles == (Style((True,), "nonzero", True, "butt", "miter", 4.0),)


def test_only_a_fill_has_no_stroke():
    drawing = read(f'<path d="{SQUARE}" opacity=".5" fill="currentColor" color="lime"/>')
    assert drawing.styles == (Style((True,), "nonzero", False),)
    assert (drawing.widths.tolist(), drawing.colors.tolist()) == ([0.0], [[0, 0, 0, 0]])
    assert drawing.fills.tolist() == [[0, 1, 0, 0.5]]


@pytest.mark.parametrize("rule", ["nonzero", "evenodd"])
def test_fill_rules_are_inherited(rule):
    drawing = read(f'<g fill-rule="{rule}"><path d="{SQUARE}"/></g>')
    assert drawing.styles[0].fill == rule


def test_what_encloses_nothing_is_not_filled():
    drawing = read(
        '<g stroke="red" stroke-linecap="round" stroke-linejoin="round"><path d="M0 0L9 9"/><line x2="9" y2="9"/></g>'
    )
    assert drawing.styles == ()
    assert drawing.fills is None


@pytest.mark.parametrize(
    ("attributes", "pen"),
    [
        ("", ("butt", "miter", 4.0)),
        ('stroke-linecap="round" stroke-linejoin="round" stroke-miterlimit="9"', ("round", "round", 4.0)),
        ('stroke-linecap="square" stroke-linejoin="bevel"', ("square", "bevel", 4.0)),
        ('stroke-miterlimit="10"', ("butt", "miter", 10.0)),
        ('stroke-miterlimit="0.5" stroke-linejoin="arcs"', ("butt", "miter", 4.0)),
        ('style="stroke-linecap:square;stroke-linejoin:miter;stroke-miterlimit:1"', ("square", "miter", 1.0)),
    ],
)
def test_pens(attributes, pen):
    (style,) = read(f'<path d="M0 0L9 9" stroke="red" {attributes}/>').styles or (Style(),)
    assert (style.cap, style.join, style.miter_limit) == pen


def test_a_stroke_beneath_its_fill_is_a_path_of_its_own():
    drawing = read(f'<path d="{SQUARE}" fill="red" stroke="blue" paint-order="stroke"/>')
    assert [(style.fill, style.stroked) for style in drawing.styles] == [(None, True), ("nonzero", False)]


def test_fills_under_uneven_scaling_need_no_transform():
    drawing = read(f'<path d="{SQUARE}" transform="scale(2 1) skewX(10)"/>')
    assert drawing.transforms is None
    turned = read(f'<path d="{SQUARE}" stroke="red" transform="rotate(30) scale(-2 2)"/>')
    assert turned.transforms is None
    assert turned.widths.tolist() == [2.0]


def test_a_stretched_path_keeps_its_points():
    drawing = read(f'<g transform="translate(5 0)"><path d="{SQUARE}" stroke="red" transform="scale(2 1)"/></g>')
    assert drawing.points[0].tolist() == [10, 10]
    assert torch.equal(drawing.transforms, torch.tensor([[[2.0, 0.0, 5.0], [0.0, 1.0, 0.0]]]))
