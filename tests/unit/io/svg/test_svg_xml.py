import pytest

from clipdraw.errors import FormatError
from clipdraw.io.svg import from_svg, to_svg
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
