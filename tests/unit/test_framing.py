import pytest
import torch

from clipdraw.framing import letterbox, pad_to_square, select_variant


def test_a_picture_is_padded_to_a_white_square():
    square = pad_to_square(torch.zeros(3, 2, 6))
    assert square.shape == (3, 6, 6)
    assert (square[:, [0, 1, 4, 5]] == 1).all()
    assert (square[:, 2:4] == 0).all()


def test_a_letterboxed_picture_is_in_the_middle_of_white_with_a_margin():
    inside = letterbox(torch.zeros(3, 5, 5), 100, 200)
    assert inside.shape == (3, 100, 200)
    assert (inside[:, 10:90, 60:140] == 0).all()
    assert (inside[:, [0, 6, 93, 99]] == 1).all()
    assert (inside[:, :, [0, 56, 143, 199]] == 1).all()


def disc(*, dot=0.0):
    """A black disc with a radius of 0.35 of its white picture, and a dot in a corner."""
    axis = torch.arange(40) - 19.5
    picture = (torch.hypot(axis[None], axis[:, None]) > 14).float().expand(3, 40, 40).clone()
    picture[:, 0, 0] = 1 - dot
    return picture


@pytest.mark.parametrize(("height", "width"), [(100, 100), (100, 200), (200, 100)])
def test_a_picture_that_reaches_beyond_the_circle_is_shrunk_into_it(height, width):
    shrunk = letterbox(disc(), height, width, radius=0.2)
    assert shrunk.shape == (3, height, width)
    y, x = (shrunk[0] < 0.5).nonzero().T.double() + 0.5
    distances = torch.hypot(y - height / 2, x - width / 2)
    assert distances.max() == pytest.approx(20, abs=1.1)


def test_a_picture_within_the_circle_stays_as_it_is():
    picture = disc()  # its radius is 0.29 of the image, of which the picture fills 0.84
    assert torch.equal(letterbox(picture, 100, 100, radius=0.31), letterbox(picture, 100, 100))
    assert not torch.equal(letterbox(picture, 100, 100, radius=0.27), letterbox(picture, 100, 100))


def test_a_stray_dot_does_not_shrink_a_picture():
    stray = disc(dot=1.0)
    assert torch.equal(letterbox(stray, 100, 100, radius=0.31), letterbox(stray, 100, 100))


def test_an_empty_picture_stays_white_in_any_circle():
    for radius in (0.0, 0.3):
        assert (letterbox(torch.ones(3, 8, 8), 20, 30, radius=radius) == 1).all()
    assert letterbox(disc(), 20, 30, radius=0.0).shape == (3, 20, 30)


def test_variants_are_the_pictures_and_then_their_mirror_images():
    pictures = torch.rand(2, 3, 4, 4)
    assert torch.equal(select_variant(pictures, 1), pictures[1])
    assert torch.equal(select_variant(pictures, 2), pictures[0].flip(2))
    assert torch.equal(select_variant(pictures, 5), pictures[1])
