"""The examples run as told, with fewer steps, and what they optimize gets better."""

import re
import runpy
import sys
from pathlib import Path

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.io.images import read_image, write_png
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(monkeypatch, capsys):
    def run(name, *arguments):
        """The mean squared error before and after."""
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return [float(number) for number in re.findall(r"(\S+) (?:before|after)", capsys.readouterr().out)]

    return run


@pytest.mark.parametrize("options", [[], ["--strokes"]])
def test_fit_image(run, tmp_path, options):
    out = tmp_path / "fit.svg"
    before, after = run("fit_image.py", "--paths", 40, "--steps", 15, "--size", 48, "--out", out, *options)
    assert after < 0.7 * before
    assert read_image(tmp_path / "fit.png").shape == (3, 96, 96)
    assert len(Drawing.load(out)) == 40


def test_fit_image_takes_a_picture(run, tmp_path):
    picture, out = tmp_path / "half.png", tmp_path / "fit.svg"
    write_png(torch.cat((torch.zeros(3, 30, 40), torch.ones(3, 30, 40)), dim=2), picture)
    before, after = run("fit_image.py", picture, "--strokes", "--paths", 20, "--steps", 10, "--size", 40, "--out", out)
    assert after < before
    assert read_image(tmp_path / "fit.png").shape == (3, 30, 80)


def test_contact_sheet(run, tmp_path):
    run(
        "contact_sheet.py",
        "a cat",
        "an owl",
        "--seeds",
        1,
        "--preset",
        "fast",
        "--steps",
        3,
        "--columns",
        2,
        "--out",
        tmp_path / "x.png",
    )
    assert read_image(tmp_path / "x.png").shape[2] == 2 * 144


def test_steer(run, tmp_path):
    out = tmp_path / "steered.svg"
    before, after = run("steer.py", "a sailboat", "a rocket", "--steps", 60, "--strokes", 24, "--out", out)
    assert after > before + 0.05
    assert len(Drawing.load(out)) == 24


def test_refine_svg(run, tmp_path):
    random = torch.Generator().manual_seed(1)
    drawing = RandomStrokes(12)(Canvas(120, 80), random).detached()
    drawing.save(tmp_path / "start.svg")
    drawing.points.add_(3 * torch.randn(drawing.points.shape, generator=random))
    write_png(rasterize(drawing), tmp_path / "wanted.png")
    out = tmp_path / "refined.svg"
    files = tmp_path / "start.svg", tmp_path / "wanted.png"
    before, after = run("refine_svg.py", *files, "--steps", 20, "--size", 80, "--out", out)
    assert after < 0.7 * before
    assert len(Drawing.load(out)) == 12
