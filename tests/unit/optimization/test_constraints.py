import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange


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
