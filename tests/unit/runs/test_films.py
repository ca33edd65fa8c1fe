import json
import sys
from dataclasses import replace
from importlib.machinery import PathFinder
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from clipdraw import draw, film
from clipdraw.config import resolve
from clipdraw.drawing import Drawing
from clipdraw.errors import ConfigError, FormatError, InputError, MissingExtraError
from clipdraw.io.images import read_image
from clipdraw.raster import rasterize
from clipdraw.runs.films import Film, films_of, write_film


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    tiny = {"preset": "paper", "strokes": 6, "steps": 5, "views": 1, "canvas": (64.0, 32.0)}
    films = {"film_kinds": ("optimization", "strokes"), "film_formats": ("gif", "webp"), "film_length": 0.4}
    return draw("a sun", out=tmp_path_factory.mktemp("run") / "run", film_size=64, film_hold=0.2, **films, **tiny)


def frames(path):
    with Image.open(path) as picture:
        shown, times = [], []
        for index in range(picture.n_frames):
            picture.seek(index)
            picture.load()
            shown.append(np.asarray(picture.convert("RGB")).astype(int))
            times.append(picture.info["duration"])
    return shown, sum(times)


def test_a_run_makes_the_films_that_it_is_asked_for(run):
    names = {path.name for path in run.folder.iterdir() if path.suffix in (".gif", ".webp", ".svg", ".mp4")}
    assert names == {"making-of.gif", "making-of.webp", "strokes.gif", "strokes.webp", "drawing.svg"}
    for name in ("making-of.gif", "making-of.webp", "strokes.gif", "strokes.webp"):
        shown, time_ms = frames(run.folder / name)
        assert time_ms == pytest.approx(600, abs=20)
        assert {frame.shape for frame in shown} == {(32, 64, 3)}
        finished = rasterize(run.drawing, height=32, width=64).permute(1, 2, 0).numpy() * 255
        assert np.abs(shown[-1] - finished).mean() < 4


@pytest.mark.parametrize("kind", ["optimization", "strokes"])
@pytest.mark.parametrize("ending", ["mp4", "gif", "webp"])
def test_a_film_of_chosen_length_hold_and_size(run, tmp_path, kind, ending):
    out = film(run.folder, kind=kind, out=tmp_path / f"a.{ending}", length=0.5, hold=0.3, size=80, fps=20)
    if ending == "mp4":
        av = pytest.importorskip("av")
        with av.open(str(out)) as container:
            shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
            assert len(shown) == 10 + 6
    else:
        shown, time_ms = frames(out)
        assert time_ms == 800
    assert shown[0].shape == (40, 80, 3)
    first = rasterize(Drawing.load(run.folder / "drawing.svg"), height=40, width=80).permute(1, 2, 0).numpy() * 255
    assert np.abs(shown[-1] - first).mean() < 5
    if kind == "strokes":
        assert (shown[0] > 250).all()


def test_between_two_states_the_strokes_move_evenly(drawing, tmp_path):
    later = replace(drawing, points=drawing.points + 10, widths=drawing.widths + 4)
    write_film({0: drawing, 2: later, 8: later}, tmp_path / "a.webp", Film(length_s=0.9, fps=10, hold_s=0.0, size=224))
    shown, _ = frames(tmp_path / "a.webp")
    halfway = replace(drawing, points=drawing.points + 5, widths=drawing.widths + 2)
    for number, state in ((0, drawing), (1, halfway), (2, later), (7, later)):
        wanted = rasterize(state, height=224, width=224).permute(1, 2, 0).numpy() * 255
        assert np.abs(shown[min(number, len(shown) - 1)] - wanted).mean() < 3, number


def test_strokes_appear_one_after_another(drawing, tmp_path):
    opaque = replace(drawing, widths=drawing.widths * 5)
    opaque.colors[:, 3] = 1.0
    write_film({0: opaque}, tmp_path / "a.webp", Film("strokes", length_s=4.0, fps=10, hold_s=0.0, size=112))
    shown, _ = frames(tmp_path / "a.webp")
    ink = [(255 - frame).sum() for frame in shown]
    assert ink[0] < 0.01 * ink[-1]
    painted = [(frame < 240).any(2) for frame in shown]
    assert all((later | ~earlier).mean() > 0.99 for earlier, later in pairwise(painted))
    assert sum(later > earlier for earlier, later in pairwise(ink)) > 0.6 * len(ink)


def test_svg_and_strips(run, tmp_path):
    for kind in ("optimization", "strokes"):
        film(run.folder, kind=kind, out=tmp_path / "a.svg", length=3.0, hold=1.5)
        text = (tmp_path / "a.svg").read_text()
        assert 'begin="0s;film.end+1.500s"' in text
        assert 'dur="3.000s"' in text
        assert torch.equal(Drawing.load(tmp_path / "a.svg").points, run.drawing.points)
        film(run.folder, kind=kind, out=tmp_path / "a.png", size=40)
        assert read_image(tmp_path / "a.png").shape[2] == 8 + 8 * 48


@pytest.mark.parametrize("kind", ["optimization", "strokes"])
def test_the_frames_of_a_film_as_numbered_pictures(run, tmp_path, kind):
    folder = film(run.folder, kind=kind, out=tmp_path / kind, length=0.5, fps=10, size=64)
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"{number:05}.png" for number in range(1, 6)]
    finished = rasterize(run.drawing, height=32, width=64)
    assert (read_image(files[-1]) - finished).abs().max() < 0.01
    assert (read_image(files[0]) - finished).abs().max() > 0.1


def test_a_run_saves_the_drawing_after_each_so_many_steps(tmp_path):
    tiny = {"preset": "paper", "strokes": 6, "steps": 5, "views": 1, "canvas": (64.0, 32.0), "film_kinds": ()}
    drawn, images = {}, {}

    def look(step):
        drawn[step.index] = step.drawing.detached()

    run = draw("a sun", out=tmp_path / "run", film_frames=2, film_size=64, on_step=look, **tiny)
    for path in (run.folder / "frames").iterdir():
        images[int(path.stem)] = read_image(path)
        assert len(path.stem) == 5
    assert sorted(images) == [0, 2, 4, 5]
    for index in (2, 4, 5):
        assert (images[index] - rasterize(drawn[index], height=32, width=64)).abs().max() < 0.01
    assert not torch.equal(images[0], images[2])
    draw("a sun", out=tmp_path / "other", **tiny)
    assert not (tmp_path / "other" / "frames").exists()


def test_an_svg_file_is_enough_for_strokes(run, tmp_path):
    run.drawing.save(tmp_path / "mine.svg")
    assert film(tmp_path / "mine.svg", kind="strokes", out=tmp_path / "a.webp", length=0.2, fps=10, size=16).is_file()
    with pytest.raises(FormatError, match="needs the folder of a run"):
        film(tmp_path / "mine.svg", out=tmp_path / "b.webp")


def test_what_is_no_run_is_refused(run, tmp_path):
    with pytest.raises(FormatError, match=r"no run\.json"):
        film(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"status": "finished"}))
    run.drawing.save(tmp_path / "drawing.svg")
    with pytest.raises(FormatError, match="holds no states"):
        film(tmp_path, out=tmp_path / "a.webp")
    good, bad = load_file(run.folder / "checkpoint.safetensors"), tmp_path / "checkpoint.safetensors"
    for name, change, message in (
        ("points", lambda tensor: tensor[:, :2].contiguous(), r"its snapshots\.points is .* instead of"),
        ("widths", lambda tensor: tensor.double(), r"its snapshots\.widths is .* instead of"),
        ("colors", lambda tensor: tensor * float("nan"), r"its snapshots\.colors is not finite"),
        ("index", lambda tensor: tensor * 0, r"its snapshots\.index does not ascend"),
    ):
        save_file(good | {f"snapshots.{name}": change(good[f"snapshots.{name}"])}, bad)
        with pytest.raises(FormatError, match=message):
            film(tmp_path, out=tmp_path / "a.webp")
    bad.write_bytes(b"nonsense")
    with pytest.raises(FormatError, match=r"checkpoint\.safetensors: damaged"):
        film(tmp_path, out=tmp_path / "a.webp")
    with pytest.raises(InputError, match=r"stored as \.mp4, \.webp, \.gif, \.svg, \.png, or in a folder, got a"):
        film(run.folder, out=tmp_path / "a.avi")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"film_kinds": ("strokes", "smoke")}, "film.kinds is one of optimization, strokes, got 'smoke'"),
        ({"film_formats": ("avi",)}, "film.formats is one of svg"),
        ({"film_length": 0.0}, "above 0 and at most 600"),
        ({"film_length": float("nan")}, "film.length must be within"),
        ({"film_hold": -1.0}, "film.hold must be from 0 to 600"),
        ({"film_size": 8}, "16 to 4096"),
        ({"film_fps": 0}, "1 to 120"),
        ({"film_frames": -1}, "film.frames must be from 0 to 1000000"),
        ({"film_length": 600.0, "film_fps": 60}, "more than 20,000 frames"),
    ],
)
def test_films_that_cannot_be_made_are_refused_before_the_drawing(settings, message, tmp_path):
    with pytest.raises((InputError, ConfigError), match=message):
        draw("a sun", out=tmp_path / "run", **settings)
    assert list(tmp_path.iterdir()) == []


def test_no_films_at_all():
    assert films_of(resolve("a", {"film_kinds": []})) == []
    with pytest.raises(ConfigError, match=r"film\.kinds is a list"):
        resolve("a", {"film_kinds": "strokes"})


def test_without_the_extra_films_are_webp_unless_mp4_is_asked_for(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    find = PathFinder.find_spec
    monkeypatch.setattr(PathFinder, "find_spec", lambda name, *rest: None if name == "av" else find(name, *rest))
    monkeypatch.delitem(sys.modules, "av")
    run.drawing.save(tmp_path / "mine.svg")
    written = film(tmp_path / "mine.svg", kind="strokes", length=0.2, fps=10, size=16)
    assert written.name == "mine-strokes.webp"
    with pytest.raises(MissingExtraError):
        films_of(resolve("a", {"film_formats": ["mp4"]}))
