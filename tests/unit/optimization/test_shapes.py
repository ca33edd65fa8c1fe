import numpy as np
import pytest
import torch

from clipdraw.drawing import Canvas, Style
from clipdraw.errors import InputError
from clipdraw.optimization.prior_picture import PriorPicture
from clipdraw.optimization.shapes import OneLine, OnPaper, RandomShapes, Start, smooth_through, tour
from clipdraw.optimization.start import PriorStrokes, RandomStrokes
from clipdraw.raster import rasterize
from tests.unit.optimization.test_start import Imagining


def made(start, canvas=None, seed=0):
    return start(canvas or Canvas(), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", ["fill", "both"])
def test_shapes_are_closed_round_and_within_the_spread(shape):
    drawing = made(RandomShapes(200, 0.1, 3.0, (0.2, 0.4), 0.5, shape), Canvas(448, 224))
    assert set(drawing.styles) == {Style(closed=(True,), fill="nonzero", stroked=shape == "both")}
    assert drawing.segments == (4,) * 200
    paths = torch.stack(drawing.stroke_points())
    centers = paths.mean(1)
    radii = (paths[:, ::3] - centers[:, None]).norm(dim=-1)
    assert torch.allclose(radii, radii[:, :1].expand(-1, 4), rtol=1e-3)
    assert 11 <= radii.min() < 13 < 32 < radii.max() <= 34
    assert centers.amin(0).tolist() == pytest.approx([112, 56], abs=8)
    assert centers.amax(0).tolist() == pytest.approx([336, 168], abs=8)
    assert 0.2 <= drawing.fills[:, 3].min() < drawing.fills[:, 3].max() <= 0.4
    assert drawing.widths.unique().tolist() == [3.0]
    again = made(RandomShapes(200, 0.1, 3.0, (0.2, 0.4), 0.5, shape), Canvas(448, 224))
    assert torch.equal(again.points, drawing.points)


@pytest.mark.parametrize(
    "settings",
    [{"shapes": 0}, {"reach": -1.0}, {"width": 1001.0}, {"spread": 0.0}, {"opacity": (0.5, 0.4)}, {"shape": "stroke"}],
)
def test_impossible_shapes_are_refused(settings):
    with pytest.raises(InputError):
        RandomShapes(**settings)


@pytest.mark.parametrize("settings", [{"segments": 0}, {"width": -1.0}, {"opacity": 1.5}, {"spread": 0.0}])
def test_impossible_lines_are_refused(settings):
    with pytest.raises(InputError):
        OneLine(**settings)


def test_one_line_is_one_smooth_path_through_all_of_the_canvas():
    drawing = made(OneLine(100, 3.0, 0.8), Canvas(448, 224))
    assert drawing.segments == (100,)
    assert drawing.only_strokes
    assert (drawing.widths.item(), drawing.colors[0, 3].item()) == (3.0, pytest.approx(0.8))
    ends = drawing.points[::3]
    assert ends.amin(0).max() < 20
    assert ends[:, 0].max() > 420
    incoming, outgoing = ends[1:-1] - drawing.points[2:-3:3], drawing.points[4:-1:3] - ends[1:-1]
    assert torch.allclose(incoming, outgoing, atol=1e-3)


def test_a_tour_visits_each_place_once_and_is_short():
    places = torch.rand(120, 2, generator=torch.Generator().manual_seed(0))
    order = tour(places)
    assert sorted(order.tolist()) == list(range(120))
    length = (places[order[1:]] - places[order[:-1]]).norm(dim=1).sum()
    assert length < 0.95 * np.sqrt(120)  # random places: about 0.71 sqrt(n) at best, 0.52 n in their order
    assert tour(torch.zeros(1, 2)).tolist() == [0]
    assert sorted(tour(torch.rand(2, 2)).tolist()) == [0, 1]
    assert smooth_through(torch.tensor([[0.0, 0.0], [6.0, 0.0]])).tolist() == [[0, 0], [1, 0], [5, 0], [6, 0]]


def test_a_start_may_be_on_any_paper():
    strokes = RandomStrokes(3)
    assert isinstance(strokes, Start)
    assert made(OnPaper(strokes, (0.5, 0.25, 1.0))).background.tolist() == [0.5, 0.25, 1.0]
    assert made(OnPaper(strokes, None)).background is None
    assert torch.equal(made(OnPaper(strokes, None)).points, made(strokes).points)


def fitted(start, steps=25):
    return PriorStrokes(start, PriorPicture.of("a flag"), Imagining(), steps=steps)(
        Canvas(), torch.Generator().manual_seed(0)
    )


def target():
    picture = torch.ones(3, 64, 64)
    picture[:, 5:59, 32:59] = torch.tensor([0.3, 0.0, 0.1])[:, None, None]
    return picture


@pytest.mark.parametrize("shape", ["fill", "both"])
def test_shapes_are_fitted_to_a_picture(shape):
    errors = [
        (rasterize(fitted(RandomShapes(24, shape=shape), steps), height=64, width=64) - target()).square().mean().item()
        for steps in (0, 25)
    ]
    assert errors[1] < 0.3 * errors[0]


def test_one_line_goes_where_the_picture_has_ink():
    drawing = fitted(OnPaper(OneLine(60), (1.0, 1.0, 1.0)), 0)
    inside = (drawing.points[:, 0] > 105) & (drawing.points - 112).abs().amax(1).lt(105)
    assert inside.float().mean() > 0.95
    assert drawing.points[:, 1].max() - drawing.points[:, 1].min() > 150
    assert drawing.colors[0, :3].tolist() == pytest.approx([0.3, 0.0, 0.1], abs=0.05)
