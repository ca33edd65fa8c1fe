import io
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import pyvips
import resvg_py
import torch
from PIL import Image

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError
from clipdraw.io.svg import from_svg, to_svg
from tests.svg_samples import line_drawing, same, wild_drawing

SVG = "{http://www.w3.org/2000/svg}"


def resvg(text):
    return np.array(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))).convert("RGB"))


def librsvg(text):
    return pyvips.Image.svgload_buffer(text.encode()).flatten(background=255).numpy()[..., :3]


def test_the_contract_of_the_file():
    root = ElementTree.fromstring(to_svg(wild_drawing(5, width=320.0, height=180.0)))
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == ("0 0 320 180", "320", "180")
    assert root.findtext(f"{SVG}title") == "a bonfire"
    assert len(root.findall(f"{SVG}rect")) == 1
    assert len(root.findall(f"{SVG}g/{SVG}path")) == 5
    assert dict(root.find(f"{SVG}g").attrib) == {
        "fill": "none",
        "stroke-linecap": "round",
        "stroke-linejoin": "round",
    }


@pytest.mark.parametrize("rasterize", [resvg, librsvg])
@pytest.mark.parametrize(
    "color", [(0.0, 0.0, 0.0), (0.12345678, 0.5019608, 0.999), (1 / 3, 2 / 3, 1e-7), (1.0, 1.0, 0.0)]
)
def test_renderers_show_the_exact_color(rasterize, color):
    image = rasterize(to_svg(line_drawing(color)))
    assert image.shape == (8, 16, 3)
    assert np.array_equal(image[4, 8], np.floor(np.array(color) * 255 + 0.5))


@pytest.mark.parametrize("rasterize", [resvg, librsvg])
def test_renderers_show_opacity_and_background(rasterize):
    drawing = replace(line_drawing((0.2, 0.4, 0.6), opacity=0.3), background=torch.tensor([0.9, 0.5, 0.1]))
    expected = 255 * (0.3 * np.array([0.2, 0.4, 0.6]) + 0.7 * np.array([0.9, 0.5, 0.1]))
    assert np.abs(rasterize(to_svg(drawing))[4, 8] - expected).max() <= 1.5


@pytest.mark.parametrize("rasterize", [resvg, librsvg])
def test_metadata_do_not_change_the_picture(rasterize):
    drawing = wild_drawing()
    odd = replace(drawing, metadata={"prompt": "]]> <svg> & \0 \ud800 \"é'\n\N{FIRE}", "a b\x01": " ", "": ""})
    assert np.array_equal(rasterize(to_svg(drawing)), rasterize(to_svg(odd)))
    assert same(from_svg(to_svg(odd)), odd)


@pytest.mark.parametrize("rasterize", [resvg, librsvg])
def test_width_is_the_full_width(rasterize):
    column = rasterize(to_svg(line_drawing((0.0, 0.0, 0.0), width=4.0)))[:, 8, 0]
    assert column.tolist() == [255, 255, 0, 0, 0, 0, 255, 255]


def test_values_a_little_outside_are_limited():
    drawing = replace(line_drawing((1.0000001, -1e-9, 0.5)), widths=torch.tensor([-0.5]))
    again = from_svg(to_svg(drawing))
    assert again.colors.tolist() == [[1.0, 0.0, 0.5, 1.0]]
    assert again.widths.tolist() == [0.0]


def test_gradients_and_float64_are_no_obstacle():
    drawing = wild_drawing(3).to(dtype=torch.float64)
    drawing.points.requires_grad_()
    assert to_svg(drawing) == to_svg(wild_drawing(3))


def test_the_empty_drawing_and_a_fractional_canvas():
    empty = Drawing(torch.zeros(0, 2), torch.zeros(0), torch.zeros(0, 4), (), Canvas(0.1, 33.333333333333336))
    assert same(from_svg(to_svg(empty)), empty)


@pytest.mark.parametrize("name", ["points", "widths", "colors", "background"])
def test_numbers_that_are_not_finite_are_refused_and_no_file_is_left(tmp_path, name):
    drawing = wild_drawing(2)
    broken = getattr(drawing, name).clone()
    broken.view(-1)[0] = float("nan")
    with pytest.raises(InputError, match="cannot be stored"):
        replace(drawing, **{name: broken}).save(tmp_path / "a.svg")
    with pytest.raises(InputError, match="canvas side"):
        to_svg(replace(drawing, canvas=Canvas(1e30, 1.0)))
    assert list(tmp_path.iterdir()) == []
