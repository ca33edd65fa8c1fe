"""Arrangements that give strokes a look: mosaics, glow and bristles."""

import pytest
import torch

from clipdraw.drawing import Canvas
from clipdraw.errors import InputError
from clipdraw.optimization.arrangement import Bristles, Glow, Mosaic
from clipdraw.optimization.shapes import RandomShapes
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize


def strokes(count=3):
    return RandomStrokes(count, segments=(1, 2), width=8.0, opacity=(0.4, 0.8))(
        Canvas(), torch.Generator().manual_seed(2)
    )


def test_a_mosaic_shows_the_color_of_each_path_in_its_own_square():
    shapes = RandomShapes(6, opacity=(1.0, 1.0))(Canvas(30, 20), torch.Generator().manual_seed(0))
    image = rasterize(Mosaic(3)(shapes), height=2, width=3)
    torch.testing.assert_close(image.flatten(1).T, shapes.fills[:, :3], atol=1e-5, rtol=0)


def test_glow_is_below_all_strokes_wider_and_fainter():
    drawing, glow = strokes(), Glow(0.5)
    shown = glow(drawing)
    assert len(shown) == glow.copies * 3
    assert torch.equal(shown.colors[-3:], drawing.colors)
    assert torch.equal(shown.points[-len(drawing.points) :], drawing.points)
    assert (shown.widths[:-3] > drawing.widths.max()).all()
    assert (shown.colors[:-3, 3] <= 0.5 * drawing.colors[:, 3].max()).all()


def test_bristles_lie_within_the_width_of_their_stroke_and_leave_paper_between():
    drawing = strokes()
    shown = Bristles(5)(drawing)
    assert len(shown) == 15
    assert torch.equal(shown.colors[::5], drawing.colors)
    for path, points in enumerate(shown.stroke_points()):
        away = (points - drawing.stroke_points()[path // 5]).norm(dim=1)
        assert torch.allclose(away, away[:1], atol=1e-4)
        assert away[0] <= drawing.widths[path // 5] / 2
    assert (shown.widths * 5 <= 2 * drawing.widths.repeat_interleave(5)).all()


def test_gradients_reach_what_is_moved():
    drawing = strokes().detached()
    for tensor in drawing.parameters():
        tensor.requires_grad_()
    rasterize(Glow(0.5)(Bristles(3)(drawing)), height=32, width=32).sum().backward()
    assert all(tensor.grad.abs().sum() > 0 for tensor in drawing.parameters())


@pytest.mark.parametrize("make", [lambda: Mosaic(0), lambda: Glow(0.0), lambda: Glow(1.5), lambda: Bristles(1)])
def test_values_out_of_range_are_refused(make):
    with pytest.raises(InputError):
        make()
