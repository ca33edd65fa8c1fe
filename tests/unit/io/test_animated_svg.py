import io
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image

from clipdraw.errors import InputError
from clipdraw.io.animated_svg import making_of_svg, partial_stroke, self_drawing_svg, stroke_ends
from clipdraw.io.svg import from_svg, to_svg
from tests.svg_samples import same, wild_drawing

SVG = "{http://www.w3.org/2000/svg}"


def snapshots(count=9, strokes=6):
    """A drawing that wanders, grows and changes color."""
    first, last = wild_drawing(strokes, seed=1), wild_drawing(strokes, seed=2)
    parts = [np.linspace(0, 1, count)[at].item() for at in range(count)]
    mixed = [
        {name: torch.lerp(getattr(first, name), getattr(last, name), t) for name in ("points", "widths", "colors")}
        for t in parts
    ]
    return [replace(first, **tensors) for tensors in mixed]


def resvg(text):
    return np.array(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))).convert("RGB"))


def animations(text, name):
    return ElementTree.fromstring(text).findall(f".//{SVG}animate[@attributeName='{name}']")


def test_without_animation_both_films_show_the_finished_drawing():
    snaps = snapshots()
    times = [0.5 * at for at in range(9)]
    still = resvg(to_svg(snaps[-1]))
    for film in (making_of_svg(snaps, times), making_of_svg(snaps, times, hold_s=1.0), self_drawing_svg(snaps[-1])):
        assert np.array_equal(resvg(film), still)
        assert same(from_svg(film), snaps[-1])


def test_key_frames_are_the_snapshots_to_a_tenth_of_a_unit():
    snaps = snapshots()
    film = making_of_svg(snaps, [0.5 * at for at in range(9)])
    tracks = animations(film, "d")
    assert len(tracks) == 6
    assert {track.get("dur") for track in tracks} == {"4.000s"}
    for stroke, track in enumerate(tracks):
        values = track.get("values").split(";")
        assert len(values) == 9
        for snapshot, value in zip(snaps, values, strict=True):
            assert np.abs(absolute(value) - snapshot.stroke_points()[stroke].numpy()).max() <= 0.0501
    widths = [float(value) for value in animations(film, "stroke-width")[0].get("values").split(";")]
    assert np.allclose(widths, [float(snapshot.widths[0]) for snapshot in snaps], atol=0.00501)
    paint = animations(film, "stroke")[0].get("values").split(";")[4]
    middle = snaps[4].colors[0, :3].numpy() * 255
    assert np.abs(np.array([*bytes.fromhex(paint[1:])]) - middle).max() <= 0.5001


def absolute(data):
    """The control points of `Mx yc...`, whose numbers are relative to each segment's start."""
    start, rest = data.removeprefix("M").split("c")
    numbers = [np.array([float(x) for x in re.findall(r"-?\d*\.?\d+", part)]).reshape(-1, 2) for part in (start, rest)]
    points = list(numbers[0])
    for at in range(0, len(numbers[1]), 3):
        points += list(numbers[1][at : at + 3] + points[-1])
    return np.array(points)


def test_uneven_times_are_resampled():
    snaps = [snapshots()[at] for at in (0, 4, 8)]
    film = making_of_svg(snaps, [0.0, 1.0, 4.0])
    values = animations(film, "d")[0].get("values").split(";")
    assert len(values) == 5
    assert np.abs(absolute(values[1]) - snaps[1].stroke_points()[0].numpy()).max() <= 0.0501
    between = torch.lerp(snaps[1].points, snaps[2].points, 1 / 3)[:4].numpy()
    assert np.abs(absolute(values[2]) - between).max() <= 0.0501


def test_the_size_is_limited_by_thinning():
    snaps = snapshots(41, strokes=30)
    times = [0.1 * at for at in range(41)]
    whole = making_of_svg(snaps, times)
    assert len(animations(whole, "d")[0].get("values").split(";")) == 41
    for limit in (len(whole), 60_000, 22_000):
        film = making_of_svg(snaps, times, max_bytes=limit)
        assert len(film.encode()) <= limit
        assert animations(film, "d")
        assert same(from_svg(film), snaps[-1])
    assert making_of_svg(snaps, times, max_bytes=100) == to_svg(snaps[-1])


def test_a_repeating_film_follows_one_clock():
    film = making_of_svg(snapshots(), [0.5 * at for at in range(9)], hold_s=2.5)
    root = ElementTree.fromstring(film)
    assert len(root.findall(".//*[@id='film']")) == 1
    begins = {element.get("begin") for element in root.iter(f"{SVG}animate")}
    assert begins == {"0s;film.end+2.500s"}


def test_what_does_not_change_is_not_animated():
    first = wild_drawing(3)
    film = making_of_svg([first, replace(first, points=first.points + 1)], [0.0, 1.0])
    assert len(animations(film, "d")) == 3
    assert film.count("<animate ") == 3


def test_a_small_canvas_gets_more_decimals():
    small = wild_drawing(3, width=1.0, height=2.0)
    film = making_of_svg([small, replace(small, points=small.points + 0.01)], [0.0, 1.0])
    value = animations(film, "d")[0].get("values").split(";")[0]
    assert np.abs(absolute(value) - small.stroke_points()[0].numpy()).max() <= 0.0005


def test_one_snapshot_is_a_still():
    assert making_of_svg(snapshots(1), [0.0]) == to_svg(snapshots(1)[0])


def test_strokes_are_drawn_one_after_another():
    film = ElementTree.fromstring(self_drawing_svg(wild_drawing(5), seconds=6.0))
    paths = film.findall(f".//{SVG}path")
    assert all(path.get("pathLength") == "1" for path in paths)
    assert not any(path.get("stroke-dasharray") for path in paths)
    ends = 0.0
    for path in paths:
        part = path.find(f"{SVG}animate[@attributeName='stroke-dashoffset']")
        assert part.get("values") == "1;0"
        assert float(part.get("begin")[:-1]) == pytest.approx(ends, abs=2e-3)
        ends = float(part.get("begin")[:-1]) + float(part.get("dur")[:-1])
    assert ends == pytest.approx(6.0, abs=2e-3)


def test_a_drawing_that_draws_itself_again_follows_one_clock():
    film = ElementTree.fromstring(self_drawing_svg(wild_drawing(5), seconds=6.0, hold_s=2.0))
    (clock,) = (element for element in film.iter() if element.get("id") == "film")
    assert (clock.get("begin"), clock.get("dur")) == ("0s;film.end+2.000s", "6.000s")
    timed = [element for element in film.iter() if element.get("begin") and element is not clock]
    assert all(element.get("begin").startswith("film.begin+") for element in timed)


@pytest.mark.parametrize(
    ("change", "times", "reason"),
    [
        (lambda s: [], [], "as many snapshots"),
        (lambda s: s, [0.0], "as many snapshots"),
        (lambda s: s, [0.0, 2.0, 1.0], "ascend"),
        (lambda s: s, [0.0, 0.0, 1.0], "ascend"),
        (lambda s: s, [0.0, 1.0, float("nan")], "ascend"),
        (lambda s: [*s[:2], wild_drawing(7)], [0.0, 1.0, 2.0], "same canvas"),
        (lambda s: [*s[:2], replace(s[2], points=s[2].points * torch.nan)], [0.0, 1.0, 2.0], "not finite|cannot be"),
    ],
)
def test_impossible_films(change, times, reason):
    with pytest.raises(InputError, match=reason):
        making_of_svg(change(snapshots(3)), times)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_times(seconds):
    with pytest.raises(InputError, match="film of"):
        self_drawing_svg(wild_drawing(2), seconds=seconds)


@pytest.mark.parametrize("hold", [-1.0, float("inf"), float("nan")])
def test_impossible_holds(hold):
    with pytest.raises(InputError, match="hold"):
        making_of_svg(snapshots(2), [0.0, 1.0], hold_s=hold)
    with pytest.raises(InputError, match="hold"):
        self_drawing_svg(snapshots(1)[0], hold_s=hold)


def test_time_goes_to_strokes_that_are_seen(drawing):
    ends = stroke_ends(drawing)
    assert len(ends) == len(drawing) + 1
    assert (ends[0], ends[-1]) == (0.0, pytest.approx(1.0))
    assert (np.diff(ends) > 0).all()
    drawing.colors[3, 3] = 0.0
    assert np.diff(stroke_ends(drawing))[3] == 0
    none = replace(drawing, colors=drawing.colors * 0)
    assert (np.diff(stroke_ends(none)) > 0).all()


def test_a_partial_stroke_keeps_its_look(drawing):
    part = partial_stroke(drawing, 4, 0.6)
    assert len(part) == 1
    assert torch.equal(part.colors[0], drawing.colors[4])
    assert torch.equal(part.widths[0], drawing.widths[4])
