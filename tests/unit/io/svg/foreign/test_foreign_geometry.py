from xml.etree.ElementTree import fromstring

import numpy as np
import pytest
import torch

from clipdraw.io.svg.foreign.geometry import parse_transform, shape_subpaths
from clipdraw.io.svg.foreign.path_data import extent
from clipdraw.io.svg.foreign.values import UnreadableError
from tests.svg_samples import noted, read, read_strokes


def corners(drawing):
    return [drawing.points.min(dim=0)[0].tolist(), drawing.points.max(dim=0)[0].tolist()]


def test_transforms_scale_points_and_widths():
    line = '<path d="M0 0L3 0" stroke="#00f" stroke-width="1.5"/>'
    drawing = read_strokes(f'<g transform="translate(10 5) scale(2)"><g transform="rotate(90)">{line}</g></g>')
    assert torch.allclose(drawing.points[[0, 3]], torch.tensor([[10.0, 5.0], [10.0, 11.0]]), atol=1e-6)
    assert drawing.widths.tolist() == [3.0]


def test_the_viewbox_is_the_canvas():
    frame = '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" viewBox="-10,5 40 30">{}</svg>'
    drawing = read_strokes('<path d="M-10 5L0 5" stroke="red"/>', frame)
    assert (drawing.canvas.width, drawing.canvas.height) == (40, 30)
    assert drawing.points[0].tolist() == [0, 0]
    inches = read_strokes(
        '<path d="M0 0L9 9" stroke="red"/>', '<svg xmlns="http://www.w3.org/2000/svg" width="1in" height="2in">{}</svg>'
    )
    assert (inches.canvas.width, inches.canvas.height) == (96, 192)


@pytest.mark.parametrize(
    ("inner", "box"),
    [
        ('<svg x="20" y="2" width="40" height="40"><rect width="50%" height="25%"/></svg>', [[20, 2], [40, 12]]),
        ('<svg x="2" width="40" height="40" viewBox="0 0 8 8"><rect width="50%" height="4"/></svg>',
         [[2, 0], [22, 20]]),
        ('<symbol id="s" viewBox="0 0 10 20" preserveAspectRatio="xMidYMin slice"><rect width="10" height="10"/>'
         '</symbol><use href="#s" x="20" width="40" height="40"/>', [[20, 0], [60, 40]]),
    ],
)  # fmt: skip
def test_inner_viewports(inner, box):
    assert corners(read(inner)) == box


@pytest.mark.parametrize(
    ("attributes", "canvas", "box"),
    [
        ('width="200" height="100"', (200, 100), [[60, 10], [70, 20]]),
        ('width="2in" height="1in" preserveAspectRatio="xMinYMid"', (200, 100), [[10, 10], [20, 20]]),
        ('width="200" height="100" preserveAspectRatio="none"', (200, 100), [[20, 10], [40, 20]]),
        ('width="200" height="100" preserveAspectRatio="xMidYMin slice"', (100, 50), [[10, 10], [20, 20]]),
        ('width="200" height="100%"', (100, 100), [[10, 10], [20, 20]]),
        ('width="50" height="50"', (100, 100), [[10, 10], [20, 20]]),
    ],
)
def test_the_canvas_is_what_is_shown(attributes, canvas, box):
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" {attributes}>{{}}</svg>'
    drawing = read('<rect x="10" y="10" width="10" height="10"/>', frame)
    assert (drawing.canvas.width, drawing.canvas.height) == pytest.approx(canvas)
    assert corners(drawing) == [pytest.approx(corner) for corner in box]


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("none", (3, 4)),
        ("translate(10)", (13, 4)),
        ("translate(10, -5)", (13, -1)),
        ("translate(1in 3pt)", (99, 8)),
        ("translateX(2) translateY(3)", (5, 7)),
        ("scale(2)", (6, 8)),
        ("scale(2 -1)", (6, -4)),
        ("scaleX(2)scaleY(3)", (6, 12)),
        ("rotate(90)", (-4, 3)),
        ("rotate(100grad)", (-4, 3)),
        ("Rotate( .25turn )", (-4, 3)),
        ("rotate(1.5707963267948966rad)", (-4, 3)),
        ("rotate(90, 3, 0)", (-1, 0)),
        ("skewX(45)", (7, 4)),
        ("skewY(45deg)", (3, 7)),
        ("skew(45, 45)", (7, 7)),
        ("matrix(1 2 3 4 5 6)", (20, 28)),
        ("matrix(1,2,3,4,5,6) translate(1.,-1)", (18, 26)),
        ("translate(10,0) scale(2)", (16, 8)),
        ("scale(2),translate(10,0)", (26, 8)),
    ],
)
def test_transform_lists(text, image):
    assert parse_transform(text) @ (3, 4, 1) == pytest.approx((*image, 1))


@pytest.mark.parametrize(
    "text",
    [
        "matrix(1 2)", "scale(1 2 3)", "rotate(1 2)", "rotate( )", "scale(2px)", "rotate(5px)", "translate(5%)",
        "translate(1foo)", "translate(1e999)", "rotate(1e999)", "scale(1e200) scale(1e200)", "rotate(1)" * 300,
    ],
)  # fmt: skip
def test_transform_lists_that_are_not_understood(text):
    with pytest.raises(UnreadableError), np.errstate(all="ignore"):
        parse_transform(text)


@pytest.mark.parametrize(
    "text",
    [
        "translate(9 9);", "translate(9 9) foo(3)", "TRANSLATE(9 9)", "translate(9px 9px)", "rotate(9deg)", "scale(",
        "rotate(9 9)", "translate(9 9", "scale(2)x",
    ],
)  # fmt: skip
def test_attributes_that_are_no_transform_are_ignored_and_named(text):
    drawing, note = noted(f'<rect x="10" y="5" width="9" height="9" transform="{text}"/>')
    assert (corners(drawing), note) == ([[10, 5], [19, 14]], "unreadable transform")


def test_styles_may_have_units_and_capitals_in_transforms():
    box = '<rect style="transform:{}" width="9" height="9"/>'
    assert corners(read(box.format("TranslateX(10px) translate(5px,2px)"))) == [[15, 2], [24, 11]]


@pytest.mark.parametrize(
    ("origin", "point"),
    [
        ("10 20", (10, 20)), ("center", (50, 25)), ("right bottom", (100, 50)), ("top", (50, 0)), ("top left", (0, 0)),
        ("25% 50%", (25, 25)), ("10", (10, 25)), ("10px 2em 5px", (10, 32)), ("bottom 10%", (10, 50)), ("0 0", (0, 0)),
    ],
)  # fmt: skip
def test_transforms_turn_about_their_origin(origin, point):
    box = f'<rect x="{point[0] - 5}" y="{point[1] - 2}" width="10" height="4" {{}}/>'
    wanted = [pytest.approx([point[0] - 2, point[1] - 5]), pytest.approx([point[0] + 2, point[1] + 5])]
    turned = f'transform="rotate(90)" transform-origin="{origin}"'
    assert corners(read(box.format(turned))) == wanted
    assert corners(read(f"<g {turned}>{box.format('')}</g>")) == wanted
    assert (
        corners(read(box.format(f'style="transform:rotate(90deg);transform-origin:{origin.replace("10 ", "10px ")}"')))
        == wanted
    )
    untouched = read(box.format(f'transform-origin="{origin}"'))
    assert corners(untouched)[0] == [point[0] - 5, point[1] - 2]


@pytest.mark.parametrize("origin", ["foo", "10 foo", "left 10foo", ""])
def test_origins_that_are_not_understood_are_named(origin):
    assert (
        noted(f'<rect width="9" height="9" transform="scale(2)" transform-origin="{origin}"/>')[1]
        == "unreadable transform-origin"
    )


@pytest.mark.parametrize(
    ("symbol", "use", "box"),
    [
        ('width="50" height="5" viewBox="0 0 10 10"', "", [[25, 0], [50, 25]]),
        ('x="30" y="30" viewBox="0 0 10 10"', 'width="20" height="20"', [[0, 0], [10, 10]]),
    ],
)
def test_only_the_use_tells_the_size_of_a_symbol(symbol, use, box):
    body = f'<symbol id="s" {symbol}><rect width="5" height="5"/></symbol><use href="#s" {use}/>'
    assert corners(read(body)) == box


def test_negative_sizes_of_inner_viewports_are_none():
    assert corners(read('<svg width="-9" height="40"><rect width="50%" height="100%"/></svg>')) == [[0, 0], [50, 40]]


def test_deferred_aspects():
    frame = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 50 50" width="100" height="50" {}>{{}}</svg>'
    wanted = corners(read("<rect width='5' height='5'/>", frame.format('preserveAspectRatio="xMinYMin"')))
    assert wanted == [[0, 0], [5, 5]]
    assert corners(read("<rect width='5' height='5'/>", frame.format('preserveAspectRatio="defer xMinYMin"'))) == wanted


def runs(text):
    element = fromstring(text)
    return shape_subpaths(element, element.tag, (100, 50))[0]


@pytest.mark.parametrize(
    ("shape", "same"),
    [
        ('<rect width="40" height="30" rx="auto" ry="10"/>', '<rect width="40" height="30" rx="10" ry="10"/>'),
        ('<rect width="40" height="30" rx="8" ry="-3"/>', '<rect width="40" height="30" rx="8" ry="8"/>'),
        ('<rect width="40" height="30" rx="99" ry="99"/>', '<rect width="40" height="30" rx="20" ry="15"/>'),
        ('<rect width="40" height="30" rx="0" ry="9"/>', '<rect width="40" height="30"/>'),
        ('<rect width="40" height="30" rx="auto" ry="auto"/>', '<rect width="40" height="30"/>'),
        ('<ellipse rx="4" ry="auto"/>', '<ellipse rx="4" ry="4"/>'),
        ('<ellipse rx="-1" ry="3"/>', '<ellipse rx="3" ry="3"/>'),
        ('<ellipse rx="10%" ry="20%"/>', '<ellipse rx="10" ry="10"/>'),
        ('<circle r="10" cx="5"/>', '<ellipse rx="10" ry="10" cx="5"/>'),
    ],
)
def test_radii(shape, same):
    (one,), (other,) = runs(shape), runs(same)
    assert one.closed == other.closed
    np.testing.assert_allclose(one.points, other.points, atol=1e-9)


@pytest.mark.parametrize(
    "shape",
    [
        '<ellipse rx="auto" ry="auto"/>', '<ellipse rx="0" ry="5"/>', '<circle r="auto"/>', "<circle/>",
        '<rect width="auto" height="5"/>', '<rect width="5" height="-5"/>', '<polygon points="5 5"/>', "<path/>",
    ],
)  # fmt: skip
def test_shapes_without_a_size_are_nothing(shape):
    assert runs(shape) == []


def test_rounded_corners_stay_within_their_rectangle():
    outline = runs('<rect x="1" y="2" width="30" height="20" rx="7" ry="5"/>')
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(extent(outline), [[1, 2], [31, 22]], atol=1e-9)
    assert outline[0].segments == 16
