"""Where the things of a scene stand, and what it is called."""

from itertools import pairwise

import numpy as np
import pytest

from training import scenes
from training.scenes import Group

CAT, DOG = Group("cat", color="red"), Group("dog", color="blue")


@pytest.mark.parametrize(("name", "several"), [
    ("cat", "cats"), ("cherry", "cherries"), ("key", "keys"), ("fox", "foxes"), ("mouse", "mice"),
    ("palm tree", "palm trees"), ("fish", "fish"), ("pirate ship", "pirate ships"), ("brush", "brushes"),
])  # fmt: skip
def test_names_of_several(name, several):
    assert scenes.plural(name) == several


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("relation", scenes.RELATIONS)
def test_boxes_are_where_the_caption_says(relation, seed):
    scene = scenes.related(CAT, DOG, relation, np.random.default_rng(seed))
    boxes = dict(zip([group.name for group in scene.groups], [boxes[0] for boxes in scene.boxes], strict=True))
    cat, dog = boxes["cat"], boxes["dog"]
    assert scene.groups[-1].name == "cat", "the first thing is painted last"
    if relation == "left":
        assert cat.x + 0.3 < dog.x
    if relation == "above":
        assert cat.y + 0.3 < dog.y
    if relation == "on":
        assert cat.y < dog.y
        assert abs(cat.y + cat.size / 2 - (dog.y - dog.size / 2)) < 0.15
    if relation == "front":
        assert cat.y > dog.y
    if relation == "beside":
        assert abs(cat.x - dog.x) > 0.3
    assert {"red cat", "blue dog"} <= {" ".join(p) for p in pairwise(scene.caption.split())}


@pytest.mark.parametrize("seed", range(60))
def test_rivals_say_something_else_with_the_same_words(seed):
    generator = np.random.default_rng(seed)
    for scene in (
        scenes.related(CAT, DOG, "left", generator),
        scenes.one_thing(CAT, generator),
        scenes.several(Group("cat", 3), generator),
        scenes.three((CAT, DOG, Group("hat")), generator),
    ):
        assert scene.rival != scene.caption
        assert "cat" in scene.rival or "dog" in scene.rival


def test_exchanged_colors_keep_the_things_in_place():
    found = {scenes.related(CAT, DOG, "left", np.random.default_rng(seed)).rival for seed in range(40)}
    assert any("blue cat" in rival and "red dog" in rival for rival in found)
    assert any("red cat" in rival and "blue dog" in rival for rival in found), "or the places are exchanged"


@pytest.mark.parametrize("number", range(2, 6))
def test_several_have_as_many_boxes_that_hardly_overlap(number):
    scene = scenes.several(Group("star", number), np.random.default_rng(number))
    (boxes,) = scene.boxes
    assert len(boxes) == number
    assert scenes.NUMBERS[number - 1] in scene.caption
    assert scene.caption.endswith("stars")
    for i, one in enumerate(boxes):
        for other in boxes[:i]:
            assert max(abs(one.x - other.x), abs(one.y - other.y)) > 0.6 * min(one.size, other.size)


def test_riding_is_said_of_what_can_be_ridden_alone():
    horse = [scenes.related(CAT, Group("horse"), "on", np.random.default_rng(s)).caption for s in range(60)]
    house = [scenes.related(CAT, Group("house"), "on", np.random.default_rng(s)).caption for s in range(60)]
    assert any("riding" in caption for caption in horse)
    assert not any("riding" in caption for caption in house)
