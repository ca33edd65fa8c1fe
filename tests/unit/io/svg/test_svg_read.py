import os
import re

import pytest
import torch

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.io.svg import from_svg, read_drawing, to_svg
from tests.svg_samples import replaced, same, wild_drawing

OURS = to_svg(wild_drawing(2))


def refusal(tmp_path, text):
    """The message, which must be one line that names the file."""
    path = tmp_path / "bad.svg"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(FormatError) as caught:
        read_drawing(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        (r'd="M\S+', 'd="Mnan', "not finite"),
        (r'd="M\S+', 'd="M1e999', "not finite"),
        (r'd="M\S+', 'd="M-2e7', "beyond"),
        (r' d="[^"]*"', "", "no path data"),
        (r' stroke="[^"]*"', "", "color of stroke 0 is missing"),
        (r' stroke-width="[^"]*"', "", "no stroke-width"),
        (r'stroke-width="[^"]*"', 'stroke-width="-1"', "the width of stroke 0"),
        (r'stroke-width="[^"]*"', 'stroke-width="1e999"', "the width of stroke 0"),
        (r'stroke-opacity="[^"]*"', 'stroke-opacity="1.5"', "the opacity of stroke 0"),
        (r'stroke-opacity="[^"]*"', 'stroke-opacity="nan"', "the opacity of stroke 0"),
        (r'viewBox="[^"]*"', 'viewBox="0 0 1e999 5"', "the canvas size"),
        (r'viewBox="[^"]*"', 'viewBox="0 0 0 5"', "the canvas size"),
        (r'viewBox="[^"]*"', 'viewBox="0 0 -4 5"', "the canvas size"),
        (r'viewBox="[^"]*"', 'viewBox="0 0 4"', "four numbers"),
        (r'viewBox="[^"]*" width="224" height="224"', "", "the canvas size"),
        (r'viewBox="[^"]*" width="224"', 'width="1e999"', "the canvas size"),
        (r'clipdraw:version="1"', 'clipdraw:version="2"', "update"),
        (r' fill="rgb[^"]*"', "", "the background is missing"),
        (r'name="seed">3', 'name="seed" encoding="json">{', "damaged metadata"),
        (r'name="seed">3', 'name="seed" encoding="json">[1]', "damaged metadata"),
        (r"(C\S+)", r"\1 1", "whole cubic segments"),
    ],
)
def test_impossible_values_of_our_own_files(tmp_path, pattern, replacement, reason):
    assert reason in refusal(tmp_path, replaced(OURS, pattern, replacement))


LAUGHS = """<!DOCTYPE svg [<!ENTITY a "{}"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><svg>&b;</svg>""".format(
    "ha" * 500_000
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not well-formed"),
        ("no xml", "not well-formed"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not well-formed"),
        (OURS[: len(OURS) // 2], "not well-formed"),
        (OURS + OURS, "not well-formed"),
        ("<html/>", "no SVG"),
        (LAUGHS, "stand for more than"),
        ('<!DOCTYPE svg SYSTEM "file:///etc/passwd"><svg/>', "DTD"),
        ('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg><title>&x;</title></svg>', "DTD"),
        ("<svg>&x;</svg>", "not declared"),
        ('<?xml version="1.0" encoding="klingon"?><svg/>', "encoding"),
        ('<?xml version="1.0" encoding="hex"?><svg/>', "encoding"),
        ("<svg>" * 100_000 + "</svg>" * 100_000, "nest deeper"),
    ],
)
def test_hostile_files(tmp_path, text, reason):
    assert reason in refusal(tmp_path, text)


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.svg"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(FormatError, match="100,000,000 bytes"):
        read_drawing(path)


def test_paths_that_are_no_files(tmp_path):
    for path, reason in ((tmp_path / "none.svg", "No such file"), (tmp_path, "not a regular file")):
        with pytest.raises(FormatError, match=reason):
            read_drawing(path)
    with pytest.raises(FormatError, match="usable path"):
        read_drawing("a\0.svg")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.svg")
        with pytest.raises(FormatError, match="not a regular file"):
            read_drawing(tmp_path / "pipe.svg")


def test_limits_of_elements_strokes_and_segments(monkeypatch):
    monkeypatch.setattr("clipdraw.io.svg.syntax.MAX_ELEMENTS", 1000)  # the real ones take seconds of type checks
    monkeypatch.setattr("clipdraw.io.svg.MAX_PATHS", 500)
    with pytest.raises(FormatError, match="more than 1,000 elements"):
        from_svg("<svg>" + "<g/>" * 1000 + "</svg>")
    path = re.search("<path[^>]*/>", OURS)[0]
    with pytest.raises(FormatError, match="more than 500 paths"):
        from_svg(replaced(OURS, "(<path[^>]*/>)", lambda found: found[0] * 500))
    third = re.sub('d="[^"]*"', 'd="M0 0C' + "1 " * 2_000_000 + '"', path)
    with pytest.raises(FormatError, match="200,000 segments"):
        from_svg(replaced(OURS, "<path[^>]*/>", third))


def test_text_with_half_surrogates_is_refused():
    with pytest.raises(FormatError, match="not text"):
        from_svg("<svg>\ud800</svg>")


def test_other_encodings_are_read(tmp_path):
    drawing = wild_drawing(2, metadata={"prompt": "é"})
    text = to_svg(drawing)
    (tmp_path / "a.svg").write_bytes(text.replace("UTF-8", "ISO-8859-1").encode("latin-1"))
    assert same(Drawing.load(tmp_path / "a.svg"), drawing)
    (tmp_path / "b.svg").write_bytes(text.replace("UTF-8", "UTF-16").encode("utf-16"))
    assert same(Drawing.load(tmp_path / "b.svg"), drawing)


def as_inkscape(text):
    """Our file as Inkscape 1.2.2 saves it after opening it."""
    text = text.replace('clipdraw:version="1"', 'clipdraw:version="1" version="1.1" id="svg5"')
    text = text.replace(
        "<title>", '<defs id="defs1" /><i:namedview xmlns:i="inkscape" pagecolor="#fff" /><title id="t">'
    )
    text = (
        text.replace("<path", '<path\n     id="path8"').replace("<g ", '<g id="g1" ').replace("<rect ", '<rect id="r" ')
    )
    return text.replace(">\n<", ">\n     <")


def test_a_file_that_inkscape_saved_is_still_exact():
    assert same(from_svg(as_inkscape(OURS)), wild_drawing(2))


def test_a_file_that_an_editor_changed_keeps_its_strokes_and_metadata():
    moved = OURS.replace("<g ", '<g transform="translate(5,7)" ')
    drawing, expected = from_svg(moved), wild_drawing(2)
    assert torch.allclose(drawing.points, expected.points + torch.tensor([5.0, 7.0]))
    assert torch.equal(drawing.colors, expected.colors)
    assert torch.allclose(drawing.widths, expected.widths)
    assert torch.equal(drawing.background, expected.background)
    assert drawing.metadata == expected.metadata


def test_an_added_shape_is_kept():
    added = OURS.replace("</svg>", '<circle cx="50" cy="50" r="9" fill="none" stroke="red"/></svg>')
    drawing = from_svg(added)
    assert len(drawing) == 3
    assert [style.closed for style in drawing.styles] == [(False,), (False,), (True,)]


def test_a_file_of_ours_without_a_rectangle_has_no_background():
    drawing = Drawing(torch.rand(4, 2), torch.ones(1), torch.rand(1, 4), (1,), background=None)
    assert "<rect" not in to_svg(drawing)
    again = from_svg(to_svg(drawing))
    assert again.background is None
    assert torch.equal(again.points, drawing.points)
    assert again.paper.tolist() == [1, 1, 1]
    foreign = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><path d="M1 1L8 8" stroke="red"/></svg>'
    assert from_svg(foreign).background.tolist() == [1, 1, 1]
