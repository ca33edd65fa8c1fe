"""Drawings that start from pictures of the encoder's prior, and the loss that keeps them near."""

import math

import pytest
import torch

from clipdraw.config import resolve
from clipdraw.drawing import Canvas
from clipdraw.encoders import load_encoder
from clipdraw.errors import InputError
from clipdraw.framing import letterbox
from clipdraw.optimization.constraints import ColorRange, WidthRange
from clipdraw.optimization.losses import Frame, Prior
from clipdraw.optimization.start import PriorStrokes, RandomStrokes
from clipdraw.raster import rasterize
from tests.conftest import TinyEncoder


@pytest.fixture(scope="module")
def builtin():
    return load_encoder("builtin")


def start(encoder, *, seed=0, canvas=None, **settings):
    strokes = RandomStrokes(48, width=7.0, opacity=(0.1, 0.3))
    make = PriorStrokes(strokes, "a red heart", encoder, constraints=(WidthRange(), ColorRange()), **settings)
    return make(canvas or Canvas(), torch.Generator().manual_seed(seed))


def test_the_start_paints_the_priors_picture(builtin):
    drawing = start(builtin)
    picture = letterbox(builtin.prior.sample("a red heart")[0], 64, 64)
    off = (rasterize(drawing, height=64, width=64) - picture).abs().mean()
    assert off < 0.08
    assert (1 - picture).abs().mean() > 3 * off
    assert drawing.widths.min() >= 2
    assert drawing.colors.min() >= 0
    assert drawing.colors.max() <= 1
    assert not any(p.requires_grad for p in drawing.parameters())


def test_only_the_generator_and_the_choice_decide(builtin):
    first, second = start(builtin, seed=3), start(builtin, seed=3)
    assert torch.equal(first.points, second.points)
    assert not torch.equal(first.points, start(builtin, seed=4).points)


def test_on_a_wide_canvas_it_is_in_the_middle(builtin):
    drawing = start(builtin, canvas=Canvas(480, 160))
    middle = drawing.points.mean(0)
    assert abs(middle[0] - 240) < 30
    ink = (1 - rasterize(drawing)).amax(0).sum(0)  # by column
    assert ink[130:350].sum() > 0.95 * ink.sum()


def test_with_an_encoder_that_has_no_prior_it_starts_at_random(encoder):
    strokes = RandomStrokes(5)
    drawing = PriorStrokes(strokes, "a heart", encoder)(Canvas(), torch.Generator().manual_seed(0))
    assert torch.equal(drawing.points, strokes(Canvas(), torch.Generator().manual_seed(0)).points)


class Painter(TinyEncoder):
    """An encoder that thinks of black squares."""

    @property
    def prior(self):
        return self

    def sample(self, text):
        return torch.zeros(1, 3, 8, 8)


def frame(drawing, image, progress):
    return Frame(drawing, image, torch.ones(4, 2), progress)


def test_the_prior_fades_and_is_zero_for_the_picture_itself(drawing):
    term = Prior("a square", weight=2.0, until=0.5).build(Painter())
    white, same = torch.ones(3, 20, 30), letterbox(torch.zeros(3, 8, 8), 20, 30)
    assert term(frame(drawing, same, 0.0)) == 0
    ink = (1 - same).mean()
    assert term(frame(drawing, white, 0.0)) == pytest.approx(2 * 4 * ink.item())
    assert term(frame(drawing, white, 0.25)) == pytest.approx(4 * ink.item())
    assert term(frame(drawing, white, 0.5)) == 0


def test_without_a_prior_the_loss_is_zero(encoder, drawing):
    assert Prior("a cat").build(encoder)(frame(drawing, torch.ones(3, 4, 4), 0.0)) == 0


@pytest.mark.parametrize("settings", [{"weight": 0.0}, {"weight": math.inf}, {"until": 0.0}, {"until": 1.5}])
def test_the_prior_needs_a_weight_and_an_end(settings):
    with pytest.raises(InputError):
        Prior("a cat", **settings)


def test_presets_say_whether_to_use_the_prior(builtin):
    problem = resolve("a cat", {"seed": 2, "strokes": 3}).build(builtin)
    assert "prior" in [loss.name for loss in problem.losses]
    plain = resolve("a cat", {"preset": "paper", "strokes": 3}).build(builtin)
    assert [loss.name for loss in plain.losses] == ["a cat"]
    assert plain.start.widths.tolist() == [2.0] * 3
