import math
from itertools import pairwise

import pytest

from clipdraw.errors import InputError
from clipdraw.optimization.schedules import SCHEDULES, Constant, Cosine, Staircase


def test_a_constant_stays():
    assert [Constant(0.3)(p) for p in (0.0, 0.5, 0.999)] == [0.3, 0.3, 0.3]


def test_the_published_staircase():
    assert [Staircase()(p) for p in (0, 0.499, 0.5, 0.749, 0.75, 0.999)] == [1.0, 1.0, 0.4, 0.4, 0.1, 0.1]


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
    rise = [schedule(p) for p in (0.0, 0.05, 0.1, 0.15)]
    assert rise[0] == pytest.approx(0.01 / 0.21)  # not 0: the first step moves too
    assert [b - a for a, b in pairwise(rise)] == pytest.approx([0.05 / 0.21] * 3)
    fall = [schedule(0.2 + 0.8 * share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert fall == pytest.approx(
        [1.0, 0.1 + 0.9 * math.cos(math.pi / 8) ** 2, 0.55, 0.1 + 0.9 * math.sin(math.pi / 8) ** 2, 0.1]
    )


def test_schedules_have_the_names_that_configurations_use():
    named = {"constant": Constant(1.0), "published": Staircase(), "cosine": Cosine(0.05, 0.05)}
    assert named == SCHEDULES
