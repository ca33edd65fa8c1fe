"""Our own files of paths that are more than strokes: what they hold, and what happens when they are damaged."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch

from clipdraw.drawing import Drawing, Gradient, Style
from clipdraw.errors import FormatError, InputError
from clipdraw.io.animated_svg import making_of_svg, self_drawing_svg
from clipdraw.io.svg import from_svg, to_svg
from tests.svg_samples import replaced

SVG = "{http://www.w3.org/2000/svg}"
RED = [1.0, 0.0, 0.0, 1.0]


def triangle(**options):
    """A closed triangle of straight segments, in red."""
    corners = torch.tensor([[10.0, 10.0], [90.0, 10.0], [50.0, 80.0]])
    shares = torch.arange(3)[:, None] / 3
    points = torch.cat([a + (b - a) * shares for a, b in zip(corners, corners.roll(-1, 0), strict=True)])
    parts = {"widths": torch.tensor([2.0]), "colors": torch.tensor([RED]), "fills": torch.tensor([RED])} | options
    return Drawing(points, segments=(3,), **parts)


def gradient(**options):
    ends = torch.tensor([[10.0, 10.0], [90.0, 10.0]])
    parts = {"offsets": torch.tensor([0.0, 1.0]), "colors": torch.tensor([RED, [0.0, 0.0, 1.0, 0.5]])} | options
    return Gradient("linear", ends, **parts)


PAINTED = triangle(
    styles=(Style((True,), "evenodd", True, "butt", "miter", 8.0, fill_gradient=0, transforms=(0, 0), opacity=0.6),),
    gradients=(gradient(spread="reflect"),),
    transforms=torch.tensor([[[1.0, 0.0, 5.0], [0.0, 2.0, 0.0]]]),
)
TEXT = to_svg(PAINTED)


def element(drawing, name="path"):
    return ElementTree.fromstring(to_svg(drawing)).find(f".//{SVG}{name}")


def test_only_what_is_unusual_is_written():
    path = element(triangle(styles=(Style((True,), "nonzero", False),), colors=torch.zeros(1, 4)))
    assert set(path.attrib) == {"d", "fill", "fill-opacity", "stroke", "stroke-width"}
    assert path.get("d").endswith("z")
    assert path.get("stroke") == "none"


def test_all_that_renderers_need_is_written():
    path = element(PAINTED)
    assert path.get("fill") == "url(#gradient0)"
    assert path.get("fill-rule") == "evenodd"
    assert (path.get("stroke-linecap"), path.get("stroke-linejoin")) == ("butt", "miter")
    assert path.get("stroke-miterlimit") == "8"
    assert path.get("transform") == "matrix(1 0 0 4 10 0)"
    assert path.get("opacity") == "0.6"
    server = element(PAINTED, "linearGradient")
    assert (server.get("gradientUnits"), server.get("spreadMethod")) == ("userSpaceOnUse", "reflect")
    assert [stop.get("offset") for stop in server] == ["0", "1"]


@pytest.mark.parametrize(("offsets", "written"), [([0.8, 1.5], ["0.8", "1"]), ([0.8, 0.5], ["0.8", "0.8"])])
def test_offsets_in_disorder_are_written_as_renderers_treat_them(offsets, written):
    mixed = gradient(offsets=torch.tensor(offsets))
    drawing = triangle(styles=(Style((True,), "nonzero", fill_gradient=0),), gradients=(mixed,))
    assert [stop.get("offset") for stop in element(drawing, "linearGradient")] == written


def test_styles_of_plain_strokes_are_kept_too():
    drawing = Drawing(torch.rand(4, 2), torch.ones(1), torch.rand(1, 4), (1,), styles=(Style(),))
    assert from_svg(to_svg(drawing)).styles == (Style(),)


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        (r" stroke=\S+", " ", "the color of path 0 is missing"),
        (r" stroke-width=\S+", " ", "no stroke-width"),
        (r'fill-opacity="[^"]*"', 'fill-opacity="2"', "the opacity of path 0"),
        (r'stroke-miterlimit="8"', 'stroke-miterlimit="0"', "a miter limit"),
        (r"url\(#gradient0\)", "url(#gradient1)", "refers to the gradient 1 of 1"),
        (r' x1="[^"]*"', "", "no x1"),
        (r' x1="[^"]*"', ' x1="nan"', "x1 is 'nan'"),
        (r'offset="1"', 'offset="-1"', "an offset"),
        (r'stop-opacity="1"', "", "no stop-opacity"),
        (r' opacity="0.6"', ' opacity="1.1"', "the opacity of a path"),
        (r'transform matrix="matrix\(1', 'transform matrix="matrix(1e9', "a transform"),
        (r"(C\S+)", r"\1 1", "whole cubic segments"),
    ],
)
def test_impossible_values(pattern, replacement, reason):
    with pytest.raises(FormatError) as caught:
        from_svg(replaced(TEXT, pattern, replacement))
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (' transform="matrix[^"]*"', ' transform="translate(10 0) scale(1 4)"'),
        ('id="gradient0"', 'id="gradient0" class="a"'),
        ("<g ", '<g opacity="1" '),
        ("z", "Z"),
    ],
)
def test_what_an_editor_changed_is_read_as_a_foreign_file(pattern, replacement):
    drawing = from_svg(replaced(TEXT, pattern, replacement))
    (style,) = drawing.styles
    assert (style.fill, style.cap, style.join, style.transforms) == ("evenodd", "butt", "miter", (0,))
    assert style.opacity == 0.6
    assert torch.allclose(drawing.points, PAINTED.points, atol=1e-5)
    assert drawing.transforms.tolist() == [[[1, 0, 10], [0, 4, 0]]]


def test_a_closed_subpath_that_does_not_end_where_it_begins_gets_a_line():
    assert from_svg(TEXT.replace('d="M10 10C', 'd="M10 11C')).segments == (4,)


def test_fills_that_the_file_does_not_announce_are_kept():
    changed = from_svg(TEXT.replace('"styles fills transforms"', '"styles transforms"'))
    assert changed.styles[0].fill == "evenodd"
    assert changed.fills is not None


def test_a_plain_stroke_that_an_editor_closed_is_closed():
    text = to_svg(Drawing(torch.tensor([[1.0, 1], [2, 5], [6, 5], [1, 1]]), torch.ones(1), torch.rand(1, 4), (1,)))
    assert from_svg(text.replace('5 1 1"', '5 1 1z"')).styles[0].closed == (True,)


@pytest.mark.parametrize(
    "options",
    [
        {"styles": (Style((True,), "nonzero", miter_limit=1e9),)},
        {"styles": (Style((True,), "nonzero"),), "gradients": (gradient(radius=torch.tensor(float("nan"))),)},
        {"styles": (Style((True,), "nonzero", transforms=(0, 0)),), "transforms": torch.full((1, 2, 3), 1e5)},
        {"styles": (Style((True,), "nonzero"),), "fills": torch.full((1, 4), float("nan"))},
    ],
)
def test_numbers_that_cannot_be_stored(options):
    with pytest.raises(InputError, match="cannot be stored"):
        to_svg(triangle(**options))


def test_films_are_of_paths_of_any_kind():
    plain = Drawing(torch.rand(4, 2), torch.ones(1), torch.rand(1, 4), (1,), styles=(Style(),))
    assert "stroke-dashoffset" in self_drawing_svg(plain)
    assert "stroke-dashoffset" not in self_drawing_svg(PAINTED)
    with pytest.raises(InputError, match="same segments"):
        making_of_svg([plain, PAINTED], [0.0, 1.0])


def test_the_film_of_a_shape_moves_its_fill_and_keeps_it_closed():
    before = triangle(styles=(Style((True,), "nonzero", stroked=False),))
    after = replace(before, points=before.points + 3, fills=torch.tensor([[0.0, 1.0, 0.0, 0.5]]))
    (path,) = ElementTree.fromstring(making_of_svg([before, after], [0.0, 1.0])).iter(f"{SVG}path")
    tracks = {each.get("attributeName"): each.get("values").split(";") for each in path}
    assert tracks.keys() == {"d", "fill", "fill-opacity"}
    assert all(data.startswith("M") and data.endswith("z") for data in tracks["d"])
    assert tracks["fill"][-1] == "#00ff00"
    assert tracks["fill-opacity"][-1] == ".5"
