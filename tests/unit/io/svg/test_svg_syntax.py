import numpy as np
import pytest
import torch

from clipdraw.errors import FormatError, InputError
from clipdraw.io.svg import from_svg, to_svg
from clipdraw.io.svg.syntax import as_percent, parse_number, shortest
from tests.svg_samples import SVG

LINE = SVG.format('<path d="M0 0L9 9" stroke="red" fill="none"/>')
POTRACE = """<?xml version="1.0" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 20010904//EN"
 "http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd">
"""


@pytest.mark.parametrize(
    "label",
    [
        POTRACE,
        "<!DOCTYPE svg>",
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.0//EN" "http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd">',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD  SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1 Basic//EN" "svg11-basic.dtd">',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1 Tiny//EN" "file:///etc/passwd">',
    ],
)
def test_the_labels_of_svg_are_only_names(label):
    assert len(from_svg(label + LINE)) == 1
    assert len(from_svg(label + to_svg(from_svg(LINE)).partition("?>")[2])) == 1


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE svg SYSTEM "svg11.dtd">',
        '<!DOCTYPE svg PUBLIC "-//other//DTD SVG//EN" "http://other/svg.dtd">',
        "<!DOCTYPE svg []>",
        '<!DOCTYPE svg [<!ENTITY a "aaa">]>',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd" [<!ATTLIST path d CDATA "M0 0">]>',
    ],
)
def test_other_document_types_are_refused_with_what_to_do(declaration):
    with pytest.raises(FormatError, match="delete the DOCTYPE"):
        from_svg(declaration + LINE)


@pytest.mark.parametrize("label", [POTRACE, "<!DOCTYPE svg>"])
def test_entities_of_a_named_document_type_are_refused(label):
    with pytest.raises(FormatError, match=r"entities|not well-formed"):
        from_svg(label + SVG.format("<title>&nbsp;</title>"))


@pytest.mark.parametrize(
    ("number", "percent"),
    [("0", "0"), ("1", "100"), ("0.5", "50"), ("0.12345678", "12.345678"), ("0.001", "0.1"), ("0.0000123", "0.00123")],
)
def test_percent_moves_the_point(number, percent):
    assert as_percent(number) == percent


def test_every_float_of_a_large_sample_survives_text_and_percent():
    bits = np.random.default_rng(0).integers(0, np.float32(1).view(np.int32), 20_000, dtype=np.int32)
    values = np.concatenate([bits.view(np.float32), np.linspace(0, 1, 5_001, dtype=np.float32)])
    texts = shortest(torch.from_numpy(values), what="x")
    assert np.array_equal(np.array([float(text) for text in texts]).astype(np.float32), values)
    percents = np.array([float(as_percent(text)) / 100 for text in texts]).astype(np.float32)
    assert np.array_equal(percents, values)
    assert not any("e" in text for text in texts)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -2e7])
def test_what_cannot_be_stored_is_named(value):
    with pytest.raises(InputError, match=r"a drawing with the width .* cannot be stored"):
        shortest(torch.tensor([1.0, value]), what="the width")


@pytest.mark.parametrize("text", ["nan", "1e999", "-1e999", "five", "", "1e8"])
def test_impossible_numbers_are_refused(text):
    with pytest.raises(FormatError, match="the width is"):
        parse_number(text, what="the width")
