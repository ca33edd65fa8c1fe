import math

import numpy as np
import pytest

from clipdraw.io.svg.foreign.cutting import Dashes, curve_length, cut_off, part_of_cubics
from clipdraw.io.svg.foreign.path_data import build_subpaths, path_commands


def subpaths(data):
    return build_subpaths(path_commands(data)[0])


def winding(outlines, point):
    """How often closed outlines wind around a point, by the angles of many places along them."""
    times = np.linspace(0, 1, 400)[:, None]
    total = 0.0
    for outline in outlines:
        for p0, p1, p2, p3 in outline.cubics():
            s, t = 1 - times, times
            x, y = (s**3 * p0 + 3 * s * s * t * p1 + 3 * s * t * t * p2 + t**3 * p3 - point).T
            total += float(np.diff(np.unwrap(np.arctan2(y, x))).sum())
    return round(total / math.tau)


@pytest.mark.parametrize("data", ["M0 0C90 0 -40 60 50 60", "M0 0A30 20 10 1 1 20 40L5 5", "M0 50C100 -40 0 -40 60 50"])
def test_dashes_are_as_long_as_they_should_be(data):
    (whole,) = subpaths(data)
    dashes = Dashes((7.0, 3.0, 2.0, 4.0), 5.0).cut(whole)
    lengths = [curve_length([dash]) for dash in dashes]
    assert lengths[0] == pytest.approx(2.0, abs=1e-4)
    assert lengths[1:-1:2] == pytest.approx([2.0] * len(lengths[1:-1:2]), abs=1e-4)
    assert lengths[2:-1:2] == pytest.approx([7.0] * len(lengths[2:-1:2]), abs=1e-4)


def test_a_circle_is_as_long_as_it_should_be():
    assert curve_length(subpaths("M10 0A10 10 0 1 1 -10 0A10 10 0 1 1 10 0z")) == pytest.approx(20 * math.pi, rel=1e-6)


def test_the_last_dash_of_a_loop_goes_on_in_the_first():
    (square,) = subpaths("M0 0H30V30H0z")
    dashes = Dashes((20.0, 12.0), 10.0).cut(square)
    assert [np.round(dash.points[[0, -1]], 9).tolist() for dash in dashes] == [
        [[0, 2], [10, 0]],
        [[22, 0], [30, 12]],
        [[30, 24], [16, 30]],
        [[4, 30], [0, 14]],
    ]
    (line,) = subpaths("M0 0H30V30H0V0")
    assert len(Dashes((20.0, 12.0), 10.0).cut(line)) == 5


def test_what_is_all_one_dash_stays_closed():
    (square,) = subpaths("M0 0H30V30H0z")
    assert Dashes((200.0, 9.0)).cut(square) == [square]
    (point,) = subpaths("M5 5z")
    assert Dashes((2.0, 9.0)).cut(point) == [point]


def test_too_many_dashes_are_not_cut():
    (line,) = subpaths("M0 0H1000")
    assert Dashes((0.01, 0.01)).cut(line) is None
    assert len(Dashes((0.05, 0.05)).cut(line)) == 10_000


@pytest.mark.parametrize(
    "data",
    ["M0 0H40V40H0z", "M0 0C90 0 -40 60 50 60z", "M50 5L79 95L2 39H98L21 95Z", "M5 5h60v60h-60zM20 20v30h30v-30z"],
)
def test_what_is_cut_off_winds_as_before_within_and_not_at_all_beyond(data):
    corners = np.array([[10.0, 12.0], [55.0, 20.0], [40.0, 70.0], [5.0, 50.0]])
    before, after = subpaths(data), cut_off(subpaths(data), corners)
    for point in np.random.default_rng(0).uniform(0, 90, (60, 2)):
        edges = [
            np.linalg.det(np.stack((b - a, point - a)))
            for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)
        ]
        assert winding(after, point) == (winding(before, point) if min(edges) > 0 else 0)


def test_an_open_outline_is_closed_before_it_is_cut():
    (half,) = cut_off(subpaths("M0 0L20 0L20 20"), np.array([[0, -5], [10, -5], [10, 50], [0, 50.0]]))
    assert half.closed
    assert half.points.min(axis=0).tolist() == [0, 0]
    assert half.points.max(axis=0).tolist() == pytest.approx([10, 10])


def test_what_lies_beyond_is_gone():
    assert cut_off(subpaths("M0 0H5V5z"), np.array([[10.0, 0.0], [20.0, 0.0], [20.0, 9.0], [10.0, 9.0]])) == []


def part(cubic, begin, end):
    return part_of_cubics(cubic, np.array([begin]), np.array([end]))


def test_a_part_of_a_curve_lies_on_it():
    cubic = np.array([[[0.0, 0.0], [9.0, 3.0], [2.0, 8.0], [5.0, 5.0]]])
    first = part(cubic, 0.0, 0.3)
    second = part(part(cubic, 0.3, 1.0), 0.0, 1.0)
    assert np.allclose(first[0, -1], second[0, 0])
    assert np.allclose(part(cubic, 0.0, 1.0), cubic)
