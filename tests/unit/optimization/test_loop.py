from dataclasses import dataclass, replace

import pytest
import torch

from clipdraw.drawing import Canvas, Style
from clipdraw.errors import DivergedError, InputError
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange
from clipdraw.optimization.loop import Optimization, Recipe, optimize
from clipdraw.optimization.losses import Prompt
from clipdraw.optimization.parameterization import Rates
from clipdraw.optimization.views import Views


def recipe(steps=12, **settings):
    return Recipe(steps=steps, views=Views(2), **settings)


@dataclass(frozen=True)
class Broken:
    """A loss whose gradient is not finite at the steps in `at`."""

    at: range
    name: str = "broken"

    def build(self, encoder):
        calls = iter(range(10**6))
        return lambda frame: (
            (frame.drawing.points.sum() * 0).sqrt() if next(calls) in self.at else frame.drawing.points.sum() * 0
        )


def test_the_similarity_rises(drawing, encoder):
    steps = list(optimize(drawing, [Prompt("red")], encoder=encoder, recipe=recipe(60, rates=Rates(color=0.05))))
    assert [s.index for s in steps] == list(range(1, 61))
    assert steps[-1].similarity > steps[0].similarity + 0.2


def test_fills_are_refused(drawing, encoder):
    filled = replace(drawing, styles=(Style(fill="nonzero"),) * len(drawing), fills=drawing.colors)
    with pytest.raises(InputError, match="plain strokes"):
        Optimization(filled, [Prompt("red")], encoder=encoder)


def test_the_start_is_left_alone(drawing, encoder):
    before = drawing.points.clone()
    list(optimize(drawing, [Prompt("red")], encoder=encoder, recipe=recipe(3)))
    assert torch.equal(before, drawing.points)
    assert not drawing.points.requires_grad


def test_a_negative_prompt_pushes_away(drawing, encoder):
    def blue(losses):
        for step in optimize(drawing, losses, encoder=encoder, recipe=recipe(40, rates=Rates(color=0.05))):
            last = step.drawing
        return last.colors[:, 2].mean()

    assert blue([Prompt("red"), Prompt("blue", -2.0)]) < blue([Prompt("red"), Prompt("blue", 2.0)]) - 0.05


def test_the_similarity_of_a_step_counts_prompts_by_weight(drawing, encoder):
    def first(losses):
        return Optimization(drawing, losses, encoder=encoder, recipe=recipe()).step().similarity

    red, blue = first([Prompt("red")]), first([Prompt("blue", 2.0)])
    both = first([Prompt("blue", -0.3), Prompt("red", 3.0), Prompt("blue", 1.0)])
    assert both == pytest.approx((3 * red + blue) / 4)


def test_the_same_seed_gives_the_same_drawing(drawing, encoder):
    def final(seed):
        torch.rand(3)
        *_, last = optimize(drawing, [Prompt("green")], encoder=encoder, recipe=recipe(), seed=seed)
        return last.drawing.points

    assert torch.equal(final(1), final(1))
    assert not torch.equal(final(1), final(2))


def test_constraints_hold_after_each_step(drawing, encoder):
    constraints = (WidthRange(3.0, 4.0), ColorRange(0.25), PointsOnCanvas())
    for step in optimize(drawing, [Prompt("red")], encoder=encoder, recipe=recipe(6, constraints=constraints)):
        assert step.drawing.widths.min() >= 3.0
        assert step.drawing.widths.max() <= 4.0
        assert step.drawing.colors.min() >= 0
        assert step.drawing.colors.max() <= 1
        assert step.drawing.colors[:, 3].min() >= 0.25
        assert step.drawing.points.min() >= 0
        assert step.drawing.points.max() <= 224


def test_rates_scale_with_the_canvas_and_follow_their_schedule(encoder):
    from clipdraw.optimization.start import RandomStrokes

    drawing = RandomStrokes(3)(Canvas(448, 448), torch.Generator().manual_seed(0))
    run = Optimization(drawing, [Prompt("red")], encoder=encoder, recipe=recipe(8))
    seen = []
    for _ in range(8):
        run.step()
        seen.append([group["lr"] for group in run._optimizer.param_groups])
    assert [s[0] for s in seen] == pytest.approx([2.0] * 4 + [0.8] * 2 + [0.2] * 2)
    assert [s[1] for s in seen] == pytest.approx([0.4] * 8)
    assert [s[2] for s in seen] == pytest.approx([0.01] * 8)


def test_a_step_with_a_non_finite_gradient_is_dropped_and_counted(drawing, encoder):
    run = Optimization(drawing, [Prompt("red"), Broken(range(2, 5))], encoder=encoder, recipe=recipe())
    steps = [run.step() for _ in range(8)]
    assert [s.dropped for s in steps] == [False, False, True, True, True, False, False, False]
    assert run.dropped == 3
    assert torch.isfinite(run.drawing.points).all()


def test_ten_in_a_row_end_the_run_with_the_name_of_the_loss(drawing, encoder):
    steps = optimize(drawing, [Prompt("red"), Broken(range(1, 99))], encoder=encoder, recipe=recipe(50))
    with pytest.raises(DivergedError, match=r"step 11: .*'broken'"):
        list(steps)


def test_a_restored_run_ends_where_the_unbroken_one_does(drawing, encoder):
    def run():
        return Optimization(drawing, [Prompt("blue")], encoder=encoder, recipe=recipe(), seed=4)

    unbroken, first, second = run(), run(), run()
    for _ in range(12):
        unbroken.step()
    for _ in range(5):
        first.step()
    second.restore(first.state())
    assert second.index == 5
    for _ in range(7):
        second.step()
    pairs = zip(unbroken.drawing.parameters(), second.drawing.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_the_caller_may_steer(drawing, encoder):
    for step in optimize(drawing, [Prompt("red")], encoder=encoder, recipe=recipe(4)):
        with torch.no_grad():
            step.drawing.points.fill_(50.0)
    assert (step.drawing.points == 50).all()


def test_nothing_to_optimize_is_refused(drawing, encoder):
    with pytest.raises(InputError, match="at least one loss"):
        list(optimize(drawing, [], encoder=encoder))
