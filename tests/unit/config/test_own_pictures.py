"""Runs start from drawings and pictures, are like them, and go on top of them."""

from dataclasses import replace

import pytest
import torch

from clipdraw.config import from_dict, resolve
from clipdraw.drawing import Canvas
from clipdraw.encoders import load_encoder
from clipdraw.errors import ConfigError, FormatError
from clipdraw.io.images import write_png
from clipdraw.optimization.shapes import RandomShapes
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize

SMALL = {"strokes": 12, "steps": 2, "views": {"count": 1}, "preset": "fast"}


@pytest.fixture(scope="module")
def builtin():
    return load_encoder("builtin")


@pytest.fixture
def lines(tmp_path):
    drawing = RandomStrokes(5, width=6.0, opacity=(0.5, 1.0))(Canvas(), torch.Generator().manual_seed(1))
    drawing.save(tmp_path / "lines.svg")
    return drawing


def red_disk():
    axis = torch.arange(64) + 0.5
    inside = (axis[None] - 32).square() + (axis[:, None] - 32).square() < 18**2
    return torch.where(inside, torch.tensor([0.9, 0.1, 0.1])[:, None, None], 1.0)


def start_of(builtin, **settings):
    return resolve("a cat", {**SMALL, **settings}).build(builtin)


def test_a_run_starts_from_the_paths_of_a_drawing(builtin, lines, tmp_path):
    problem = start_of(builtin, source={"file": str(tmp_path / "lines.svg")})
    assert torch.allclose(problem.start.points, lines.points, atol=1e-3)
    moved = problem.begin()
    moved.step()
    assert len(moved.drawing) == 5
    assert not torch.equal(moved.drawing.points, lines.points)


def test_fills_of_a_drawing_are_moved_too(builtin, tmp_path):
    RandomShapes(3, opacity=(0.9, 1.0))(Canvas(), torch.Generator().manual_seed(0)).save(tmp_path / "shapes.svg")
    run = start_of(builtin, source={"file": str(tmp_path / "shapes.svg")}).begin()
    before = run.drawing.detached()
    run.step()
    assert not torch.equal(run.drawing.fills, before.fills)


def test_strokes_are_fitted_to_a_picture_with_any_judge(builtin, tmp_path):
    write_png(red_disk(), tmp_path / "disk.png")
    for weight in (0.0, 300.0):
        problem = start_of(builtin, source={"file": str(tmp_path / "disk.png")}, prior={"weight": weight})
        image = rasterize(problem.start, height=64, width=64)
        assert (image - red_disk()).square().mean() < 0.2 * (1 - red_disk()).square().mean()
        assert ("prior" in [loss.name for loss in problem.losses]) == (weight > 0)


def test_likeness_and_style_are_losses_of_the_run(builtin, lines, tmp_path):
    write_png(red_disk(), tmp_path / "disk.png")
    source = {"like": str(tmp_path / "disk.png"), "style": str(tmp_path / "lines.svg"), "style_strength": 0.5}
    run = start_of(builtin, source=source).begin()
    losses = run.step().losses
    assert {"likeness", "style"} <= set(losses)


def test_what_lies_below_stays_as_it_is(builtin, lines, tmp_path):
    run = start_of(builtin, source={"below": str(tmp_path / "lines.svg")}).begin()
    for _ in range(2):
        step = run.step()
    assert len(step.drawing) == 5 + 12
    shown = step.drawing.subset(range(5))
    assert torch.allclose(shown.points, lines.points, atol=1e-3)
    assert torch.allclose(shown.colors, lines.colors, atol=1 / 255)


def test_files_are_named_as_they_are_from_every_folder(tmp_path, monkeypatch, lines):
    monkeypatch.chdir(tmp_path)
    assert resolve("a cat", {"source": {"below": "lines.svg"}}).source.below == str(tmp_path / "lines.svg")


def test_what_cannot_be_is_refused_in_one_line(builtin, lines, tmp_path):
    drawing = str(tmp_path / "lines.svg")
    with pytest.raises(ConfigError, match=r"use --canvas 224x224"):
        start_of(builtin, source={"file": drawing}, canvas=(100, 100))
    with pytest.raises(ConfigError, match="the file says what is where"):
        start_of(builtin, source={"file": drawing}, regions=("a sun@left",))
    with pytest.raises(ConfigError, match="trace a picture first"):
        from_dict({"prompt": "a", "source": {"below": "photo.png"}})
    with pytest.raises(ConfigError, match="paths of a drawing are what they are"):
        from_dict({"prompt": "a", "source": {"file": drawing}, "shape": "fill"})
    with pytest.raises(FormatError, match="no such file"):
        start_of(builtin, source={"like": str(tmp_path / "nothing.png")})
    replace(lines.subset([]), metadata={}).save(tmp_path / "empty.svg")
    with pytest.raises(FormatError, match="without paths"):
        start_of(builtin, source={"file": str(tmp_path / "empty.svg")})
