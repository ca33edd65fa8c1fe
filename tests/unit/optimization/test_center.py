import math
from dataclasses import replace

import pytest
import torch

from clipdraw.config import resolve
from clipdraw.drawing import Canvas, Drawing
from clipdraw.encoders import load_encoder
from clipdraw.errors import InputError
from clipdraw.optimization.center import Center, ink, pixel_distances, point_distances
from clipdraw.optimization.losses import Frame
from clipdraw.raster import rasterize

KINDS = ("sum", "pull", "ring", "disc")


def value(center, drawing, encoder, image=None):
    image = torch.ones(3, 224, 224) if image is None else image
    return center.build(encoder)(Frame(drawing, image, torch.zeros(2, 3), 0.0))


def one_stroke(points, canvas=None):
    return Drawing(torch.as_tensor(points), torch.ones(1), torch.ones(1, 4), (1,), canvas or Canvas())


def dots(**amounts):
    """A white image of 224 x 224 pixels with a gray one at each place `x<column>y<row>`."""
    image = torch.ones(3, 224, 224)
    for place, amount in amounts.items():
        column, row = map(int, place[1:].split("y"))
        image[:, row, column] = 1 - amount
    return image


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
    larger = replace(drawing, points=drawing.points * 3, canvas=Canvas(672, 672))
    center, image = Center(60.0, kind=kind, on=on), dots(x200y20=0.5, x3y150=1.0)
    assert value(center, larger, encoder, image).item() == pytest.approx(
        value(center, drawing, encoder, image).item(), rel=1e-3
    )


def test_the_circle_is_in_the_middle_of_a_wide_canvas(encoder):
    drawing = one_stroke([[448.0, 112.0]] * 4, Canvas(448, 224))
    assert point_distances(drawing).tolist() == [224.0] * 4
    distances = pixel_distances(drawing.canvas, 2, 4)
    assert distances.tolist() == [pytest.approx([177.1, 79.2, 79.2, 177.1], abs=0.1)] * 2
    assert value(Center(224.0), drawing, encoder) == 0
    assert value(Center(200.0), drawing, encoder) > 0


def test_distances_are_in_units_of_a_canvas_of_224_units_on_both_axes():
    tall = Canvas(448, 896)
    assert point_distances(one_stroke([[224.0, 448.0], [0.0, 448.0], [224.0, 0.0], [448.0, 448.0]], tall)).tolist() == [
        0, 112, 224, 112
    ]  # fmt: skip
    assert pixel_distances(tall, 2, 1).tolist() == [[112.0], [112.0]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_dot_weighs_the_same_as_points_or_as_ink(kind, encoder):
    drawing = one_stroke([[199.5, 115.5]] * 4)  # the middle of a pixel
    by_points, by_ink = (
        value(Center(60.0, kind=kind, on=on), drawing, encoder, dots(x199y115=0.7)).item() for on in ("points", "ink")
    )
    assert by_ink == pytest.approx(by_points)


def test_ink_counts_by_its_amount_and_may_fade(encoder):
    drawing = one_stroke([[0.0, 0.0]] * 4)
    image = dots(x212y112=1.0, x112y12=0.25).requires_grad_()
    near, far = math.hypot(0.5, 99.5) - 75, math.hypot(100.5, 0.5) - 75
    total = value(Center(on="ink"), drawing, encoder, image)
    assert total.item() == pytest.approx(0.001 * 4 * (far**2 + 0.25 * near**2) / 1.25, rel=1e-4)
    total.backward()
    assert image.grad[:, 112, 212].sum().item() == pytest.approx(-0.001 * 4 * far**2 / 1.25, rel=1e-4)


def test_what_cannot_be_seen_is_no_ink(encoder):
    drawing = one_stroke([[200.0, 10.0], [210.0, 10.0], [210.0, 20.0], [200.0, 20.0]])
    assert value(Center(10.0, on="ink"), drawing, encoder) == 0
    assert value(Center(10.0), drawing, encoder) > 0


def test_ink_is_the_largest_difference_from_the_background():
    image = torch.tensor([[[1.0, 0.5]], [[1.0, 0.5]], [[0.2, 0.5]]])
    assert ink(image, torch.ones(3)).tolist() == [pytest.approx([0.8, 0.5])]
    assert ink(image, torch.full((3,), 0.5)).tolist() == [pytest.approx([0.5, 0.0])]


def test_ink_beyond_the_circle_pulls_its_stroke_inward(encoder):
    points = torch.tensor([[180.0, 100.0], [190.0, 110.0], [190.0, 120.0], [180.0, 130.0]], requires_grad=True)
    drawing = Drawing(points, torch.tensor([12.0]), torch.tensor([[0.0, 0, 0, 1]]), (1,), Canvas())
    image = rasterize(drawing, height=28, width=28)
    value(Center(20.0, on="ink"), drawing, encoder, image).backward()
    assert points.grad[:, 0].mean() > 0.01  # to the left is down


def test_a_drawing_that_starts_from_a_picture_keeps_to_the_circle():
    """The picture that it is held to is in the circle too."""

    def beyond(**settings):
        """The fraction of the ink that is farther than 60 units from the middle."""
        few = {"strokes": 24, "steps": 20, "views": 2, "rates.points_schedule": "constant"}
        *_, last = resolve("a butterfly", few | settings).build(load_encoder("builtin")).optimize()
        amount = ink(rasterize(last.drawing.detached(), height=112, width=112), last.drawing.background)
        return ((amount * (pixel_distances(Canvas(), 112, 112) > 60)).sum() / amount.sum()).item()

    assert beyond() > 0.25
    assert beyond(center_radius=40.0, center_weight=0.01) < 0.05


@pytest.mark.parametrize(
    "settings", [{"radius": 0.0}, {"weight": 1e-9}, {"power": 1.0}, {"power": 10.0}, {"on": "ink"}]
)
def test_settings_reach_their_bounds(settings):
    Center(**settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"radius": -1.0},
        {"radius": 10_001.0},
        {"weight": 0.0},
        {"weight": -1.0},
        {"power": 0.5},
        {"power": 10.5},
    ],
)
def test_numbers_out_of_range_are_refused(settings):
    with pytest.raises(InputError) as error:
        Center(**settings)
    radius, weight, power = ({"radius": 75.0, "weight": 0.001, "power": 2.0} | settings).values()
    assert str(error.value) == (
        f"the center's radius is from 0 to 10000, its weight above 0, its power from 1 to 10, got {radius}, {weight}, "
        f"{power}"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["radius", "weight", "power"])
def test_numbers_are_finite(name, value):
    with pytest.raises(InputError, match=f"^the center's {name} must be within ±3.4e\\+38, got {value}$"):
        Center(**{name: value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "square"}, "the center's kind is one of sum, pull, ring, disc, got 'square'"),
        ({"on": "paper"}, "the center's measure is one of points, ink, got 'paper'"),
    ],
)
def test_unknown_kinds_are_refused_with_those_there_are(settings, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        Center(**settings)
