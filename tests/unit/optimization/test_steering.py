from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.errors import InputError
from clipdraw.optimization.constraints import WidthRange
from clipdraw.optimization.loop import Optimization, optimize
from clipdraw.optimization.losses import Opacity, Prompt
from clipdraw.optimization.parameterization import Pixels, Rates, Strokes
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.start import RandomStrokes
from clipdraw.optimization.steering import Change, joined
from clipdraw.optimization.views import Views

RED, BLUE = (Prompt("red"),), (Prompt("blue"),)


def recipe(steps=40, **settings):
    return Recipe(steps=steps, views=Views(2), **settings)


def strokes(count, seed=3):
    return RandomStrokes(count)(Canvas(), torch.Generator().manual_seed(seed))


def begun(drawing, encoder, steps=5):
    run = Optimization(drawing, RED, encoder=encoder, recipe=recipe(), seed=1)
    for _ in range(steps):
        run.step()
    return run


def moments(run):
    """Adam's two moments of points, widths and colors, the points by path."""
    state = run.state()
    names = ["points", "widths", "colors"]
    found = {}
    for kind in ("exp_avg", "exp_avg_sq"):
        for i, name in enumerate(names):
            tensor = state[f"adam.{i}.{kind}"]
            found[name, kind] = tensor.split(run.drawing.point_counts()) if name == "points" else tensor.unbind()
    return found


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_a_run_without_messages_is_that_of_a_loop(drawing, encoder):
    run = Optimization(drawing, RED, encoder=encoder, recipe=recipe(8), seed=1)
    *_, last = optimize(drawing, RED, encoder=encoder, recipe=recipe(8), seed=1)
    for _ in range(8):
        run.step()
    assert same(last.drawing, run.drawing)


@pytest.mark.parametrize("change", [Change(), Change(losses=RED), Change(recipe=recipe(8)), Change(RED, recipe(8))])
def test_a_change_to_the_same_changes_no_bit(change, drawing, encoder):
    *_, whole = optimize(drawing, RED, encoder=encoder, recipe=recipe(8), seed=1)
    steps = optimize(drawing, RED, encoder=encoder, recipe=recipe(8), seed=1)
    next(steps)
    next(steps)
    steps.send(change)
    *_, steered = steps
    assert steered.index == whole.index == 8
    assert same(steered.drawing, whole.drawing)


def test_another_prompt_is_followed_from_the_next_step_on(drawing, encoder):
    fast = recipe(40, rates=Rates(color=0.05))
    steps = optimize(drawing, RED, encoder=encoder, recipe=fast, seed=1)
    for _ in range(20):
        step = next(steps)
    assert list(step.losses) == ["red"]
    changed = steps.send(Change(losses=BLUE))
    assert list(changed.losses) == ["blue"]
    *_, last = steps
    *_, unsteered = optimize(drawing, RED, encoder=encoder, recipe=fast, seed=1)
    assert last.index == 40
    assert last.similarity > changed.similarity + 0.05
    assert last.similarity > (unsteered.embeddings @ encoder.encode_text(["blue"])[0]).mean() + 0.1


def test_weights_and_other_losses_change(drawing, encoder):
    steps = optimize(drawing, RED, encoder=encoder, recipe=recipe(), seed=1)
    before = next(steps)
    after = steps.send(Change(losses=(Prompt("red", 3.0), Opacity(0.5))))
    assert after.losses["red"] == pytest.approx(3 * before.losses["red"], rel=0.2)
    assert after.losses["opacity"] > 0


def test_a_loss_that_stays_is_built_once(drawing, encoder):
    built = []

    class Counted:
        name = "counted"

        def build(self, encoder):
            built.append(encoder)
            return lambda frame: frame.image.mean()

    counted = Counted()
    steps = optimize(drawing, (counted,), encoder=encoder, recipe=recipe(), seed=1)
    next(steps)
    steps.send(Change(losses=(*BLUE, counted)))
    assert len(built) == 1


def test_rates_constraints_and_steps_change(drawing, encoder):
    steps = optimize(drawing, RED, encoder=encoder, recipe=recipe(), seed=1)
    before = next(steps).drawing.detached()
    still = recipe(3, rates=Rates(points=0.0), constraints=(WidthRange(7.0, 7.0),))
    after = steps.send(Change(recipe=still))
    assert torch.equal(after.drawing.points, before.points)
    assert (after.drawing.widths == 7).all()
    assert not torch.equal(after.drawing.colors, before.colors)
    assert after.of == 3
    assert [step.index for step in steps] == [3]


def test_paths_that_stay_keep_their_moments_and_places(drawing, encoder):
    run = begun(drawing, encoder)
    old, before = run.drawing.detached(), moments(run)
    run.change(Change(remove=(0, 5)))
    after, kept = moments(run), [path for path in range(len(drawing)) if path not in (0, 5)]
    assert len(run.drawing) == len(drawing) - 2
    assert same(run.drawing, old.subset(kept))
    for name, values in after.items():
        assert len(values) == len(kept)
        assert all(torch.equal(value, before[name][path]) for value, path in zip(values, kept, strict=True))
    assert any(value.abs().sum() > 0 for value in after["points", "exp_avg"])
    assert run.step().index == 6


def test_new_paths_lie_on_top_and_begin_without_moments(drawing, encoder):
    run = begun(drawing, encoder)
    before, added = moments(run), strokes(3, seed=8)
    run.change(Change(add=added, remove=(1,)))
    after, count = moments(run), len(drawing) - 1
    assert same(run.drawing.subset(range(count, count + 3)), added)
    for name, values in after.items():
        assert len(values) == count + 3
        assert torch.equal(values[1], before[name][2])
        assert all(not value.any() for value in values[count:])
    assert run.state()["adam.0.step"] == 5
    run.step()
    assert not same(run.drawing.subset(range(count, count + 3)), added)


def test_all_paths_can_be_exchanged(drawing, encoder):
    run = begun(drawing, encoder)
    run.change(Change(add=strokes(2), remove=tuple(range(len(drawing)))))
    assert len(run.step().drawing) == 2


def test_the_state_of_a_changed_run_is_restored_to_the_same_bits(drawing, encoder):
    change = Change(losses=BLUE, add=strokes(2), remove=(0,))
    run, other = begun(drawing, encoder), begun(drawing, encoder, steps=0)
    run.change(change)
    other.change(change)
    other.restore(run.state())
    for _ in range(3):
        run.step()
        other.step()
    assert same(run.drawing, other.drawing)


def test_a_background_keeps_its_moments(drawing, encoder):
    run = Optimization(drawing, RED, encoder=encoder, recipe=recipe(moves_background=True), seed=1)
    run.step()
    before = run.state()["adam.3.exp_avg"]
    run.change(Change(remove=(2,)))
    assert before.any()
    assert torch.equal(run.state()["adam.3.exp_avg"], before)


def test_fills_join_strokes():
    closed = Drawing(
        torch.rand(6, 2), torch.zeros(1), torch.zeros(1, 4), (2,), styles=(Style((True,), fill="nonzero"),),
        fills=torch.rand(1, 4),
    )  # fmt: skip
    both = joined(strokes(2), closed)
    assert len(both) == 3
    assert [style.fill for style in both.styles] == [None, None, "nonzero"]
    assert torch.equal(both.fills[2], closed.fills[0])
    assert torch.equal(both.subset([2]).points, closed.points)


def test_other_parameterizations_take_losses_and_recipes(encoder):
    run = Optimization(Pixels(torch.full((3, 8, 8), 0.5)), RED, encoder=encoder, recipe=recipe(), seed=1)
    run.step()
    state = run.state()
    run.change(Change(losses=BLUE, recipe=recipe(2)))
    assert torch.equal(run.state()["pixels"], state["pixels"])
    assert run.step().of == 2
    for own in (run, Optimization(Strokes(strokes(2)), RED, encoder=encoder)):
        with pytest.raises(InputError, match="only of what began as a drawing"):
            own.change(Change(remove=(0,)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: Change(losses=()), "nothing to optimize"),
        (lambda: Change(remove=(12,)), "from 0 to 11; there is no 12 to remove"),
        (lambda: Change(remove=(-1,)), "there is no -1"),
        (lambda: Change(remove=tuple(range(12))), "a change leaves no path"),
        (lambda: Change(add=RandomStrokes(1)(Canvas(8, 9), torch.Generator())), "a canvas of 8 x 9 cannot be added to"),
        (lambda: Change(add=replace(strokes(1), transforms=torch.eye(2, 3)[None])), "no gradients and transforms"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_nothing_has_changed(change, message, drawing, encoder):
    run = begun(drawing, encoder)
    before = run.state()
    with pytest.raises(InputError, match=message):
        run.change(change())
    after = run.state()
    assert all(torch.equal(after[name], value) for name, value in before.items())
