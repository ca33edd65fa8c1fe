import math
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
import torch

from clipdraw.drawing import Canvas
from clipdraw.errors import DivergedError, FormatError, InputError
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange
from clipdraw.optimization.loop import Optimization, Problem, optimize
from clipdraw.optimization.losses import Prompt
from clipdraw.optimization.parameterization import Parameter, Rates
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.start import RandomStrokes
from clipdraw.optimization.views import Views


@dataclass(frozen=True, eq=False)
class Flag:
    """An image of two colors, the lower moving half as fast; it has a parameter that it does not show."""

    upper: torch.Tensor = field(default_factory=lambda: torch.full((3,), 0.5, requires_grad=True))
    lower: torch.Tensor = field(default_factory=lambda: torch.tensor([0.8, 0.5, 0.3], requires_grad=True))
    unseen: torch.Tensor = field(default_factory=lambda: torch.zeros(2, requires_grad=True))

    @property
    def subject(self):
        return self

    def parameters(self):
        rates = {"upper": 0.04, "lower": 0.02, "unseen": 1.0}
        return [Parameter(name, getattr(self, name), rate) for name, rate in rates.items()]

    def image(self, longest):
        halves = torch.stack([self.upper, self.lower], 1)[:, :, None]
        return halves.repeat_interleave(longest // 2, 1).expand(3, longest, longest)

    def project(self):
        self.upper.clamp_(0, 1)
        self.lower.clamp_(0, 1)


@dataclass(frozen=True)
class Loss:
    """A loss of the caller's own: any function of a frame."""

    term: object
    name: str = "own"

    def build(self, encoder):
        return self.term


def darken(weight=1.0, name="darken"):
    return Loss(lambda frame: weight * (frame.subject.upper.sum() + frame.subject.lower.sum()), name)


@dataclass(frozen=True)
class Broken:
    """A loss whose gradient is not finite in the steps `at`, counted from 0."""

    at: tuple[int, ...]
    name: str = "broken"

    def build(self, encoder):
        def term(frame):
            zero = frame.subject.upper.sum() * 0
            return zero.sqrt() if round(frame.progress * self.steps) in self.at else zero

        return term

    steps: int = 100


def recipe(steps=100, **settings):
    return Recipe(steps=steps, views=Views(2), **settings)


HUNDRED = recipe()


def begin(encoder, *losses, recipe=HUNDRED, seed=0):
    return Optimization(Flag(), losses, encoder=encoder, recipe=recipe, seed=seed)


def colors(run):
    return torch.cat([run.parameterization.upper, run.parameterization.lower]).detach().clone()


def test_the_similarity_rises_step_by_step_to_the_last(encoder):
    steps = list(optimize(Flag(), [Prompt("red")], encoder=encoder, recipe=recipe(20)))
    assert [(step.index, step.of) for step in steps] == [(i, 20) for i in range(1, 21)]
    assert steps[-1].similarity > steps[0].similarity + 0.2


def test_a_negative_prompt_pushes_away(encoder):
    def blue(weight):
        run = begin(encoder, Prompt("red"), Prompt("blue", weight))
        for _ in range(10):
            run.step()
        return run.parameterization.upper[2].item()

    assert blue(-2.0) < 0.3 < 0.6 < blue(2.0)


def test_a_step_tells_what_was_before_it_and_leaves_what_is_after_it(encoder):
    run = begin(encoder, darken(2.0), darken(0.5, "slightly"))
    step = run.step()
    assert step.losses == {"darken": pytest.approx(6.2), "slightly": pytest.approx(1.55)}
    assert step.subject is run.parameterization
    assert colors(run).tolist() == pytest.approx([0.46] * 3 + [0.78, 0.48, 0.28])
    assert math.isnan(step.similarity)
    assert not step.dropped


def test_losses_of_the_same_name_have_a_value_each(encoder):
    losses = begin(encoder, darken(2.0), darken(0.5), darken(1.0)).step().losses
    assert losses == {
        name: pytest.approx(v) for name, v in (("darken", 6.2), ("darken (2)", 1.55), ("darken (3)", 3.1))
    }


def test_the_embeddings_of_a_step_are_those_of_its_views(encoder):
    step, frame = begin(encoder, darken()).step(), begin(encoder, darken()).frame()
    assert torch.equal(step.embeddings, frame.embeddings)
    assert not step.embeddings.requires_grad
    assert frame.embeddings.requires_grad


def test_the_similarity_of_a_step_counts_prompts_to_draw_by_weight(encoder):
    def first(*losses):
        return begin(encoder, *losses).step().similarity

    frame = begin(encoder, darken()).frame()
    cosines = (frame.embeddings @ encoder.encode_text(["red", "blue"]).T).mean(0).tolist()
    assert first(Prompt("red"), darken()) == pytest.approx(cosines[0])
    both = first(Prompt("blue", -0.3), Prompt("red", 3.0), Prompt("blue", 1.0))
    assert both == pytest.approx((3 * cosines[0] + cosines[1]) / 4)


def test_a_frame_has_fresh_views_of_the_image_at_the_moment_of_the_run(encoder):
    run = begin(encoder, darken(), recipe=Recipe(steps=8, views=Views(5)))
    first = run.frame()
    assert first.image.shape == (3, 16, 16)
    assert first.embeddings.shape == (5, 3)
    assert not torch.allclose(first.embeddings, run.frame().embeddings)
    assert first.progress == 0
    run.step()
    assert run.frame().progress == 1 / 8
    assert begin(encoder, darken(), recipe=recipe(resolution=6)).frame().image.shape == (3, 6, 6)


def test_views_have_the_size_that_the_encoder_reads(encoder, monkeypatch):
    seen = []
    monkeypatch.setattr(encoder, "encode_image", lambda views: seen.append(views.shape) or views.mean((2, 3)))
    begin(encoder, darken(), recipe=recipe(resolution=6)).step()
    assert seen == [(2, 3, 16, 16)]


def test_the_seed_decides_alone(encoder):
    def final(**settings):
        torch.rand(3)
        *_, last = optimize(Flag(), [Prompt("green")], encoder=encoder, recipe=recipe(3), **settings)
        return last.embeddings

    assert torch.equal(final(seed=1), final(seed=1))
    assert not torch.equal(final(seed=1), final(seed=2))
    assert torch.equal(final(), final(seed=0))
    run = Optimization(Flag(), [Prompt("green")], encoder=encoder, recipe=recipe(3))
    assert torch.equal([run.step() for _ in range(3)][-1].embeddings, final(seed=0))


def test_each_parameter_moves_by_its_rate_and_constraints_hold_after_each_step(encoder):
    run = begin(encoder, darken())
    for moved in (0.04 * i for i in range(1, 13)):
        run.step()
        assert run.parameterization.upper.tolist() == pytest.approx([0.5 - moved] * 3, abs=1e-5)
        assert run.parameterization.lower.tolist() == pytest.approx([c - moved / 2 for c in (0.8, 0.5, 0.3)], abs=1e-5)
    run.step()
    assert run.parameterization.upper.tolist() == [0, 0, 0]
    assert run.parameterization.unseen.tolist() == [0, 0]


def test_strokes_move_by_the_published_rates_on_the_scale_of_their_canvas(encoder):
    """Adam moves by its rate where the gradient stays the same: 1, then 0.4, then 0.1 canvas units for points."""
    start = RandomStrokes(1, segments=(1, 1), width=60.0)(Canvas(448, 448), torch.Generator().manual_seed(0))
    pull = Loss(lambda frame: sum(tensor.sum() for tensor in frame.drawing.parameters()))
    steps = optimize(start, [pull], encoder=encoder, recipe=recipe(8, constraints=(), resolution=4))
    states = [start, *(step.drawing.detached() for step in steps)]
    moves = [
        [(a - b).mean().item() for a, b in zip(old.parameters(), new.parameters(), strict=True)]
        for old, new in pairwise(states)
    ]
    assert [points for points, _, _ in moves] == pytest.approx([2.0] * 4 + [0.8] * 2 + [0.2] * 2, rel=1e-3)
    assert [widths for _, widths, _ in moves] == pytest.approx([0.4] * 8, rel=1e-3)
    assert [colors for _, _, colors in moves] == pytest.approx([0.01] * 8, rel=1e-3)


def test_strokes_are_moved_by_the_recipe_and_their_start_is_left_alone(drawing, encoder):
    start = drawing.subset([0, 1])
    before = start.points.clone()
    settings = {"rates": Rates(points=0.0, width=3.0), "resolution": 4}
    rules = (WidthRange(3.0, 4.0), ColorRange(0.25), PointsOnCanvas())
    thicken = Loss(lambda frame: -frame.drawing.widths.sum())
    (step,) = optimize(start, [thicken], encoder=encoder, recipe=recipe(1, constraints=rules, **settings))
    assert step.drawing.widths.tolist() == [4.0, 4.0]
    assert step.drawing.colors[:, 3].min() >= 0.25
    assert step.drawing.points.tolist() == before.clamp(0, 224).tolist()
    assert torch.equal(start.points, before)
    assert not start.points.requires_grad
    with pytest.raises(InputError, match="no backend called 'chalk'"):
        list(optimize(start, [thicken], encoder=encoder, recipe=recipe(1, backend="chalk")))


def test_strokes_live_where_the_encoder_does(drawing, encoder, monkeypatch):
    monkeypatch.setattr(encoder, "device", torch.device("meta"))
    assert Optimization(drawing, [darken()], encoder=encoder).drawing.points.device.type == "meta"


def test_a_step_with_a_non_finite_gradient_is_dropped_and_counted(encoder):
    run = begin(encoder, darken(), Broken((2, 3, 4)))
    states, dropped = [colors(run)], []
    for _ in range(7):
        dropped.append(run.step().dropped)
        states.append(colors(run))
    assert dropped == [False, False, True, True, True, False, False]
    assert run.dropped == 3
    assert [torch.equal(a, b) for a, b in pairwise(states)] == dropped
    assert colors(run).isfinite().all()


def test_ten_dropped_steps_in_a_row_end_the_run_with_the_name_of_the_loss(encoder):
    run = begin(encoder, Prompt("red"), Broken(tuple(range(1, 99))))
    for _ in range(10):
        run.step()
    with pytest.raises(DivergedError) as error:
        run.step()
    assert str(error.value) == (
        "gave up at step 11: gradients were not finite 10 times in a row, because of the loss 'broken'; lower its "
        "weight or the learning rates"
    )


def test_a_good_step_starts_the_count_of_ten_anew(encoder):
    run = begin(encoder, Broken((*range(9), *range(10, 19))))
    for _ in range(20):
        run.step()
    assert run.dropped == 18


def test_losses_that_diverge_only_together_are_named_together(encoder):
    run = begin(encoder, darken(3e38, "one"), darken(3e38, "two"))
    for _ in range(9):
        run.step()
    with pytest.raises(DivergedError, match=r"step 10: .* because of the loss 'one \+ two';"):
        run.step()


def test_a_restored_run_ends_where_the_unbroken_one_does(encoder):
    def run():
        return begin(encoder, Prompt("blue"), Broken((1,)), seed=4)

    unbroken, first, second = run(), run(), run()
    for _ in range(5):
        first.step()
    state = first.state()
    first.step()
    second.restore(state)
    assert (second.index, second.dropped) == (5, 1)
    for _ in range(7):
        second.step()
    for _ in range(12):
        unbroken.step()
    assert torch.equal(colors(second), colors(unbroken))
    first.restore(state)
    for _ in range(7):
        first.step()
    assert torch.equal(colors(first), colors(unbroken))


def test_a_restored_run_still_knows_how_many_steps_in_a_row_were_dropped(encoder):
    first, second = (begin(encoder, Broken(tuple(range(99)))) for _ in range(2))
    for _ in range(6):
        first.step()
    second.restore(first.state())
    for _ in range(3):
        second.step()
    with pytest.raises(DivergedError, match="step 10"):
        second.step()


def test_a_damaged_state_is_refused_and_changes_nothing(encoder):
    run = begin(encoder, darken(), recipe=Recipe(steps=4))
    run.step()
    good = run.state()
    wrong = {
        "of another shape": (lambda tensor: tensor.flatten()[:1].repeat(7), "instead of"),
        "of another type": (lambda tensor: tensor.to(torch.int16), "instead of"),
        "not finite": (lambda tensor: tensor * math.nan, "is not finite"),
        "below 0": (lambda tensor: tensor * 0 - 1, "is below 0"),
        "of too many steps": (lambda tensor: tensor * 0 + 5, "it has made 5 of 4 steps"),
        "of no generator": (lambda tensor: tensor * 0 + 7, "its generator is no state of a random generator"),
    }
    for name, tensor in good.items():
        kinds = ["of another shape", "of another type", *(["not finite"] if tensor.is_floating_point() else [])]
        kinds += ["below 0"] if name == "counters" or name.endswith(("step", "sq")) else []
        kinds += ["of too many steps"] if name == "counters" else ["of no generator"] if name == "generator" else []
        for change, message in (wrong[kind] for kind in kinds):
            with pytest.raises(FormatError, match=message):
                run.restore(good | {name: change(tensor)})
        with pytest.raises(FormatError, match=f"it has no {name}"):
            run.restore({other: value for other, value in good.items() if other != name})
    assert all(torch.equal(value, good[name]) for name, value in run.state().items())


def test_the_caller_may_change_what_is_optimized_between_steps(encoder):
    run = begin(encoder, darken())
    run.step()
    with torch.no_grad():
        run.parameterization.upper.fill_(0.9)
    run.step()
    assert run.parameterization.upper.tolist() == pytest.approx([0.86] * 3)


def test_only_a_drawing_has_strokes(encoder):
    run = begin(encoder, darken())
    for subject in (run, run.step()):
        with pytest.raises(InputError, match="only a drawing has strokes; what is optimized here is Flag"):
            _ = subject.drawing


def test_nothing_to_optimize_is_refused(encoder):
    with pytest.raises(InputError) as error:
        Optimization(Flag(), [], encoder=encoder)
    assert str(error.value) == "nothing to optimize: give at least one loss, such as losses.Prompt('a bonfire')"


def test_a_recipe_has_at_least_one_step():
    assert Recipe(1).steps == 1
    with pytest.raises(InputError, match=r"^steps must be at least 1, got 0$"):
        Recipe(0)


def test_without_a_recipe_it_is_the_published_one(encoder):
    assert Optimization(Flag(), [darken()], encoder=encoder).recipe == Recipe()
    assert replace(Recipe(), steps=250, views=Views(8), constraints=(WidthRange(), ColorRange())) == Recipe()


def test_a_problem_is_optimized_at_once_or_step_by_step(encoder):
    def problem():
        return Problem(Flag(), (Prompt("red"), darken()), recipe(3), encoder, seed=5)

    steps, run = list(problem().optimize()), problem().begin()
    assert [step.losses for step in steps] == [run.step().losses for _ in range(3)]
    assert torch.equal(torch.cat([steps[-1].subject.upper, steps[-1].subject.lower]), colors(run))
    assert torch.equal(steps[-1].embeddings, list(optimize(
        Flag(), (Prompt("red"), darken()), recipe=recipe(3), encoder=encoder, seed=5))[-1].embeddings)  # fmt: skip
