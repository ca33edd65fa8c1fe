"""Pictures of several things are cut out and set into their places."""

import pytest
import torch

from clipdraw.drawing import Canvas
from clipdraw.framing import Box, letterbox
from clipdraw.optimization.prior_picture import (
    Mask,
    Place,
    PriorPicture,
    Tint,
    composed,
    shape_of,
    thing_in,
    visible,
)
from clipdraw.optimization.start import PriorStrokes, RandomStrokes
from tests.conftest import TinyEncoder

RED, BLUE = torch.tensor([1.0, 0, 0])[:, None, None], torch.tensor([0, 0, 1.0])[:, None, None]


class Prior:
    """A red wide block, a blue ring with a white middle, and a green picture to its edges."""

    def sample(self, text):
        picture = torch.ones(3, 32, 32)
        if "block" in text:
            picture[:, 12:20, 4:28] = RED
            picture[:, 12:20, 4:10] = 0.0
        elif "ring" in text:
            picture[:, 8:24, 8:24] = BLUE
            picture[:, 12:20, 12:20] = 1.0
        else:
            picture[0], picture[2] = 0.0, 0.0
        return picture[None]


class Imagining(TinyEncoder):
    prior = Prior()


def image(*places, height=64, width=64):
    return PriorPicture(places).painted(Imagining(), height, width)


def test_a_thing_is_cut_out_with_what_it_encloses():
    ring = thing_in(Prior().sample("ring")[0])
    assert ring.alpha.shape == (1, 16, 16)
    assert (ring.alpha == 1).all()
    assert (ring.colors[:, 8, 8] == 1).all()
    assert shape_of(Imagining(), "block", 0) == (24, 8)


def test_an_open_outline_lets_the_white_out():
    picture = Prior().sample("ring")[0]
    picture[:, 14:18, 20:24] = 1.0
    assert thing_in(picture).alpha[0, 8, 8] == 0


def test_a_white_picture_is_cut_out_as_nothing():
    assert thing_in(torch.ones(3, 8, 8)).alpha.sum() == 0


def test_one_thing_without_a_place_is_in_the_middle_as_ever():
    assert torch.equal(image(Place("ring")), letterbox(Prior().sample("ring")[0], 64, 64))


def test_things_fill_their_boxes_in_their_proportions():
    picture = image(Place("block", Box(0.5, 0.0, 1.0, 0.5)))
    ink = (1 - picture).amax(0) > 0.5
    rows, columns = ink.any(1).nonzero()[:, 0], ink.any(0).nonzero()[:, 0]
    assert (columns.min().item(), columns.max().item()) == (32, 63)
    assert rows.max() - rows.min() + 1 == pytest.approx(32 / 3, abs=1.5)
    assert (rows.max() + rows.min()) / 2 == pytest.approx(15.5, abs=1)


def test_what_comes_later_lies_above_and_hides_what_is_below():
    below, above = Place("block", Box(0, 0.3, 1, 0.7)), Place("ring", Box(0.3, 0.3, 0.7, 0.7))
    picture = image(below, above)
    assert picture[:, 32, 32].tolist() == pytest.approx([1, 1, 1], abs=0.02)  # the white in the ring, not red
    assert picture[:, 32, 60].tolist() == pytest.approx([1, 0, 0], abs=0.02)
    assert image(above, below)[:, 32, 32].tolist() == pytest.approx([1, 0, 0], abs=0.02)


def test_mirrored_things_scenery_tints_and_masks():
    wide = Box(0, 0.3, 1, 0.7)
    assert torch.allclose(image(Place("block", wide, mirrored=True)), image(Place("block", wide)).flip(2), atol=1e-5)
    scenery = image(Place("field", Box(), fills=True), height=32, width=64)
    assert (scenery - torch.tensor([0, 1.0, 0])[:, None, None]).abs().max() < 1e-5
    tinted = image(Place("ring", Box(), tints=(Tint((0.0, 1.0, 0.0), Box(0, 0, 1, 0.5)),)))
    assert tinted[:, 4, 32].tolist() == pytest.approx([0, 1, 0], abs=0.4)
    assert tinted[1, 4, 32] > tinted[2, 4, 32] + 0.5
    assert tinted[:, 60, 32].tolist() == pytest.approx([0, 0, 1], abs=0.02)
    inside = torch.zeros(64, 64, dtype=torch.bool)
    inside[:, :32] = True
    masked = image(Place("field", Box(), fills=True, mask=Mask(inside)))
    assert (masked[:, :, 34:] == 1).all()
    assert (masked[0, :, :30] == 0).all()


def test_a_places_picture_may_have_other_words_than_its_text():
    assert torch.equal(image(Place("a ring with a hole", Box(), picture="block")), image(Place("block", Box())))


def test_a_layer_is_seen_where_none_lies_above():
    layers = PriorPicture((Place("block", Box(0, 0.3, 1, 0.7)), Place("ring", Box(0, 0, 0.5, 1)))).layers(
        Imagining(), 64, 64
    )
    block, ring = visible(layers)
    assert block[32, 50] == 1
    assert block[32, 10] < 0.01  # hidden by the ring
    assert ring[32, 50] == 0
    assert ring[20, 16] == 1
    assert composed(layers).shape == (3, 64, 64)


def test_each_place_has_strokes_of_its_own_in_its_colors():
    places = Place("ring", Box(0, 0, 0.5, 1)), Place("block", Box(0.5, 0, 1, 1))
    start = PriorStrokes(RandomStrokes(40, reach=0.0), PriorPicture(places), Imagining(), steps=0)
    drawing = start(Canvas(), torch.Generator().manual_seed(0))
    first = torch.stack([points[0] for points in drawing.stroke_points()])
    assert (first[:20, 0] < 112).all()
    assert (first[20:, 0] > 112).all()
    assert (drawing.colors[20:, 0] >= drawing.colors[20:, 2]).all()
