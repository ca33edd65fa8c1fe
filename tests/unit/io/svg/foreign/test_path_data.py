import numpy as np
import pytest
import torch

from clipdraw.drawing import Style
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign import ForeignSvgWarning
from clipdraw.io.svg.foreign.path_data import build_subpaths, number_list, path_commands, point_list
from tests.svg_samples import read, read_strokes, soon


@pytest.mark.parametrize(
    ("data", "commands"),
    [
        ("M10 10L60 10.,60 60z", [("M", [10, 10]), ("L", [60, 10, 60, 60]), ("z", [])]),
        ("M10.5.5l-1-.5+2,3", [("M", [10.5, 0.5]), ("l", [-1, -0.5, 2, 3])]),
        ("\n M 1e1 , 2E-1\tH 5.", [("M", [10, 0.2]), ("H", [5])]),
        ("M1 1a5 5 0 0130 5 6 .7.8 10-4-5", [("M", [1, 1]), ("a", [5, 5, 0, 0, 1, 30, 5, 6, 0.7, 0.8, 1, 0, -4, -5])]),
        ("none", []),
        ("", []),
    ],
)  # fmt: skip
def test_legal_path_data(data, commands):
    assert path_commands(data) == (commands, True)


@pytest.mark.parametrize(
    ("data", "commands"),
    [
        ("M1 2L3 4 L30", [("M", [1, 2]), ("L", [3, 4])]),
        ("M1 2,,L3 4", [("M", [1, 2])]),
        ("M1 2L3 4 5", [("M", [1, 2]), ("L", [3, 4])]),
        ("M1 2h3x4", [("M", [1, 2]), ("h", [3])]),
        ("M1 2L,3 4", [("M", [1, 2])]),
        ("M1 2h3z4", [("M", [1, 2]), ("h", [3]), ("z", [])]),
        ("M1 2h3a1 1 0 2 0 5 5", [("M", [1, 2]), ("h", [3])]),
        ("M1 2h3,", [("M", [1, 2]), ("h", [3])]),
        ("L1 2", []),
        ("nonsense", []),
    ],
)
def test_path_data_is_read_up_to_its_first_error(data, commands):
    assert path_commands(data) == (commands, False)


@pytest.mark.parametrize(
    ("text", "numbers", "whole"),
    [
        ("10,5 50.5.5 80 60", [10, 5, 50.5, 0.5, 80, 60], True),
        ("+10+5 50+5,80+60", [10, 5, 50, 5, 80, 60], True),
        (" 10. 10. 1e1,2 ", [10, 10, 10, 2], True),
        ("1 2 3 4 5", [1, 2, 3, 4], False),
        ("1 2 3 4 x 5 6", [1, 2, 3, 4], False),
        ("1 2,,3 4", [1, 2], False),
        ("1 2,", [1, 2], False),
        ("", [], True),
    ],
)
def test_lists_of_points(text, numbers, whole):
    assert point_list(text) == (numbers, whole)


def test_lists_of_numbers():
    assert number_list(" 0 -5.5.5, 1e2") == [0, -5.5, 0.5, 100]
    assert number_list("1 2 px") is None


@pytest.mark.parametrize("unit", ["1 ", "+", "1,", "1e", "h1", "1.", "-.", "1 1 0 0 0 1 1 "])
def test_hostile_data_takes_no_time(unit):
    with soon():
        for start in ("", "M1 1", "M1 1a"):
            path_commands(start + unit * 10_000)
            point_list(start + unit * 10_000)


@pytest.mark.parametrize(
    ("shape", "ends"),
    [
        ('<path d="M1 2L3 4 5 6 L7"/>', [[1, 2], [5, 6]]),
        ('<polyline points="1 2 3 4 5 6 7"/>', [[1, 2], [5, 6]]),
    ],
)
def test_an_error_is_named_and_what_comes_before_is_drawn(shape, ends):
    with pytest.warns(ForeignSvgWarning, match="simplified: shapes with an error, drawn up to it$"):
        drawing = read(f'<g fill="none" stroke="red">{shape}</g>')
    assert drawing.points[[0, -1]].tolist() == ends


def test_a_shape_of_which_nothing_can_be_drawn_is_unreadable():
    for shape in ('<path d="L1 2"/>', '<polygon points="x"/>', '<polyline points="5"/>'):
        with pytest.raises(FormatError, match="holds unreadable shapes"):
            read(shape)


@pytest.mark.parametrize(
    ("shape", "segments", "ends"),
    [
        ('<line x1="1" y1="2" x2="31" y2="2"/>', (1,), [(1, 2), (31, 2)]),
        ('<polyline points="1,2 3,4 5 6"/>', (2,), [(1, 2), (5, 6)]),
        ('<path d="M1 2h3v4"/>', (2,), [(1, 2), (4, 6)]),
        ('<path d="m1 2c1 1 2 2 3 3s4 4 5 5"/>', (2,), [(1, 2), (9, 10)]),
        ('<path d="M0 0Q1 2 3 3T9 9"/>', (2,), [(0, 0), (9, 9)]),
        ('<path d="M0 0l1 1m5 5l1 1"/>', (1, 1), [(0, 0), (7, 7)]),
        ('<path d="M0 0A5 5 0 0 1 10 0"/>', (6,), [(0, 0), (10, 0)]),
        ('<path d="M0 0A0 5 0 0 1 10 0"/>', (1,), [(0, 0), (10, 0)]),
    ],
)
def test_shapes_become_cubic_segments(shape, segments, ends):
    drawing = read_strokes(shape.replace("/>", ' stroke="black"/>'))
    assert drawing.segments == segments
    assert [tuple(drawing.points[at].tolist()) for at in (0, -1)] == ends


@pytest.mark.parametrize(
    ("shape", "segments"),
    [
        ('<rect x="1" y="2" width="10%" height="4"/>', 4),
        ('<rect x="1" y="2" width="10" height="4" rx="1"/>', 16),
        ('<circle cx="5" cy="5" r="3"/>', 12),
        ('<ellipse cx="5" cy="5" rx="3" ry="2"/>', 12),
        ('<polygon points="1,2 3,4 5 6"/>', 3),
        ('<path d="M1 1h5v5z"/>', 3),
        ('<path d="M1 1h5v5L1 1z"/>', 3),
    ],
)
def test_closed_shapes_do_not_repeat_their_first_point(shape, segments):
    drawing = read_strokes(shape.replace("/>", ' stroke="black"/>'))
    assert drawing.segments == (segments,)
    assert len(drawing.points) == 3 * segments
    assert drawing.styles == (Style(closed=(True,)),)


@pytest.mark.parametrize(
    ("smooth", "spelled_out"),
    [
        ("M0 0Q5 5 9 0S20 20 30 0", "M0 0Q5 5 9 0C9 0 20 20 30 0"),
        ("M0 0C5 5 7 7 9 0T20 20T30 5", "M0 0C5 5 7 7 9 0Q9 0 20 20Q31 40 30 5"),
        ("M0 0q5 5 9 0t4 4t5 0", "M0 0Q5 5 9 0Q13 -5 13 4Q13 13 18 4"),
        ("M0 0L3 3S4 4 9 0", "M0 0L3 3C3 3 4 4 9 0"),
    ],
)
def test_smooth_curves_continue_only_their_like(smooth, spelled_out):
    found, wanted = (read_strokes(f'<path d="{data}" stroke="red"/>').points for data in (smooth, spelled_out))
    assert torch.allclose(found, wanted, atol=1e-5)


def test_subpaths_make_one_path():
    drawing = read_strokes('<path d="M0 0h5v5zM9 9h3zL12 12m1 1h4" stroke="red"/>')
    assert len(drawing) == 1
    assert drawing.segments == (3, 2, 1, 1)
    assert drawing.styles == (Style(closed=(True, True, False, False)),)


def test_a_circle_is_round():
    drawing = read_strokes('<circle cx="50" cy="25" r="20" stroke="red"/>')
    part = drawing.points[:4].double()
    middle = (part[0] + 3 * part[1] + 3 * part[2] + part[3]) / 8
    assert float((middle - torch.tensor([50.0, 25.0])).norm()) == pytest.approx(20, abs=2e-4)


def arc(start, numbers):
    (subpath,) = build_subpaths([("M", list(map(float, start))), ("A", list(map(float, numbers)))])
    return subpath.points


@pytest.mark.parametrize(("large", "sweep"), [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("degrees", [0.0, 30.0, -200.0])
def test_arcs_follow_the_ellipse_that_was_chosen(large, sweep, degrees):
    start, end, radii = np.array([10.0, 20.0]), np.array([40.0, 25.0]), np.array([30.0, 20.0])
    points = arc(start, [*radii, degrees, large, sweep, *end])
    assert (points[0].tolist(), points[-1].tolist()) == (start.tolist(), end.tolist())
    turn = np.deg2rad(degrees)
    local = points @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) / radii
    ends = local[::3]
    center = np.linalg.lstsq(2 * (ends[1:] - ends[:-1]), np.diff((ends**2).sum(1)), rcond=None)[0]
    assert np.hypot(*(ends - center).T) == pytest.approx(1.0, abs=1e-9)
    middles = (local[:-1:3] + 3 * local[1::3] + 3 * local[2::3] + local[3::3]) / 8
    assert np.hypot(*(middles - center).T) == pytest.approx(1.0, abs=5e-7)
    angles = np.unwrap(np.arctan2(*(ends - center).T[::-1]))
    assert (np.diff(angles) > 0).all() == bool(sweep)
    assert (abs(angles[-1] - angles[0]) > np.pi) == bool(large)


def test_radii_that_do_not_reach_grow_to_half_an_ellipse():
    points = arc((0, 0), [1, 2, 0, 0, 1, 8, 0])
    assert len(points) == 19
    assert points[9] == pytest.approx([4.0, -8.0])
