"""How the options of `clipdraw compare` become rows."""

import pytest

from clipdraw.cli.compare import _rows
from clipdraw.config import resolve
from clipdraw.errors import ConfigError, InputError
from clipdraw.runs.sweep import plans


def test_prompts_and_seeds_are_rows_of_the_preset_paper():
    rows = _rows(["a cat", "a dog"], [3, 4], {"strokes": 7}, None)
    assert rows == [
        resolve(prompt, {"preset": "paper", "strokes": 7, "seed": seed})
        for prompt in ("a cat", "a dog")
        for seed in (3, 4)
    ]


def test_a_preset_or_a_file_is_taken_instead(tmp_path):
    assert _rows(["a cat"], [], {"preset": "fast"}, None) == [resolve("a cat", {"preset": "fast"})]
    file = tmp_path / "a.toml"
    file.write_text("views = 3\nstrokes = 5\n")
    assert _rows(["a cat"], [], {"strokes": 6}, file) == [resolve("a cat", {"views.count": 3, "strokes": 6})]


def test_a_figure_of_the_paper_has_its_prompts_and_its_method():
    rows = _rows([], [], {"preset": "figure-3"}, None)
    assert [row.prompt for row in rows] == list(plans()["figure-3"].prompts)
    assert {row.preset for row in rows} == {"paper"}
    (row,) = _rows(["a cat"], [2], {"preset": "figure-3", "views.count": 1}, None)
    assert row == resolve("a cat", {"preset": "paper", "seed": 2, "views.count": 1})
    pairs = _rows([], [], {"preset": "figure-8"}, None)
    assert [row.negative for row in pairs[:2]] == [(), ("Words and text",)]


def test_rows_need_prompts_that_differ():
    with pytest.raises(InputError, match="a comparison needs prompts"):
        _rows([], [], {"preset": "fast"}, None)
    with pytest.raises(ConfigError, match="the same drawing twice"):
        _rows(["a cat", "a cat"], [], {}, None)
    with pytest.raises(ConfigError, match="no preset 'figure-9'"):
        _rows(["a cat"], [], {"preset": "figure-9"}, None)
