from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError
from clipdraw.optimization.center import Center, ink, pixel_distances, point_distances
from clipdraw.optimization.loop import Recipe, optimize
from clipdraw.optimization.losses import Frame
from clipdraw.optimization.parameterization import Rates
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize

KINDS = ("sum", "pull", "ring", "disc")


def value(center, drawing, encoder):
    height, width = drawing.canvas.pixel_size(32)
    frame = Frame(drawing, rasterize(drawing, height=height, width=width), torch.zeros(2, 3), 0.0)
    return center.build(encoder)(frame)


def published(kind, drawing):
    """The article's loops, one for each kind, at a radius of 60."""
    loss = torch.tensor(0.0)
    for points in drawing.stroke_points():
        distances = torch.sqrt(torch.sum((points - 112) ** 2, dim=1))
        if kind == "sum":
            loss = loss + torch.sum(distances)
        elif kind == "pull":
            loss = loss + torch.sum(distances) * 0.001 / len(drawing)
        elif kind == "ring":
            loss = loss + torch.sum((distances - 60) ** 2) * 0.001 / len(drawing)
        else:
            loss = loss + torch.sum(torch.relu(distances - 60) ** 2) * 0.001 / len(drawing)
    return loss


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_the_step_of_the_article(kind, drawing, encoder):
    drawing.points.requires_grad_()
    ours = value(Center(60.0, 1.0 if kind == "sum" else 0.001, kind=kind), drawing, encoder)
    theirs = published(kind, drawing)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(
        *(torch.autograd.grad(loss, drawing.points)[0] for loss in (ours, theirs)), rtol=1e-4, atol=1e-9
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("power", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("radius", [0.0, 75.0])
def test_points_in_the_exact_middle_and_on_the_circle_have_finite_gradients(kind, power, radius, encoder):
    points = torch.tensor([[112.0, 112.0], [112.0, 187.0], [112.0, 112.0], [37.0, 112.0]], requires_grad=True)
    drawing = Drawing(points, torch.ones(1), torch.ones(1, 4), (1,), Canvas())
    value(Center(radius, power=power, kind=kind), drawing, encoder).backward()
    assert points.grad.isfinite().all()
    assert (points.grad[[0, 2]] == 0).all()


@pytest.mark.parametrize("on", ["points", "ink"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_penalty_is_the_same_on_any_canvas(kind, on, drawing, encoder):
    larger = replace(drawing, points=drawing.points * 3, widths=drawing.widths * 3, canvas=Canvas(672, 672))
    center = Center(60.0, kind=kind, on=on)
    assert value(center, larger, encoder).item() == pytest.approx(value(center, drawing, encoder).item(), rel=1e-3)


def test_the_circle_is_in_the_middle_of_a_wide_canvas(encoder):
    points = torch.tensor([[448.0, 112.0]] * 4)
    drawing = Drawing(points, torch.full((1,), 10.0), torch.tensor([[0.0, 0, 0, 1]]), (1,), Canvas(448, 224))
    assert point_distances(drawing).tolist() == [224.0] * 4
    distances = pixel_distances(drawing.canvas, 2, 4)
    assert distances.tolist() == [pytest.approx([177.1, 79.2, 79.2, 177.1], abs=0.1)] * 2
    assert value(Center(224.0), drawing, encoder) == 0
    assert value(Center(200.0), drawing, encoder) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_dot_weighs_the_same_as_points_or_as_ink(kind, encoder):
    points = torch.tensor([[199.5, 115.5]] * 4)  # the middle of a pixel
    drawing = Drawing(points, torch.full((1,), 2.0), torch.tensor([[0.0, 0, 0, 1]]), (1,), Canvas())
    by_points, by_ink = (value(Center(60.0, kind=kind, on=on), drawing, encoder).item() for on in ("points", "ink"))
    assert by_ink == pytest.approx(by_points, rel=0.1)


def test_what_cannot_be_seen_is_no_ink(encoder):
    points = torch.tensor([[200.0, 10.0], [210.0, 10.0], [210.0, 20.0], [200.0, 20.0]])
    for color in ([1.0, 1, 1, 1], [0.0, 0, 0, 0]):
        drawing = Drawing(points, torch.full((1,), 9.0), torch.tensor([color]), (1,), Canvas())
        assert value(Center(10.0, on="ink"), drawing, encoder) == 0
        assert value(Center(10.0), drawing, encoder) > 0


def test_ink_is_the_largest_difference_from_the_background():
    image = torch.tensor([[[1.0, 0.5]], [[1.0, 0.5]], [[0.2, 0.5]]])
    assert ink(image, torch.ones(3)).tolist() == [pytest.approx([0.8, 0.5])]
    assert ink(image, torch.full((3,), 0.5)).tolist() == [pytest.approx([0.5, 0.0])]


@pytest.mark.parametrize("on", ["points", "ink"])
def test_a_drawing_moves_into_the_circle(on, encoder):
    start = RandomStrokes(16, width=8.0, opacity=(1.0, 1.0))(Canvas(), torch.Generator().manual_seed(0))
    white = torch.ones(3)

    def beyond(drawing):
        amount = ink(rasterize(drawing, height=56, width=56), white)
        return ((amount * (pixel_distances(drawing.canvas, 56, 56) > 60)).sum() / amount.sum()).item()

    recipe = Recipe(steps=60, rates=Rates(points=2.0))
    for step in optimize(start, [Center(50.0, 0.1, on=on)], encoder=encoder, recipe=recipe):
        drawing = step.drawing
    assert beyond(start) > 0.4
    assert beyond(drawing.detached()) < 0.15


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "square"}, "kind is one of sum, pull, ring, disc, got 'square'"),
        ({"on": "paper"}, "measure is one of points, ink, got 'paper'"),
        ({"radius": -1.0}, "radius is 0 or more"),
        ({"power": 0.5}, "power from 1 to 10"),
        ({"power": 50.0}, "power from 1 to 10"),
        ({"weight": 0.0}, "weight above 0"),
        ({"weight": float("nan")}, "weight above 0"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Center(**settings)
