import pytest
import torch

from clipdraw.drawing import Canvas
from clipdraw.errors import InputError
from clipdraw.optimization.start import RandomStrokes


def start(seed=0, canvas=None, **settings):
    return RandomStrokes(**settings)(canvas or Canvas(), torch.Generator().manual_seed(seed))


def test_the_published_start():
    drawing = start(strokes=4000)
    assert set(drawing.segments) == {1, 2, 3}
    counts = torch.tensor(drawing.segments)
    assert all(abs((counts == n).float().mean() - 1 / 3) < 0.03 for n in (1, 2, 3))
    assert torch.equal(drawing.widths, torch.full((4000,), 2.0))
    assert abs(drawing.colors.mean(0) - 0.5).max() < 0.02
    first = torch.stack([p[0] for p in drawing.stroke_points()])
    assert first.min() >= 0
    assert first.max() <= 224
    steps = torch.cat([p.diff(dim=0) for p in drawing.stroke_points()])
    assert steps.abs().max() <= 11.2001
    assert steps.abs().mean() == pytest.approx(5.6, rel=0.02)
    outside = ((drawing.points < 0) | (drawing.points > 224)).any(1).float().mean()
    assert 0.04 < outside < 0.11  # 7.7 % in the published code


def test_only_the_generator_decides():
    torch.manual_seed(1)
    first = start(5)
    torch.manual_seed(2)
    torch.rand(100)
    second = start(5)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.colors, start(6).colors)


def test_lengths_scale_with_the_canvas():
    drawing = start(strokes=200, canvas=Canvas(448, 896))
    steps = torch.cat([p.diff(dim=0) for p in drawing.stroke_points()]).abs().amax(0)
    assert 20 < steps[0] <= 22.5
    assert 40 < steps[1] <= 45
    assert drawing.widths[0] == 4.0


def test_opacities_lie_in_their_range():
    assert start(opacity=(0.6, 0.9)).colors[:, 3].min() >= 0.6


@pytest.mark.parametrize("bad", [{"strokes": 0}, {"segments": (2, 1)}, {"segments": (0, 1)}, {"opacity": (0.5, 1.2)}])
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(InputError):
        RandomStrokes(**bad)


def test_strokes_may_begin_about_the_middle():
    first = torch.stack([p[0] for p in start(strokes=500, spread=0.5).stroke_points()])
    assert first.min() >= 56
    assert first.max() <= 168
