import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.evaluate.score import score


def plain(color, canvas=None):
    return Drawing(torch.zeros(4, 2), torch.zeros(1), torch.zeros(1, 4), (1,), canvas or Canvas(), torch.tensor(color))


def test_a_picture_scores_best_for_what_it_is(encoder):
    scores = score(plain([1.0, 0.0, 0.0]), ["red", "green", "blue"], encoder)
    assert scores[0] == pytest.approx(1.0, abs=1e-3)
    assert max(scores[1:]) < 0


def test_an_image_scores_as_the_drawing_it_shows(encoder):
    image = torch.tensor([0.0, 1.0, 0.0])[:, None, None].expand(3, 50, 50)
    assert score(image, ["green"], encoder) == pytest.approx(
        score(plain([0.0, 1.0, 0.0]), ["green"], encoder), abs=1e-3
    )


def test_a_wide_picture_is_set_on_white(encoder):
    wide = plain([0.0, 0.0, 1.0], Canvas(320, 80))
    assert score(wide, ["blue"], encoder)[0] < score(plain([0.0, 0.0, 1.0]), ["blue"], encoder)[0]


def test_what_is_added_around_a_wide_picture_is_white(encoder):
    assert score(plain([1.0, 1.0, 1.0], Canvas(320, 80)), ["white"], encoder)[0] == pytest.approx(1.0, abs=1e-3)
