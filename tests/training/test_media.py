"""The media, by how they look."""

import numpy as np
import pytest
import torch

from training import media


@pytest.fixture(scope="module")
def disc():
    """A red disc on nothing, premultiplied, four times."""
    y, x = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
    alpha = ((22 - (x**2 + y**2).sqrt()) * 2).clamp(0, 1)
    return torch.stack([alpha * c for c in (0.9, 0.1, 0.1)] + [alpha]).expand(4, -1, -1, -1).contiguous()


def made(name, pictures, seed=0):
    return media.MEDIA[name][0](pictures, np.random.default_rng(seed))


@pytest.mark.parametrize("name", media.MEDIA)
def test_every_medium_gives_pictures_and_leaves_what_it_was_given(name, disc):
    before = disc.clone()
    views = made(name, disc)
    assert views.shape == (4, 3, 64, 64)
    assert torch.isfinite(views).all()
    assert views.min() >= 0
    assert views.max() <= 1
    assert torch.equal(disc, before)
    assert torch.equal(views, made(name, disc)), "the seed gives the same"


@pytest.mark.parametrize("name", media.MEDIA)
def test_the_thing_can_be_told_from_what_is_around_it(name, disc):
    views = made(name, disc)
    inside, edge = views[..., 6:58, 28:36], views[..., :3, :]
    assert (inside.mean((2, 3)) - edge.mean((2, 3))).abs().max() > 0.05


@pytest.mark.parametrize("name", sorted(media.COLORLESS))
def test_colorless_media_have_no_hue(name, disc):
    views = made(name, disc)[:, :, 12:52, 12:52]
    assert (views.amax(1) - views.amin(1)).mean() < 0.12


@pytest.mark.parametrize("name", ["watercolor", "crayon", "pixels", "flat"])
def test_other_media_keep_the_color(name, disc):
    middle = made(name, disc)[:, :, 20:44, 20:44].mean((2, 3))
    assert (middle[:, 0] > middle[:, 1] + 0.1).all()


def test_neon_shines_in_the_dark(disc):
    views = made("neon", disc)
    assert views[..., :4, :4].mean() < 0.2
    assert views[..., 31, 8:12].amax() > 0.7
    assert views[..., 28:36, 28:36].mean() < views[..., 31, 8:12].amax()


def test_pixel_art_has_sixteen_even_squares_across(disc):
    squares = made("pixels", disc).unfold(2, 4, 4).unfold(3, 4, 4).flatten(4)
    assert (squares.amax(-1) - squares.amin(-1)).max() == 0


def test_an_outline_is_empty_inside(disc):
    views = made("outline", disc)
    assert views[..., 26:38, 26:38].min() > 0.95
    assert views[..., 31, 7:13].min() < 0.2
