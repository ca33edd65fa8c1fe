"""A drawing starts from the picture that the built-in encoder's prior has of its prompt."""

import pytest
import torch

from clipdraw.config import resolve
from clipdraw.drawing import Canvas
from clipdraw.encoders import load_encoder
from clipdraw.framing import letterbox
from clipdraw.optimization.constraints import ColorRange, WidthRange
from clipdraw.optimization.prior_picture import PriorPicture
from clipdraw.optimization.start import PriorStrokes, RandomStrokes
from clipdraw.raster import rasterize


@pytest.fixture(scope="module")
def builtin():
    return load_encoder("builtin")


def test_the_start_paints_the_priors_picture(builtin):
    strokes = RandomStrokes(48, width=7.0, opacity=(0.1, 0.3))
    start = PriorStrokes(strokes, PriorPicture.of("a red heart"), builtin, constraints=(WidthRange(), ColorRange()))
    drawing = start(Canvas(), torch.Generator().manual_seed(0))
    picture = letterbox(builtin.prior.sample("a red heart")[0], 64, 64)
    off = (rasterize(drawing, height=64, width=64) - picture).abs().mean()
    assert off < 0.08
    assert (1 - picture).abs().mean() > 3 * off
    assert drawing.widths.min() >= 2
    assert drawing.colors.min() >= 0
    assert drawing.colors.max() <= 1
    assert not any(p.requires_grad for p in drawing.parameters())


def test_presets_say_whether_to_use_the_prior(builtin):
    problem = resolve("a cat", {"seed": 2, "strokes": 3}).build(builtin)
    assert "prior" in [loss.name for loss in problem.losses]
    plain = resolve("a cat", {"preset": "paper", "strokes": 3}).build(builtin)
    assert [loss.name for loss in plain.losses] == ["a cat"]
    assert plain.start.widths.tolist() == [2.0] * 3
