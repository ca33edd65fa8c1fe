import pytest
import torch

from clipdraw.evaluate.score import _unseen_views, unseen_similarities


def test_the_views_are_the_same_each_time_and_stay_in_range():
    image = torch.rand(3, 40, 40)
    views = _unseen_views(image, 16)
    assert views.shape == (32, 3, 16, 16)
    assert torch.equal(views, _unseen_views(image, 16))
    assert 0 <= views.min() <= views.max() <= 1


def test_the_views_show_the_picture():
    image = torch.zeros(3, 32, 32)
    image[0] = 1.0
    middle = _unseen_views(image, 16)[:, :, 6:10, 6:10].mean((0, 2, 3))
    assert middle.tolist() == pytest.approx([1, 0, 0], abs=0.05)


def test_half_of_them_are_mirrored():
    image = torch.zeros(3, 32, 32)
    image[:, :, :16] = 1.0
    left = _unseen_views(image, 16)[:, :, 6:10, 4:6].mean((1, 2, 3))
    assert (left > 0.5).sum() == 16


def test_the_similarity_is_their_mean(drawing, encoder):
    picture = torch.zeros(3, 20, 20)
    picture[2] = 1.0
    blue, red = unseen_similarities(picture, ["blue", "red"], encoder)
    assert blue > 0.8 > 0 > red
    assert len(unseen_similarities(drawing, ["red"], encoder)) == 1
