"""Laws for outlines that run along the borders of pixels, and through their centers, as in icons."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.raster import rasterize

SIZE = 20
BLACK = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
HALVES = st.integers(14, 26).map(lambda n: n / 2)
CORNERS = st.lists(st.tuples(HALVES, HALVES), min_size=3, max_size=5)
STYLES = st.one_of(
    st.sampled_from([{"fill": "nonzero", "stroked": False}, {"fill": "evenodd", "stroked": False}]),
    st.sampled_from(["round", "bevel", "miter"]).map(lambda join: {"join": join}),
)


def polygon(corners, *, width=2.0, **style):
    """A drawing of one closed path."""
    first = torch.tensor(corners, dtype=torch.float32)
    step = (first.roll(-1, 0) - first) / 3
    points = torch.stack((first, first + step, first + 2 * step), dim=1).reshape(-1, 2)
    paint = torch.tensor([width]), BLACK
    return Drawing(
        points, *paint, (len(first),), Canvas(SIZE, SIZE), styles=(Style(closed=(True,), **style),), fills=BLACK
    )


def inner_product(drawing, weights, backend="reference"):
    """Of one channel of its image."""
    return (rasterize(drawing, backend=backend)[0] * weights).sum()


def gradient(drawing, weights, backend):
    """That of the points, for the inner product."""
    precision = torch.float64 if backend == "reference" else torch.float32
    drawing = drawing.to(dtype=precision).detached()
    drawing.points.requires_grad_()
    inner_product(drawing, weights.to(precision), backend).backward()
    return drawing.points.grad


SHAPES = CORNERS, STYLES, st.sampled_from([1.0, 2.0, 3.0])
"""Even miters, which reach 4 half widths, stay within the image."""


def assert_moving_it_changes_nothing(corners, style, width, backend):
    found = gradient(polygon(corners, width=width, **style), torch.ones(SIZE, SIZE), backend)
    torch.testing.assert_close(found.sum(0), torch.zeros_like(found[0]), atol=1e-4, rtol=0)


def assert_images_agree(corners, style, width):
    drawing = polygon(corners, width=width, **style)
    exact = rasterize(drawing.to(dtype=torch.float64), backend="reference")
    torch.testing.assert_close(rasterize(drawing, backend="native").double(), exact, atol=1e-5, rtol=0)


@pytest.mark.parametrize("backend", ["native", "reference"])
@settings(max_examples=60, deadline=None)
@given(*SHAPES)
def test_moving_all_of_a_shape_changes_nothing_of_the_sum(backend, corners, style, width):
    assert_moving_it_changes_nothing(corners, style, width, backend)


@settings(max_examples=60, deadline=None)
@given(*SHAPES)
def test_both_rasterizers_paint_the_same(corners, style, width):
    assert_images_agree(corners, style, width)


def test_an_edge_nearly_along_a_border_of_pixels_is_lost_nowhere():
    """Here the miter's is one rounding off it: places within it lie in the column that it ends in, its cuts before."""
    shape = [(7.0, 5.0), (7.0, 5.5), (9.0, 7.5)], {"join": "miter"}, 2.0
    assert_images_agree(*shape)
    assert_moving_it_changes_nothing(*shape, "reference")


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("rule", ["nonzero", "evenodd"])
@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize("corner", [3.0, 3.5])
def test_sides_of_a_square_move_what_is_beside_them(backend, rule, turn, corner):
    """The gradient of each side is between what it is on its two sides, which differ where it is a border."""
    low, high, step = corner, corner + 8, 2**-6
    drawing = polygon([(low, low), (high, low), (high, high), (low, high)][::turn], fill=rule, stroked=False)
    weights = torch.rand(SIZE, SIZE, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found, exact = gradient(drawing, weights, backend), drawing.to(dtype=torch.float64)
    here = inner_product(exact, weights)
    for axis in (0, 1):
        for side in (low, high):
            mine = exact.points[:, axis] == side
            away = torch.zeros_like(exact.points)
            away[mine, axis] = step
            before, after = (
                (inner_product(replace(exact, points=exact.points + sign * away), weights) - here) / (sign * step)
                for sign in (-1, 1)
            )
            total = found[mine, axis].sum().item()
            assert min(before, after) - 1e-3 <= total <= max(before, after) + 1e-3
