import pytest

from clipdraw.config.prompts import (
    parse_prompts,
    parse_region,
    parse_weighted,
    region_with_absolute_path,
    title_of,
    written,
)
from clipdraw.errors import InputError
from clipdraw.framing import Box
from clipdraw.optimization.losses import Prompt


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("text", ("text", 1.0)),
        ("text:2", ("text", 2.0)),
        ("text:.5 ", ("text", 0.5)),
        ("text:2e-1", ("text", 0.2)),
        ("a: b:2", ("a: b", 2.0)),
        ("ratio 3: four", ("ratio 3: four", 1.0)),
        ("chapter: 2", ("chapter: 2", 1.0)),
        ("text:nan", ("text:nan", 1.0)),
        ("text:", ("text:", 1.0)),
        (":2", (":2", 1.0)),
        ("12:30 on a clock", ("12:30 on a clock", 1.0)),
        ("a clock at 12:30", ("a clock at 12:30", 1.0)),
        ("a clock at 12:30:2", ("a clock at 12:30:2", 1.0)),
        ("apollo 11:0.5", ("apollo 11", 0.5)),
        ('"Time: 12:30"', ("Time: 12:30", 1.0)),
        ('"a clock at 12:30":2', ("a clock at 12:30", 2.0)),
        ('"a cat:2"', ("a cat:2", 1.0)),
        ('a sign "open":2', ('a sign "open"', 2.0)),
        ('"yes" or "no"', ('"yes" or "no"', 1.0)),
        ("自転車:2", ("自転車", 2.0)),
    ],
)
def test_a_weight_follows_the_last_colon(text, parsed):
    assert parse_weighted(text) == parsed


@pytest.mark.parametrize("weight", ["0", "-0.5", "1e999"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_weight_is_above_0(weight, quote):
    text = f"{quote}a cat{quote}:{weight}"
    with pytest.raises(InputError) as error:
        parse_weighted(text)
    assert str(error.value) == (
        f"a weight is above 0, got {weight} in {text!r}: what to stay away from is a negative prompt; double quotes "
        "make all of it text"
    )


def test_the_weight_may_be_left_to_the_caller():
    assert parse_weighted("text", 0.3) == ("text", 0.3)
    assert parse_weighted('"text"', 0.3) == ("text", 0.3)
    assert parse_weighted('"text":2', 0.3) == ("text", 2.0)


def test_prompts_of_both_signs_have_their_usual_weights():
    prompts = parse_prompts(("a cat", "wool:0.5"), ("text", "mess:2"))
    assert [(p.text, p.weight) for p in prompts] == [("a cat", 1.0), ("wool", 0.5), ("text", -0.3), ("mess", -2.0)]
    assert title_of(prompts) == "a cat, wool:0.5, not text, not mess:2"


@pytest.mark.parametrize("blank", ["", "  ", '""', '" ":2'])
def test_blank_texts_are_refused(blank):
    with pytest.raises(InputError, match="prompt is empty"):
        parse_prompts(("a cat",), (blank,))


@pytest.mark.parametrize("text", ["a cat", "a cat:2", "12:30", "9:30 sharp", "a: b"])
@pytest.mark.parametrize("weight", [1.0, 0.5, 2.0, 3.0])
def test_what_is_written_is_read_back(text, weight):
    assert parse_weighted(written(Prompt(text, weight))) == (text, weight)


@pytest.mark.parametrize(
    ("text", "words", "weight", "box"),
    [
        ("a sailboat@left", "a sailboat", 1.0, Box(0, 0, 0.5, 1)),
        ("a sun:2 @ Top Right", "a sun", 2.0, Box(0.5, 0, 1, 0.5)),
        ("a@b@center", "a@b", 1.0, Box(0.25, 0.25, 0.75, 0.75)),
        ('"12@noon:3"@bottom', "12@noon:3", 1.0, Box(0, 0.5, 1, 1)),
        ("a key@center third", "a key", 1.0, Box(1 / 3, 0, 2 / 3, 1)),
        ("a key@top-left", "a key", 1.0, Box(0, 0, 0.5, 0.5)),
        ("a key@10, 20,40.5,60", "a key", 1.0, Box(0.1, 0.2, 0.405, 0.6)),
        ("a sky@background", "a sky", 1.0, Box()),
        ("a sky@masks/of the sky.SVG", "a sky", 1.0, Box()),
    ],
)
def test_regions_have_a_text_and_a_place(text, words, weight, box):
    region = parse_region(text)
    assert (region.prompt.text, region.prompt.weight) == (words, weight)
    assert tuple(region.box) == pytest.approx(tuple(box))
    assert region.background == text.endswith("background")
    assert region.mask == ("masks/of the sky.SVG" if "SVG" in text else "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a sailboat", 'a region is written "TEXT@PLACE"'),
        ("@left", 'a region is written "TEXT@PLACE"'),
        ("a cat@", 'a region is written "TEXT@PLACE"'),
        ("a cat@somewhere", "there is no place 'somewhere'; a place is top left, top right"),
        ("a cat@10,20,30", "there is no place"),
        ("a cat@10,20,5,60", "a box is left,top,right,bottom in percent"),
        ("a cat@10,20,50,160", "a box is left,top,right,bottom in percent"),
        ("a cat:0@left", "a weight is above 0"),
    ],
)
def test_other_regions_are_refused(text, message):
    with pytest.raises(InputError) as error:
        parse_region(text)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_masks_are_found_from_every_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert region_with_absolute_path("a cat:2@mask.png") == f"a cat:2@{tmp_path / 'mask.png'}"
    assert region_with_absolute_path("a cat:2@left") == "a cat:2@left"
