import math

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.evaluate.score import _unseen_views, embed, embed_images, image_of, images_of, score, unseen_similarities
from tests.conftest import TinyEncoder

SIDE = 96


class Seeing(TinyEncoder):
    """An encoder whose embedding of a view is the view itself."""

    view_size = 8
    dimensions = 192

    def encode_image(self, views):
        return views.flatten(1)

    def encode_text(self, texts):
        return torch.stack([torch.full((192,), 0.1 * len(text)) for text in texts])


def plain(color, canvas=None):
    return Drawing(torch.zeros(4, 2), torch.zeros(1), torch.zeros(1, 4), (1,), canvas or Canvas(), torch.tensor(color))


def test_a_picture_scores_best_for_what_it_is(encoder):
    scores = score(plain([1.0, 0.0, 0.0]), ("red", "green", "blue"), encoder)
    assert scores == pytest.approx([1.0, -1 / 3, -1 / 3], abs=0.01)


def test_a_score_is_the_product_of_both_embeddings():
    image = torch.rand(3, 8, 8).requires_grad_()
    assert score(image, ["a", "four"], Seeing()) == pytest.approx([0.1 * image.sum().item(), 0.4 * image.sum().item()])


def test_an_image_of_the_size_that_the_encoder_reads_is_seen_as_it_is():
    image = torch.rand(3, 8, 8)
    assert torch.equal(embed(image, Seeing()), image.flatten())


def test_a_larger_image_is_seen_whole_and_antialiased():
    image = torch.zeros(3, 32, 32)
    image[:, ::2, ::2] = image[:, 1::2, 1::2] = 1.0
    image[0] = 1.0
    view = embed(image, Seeing()).reshape(3, 8, 8)
    assert torch.allclose(view[0], torch.ones(8, 8))
    assert torch.allclose(view[1:], torch.full((2, 8, 8), 0.5), atol=0.02)


def test_a_wide_drawing_is_seen_whole_in_the_middle_of_a_white_square():
    view = embed(plain([0.0, 0.0, 0.5], Canvas(320, 160)), Seeing()).reshape(3, 8, 8)
    assert (view[:, [0, 1, 6, 7]] == 1).all()
    assert (view[:2, 2:6] == 0).all()
    assert torch.allclose(view[2, 2:6], torch.tensor(0.5))


def test_images_are_seen_one_by_one_and_without_gradients():
    images = torch.rand(2, 3, 4, 8).requires_grad_()
    views = embed_images(images, Seeing()).reshape(2, 3, 8, 8)
    assert not views.requires_grad
    assert torch.equal(views[:, :, 2:6], images)


def test_a_drawing_becomes_an_image_with_its_longer_side_as_asked(drawing):
    assert image_of(plain([0.2, 0.4, 0.6], Canvas(320, 160)), 10).shape == (3, 5, 10)
    drawing.points.requires_grad_()
    images = images_of([drawing, plain([0.2, 0.4, 0.6])], 6)
    assert not images.requires_grad
    assert torch.equal(images[0], image_of(drawing, 6))
    assert torch.allclose(images[1], torch.tensor([0.2, 0.4, 0.6])[:, None, None].expand(3, 6, 6))


def places(side):
    """The centers of an image's pixels in [-1, 1]^2, in the order of rows: x and y."""
    line = (torch.arange(side) + 0.5) / side * 2 - 1
    return torch.cartesian_prod(line, line).flip(1)


def fitted_maps(side=SIDE):
    """Where in a picture each unseen view looks: 32 affine maps, fitted to views of a picture that tells its places."""
    picture = torch.cat([places(128), torch.zeros(128**2, 1)], 1).T.reshape(3, 128, 128) / 2 + 0.5
    inner = places(side).norm(dim=1) < 0.65
    sources = torch.cat([places(side), torch.ones(side**2, 1)], 1)[inner]
    seen = _unseen_views(picture, side)[:, :2].flatten(2).transpose(1, 2)[:, inner] * 2 - 1
    return torch.linalg.lstsq(sources.expand(32, -1, -1), seen).solution.transpose(1, 2)


def test_unseen_views_are_turned_by_up_to_15_degrees_either_way_about_the_middle():
    maps = fitted_maps()
    angles = torch.atan2(-maps[:, 0, 1], maps[:, 1, 1]).rad2deg()
    assert 12 < angles.max() < 15.5
    assert -15.5 < angles.min() < -12
    assert angles.mean().abs() < 4
    assert maps[:, :, 2].abs().max() < 0.02


def test_unseen_views_are_shrunk_to_80_percent_or_less_and_never_sheared():
    maps = fitted_maps()
    scales = maps[:, :, 1].norm(dim=1)
    assert 0.99 < scales.min() < 1.03
    assert 1.2 < scales.max() < 1.26
    assert torch.allclose(maps[:, :, 0].norm(dim=1), scales, atol=0.03)
    assert (maps[:, :, 0] * maps[:, :, 1]).sum(1).abs().max() < 0.03
    assert fitted_maps(16)[:, :, 1].norm(dim=1).mean().item() == pytest.approx(scales.mean().item(), abs=0.03)


def test_every_second_unseen_view_is_mirrored():
    assert fitted_maps()[:, 0, 0].sign().tolist() == [-1.0, 1.0] * 16


def test_beyond_the_picture_each_unseen_view_has_a_gray_of_its_own():
    views = _unseen_views(torch.full((3, 64, 64), 0.5), SIDE)
    corners = torch.cat([views[:, :, y, x] for y in (slice(0, 4), slice(-4, None)) for x in (0, 1, -2, -1)], 2)
    beyond = corners.mean(2)[corners.std((1, 2)) < 0.07]
    assert len(beyond) > 20
    assert (beyond.amax(1) - beyond.amin(1)).max() < 0.05
    assert beyond.min() < 0.1
    assert beyond.max() > 0.85
    assert torch.allclose(views[:, :, 40:56, 40:56].mean((1, 2, 3)), torch.tensor(0.5), atol=0.01)


def test_unseen_views_are_noisy_by_5_percent():
    middle = _unseen_views(torch.full((3, 64, 64), 0.5), SIDE)[:, :, 32:64, 32:64]
    assert middle.std().item() == pytest.approx(0.05, abs=0.001)
    assert middle.mean(1).std().item() == pytest.approx(0.05 / math.sqrt(3), abs=0.001)
    assert middle.mean(0).std().item() == pytest.approx(0.05 / math.sqrt(32), abs=0.001)


def test_what_is_finer_than_a_pixel_of_three_quarters_does_not_survive():
    def contrast(period, side=SIDE):
        stripes = (torch.arange(side) % period < period / 2).float().expand(3, side, side)
        return _unseen_views(stripes, SIDE)[:, :, 32:64, 32:64].std().item()

    assert contrast(2) < 0.12
    assert contrast(3.5, 3 * SIDE) < 0.12
    assert contrast(16) > 0.4


def test_unseen_views_are_the_same_each_time_and_stay_in_range():
    image = torch.rand(3, 20, 20)
    views = _unseen_views(image, 16)
    assert views.shape == (32, 3, 16, 16)
    torch.rand(5)
    assert torch.equal(views, _unseen_views(image, 16))
    assert views.min() == 0
    assert views.max() == 1
    assert _unseen_views(image.double(), 1).shape == (32, 3, 1, 1)


def test_the_unseen_similarity_is_the_mean_over_the_views(drawing, encoder):
    picture = torch.zeros(3, 10, 20)
    picture[2] = 1.0
    square = torch.ones(3, 20, 20)
    square[:, 5:15] = picture
    embeddings = encoder.encode_image(_unseen_views(square, 16))
    cosines = (embeddings @ encoder.encode_text(["blue", "red"]).T).mean(0).tolist()
    assert unseen_similarities(picture, ("blue", "red"), encoder) == pytest.approx(cosines)
    assert unseen_similarities(plain([0.0, 0.0, 1.0]), ["blue"], encoder)[0] > 0.9
    assert len(unseen_similarities(drawing, ["red", "a", "b"], encoder)) == 3
