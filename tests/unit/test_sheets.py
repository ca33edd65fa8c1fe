import io
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
from PIL import Image

from clipdraw.drawing import Canvas
from clipdraw.errors import InputError
from clipdraw.sheets import Sheet, write_sheet


def pixels(path):
    if path.suffix == ".svg":
        png = bytes(resvg_py.svg_to_bytes(svg_string=path.read_text(), skip_system_fonts=True))
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def sheet(drawing, **settings):
    wide = replace(drawing, canvas=Canvas(224, 112))
    cells = [[drawing, wide, "failed"], [wide, drawing]]
    return Sheet(cells, columns=["one", "two", "three"], rows=["above", "below"], title="A title", side=60, **settings)


def test_png_and_svg_are_the_same_picture_but_for_letters(drawing, tmp_path):
    for ending in ("png", "svg"):
        write_sheet(sheet(drawing), tmp_path / f"a.{ending}")
    png, svg = (pixels(tmp_path / f"a.{ending}") for ending in ("png", "svg"))
    assert png.shape == svg.shape
    left, top = 132 + 2 * 8, 8 + 2 * 17 + 8
    cells = (slice(top, top + 128), slice(left, left + 128))
    assert np.abs(png[cells] - svg[cells]).mean() < 2
    assert png[cells].std() > 10


def test_labels_stand_in_both(drawing, tmp_path):
    captions = [["a < b", "", "c"], ["", "so long a caption that it needs more than one line and is cut off at last"]]
    write_sheet(sheet(drawing, captions=captions), tmp_path / "a.svg")
    texts = [element.text for element in ElementTree.parse(tmp_path / "a.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert {"one", "two", "three", "above", "below", "A title", "a < b", "c", "failed"} <= set(texts)
    (cut,) = (text for text in texts if text.endswith("…"))
    assert len(cut) < 16
    write_sheet(sheet(drawing), tmp_path / "a.png")
    title = pixels(tmp_path / "a.png")[:25, :80]
    assert (title < 100).any()


def test_webp_and_no_labels(drawing, tmp_path):
    write_sheet(Sheet([[drawing] * 3], side=40), tmp_path / "a.webp")
    with Image.open(tmp_path / "a.webp") as picture:
        assert picture.size == (8 + 3 * 48, 8 + 48)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cells": []}, "at least one drawing"),
        ({"cells": [["a"]], "columns": ["a", "b"]}, "1 columns need"),
        ({"cells": [["a"]], "rows": ["a", "b"]}, "1 rows need"),
        ({"cells": [["a"]], "captions": [["a", "b"]]}, "one text for each cell"),
    ],
)
def test_labels_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Sheet(**settings)


@pytest.mark.parametrize(
    ("side", "file", "message"), [(40, "a.jpg", r"\.png, \.webp or \.svg"), (20_000, "a.png", "at most 12000")]
)
def test_files_that_cannot_be_written_are_refused(side, file, message, tmp_path):
    with pytest.raises(InputError, match=message):
        write_sheet(Sheet([["a"]], side=side), tmp_path / file)
    assert list(tmp_path.iterdir()) == []
