"""How the options of `clipdraw sweep` become a plan."""

import pytest

from clipdraw.cli.sweep import _axis, _plan, _seeds
from clipdraw.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seeds"), [("3", (3,)), ("0,2", (0, 2)), ("0-3", (0, 1, 2, 3)), ("5, 1-2", (5, 1, 2))]
)
def test_seeds(text, seeds):
    assert _seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "-1", "1,", "1-", "3-2"])
def test_no_seeds(text):
    with pytest.raises(ConfigError, match="seeds are written"):
        _seeds(text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("8, 16", (8, 16)),
        ("disc,ring", ("disc", "ring")),
        ("true,0.5", (True, 0.5)),
        ("[[1, 1], [2, 3]]", ([1, 1], [2, 3])),
        ("a [b,c", ("a [b", "c")),
    ],
)
def test_values(text, values):
    assert _axis("name", text) == ("name", values)


def test_a_sweep_that_ships_with_a_preset_of_draw_and_other_prompts():
    name, plan = _plan(["a dog"], None, None, ["fast", "figure-5"])
    assert (name, plan.prompts, len(plan.styles), plan.settings) == ("figure-5", ("a dog",), 6, {"preset": "fast"})


def test_a_folder_without_prompts_goes_on(tmp_path):
    assert _plan(["a"], tmp_path, None, [])[1].prompts == ("a",)
    (tmp_path / "sweep.json").write_text('{"plan": {"prompts": ["b"], "seeds": [4]}}')
    assert _plan([], tmp_path, None, [])[1].seeds == (4,)


def test_files_that_cannot_be_read_and_sweeps_that_are_two(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        _plan([], None, tmp_path / "none.toml", [])
    (tmp_path / "bad.toml").write_text("= 3")
    with pytest.raises(ConfigError, match="not a TOML file"):
        _plan([], None, tmp_path / "bad.toml", [])
    with pytest.raises(ConfigError, match=r"no preset 'figure-9'; there are: figure-\d, .*, article"):
        _plan([], None, None, ["figure-9"])
    for presets in (["figure-5", "figure-6"], ["fast", "paper"]):
        with pytest.raises(ConfigError, match="one sweep and one preset of draw"):
            _plan(["a"], None, None, presets)
