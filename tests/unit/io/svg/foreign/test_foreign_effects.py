import pytest

from clipdraw.io.svg.foreign import ForeignSvgWarning
from tests.svg_samples import noted, read, read_strokes

BOX = '<rect x="{}" y="5" width="10" height="10"/>'
RECT = '<rect x="5" width="50" height="50" fill="{}"/>'


def corners(drawing):
    return [drawing.points.min(dim=0)[0].tolist(), drawing.points.max(dim=0)[0].tolist()]


def test_a_clip_path_that_holds_the_canvas_is_none():
    clip = '<clipPath id="c"><path d="M0 0h9v9"/></clipPath><clipPath id="d"><rect width="{}" height="50"/></clipPath>'
    line = '<g clip-path="url(#{})"><path d="M0 0L9 9" stroke="red"/></g>'
    assert read_strokes(clip.format(100) + line.format("d")).styles == ()
    assert read_strokes(clip.format(10) + line.format("d")).styles == ()
    assert read_strokes(line.format("x")).styles == ()
    for body, note in (
        (clip.format(9) + line.format("d"), "strokes beyond clip paths"),
        (clip + line.format("c"), "clip paths"),
    ):
        with pytest.warns(ForeignSvgWarning, match=f"simplified: {note}$"):
            read_strokes(body)


def test_fills_are_cut_off_at_inner_viewports():
    svg = '<svg x="20" y="2" width="40" height="40" {}><rect x="{}" width="41" height="9"/></svg>'
    assert corners(read(svg.format("", 5))) == [[25, 2], [60, 11]]
    assert corners(read(svg.format('overflow="visible"', 5))) == [[25, 2], [66, 11]]
    assert corners(read(svg.format('style="overflow:visible"', 5))) == [[25, 2], [66, 11]]
    inherited = svg.format('overflow="inherit"', 5)
    assert corners(read(f'<g overflow="visible">{inherited}</g>')) == [[25, 2], [66, 11]]
    assert corners(read(svg.format("", -90) + BOX.format(0))) == [[0, 5], [10, 15]]
    turned = read(
        '<g transform="rotate(45 50 20)"><svg x="40" y="10" width="20" height="20"><circle r="90"/></svg></g>'
    )
    assert corners(turned) == [
        pytest.approx([50 - 200**0.5, 20 - 200**0.5]),
        pytest.approx([50 + 200**0.5, 20 + 200**0.5]),
    ]


def test_a_fill_that_is_cut_off_keeps_the_box_of_its_gradient():
    gradient = '<linearGradient id="g"><stop/><stop offset="1" stop-color="red"/></linearGradient>'
    drawing = read(f'{gradient}<svg width="40" height="40"><rect width="80" height="9" fill="url(#g)"/></svg>')
    assert drawing.gradients[0].matrix.tolist() == [[80, 0, 0], [0, 9, 0]]
    assert corners(drawing) == [[0, 0], [40, 9]]


def test_strokes_beyond_inner_viewports_are_named():
    svg = (
        '<svg width="40" height="40"><rect x="{}" y="5" width="30" height="9" stroke="red" stroke-width="4" {}/></svg>'
    )
    drawing, note = noted(svg.format(20, ""))
    assert note == "strokes beyond inner viewports"
    assert [(style.fill, style.stroked) for style in drawing.styles] == [("nonzero", False), (None, True)]
    assert noted(svg.format(20, 'opacity=".5"'))[1].startswith("opacity of fills and strokes, applied to each")
    assert len(read(svg.format(5, 'opacity=".5"'))) == 1
    _, note = noted(svg.format(9, ""))
    assert note == "strokes beyond inner viewports"


@pytest.mark.parametrize(
    ("path", "within"),
    [
        ('d="M8 20H32"', True),
        ('d="M7.5 20H32" stroke-linecap="round"', False),
        ('d="M8 20H32" stroke-linecap="square"', True),
        ('d="M7.5 20H32" stroke-linecap="square"', False),
        ('d="M8.5 8.5L30 30z" stroke-linecap="square"', True),
        ('d="M10 10L10 10L30 30" stroke-linecap="square"', True),
        ('d="M8.5 8.5L30 30" stroke-linecap="square"', False),
        ('d="M20 31.5L8.5 20" stroke-linecap="square"', False),
        ('d="M8 8H32V32H8z"', True),
        ('d="M7.5 8H32V32H8z"', False),
        ('d="M20 11L25 30H15z"', False),
        ('d="M20 11L25 30H15z" stroke-linejoin="bevel"', True),
        ('d="M20 11L25 30H15z" stroke-miterlimit="3"', True),
        ('d="M15 30L20 11L25 30"', False),
        ('d="M20 11L25 30H15" stroke-linecap="round"', True),
        ('d="M15 30L20 11C20 11 20 11 25 30" stroke-miterlimit="9"', False),
        ('d="M3 2L8 8H32" transform="translate(20 20) rotate(45) translate(-20 -20)" stroke-linejoin="round"', False),
        ('d="M4 10H16" transform="scale(2)" stroke-width="4" vector-effect="non-scaling-stroke"', True),
        ('d="M4 10H16" transform="scale(2)" stroke-width="4"', True),
        ('d="M4 10H16" transform="scale(2)" stroke-width="5" stroke-linecap="square"', False),
        ('d="M4 10H16" transform="scale(2)" stroke-width="4" stroke-linecap="square"', True),
        ('d="M8 10H32" transform="scale(1 2)" stroke-width="6"', True),
        ('d="M8 12H32" transform="scale(1 2)" stroke-width="16"', False),
    ],
)
def test_a_stroke_within_a_clip_is_one_with_all_its_corners_there(path, within):
    clip = '<clipPath id="c"><rect x="4" y="4" width="32" height="32"/></clipPath>'
    pen = "" if "stroke-width" in path else 'stroke-width="8"'
    body = f'{clip}<g clip-path="url(#c)" fill="none" stroke="red" {pen}><path {path}/></g>'
    assert (read(body) and "" if within else noted(body)[1]) == ("" if within else "strokes beyond clip paths")


@pytest.mark.parametrize(
    ("clip", "note"),
    [
        (f'<clipPath id="c">{RECT}</clipPath>', ""),
        ('<clipPath id="c"><path d="M5 0h50v50H5z"/></clipPath>', ""),
        ('<clipPath id="c"><path d="M5 0h50v50H5L9 9z"/></clipPath>', "clip paths"),
        (f'<clipPath id="c" transform="translate(9)">{RECT}</clipPath>', ""),
        ('<clipPath id="c"><circle r="90"/></clipPath>', "clip paths"),
        ('<clipPath id="c"/>', "clip paths"),
        (f'<mask id="c" maskUnits="userSpaceOnUse" x="5" y="0" width="60" height="50">{RECT}</mask>', ""),
        (f'<mask id="c" maskUnits="userSpaceOnUse" x="0" y="0" width="15" height="50">{RECT}</mask>', ""),
        (f'<mask id="c" maskUnits="userSpaceOnUse">{RECT.replace("{}", "gray")}</mask>', "masks"),
        (f'<mask id="c" mask-type="alpha" maskUnits="userSpaceOnUse">{RECT.replace("{}", "gray")}</mask>', ""),
    ],
)
def test_rectangles_clip_what_is_filled(clip, note):
    body = f'{clip.format("white")}<g clip-path="url(#c)" mask="url(#c)">{BOX.format(10)}</g>'
    assert (noted(body)[1] if note else read(body) and "") == note


def test_groups_overlap_only_where_shapes_do():
    around = f'<g opacity=".5">{BOX.format(0)}{BOX.format(80)}{{}}</g>'
    read(around.format(BOX.format(40)))
    read(around.format("".join(BOX.format(100 + 10 * n) for n in range(40))))
    assert "groups whose shapes overlap" in noted(around.format(BOX.format(75)))[1]
