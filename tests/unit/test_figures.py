import io
import itertools
import warnings
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image, ImageFont

from clipdraw import figures
from clipdraw.drawing import Canvas
from clipdraw.errors import InputError
from clipdraw.figures import Cell, Sheet, _length, _wrapped, write_sheet
from clipdraw.io.svg import from_svg

SVG = "{http://www.w3.org/2000/svg}"


def pixels(path):
    if path.suffix == ".svg":
        png = bytes(resvg_py.svg_to_bytes(svg_string=path.read_text(), skip_system_fonts=True))
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def red(height, width):
    return torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, height, width)


@pytest.fixture
def sheet(drawing):
    wide = replace(drawing, canvas=Canvas(224, 112))
    cells = [Cell(drawing, ["a < b", "c & d"]), Cell(wide), Cell("failed")], [Cell(red(50, 100)), Cell(wide)]
    columns, rows = ["one", "two", "three"], ["above", "below"]
    return Sheet(cells, columns=columns, rows=rows, title="A title", notes=["a note"], side=60)


def texts(path):
    return [element.text for element in ElementTree.parse(path).iter(f"{SVG}text")]


def test_png_and_svg_are_the_same_picture_but_for_letters(sheet, tmp_path):
    write_sheet(sheet, tmp_path / "a.png", tmp_path / "a.svg")
    png, svg = pixels(tmp_path / "a.png"), pixels(tmp_path / "a.svg")
    assert png.shape == svg.shape
    left, top = 132 + 2 * 8, 8 + 2 * 17 + 8
    for cells in ((slice(top, top + 60), slice(left, left + 128)), (slice(top + 102, top + 132), slice(left, None))):
        assert np.abs(png[cells] - svg[cells]).mean() < 2
        assert png[cells].std() > 10


def test_the_svg_has_its_labels_as_text_drawings_as_paths_and_images_as_png(sheet, drawing, tmp_path):
    write_sheet(sheet, tmp_path / "a.svg")
    shown = ["A title", "one", "two", "three", "failed", "a < b", "c & d", "above", "below", "a note"]
    assert texts(tmp_path / "a.svg") == shown
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    nested = root.findall(f"{SVG}svg")
    assert [(each.get("height"), each.get("viewBox")) for each in nested[:2]] == [
        ("60", "0 0 224 224"),
        ("30", "0 0 224 112"),
    ]
    assert all(len(list(each.iter(f"{SVG}path"))) == len(drawing) for each in nested)
    (image,) = root.findall(f"{SVG}image")
    assert (image.get("width"), image.get("height")) == ("60", "30")
    assert image.get("href").startswith("data:image/png;base64,")


@pytest.mark.parametrize("above", [False, True])
def test_rows_are_labeled_at_their_left_or_above(sheet, above, tmp_path):
    write_sheet(replace(sheet, rows_above=above), tmp_path / "a.svg", tmp_path / "a.png")
    label = next(e for e in ElementTree.parse(tmp_path / "a.svg").iter(f"{SVG}text") if e.text == "above")
    frame = next(e for e in ElementTree.parse(tmp_path / "a.svg").getroot().findall(f"{SVG}svg"))
    assert (float(label.get("y")) < float(frame.get("y"))) == above
    assert (int(frame.get("x")) == 8) == above
    assert (pixels(tmp_path / "a.png")[:25, :80] < 100).any()


def test_a_scale_gives_the_png_more_pixels(sheet, tmp_path):
    write_sheet(replace(sheet, scale=2), tmp_path / "a.svg", tmp_path / "a.png")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    picture = Image.open(tmp_path / "a.png")
    assert picture.size == tuple(2 * int(root.get(side)) for side in ("width", "height"))
    (image,) = root.findall(f"{SVG}image")
    middle = [2 * (int(image.get(a)) + int(image.get(b)) // 2) for a, b in (("x", "width"), ("y", "height"))]
    assert picture.getpixel(tuple(middle)) == (255, 0, 0)


def test_webp_and_no_labels(drawing, tmp_path):
    write_sheet(Sheet([[Cell(drawing)] * 3], side=40), tmp_path / "a.webp")
    with Image.open(tmp_path / "a.webp") as picture:
        assert picture.size == (8 + 3 * 48, 8 + 48)


def test_drawings_keep_their_own_gradients(tmp_path):
    stops = '<linearGradient id="a"><stop stop-color="{0}"/><stop offset="1" stop-color="{0}"/></linearGradient>'
    shape = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8">{}<path d="M0 0H8V8H0z" fill="url(#a)"/></svg>'
    cells = [Cell(from_svg(shape.format(stops.format(color)))) for color in ("#ff0000", "#0000ff")]
    write_sheet(Sheet([cells], side=40), tmp_path / "a.svg")
    shown = pixels(tmp_path / "a.svg")
    assert [shown[28, x].tolist() for x in (28, 76)] == [[255, 0, 0], [0, 0, 255]]


def test_text_is_wrapped_and_long_words_are_broken():
    text = "several words that do not fit, and " + "m" * 60
    lines = _wrapped(text, 100, 20)
    assert len(lines) > 5
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(_length(line) <= 100 for line in lines)
    assert _wrapped("", 100, 3) == []
    assert _wrapped("one two", 1, 9) == list("onetwo")


@pytest.mark.parametrize("text", ["a caption that needs more than its three lines", "m" * 60])
def test_what_is_longer_than_its_lines_is_cut(text):
    lines = _wrapped(text, 60, 3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert _length(lines[-1]) <= 60
    whole = _wrapped(text, 60, 99)
    assert _wrapped(text, 60, len(whole)) == whole


@pytest.mark.parametrize("above", [False, True])
def test_texts_stand_apart_in_cells_of_any_size(above, drawing, tmp_path):
    cells = [Cell(drawing, ["x" * 90]), Cell("a reason " * 40)]
    sheet = Sheet([cells] * 2, ["words " * 9] * 2, ["label " * 30] * 2, above, "title " * 90, ["note " * 90], side=16)
    write_sheet(sheet, tmp_path / "a.svg", tmp_path / "a.png")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    places = sorted((int(each.get("x")), int(each.get("y"))) for each in root.iter(f"{SVG}text"))
    assert all(other != x or below - y >= 17 for (x, y), (other, below) in itertools.pairwise(places))
    assert max(y for _, y in places) < int(root.get("height"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cells": []}, "at least one cell"),
        ({"cells": [[]]}, "at least one cell"),
        ({"cells": [[Cell("a")]], "columns": ["a", "b"]}, "1 columns need"),
        ({"cells": [[Cell("a")]], "rows": ["a", "b"]}, "1 rows need"),
    ],
)
def test_labels_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Sheet(**settings)


@pytest.mark.parametrize(
    ("side", "file", "message"),
    [
        (40, "a.jpg", r"\.png, \.webp or \.svg"),
        (20_000, "a.png", "at most 144,000,000 in all"),
        (17_000, "a.webp", "at most 16383 a side"),
    ],
)
def test_files_that_cannot_be_written_are_refused(side, file, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_sheet(Sheet([[Cell("a")]], side=side), tmp_path / file)
    assert list(tmp_path.iterdir()) == []


SPELLED = dict(zip("自転車é ", "WBCe ", strict=True))


class Foreign(ImageFont.FreeTypeFont):
    """A font that shows the letters of `SPELLED` as Latin ones, and has no others."""

    def getlength(self, text, *arguments, **settings):
        return super().getlength(spelled(text), *arguments, **settings)

    def getmask2(self, text, *arguments, **settings):
        return super().getmask2(spelled(text), *arguments, **settings)


def spelled(text):
    return "".join(SPELLED.get(letter, figures._NO_LETTER) for letter in text)


def foreign_font(size):
    font = ImageFont.load_default(size)
    font.__class__ = Foreign
    return font


@pytest.fixture
def fonts(monkeypatch):
    """Sets which fonts the system has: a function of their numbers and sizes."""

    def install(find):
        figures._font_of.cache_clear()
        monkeypatch.setattr(figures, "_font", find)

    yield install
    figures._font_of.cache_clear()


def test_letters_that_the_own_font_lacks_are_taken_from_another(fonts, tmp_path):
    own = {0: ImageFont.load_default, 5: foreign_font}
    fonts(lambda number, size=13: own[number](size) if number in own else None)
    foreign, plain = "自転車 and a cat: e\N{COMBINING ACUTE ACCENT}", "WBC and a cat: e"
    for name, text in (("foreign", foreign), ("plain", plain)):
        sheet = Sheet([[Cell("")]], title=text, side=200, scale=2)
        write_sheet(sheet, tmp_path / f"{name}.png", tmp_path / f"{name}.svg")
    assert np.abs(pixels(tmp_path / "foreign.png") - pixels(tmp_path / "plain.png")).mean() < 0.1
    assert texts(tmp_path / "foreign.svg") == [foreign]
    assert _length("自転車") == _length("WBC")


def test_letters_that_no_font_has_are_named_and_marked(fonts, tmp_path):
    fonts(lambda number, size=13: None if number else ImageFont.load_default(size))
    sheet = Sheet([[Cell("")]], title="自転車 and\u200d 自 é", side=200)
    with pytest.warns(UserWarning, match=r"^a\.png: no font here has '自転車é'; they stand as \? in this file"):
        write_sheet(sheet, tmp_path / "a.png", tmp_path / "a.svg")
    write_sheet(replace(sheet, title="??? and ? ?"), tmp_path / "b.png")
    assert np.array_equal(pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png"))
    assert _length("自") == 13  # as wide as an SVG shows it
    assert _length("é") == _length("?")


@pytest.mark.skipif(figures._font(1) is None, reason="needs the font DejaVu Sans")
def test_letters_of_europe_are_shown_where_there_is_a_usual_font(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_sheet(
            Sheet([[Cell("")]], title="Müller, Жар-птица, Γειά σου, שלום, مرحبا →", side=400), tmp_path / "a.png"
        )


def test_no_label_breaks_the_xml(drawing, fonts, tmp_path):
    fonts(lambda number, size=13: None if number else ImageFont.load_default(size))
    text = "".join(map(chr, [*range(32), 127, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF])) + "<&>]]>"
    sheet = Sheet([[Cell(drawing, [text]), Cell(text)]], [text, text], [text], title=text, notes=[text], side=300)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_sheet(sheet, tmp_path / "a.svg", tmp_path / "a.png")
    shown = "".join(texts(tmp_path / "a.svg")).replace(" ", "")
    assert shown.count("<&>]]>") == 7
    assert set(shown) == set("<&>]\x7f\N{REPLACEMENT CHARACTER}")


def test_a_scale_that_is_too_large_is_lowered(monkeypatch, drawing, tmp_path):
    monkeypatch.setattr("clipdraw.figures._LARGEST", 10_000)
    write_sheet(Sheet([[Cell(drawing)]], side=40, scale=4), tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").shape == (100, 100, 3)
