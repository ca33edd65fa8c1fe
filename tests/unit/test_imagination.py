"""What the built-in encoder imagines, and drawings that start from it."""

import math

import pytest
import torch

from clipdraw.config import resolve
from clipdraw.drawing import Canvas
from clipdraw.encoders import Imagines, load_encoder
from clipdraw.encoders.builtin.readings import other_number, readings
from clipdraw.errors import InputError
from clipdraw.evaluate.score import score
from clipdraw.framing import framed, picked, squared
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


def test_pictures_come_best_first_and_look_like_the_text(builtin):
    assert isinstance(builtin, Imagines)
    pictures = builtin.imagine("a red heart")
    assert pictures.shape[1:] == (3, 32, 32)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    scores = [score(framed(p, 64, 64), ["a red heart"], builtin)[0] for p in pictures]
    assert scores == sorted(scores, reverse=True)
    red, green, blue = pictures[0].mean((1, 2))
    assert red > green + 0.2
    assert red > blue + 0.2


def test_what_is_imagined_is_kept(builtin):
    assert builtin.imagine("a Sailboat") is builtin.imagine("a Sailboat")


def test_the_start_paints_what_is_imagined(builtin):
    drawing = start(builtin)
    picture = framed(builtin.imagine("a red heart")[0], 64, 64)
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


def test_an_encoder_that_does_not_imagine_starts_at_random(encoder):
    strokes = RandomStrokes(5)
    drawing = PriorStrokes(strokes, "a heart", encoder)(Canvas(), torch.Generator().manual_seed(0))
    assert torch.equal(drawing.points, strokes(Canvas(), torch.Generator().manual_seed(0)).points)


class Painter(TinyEncoder):
    """Imagines black squares."""

    def imagine(self, text):
        return torch.zeros(1, 3, 8, 8)


def frame(drawing, image, progress):
    return Frame(drawing, image, torch.ones(4, 2), progress)


def test_a_likeness_fades_and_is_zero_for_the_picture_itself(drawing):
    term = Prior("a square", weight=2.0, until=0.5).build(Painter())
    white, same = torch.ones(3, 20, 30), framed(torch.zeros(3, 8, 8), 20, 30)
    assert term(frame(drawing, same, 0.0)) == 0
    ink = (1 - same).mean()
    assert term(frame(drawing, white, 0.0)) == pytest.approx(2 * 4 * ink.item())
    assert term(frame(drawing, white, 0.25)) == pytest.approx(4 * ink.item())
    assert term(frame(drawing, white, 0.5)) == 0


def test_a_likeness_without_imagination_has_no_say(encoder, drawing):
    assert Prior("a cat").build(encoder)(frame(drawing, torch.ones(3, 4, 4), 0.0)) == 0


@pytest.mark.parametrize("settings", [{"weight": 0.0}, {"weight": math.inf}, {"until": 0.0}, {"until": 1.5}])
def test_a_likeness_needs_a_weight_and_an_end(settings):
    with pytest.raises(InputError):
        Prior("a cat", **settings)


def test_presets_say_whether_to_use_the_prior(builtin):
    problem = resolve("a cat", {"seed": 2, "strokes": 3}).build(builtin)
    assert "prior" in [loss.name for loss in problem.losses]
    plain = resolve("a cat", {"preset": "paper", "strokes": 3}).build(builtin)
    assert [loss.name for loss in plain.losses] == ["a cat"]
    assert plain.start.widths.tolist() == [2.0] * 3


def test_pictures_on_white():
    square = squared(torch.zeros(3, 2, 6))
    assert square.shape == (3, 6, 6)
    assert (square[:, :2] == 1).all()
    assert (square[:, 2:4] == 0).all()
    inside = framed(torch.zeros(3, 5, 5), 100, 200)
    assert inside.shape == (3, 100, 200)
    assert (inside[:, 10:90, 60:140] == 0).all()
    assert (inside[:, :7] == 1).all()
    assert (inside[:, :, :57] == 1).all()


def test_other_seeds_begin_with_other_pictures_or_mirrored_ones():
    pictures = torch.rand(2, 3, 4, 4)
    assert torch.equal(picked(pictures, 1), pictures[1])
    assert torch.equal(picked(pictures, 2), pictures[0].flip(2))
    assert torch.equal(picked(pictures, 5), pictures[1])


def test_a_text_is_read_as_a_whole_and_by_its_names():
    assert readings("a slice of ripe melon") == ["slice of ripe melon", "slice", "ripe melon", "melon"]
    assert readings(" The Sun ") == ["Sun"]
    assert readings("Watercolor painting of an underwater submarine") == ["underwater submarine", "submarine"]
    assert readings("a realistic oil painting of a sailboat") == ["sailboat"]
    assert readings("picture frame") == ["picture frame", "frame"]


@pytest.mark.parametrize(
    ("singular", "plural"),
    [("cherry", "cherries"), ("fox", "foxes"), ("key", "keys"), ("witch", "witches"), ("dog", "dogs")],
)
def test_a_name_is_known_in_its_other_number(singular, plural):
    assert other_number(singular) == plural
    assert other_number(plural) == singular


def test_what_is_imagined_for_a_longer_text_shows_the_thing_in_it(builtin):
    picture = builtin.imagine("a very sharp and pointed umbrella")[0]
    texts = ["an umbrella", "a fish", "a house", "a bicycle", "a heart"]
    scores = score(framed(picture, 64, 64), texts, builtin)
    assert max(scores) == scores[0]
