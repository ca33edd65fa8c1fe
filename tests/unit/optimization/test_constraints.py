from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError
from clipdraw.optimization.constraints import ColorRange, PointsInDisc, PointsOnCanvas, WidthRange


def drawing(points=((0.0, 0.0),) * 4, width=1.0, color=(0.0, 0.0, 0.0, 1.0), canvas=None):
    return Drawing(
        torch.tensor(points), torch.tensor([width]), torch.tensor([color]), (1,), canvas or Canvas(448.0, 896.0)
    )


@pytest.mark.parametrize(("width", "projected"), [(1.0, 4.0), (4.5, 4.5), (199.0, 199.0), (1000.0, 200.0)])
def test_widths_are_published_for_a_canvas_of_224_units_and_scale_with_it(width, projected):
    stroke = drawing(width=width)
    WidthRange().project(stroke)
    assert stroke.widths.item() == projected


def test_widths_may_have_other_bounds():
    stroke = drawing(width=1.0), drawing(width=50.0)
    for each in stroke:
        WidthRange(3.0, 4.0).project(each)
    assert [each.widths.item() for each in stroke] == [6.0, 8.0]


def test_channels_lie_in_0_to_1_and_the_opacity_above_its_least():
    stroke = drawing(color=(-0.5, 0.25, 1.5, 0.1))
    ColorRange(0.3).project(stroke)
    assert stroke.colors[0].tolist() == pytest.approx([0.0, 0.25, 1.0, 0.3])


@pytest.mark.parametrize(("opacity", "projected"), [(-0.5, 0.0), (0.25, 0.25), (1.5, 1.0)])
def test_an_opacity_may_be_0_unless_told_otherwise(opacity, projected):
    stroke = drawing(color=(0.5, 0.5, 0.5, opacity))
    ColorRange().project(stroke)
    assert stroke.colors[0].tolist() == [0.5, 0.5, 0.5, projected]


def test_points_stay_on_the_canvas_along_both_axes():
    stroke = drawing(((-3.0, 5.0), (500.0, 500.0), (5.0, -3.0), (40.0, 900.0)))
    PointsOnCanvas().project(stroke)
    assert stroke.points.tolist() == [[0.0, 5.0], [448.0, 500.0], [5.0, 0.0], [40.0, 896.0]]


def test_an_opacity_may_be_fixed_for_strokes_and_fills():
    stroke = replace(drawing(color=(0.5, 0.5, 0.5, 0.1)), fills=torch.tensor([[2.0, 0.5, 0.5, 0.9]]))
    ColorRange(0.25, 0.25).project(stroke)
    assert stroke.colors[0].tolist() == [0.5, 0.5, 0.5, 0.25]
    assert stroke.fills[0].tolist() == [1.0, 0.5, 0.5, 0.25]
    with pytest.raises(InputError, match="the highest opacity"):
        ColorRange(0.5, 0.4)


def test_a_margin_scales_with_the_canvas_and_counts_widths_if_asked_to():
    far = ((-3.0, 500.0), (500.0, 500.0), (200.0, -3.0), (40.0, 900.0))
    stroke = drawing(far, width=20.0)
    PointsOnCanvas(10.0).project(stroke)
    assert stroke.points.tolist() == [[20.0, 500.0], [428.0, 500.0], [200.0, 20.0], [40.0, 876.0]]
    PointsOnCanvas(10.0, whole_paths=True).project(stroke)
    assert stroke.points.tolist() == [[30.0, 500.0], [418.0, 500.0], [200.0, 30.0], [40.0, 866.0]]
    stroke = drawing(far)
    PointsOnCanvas(-112.0).project(stroke)
    assert stroke.points.tolist() == [list(point) for point in far]
    for margin in (-1001.0, 112.5):
        with pytest.raises(InputError, match="a margin is from"):
            PointsOnCanvas(margin)


def test_points_stay_in_a_disc_in_which_they_can_be_turned():
    stroke = drawing(((224.0, 448.0), (224.0, 100.0), (448.0, 672.0), (300.0, 448.0)), width=8.0)
    PointsInDisc(12.0).project(stroke)
    distances = (stroke.points - torch.tensor([224.0, 448.0])).norm(dim=1)
    assert distances.tolist() == pytest.approx([0.0, 200.0, 200.0, 76.0], abs=1e-3)
    PointsInDisc(12.0, whole_paths=True).project(stroke)
    assert (stroke.points - torch.tensor([224.0, 448.0])).norm(dim=1).max().item() == pytest.approx(196, abs=1e-3)
    with pytest.raises(InputError, match="a margin is from 0"):
        PointsInDisc(-1.0)
