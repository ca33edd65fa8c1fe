"""The things of a scene stand where its words say; regions where they are told to."""

from itertools import combinations

import pytest
import torch

from clipdraw.config import resolve
from clipdraw.config.layout import lay_out, places_of, to_dict
from clipdraw.config.scenes import read_scene
from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import ConfigError, FormatError
from clipdraw.framing import Box
from clipdraw.io.images import write_png
from tests.conftest import TinyEncoder


def layout(text, canvas=(224.0, 224.0), shape=lambda text: (1.0, 1.0)):
    return lay_out(read_scene(text), canvas, shape)


def boxes(text, **settings):
    """The boxes of a scene by the last words of their texts, and those words in the order of painting."""
    places = layout(text, **settings)
    return {place.text.split()[-1]: place.box for place in places}, [place.text.split()[-1] for place in places]


def center(box):
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


SCENES = [
    "a cat above a dog", "a cat under a dog", "a cat on a dog", "a cat riding a dog", "a cat in a box",
    "a cat beside a dog", "a cat behind a dog", "a cat in front of a dog", "a cat holding a ball", "a cat with a dog",
    "a cat wearing a hat", "a cat between two dogs", "six cats above three dogs", "five cats", "a cat, a dog and a cow",
    "a cat in a forest", "a cat left of a dog", "a man wearing a hat riding a horse under a sun",
]  # fmt: skip


@pytest.mark.parametrize("text", SCENES)
@pytest.mark.parametrize("canvas", [(224.0, 224.0), (320.0, 180.0), (100.0, 300.0)])
@pytest.mark.parametrize("shape", [(1.0, 1.0), (3.0, 1.0), (1.0, 3.0)])
def test_everything_is_on_the_canvas_and_not_tiny(text, canvas, shape):
    for place in layout(text, canvas=canvas, shape=lambda text: shape):
        left, top, right, bottom = place.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert min((right - left) * canvas[0], (bottom - top) * canvas[1]) > 0.04 * min(canvas)


def test_above_and_under_are_apart():
    found, _ = boxes("a cat above a dog")
    upper, lower = found["cat"], found["dog"]
    assert upper.bottom < lower.top
    assert abs(center(upper)[0] - center(lower)[0]) < 0.01
    found, _ = boxes("a cat under a dog")
    assert found["cat"].top > found["dog"].bottom


def test_what_is_under_a_table_stands_at_its_foot():
    found, order = boxes("a cat under a table")
    assert found["cat"].area < 0.7 * found["table"].area
    assert found["cat"].top > found["table"].top + 0.1
    assert found["cat"].bottom == pytest.approx(found["table"].bottom, abs=0.05)
    assert order == ["table", "cat"]


def test_what_is_on_something_stands_on_its_top_and_is_painted_later():
    found, order = boxes("a cat on a dog")
    assert found["dog"].top < found["cat"].bottom < center(found["dog"])[1]
    assert found["cat"].top < found["dog"].top
    assert order == ["dog", "cat"]


def test_a_rider_overlaps_the_upper_half_of_the_mount():
    found, order = boxes("a cat riding a dog")
    assert found["dog"].top < found["cat"].bottom <= center(found["dog"])[1] + 0.01
    assert order == ["dog", "cat"]


def test_what_is_in_something_is_smaller_and_painted_over_it_or_looks_out_of_it():
    found, order = boxes("a cat in a house")
    assert found["cat"].area < 0.5 * found["house"].area
    assert found["house"].left < found["cat"].left < found["cat"].right < found["house"].right
    assert order == ["house", "cat"]
    found, order = boxes("a cat in a box")
    assert found["box"].left < found["cat"].left < found["cat"].right < found["box"].right
    assert found["cat"].top < found["box"].top < found["cat"].bottom < found["box"].bottom
    assert order == ["cat", "box"]


def test_what_stands_behind_is_painted_first_and_higher():
    for text, front, back in (("a cat behind a dog", "dog", "cat"), ("a cat in front of a dog", "cat", "dog")):
        found, order = boxes(text)
        assert order == [back, front]
        assert found[back].bottom < found[front].bottom
        assert found[back].left < found[front].right


def test_a_hat_is_on_the_head_and_what_is_held_at_the_side():
    found, order = boxes("a cat wearing a hat")
    assert found["hat"].top < found["cat"].top < found["hat"].bottom < center(found["cat"])[1]
    assert found["hat"].width < found["cat"].width
    assert order == ["cat", "hat"]
    found, order = boxes("a cat holding a ball")
    assert found["cat"].left < center(found["cat"])[0] < found["ball"].left < found["cat"].right < found["ball"].right
    assert found["ball"].area < 0.5 * found["cat"].area
    assert order == ["cat", "ball"]


def test_left_right_and_between():
    assert boxes("a cat left of a dog")[0]["cat"].right < boxes("a cat left of a dog")[0]["dog"].left
    assert boxes("a cat to the right of a dog")[0]["cat"].left > boxes("a cat to the right of a dog")[0]["dog"].right
    found, _ = boxes("a cat between a dog and a cow")
    assert found["dog"].right < found["cat"].left
    assert found["cat"].right < found["cow"].left


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6])
def test_several_are_as_many_and_apart(number):
    word = ("two", "three", "four", "five", "six")[number - 2]
    places = layout(f"{word} cats")
    assert len(places) == number
    assert sum(place.weight for place in places) == pytest.approx(1)
    assert {place.mirrored for place in places} == {False, True}
    for one, other in combinations([place.box for place in places], 2):
        assert one.right < other.left or other.right < one.left or one.bottom < other.top or other.bottom < one.top


def test_a_big_thing_is_larger():
    found, _ = boxes("a big cat beside a small dog")
    assert found["cat"].area > 3 * found["dog"].area


def test_boxes_have_the_proportions_of_their_things():
    (place,) = [place for place in layout("a cat and a dog", shape=lambda t: (2, 1)) if "cat" in place.text]
    assert place.box.width == pytest.approx(2 * place.box.height, rel=0.35)


def test_scenery_fills_the_canvas_below_all_else():
    scenery, cat = layout("a cat in a forest")
    assert (scenery.box, scenery.fills, scenery.text) == (Box(), True, "a forest")
    assert not cat.fills
    assert cat.box.area < 0.5


def test_a_part_has_its_color():
    (house,) = layout("a blue house with a red roof")
    (tint,) = house.tints
    assert tint.color[0] > 0.8 > 0.3 > tint.color[2]
    assert (tint.box.top, tint.box.right) == (0, 1)


def test_regions_are_where_they_are_told_with_the_background_first():
    tree, sky = "a tree:2@left", "a sky@background"
    found = places_of((tree, sky))
    assert [(p.text, p.weight, p.box, p.fills) for p in found] == [
        ("a sky", 1.0, Box(), True), ("a tree", 2.0, Box(0, 0, 0.5, 1), False),
    ]  # fmt: skip


def test_masks_are_read_from_pictures_and_drawings(tmp_path):
    picture = torch.ones(3, 40, 80)
    picture[:, 10:20, 40:60] = 0
    write_png(picture, tmp_path / "mask.png")
    (place,) = places_of((f"a sun@{tmp_path / 'mask.png'}",))
    assert place.box == Box(0.5, 0.25, 0.75, 0.5)
    assert place.area == pytest.approx(1 / 16)
    stroke = torch.tensor([[20.0, 50.0], [20.0, 50.0], [20.0, 50.0], [20.0, 50.0]])
    dot = Drawing(stroke, torch.tensor([20.0]), torch.tensor([[0.0, 0, 0, 1]]), (1,), Canvas(100, 100))
    dot.save(tmp_path / "mask.svg")
    (place,) = places_of((f"a sun@{tmp_path / 'mask.svg'}",))
    assert tuple(place.box) == pytest.approx((0.1, 0.4, 0.3, 0.6), abs=0.01)


def test_a_white_or_missing_mask_is_refused(tmp_path):
    write_png(torch.ones(3, 4, 4), tmp_path / "white.png")
    with pytest.raises(FormatError, match="what is not white, and all of it is white"):
        places_of((f"a sun@{tmp_path / 'white.png'}",))
    with pytest.raises(FormatError, match="no such file"):
        places_of((f"a sun@{tmp_path / 'none.png'}",))


def test_the_record_has_boxes_in_percent():
    scene = read_scene("a cat beside a dog")
    record = to_dict(scene, lay_out(scene, (224.0, 224.0)))
    assert [one["text"] for one in record["layout"]] == ["a cat", "a dog"]
    assert all(0 <= side <= 100 for one in record["layout"] for side in one["box"])
    assert record["relations"] == [["cat", "beside", "dog"]]


@pytest.mark.parametrize(
    "hand", [{"symmetry": "mirror"}, {"symmetry": "rotation:3"}, {"tile": True}, {"one_line": True}]
)
@pytest.mark.parametrize("where", [{"regions": ("a cat@left",)}, {"scene": "on"}])
def test_what_is_seen_all_over_is_not_within_regions(hand, where):
    with pytest.raises(ConfigError, match="and hand do not go together: what is symmetric"):
        resolve("a cat", {"hand": hand, **where})


def test_a_symmetric_drawing_reads_no_scene_by_itself(encoder):
    config = resolve("a cat on a dog", {"hand": {"symmetry": "mirror"}})
    assert config.read_scene(encoder) is None


class Imagining(TinyEncoder):
    """An encoder to which everything looks like a red square."""

    @property
    def prior(self):
        return self

    def sample(self, text):
        picture = torch.ones(1, 3, 16, 16)
        picture[:, 1:, 4:12, 4:12] = 0
        return picture


COMBINED = [
    {"background": "none"}, {"background": "#203040"}, {"background": "optimized"}, {"shape": "fill"},
    {"shape": "both"}, {"pen": {"palette": ("#ff0000", "#0000ff")}}, {"pen": {"ink": "black"}},
    {"hand": {"grid": 16.0}}, {"hand": {"margin": 20.0}}, {"center": {"radius": 60.0}}, {"canvas": (100.0, 60.0)},
]  # fmt: skip


@pytest.mark.parametrize("settings", [{"preset": "paper"}, *COMBINED])
def test_regions_go_together_with_all_else(settings):
    common = {"strokes": 6, "steps": 1, "views.count": 1, "regions": ("a sun@left", "a key@right")}
    step = resolve("a park", common | settings).build(Imagining()).begin().step()
    assert not step.dropped
    points = torch.stack([one.mean(0) for one in step.drawing.stroke_points()])
    middle = step.drawing.canvas.width / 2
    assert (points[:3, 0] < middle).all()
    assert (points[3:, 0] > middle).all()
