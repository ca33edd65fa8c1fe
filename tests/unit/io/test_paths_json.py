"""The published JSON form of paths."""

import json
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.errors import FormatError, InputError
from clipdraw.io.paths_json import from_json, to_json
from clipdraw.optimization.start import RandomStrokes

PATH = {
    "points": [[10, 20], [30, 10.5], [50, 40], [70, 20]],
    "num_control_points": [2],
    "stroke_width": 1.5,
    "stroke_color": [0.9, 0.1, 0, 1.00001],
}


def test_the_published_form_is_read():
    drawing = from_json(json.dumps([PATH]))
    assert drawing.points.tolist() == PATH["points"]
    assert drawing.segments == (1,)
    assert drawing.widths.tolist() == [3.0], "half widths become full ones"
    assert torch.equal(drawing.colors, torch.tensor([[0.9, 0.1, 0.0, 1.0]]))
    assert drawing.canvas == Canvas(224, 224)
    assert drawing.background.tolist() == [1, 1, 1]


def test_the_published_form_is_written(drawing):
    paths = json.loads(to_json(drawing))
    assert [path["num_control_points"] for path in paths] == [[2] * count for count in drawing.segments]
    assert [len(path["points"]) for path in paths] == list(drawing.point_counts())
    assert [path["stroke_width"] for path in paths] == [width / 2 for width in drawing.widths.tolist()]
    assert all(set(path) == set(PATH) for path in paths)
    assert not re.search(r"[\[ ]\d+[,\]]", re.sub(r'"num_control_points": \[[2, ]*\]', "", to_json(drawing))), (
        "the predictor takes no whole numbers where it expects fractions"
    )


@given(st.integers(0, 1000), st.sampled_from([(224, 224), (320, 180.5)]), st.floats(0, 1, width=32))
def test_reading_gives_what_was_written(seed, sides, gray):
    made = RandomStrokes(5, width=0.3)(Canvas(*sides), torch.Generator().manual_seed(seed))
    drawing = Drawing(made.points, made.widths, made.colors, made.segments, made.canvas, torch.full((3,), gray))
    again = from_json(to_json(drawing))
    assert again.segments == drawing.segments
    assert again.canvas == drawing.canvas
    for name in ("points", "widths", "colors", "background"):
        assert torch.equal(getattr(again, name), getattr(drawing, name)), name


def test_files(drawing, tmp_path):
    drawing.save(tmp_path / "x.json")
    again = Drawing.load(tmp_path / "x.json")
    assert torch.equal(again.points, drawing.points)
    again.save(tmp_path / "x.svg")
    assert torch.equal(Drawing.load(tmp_path / "x.svg").widths, drawing.widths)


def test_an_empty_drawing():
    drawing = from_json("[]")
    assert len(drawing) == 0
    assert to_json(drawing) == "[]"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "not a list of paths"),
        ("{}", "not a list of paths"),
        ("[3]", "path 1 is 3, not an object"),
        ([PATH, {}], "path 2 has no points"),
        ([PATH | {"points": 3}], "no list"),
        ([PATH | {"points": [[1, 2]] * 5}], "path 1 has 5 points; cubic segments have 4, 7, 10, ..."),
        ([PATH | {"points": [[1, 2, 3]] * 4}], "a point of path 1 is [1, 2, 3], not 2 numbers"),
        ([PATH | {"points": [[1, "2"]] * 4}], "not 2 numbers"),
        ([PATH | {"points": [[1, 1e9]] * 4}], "must lie within"),
        ([PATH | {"points": [[1, 10**400]] * 4}], "must lie within"),
        ([PATH | {"num_control_points": [2, 2]}], "not 2 a segment"),
        ([PATH | {"num_control_points": [1]}], "not 2 a segment"),
        ([PATH | {"stroke_width": -1}], "must lie within 0 and"),
        ([PATH | {"stroke_width": True}], "not 1 number"),
        ([PATH | {"stroke_width": float("nan")}], "NaN is no number"),
        ([PATH | {"stroke_color": [0, 0, 0]}], "not 4 numbers"),
        ({"paths": [PATH], "canvas": [0, 3]}, "must lie within"),
        ({"paths": [PATH], "background": "white"}, "not 3 numbers"),
    ],
)
def test_what_is_refused(content, message, tmp_path):
    file = tmp_path / "x.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(FormatError, match=re.escape(message)) as error:
        Drawing.load(file)
    assert str(file) in str(error.value)


def test_other_paths_than_strokes_are_not_written(drawing, tmp_path):
    filled = Drawing(
        drawing.points[:4], drawing.widths[:1], drawing.colors[:1], (1,), styles=(Style(fill="nonzero"),),
        fills=drawing.colors[:1],
    )  # fmt: skip
    with pytest.raises(InputError, match="save drawings with other paths as SVG"):
        filled.save(tmp_path / "x.json")
    assert not list(tmp_path.iterdir())


def test_no_text_is_a_format_error(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe[")
    with pytest.raises(FormatError, match="not text"):
        Drawing.load(tmp_path / "x.json")


def test_a_drawing_without_a_background_stays_so():
    drawing = Drawing(torch.rand(4, 2), torch.ones(1), torch.rand(1, 4), (1,), background=None)
    assert json.loads(to_json(drawing))["background"] is None
    assert from_json(to_json(drawing)).background is None
