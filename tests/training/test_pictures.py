"""Pictures with captions, from the small corpus of `conftest.py`."""

import numpy as np
import pytest
import torch

from training import composing, media, pictures
from training.scenes import Box
from training.things import COLOR_NAMES, Things, catalogue, color_names, is_thing, named_color


@pytest.fixture(scope="module")
def things(folder):
    return catalogue(folder)


def test_a_seed_always_gives_the_same(things):
    first, again, other = (pictures.make(things, 16, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.views, again.views)
    assert first.captions == again.captions
    assert first.captions != other.captions


def test_held_out_drawings_are_never_picked(things, folder):
    generator = np.random.default_rng(0)
    assert {things.pick(generator).row for _ in range(300)} == {*range(6)}
    stored = np.load(folder / "color.npy")[
        [5, 6, 7, 9, 10, 11]
    ]  # 0 to 3 are held out, 4 and 8 squares, which are signs
    assert np.abs(things.pictures["color"][..., 3].mean((1, 2)) - stored[..., 3].mean((1, 2))).max() < 1


def test_what_is_saved_is_loaded(things, tmp_path):
    things.save(tmp_path / "things.npz")
    again = Things.load(tmp_path / "things.npz")
    assert again.drawn == things.drawn
    for kind in things.drawn:
        assert np.array_equal(again.pictures[kind], things.pictures[kind])
        assert np.array_equal(again.weights[kind], things.weights[kind])


def test_all_kinds_of_scenes_and_media_occur_and_differ_from_their_rivals(things):
    made = pictures.make(things, 400, np.random.default_rng(0))
    assert made.views.shape == (400, 3, 64, 64)
    assert {*made.media} == {"", *media.MEDIA}
    assert 0.12 < sum(map(bool, made.media)) / 400 < 0.32
    for words in (" left of ", " above ", " on ", " in front of ", "three ", " and "):
        assert any(words in caption for caption in made.captions), words
    same = sum(caption == rival for caption, rival in zip(made.captions, made.rivals, strict=True))
    assert same < 12


def test_captions_of_colorless_media_name_no_color(things):
    made = pictures.make(things, 200, np.random.default_rng(3), media_share=1.0)
    for caption, medium in zip(made.captions, made.media, strict=True):
        if medium in media.COLORLESS:
            assert not {*caption.replace("a black shape", "").split()} & {*COLOR_NAMES}, caption


@pytest.mark.parametrize("color", COLOR_NAMES)
def test_painted_drawings_have_the_color_that_the_caption_names(color):
    generator = np.random.default_rng(0)
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[4:28, 4:28] = (200, 150, 60, 255)
    picture[4:28, 4:6] = (10, 10, 10, 255)
    assert named_color(composing.painted(picture, color, generator)) == color
    line = np.zeros((32, 32, 4), np.uint8)
    line[10:22, 4:28, 3] = 255
    assert named_color(composing.painted(line, color, generator)) == color


def test_dark_lines_of_painted_drawings_stay_dark():
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[4:28, 4:28] = (200, 150, 60, 255)
    picture[4:28, 4:6] = (10, 10, 10, 255)
    painted = composing.painted(picture, "blue", np.random.default_rng(0))
    assert painted[10, 4, :3].max() < 60
    assert np.array_equal(painted[..., 3], picture[..., 3])


def test_colors_of_pixels():
    values = {"red": (0.9, 0.1, 0.1), "yellow": (0.95, 0.85, 0.1), "green": (0.2, 0.7, 0.2), "blue": (0.1, 0.3, 0.9)}
    values |= {"white": (0.98, 0.98, 0.97), "black": (0.05, 0.05, 0.06), "gray": (0.5, 0.5, 0.5)}
    values |= {
        "orange": (0.95, 0.55, 0.1),
        "purple": (0.5, 0.2, 0.7),
        "pink": (0.98, 0.6, 0.75),
        "brown": (0.45, 0.27, 0.12),
    }
    found = color_names(np.array([*values.values()], np.float32))
    assert [COLOR_NAMES[i] for i in found] == [*values]


@pytest.mark.parametrize("size", [0.3, 0.9])
def test_drawings_are_placed_into_their_boxes(size):
    picture = np.full((1, 64, 64, 4), 255, np.uint8)
    box = Box(0.3, 0.6, size)
    (layer,) = composing.placed(picture, [box], np.array([False]), np.random.default_rng(0))
    rows, columns = torch.where(layer[3] > 0.5)
    assert abs(columns.float().mean() / 64 - 0.3) < 0.05 or size > 0.6  # the large one is cut by the edge
    assert abs(len(rows) / 64**2 - min(size, 0.3 + size / 2) * min(size, 0.4 + size / 2)) < 0.1
    assert layer[:3].amax() <= 1


def test_later_layers_cover_earlier_ones():
    layers = torch.zeros(3, 4, 4, 4)
    layers[0, [0, 3]] = 1.0
    layers[1, [1, 3]] = 1.0
    layers[2, [2, 3], :2] = 0.5
    out = composing.composited(layers, [0, 0, 1], 2)
    assert out[0, :, 0, 0].tolist() == [0, 1, 0, 1]
    assert out[1, :, 0, 0].tolist() == [0, 0, 0.5, 0.5]
    assert out[1, :, 3, 3].tolist() == [0, 0, 0, 0]


def test_what_names_a_thing():
    class Words:
        kind_of = ("cat", "ship")

        def is_concrete(self, name):
            return name.split()[-1] == "cat" or name == "ship"

        def knows(self, name):
            return "joe" not in name

    words = Words()
    assert is_thing("cat", "lucide", words)
    assert not is_thing("fat cat", "lucide", words)
    assert is_thing("fat cat", "noto", words)
    assert is_thing("pirate ship", "noto", words)
    assert not is_thing("sharp cat", "ic", words)
    assert not is_thing("ship arrow", "noto", words)
    assert not is_thing("joe cat", "openclipart", words)
