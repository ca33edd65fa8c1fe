import pytest
import torch

from clipdraw.drawing import Style
from clipdraw.io.svg.foreign import ForeignSvgWarning
from clipdraw.io.svg.foreign.paths import is_beneath
from tests.svg_samples import ROUND, noted, read, read_strokes

SQUARE = "M10 10h30v30h-30z"
BOX = '<rect x="{}" y="5" width="10" height="10"/>'


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
        ('stroke-miterlimit="0.5" stroke-linejoin="miter"', ("butt", "bevel", 4.0)),
        ('stroke-miterlimit="0"', ("butt", "bevel", 4.0)),
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


def test_width_under_uneven_scaling_and_without_scaling():
    line = '<path d="M0 0L3 0" stroke="red" {} transform="scale(4 1)"/>'
    drawing = read_strokes(line.format("") * 2 + line.format("").replace("4", "5"))
    assert drawing.widths.tolist() == [1.0, 1.0, 1.0]
    assert drawing.points[3].tolist() == [3.0, 0.0]
    assert drawing.transforms.tolist() == [[[4, 0, 0], [0, 1, 0]], [[5, 0, 0], [0, 1, 0]]]
    assert [style.transforms for style in drawing.styles] == [(0,), (0,), (1,)]
    fixed = read_strokes(line.format('vector-effect="non-scaling-stroke"'))
    assert (fixed.widths.tolist(), fixed.points[3].tolist(), fixed.styles) == ([1.0], [12.0, 0.0], ())


def test_strokes_that_do_not_scale_are_as_wide_as_the_file_is_shown():
    frame = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 5" {}>{{}}</svg>'
    line = f'<path {ROUND} d="M0 0L3 0" stroke="red" stroke-width="2" vector-effect="non-scaling-stroke"/>'
    assert read_strokes(line, frame.format('width="40"')).widths.tolist() == [0.5]
    with pytest.warns(ForeignSvgWarning, match="strokes that do not scale"):
        assert read_strokes(line, frame.format("")).widths.tolist() == [2.0]


@pytest.mark.parametrize(
    ("style", "color"),
    [
        ('stroke="rgb(0, 255, 0)" stroke-opacity=".5"', (0, 1, 0, 0.5)),
        ('stroke="rgba(0,0,255,.5)" stroke-opacity="50%" opacity="50%"', (0, 0, 1, 0.125)),
        ('color="red" stroke="currentColor"', (1, 0, 0, 1)),
    ],
)
def test_the_opacities_of_a_stroke_multiply(style, color):
    drawing = read_strokes(f'<path d="M0 0L9 9" {style}/>')
    assert drawing.colors[0].tolist() == pytest.approx(color, abs=1e-6)


def test_group_opacity_multiplies():
    line = '<path d="M{} 0L9 9" stroke="red" opacity=".5"/>'
    drawing = read_strokes(f'<g opacity=".5">{line.format(0)}</g>')
    assert float(drawing.colors[0, 3]) == 0.25
    apart = read_strokes(f'<g opacity=".5">{line.format(0)}<g transform="translate(50 0)">{line.format(0)}</g></g>')
    assert apart.colors[:, 3].tolist() == [0.25, 0.25]
    _, message = noted(f'<g opacity=".5" {ROUND}>{line.format(0)}{line.format(5)}{line.format(6)}</g>')
    assert message.endswith("opacity of groups whose shapes overlap, applied to each")


def test_opacity_of_fill_and_stroke_is_that_of_their_path():
    drawing = read_strokes("""
        <g opacity=".5"><path d="M0 0H9V9z" fill="red" fill-opacity=".5" stroke="blue" opacity=".5"/></g>
        <path d="M50 50H59V59z" fill="red" opacity=".5"/>
        <path d="M50 50H59V59z" fill="none" stroke="blue" opacity=".5"/>
        <path d="M50 50H59V59z" fill="red" stroke="url(#gone)" opacity=".5"/>
        <linearGradient id="gone"/>""")
    assert [style.opacity for style in drawing.styles] == [0.25, 1, 1, 1]
    assert drawing.fills[:, 3].tolist() == [0.5, 0.5, 0, 0.5]
    assert drawing.colors[:, 3].tolist() == [1, 0, 0.5, 0]
    hidden = '<path d="M0 0L9 9" fill="red" stroke="blue" opacity="0"/>'
    assert len(read_strokes(hidden + '<path d="M0 0L9 9" stroke="red"/>')) == 1
    seen_through = read_strokes('<rect width="100%" height="100%" fill="red" opacity=".5"/>')
    assert seen_through.fills[0].tolist() == [1, 0, 0, 0.5]


@pytest.mark.parametrize(
    ("order", "beneath"),
    [
        ("stroke", True), ("markers stroke", True), ("Stroke markers fill", True), ("markers stroke fill", True),
        ("markers", False), ("fill stroke", False), ("markers fill stroke", False), ("normal", False), ("", False),
        ("stroke stroke", False), ("stroke nonsense", False),
    ],
)  # fmt: skip
def test_paint_order(order, beneath):
    assert is_beneath("stroke", order) == beneath


@pytest.mark.parametrize("limit", ["-3", "200%", "2px", "x"])
def test_impossible_miter_limits_are_named(limit):
    drawing, note = noted(f'<path d="M0 0L9 9L18 0" fill="none" stroke="red" stroke-miterlimit="{limit}"/>')
    assert (drawing.styles[0].miter_limit, note) == (4.0, "unreadable stroke-miterlimit")


LINE = '<path d="M10 20H60" stroke="red" stroke-width="4" {}/>'


def dashes(drawing):
    """Where each dash of a level line begins and ends."""
    ends = drawing.points.reshape(-1, 4, 2)[:, [0, 3], 0]
    return [[round(float(x), 3) for x in each] for each in ends]


@pytest.mark.parametrize(
    ("attributes", "ends"),
    [
        ('stroke-dasharray="20 10"', [[10, 30], [40, 60]]),
        ('stroke-dasharray="20"', [[10, 30], [50, 60]]),
        ('stroke-dasharray="10,5 20"', [[10, 20], [25, 45], [55, 60]]),
        ('stroke-dasharray="20 10" stroke-dashoffset="25"', [[15, 35], [45, 60]]),
        ('stroke-dasharray="20 10" stroke-dashoffset="-5"', [[15, 35], [45, 60]]),
        ('style="stroke-dasharray:1em 4px;font-size:20px"', [[10, 30], [34, 54], [58, 60]]),
        ('pathLength="5" stroke-dasharray="2 1"', [[10, 30], [40, 60]]),
        ('pathLength="-5" stroke-dasharray="20 10"', [[10, 30], [40, 60]]),
        ('stroke-dasharray="0 25" stroke-linecap="round"', [[10, 10.02], [34.98, 35.02], [59.98, 60]]),
        ('stroke-dasharray="0 25"', []),
        ('stroke-dasharray="20 0"', [[10, 60]]),
        ('stroke-dasharray="0 0"', [[10, 60]]),
        ('stroke-dasharray="none"', [[10, 60]]),
        ('pathLength="0" stroke-dasharray="20 10"', [[10, 60]]),
        ('stroke-dasharray="99 1"', [[10, 60]]),
    ],
)
def test_dashes(attributes, ends):
    drawing = read(LINE.format(attributes) + BOX.format(90))
    assert dashes(drawing.subset(range(len(drawing) - 1))) == ends


def test_dashes_of_a_filled_shape_are_a_path_of_their_own():
    shape = f'<path d="{SQUARE}" fill="red" stroke="blue" stroke-dasharray="15 15" {{}}/>'
    drawing = read(shape.format(""))
    assert [(style.fill, style.stroked, len(style.closed)) for style in drawing.styles] == [
        ("nonzero", False, 1), (None, True, 4),
    ]  # fmt: skip
    assert not any(drawing.styles[1].closed)
    assert [style.stroked for style in read(shape.format('paint-order="stroke"')).styles] == [True, False]
    assert noted(shape.format('opacity=".5"'))[1] == "opacity of fills and strokes, applied to each"


def test_dashes_are_as_long_as_their_shape_is_drawn():
    drawing = read(LINE.format('stroke-dasharray="20 10" transform="translate(0 -20) scale(2 3)"'))
    assert dashes(drawing) == [[10, 30], [40, 60]]
    assert drawing.styles[0].transforms == (0,)
    fixed = LINE.format('stroke-dasharray="20 10" transform="scale(1.5)" vector-effect="non-scaling-stroke"')
    assert dashes(read(fixed)) == [[15, 35], [45, 65], [75, 90]]


@pytest.mark.parametrize("value", ["20 x", "20 -10", "20,,10", "20 10,", "20 10foo"])
def test_impossible_dashes_are_named(value):
    drawing, note = noted(LINE.format(f'stroke-dasharray="{value}"'))
    assert (dashes(drawing), note) == ([[10, 60]], "unreadable stroke-dasharray")


def test_too_many_dashes_are_named():
    drawing, note = noted(LINE.format('stroke-dasharray="1e-9"'))
    assert (dashes(drawing), note) == ([[10, 60]], "dashes too short to draw")


USED = '<defs><rect id="r" x="10" y="10" width="20" height="30" {}/></defs><use href="#r" {}/>'
SHADE = '<linearGradient id="g" {}><stop/><stop offset="1" stop-color="red"/></linearGradient>'


def test_context_paints_are_those_of_the_use():
    drawing = read(USED.format('fill="context-stroke" stroke="context-fill"', 'fill="red" stroke="lime"'))
    assert (drawing.fills.tolist(), drawing.colors.tolist()) == ([[0, 1, 0, 1]], [[1, 0, 0, 1]])
    current = read(USED.format('fill="context-fill" color="red"', 'fill="currentColor" color="lime" opacity=".5"'))
    assert current.fills.tolist() == [[0, 1, 0, 0.5]]
    inherited = read(
        f'<defs><g id="a" fill="context-fill">{BOX.format(1)}</g></defs><g fill="lime"><use href="#a"/></g>'
    )
    assert inherited.fills.tolist() == [[0, 1, 0, 1]]
    inner = BOX.format(1).replace("<rect", '<rect id="a" fill="context-fill"')
    nested = read(f'<defs>{inner}<use id="b" href="#a" fill="context-stroke"/></defs><use href="#b" stroke="lime"/>')
    assert nested.fills.tolist() == [[0, 1, 0, 1]]


def test_a_context_paint_without_a_context_is_none():
    assert len(read(BOX.format(1) + '<rect width="9" height="9" fill="context-fill" stroke="context-stroke"/>')) == 1


def test_a_gradient_of_the_context_lies_as_the_use_does():
    shade = SHADE.format('gradientUnits="userSpaceOnUse" x2="50%"')
    drawing = read(shade + USED.format('fill="context-fill" transform="scale(2)"', 'fill="url(#g)" x="5"'))
    assert drawing.gradients[0].matrix.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert drawing.gradients[0].geometry.tolist() == [[0, 0], [50, 0]]
    _, note = noted(SHADE.format("") + USED.format('fill="context-fill"', 'fill="url(#g)"'))
    assert note == "gradients over all that a <use> shows, applied to each shape"


def test_joins_that_a_drawing_does_not_have_are_named():
    line = '<path d="M0 0L9 9" fill="none" stroke="red" stroke-linejoin="{}"/>'
    assert noted(line.format("miter-clip"))[1] == "clipped miters, beveled"
    drawing, note = noted(line.format("arcs"))
    assert (drawing.styles[0].join, note) == ("miter", "joins of arcs, mitered")
    read(line.format("arcs").replace("red", "none") + BOX.format(1))
    read(line.format("miter"))


@pytest.mark.parametrize("value", ["crispEdges", "optimizeSpeed"])
def test_edges_without_antialiasing_are_named(value):
    assert noted(f'<g shape-rendering="{value}">{BOX.format(1)}</g>')[1] == "edges without antialiasing"
    read(f'<g shape-rendering="geometricPrecision">{BOX.format(1)}</g>')
