import pytest

from clipdraw.cli.options import named, parse_canvas, toml_value
from clipdraw.errors import ConfigError, InputError


@pytest.mark.parametrize(("text", "size"), [("224", (224, 224)), ("320x180", (320, 180)), ("1.5X2", (1.5, 2))])
def test_a_canvas_is_a_side_or_two(text, size):
    assert parse_canvas(text) == size


@pytest.mark.parametrize("text", ["", "axb", "10x", "-5", "1x2x3"])
def test_other_canvases_are_refused(text):
    with pytest.raises(InputError, match="224 or 320x180"):
        parse_canvas(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("[1, 2]", [1, 2]),
        ("true", True),
        ("ring", "ring"),
        ("a b", "a b"),
        ("1" * 5000,) * 2,
        ("[" * 5000,) * 2,
    ],
)
def test_values_are_toml_or_text(text, value):
    assert toml_value(text) == value


def test_pairs_have_an_equals_sign():
    assert list(named(["a = 1", "b=c=d"], "--set NAME=VALUE")) == [("a", " 1"), ("b", "c=d")]
    for pair in ("a", "=1", " =1"):
        with pytest.raises(ConfigError, match="--set takes NAME=VALUE, got"):
            list(named([pair], "--set NAME=VALUE"))
