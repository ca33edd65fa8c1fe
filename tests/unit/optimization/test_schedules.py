import math
from itertools import pairwise

import pytest

from clipdraw.errors import InputError
from clipdraw.optimization.schedules import SCHEDULES, Constant, Cosine, Staircase


def test_a_constant_stays():
    assert [Constant(0.3)(step, 100) for step in (0, 50, 99)] == [0.3, 0.3, 0.3]


@pytest.mark.parametrize(("steps", "half", "late"), [(1000, 500, 750), (600, 300, 450), (250, 125, 187), (7, 3, 5)])
def test_the_published_staircase_goes_down_at_whole_steps(steps, half, late):
    """The notebook compares the step with `int(steps * 0.5)` and `int(steps * 0.75)`."""
    rates = [Staircase()(step, steps) for step in range(steps)]
    assert rates == [1.0] * half + [0.4] * (late - half) + [0.1] * (steps - late)


def test_a_staircase_needs_as_many_starts_as_values():
    for starts, values in (((0.0,), (1.0, 0.5)), ((), ()), ((0.5,), (1.0,)), ((0.0, 0.8, 0.4), (1.0, 1.0, 1.0))):
        with pytest.raises(InputError, match="a staircase has a value for each start, the first at 0"):
            Staircase(starts, values)


@pytest.mark.parametrize("make", [Constant, Cosine, lambda value: Cosine(end=value), lambda value: Staircase((value,))])
def test_schedules_are_of_finite_numbers(make):
    with pytest.raises(InputError, match=r"a schedule's .* must be within"):
        make(math.nan)


@pytest.mark.parametrize("warmup", [-0.1, 1.0])
def test_a_warmup_leaves_time_to_fall(warmup):
    with pytest.raises(InputError, match=r"warmup of a schedule lies in \[0, 1\), got"):
        Cosine(warmup)


def test_a_cosine_rises_in_a_line_then_falls_along_half_a_wave():
    schedule = Cosine(warmup=0.2, end=0.1)
    rise = [schedule(step, 100) for step in (0, 5, 10, 15)]
    assert rise[0] == pytest.approx(0.01 / 0.21)  # not 0: the first step moves too
    assert [b - a for a, b in pairwise(rise)] == pytest.approx([0.05 / 0.21] * 3)
    fall = [schedule(step, 100) for step in (20, 40, 60, 80, 100)]
    assert fall == pytest.approx(
        [1.0, 0.1 + 0.9 * math.cos(math.pi / 8) ** 2, 0.55, 0.1 + 0.9 * math.sin(math.pi / 8) ** 2, 0.1]
    )


def test_schedules_have_the_names_that_configurations_use():
    named = {"constant": Constant(1.0), "published": Staircase(), "cosine": Cosine(0.05, 0.05)}
    assert named == SCHEDULES
