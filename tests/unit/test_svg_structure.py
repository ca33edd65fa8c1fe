import pytest
from clipdraw.io.svg.files import from_svg
from svg_samples import SVG

from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.importer import ForeignSvgWarning
from clipdraw.io.svg.foreign.paths import stroke_first

BOX = '<rect x="{}" y="5" width="10" height="10"/>'


def corners(drawing):
    return [drawing.points.min(dim=0)[0].tolist(), drawing.points.max(dim=0)[0].tolist()]


def read(body, frame=SVG):
    return from_svg(frame.format(body))


def noted(body):
    with pytest.warns(ForeignSvgWarning) as caught:
        drawing = read(body)
    return drawing, str(caught[0].message).partition("simplified: ")[2]


@pytest.mark.parametrize(
    "first",
    [
        '<foreignObject requiredExtensions="x"><g/></foreignObject>', '<g systemLanguage="de, fr-CH"/>',
        '<x:y xmlns:x="urn:x" requiredExtensions="x"/>',
    ],
)  # fmt: skip
def test_of_a_switch_the_first_that_applies_is_painted(first):
    drawing = read(f'<switch>{first}<g systemLanguage="de,en-US">{BOX.format(20)}</g>{BOX.format(50)}</switch>')
    assert corners(drawing) == [[20, 5], [30, 15]]


@pytest.mark.parametrize(
    ("order", "beneath"),
    [
        ("stroke", True), ("markers stroke", True), ("Stroke markers fill", True), ("markers stroke fill", True),
        ("markers", False), ("fill stroke", False), ("markers fill stroke", False), ("normal", False), ("", False),
        ("stroke stroke", False), ("stroke nonsense", False),
    ],
)  # fmt: skip
def test_paint_order(order, beneath):
    assert stroke_first(order) == beneath


@pytest.mark.parametrize("shape", ['<path d="M1 1h5" fill="none" {}/>', '<path d="M1 1h5v5" {}/>'])
def test_markers_need_no_stroke(shape):
    _, note = noted(BOX.format(1) + '<marker id="m"/>' + shape.format('marker-mid="url(#m)"'))
    assert note == "markers"
    read(BOX.format(1) + shape.format('marker-mid="url(#gone)"'))


def test_what_holds_itself_is_painted_once_more_at_most():
    drawing, note = noted(f'<g id="a">{BOX.format(1)}<use href="#a" x="30"/></g><use id="b" href="#b"/>')
    assert len(drawing) == 1
    assert note == "references to what they are in (2)"


def test_a_single_rectangle_is_a_path():
    drawing = read('<rect width="100%" height="100%" fill="red"/>')
    assert drawing.background.tolist() == [1, 1, 1]
    assert drawing.fills.tolist() == [[1, 0, 0, 1]]
    with pytest.raises(FormatError, match="no paths"):
        read('<rect width="100%" height="100%" fill="none"/>')


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


def test_what_sticks_out_of_inner_viewports_is_named():
    svg = '<svg x="20" y="2" width="40" height="40" {}><rect width="41" height="9"/></svg>'
    assert noted(svg.format(""))[1] == "clips of inner viewports"
    read(svg.format('overflow="visible"'))
    read(svg.replace("41", "40").format(""))
    stroked = svg.replace("41", "40").replace("<rect", '<rect stroke="red"')
    assert noted(stroked.format(""))[1] == "clips of inner viewports"


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


RECT = '<rect x="5" width="50" height="50" fill="{}"/>'


@pytest.mark.parametrize(
    ("clip", "note"),
    [
        (f'<clipPath id="c">{RECT}</clipPath>', ""),
        ('<clipPath id="c"><path d="M5 0h50v50H5z"/></clipPath>', ""),
        ('<clipPath id="c"><path d="M5 0h50v50H5L9 9z"/></clipPath>', "clip paths"),
        (f'<clipPath id="c" transform="translate(9)">{RECT}</clipPath>', "clip paths"),
        ('<clipPath id="c"><circle r="90"/></clipPath>', "clip paths"),
        ('<clipPath id="c"/>', "clip paths"),
        (f'<mask id="c" maskUnits="userSpaceOnUse" x="5" y="0" width="60" height="50">{RECT}</mask>', ""),
        (f'<mask id="c" maskUnits="userSpaceOnUse" x="0" y="0" width="9" height="50">{RECT}</mask>', "masks"),
        (f'<mask id="c" maskUnits="userSpaceOnUse">{RECT.replace("{}", "gray")}</mask>', "masks"),
        (f'<mask id="c" mask-type="alpha" maskUnits="userSpaceOnUse">{RECT.replace("{}", "gray")}</mask>', ""),
    ],
)
def test_rectangles_that_hold_what_they_clip_do_nothing(clip, note):
    body = f'{clip.format("white")}<g clip-path="url(#c)" mask="url(#c)">{BOX.format(10)}</g>'
    assert (noted(body)[1] if note else read(body) and "") == note


def test_groups_overlap_only_where_shapes_do():
    around = f'<g opacity=".5">{BOX.format(0)}{BOX.format(80)}{{}}</g>'
    read(around.format(BOX.format(40)))
    read(around.format("".join(BOX.format(100 + 10 * n) for n in range(40))))
    assert "groups whose shapes overlap" in noted(around.format(BOX.format(75)))[1]
