"""Flattening."""

from itertools import pairwise

import pytest
import torch

from clipdraw.bezier import MAX_PIECES, MIN_PIECES, first_part, flatten, piece_counts
from clipdraw.errors import InputError


def cubics(count=50, spread=40.0):
    return torch.rand(count, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * spread


def exact(control, t):
    points = [control[:, k, None] for k in range(4)]
    while len(points) > 1:
        points = [one * (1 - t) + two * t for one, two in pairwise(points)]
    return points[0]


def polyline(control, count):
    steps = torch.arange(count + 1, dtype=torch.float64)
    return flatten(control, steps, torch.full_like(steps, count))


@pytest.mark.parametrize("tolerance", [0.01, 0.05, 0.5])
def test_polyline_stays_within_tolerance(tolerance):
    control = cubics()
    counts = piece_counts(control, tolerance=tolerance)
    curve = exact(control, torch.linspace(0, 1, 301, dtype=torch.float64)[None, :, None])
    for number in range(len(control)):
        points = polyline(control[number], int(counts[number]))
        start, end = points[:-1], points[1:]
        offset, along = curve[number][:, None] - start, end - start
        t = ((offset * along).sum(-1) / along.square().sum(-1)).clamp(0, 1)
        assert (offset - t[..., None] * along).norm(dim=-1).amin(1).max() <= tolerance


def test_polyline_begins_and_ends_with_the_curve():
    for control in cubics():
        points = polyline(control, 7)
        assert torch.allclose(points[[0, -1]], control[[0, -1]])


def test_as_much_lies_on_one_side_of_the_polyline_as_on_the_other():
    control = torch.tensor([[0.0, 0.0], [10.0, 20.0], [30.0, 20.0], [40.0, 0.0]], dtype=torch.float64)
    area = 420.0  # below this arch
    for count, off in ((6, 3.0), (24, 0.05)):
        t = torch.linspace(0, 1, count + 1, dtype=torch.float64)
        (x, y), inscribed = polyline(control, count).T, exact(control[None], t[:, None])
        found, plain = (float(torch.trapezoid(v, u)) for u, v in ((x, y), inscribed[0].T))
        assert abs(found - area) < off < abs(plain - area)


def test_nothing_is_lost():
    dot = torch.full((1, 4, 2), 3.0)
    assert piece_counts(dot).tolist() == [MIN_PIECES]
    assert torch.equal(polyline(dot[0], 5), torch.full((6, 2), 3.0, dtype=torch.float64))


def test_counts_are_bounded():
    assert piece_counts(cubics(3, 1e9)).tolist() == [MAX_PIECES] * 3


def test_flatten_gradients():
    assert torch.autograd.gradcheck(lambda points: polyline(points, 9), cubics(1)[0].requires_grad_())


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_bad_tolerance(tolerance):
    with pytest.raises(InputError, match="tolerance is above 0"):
        piece_counts(cubics(), tolerance=tolerance)


def length(points):
    cubics = torch.stack([points[start : start + 4] for start in range(0, len(points) - 1, 3)])
    curve = flatten(cubics[:, None], torch.arange(201.0), torch.full((201,), 200.0))
    return (curve[:, 1:] - curve[:, :-1]).norm(dim=-1).sum().item()


@pytest.mark.parametrize("share", [0.1, 1 / 3, 0.5, 0.9, 1.0])
def test_the_first_part_is_that_share_of_the_same_curve(drawing, share):
    for points in drawing.stroke_points():
        part = first_part(points, share)
        assert torch.equal(part[0], points[0])
        assert length(part) == pytest.approx(share * length(points), abs=0.01 * length(points))
        whole = 3 * (len(part) // 3 - 1)
        assert torch.equal(part[:whole], points[:whole])
    assert torch.allclose(first_part(points, 1.0), points)


def test_a_straight_stroke_ends_where_it_should():
    points = torch.tensor([[0.0, 0.0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0]])
    assert torch.allclose(first_part(points, 0.25), torch.tensor([[0.0, 0.0], [0.5, 0], [1, 0], [1.5, 0]]), atol=1e-5)
    assert first_part(points, 0.75)[-1].tolist() == pytest.approx([4.5, 0])


def test_a_stroke_of_no_length_is_a_dot():
    points = torch.full((7, 2), 3.0)
    assert first_part(points, 0.4).isfinite().all()
