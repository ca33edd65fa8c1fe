from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.errors import InputError
from clipdraw.optimization.constraints import ColorRange, WidthRange
from clipdraw.optimization.hand import (
    Crossing,
    Length,
    Smooth,
    Straight,
    bending,
    crossings,
    detours,
    looped,
    path_lengths,
    polylines,
    twisted,
)
from clipdraw.optimization.losses import Frame, Loss
from clipdraw.optimization.shapes import RandomShapes
from clipdraw.optimization.start import RandomStrokes
from tests.conftest import TinyEncoder

MEASURES = (bending, twisted, looped, detours)
STRAIGHT = [[10.0, 20.0], [40.0, 20.0], [60.0, 20.0], [100.0, 20.0], [110.0, 20.0], [120.0, 20.0], [200.0, 20.0]]
LOOP = [[60.0, 100.0], [200.0, 0.0], [0.0, 0.0], [140.0, 100.0]]


def line(points, closed=False, canvas=None):
    points = torch.tensor(points)
    segments = len(points) // 3
    styles = (Style((True,), "nonzero"),) if closed else ()
    fills = torch.ones(1, 4) if closed else None
    return Drawing(points, torch.ones(1), torch.ones(1, 4), (segments,), canvas or Canvas(), styles=styles, fills=fills)


def strokes(count=20, **settings):
    return RandomStrokes(count, (2, 3), 0.2, **settings)(Canvas(), torch.Generator().manual_seed(2))


def self_crossings(drawing):
    return sum(len(crossings(part, closed=closed)[0]) for part, closed in polylines(drawing))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_straight_line_has_none_of_it(measure):
    assert measure(line(STRAIGHT)).item() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("measure", [*MEASURES, lambda drawing: path_lengths(drawing).sum()])
def test_it_is_the_same_at_any_size_and_on_any_canvas(measure):
    drawing = strokes()
    larger = replace(drawing, points=drawing.points * 3, canvas=Canvas(672, 900))
    assert measure(larger).item() == pytest.approx(measure(drawing).item(), rel=1e-3)
    assert measure(drawing) > 0


@pytest.mark.parametrize("measure", MEASURES)
def test_it_is_differentiable_also_where_points_coincide(measure):
    for drawing in (strokes(), line([[5.0, 5.0]] * 7), line(LOOP), RandomShapes(3)(Canvas(), torch.Generator())):
        drawing.points.requires_grad_()
        (value,) = torch.autograd.grad(measure(drawing) + 0 * drawing.points.sum(), drawing.points)
        assert value.isfinite().all()


def test_a_circle_bends_evenly_and_a_corner_counts_as_one():
    circle = RandomShapes(1, reach=0.3)(Canvas(), torch.Generator().manual_seed(0))
    assert bending(circle).item() == pytest.approx(4 * 2.0, rel=0.01)
    corner = line([[10.0, 10.0], [20.0, 10.0], [30.0, 10.0], [40.0, 10.0], [40.0, 20.0], [40.0, 30.0], [40.0, 40.0]])
    assert bending(corner).item() == pytest.approx(1, abs=1e-4)


def test_a_loop_crosses_itself_and_an_arch_does_not():
    arch = line([[20.0, 100.0], [20.0, 20.0], [180.0, 20.0], [180.0, 100.0]])
    assert (twisted(arch).item(), looped(arch).item()) == (0, 0)
    assert self_crossings(arch) == 0
    assert self_crossings(line(LOOP)) == 1
    assert twisted(line(LOOP)) > 0.5
    assert 0.05 < looped(line(LOOP)) < 0.5


def test_crossings_of_segments_of_one_line_and_the_ends_of_closed_ones():
    across = [[0.0, 0.0], [30.0, 0.0], [60.0, 0.0], [100.0, 0.0], [100.0, 30.0], [50.0, 80.0], [50.0, 50.0],
              [50.0, 20.0], [50.0, -20.0], [50.0, -50.0]]  # fmt: skip
    assert self_crossings(line(across)) == 1
    assert looped(line(across)) > 0
    assert self_crossings(RandomShapes(5)(Canvas(), torch.Generator())) == 0
    eight = [[0.0, 0.0], [10.0, 10.0], [20.0, 20.0], [30.0, 30.0], [40.0, 20.0], [40.0, 10.0], [30.0, 0.0],
             [20.0, 10.0], [10.0, 20.0], [0.0, 30.0], [-10.0, 20.0], [-10.0, 10.0]]  # fmt: skip
    assert self_crossings(line(eight, closed=True)) == 1


def test_lengths_are_in_sides_of_the_canvas():
    assert path_lengths(line(STRAIGHT)).tolist() == pytest.approx([90 / 224, 100 / 224])
    assert detours(line([[0.0, 0.0], [0.0, 30.0], [40.0, 30.0], [40.0, 0.0]])).item() == pytest.approx(0.6)
    square = [[0.0, 0.0], [10.0, 0.0], [20.0, 0.0], [30.0, 0.0], [30.0, 10.0], [30.0, 20.0], [30.0, 30.0],
              [20.0, 30.0], [10.0, 30.0], [0.0, 30.0], [0.0, 20.0], [0.0, 10.0]]  # fmt: skip
    assert detours(line(square, closed=True)).item() == pytest.approx(0, abs=1e-5)


def optimized(loss, drawing, steps=60):
    drawing = drawing.detached()
    drawing.points.requires_grad_()
    optimizer = torch.optim.Adam([drawing.points], lr=1.0)
    term = loss.build(TinyEncoder())
    for _ in range(steps):
        frame = Frame(drawing, torch.zeros(3, 4, 4), torch.zeros(2, 3), 0.0)
        optimizer.zero_grad()
        term(frame).backward()
        optimizer.step()
    return drawing.detached()


@pytest.mark.parametrize(
    ("kind", "measure"),
    [(Smooth, bending), (Length, lambda d: path_lengths(d).sum()), (Straight, detours), (Crossing, self_crossings)],
)
def test_each_loss_lessens_what_it_is_named_after(kind, measure):
    start = strokes()
    assert isinstance(kind(2.0), Loss)
    after = optimized(kind(2.0), start)
    assert measure(after) < 0.4 * measure(start)


def test_losses_count_by_weight_and_views():
    frame = Frame(strokes(), torch.zeros(3, 4, 4), torch.zeros(5, 3), 0.0)
    once, thrice = (Smooth(weight).build(TinyEncoder())(frame) for weight in (1.0, 3.0))
    assert once.item() == pytest.approx(5 * bending(strokes()).item())
    assert thrice.item() == pytest.approx(3 * once.item())
    for kind in (Smooth, Crossing, Length, Straight):
        with pytest.raises(InputError, match=f"the weight of {kind.__name__.lower()}"):
            kind(0.0)


def test_pens_and_hands_leave_each_other_alone():
    drawing = strokes()
    WidthRange(3.0, 3.0).project(drawing)
    ColorRange(0.4, 0.4).project(drawing)
    assert drawing.widths.unique().tolist() == [3]
    assert drawing.colors[:, 3].unique().tolist() == pytest.approx([0.4])
