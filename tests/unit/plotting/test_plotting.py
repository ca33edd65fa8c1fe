import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.errors import InputError, MissingExtraError
from clipdraw.optimization.start import RandomStrokes
from clipdraw.plotting import MACHINES, Plan, plot

pytest.importorskip("vpype", reason="the extra plotter is not installed; vpype has no release for Python 3.14")

from clipdraw.plotting.page import arranged, darkness, main_colors, nearest
from clipdraw.plotting.reading import layers_of

RED, BLUE = (0.8, 0.0, 0.0, 1.0), (0.0, 0.0, 0.8, 1.0)
HPGL_UNIT_MM = 0.02488


def straight(*lines, color=(0.0, 0.0, 0.0, 1.0), width=0.4, side=200.0):
    """A drawing of straight strokes, each from x, y to x, y."""
    ends = torch.tensor(lines, dtype=torch.float32).reshape(-1, 2, 2)
    points = torch.cat([torch.stack([torch.lerp(a, b, t) for t in (0, 1 / 3, 2 / 3, 1)]) for a, b in ends])
    colors = torch.tensor(color).expand(len(lines), 4).clone()
    return Drawing(points, torch.full((len(lines),), float(width)), colors, (1,) * len(lines), Canvas(side, side))


def scribble(strokes=64):
    """Thin dark strokes, a part of which leave the canvas."""
    drawing = RandomStrokes(strokes, reach=0.2)(Canvas(), torch.Generator().manual_seed(1))
    return replace(drawing, colors=torch.tensor([0.0, 0.0, 0.0, 1.0]).repeat(strokes, 1), widths=drawing.widths / 10)


def filled(points, color=(0.0, 0.0, 0.0, 1.0), rule="nonzero", side=200.0):
    """A drawing of one fill with straight sides; `points` are the corners of each subpath."""
    rings = [torch.tensor(ring, dtype=torch.float32) for ring in points]
    sides = [zip(ring, ring.roll(-1, 0), strict=True) for ring in rings]
    chain = torch.cat(
        [torch.stack([torch.lerp(a, b, t) for t in (0, 1 / 3, 2 / 3)]) for ends in sides for a, b in ends]
    )
    style = Style(closed=(True,) * len(rings), fill=rule, stroked=False)
    return Drawing(
        chain, torch.zeros(1), torch.zeros(1, 4), tuple(map(len, rings)), Canvas(side, side), styles=(style,),
        fills=torch.tensor([color]),
    )  # fmt: skip


def square(left, top, right, bottom):
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def read_back(drawing, file, plan):
    """The lines of each pen in a written file, as arrays of complex millimeters."""
    plot(drawing, file, plan)
    page, _ = arranged(drawing, plan)
    return {pen: list(lines) for pen, lines in layers_of(file, page, plan).items()}


def all_points(layers):
    return np.concatenate([line for lines in layers.values() for line in lines])


@pytest.mark.parametrize("machine", MACHINES)
def test_a_line_of_100_mm_stays_one(machine, tmp_path):
    plan = Plan(machine, paper="a3", size=200)
    plot(straight((50, 100, 150, 100)), tmp_path / "line", plan)
    text = (tmp_path / "line").read_text()
    if machine == "hpgl":
        ends = re.findall(r"P[UD](\d+),(\d+)", text)[:2]
        lengths = [HPGL_UNIT_MM * abs(int(a) - int(b)) for a, b in zip(*ends, strict=True)]
    elif machine == "gcode":
        assert "G21" in text.splitlines()
        ends = re.findall(r"G[01] X([\d.]+) Y([\d.]+)", text)[:2]
        lengths = [abs(float(a) - float(b)) for a, b in zip(*ends, strict=True)]
    else:
        (line,) = ElementTree.fromstring(text).iterfind(".//{*}line")
        mm = 297 / float(ElementTree.fromstring(text).get("viewBox").split()[2])
        lengths = [mm * abs(float(line.get(f"{axis}1")) - float(line.get(f"{axis}2"))) for axis in "xy"]
    assert sorted(lengths) == pytest.approx([0, 100], abs=HPGL_UNIT_MM)


def test_an_svg_has_the_size_of_its_paper(tmp_path):
    plot(scribble(), tmp_path / "a.svg", Plan(paper="a5", landscape=True))
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    assert (root.get("width"), root.get("height")) == ("21.0cm", "14.8cm")


def test_a_lifted_pen_travels_at_least_40_percent_less(tmp_path):
    found = plot(scribble(), tmp_path / "a.svg")
    assert found.layers[0].lines >= 64
    assert found.travel <= 0.6 * found.unsorted_travel


def test_travel_is_what_the_file_says(tmp_path):
    apart = straight((20, 20, 40, 20), (160, 20, 180, 20), (50, 20, 60, 20))
    found = plot(apart, tmp_path / "a.svg", Plan(paper="a3", size=200))
    assert found.unsorted_travel == pytest.approx(120 + 130, abs=0.1)
    assert found.travel == pytest.approx(10 + 100, abs=0.1)
    assert (found.layers[0].lines, found.layers[0].drawn) == (3, pytest.approx(50, abs=0.1))


@pytest.mark.parametrize("machine", MACHINES)
def test_the_layer_of_a_pen_holds_its_strokes_alone(machine, tmp_path):
    left, right = (
        straight(*[(x, y, x + 5, y + 9) for y in range(20, 180, 20)], color=color)
        for x, color in ((30, RED), (150, BLUE))
    )
    mixed = replace(
        left,
        points=torch.cat([left.points, right.points]),
        widths=torch.cat([left.widths, right.widths]),
        colors=torch.cat([left.colors, right.colors]),
        segments=left.segments + right.segments,
    )
    layers = read_back(mixed, tmp_path / "a", Plan(machine, pens=("#000", "#00c", "#c00")))
    assert {pen: len(lines) for pen, lines in layers.items()} == {"#0000cc": 8, "#cc0000": 8}
    assert all(line.real.min() > 105 for line in layers["#0000cc"])
    assert all(line.real.max() < 105 for line in layers["#cc0000"])


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("landscape", [False, True])
def test_all_points_lie_within_the_margins(machine, landscape, tmp_path):
    points = all_points(read_back(scribble(), tmp_path / "a", Plan(machine, margin=30, landscape=landscape)))
    width, height = (297, 210) if landscape else (210, 297)
    at = 0.5 * HPGL_UNIT_MM if machine == "hpgl" else 1e-2
    assert points.real.min() >= 30 - at
    assert points.real.max() <= width - 30 + at
    assert points.imag.min() >= 30 - at
    assert points.imag.max() <= height - 30 + at
    assert np.ptp(points.real) == pytest.approx(150, abs=1)  # parts that leave the canvas are cut off at its sides


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("landscape", [False, True])
def test_every_machine_draws_at_the_same_place(machine, landscape, tmp_path):
    drawing = straight((20, 30, 60, 150))
    (line,) = next(iter(read_back(drawing, tmp_path / "a", Plan(machine, landscape=landscape)).values()))
    x, y = ((297 - 180) / 2, 15) if landscape else (15, (297 - 180) / 2)
    ends = sorted(line[[0, -1]], key=abs)
    assert ends == pytest.approx([complex(x + 18, y + 27), complex(x + 54, y + 135)], abs=0.03)


@pytest.mark.parametrize("machine", MACHINES)
def test_neither_background_nor_frame_is_drawn(machine, tmp_path):
    drawing = replace(straight((50, 100, 150, 100), color=(1.0, 1.0, 1.0, 1.0)), background=torch.zeros(3))
    layers = read_back(drawing, tmp_path / "a", Plan(machine, pens=("#fff",)))
    (line,) = layers["#ffffff"]
    assert line.imag == pytest.approx(297 / 2, abs=HPGL_UNIT_MM)
    if MACHINES[machine] == ".svg":
        tags = {element.tag.rpartition("}")[2] for element in ElementTree.parse(tmp_path / "a").iter()}
        assert tags.isdisjoint({"rect", "path", "polygon", "image"})


def test_axidraw_stops_before_each_pen_but_the_first(tmp_path):
    drawing = straight((50, 100, 150, 100), (50, 120, 150, 120), (50, 140, 150, 140))
    drawing.colors[1:, 0] = torch.tensor([0.5, 1.0])
    plot(drawing, tmp_path / "a.svg", Plan("axidraw", pens=("#000", "#800000", "#f00")))
    names = [
        group.get("{http://www.inkscape.org/namespaces/inkscape}label")
        for group in ElementTree.parse(tmp_path / "a.svg").iterfind(".//{*}g")
    ]
    assert names == ["1 #000000", "!2 #800000", "!3 #ff0000"]


def test_gcode_lifts_the_pen_between_lines_and_stops_for_each_pen(tmp_path):
    drawing = straight((50, 100, 150, 100), (50, 120, 150, 120))
    drawing.colors[1, 0] = 1.0
    plot(drawing, tmp_path / "a", Plan("gcode", pens=("#000", "#f00"), pen_up="M3 S0", pen_down="M3 S90"))
    found = [line.split(" X")[0] for line in (tmp_path / "a").read_text().splitlines()]
    once = ["G0", "M3 S90", "G1", "M3 S0"]
    assert found == [
        "G21", "G90", "M3 S0", "(pen 1 #000000)", *once, "(pen 2 #ff0000)", "M0", *once, "G0", "M2"
    ]  # fmt: skip


@pytest.mark.parametrize("opacity", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("shape", ["stroke", "fill"])
def test_hatching_covers_as_much_as_the_opacity(shape, opacity, tmp_path):
    color = (0.0, 0.0, 0.0, opacity)
    if shape == "stroke":
        drawing, area = straight((50, 100, 150, 100), color=color, width=20), 100 * 20 + np.pi * 10**2
    else:
        drawing, area = filled([square(50, 50, 150, 150)], color=color), 100 * 100
    (layer,) = plot(drawing, tmp_path / "a.svg", Plan(paper="a3", size=200)).layers
    assert 0.5 * layer.drawn / area == pytest.approx(opacity, rel=0.08)


def test_dropping_leaves_faint_strokes_out_and_draws_the_others_in_full(tmp_path):
    drawing = straight((50, 50, 150, 50), (50, 100, 150, 100), (50, 150, 150, 150), width=10)
    drawing.colors[:, 3] = torch.tensor([0.1, 0.5, 1.0])
    plan = Plan(paper="a3", size=200, opacity="drop", faint=0.3)
    lines = all_points(read_back(drawing, tmp_path / "a.svg", plan))
    assert lines.imag.min() > 210 - 15  # the first is gone
    half, full = (lines[sign * (lines.imag - 235) > 0] for sign in (-1, 1))
    assert len(half) == len(full)


def test_a_paler_color_of_a_pen_is_hatched():
    white = np.ones(3)
    assert darkness((0.5, 0.5, 0.5), (0, 0, 0), white) == pytest.approx(0.5)
    assert darkness((1.0, 1.0, 1.0), (0, 0, 0), white) == 0
    assert darkness((0.8, 0.0, 0.0), (0.8, 0.0, 0.0), white) == pytest.approx(1)
    assert nearest((0.9, 0.2, 0.1), [(0, 0, 0), (1, 0, 0), (1, 1, 1)]) == (1, 0, 0)


@pytest.mark.parametrize(("rule", "hole"), [("evenodd", True), ("nonzero", False)])
def test_fills_follow_their_rule(rule, hole, tmp_path):
    drawing = filled([square(50, 50, 150, 150), square(80, 80, 120, 120)], rule=rule)
    layers = read_back(drawing, tmp_path / "a.svg", Plan(paper="a3", size=200))
    middles = np.concatenate([(line[1:] + line[:-1]) / 2 for lines in layers.values() for line in lines])
    at = middles - complex(297 / 2, 210)
    in_hole = (abs(at.real) < 19) & (abs(at.imag) < 19)
    assert in_hole.any() != hole
    assert (np.maximum(abs(at.real), abs(at.imag)) < 50).all()


def test_pens_can_be_the_colors_of_the_drawing(tmp_path):
    drawing = straight(*[(50, y, 150, y) for y in range(20, 180, 20)], width=5)
    drawing.colors[:, :3] = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.2, 0.7]]).repeat(4, 1)
    drawing.colors[::4, :3] += 0.01
    pens = [layer.pen for layer in plot(drawing, tmp_path / "a.svg", Plan(pens=("2",))).layers]
    reds, blues = (int(pen[1:3], 16) / 255 for pen in pens), (int(pen[5:], 16) / 255 for pen in pens)
    assert sorted(reds) == pytest.approx([0.1, 0.8], abs=0.02)
    assert sorted(blues) == pytest.approx([0.1, 0.7], abs=0.02)
    assert main_colors([], 3) == [(0, 0, 0)]


def test_transforms_and_gradients_count(tmp_path):
    plain = straight((10, 20, 30, 20), color=(0.5, 0.5, 0.5, 1.0))
    moved = replace(
        plain,
        styles=(Style(transforms=(0,)),),
        transforms=torch.tensor([[[2.0, 0.0, 40.0], [0.0, 2.0, 60.0]]]),
    )
    ((line,),) = read_back(moved, tmp_path / "a.svg", Plan(paper="a3", size=200, pen_width=1)).values()
    x, y = (297 - 200) / 2, (420 - 200) / 2
    assert sorted(line, key=abs) == pytest.approx([complex(x + 60, y + 100), complex(x + 100, y + 100)], abs=0.01)


def test_one_drawing_gives_the_same_file(tmp_path):
    for name in "ab":
        plot(scribble(), tmp_path / name, Plan(pens=("3",), machine="svg"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"machine": "laser"}, "machine is one of svg, axidraw, hpgl, gcode, got 'laser'"),
        ({"opacity": "fade"}, "opacity is one of hatch, drop"),
        ({"pens": ("#000", "blu")}, "written #cc0000 or by its name, got 'blu'"),
        ({"pens": ()}, "1 to 32 pens"),
        ({"pens": ("33",)}, "1 to 32 pens"),
        ({"pen_width": 0}, "pen_width is from 0.05 to 100, got 0"),
        ({"paper": "b7"}, "a paper is one of a6, a5"),
        ({"margin": 120}, "margins of 120 mm has no room"),
        ({"size": 181}, "room for a width of 180 mm, not of 181"),
        ({"machine": "hpgl", "margin": 1}, "does not reach the edge of a4: give --margin"),
        ({"machine": "hpgl", "device": "hp1"}, "an HPGL plotter is one of hp7475a"),
        ({"machine": "hpgl", "paper": "a6"}, "takes the papers a4, a3"),
        ({"machine": "hpgl", "pens": (*(f"#{n}0000" for n in range(60, 66)), "#000")}, "has 6 pens, not 7"),
    ],
)  # fmt: skip
def test_what_cannot_be_plotted_is_refused(settings, message, tmp_path):
    with pytest.raises(InputError, match=message):
        plot(scribble(), tmp_path / "a", Plan(**settings))
    assert not list(tmp_path.iterdir())


def test_a_plot_without_lines_is_refused(tmp_path):
    with pytest.raises(InputError, match="no line is left to plot: lower --faint"):
        plot(straight((50, 100, 150, 100), color=(0.0, 0.0, 0.0, 0.1)), tmp_path / "a")


def test_without_vpype_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("clipdraw.plotting.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"plotting needs an optional part: .*install 'clipdraw\[plotter\]'"):
        plot(scribble(), tmp_path / "a")
