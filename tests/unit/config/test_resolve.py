import json
from dataclasses import asdict

import pytest

from clipdraw.config import (
    DEFAULTS,
    OLD_NAMES,
    Config,
    by_full_name,
    fingerprint,
    from_dict,
    presets,
    resolve,
    settings_of,
)
from clipdraw.errors import ConfigError

OLD_VALUES = {
    "encoder": ["builtin:2"], "normalize": False, "segments": [2, 2], "start_reach": 0.1, "start_width": 3.0,
    "start_opacity": [0.2, 0.3], "start_spread": 0.5, "likeness": 4.0, "likeness_until": 0.5, "ink": 0.2, "views": 3,
    "augment": False, "view_distortion": 0.1, "view_area": [0.5, 0.6], "outside": "gray", "points_rate": 2.0,
    "width_rate": 0.3, "color_rate": 0.02, "points_schedule": "cosine", "other_schedule": "published",
    "width_range": [1.0, 9.0], "least_opacity": 0.1, "keep_on_canvas": True, "centre_radius": 50.0,
    "centre_weight": 0.02, "centre_power": 1.5, "centre_kind": "ring", "centre_on": "ink", "film_kinds": ["strokes"],
    "film_formats": ["gif"], "film_length": 1.0, "film_hold": 0.5, "film_size": 64, "film_fps": 5,
}  # fmt: skip
"""A value other than the default for each old name."""


def test_options_win_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('preset = "paper"\nsteps = 7\nstrokes = 9\njudge.precision = "float32"\n[rates]\ncolor = 0.5\n')
    config = resolve("a cat", {"strokes": 11, "views": None, "rates": {"width": 0.7}}, file=file)
    assert (config.preset, config.views.count, config.steps, config.strokes) == ("paper", 8, 7, 11)
    assert (config.judge.normalize, config.judge.precision) == (False, "float32")
    assert (config.rates.color, config.rates.width, config.rates.points) == (0.5, 0.7, 1.0)


@pytest.mark.parametrize(
    ("name", "steps", "views", "normalize", "outside"),
    [
        ("paper", 250, 8, False, "white"),
        ("notebook", 1000, 4, False, "white"),
        ("predictor", 1000, 4, True, "black"),
        ("article", 600, 4, True, "black"),
    ],
)
def test_the_published_presets(name, steps, views, normalize, outside):
    config = resolve("a cat", {"preset": name})
    got = config.steps, config.views.count, config.judge.normalize, config.views.outside
    assert got == (steps, views, normalize, outside)
    assert (config.strokes, config.resolution, config.canvas) == (256, 224, (224.0, 224.0))
    assert (config.views.distortion, config.views.area) == (0.5, (0.7, 0.9))
    assert (config.start.segments, config.start.width, config.start.reach) == ((1, 3), 2.0, 0.05)
    assert (config.prior.weight, config.opacity_weight, config.start.opacity) == (0.0, 0.0, (0.0, 1.0))
    rates = config.rates
    assert (rates.points, rates.width, rates.color, rates.points_schedule) == (1.0, 0.2, 0.01, "published")
    assert config.constraints.width_range == (2.0, 100.0)
    assert config.center.weight == (0.001 if name == "article" else 0)


def test_every_preset_says_what_it_is_for_and_resolves():
    for name, settings in presets().items():
        assert settings["about"]
        assert resolve("a cat", {"preset": name}).preset == name


def test_a_preset_has_what_its_base_has_and_it_does_not_change():
    default, fast = (settings_of(resolve("a cat", {"preset": name})) for name in ("default", "fast"))
    changed = {name for name in default if default[name] != fast[name]}
    assert changed == {"preset", "strokes", "steps", "views.count"}
    assert (fast["views.count"], fast["views.distortion"]) == (6, 0.4)


@pytest.mark.parametrize(
    ("encoders", "preset"),
    [
        (None, "default"),
        (["builtin:2"], "default"),
        (["openai/clip-vit-base-patch32", "builtin"], "default"),  # whose prior there is
        (["openai/clip-vit-base-patch32:2"], "clip"),
        (["ViT-B/32", "google/siglip-base-patch16-224"], "clip"),
    ],
)
def test_the_preset_goes_with_the_encoders_unless_one_is_named(encoders, preset, tmp_path):
    assert resolve("a cat", {"encoder": encoders}).preset == preset
    assert resolve("a cat", {"encoder": encoders, "preset": "fast"}).preset == "fast"
    file = tmp_path / "a.toml"
    file.write_text(f"judge.encoders = {json.dumps(encoders or ['builtin'])}")
    assert resolve("a cat", {}, file=file).preset == preset
    file.write_text("preset = 'paper'")
    assert resolve("a cat", {"encoder": encoders}, file=file).preset == "paper"


def test_what_a_clip_model_is_given_is_the_papers_method_with_normalized_pixels():
    named, paper = (settings_of(resolve("a cat", {"preset": name})) for name in ("clip", "paper"))
    different = {name for name in named if named[name] != paper[name]}
    assert different == {"preset", "judge.normalize"}
    assert named["judge.normalize"]


def test_an_encoder_that_is_a_path_is_kept_as_an_absolute_one(tmp_path, monkeypatch):
    (tmp_path / "here" / "clip").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    config = resolve("a cat", {"encoder": ["./clip:2", "builtin:1.0", "owner/clip"]})
    assert config.judge.encoders == (f"{tmp_path / 'here' / 'clip'}:2", "builtin:1.0", "owner/clip")
    monkeypatch.chdir(tmp_path)
    assert resolve("a cat", {"encoder": ["here/clip:2", "builtin:1.0", "owner/clip"]}) == config
    assert from_dict(config.to_dict()) == config


def test_every_old_name_means_a_setting_of_its_own():
    assert set(OLD_VALUES) == set(OLD_NAMES)
    assert len(set(OLD_NAMES.values())) == len(OLD_NAMES)
    found = settings_of(from_dict({"prompt": "a cat", **OLD_VALUES}))
    for old, new in OLD_NAMES.items():
        value = OLD_VALUES[old]
        assert found[new] == (tuple(value) if isinstance(value, list) else value) != DEFAULTS[new], old


def test_old_names_are_read_everywhere(tmp_path):
    file = tmp_path / "old.toml"
    file.write_text("likeness = 5.0\nviews = 3\n")
    config = resolve("a cat", {"centre_weight": 0.01, "encoder": ["builtin"]}, file=file)
    assert (config.prior.weight, config.views.count, config.center.weight) == (5.0, 3, 0.01)
    assert by_full_name({"views": 4, "film": {"size": 32}}) == {"views.count": 4, "film.size": 32}


def test_a_keyword_may_join_group_and_setting_by_an_underscore():
    config = resolve(
        "a cat", {"judge_precision": "bfloat16", "center_radius": 40.0, "rates_points_schedule": "constant"}
    )
    assert (config.judge.precision, config.center.radius) == ("bfloat16", 40.0)
    assert config.rates.points_schedule == "constant"


def test_the_last_of_two_names_for_one_setting_counts():
    assert resolve("a cat", {"ink": 0.5, "opacity_weight": 0.25}).opacity_weight == 0.25
    assert resolve("a cat", {"opacity_weight": 0.25, "ink": 0.5}).opacity_weight == 0.5


def test_any_setting_of_the_center_turns_it_on_unless_the_weight_says_otherwise(tmp_path):
    assert resolve("a cat", {}).center.weight == 0
    assert resolve("a cat", {"center": {"kind": "pull"}}).center.weight == 0.001
    assert resolve("a cat", {"centre_radius": 50.0, "center.weight": 0.0}).center.weight == 0
    assert resolve("a cat", {"center_radius": 50.0, "centre_weight": 0.02}).center.weight == 0.02
    (tmp_path / "a.toml").write_text("center.radius = 40.0")
    assert resolve("a cat", {}, file=tmp_path / "a.toml").center.weight == 0.001
    assert resolve("a cat", {"preset": "article", "centre_kind": "ring"}).center.weight == 0.001


def test_a_configuration_survives_plain_values():
    config = resolve("a cat", {"canvas": (320.0, 180.0), "also": ("wool:2",), "negative": ("text:0.5",)})
    assert from_dict(config.to_dict()) == config
    assert from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert from_dict(settings_of(config)) == config
    assert config.to_dict() == asdict(config)


def error_of(settings, **arguments):
    with pytest.raises(ConfigError) as error:
        resolve("a cat", settings, **arguments)
    return str(error.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strokes": "many"}, "strokes is of type int, got 'many'"),
        ({"strokes": True}, "strokes is of type int, got True"),
        ({"strokes": 3.0}, "strokes is of type int, got 3.0"),
        ({"start_reach": True}, "start.reach is of type float, got True"),
        ({"prompt": 3}, "prompt is of type str, got 3"),
        ({"segments": (1, 2, 3)}, "start.segments is a list like [1, 3], got (1, 2, 3)"),
        ({"segments": (1, 2.5)}, "start.segments is a list like [1, 3], got (1, 2.5)"),
        ({"segments": 2}, "start.segments is a list like [1, 3], got 2"),
        ({"judge": {"encoders": "builtin"}}, "judge.encoders is a list like ['builtin'], got 'builtin'"),
        ({"also": "wool"}, "also is a list like [], got 'wool'"),
        ({"also": [3]}, "also is a list like [], got [3]"),
    ],
)
def test_values_of_the_wrong_type_are_refused(settings, message):
    with pytest.raises(ConfigError) as error:
        from_dict({"prompt": "a cat", **settings})
    assert str(error.value) == message


def test_whole_numbers_are_numbers_too():
    config = from_dict({"prompt": "a", "canvas": [320, 180], "start_reach": 1, "film_kinds": [], "also": ["b", "c"]})
    assert (config.canvas, config.start.reach) == ((320.0, 180.0), 1.0)
    assert type(config.canvas[0]) is type(config.start.reach) is float
    assert (config.film.kinds, config.also) == ((), ("b", "c"))


@pytest.mark.parametrize(
    ("settings", "name"), [({"colour": 1}, "colour"), ({"judge": {"size": 1}}, "judge.size"), ({"judge": "a"}, "judge")]
)
def test_unknown_settings_are_refused_with_those_there_are(settings, name):
    assert error_of(settings) == f"there is no setting {name!r}; there are: {', '.join(DEFAULTS)}"


def test_unknown_presets_are_refused_with_those_there_are():
    message = "there is no preset 'nope'; there are: default, fast, paper, clip, notebook, predictor, article"
    assert error_of({"preset": "nope"}) == message


def test_values_without_a_prompt_are_refused():
    with pytest.raises(ConfigError) as error:
        from_dict({"strokes": 3})
    assert str(error.value) == 'no prompt: say what to draw, for example prompt = "a bonfire"'


@pytest.mark.parametrize(
    "content", [b"steps = = 3", b'also = ["\xff"]', b"steps = " + b"1" * 5000, b"steps = " + b"[" * 5000]
)
def test_a_file_that_is_not_toml_is_named(content, tmp_path):
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    assert error_of({}, file=file).startswith(f"{file}: not a TOML file: ")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    file = tmp_path / "none.toml"
    assert error_of({}, file=file) == f"{file}: cannot be read: No such file or directory"


def test_texts_in_a_file_may_be_in_any_language(tmp_path):
    (tmp_path / "a.toml").write_bytes('also = ["自転車"]'.encode())
    assert resolve("a cat", {}, file=tmp_path / "a.toml").also == ("自転車",)


def test_a_fingerprint_is_of_what_is_drawn_and_stays_as_names_change():
    def of(**settings):
        return fingerprint(resolve("a cat", settings))

    assert of()[:6] == "951ae6"  # all of it before
    assert of(preset="article", ink=0.5, views=3, resolution=0)[:6] == "f27a0d"
    one, other = (fingerprint(Config("a cat", opacity_weight=weight)) for weight in (0.4854, 0.5877))
    assert one[:6] == other[:6]  # so that a sweep of both was refused, as one of two that were the same
    assert (one, other) == ("073e5980e62b", "073e5951d77a")
    assert of() == of(threads=3) == of(device="cpu")
    assert len({of(), of(steps=3), of(seed=1), of(judge_precision="float32")}) == 4
    assert of(judge_precision="auto") == of()
