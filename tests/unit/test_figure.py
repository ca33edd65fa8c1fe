from xml.etree import ElementTree

import pytest
import torch
from PIL import Image

from clipdraw.errors import InputError
from clipdraw.run.figure import CELL, PNG_SCALE, Cell, Figure, _wrapped, write_figure

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def figure(drawing):
    pixels = torch.zeros(3, 50, 100)
    pixels[0] = 1.0
    cells = Cell(drawing, ("a <line> & more",)), Cell(pixels), Cell(None, note="not available")
    return Figure((("a cat, seed 0", cells),), ("strokes", "pixels", "nothing"), ("a note",))


def test_the_svg_has_its_labels_as_text_and_its_drawings_as_paths(figure, drawing, tmp_path):
    write_figure(figure, tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts == ["strokes", "pixels", "nothing", "a cat, seed 0", "a <line> & more", "not available", "a note"]
    (nested,) = root.findall(f"{SVG}svg")
    assert len(list(nested.iter(f"{SVG}path"))) == len(drawing)
    assert (nested.get("width"), nested.get("viewBox")) == (str(CELL), "0 0 224 224")
    (image,) = root.findall(f"{SVG}image")
    assert image.get("height") == str(CELL // 2)


def test_the_png_shows_the_same(figure, tmp_path):
    write_figure(figure, tmp_path / "a.svg", tmp_path / "a.png")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    picture = Image.open(tmp_path / "a.png")
    assert picture.size == tuple(int(root.get(side)) * PNG_SCALE for side in ("width", "height"))
    (image,) = root.findall(f"{SVG}image")
    middle = [PNG_SCALE * (float(image.get(a)) + float(image.get(b)) / 2) for a, b in (("x", "width"), ("y", "height"))]
    assert picture.getpixel(tuple(map(round, middle))) == (255, 0, 0)
    assert len(picture.getcolors(10**6)) > 50


def test_text_is_wrapped_and_long_words_cut():
    lines = _wrapped("several words that do not fit, and " + "m" * 60, 100)
    assert len(lines) > 5
    assert "".join(lines).replace(" ", "") == "severalwordsthatdonotfit,and" + "m" * 60
    assert _wrapped("", 100) == []


def test_other_endings_and_empty_figures_are_refused(figure, tmp_path):
    with pytest.raises(InputError, match=r"\.svg or \.png"):
        write_figure(figure, tmp_path / "a.jpg")
    with pytest.raises(InputError, match="at least one cell"):
        Figure((("a", ()),))
