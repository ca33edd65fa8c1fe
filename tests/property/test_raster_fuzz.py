"""A few of the fuzzer's drawings; `make fuzz` has 100,000."""

import pytest

from benchmarks.fuzz import faults
from benchmarks.fuzz_drawings import GROUP, random_case

WENT_WRONG = (136, 692, 886, 1272, 3972, 5821, 6449, 7060, 7620, 8003, 8259, 10225, 11588, 12115, 15454, 15637,
              16006, 16546, 18911, 19786, 26208, 36715, 43054, 44124, 54467, 65979)  # fmt: skip


@pytest.mark.parametrize("group", range(8))
def test_random_drawings(group):
    found = [fault for fault in faults(range(group * GROUP, (group + 1) * GROUP)) if fault[1]]
    assert not found


@pytest.mark.parametrize("seed", WENT_WRONG)
def test_drawings_that_once_went_wrong(seed):
    assert [what for _, what in faults(range(seed, seed + 1)) if what] == []


def test_a_seed_names_a_drawing():
    one, two = random_case(7), random_case(7)
    assert one.drawing.segments == two.drawing.segments
    assert one.drawing.points.equal(two.drawing.points)
