"""A drawing is asked to be like a picture."""

import pytest
import torch

from clipdraw.encoders import layers_of, load_encoder
from clipdraw.errors import InputError
from clipdraw.optimization.likeness import Likeness, Style
from clipdraw.optimization.loop import Optimization
from clipdraw.optimization.parameterization import Pixels
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.views import Views
from tests import tiny_clip

SIDE = 64


@pytest.fixture(scope="module")
def builtin():
    return load_encoder("builtin")


def disk(x, color):
    axis = torch.arange(SIDE) + 0.5
    inside = (axis[None] - x).square() + (axis[:, None] - 32).square() < 14**2
    return torch.where(inside, torch.tensor(color)[:, None, None], 1.0)


def stripes(dim):
    wave = (torch.arange(SIDE) // 4 % 2).float().expand(SIDE, SIDE)
    return (wave if dim else wave.T).expand(3, SIDE, SIDE).clone()


def value(loss, image, encoder):
    """The loss of an image before the first step."""
    run = Optimization(Pixels(image), [loss], encoder=encoder, recipe=Recipe(steps=1, views=Views(2)))
    return loss.build(encoder)(run.frame()).item() / 2


def test_a_picture_is_like_itself_and_less_like_the_same_thing_elsewhere(builtin):
    picture, elsewhere, other = disk(22, [0.9, 0.1, 0.1]), disk(42, [0.9, 0.1, 0.1]), stripes(0)
    for loss in (Likeness(picture), Likeness(picture, weight=0), Likeness(picture, places=0)):
        itself, moved, different = (value(loss, image, builtin) for image in (picture, elsewhere, other))
        assert itself < 0.01
        assert itself < moved < different
    assert value(Likeness(picture, weight=0), elsewhere, builtin) > 0.1


def test_style_does_not_depend_on_the_place_but_on_the_direction_of_stripes(builtin):
    style = Style(stripes(0))
    shifted = stripes(0).roll(3, 1)
    assert value(style, shifted, builtin) < 0.1 * value(style, stripes(1), builtin)


def test_gradients_bring_pixels_nearer_to_the_picture(builtin):
    picture, gray = disk(22, [0.1, 0.5, 0.2]), torch.full((3, SIDE, SIDE), 0.7)
    loss, recipe = Likeness(picture, weight=0, layers=0), Recipe(steps=15, views=Views(2, 0.1, (0.9, 1.0)))
    run = Optimization(Pixels(gray, rate=0.3), [loss], encoder=builtin, recipe=recipe)
    for _ in range(recipe.steps):
        step = run.step()
    assert value(loss, step.subject.image(SIDE).detach(), builtin) < 0.7 * value(loss, gray, builtin)


def test_clip_shows_its_layers_as_maps(tmp_path):
    encoder = load_encoder(str(tiny_clip.save(tmp_path)))
    maps = layers_of(encoder, torch.rand(2, 3, encoder.view_size, encoder.view_size))
    assert len(maps) >= 2
    assert all(each.ndim == 4 and each.shape[0] == 2 and each.shape[2] == each.shape[3] for each in maps)


def test_an_encoder_without_layers_is_named(builtin, monkeypatch):
    monkeypatch.delattr(type(builtin), "layers")
    with pytest.raises(InputError, match="builtin does not show its layers"):
        layers_of(builtin, torch.zeros(1, 3, SIDE, SIDE))


@pytest.mark.parametrize("wrong", [{"weight": -1.0}, {"places": -0.1}, {"layers": 1.0}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match="likeness"):
        Likeness(disk(20, [0.0, 0.0, 0.0]), **wrong)
    with pytest.raises(InputError, match="strength"):
        Style(disk(20, [0.0, 0.0, 0.0]), strength=0.0)
