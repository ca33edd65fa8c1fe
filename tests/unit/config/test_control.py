"""Pen, paper, hand and shape: what their settings build, what they refuse, and that any two go together."""

from itertools import combinations

import pytest
import torch

from clipdraw.config import Config, fingerprint, from_dict, resolve
from clipdraw.config.colors import colors_of_picture, palettes, parse_color, parse_palette
from clipdraw.config.control import arrangement, constraints, losses, start
from clipdraw.encoders import load_encoder
from clipdraw.errors import ConfigError
from clipdraw.io.images import write_png
from clipdraw.io.svg import from_svg, to_svg
from clipdraw.optimization.arrangement import Combined, Grid, Mirror, Palette, Rotation, Tile
from clipdraw.optimization.constraints import ColorRange, PointsInDisc, PointsOnCanvas, WidthRange
from clipdraw.optimization.hand import Crossing, Length, Smooth, Straight
from clipdraw.optimization.losses import Ink
from clipdraw.optimization.shapes import OneLine, OnPaper, RandomShapes
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize


def config(**settings):
    return from_dict({"prompt": "a cat", **settings})


def error_of(**settings):
    with pytest.raises(ConfigError) as error:
        config(**settings)
    return str(error.value)


def test_without_them_nothing_changes():
    plain = config()
    assert arrangement(plain) is None
    assert constraints(plain) == (WidthRange(), ColorRange())
    assert losses(plain) == ()
    assert start(plain) == RandomStrokes()
    assert fingerprint(plain) == fingerprint(Config("a cat"))


def test_colors_are_names_or_codes():
    assert parse_color(" #f80 ", what="it") == (1.0, 136 / 255, 0.0)
    assert parse_color("RebeccaPurple", what="it") == (0.4, 0.2, 0.6)
    for wrong in ("#12345", "bluish", "", "#11223344"):
        with pytest.raises(ConfigError, match="it is an opaque color"):
            parse_color(wrong, what="it")
    assert error_of(background="bluish").startswith(
        "background is an opaque color such as #e76f51 or navy, got 'bluish'"
    )
    assert error_of(pen={"ink": "none"}).startswith("pen.ink is an opaque color")


def test_palettes_are_named_spelled_out_or_taken_from_a_picture(tmp_path):
    assert len(palettes()) >= 8
    for name in palettes():
        assert len(parse_palette((name,))) == len(set(parse_palette((name,)))) >= 1
    assert config(pen={"palette": "#000,white,black"}).pen.palette == ("#000", "white", "black")
    assert arrangement(config(pen={"palette": ["#000", "white", "black"]})) == Palette(((0.0,) * 3, (1.0,) * 3))
    assert "pico-8" in error_of(pen={"palette": ["nort"]})
    halves = torch.zeros(3, 8, 8)
    halves[0, :, :5] = 1.0
    write_png(halves, tmp_path / "flag.png")
    assert colors_of_picture(str(tmp_path / "flag.png"), 5) == ("#ff0000", "#000000")
    taken = resolve("a cat", {"pen.palette_from": str(tmp_path / "flag.png"), "pen.colors": 2})
    assert taken.pen.palette == ("#ff0000", "#000000")
    (tmp_path / "flag.png").unlink()
    assert from_dict(taken.to_dict()) == taken
    assert "flag.png" in error_of(pen={"palette_from": str(tmp_path / "flag.png")})


def test_settings_become_arrangements_in_an_order_that_keeps_them_all():
    every = config(pen={"ink": "#000"}, hand={"grid": 7.0, "symmetry": "rotation:2", "tile": True})
    assert arrangement(every) == Combined(
        (Palette(((0.0,) * 3,)), Grid(7.0, PointsOnCanvas(-112.0)), Rotation(2), Tile())
    )
    assert arrangement(config(hand={"symmetry": "mirror"})) == Mirror()
    assert arrangement(config(background="optimized", pen={"ink": "red"})) == Palette(((1.0, 0.0, 0.0),), True)


def test_settings_become_constraints():
    assert constraints(config(pen={"width": 3.0, "opacity": 0.5})) == (WidthRange(3.0, 3.0), ColorRange(0.5, 0.5))
    assert constraints(config(hand={"margin": 9.0}))[2:] == (PointsOnCanvas(9.0, whole_paths=True),)
    assert constraints(config(hand={"symmetry": "rotation:5"}, keep_on_canvas=True))[2:] == (PointsInDisc(),)
    assert constraints(config(hand={"symmetry": "rotation:4"}, keep_on_canvas=True))[2:] == (PointsOnCanvas(),)
    assert constraints(config(hand={"tile": True}, keep_on_canvas=True))[2:] == (PointsOnCanvas(-112.0),)
    assert constraints(config(hand={"one_line": True})) == (WidthRange(1.0, 4.0), ColorRange(1.0, 1.0))


def test_settings_become_losses():
    weights = {"smooth": 1.0, "crossing": 2.0, "length": 3.0, "straight": 4.0}
    asked = losses(config(hand=weights, pen={"most_ink": 0.2}))
    assert asked == (Smooth(1.0), Crossing(2.0), Length(3.0), Straight(4.0), Ink(0.2))


def test_settings_become_starts():
    assert start(config(strokes=9, hand={"symmetry": "rotation:4"})) == RandomStrokes(2)
    assert start(config(strokes=1, hand={"symmetry": "mirror"})) == RandomStrokes(1)
    assert start(config(pen={"width": 5.0, "opacity": 0.3})) == RandomStrokes(width=5.0, opacity=(0.3, 0.3))
    assert start(config(background="none", strokes=3)) == OnPaper(RandomStrokes(3), None)
    assert start(config(background="#000", strokes=3)) == OnPaper(RandomStrokes(3), (0.0, 0.0, 0.0))
    assert start(config(strokes=3, shape="both")) == RandomShapes(3, shape="both")
    assert start(config(strokes=30, hand={"one_line": True})) == OneLine(30)


@pytest.mark.parametrize("wrong", ["both", "rotation", "rotation:1", "rotation:65", "rotation:x", ""])
def test_symmetries_are_of_a_kind(wrong):
    assert error_of(hand={"symmetry": wrong}).startswith(
        "hand.symmetry is none, mirror or rotation:N with N from 2 to 64"
    )


PIECES = {
    "palette": {"pen.palette": ["#264653", "#e76f51"]},
    "ink": {"pen.ink": "#1d3557"},
    "width": {"pen.width": 5.0},
    "opacity": {"pen.opacity": 0.75},
    "most ink": {"pen.most_ink": 0.1},
    "paper": {"background": "#102030"},
    "no paper": {"background": "none"},
    "free paper": {"background": "optimized"},
    "fill": {"shape": "fill"},
    "both": {"shape": "both"},
    "smooth": {"hand.smooth": 1.0},
    "crossing": {"hand.crossing": 1.0},
    "length": {"hand.length": 1.0},
    "straight": {"hand.straight": 1.0},
    "mirror": {"hand.symmetry": "mirror"},
    "rotation": {"hand.symmetry": "rotation:3"},
    "half turn": {"hand.symmetry": "rotation:2"},
    "tile": {"hand.tile": True},
    "grid": {"hand.grid": 14.0},
    "margin": {"hand.margin": 20.0},
    "one line": {"hand.one_line": True},
}
REFUSED = {
    ("palette", "ink"), ("width", "fill"), ("fill", "one line"), ("both", "one line"), ("mirror", "one line"),
    ("rotation", "one line"), ("half turn", "one line"), ("tile", "one line"), ("rotation", "tile"),
    ("rotation", "grid"), ("tile", "margin"),
}  # fmt: skip
SAME_SETTING = [{"paper", "no paper", "free paper"}, {"fill", "both"}, {"mirror", "rotation", "half turn"}]


@pytest.fixture(scope="module")
def builtin():
    return load_encoder("builtin")


PAIRS = [
    pair for pair in combinations(PIECES, 2) if not any(set(pair) <= group for group in SAME_SETTING)
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_any_two_pieces_go_together_or_are_refused_in_one_line(pair, builtin):
    options = {**PIECES[pair[0]], **PIECES[pair[1]], "strokes": 4, "steps": 2, "canvas": (32.0, 32.0)}
    options |= {"preset": "paper", "resolution": 32, "views.count": 2}
    if pair in REFUSED:
        with pytest.raises(ConfigError, match="do not go together: ") as error:
            resolve("an apple", options)
        assert "\n" not in str(error.value)
        return
    settings = resolve("an apple", options)
    run = settings.build(builtin).begin()
    for _ in range(2):
        step = run.step()
    assert not step.dropped
    drawing = from_svg(to_svg(step.drawing.detached()))
    for piece in pair:
        CHECKS.get(piece, lambda *_: None)(drawing, settings)


@pytest.mark.parametrize("piece", PIECES)
def test_each_piece_goes_together_with_the_picture_of_the_prior(piece, builtin):
    options = {**PIECES[piece], "strokes": 4, "steps": 1, "canvas": (32.0, 32.0), "resolution": 32, "views.count": 2}
    settings = resolve("an apple", options)
    run = settings.build(builtin).begin()
    step = run.step()
    assert "prior" in step.losses
    CHECKS.get(piece, lambda *_: None)(from_svg(to_svg(step.drawing.detached())), settings)


def paints(drawing):
    """The colors and opacities of all that is painted."""
    styles = drawing.styles or [None] * len(drawing)
    rows = [drawing.colors[i] for i, style in enumerate(styles) if style is None or style.stroked]
    return torch.stack(rows + [drawing.fills[i] for i, style in enumerate(styles) if style is not None and style.fill])


def has_only(*codes):
    palette = torch.tensor([parse_color(code, what="") for code in codes])

    def check(drawing, settings):
        assert (paints(drawing)[:, None, :3] == palette).all(-1).any(1).all()

    return check


def has_width(drawing, settings):
    expected = torch.tensor(5.0) * drawing.canvas.scale
    assert torch.allclose(drawing.widths, expected)


def has_opacity(drawing, settings):
    assert (paints(drawing)[:, 3] == 0.75).all()


def has_no_paper(drawing, settings):
    assert drawing.background is None


def has_paper(drawing, settings):
    assert torch.equal(drawing.background, torch.tensor(parse_color("#102030", what="")))


def is_filled(drawing, settings):
    assert all(style.fill and all(style.closed) for style in drawing.styles)
    assert all(style.stroked == (settings.shape == "both") for style in drawing.styles)


def is_symmetric(flip):
    def check(drawing, settings):
        image = rasterize(drawing, height=32, width=32)
        assert (flip(image) - image).abs().max() < 1e-4

    return check


def is_on_grid(drawing, settings):
    steps = (drawing.points - 16) / (14.0 / 7)
    assert torch.allclose(steps, steps.round(), atol=1e-3)


def keeps_margin(drawing, settings):
    image = rasterize(drawing, height=224, width=224)
    off = (image - drawing.paper[:, None, None]).abs().amax(0)
    off[20:-20, 20:-20] = 0
    assert off.max() < 1e-5


def is_one_line(drawing, settings):
    assert len(drawing) == len(drawing.segments) == 1


CHECKS = {
    "palette": has_only("#264653", "#e76f51"), "ink": has_only("#1d3557"), "width": has_width, "opacity": has_opacity,
    "no paper": has_no_paper, "paper": has_paper, "fill": is_filled, "both": is_filled, "grid": is_on_grid,
    "mirror": is_symmetric(lambda image: image.flip(2)), "half turn": is_symmetric(lambda image: image.flip(1, 2)),
    "margin": keeps_margin, "one line": is_one_line,
}  # fmt: skip
