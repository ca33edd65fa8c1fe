import pytest
import torch

from clipdraw.errors import FormatError
from clipdraw.io.svg import from_svg
from clipdraw.io.svg.foreign import ForeignSvgWarning
from tests.svg_samples import SVG

STOPS = '<stop stop-color="red"/><stop offset="100%" stop-color="blue" stop-opacity=".5"/>'
RECT = '<rect x="10" y="20" width="40" height="20" fill="url(#g)" {}/>'


def read(definition, shape=RECT):
    return from_svg(SVG.format(f"<defs>{definition}</defs>{shape.format('')}"))


def linear(attributes, stops=STOPS, name="g"):
    return f'<linearGradient id="{name}" {attributes}>{stops}</linearGradient>'


def radial(attributes, stops=STOPS):
    return f'<radialGradient id="g" {attributes}>{stops}</radialGradient>'


def test_a_gradient_of_the_bounding_box():
    drawing = read(linear(""), RECT.format('fill-opacity=".5"'))
    (gradient,) = drawing.gradients
    assert drawing.styles[0].fill_gradient == 0
    assert drawing.fills.tolist() == [[0, 0, 0, 0.5]]
    assert (gradient.kind, gradient.spread) == ("linear", "pad")
    assert gradient.geometry.tolist() == [[0, 0], [1, 0]]
    assert gradient.matrix.tolist() == [[40, 0, 10], [0, 20, 20]]
    assert gradient.offsets.tolist() == [0, 1]
    assert gradient.colors.tolist() == [[1, 0, 0, 1], [0, 0, 1, 0.5]]


def test_a_gradient_in_user_space_goes_with_the_path():
    definition = linear('gradientUnits="userSpaceOnUse" x1="10%" x2="5" y2="50%" gradientTransform="scale(3)"')
    drawing = read(definition, RECT.format('transform="translate(1 2) scale(2)"') * 2)
    (gradient,) = drawing.gradients
    assert [style.fill_gradient for style in drawing.styles] == [0, 0]
    assert gradient.geometry.tolist() == [[10, 0], [5, 25]]
    assert gradient.matrix.tolist() == [[6, 0, 1], [0, 6, 2]]


def test_the_gradient_of_a_stretched_stroke_is_not_transformed():
    shape = '<path d="M0 0L8 4" stroke="url(#g)" transform="scale(2 1)"/>'
    drawing = read(linear(""), shape)
    assert drawing.gradients[0].matrix.tolist() == [[8, 0, 0], [0, 4, 0]]
    assert drawing.styles[0].stroke_gradient == 0
    assert drawing.colors.tolist() == [[0, 0, 0, 1]]


def test_radial_gradients():
    (gradient,) = read(radial('fx=".25" spreadMethod="reflect"')).gradients
    assert gradient.geometry.tolist() == [[0.5, 0.5], [0.25, 0.5]]
    assert float(gradient.radius) == 0.5
    assert gradient.spread == "reflect"
    with pytest.warns(ForeignSvgWarning, match="simplified: gradients with the focus outside of their circle$"):
        (outside,) = read(radial('r="1" cx="0" cy="0" fx="3" fy="4"')).gradients
    assert outside.geometry[1].tolist() == pytest.approx([0.999 * 0.6, 0.999 * 0.8])


def test_stops_and_attributes_are_inherited():
    href = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="#{}"'
    chain = linear('spreadMethod="repeat" x1=".5" y2="1"', name="a") + linear(
        f'x1=".25" {href.format("a")}', "", name="b"
    )
    (gradient,) = read(chain + radial('href="#b" r="2"', "")).gradients
    assert (gradient.kind, gradient.spread, float(gradient.radius)) == ("radial", "repeat", 2.0)
    (gradient,) = read(chain + linear('href="#b"', "")).gradients
    assert gradient.geometry.tolist() == [[0.25, 0], [1, 1]]
    assert read(linear('href="#g"')).gradients[0].offsets.tolist() == [0, 1]


def test_stops_of_styles_and_in_disorder():
    sheet = "<style>.a{stop-color:lime}</style>"
    stops = '<stop offset=".6" class="a"/><stop offset=".2" style="stop-color:#fff;stop-opacity:0"/><stop offset="7"/>'
    (gradient,) = read(sheet + linear("", stops)).gradients
    assert gradient.offsets.tolist() == pytest.approx([0.6, 0.6, 1])
    assert gradient.colors.tolist() == [[0, 1, 0, 1], [1, 1, 1, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    "definition",
    [
        linear("", '<stop stop-color="blue" stop-opacity=".5"/>'),
        linear('x2="0"'),
        radial('r="0"'),
        radial('r="-2"'),
        radial('gradientUnits="userSpaceOnUse" r="-2" fx="9"'),
    ],
)
def test_a_gradient_of_one_color_is_a_color(definition):
    drawing = read(definition)
    assert drawing.gradients == ()
    assert drawing.fills.tolist() == [[0, 0, 1, 0.5]]


def test_a_gradient_that_its_transform_makes_flat_is_named():
    with pytest.warns(ForeignSvgWarning, match="simplified: gradients that their transform makes flat$"):
        drawing = read(linear('gradientTransform="scale(0)"'))
    assert drawing.fills.tolist() == [[0, 0, 1, 0.5]]


def test_gradients_that_paint_nothing():
    shapes = RECT.format("") + '<path d="M0 0h9" stroke="url(#g)"/>' + '<path d="M0 0h9" stroke="#00ff00"/>'
    assert len(read(linear("", ""), shapes)) == 1
    assert len(read(linear(""), shapes)) == 2  # a flat box has no gradient


def test_fallbacks_and_unreadable_gradients():
    shape = '<rect width="9" height="9" fill="url(#{}) lime"/>'
    for definition, name, note in (
        ("", "x", "references to elsewhere"),
        (linear('gradientTransform="matrix(1 2)"'), "g", "unreadable gradients"),
        (linear('gradientUnits="userSpaceOnUse" x1="1e30"'), "g", "unreadable gradients"),
        (linear("", "<stop/>" * 1001), "g", "unreadable gradients"),
    ):
        with pytest.warns(ForeignSvgWarning, match=note):
            drawing = from_svg(SVG.format(definition + shape.format(name)))
        assert drawing.fills.tolist() == [[0, 1, 0, 1]]


def test_a_gradient_that_takes_its_stops_from_itself_is_none():
    shape = '<rect width="9" height="9" fill="url(#g) lime"/>'
    with pytest.warns(ForeignSvgWarning, match="references to what is no paint"):
        drawing = from_svg(SVG.format(linear('href="#g"', "") + shape))
    assert drawing.fills.tolist() == [[0, 1, 0, 1]]


def test_lengths_in_sizes_of_the_font():
    (gradient,) = read(linear('gradientUnits="userSpaceOnUse" font-size="5" x1="2em" x2="3em" y2="1ex"')).gradients
    assert gradient.geometry.tolist() == [[10, 0], [15, 2.5]]


def test_many_gradients_of_many_stops_are_refused(monkeypatch):
    monkeypatch.setattr("clipdraw.io.svg.foreign.importer.MAX_SEGMENTS", 500)
    shapes = "".join(f'<rect width="9" height="{n + 1}" fill="url(#g)"/>' for n in range(6))
    with pytest.raises(FormatError, match="more than 500 segments and stops of gradients"):
        read(linear("", "<stop/>" * 100), shapes)


def test_stops_may_be_optimized():
    drawing = read(radial(""))
    assert all(isinstance(part, torch.Tensor) for part in drawing.gradients[0].parameters())
    assert len(drawing.parameters()) == 3 + 1 + 4


@pytest.mark.parametrize(
    ("root", "attributes", "stop", "color"),
    [
        ("", 'color="lime"', 'stop-color="currentColor"', (0, 1, 0, 1)),
        ('color="lime"', "", 'stop-color="currentColor"', (0, 1, 0, 1)),
        ('color="lime"', 'color="red"', 'stop-color="currentColor"', (1, 0, 0, 1)),
        ("", 'stop-color="lime" stop-opacity=".5"', 'stop-color="inherit" stop-opacity="inherit"', (0, 1, 0, 0.5)),
        ("", 'stop-color="lime"', "", (0, 0, 0, 1)),
        ('style="--c:lime"', "", 'stop-color="var(--c)"', (0, 1, 0, 1)),
        ("", "", 'stop-color="lime" style="stop-color:initial"', (0, 0, 0, 1)),
    ],
)
def test_stops_inherit_from_their_gradient_and_the_root(root, attributes, stop, color):
    frame = SVG.replace("<svg", f"<svg {root}")
    body = f"<defs>{linear(attributes, f'<stop {stop}/>')}</defs>{RECT.format('')}"
    assert from_svg(frame.format(body)).fills[0].tolist() == pytest.approx(color)


def test_stops_that_are_not_understood_are_named():
    stops = '<stop stop-color="lime" style="stop-color:foo"/><stop stop-color="foo"/><stop stop-color="none"/>'
    with pytest.warns(ForeignSvgWarning, match=r"simplified: unreadable stop-color \(3\)$"):
        (gradient,) = read(linear("", stops)).gradients
    assert gradient.colors.tolist() == [[0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 1]]


def test_inner_circles_are_named():
    with pytest.warns(ForeignSvgWarning, match="simplified: inner circles of gradients$"):
        read(radial('fr="20%"'), RECT.format("") * 2)
    assert len(read(radial('fr="0"')).gradients) == 1


@pytest.mark.parametrize(("units", "color"), [("objectBoundingBox", [0, 1, 0, 1]), ("userSpaceOnUse", [0, 0, 0, 1])])
def test_a_box_without_area_has_the_fallback(units, color):
    line = '<path d="M0 9h9" stroke="url(#g) lime"/>'
    assert read(linear(f'gradientUnits="{units}"'), line).colors.tolist() == [color]
