"""A picture becomes a few closed shapes."""

import pytest
import torch

from clipdraw.drawing import Canvas
from clipdraw.errors import InputError
from clipdraw.optimization.tracing import Tracing, _best_square
from clipdraw.raster import rasterize

SIDE = 32


def two_patches():
    """A blue picture with a red square and a smaller yellow one."""
    picture = torch.tensor([0.1, 0.2, 0.8])[:, None, None].repeat(1, SIDE, SIDE)
    picture[:, 4:18, 4:18] = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    picture[:, 22:28, 20:26] = torch.tensor([0.9, 0.9, 0.1])[:, None, None]
    return picture


def error(drawing, picture):
    return (rasterize(drawing, height=SIDE, width=SIDE) - picture).square().mean().item()


def test_two_patches_are_two_opaque_shapes_over_the_color_of_the_border():
    picture = two_patches()
    drawing = Tracing(shapes=2, steps=40, size=SIDE)(picture)
    assert len(drawing) == 2
    assert all(style.closed == (True,) and style.fill and not style.stroked for style in drawing.styles)
    assert drawing.fills[:, 3].tolist() == [1, 1]
    torch.testing.assert_close(drawing.background, picture[:, 0, 0], atol=0.03, rtol=0)
    torch.testing.assert_close(drawing.fills[0, :3], picture[:, 10, 10], atol=0.06, rtol=0)
    torch.testing.assert_close(drawing.fills[1, :3], picture[:, 24, 22], atol=0.06, rtol=0)
    assert error(drawing, picture) < 0.003


def test_more_shapes_and_more_steps_come_nearer():
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(1, 3, 5, 5, generator=generator)
    picture = torch.nn.functional.interpolate(noise, size=(SIDE, SIDE), mode="bicubic")[0].clamp(0, 1)
    few, many = (error(Tracing(n, 20, SIDE)(picture), picture) for n in (2, 12))
    assert many < 0.6 * few
    assert error(Tracing(8, 20, SIDE)(picture), picture) < 0.8 * error(Tracing(8, 0, SIDE)(picture), picture)


def test_the_best_square_is_where_one_color_removes_most_error():
    picture = two_patches()
    image = picture[:, :1, :1].repeat(1, SIDE, SIDE)
    row, column, radius, color = _best_square(picture, image)
    assert abs(row - 11) <= 1
    assert abs(column - 11) <= 1
    assert 5 <= radius <= 8
    torch.testing.assert_close(color, picture[:, 10, 10], atol=0.15, rtol=0)


def test_a_picture_keeps_its_proportions_on_any_canvas():
    wide = torch.rand(3, 20, 40, generator=torch.Generator().manual_seed(1))
    assert Tracing(2, 1, 16)(wide).canvas == Canvas(40, 20)
    assert Tracing(2, 1, 16)(wide, Canvas(224, 112)).points.max() > 60


@pytest.mark.parametrize("given", [{"shapes": 0}, {"steps": -1}, {"size": 4}, {"shapes": 10**6}])
def test_values_out_of_range_are_refused(given):
    with pytest.raises(InputError, match=next(iter(given))):
        Tracing(**given)
