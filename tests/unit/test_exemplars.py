"""Exemplars, and the colors that texts give them."""

import pytest
import torch
from torch.nn import functional

from clipdraw.encoders import load_encoder
from clipdraw.encoders.builtin.exemplars import Exemplars
from clipdraw.encoders.builtin.tint import agreement, colors_in, deepened, tinted
from clipdraw.evaluate.score import score
from clipdraw.framing import framed


def some(count=5, width=8, axes=4, components=320):
    generator = torch.Generator().manual_seed(0)
    names = functional.normalize(torch.randn(count, axes, generator=generator), dim=1)
    coordinates = torch.randn(count, components, generator=generator)
    worth = torch.arange(count) / 8
    return Exemplars(torch.eye(width)[:axes], names, coordinates, worth), names, coordinates


def test_the_pictures_of_the_nearest_names_are_found():
    exemplars, names, coordinates = some()
    readings = functional.pad(names[[3, 1]], (0, 4))
    found, cosines, worth = exemplars.near(readings, 1)
    assert torch.equal(found, coordinates[[1, 3]])
    assert worth.tolist() == [1 / 8, 3 / 8]
    assert cosines.tolist() == pytest.approx([(names[1] @ names[3]).item(), 1.0], abs=1e-6)
    assert len(exemplars.near(readings, 100)[0]) == len(exemplars)
    assert exemplars.near(readings, 1, whole=2)[1].tolist() == pytest.approx([1.0, 1.0], abs=1e-6)


def test_what_is_stored_comes_back_nearly_the_same():
    exemplars, names, coordinates = some()
    again = Exemplars.from_tensors(exemplars.stored())
    found, cosines, worth = again.near(functional.pad(names[:1], (0, 4)), 5)
    assert torch.equal(worth, torch.arange(5) / 8)
    assert (found - coordinates).abs().max() < 0.1 * coordinates.abs().max()
    assert torch.allclose(cosines, names @ names[0], atol=0.01)


def test_a_color_is_a_word_and_not_a_part_of_one():
    assert list(colors_in("a scared cat, hundreds of oranges")) == []
    (red,) = colors_in("A Red bus")
    assert red[0] > red[1]
    assert len(list(colors_in("a red and blue flag"))) == 2


def test_a_tint_leaves_white_and_keeps_what_is_lighter():
    picture = torch.ones(1, 3, 2, 2)
    picture[0, :, 0, 0], picture[0, :, 0, 1] = 0.1, 0.4
    painted = tinted(picture, (0.9, 0.2, 0.2))[0]
    assert torch.equal(painted[:, 1], torch.ones(3, 2))
    assert (painted[0, 0] > painted[1, 0] + 0.2).all()
    assert painted[0, 0, 1] > painted[0, 0, 0]
    assert tinted(torch.ones(1, 3, 2, 2), (0.1, 0.1, 0.1)).min() == 1


def test_how_far_hues_agree_with_a_color():
    pictures = torch.ones(5, 3, 2, 2)
    for picture, color in zip(
        pictures, [(0.9, 0.1, 0.1), (0.5, 0.2, 0.2), (0.1, 0.9, 0.9), (0.3, 0.3, 0.3)], strict=False
    ):
        picture[:, 0] = torch.tensor(color)[:, None]
    assert agreement(pictures, (0.9, 0.15, 0.15)).tolist() == pytest.approx([1, 1, -1, 1, 1], abs=1e-5)
    assert agreement(pictures, (0.5, 0.5, 0.5)).tolist() == [1] * 5


def test_only_what_is_pale_is_deepened():
    pale, deep = torch.ones(3, 4, 4), torch.ones(3, 4, 4)
    pale[:, 1:3, 1:3], deep[:, 1:3, 1:3] = 0.85, 0.3
    first, second = deepened(torch.stack([pale, deep]))
    assert first[0, 1, 1] == pytest.approx(0.6, abs=1e-5)
    assert first[0, 0, 0] == 1
    assert torch.equal(second, deep)
    assert deepened(torch.ones(1, 3, 4, 4)).min() == 1


@pytest.fixture(scope="module")
def builtin():
    return load_encoder("builtin")


def test_well_known_things_look_like_themselves(builtin):
    texts = ["a swan", "a giraffe", "a castle", "a watermelon", "a panda", "a violin"]
    first = [text for text in texts if _best(builtin, builtin.imagine(text)[0], texts) == text]
    assert first == texts


def test_a_named_color_is_seen(builtin):
    red, green, blue = builtin.imagine("an orange fish")[0].mean((1, 2))
    assert red > green > blue  # the fish that it knows is blue
    red, green, blue = builtin.imagine("a purple butterfly")[0].mean((1, 2))
    assert green < min(red, blue)


def _best(encoder, picture, texts):
    scores = score(framed(picture, 64, 64), texts, encoder)
    return texts[scores.index(max(scores))]
