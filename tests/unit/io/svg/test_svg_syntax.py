import numpy as np
import pytest
import torch

from clipdraw.errors import FormatError, InputError
from clipdraw.io.svg import from_svg, to_svg
from clipdraw.io.svg.foreign import ForeignSvgWarning
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
    ],
)
def test_other_document_types_are_refused_with_what_to_do(declaration):
    with pytest.raises(FormatError, match="delete the DOCTYPE"):
        from_svg(declaration + LINE)


def test_what_else_a_refused_document_type_declares_is_to_be_kept():
    with pytest.raises(FormatError, match=r"delete the name of the file 'a.dtd' in it, and keep what is in \[...\]"):
        from_svg('<!DOCTYPE svg SYSTEM "a.dtd" [<!ENTITY a "red">]>' + LINE)
    assert len(from_svg('<!DOCTYPE svg [<!ENTITY a "red">]>' + LINE)) == 1


@pytest.mark.parametrize("label", [POTRACE, "<!DOCTYPE svg>"])
def test_entities_of_a_named_document_type_are_refused(label):
    with pytest.raises(FormatError, match="declared in the file; write its text out"):
        from_svg(label + SVG.format("<title>&nbsp;</title>"))


ILLUSTRATOR = """<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
  <!ENTITY ns_extend "http://ns.adobe.com/Extensibility/1.0/"> <!ENTITY ns_svg "http://www.w3.org/2000/svg">
  <!ENTITY green "#0A0"> <!ENTITY st0 "fill:&green;">
  <!ENTITY box "<path d='M5 5h40v40H5z' style='&st0;'/>">
  <!ATTLIST svg xmlns:a3 CDATA #FIXED "http://ns.adobe.com/AdobeSVGViewerExtensions/3.0/" width CDATA "90">
]><svg xmlns:x="&ns_extend;" xmlns="&ns_svg;" height="50">{}</svg>"""


@pytest.mark.parametrize(
    "shape", ["&box;", '<path d="M5 5h40v40H5z" style="&st0;"/>', '<path d="M5 5h40v40H5z" fill="&green;"/>']
)
def test_entities_that_a_file_declares_are_expanded(shape):
    drawing = from_svg(ILLUSTRATOR.format(shape))
    assert drawing.fills.tolist() == [[0, pytest.approx(2 / 3), 0, 1]]
    assert (drawing.canvas.width, drawing.canvas.height) == (90, 50)


@pytest.mark.parametrize(
    ("declared", "used", "reason"),
    [
        ('<!ENTITY a SYSTEM "file:///etc/passwd">', "", "of another file"),
        ('<!ENTITY a PUBLIC "a" "http://other/a">', "&a;", "of another file"),
        ('<!ENTITY a SYSTEM "a.gif" NDATA gif>', "", "of another file"),
        ('<!ENTITY % a SYSTEM "http://other/a"> %a;', "", "of another file"),
        ("<!ENTITY % a '<!ENTITY b \"x\">'> %a;", "", "of the DTD itself"),
        ('<!ENTITY a "&b;"><!ENTITY b "&a;">', "&a;", "recursive"),
        ("".join(f'<!ENTITY e{n} "a">' for n in range(201)), "", "more than 200 entities"),
        (
            '<!ENTITY l0 "ha">' + "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(8)),
            "&l8;",
            "stand for",
        ),
        ('<!ENTITY l0 "">' + "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(8)), "&l8;", "stand for"),
        (f'<!ENTITY a "{"a" * 20_000}">', "&a;" * 501, "stand for"),
        (f'<!ATTLIST g d CDATA "{"a" * 20_000}">', "<g/>" * 700, "stand for"),
        (f'<!ENTITY a "{"a" * 20_000}"><!ATTLIST g d CDATA "{"&a;" * 501}">', "", "stand for"),
    ],
)
def test_entities_beyond_the_file_and_its_limits_are_refused(declared, used, reason):
    with pytest.raises(FormatError, match=reason):
        from_svg(f"<!DOCTYPE svg [{declared}]>" + SVG.format(f"<title>{used}</title>{LINE}"))


def test_style_sheets_of_other_files_are_named():
    with pytest.warns(ForeignSvgWarning, match="simplified: style sheets of other files$"):
        from_svg('<?xml-stylesheet type="text/css" href="a.css"?>' + LINE)
    assert len(from_svg('<?other href="a.css"?>' + LINE)) == 1


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
