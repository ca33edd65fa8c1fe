import math
from itertools import pairwise

import pytest

from clipdraw.optimization.schedules import SCHEDULES, Constant, Cosine, Staircase


def test_a_constant_stays():
    assert [Constant(0.3)(p) for p in (0.0, 0.5, 0.999)] == [0.3, 0.3, 0.3]


def test_the_published_staircase():
    assert [Staircase()(p) for p in (0, 0.499, 0.5, 0.749, 0.75, 0.999)] == [1.0, 1.0, 0.4, 0.4, 0.1, 0.1]


def test_a_staircase_needs_as_many_starts_as_values():
    with pytest.raises(ValueError, match="longer"):
        Staircase((0.0,), (1.0, 0.5))(0.0)


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
