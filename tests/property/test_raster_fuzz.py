"""A few of the fuzzer's drawings; `make fuzz` has 100,000."""

import pytest

from benchmarks.fuzz import faults
from benchmarks.fuzz_drawings import random_case


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_random_drawings(first):
    found = {seed: list(faults(random_case(seed))) for seed in range(first, first + 10)}
    assert not any(found.values()), found


def test_a_seed_names_a_drawing():
    one, two = random_case(7), random_case(7)
    assert one.drawing.segments == two.drawing.segments
    assert one.drawing.points.equal(two.drawing.points)
