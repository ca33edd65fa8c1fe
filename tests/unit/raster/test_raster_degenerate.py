"""Drawings with next to nothing to paint, or far too much of it."""

from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.raster import rasterize
from tests.raster_scenes import gradients, line, published, stroke

BACKENDS = pytest.mark.parametrize("backend", ["reference", "native"])
BEND = (4.2, 5.1), (11.7, 27.3), (20.2, 2.9), (27.6, 24.8)
SQUARE = [(4.0, 4.0)] + [(4.0, 12.0)] * 3 + [(12.0, 12.0)] * 3 + [(12.0, 4.0)] * 3 + [(4.0, 4.0)] * 2
STOPS = torch.tensor([[1.0, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 0, 1]])


def square(*, unit=1.0, style=None, gradient=None, transform=None, width=0.0):
    """A red square of 8 x 8 on a canvas of 16 x 16 units, in `unit`s."""
    chosen = style or Style(
        closed=(True,),
        fill="nonzero",
        stroked=False,
        fill_gradient=None if gradient is None else 0,
        transforms=() if transform is None else (0,),
    )
    return Drawing(
        torch.tensor(SQUARE) * unit,
        torch.tensor([width]) * unit,
        torch.tensor([[0.0, 0.0, 0.0, 1.0]]),
        (4,),
        Canvas(16.0 * unit, 16.0 * unit),
        styles=(chosen,),
        fills=torch.tensor([[1.0, 0.0, 0.0, 1.0]]),
        gradients=() if gradient is None else (gradient,),
        transforms=None if transform is None else torch.tensor([transform]),
    )


@BACKENDS
def test_a_width_of_zero_has_the_gradient_of_a_small_one(backend):
    none, some = (stroke(*BEND, width=width) for width in (0.0, 0.02))
    image, grads = gradients(none, backend=backend)
    _, wanted = gradients(some, backend=backend)
    assert torch.equal(image, torch.ones_like(image))
    assert grads[1].item() == pytest.approx(wanted[1].item(), rel=2e-3)
    assert grads[0].abs().sum() == 0


@BACKENDS
def test_hairlines_are_as_dark_as_they_are_wide(backend):
    thin, thinner = (1 - rasterize(stroke(*BEND, width=width), backend=backend) for width in (0.012, 0.003))
    assert torch.allclose(thinner, thin / 4, atol=1e-5)


@BACKENDS
def test_frozen_hairlines_have_no_gradient(backend):
    drawing = stroke(*BEND, width=0.0)
    drawing.widths.requires_grad_()
    rasterize(drawing, backend=backend, frozen=[0]).sum().backward()
    assert drawing.widths.grad.item() == 0


@BACKENDS
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e8])
def test_units_are_of_any_size(unit, backend):
    image = rasterize(square(unit=unit), height=16, backend=backend)
    assert image[:, 8, 8].tolist() == [1, 0, 0]
    assert torch.allclose(image, rasterize(square(), backend=backend), atol=1e-5)


@BACKENDS
@pytest.mark.parametrize(
    "change",
    [
        {"points": torch.tensor(SQUARE) * torch.tensor([1.0, 1e10])},
        {"widths": torch.tensor([1e10])},
        {"transform": [[1.0, 0.0, 1e10], [0.0, 1.0, 0.0]]},
        {"transform": [[1e13, 0.0, 0.0], [0.0, 1.0, 0.0]]},
        {"transform": [[1.0, 0.0, float("nan")], [0.0, 1.0, 0.0]]},
        {"transform": [[2.0, 4.0, 0.0], [1.0, 2.0, 0.0]]},
        {"transform": [[0.0, 0.0, 8.0], [0.0, 0.0, 8.0]]},
    ],
)
def test_what_is_too_far_or_flat_paints_nothing(change, backend):
    kept = {name: value for name, value in change.items() if name != "transform"}
    drawing = replace(square(transform=change.get("transform", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])), **kept)
    image, grads = gradients(drawing, backend=backend)
    assert torch.equal(image, torch.ones_like(image))
    assert all(grad.abs().sum() == 0 for grad in grads[:-1])


def colors(gradient, backend):
    """The middle row of a square with the gradient."""
    return rasterize(square(gradient=gradient), backend=backend)[:, 8, 4:12].T


@BACKENDS
@pytest.mark.parametrize(
    ("offsets", "before", "after"),
    [
        ((0.5, 0.5, 0.5, 0.5), STOPS[0], STOPS[3]),
        ((0.0, 0.5, 0.5, 1.0), None, None),
        ((0.5, 0.5, 1.0, 1.0), STOPS[0], None),
        ((0.0, 0.0, 0.5, 0.5), None, STOPS[3]),
        ((0.5, 0.1, 0.2, 0.5), STOPS[0], STOPS[3]),
    ],
)
def test_stops_at_one_offset(offsets, before, after, backend):
    """As in SVG: the first has the color before, the last that after; one that is out of order has the one before's."""
    gradient = Gradient("linear", torch.tensor([[4.0, 0.0], [12.0, 0.0]]), torch.tensor(offsets), STOPS)
    row = colors(gradient, backend)
    for wanted, part in ((before, row[:4]), (after, row[4:])):
        if wanted is not None:
            assert torch.allclose(part, wanted[:3].expand(4, 3), atol=1e-6)
    if before is None and after is None:
        assert row[3, 1] > 0.8  # nearly the second color, and then the third
        assert row[4, 2] > 0.8


@BACKENDS
@pytest.mark.parametrize(("spread", "before"), [("pad", STOPS[0]), ("reflect", STOPS[3]), ("repeat", STOPS[3])])
def test_of_several_stops_at_the_start_the_first_has_the_color_before(spread, before, backend):
    offsets = torch.tensor([0.0, 0.0, 1.0, 1.0])
    gradient = Gradient("linear", torch.tensor([[8.0, 0.0], [12.0, 0.0]]), offsets, STOPS, spread=spread)
    row = colors(gradient, backend)
    if spread == "pad":
        assert torch.allclose(row[:4], before[:3].expand(4, 3), atol=1e-6)
    else:
        assert torch.allclose(row[:4], (row[4:] if spread == "repeat" else row[4:].flip(0)), atol=1e-6)


@BACKENDS
@pytest.mark.parametrize(
    "gradient",
    [
        Gradient("linear", torch.tensor([[7.0, 7.0], [7.0, 7.0]]), torch.linspace(0, 1, 4), STOPS),
        Gradient("radial", torch.full((2, 2), 7.0), torch.linspace(0, 1, 4), STOPS, torch.tensor(0.0), "repeat"),
        Gradient("linear", torch.tensor([[4.0, 4], [9, 9]]), torch.linspace(0, 1, 4), STOPS, matrix=torch.ones(2, 3)),
    ],
)
def test_gradients_without_extent_have_the_last_color(gradient, backend):
    assert torch.allclose(colors(gradient, backend), STOPS[3, :3].expand(8, 3))


@BACKENDS
def test_a_focus_outside_is_taken_to_be_on_the_circle(backend):
    center, stops = torch.tensor([8.0, 8.0]), torch.linspace(0, 1, 4)
    outside, edge = (
        Gradient("radial", torch.stack((center, center + torch.tensor([away, 0.0]))), stops, STOPS, torch.tensor(4.0))
        for away in (40.0, 3.996)
    )
    assert torch.allclose(colors(outside, backend), colors(edge, backend), atol=1e-4)


def test_the_last_join_of_a_ring_overlaps_its_first_piece():
    """A wide stroke around a flat triangle covers its pixels once."""
    points = [(4.0, 8.0)] + [(14.0, 8.3)] * 3 + [(14.0, 7.7)] * 3 + [(4.0, 8.0)] * 2
    drawing = replace(
        square(width=3.0), points=torch.tensor(points), segments=(3,), styles=(Style((True,), join="bevel"),)
    )
    found, wanted = (rasterize(drawing, backend=backend) for backend in ("native", "reference"))
    assert torch.allclose(found, wanted, atol=1e-5)


def polygons(*rings, rule):
    """Filled polygons on a canvas of 4 x 4, black on white."""
    parts = [torch.cat([corners, corners[:1]]) for corners in map(torch.tensor, rings)]
    points = [torch.lerp(p[:-1, None], p[1:, None], torch.arange(3)[:, None] / 3).flatten(0, 1) for p in parts]
    count, none = len(rings), (torch.zeros(1), torch.zeros(1, 4))
    style = Style(closed=(True,) * count, fill=rule, stroked=False)
    black = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    return Drawing(torch.cat(points), *none, tuple(map(len, rings)), Canvas(4, 4), styles=(style,), fills=black)


@BACKENDS
def test_edges_on_each_other_on_a_pixels_left_side(backend):
    rings = [[(1.0, -1.0), (right, -1.0), (right, 5.0), (1.0, 5.0)] for right in (1.5, 1.625, 1.75)]
    image = rasterize(polygons(*rings, rule="evenodd"), backend=backend)
    assert torch.allclose(image[0, :, 1], torch.tensor(1 - 0.625), atol=1e-6)


@BACKENDS
def test_edges_that_come_from_afar_cross(backend):
    """As those from nearby do."""
    steps = torch.tensor([-2.5, -0.5, 1.5, 3.5])[:, None]

    def image(reach):
        one, two = (steps * torch.tensor([reach, slope * reach]) for slope in (0.25, -0.25))
        points = torch.cat((one, two + torch.tensor([0.0, 4.0])))
        crossed = replace(square(width=0.7), points=points, segments=(1, 1), styles=(Style((False, False)),))
        return rasterize(crossed, backend=backend)

    assert torch.allclose(image(2.0**26), image(2.0**7), atol=1e-5)


@BACKENDS
def test_a_stroke_around_next_to_nothing_is_a_disc(backend):
    """Though one side of it has only pieces too short to have a direction."""
    corners = 8 + 1e-3 * torch.tensor([[0.0, 0.0], [5.0, 0.0], [1.6, 3.67]])
    ring = replace(
        square(width=12.0), points=corners[[0, 0, 1, 1, 1, 2, 2, 2, 0]], segments=(3,), styles=(Style((True,)),)
    )
    dot = replace(square(width=12.0), points=torch.full((4, 2), 8.0), segments=(1,), styles=(Style((False,)),))
    found, wanted = (rasterize(drawing, backend=backend) for drawing in (ring, dot))
    assert (found - wanted).abs().max() < 0.05


@BACKENDS
@pytest.mark.parametrize("steps", [[(0.0, 6e-4)] * 3, [(2e-3, 1e-3), (-2e-3, 0.0), (0.0, 6e-4)]])
def test_a_last_segment_next_to_nothing_makes_no_corners(steps, backend):
    """Of the bend before: its joins stay round. The end takes the place of vertices too near to it."""
    bend = [(3.0, 11.0), (3.0, 1.0), (13.0, 1.0), (13.0, 11.0)]
    bent = stroke(*bend, width=5.0, canvas=(16.0, 16.0))
    further = stroke(*bend, *((13.0 + x, 11.0 + y) for x, y in steps), width=5.0, canvas=(16.0, 16.0))
    one, two = (
        rasterize(replace(drawing, styles=(Style(join="bevel"),)), backend=backend) for drawing in (bent, further)
    )
    assert (one - two).abs().max() < 2e-3


def test_float32_is_computed_exactly():
    """In the reference, too: edges that meet are told from edges that cross."""
    drawing = line((3.0, 3.0), (28.0, 28.0), width=2.0)
    crossed = replace(
        drawing, points=drawing.points.repeat(2, 1), segments=(1, 1), styles=(Style((False, False), join="miter"),)
    )
    single, double = (
        rasterize(crossed.to(dtype=dtype), backend="reference").double() for dtype in (torch.float32, torch.float64)
    )
    assert (single - double).abs().max() < 1e-6


def test_a_stroke_folded_on_the_left_border_without_float64(monkeypatch):
    """As on devices that have none."""
    folded = stroke((0.0, 8.0), (0.0, 4.0), (0.0, 5.0), (0.0, 8.0), width=1.3, canvas=(10.0, 10.0))
    wanted = rasterize(folded, backend="reference")
    monkeypatch.setattr("clipdraw.raster.batch.exact_dtype", lambda device: torch.float32)
    assert (rasterize(folded, backend="reference") - wanted).abs().max() < 1e-3


@pytest.mark.parametrize("change", [lambda p: p.mul_(0), lambda p: p.mul_(30), lambda p: p.fill_(torch.nan)])
def test_points_that_move_behind_the_back_of_autograd_do_no_harm(change):
    """Their gradient is worth nothing, but it is one."""
    drawing = published(40)
    drawing.points.requires_grad_()
    image = rasterize(drawing, backend="native")
    change(drawing.points.data)
    image.sum().backward()
    assert drawing.points.grad.shape == drawing.points.shape
