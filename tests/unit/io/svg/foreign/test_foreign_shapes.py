from xml.etree.ElementTree import fromstring

import numpy as np
import pytest

from clipdraw.io.svg.foreign.path_data import extent
from clipdraw.io.svg.foreign.shapes import shape_subpaths


def runs(text):
    element = fromstring(text)
    return shape_subpaths(element, element.tag, (100, 50))[0]


@pytest.mark.parametrize(
    ("shape", "same"),
    [
        ('<rect width="40" height="30" rx="auto" ry="10"/>', '<rect width="40" height="30" rx="10" ry="10"/>'),
        ('<rect width="40" height="30" rx="8" ry="-3"/>', '<rect width="40" height="30" rx="8" ry="8"/>'),
        ('<rect width="40" height="30" rx="99" ry="99"/>', '<rect width="40" height="30" rx="20" ry="15"/>'),
        ('<rect width="40" height="30" rx="0" ry="9"/>', '<rect width="40" height="30"/>'),
        ('<rect width="40" height="30" rx="auto" ry="auto"/>', '<rect width="40" height="30"/>'),
        ('<ellipse rx="4" ry="auto"/>', '<ellipse rx="4" ry="4"/>'),
        ('<ellipse rx="-1" ry="3"/>', '<ellipse rx="3" ry="3"/>'),
        ('<ellipse rx="10%" ry="20%"/>', '<ellipse rx="10" ry="10"/>'),
        ('<circle r="10" cx="5"/>', '<ellipse rx="10" ry="10" cx="5"/>'),
    ],
)
def test_radii(shape, same):
    (one,), (other,) = runs(shape), runs(same)
    assert one.closed == other.closed
    np.testing.assert_allclose(one.points, other.points, atol=1e-9)


@pytest.mark.parametrize(
    "shape",
    [
        '<ellipse rx="auto" ry="auto"/>', '<ellipse rx="0" ry="5"/>', '<circle r="auto"/>', "<circle/>",
        '<rect width="auto" height="5"/>', '<rect width="5" height="-5"/>', '<polygon points="5 5"/>', "<path/>",
    ],
)  # fmt: skip
def test_shapes_without_a_size_are_nothing(shape):
    assert runs(shape) == []


def test_rounded_corners_stay_within_their_rectangle():
    outline = runs('<rect x="1" y="2" width="30" height="20" rx="7" ry="5"/>')
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(extent(outline), [[1, 2], [31, 22]], atol=1e-9)
    assert outline[0].segments == 16
