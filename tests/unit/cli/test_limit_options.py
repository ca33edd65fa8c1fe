"""The options for the most time and memory, and what a passed limit looks like."""

import inspect

import pytest

from clipdraw.cli import files
from clipdraw.cli.draw import draw, resume
from clipdraw.cli.plot import plot
from clipdraw.errors import LimitError
from clipdraw.io import load_drawing
from clipdraw.limits import Limits

DOT = '<path d="M1 1h1" stroke="red"/>'


@pytest.fixture
def drawing(tmp_path):
    file = tmp_path / "x.svg"
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{DOT * 9000}</svg>')
    return file


READING = [files.rasterize, files.convert, files.score, files.explain, files.views, files.film, draw, resume, plot]


@pytest.mark.parametrize("command", READING)
def test_commands_that_read_drawings_have_both_options(command):
    parameters = inspect.signature(command).parameters
    assert parameters["limit_seconds"].default == Limits().seconds
    assert parameters["limit_megabytes"].default == Limits().megabytes


def test_a_command_ends_at_its_limit(drawing, tmp_path):
    out = tmp_path / "x.json"
    with pytest.raises(LimitError, match=r"^reading .*x\.svg took longer than 0\.02 seconds"):
        files.convert(file=drawing, out=out, quiet=True, limit_seconds=0.02, limit_megabytes=100.0)
    assert not out.exists()


def test_a_run_from_a_drawing_ends_at_its_limit_before_there_is_a_folder(drawing, tmp_path):
    given = dict.fromkeys(inspect.signature(draw).parameters) | {"prompt": ["a cat"], "out": tmp_path / "run"}
    given |= {"source": str(drawing), "canvas": "9", "as_json": False, "quiet": True}
    with pytest.raises(LimitError, match=r"^reading .*x\.svg took longer than 0\.02 seconds"):
        draw(**given | {"limit_seconds": 0.02, "limit_megabytes": 100.0})
    assert not given["out"].exists()


def test_an_image_has_the_limits_of_its_command(drawing, tmp_path):
    drawing.write_text(drawing.read_text().replace(DOT * 8999, ""))
    given = {"file": drawing, "out": tmp_path / "x.png", "quiet": True, "size": 3000}
    with pytest.raises(LimitError, match=r"^an image of 3000 x 3000 pixels takes more than 40 megabytes"):
        files.rasterize(**given, limit_seconds=100.0, limit_megabytes=40.0)
    assert not given["out"].exists()
    files.rasterize(**given, limit_seconds=100.0, limit_megabytes=500.0)
    assert given["out"].exists()


def test_a_library_user_has_no_limits(drawing):
    with Limits(seconds=0.02).for_each(), pytest.raises(LimitError):
        load_drawing(drawing)
    assert len(load_drawing(drawing)) == 9000
