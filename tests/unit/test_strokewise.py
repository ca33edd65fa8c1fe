from dataclasses import replace

import numpy as np
import pytest
import torch
from clipdraw.io.strokewise import beginning, begun, stroke_ends

from clipdraw.bezier import flatten


def length(points):
    cubics = torch.stack([points[start : start + 4] for start in range(0, len(points) - 1, 3)])
    curve = flatten(cubics[:, None], torch.arange(201.0), torch.full((201,), 200.0))
    return (curve[:, 1:] - curve[:, :-1]).norm(dim=-1).sum().item()


@pytest.mark.parametrize("share", [0.1, 1 / 3, 0.5, 0.9, 1.0])
def test_the_beginning_is_that_share_of_the_same_curve(drawing, share):
    for points in drawing.stroke_points():
        part = beginning(points, share)
        assert torch.equal(part[0], points[0])
        assert length(part) == pytest.approx(share * length(points), abs=0.01 * length(points))
        whole = 3 * (len(part) // 3 - 1)
        assert torch.equal(part[:whole], points[:whole])
    assert torch.allclose(beginning(points, 1.0), points)


def test_a_straight_stroke_ends_where_it_should():
    points = torch.tensor([[0.0, 0.0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [6, 0]])
    assert torch.allclose(beginning(points, 0.25), torch.tensor([[0.0, 0.0], [0.5, 0], [1, 0], [1.5, 0]]), atol=1e-5)
    assert beginning(points, 0.75)[-1].tolist() == pytest.approx([4.5, 0])


def test_a_stroke_of_no_length_is_a_dot():
    points = torch.full((7, 2), 3.0)
    assert beginning(points, 0.4).isfinite().all()


def test_time_goes_to_strokes_that_are_seen(drawing):
    ends = stroke_ends(drawing)
    assert len(ends) == len(drawing) + 1
    assert (ends[0], ends[-1]) == (0.0, pytest.approx(1.0))
    assert (np.diff(ends) > 0).all()
    drawing.colors[3, 3] = 0.0
    assert np.diff(stroke_ends(drawing))[3] == 0
    none = replace(drawing, colors=drawing.colors * 0)
    assert (np.diff(stroke_ends(none)) > 0).all()


def test_a_begun_stroke_keeps_its_look(drawing):
    part = begun(drawing, 4, 0.6)
    assert len(part) == 1
    assert torch.equal(part.colors[0], drawing.colors[4])
    assert torch.equal(part.widths[0], drawing.widths[4])
