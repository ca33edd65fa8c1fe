import math

import pytest

from clipdraw.io.svg.foreign.markers import path_vertices
from clipdraw.io.svg.foreign.path_data import path_commands
from tests.svg_samples import noted, read

BOX = '<rect x="{}" y="5" width="10" height="10"/>'
ALL = 'marker-start="url(#m)" marker-mid="url(#m)" marker-end="url(#m)"'
MARKER = '<marker id="m" overflow="visible" {}><rect width="2" height="2"/></marker>'
PATH = '<path d="M10 10H40V30" fill="none" {}/>'


def boxes(drawing):
    """The lowest and highest coordinates of each path."""
    bounds = [(points.min(dim=0)[0].tolist(), points.max(dim=0)[0].tolist()) for points in drawing.stroke_points()]
    return [[round(number, 3) for number in (*low, *high)] for low, high in bounds]


def angles(data):
    return [round(math.degrees(vertex.angle()), 3) for vertex in path_vertices(path_commands(data)[0])]


@pytest.mark.parametrize(
    ("data", "degrees"),
    [
        ("M0 0H9", [0, 0]),
        ("M0 0H9V9", [0, 45, 90]),
        ("M0 0h9h-9", [0, 90, 180]),
        ("m0 0v-9h-9", [-90, -135, 180]),
        ("M0 0H9V9z", [-67.5, 45, 157.5, -67.5]),
        ("M0 0C0 9 9 9 9 0", [90, -90]),
        ("M0 0C0 0 9 9 9 0", [45, -90]),
        ("M0 0H0H9H9V9", [0, 0, 0, 45, 90]),
        ("M0 0Q9 0 9 9T18 18", [0, 90, 0]),
        ("M0 0A9 9 0 0 1 18 0", [-90, 90]),
        ("M0 0H9M20 20V9", [0, 0, -90, -90]),
        ("M5 5", [0]),
    ],
)
def test_markers_are_turned_halfway_between_two_directions(data, degrees):
    assert angles(data) == pytest.approx(degrees, abs=1e-3)


def test_a_marker_at_each_vertex():
    drawing = read(MARKER.format("") + PATH.format(ALL))
    assert boxes(drawing) == [[10, 10, 12, 12], [40, 10, 42, 12], [40, 30, 42, 32]]
    for kind, at in (("start", 0), ("mid", 1), ("end", 2)):
        one = read(MARKER.format("") + PATH.format(f'marker-{kind}="url(#m)"'))
        assert boxes(one) == boxes(drawing)[at : at + 1]
    assert boxes(read(MARKER.format("") + PATH.format('style="marker:url(#m)"'))) == boxes(drawing)
    assert len(read(BOX.format(1) + MARKER.format("") + PATH.format('marker="url(#m)"'))) == 1  # no attribute


@pytest.mark.parametrize(
    ("attributes", "box"),
    [
        ('orient="auto"', [38, 30, 40, 32]),
        ('orient="90"', [38, 30, 40, 32]),
        ('orient="0.25turn"', [38, 30, 40, 32]),
        ('orient="foo"', [40, 30, 42, 32]),
        ('refX="1" refY="2"', [39, 28, 41, 30]),
        ('refX=".5em" refY="1em" font-size="2"', [39, 28, 41, 30]),
        ('viewBox="0 0 2 2" markerWidth="3em" markerHeight="3em" font-size="2"', [40, 30, 46, 36]),
        ('viewBox="0 0 2 2" markerWidth="6" markerHeight="6"', [40, 30, 46, 36]),
        ('viewBox="0 0 2 2" markerWidth="6" markerHeight="6" refX="1" refY="50%"', [37, 27, 43, 33]),
        ('viewBox="0 0 2 2" markerWidth="6" markerHeight="6" refX="center" refY="bottom"', [37, 24, 43, 30]),
        ('viewBox="0 0 2 1" markerWidth="6" markerHeight="6" preserveAspectRatio="none"', [40, 30, 46, 42]),
    ],
)
def test_the_place_of_a_marker(attributes, box):
    assert boxes(read(MARKER.format(attributes) + PATH.format('marker-end="url(#m)"'))) == [box]


def test_markers_grow_with_their_stroke():
    line = PATH.format('marker-end="url(#m)" stroke-width="3"')
    assert boxes(read(MARKER.format("") + line)) == [[40, 30, 46, 36]]
    assert boxes(read(MARKER.format('markerUnits="userSpaceOnUse"') + line)) == [[40, 30, 42, 32]]


def test_the_start_may_be_reversed():
    drawing = read(MARKER.format('orient="auto-start-reverse"') + PATH.format(ALL))
    assert boxes(drawing)[0] == [8, 8, 10, 10]
    assert boxes(drawing)[2] == [38, 30, 40, 32]


def test_markers_are_cut_off_and_painted_after_their_line():
    marker = MARKER.replace('overflow="visible"', "").format('markerWidth="1"')
    drawing = read(marker + PATH.format('marker-end="url(#m)" stroke="red"'))
    assert boxes(drawing) == [[10, 10, 40, 30], [40, 30, 41, 32]]


def test_a_marker_has_the_style_of_where_it_stands():
    marker = f'<g fill="lime">{MARKER.format("")}</g>'
    drawing = read(f'<g fill="red" stroke="red">{marker}{PATH.format(ALL)}</g>')
    assert drawing.fills.tolist()[1:] == [[0, 1, 0, 1]] * 3


def test_context_paints_in_markers_lie_as_the_line_does():
    shade = '<linearGradient id="g"><stop/><stop offset="1" stop-color="red"/></linearGradient>'
    marker = MARKER.format("").replace("<rect", '<rect fill="context-stroke"')
    drawing = read(shade + marker + PATH.format(f'stroke="url(#g)" stroke-width="2" {ALL}'))
    assert [gradient.matrix.tolist() for gradient in drawing.gradients] == [[[30, 0, 10], [0, 20, 10]]]
    assert [style.fill_gradient for style in drawing.styles] == [None, 0, 0, 0]


def test_what_has_no_markers():
    for shape in (
        '<rect width="9" height="9" {}/>',
        '<circle r="9" {}/>',
        '<path visibility="hidden" d="M0 0h9v9" {}/>',
    ):
        assert len(read(BOX.format(40) + MARKER.format("") + shape.format(ALL))) == 1 + ("path" not in shape)
    for marker in ("<g id='m'/>", MARKER.format('markerWidth="0"'), MARKER.format('viewBox="0 0 0 0"'), ""):
        assert len(read(BOX.format(40) + marker + PATH.format(ALL))) == 1


def test_markers_in_themselves_and_beneath_lines_are_named():
    inner = f'<marker id="m" overflow="visible"><path d="M0 0h2v2" {ALL}/></marker>'
    assert noted(inner + PATH.format('marker-end="url(#m)"'))[1] == "references to what they are in (3)"
    beneath = PATH.format(f'{ALL} paint-order="markers" stroke="red"')
    assert noted(MARKER.format("") + beneath)[1] == "markers beneath their lines"
    faint = noted(MARKER.format("") + PATH.format(f'{ALL} opacity=".5" stroke="red"'))[1]
    assert faint == "opacity of groups whose shapes overlap, applied to each"


def test_markers_of_a_shape_that_cannot_be_read_are_left_out_with_it():
    shape = f'<path d="M0 0A1e-300 1e-300 0 0 1 1e30 5" fill="none" {ALL}/>'
    drawing, note = noted(BOX.format(1) + MARKER.format("") + shape)
    assert (len(drawing), note) == (1, "unreadable shapes")


def test_too_many_markers_are_named(monkeypatch):
    monkeypatch.setattr("clipdraw.io.svg.foreign.importer.MAX_REPEATS", 20)
    line = f'<polyline points="{" 1 1" * 30}" fill="none" {ALL}/>'
    drawing, note = noted(BOX.format(1) + MARKER.format("") + line)
    assert (len(drawing), note) == (1, "markers")
