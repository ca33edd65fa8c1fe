"""Both backends' gradients against finite differences of an independent, supersampled picture."""

from functools import cache

import pytest
import torch

from tests.raster_scenes import Supersampled, gradients, line, relative_error, smooth_weights, stroke, together

CANVAS = (64.0, 64.0)


def three_strokes(scale=1.0):
    return together(
        stroke(
            (9.3, 14.2),
            (31.5, 6.1),
            (22.2, 45.4),
            (52.1, 38.7),
            canvas=CANVAS,
            width=5.0 * scale,
            color=(0.8, 0.2, 0.1, 0.9),
        ),
        stroke(
            (12.4, 52.3),
            (20.1, 30.2),
            (30.5, 33.1),
            (34.2, 21.6),
            (38.1, 9.3),
            (47.2, 8.2),
            (54.6, 14.9),
            canvas=CANVAS,
            width=3.0 * scale,
            color=(0.1, 0.4, 0.9, 0.6),
        ),
        line((20.3, 10.2), (43.6, 55.8), canvas=CANVAS, width=8.0 * scale, color=(0.2, 0.7, 0.3, 0.5)),
    )


@cache
def differences(scale):
    """The step: from 0.02 to 0.1 units the points' gradients change by at most 1.5 %, the widths' by 0.1 %."""
    weights = smooth_weights(64, 64).double()
    return Supersampled(three_strokes(scale)).gradients(weights, step=0.05)


@pytest.mark.parametrize("backend", ["reference", "numba"])
@pytest.mark.parametrize(("scale", "bounds"), [(1.0, (0.05, 0.02, 0.01)), (0.4, (0.12, 0.02, 0.01))])
def test_gradients_are_those_of_the_supersampled_picture(backend, scale, bounds):
    _, found = gradients(three_strokes(scale), backend=backend)
    errors = [relative_error(one, two) for one, two in zip(found, differences(scale), strict=False)]
    alpha = relative_error(found[2][:, 3], differences(scale)[2][:, 3])
    print(f"{backend} x{scale}: points {errors[0]:.4f} widths {errors[1]:.4f} colors {errors[2]:.4f} {alpha:.4f}")
    assert all(error <= bound for error, bound in zip((*errors, alpha), (*bounds, bounds[2]), strict=True)), errors


def test_values_are_those_of_the_supersampled_picture():
    image, _ = gradients(three_strokes())
    off = (image - Supersampled(three_strokes()).image().double()).abs()
    assert off.mean() < 0.0005
    assert torch.nn.functional.avg_pool2d(off, 3, 1).max() < 0.03
