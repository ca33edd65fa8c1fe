"""The prior of pictures: exemplars, variants of texts, colors, and what comes out for a text."""

import pytest
import torch
from torch.nn import functional

from clipdraw.encoders import load_encoder
from clipdraw.encoders.builtin.prior import (
    BuiltinPrior,
    Exemplars,
    PictureNetwork,
    deepen,
    hue_agreement,
    named_colors,
    text_variants,
    tint,
    toggle_plural,
)
from clipdraw.evaluate.score import score
from clipdraw.framing import letterbox


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("builtin")


@pytest.fixture(scope="module")
def prior(encoder):
    return encoder.prior


def scores(encoder, picture, texts):
    return score(letterbox(picture, 64, 64), texts, encoder)


def test_pictures_come_best_first_and_look_like_the_text(encoder, prior, caplog):
    with caplog.at_level("INFO", logger="clipdraw"):
        pictures = prior.sample("a Red heart")
    assert caplog.messages == ["sampling pictures of 'a Red heart'"]
    assert prior.sample("a Red heart") is pictures
    assert 1 <= len(pictures) <= 3
    assert pictures.shape[1:] == (3, 32, 32)
    assert 0 <= pictures.min() <= pictures.max() <= 1
    fits = [scores(encoder, picture, ["a Red heart"])[0] for picture in pictures]
    assert fits == sorted(fits, reverse=True)
    red, green, blue = pictures[0].mean((1, 2))
    assert red > green + 0.2
    assert red > blue + 0.2


def test_well_known_things_look_like_themselves(encoder, prior):
    texts = ["a swan", "a giraffe", "a castle", "a watermelon", "a panda", "a violin"]
    for text in texts:
        found = scores(encoder, prior.sample(text)[0], texts)
        assert texts[found.index(max(found))] == text


def test_a_longer_text_shows_the_thing_in_it(encoder, prior):
    texts = ["an umbrella", "a fish", "a house", "a bicycle", "a heart"]
    found = scores(encoder, prior.sample("a very sharp and pointed umbrella")[0], texts)
    assert max(found) == found[0]


def test_a_named_color_is_seen(prior):
    red, green, blue = prior.sample("an orange fish")[0].mean((1, 2))
    assert red > green > blue  # the fish that it knows is blue
    red, green, blue = prior.sample("a purple butterfly")[0].mean((1, 2))
    assert green < min(red, blue)


def test_those_far_from_the_best_are_left_out(encoder):
    """With an encoder that likes the mean brightness, nothing but the brightest pictures is kept."""
    brightness = lambda pictures, text: pictures.mean((1, 2, 3)) * 100  # noqa: E731
    kept = BuiltinPrior(encoder.prior._network, encoder.prior._exemplars, encoder.text_tower.embed, brightness)
    candidates, _ = kept._candidates("a cat")
    pictures = kept.sample("a cat")
    assert pictures[0].mean() == candidates.mean((1, 2, 3)).max()
    assert all(picture.mean() > pictures[0].mean() - 0.01 for picture in pictures)


def test_a_network_gives_pictures_of_the_mean_drawing_where_it_knows_nothing():
    network = PictureNetwork.from_tensors(
        {name: torch.zeros_like(tensor) for name, tensor in PictureNetwork().state_dict().items()}
        | {"mean": torch.full((3 * 32**2,), 0.5)}
    )
    pictures = network.pictures(torch.rand(2, 384))
    assert pictures.shape == (2, 16, 3, 32, 32)
    assert torch.allclose(pictures, torch.tensor(0.5))
    assert not any(parameter.requires_grad for parameter in network.parameters())


def some(count=5, width=8, axes=4, components=320):
    generator = torch.Generator().manual_seed(0)
    names = functional.normalize(torch.randn(count, axes, generator=generator), dim=1)
    coordinates = torch.randn(count, components, generator=generator)
    bonus = torch.arange(count) / 8
    return Exemplars(torch.eye(width)[:axes], names, coordinates, bonus), names, coordinates


def test_the_pictures_of_the_nearest_names_are_found():
    exemplars, names, coordinates = some()
    variants = functional.pad(names[[3, 1]], (0, 4))
    found, cosines, bonus = exemplars.nearest(variants, 1)
    assert torch.equal(found, coordinates[[1, 3]])
    assert bonus.tolist() == [1 / 8, 3 / 8]
    assert cosines.tolist() == pytest.approx([(names[1] @ names[3]).item(), 1.0], abs=1e-6)
    assert len(exemplars.nearest(variants, 100)[0]) == len(exemplars)
    assert exemplars.nearest(variants, 1, whole=2)[1].tolist() == pytest.approx([1.0, 1.0], abs=1e-6)


def test_stored_exemplars_come_back_nearly_the_same():
    exemplars, names, coordinates = some()
    again = Exemplars.from_tensors(exemplars.to_tensors())
    found, cosines, bonus = again.nearest(functional.pad(names[:1], (0, 4)), 5)
    assert torch.equal(bonus, torch.arange(5) / 8)
    assert (found - coordinates).abs().max() < 0.1 * coordinates.abs().max()
    assert torch.allclose(cosines, names @ names[0], atol=0.01)


def test_a_color_is_a_word_and_not_a_part_of_one():
    assert list(named_colors("a scared cat, hundreds of oranges")) == []
    (red,) = named_colors("A Red bus")
    assert red[0] > red[1]
    assert len(list(named_colors("a red and blue flag"))) == 2


def test_a_tint_leaves_white_and_keeps_what_is_lighter():
    picture = torch.ones(1, 3, 2, 2)
    picture[0, :, 0, 0], picture[0, :, 0, 1] = 0.1, 0.4
    painted = tint(picture, (0.9, 0.2, 0.2))[0]
    assert torch.equal(painted[:, 1], torch.ones(3, 2))
    assert (painted[0, 0] > painted[1, 0] + 0.2).all()
    assert painted[0, 0, 1] > painted[0, 0, 0]
    assert tint(torch.ones(1, 3, 2, 2), (0.1, 0.1, 0.1)).min() == 1


def test_how_far_hues_agree_with_a_color():
    pictures = torch.ones(5, 3, 2, 2)
    for picture, color in zip(
        pictures, [(0.9, 0.1, 0.1), (0.5, 0.2, 0.2), (0.1, 0.9, 0.9), (0.3, 0.3, 0.3)], strict=False
    ):
        picture[:, 0] = torch.tensor(color)[:, None]
    assert hue_agreement(pictures, (0.9, 0.15, 0.15)).tolist() == pytest.approx([1, 1, -1, 1, 1], abs=1e-5)
    assert hue_agreement(pictures, (0.5, 0.5, 0.5)).tolist() == [1] * 5


def test_only_what_is_pale_is_deepen():
    pale, deep = torch.ones(3, 4, 4), torch.ones(3, 4, 4)
    pale[:, 1:3, 1:3], deep[:, 1:3, 1:3] = 0.85, 0.3
    first, second = deepen(torch.stack([pale, deep]))
    assert first[0, 1, 1] == pytest.approx(0.6, abs=1e-5)
    assert first[0, 0, 0] == 1
    assert torch.equal(second, deep)
    assert deepen(torch.ones(1, 3, 4, 4)).min() == 1


def test_a_text_varies_from_the_whole_to_its_names():
    assert text_variants("a slice of ripe melon") == ["slice of ripe melon", "slice", "ripe melon", "melon"]
    assert text_variants(" The Sun ") == ["Sun"]
    assert text_variants("Watercolor painting of an underwater submarine") == ["underwater submarine", "submarine"]
    assert text_variants("a realistic oil painting of a sailboat") == ["sailboat"]
    assert text_variants("picture frame") == ["picture frame", "frame"]


@pytest.mark.parametrize(
    ("singular", "plural"),
    [("cherry", "cherries"), ("fox", "foxes"), ("key", "keys"), ("witch", "witches"), ("dog", "dogs")],
)
def test_a_name_is_known_in_its_toggle_plural(singular, plural):
    assert toggle_plural(singular) == plural
    assert toggle_plural(plural) == singular
