"""Both backends' gradients against differences of independent pictures: some kinds of paths, in some directions.

`python -m benchmarks.raster_gradients` has all, and what the samples' own uncertainty is.
"""

import pytest

from benchmarks.raster_gradients import SCENES, compare, repeatable

POINTS, REST = 0.03, 0.02
"""Most relative errors that are allowed, of points and of the rest."""
NAMES = (
    "fill, even-odd",
    "fill, transformed",
    "fill, radial gradient",
    "fill and stroke, faded together",
    "stroke, square",
    "stroke, thin",
    "stroke, transformed",
    "stroke, closed, miter",
    "wide, strongly curved, round",
    "wide, strongly curved, butt",
    "hairpin, bevel",
    "hairpin, miter",
)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_the_sampled_picture(name):
    assert repeatable(SCENES[name])
    for parameter, errors in compare(SCENES[name], most=2).items():
        allowed = POINTS if parameter == "points" else REST
        assert max(errors.values()) <= allowed, f"{parameter}: {errors}"
