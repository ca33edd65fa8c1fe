"""Media are rules for strokes and paper that go by one name."""

import pytest

from clipdraw.config import from_dict, resolve
from clipdraw.config.media import media, medium_of
from clipdraw.encoders import load_encoder
from clipdraw.errors import ConfigError

QUICK = {"strokes": 9, "steps": 2, "views.count": 1, "resolution": 32, "prior.weight": 0.0}


@pytest.fixture(scope="module")
def builtin():
    return load_encoder("builtin")


@pytest.mark.parametrize(
    ("prompt", "medium"),
    [
        ("watercolor painting of an underwater submarine", "watercolor"),
        ("a cat, pencil sketch", "pencil"),
        ("A NEON sign", "neon"),
        ("a line drawing of a horse in ink", "line"),
        ("a woodblock print of a wave", "woodcut"),
        ("pixel art of a sword", "pixel"),
        ("an inkwell", "none"),
        ("a cat", "none"),
    ],
)
def test_a_medium_in_the_prompt_is_taken_over(prompt, medium):
    assert resolve(prompt, {}).medium == medium


def test_the_first_of_two_media_counts_and_a_named_one_most():
    assert resolve("a neon sign in watercolor", {}).medium == "neon"
    assert resolve("a cat", {"also": ("in crayon",)}).medium == "crayon"
    assert resolve("a neon sign", {"medium": "pencil"}).medium == "pencil"
    plain = resolve("a neon sign", {"medium": "none"})
    assert plain.background == "white"
    assert plain.medium == "none"


def test_presets_of_the_paper_draw_as_published_whatever_the_prompt_says():
    for preset in ("paper", "notebook", "predictor", "article"):
        assert resolve("watercolor painting of a submarine", {"preset": preset}).medium == "none"
    assert resolve("watercolor painting of a submarine", {"preset": "clip"}).medium == "watercolor"


def test_a_medium_stands_between_the_preset_and_what_is_asked_for():
    plain, watercolor = resolve("a cat", {}), resolve("a cat", {"medium": "watercolor"})
    assert watercolor.background != plain.background
    assert watercolor.pen.opacity == media()["watercolor"].settings["pen"]["opacity"]
    assert watercolor.steps == plain.steps
    assert resolve("a cat", {"medium": "watercolor", "background": "none"}).background == "none"
    assert from_dict(watercolor.to_dict()) == watercolor


def test_an_unknown_medium_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no medium 'oil'; there are: auto, none, watercolor, ink"):
        resolve("a cat", {"medium": "oil"})
    with pytest.raises(ConfigError, match="medium is one of none, watercolor"):
        from_dict({"prompt": "a cat", "medium": "auto"})


def test_no_word_asks_for_two_media():
    words = [word for medium in media().values() for word in medium.words]
    assert len(set(words)) == len(words)
    assert all(medium_of("auto", [word]) is medium for medium in media().values() for word in medium.words)


@pytest.mark.parametrize("name", media())
def test_every_medium_draws_by_its_rules(name, builtin):
    config = resolve("an apple", {**QUICK, "medium": name})
    run = config.build(builtin).begin()
    for _ in range(config.steps):
        step = run.step()
    drawing, pen = step.drawing, config.pen
    assert not step.dropped
    if pen.ink:
        assert len({tuple(color[:3]) for color in drawing.colors.tolist()}) == 1
    if pen.palette and name != "pixel":
        used = {tuple(color[:3]) for color in drawing.colors.tolist()}
        assert len(used) <= len(pen.palette)
    if pen.width and not pen.glow:
        assert drawing.widths.tolist() == pytest.approx([pen.width] * len(drawing))
    assert {style.cap for style in drawing.styles} <= {pen.cap}
    assert (drawing.styles == () or not drawing.styles[0].fill) == (config.shape == "stroke")
