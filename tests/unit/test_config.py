import pytest

from clipdraw.config import Config, from_dict, parse_canvas, presets, resolve
from clipdraw.errors import ConfigError, InputError


def test_options_win_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('preset = "paper"\nsteps = 7\nstrokes = 9\n')
    config = resolve("a cat", {"strokes": 11, "views": None}, file=file)
    assert (config.preset, config.views, config.steps, config.strokes) == ("paper", 8, 7, 11)
    assert not config.normalize


@pytest.mark.parametrize(
    ("name", "strokes", "steps", "views", "normalize", "outside"),
    [
        ("paper", 256, 250, 8, False, "white"),
        ("notebook", 256, 1000, 4, False, "white"),
        ("article", 256, 600, 4, True, "black"),
    ],
)
def test_the_published_presets(name, strokes, steps, views, normalize, outside):
    config = resolve("a cat", {"preset": name})
    got = config.strokes, config.steps, config.views, config.normalize, config.outside
    assert got == (strokes, steps, views, normalize, outside)
    assert (config.points_rate, config.width_rate, config.color_rate) == (1.0, 0.2, 0.01)
    assert config.width_range == (2.0, 100.0)
    assert config.points_schedule == "published"
    assert [loss.name for loss in config.losses()] == ["a cat", "centre"] if name == "article" else ["a cat"]


def test_every_preset_says_what_it_is_for_and_resolves():
    for name, settings in presets().items():
        assert settings["about"]
        resolve("a cat", {"preset": name}).recipe()


def test_a_configuration_survives_plain_values():
    config = resolve("a cat", {"canvas": (320.0, 180.0), "also": ("wool:2",), "negative": ("text:0.5",)})
    assert from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strokes": 0}, "strokes must be from 1"),
        ({"steps": -3}, "steps must be from 1"),
        ({"views": 10**6}, "views must be from 1 to 1024"),
        ({"canvas": (0.0, 5.0)}, "canvas side must be"),
        ({"seed": -1}, "seed must be"),
        ({"strokes": "many"}, "strokes is of type int"),
        ({"strokes": True}, "strokes is of type int"),
        ({"segments": (1, 2, 3)}, "segments is a list like"),
        ({"colour": 1}, "no setting 'colour'"),
        ({"preset": "nope"}, "no preset 'nope'; there are: default"),
        ({"points_schedule": "linear"}, "points_schedule is one of"),
        ({"width_range": (5.0, 1.0)}, "width_range"),
        ({"encoder": ()}, "no encoder"),
    ],
)
def test_wrong_settings_are_refused_with_what_is_allowed(settings, message):
    with pytest.raises(ConfigError, match=message):
        resolve("a cat", settings)


def test_a_file_that_is_not_toml_is_named(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text("steps = = 3")
    with pytest.raises(ConfigError, match=r"bad\.toml: not a TOML file"):
        resolve("a cat", {}, file=file)
    with pytest.raises(ConfigError, match="cannot be read"):
        resolve("a cat", {}, file=tmp_path / "none.toml")


@pytest.mark.parametrize(("text", "size"), [("224", (224, 224)), ("320x180", (320, 180)), ("1.5X2", (1.5, 2))])
def test_a_canvas_is_a_side_or_two(text, size):
    assert parse_canvas(text) == size


@pytest.mark.parametrize("text", ["", "axb", "10x", "-5", "1x2x3"])
def test_other_canvases_are_refused(text):
    with pytest.raises(InputError, match="224 or 320x180"):
        parse_canvas(text)


def test_encoders_have_weights():
    judges = Config("a", encoder=("builtin", "owner/model-32:2", "./folder:0.5")).judges()
    assert judges == {"builtin": 1.0, "owner/model-32": 2.0, "./folder": 0.5}
    for encoder, message in ((("a/b:0",), "above 0"), (("builtin", "builtin:2"), "named twice")):
        with pytest.raises(ConfigError, match=message):
            Config("a", encoder=encoder)


def test_the_losses_are_the_prompts_and_the_negatives():
    losses = Config("a cat:2", also=("watercolor:0.5",), negative=("text", "mess:1.5")).losses()
    pairs = [(loss.text, loss.weight) for loss in losses]
    assert pairs == [("a cat", 2.0), ("watercolor", 0.5), ("text", -0.3), ("mess", -1.5)]


def test_the_weightiest_prompt_is_imagined(encoder):
    config = resolve("watercolor:0.5", {"also": ("a cat", "a dog")})
    assert config.losses()[-1].text == "a cat"
    assert config.start(encoder).text == "a cat"


def test_a_file_says_what_was_asked_for():
    assert Config("a cat", seed=2).about() == {"prompt": "a cat", "seed": "2"}
    lines = Config("a cat", also=("wool\nand  silk",)).about()["prompts"]
    assert lines == "a cat\nwool and silk"
    config = Config("a cat:2", also=("wool",), negative=("text", "mess:1.5"))
    assert config.about() == {
        "prompt": "a cat:2, wool, not text, not mess:1.5",
        "prompts": "a cat:2\nwool",
        "negative": "text\nmess:1.5",
        "seed": "0",
    }
