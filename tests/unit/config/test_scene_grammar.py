"""Prompts are read into things, numbers, colors, parts and relations."""

import pytest

from clipdraw.config.scenes import read_scene


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a red cat on a bicycle", "1 x red cat, 1 x bicycle; cat on bicycle"),
        ("two apples", "2 x apple"),
        ("a sun above a tree", "1 x sun, 1 x tree; sun above tree"),
        ("a blue house with a green roof", "1 x blue house (green roof)"),
        ("A man riding a horse.", "1 x man, 1 x horse; man riding horse"),
        ("three black and white cows under a tree", "3 x black and white cow, 1 x tree; cow under tree"),
        ("a cat and a dog on a sofa", "1 x cat, 1 x dog, 1 x sofa; cat and dog on sofa"),
        ("a sun, a cloud and a tree", "1 x sun, 1 x cloud, 1 x tree"),
        ("a ball between a cat and a dog", "1 x ball, 1 x cat, 1 x dog; ball between cat and dog"),
        ("a wolf in a dark forest", "1 x wolf, 1 x dark forest (all around); wolf in dark forest"),
        ("two geese in front of 3 foxes", "2 x goose, 3 x fox; goose in front of fox"),
        ("a man holding a kite and wearing a hat", "1 x man, 1 x kite, 1 x hat; man holding kite; man wearing hat"),
        ("a man riding a horse on the moon", "1 x man, 1 x horse, 1 x moon; man riding horse; horse on moon"),
        ("a cat is sleeping on top of a sofa", "1 x cat, 1 x sofa; cat on sofa"),
        ("a watercolor painting of two birds", "2 x bird"),
        ("a bowl of soup next to a spoon", "1 x bowl of soup, 1 x spoon; bowl of soup beside spoon"),
        ("a blorf behind the zibble", "1 x blorf, 1 x zibble; blorf behind zibble"),
        ("ten ducks", "6 x duck; not read: ten"),
    ],
)  # fmt: skip
def test_a_prompt_is_read(text, expected):
    assert read_scene(text).described() == expected


@pytest.mark.parametrize(
    "text",
    ["a red car", "watercolor painting of a submarine", "a bunch of grapes", "a carrot with leaves", "peace", "a dog:",
     "a starry night", "a pair of scissors", "an orange", "", "...", "a horse in the style of a painting on a wall"],
)  # fmt: skip
def test_one_thing_is_no_scene(text):
    assert not read_scene(text).has_places


def test_sizes_and_postures_are_told_apart_from_names():
    bird, elephant = read_scene("a tiny flying bird above a huge gray elephant").things
    assert (bird.text, bird.picture, bird.size) == ("a flying bird", "a bird", 0.65)
    assert (elephant.text, elephant.colors, elephant.size) == ("a gray elephant", ("gray",), 1.4)


def test_things_are_drawn_by_their_own_words():
    house, orange = read_scene("a blue house with a green roof beside an orange").things
    assert (house.text, house.picture) == ("a blue house with a green roof", "a blue house")
    assert orange.text == "an orange"


def test_what_cannot_be_read_is_told():
    scene = read_scene("suddenly a cat above nowhere")
    assert "nowhere" in scene.unread
    assert scene.to_dict()["unread"] == list(scene.unread)
    assert "not read: " in scene.described()


def test_the_record_has_plain_values():
    assert read_scene("two red cats on a sofa").to_dict() == {
        "things": [
            {"name": "cat", "number": 2, "colors": ["red"], "size": 1.0, "parts": [], "scenery": False},
            {"name": "sofa", "number": 1, "colors": [], "size": 1.0, "parts": [], "scenery": False},
        ],
        "relations": [["cat", "on", "sofa"]],
        "unread": [],
    }
