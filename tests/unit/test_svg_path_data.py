import pytest
from clipdraw.io.svg.files import from_svg
from svg_samples import SVG

from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.importer import ForeignSvgWarning
from clipdraw.io.svg.foreign.path_data import numbers_of, path_commands, points


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
    assert points(text) == (numbers, whole)


def test_lists_of_numbers():
    assert numbers_of(" 0 -5.5.5, 1e2") == [0, -5.5, 0.5, 100]
    assert numbers_of("1 2 px") is None


@pytest.mark.parametrize("unit", ["1 ", "+", "1,", "1e", "h1", "1.", "-.", "1 1 0 0 0 1 1 "])
@pytest.mark.parametrize("start", ["", "M1 1", "M1 1a"])
def test_hostile_data_takes_no_time(start, unit):
    path_commands(start + unit * 50_000)
    points(start + unit * 50_000)


@pytest.mark.parametrize(
    ("shape", "ends"),
    [
        ('<path d="M1 2L3 4 5 6 L7"/>', [[1, 2], [5, 6]]),
        ('<polyline points="1 2 3 4 5 6 7"/>', [[1, 2], [5, 6]]),
    ],
)
def test_an_error_is_named_and_what_comes_before_is_drawn(shape, ends):
    with pytest.warns(ForeignSvgWarning, match="simplified: shapes with an error, drawn up to it$"):
        drawing = from_svg(SVG.format(f'<g fill="none" stroke="red">{shape}</g>'))
    assert drawing.points[[0, -1]].tolist() == ends


def test_a_shape_of_which_nothing_can_be_drawn_is_unreadable():
    for shape in ('<path d="L1 2"/>', '<polygon points="x"/>', '<polyline points="5"/>'):
        with pytest.raises(FormatError, match="holds unreadable shapes"):
            from_svg(SVG.format(shape))
