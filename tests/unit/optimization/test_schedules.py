from itertools import pairwise

import pytest

from clipdraw.optimization.schedules import Cosine, Staircase


def test_the_published_staircase():
    assert [Staircase()(p) for p in (0, 0.499, 0.5, 0.749, 0.75, 0.999)] == [1.0, 1.0, 0.4, 0.4, 0.1, 0.1]


def test_a_cosine_rises_then_falls_to_its_end():
    schedule = Cosine(warmup=0.1, end=0.05)
    values = [schedule(p / 100) for p in range(100)]
    assert values[0] < values[5] < values[10]
    assert values[10] == pytest.approx(1.0)
    assert all(a >= b for a, b in pairwise(values[10:]))
    assert values[-1] == pytest.approx(0.05, abs=0.01)
