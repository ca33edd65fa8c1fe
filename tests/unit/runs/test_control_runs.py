"""Runs of drawings that are arranged, filled or without paper: their files, their films, and going on with them."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

import clipdraw
from clipdraw.drawing import Drawing
from clipdraw.io.svg import to_svg
from clipdraw.raster import rasterize
from clipdraw.runs import film, session
from clipdraw.runs.folder import read_checkpoint

FEW = {"preset": "paper", "strokes": 6, "steps": 3, "views": {"count": 2}, "canvas": (40.0, 40.0), "resolution": 24}
FILMS = {"formats": ("svg", "webp"), "size": 24, "length": 0.2, "hold": 0.1, "fps": 10, "frames": 3}


def drawn(folder, **settings):
    return clipdraw.draw("an apple", out=folder, **{**FEW, "film": FILMS, **settings})


def test_a_drawing_without_a_background_has_no_rectangle_and_a_transparent_png(tmp_path):
    run = drawn(tmp_path / "run", background="none")
    text = (run.folder / "drawing.svg").read_text()
    assert "<rect" not in text
    loaded = Drawing.load(run.folder / "drawing.svg")
    assert loaded.background is None
    assert to_svg(loaded) == text
    for name in ("drawing.png", "frames/00003.png"):
        with Image.open(run.folder / name) as picture:
            assert picture.mode == "RGBA"
            low, high = picture.getchannel("A").getextrema()
            assert low == 0 < high
    assert "<rect" not in (run.folder / "making-of.svg").read_text()


def test_a_mirrored_drawing_in_two_colors_is_so_in_all_its_files(tmp_path):
    run = drawn(tmp_path / "run", pen={"palette": "#264653,#e76f51"}, hand={"symmetry": "mirror"})
    loaded = Drawing.load(run.folder / "drawing.svg")
    assert len(loaded) == 6
    colors = set(re.findall(r'stroke="(rgb[^"]*)"', (run.folder / "drawing.svg").read_text()))
    assert len(colors) <= 2
    levels = {tuple(round(float(part) * 2.55) for part in re.findall(r"[\d.]+", color)) for color in colors}
    assert levels <= {(0x26, 0x46, 0x53), (0xE7, 0x6F, 0x51)}
    image = rasterize(loaded, height=40, width=40)
    assert torch.allclose(image, image.flip(2), atol=1e-5)
    with Image.open(run.folder / "drawing.png") as picture:
        levels = np.asarray(picture, dtype=int)
    assert levels.std() > 0
    assert abs(levels - levels[:, ::-1]).max() <= 1
    again = film(run.folder, out=tmp_path / "again.svg", length=0.2, hold=0.1)
    assert again.read_text().count("<path") == 6
    assert film(run.folder, kind="strokes", out=tmp_path / "strokes.webp", size=24, length=0.2, fps=10).exists()
    assert film(run.folder, out=tmp_path / "strip.png", size=24).exists()


@pytest.mark.parametrize(
    "settings",
    [
        {"hand": {"tile": True}, "shape": "both", "background": "optimized"},
        {"hand": {"symmetry": "rotation:2"}, "pen": {"ink": "navy"}},
        {"shape": "fill"},
    ],
)
def test_a_run_goes_on_to_the_same_drawing_and_film(settings, tmp_path, monkeypatch):
    whole = drawn(tmp_path / "whole", **settings)

    class KilledError(Exception):
        pass

    def die(step):
        if step.index == 2:
            raise KilledError

    monkeypatch.setattr(session, "CHECKPOINT_EVERY_S", 0.0)
    with pytest.raises(KilledError):
        drawn(tmp_path / "broken", on_step=die, **settings)
    assert "snapshots.points" in read_checkpoint(tmp_path / "broken")
    clipdraw.resume(tmp_path / "broken")
    for name in ("drawing.svg", "making-of.svg", "making-of.webp"):
        assert (tmp_path / "broken" / name).read_bytes() == (whole.folder / name).read_bytes()
    assert film(whole.folder, out=tmp_path / "film.webp", size=24, length=0.2, fps=10).exists()


def test_of_a_tile_the_file_has_only_what_is_seen(tmp_path):
    run = drawn(tmp_path / "run", hand={"tile": True}, start={"spread": 1.0, "reach": 0.3, "width": 6.0})
    assert 6 < len(run.drawing) < 54
    assert len(Drawing.load(run.folder / "drawing.svg")) == len(run.drawing)


def test_shapes_are_seen_growing_in_their_films(tmp_path):
    run = drawn(tmp_path / "run", shape="fill", film={**FILMS, "kinds": ("optimization", "strokes")})
    text = (run.folder / "making-of.svg").read_text()
    assert 'attributeName="fill"' in text or 'attributeName="d"' in text
    assert 'attributeName="stroke' not in text
    assert (run.folder / "strokes.svg").read_text().count('attributeName="visibility" to="hidden"') >= 5
    with Image.open(run.folder / "strokes.webp") as picture:
        assert picture.n_frames > 1
