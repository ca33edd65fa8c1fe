"""Flattening."""

from itertools import pairwise

import pytest
import torch

from clipdraw.errors import InputError
from clipdraw.geometry import MAX_PIECES, MIN_PIECES, evaluate, piece_counts


def cubics(count=50, spread=40.0):
    return torch.rand(count, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * spread


def exact(control, t):
    points = [control[:, k, None] for k in range(4)]
    while len(points) > 1:
        points = [one * (1 - t) + two * t for one, two in pairwise(points)]
    return points[0]


@pytest.mark.parametrize("tolerance", [0.01, 0.05, 0.5])
def test_polyline_stays_within_tolerance(tolerance):
    control = cubics()
    counts = piece_counts(control, tolerance=tolerance)
    curve = exact(control, torch.linspace(0, 1, 301, dtype=torch.float64)[None, :, None])
    for number in range(len(control)):
        points = evaluate(control[number], torch.linspace(0, 1, int(counts[number]) + 1, dtype=torch.float64))
        start, end = points[:-1], points[1:]
        offset, along = curve[number][:, None] - start, end - start
        t = ((offset * along).sum(-1) / along.square().sum(-1)).clamp(0, 1)
        assert (offset - t[..., None] * along).norm(dim=-1).amin(1).max() <= tolerance


def test_evaluate_is_de_casteljau():
    t = torch.linspace(0, 1, 11, dtype=torch.float64)
    assert torch.allclose(evaluate(cubics()[:, None], t[None]), exact(cubics(), t[None, :, None]))


def test_nothing_is_lost():
    dot = torch.full((1, 4, 2), 3.0)
    assert piece_counts(dot).tolist() == [MIN_PIECES]
    assert torch.equal(evaluate(dot, torch.linspace(0, 1, 5)), torch.full((5, 2), 3.0))


def test_counts_are_bounded():
    assert piece_counts(cubics(3, 1e9)).tolist() == [MAX_PIECES] * 3


def test_evaluate_gradients():
    control, t = cubics(2).requires_grad_(), torch.linspace(0, 1, 9, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda points: evaluate(points[:, None], t[None]), control)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, float("nan")])
def test_bad_tolerance(tolerance):
    with pytest.raises(InputError, match="tolerance is above 0"):
        piece_counts(cubics(), tolerance=tolerance)
