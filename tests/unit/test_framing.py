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


def test_variants_are_the_pictures_and_then_their_mirror_images():
    pictures = torch.rand(2, 3, 4, 4)
    assert torch.equal(select_variant(pictures, 1), pictures[1])
    assert torch.equal(select_variant(pictures, 2), pictures[0].flip(2))
    assert torch.equal(select_variant(pictures, 5), pictures[1])
