import warnings

import pytest
import torch
from clipdraw.io.svg.files import from_svg
from svg_samples import SVG

from clipdraw.drawing import Drawing, Style
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.importer import ForeignSvgWarning

ROUND = 'stroke-linecap="round" stroke-linejoin="round" fill="none"'
STROKE = ' stroke="black"/>'


def quiet(body, frame=SVG):
    """The drawing of a file in which nothing is left out."""
    return from_svg(frame.format(f"<g {ROUND}>{body}</g>"))


def noted(body):
    """The drawing and the one warning."""
    with pytest.warns(ForeignSvgWarning) as caught:
        drawing = from_svg(SVG.format(body))
    assert len(caught) == 1
    return drawing, str(caught[0].message)


@pytest.mark.parametrize(
    ("shape", "segments", "ends"),
    [
        ('<line x1="1" y1="2" x2="31" y2="2"/>', (1,), [(1, 2), (31, 2)]),
        ('<polyline points="1,2 3,4 5 6"/>', (2,), [(1, 2), (5, 6)]),
        ('<path d="M1 2h3v4"/>', (2,), [(1, 2), (4, 6)]),
        ('<path d="m1 2c1 1 2 2 3 3s4 4 5 5"/>', (2,), [(1, 2), (9, 10)]),
        ('<path d="M0 0Q1 2 3 3T9 9"/>', (2,), [(0, 0), (9, 9)]),
        ('<path d="M0 0l1 1m5 5l1 1"/>', (1, 1), [(0, 0), (7, 7)]),
        ('<path d="M0 0A5 5 0 0 1 10 0"/>', (6,), [(0, 0), (10, 0)]),
        ('<path d="M0 0A0 5 0 0 1 10 0"/>', (1,), [(0, 0), (10, 0)]),
    ],
)
def test_shapes_become_cubic_segments(shape, segments, ends):
    drawing = quiet(shape.replace("/>", STROKE))
    assert drawing.segments == segments
    assert [tuple(drawing.points[at].tolist()) for at in (0, -1)] == ends


@pytest.mark.parametrize(
    ("shape", "segments"),
    [
        ('<rect x="1" y="2" width="10%" height="4"/>', 4),
        ('<rect x="1" y="2" width="10" height="4" rx="1"/>', 16),
        ('<circle cx="5" cy="5" r="3"/>', 12),
        ('<ellipse cx="5" cy="5" rx="3" ry="2"/>', 12),
        ('<polygon points="1,2 3,4 5 6"/>', 3),
        ('<path d="M1 1h5v5z"/>', 3),
        ('<path d="M1 1h5v5L1 1z"/>', 3),
    ],
)
def test_closed_shapes_do_not_repeat_their_first_point(shape, segments):
    drawing = quiet(shape.replace("/>", STROKE))
    assert drawing.segments == (segments,)
    assert len(drawing.points) == 3 * segments
    assert drawing.styles == (Style(closed=(True,)),)


@pytest.mark.parametrize(
    ("smooth", "spelled_out"),
    [
        ("M0 0Q5 5 9 0S20 20 30 0", "M0 0Q5 5 9 0C9 0 20 20 30 0"),
        ("M0 0C5 5 7 7 9 0T20 20T30 5", "M0 0C5 5 7 7 9 0Q9 0 20 20Q31 40 30 5"),
        ("M0 0q5 5 9 0t4 4t5 0", "M0 0Q5 5 9 0Q13 -5 13 4Q13 13 18 4"),
        ("M0 0L3 3S4 4 9 0", "M0 0L3 3C3 3 4 4 9 0"),
    ],
)
def test_smooth_curves_continue_only_their_like(smooth, spelled_out):
    found, wanted = (quiet(f'<path d="{data}" stroke="red"/>').points for data in (smooth, spelled_out))
    assert torch.allclose(found, wanted, atol=1e-5)


def test_subpaths_make_one_path():
    drawing = quiet('<path d="M0 0h5v5zM9 9h3zL12 12m1 1h4" stroke="red"/>')
    assert len(drawing) == 1
    assert drawing.segments == (3, 2, 1, 1)
    assert drawing.styles == (Style(closed=(True, True, False, False)),)


def test_a_circle_is_round():
    drawing = quiet('<circle cx="50" cy="25" r="20" stroke="red"/>')
    part = drawing.points[:4].double()
    middle = (part[0] + 3 * part[1] + 3 * part[2] + part[3]) / 8
    assert float((middle - torch.tensor([50.0, 25.0])).norm()) == pytest.approx(20, abs=2e-4)


def test_transforms_scale_points_and_widths():
    line = '<path d="M0 0L3 0" stroke="#00f" stroke-width="1.5"/>'
    drawing = quiet(f'<g transform="translate(10 5) scale(2)"><g transform="rotate(90)">{line}</g></g>')
    assert torch.allclose(drawing.points[[0, 3]], torch.tensor([[10.0, 5.0], [10.0, 11.0]]), atol=1e-6)
    assert drawing.widths.tolist() == [3.0]


def test_width_under_uneven_scaling_and_without_scaling():
    line = '<path d="M0 0L3 0" stroke="red" {} transform="scale(4 1)"/>'
    drawing = quiet(line.format("") * 2 + line.format("").replace("4", "5"))
    assert drawing.widths.tolist() == [1.0, 1.0, 1.0]
    assert drawing.points[3].tolist() == [3.0, 0.0]
    assert drawing.transforms.tolist() == [[[4, 0, 0], [0, 1, 0]], [[5, 0, 0], [0, 1, 0]]]
    assert [style.transforms for style in drawing.styles] == [(0,), (0,), (1,)]
    fixed = quiet(line.format('vector-effect="non-scaling-stroke"'))
    assert (fixed.widths.tolist(), fixed.points[3].tolist(), fixed.styles) == ([1.0], [12.0, 0.0], ())


def test_strokes_that_do_not_scale_are_as_wide_as_the_file_is_shown():
    frame = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 5" {}>{{}}</svg>'
    line = f'<path {ROUND} d="M0 0L3 0" stroke="red" stroke-width="2" vector-effect="non-scaling-stroke"/>'
    assert quiet(line, frame.format('width="40"')).widths.tolist() == [0.5]
    with pytest.warns(ForeignSvgWarning, match="strokes that do not scale"):
        assert quiet(line, frame.format("")).widths.tolist() == [2.0]


def test_the_viewbox_is_the_canvas():
    frame = '<svg xmlns="http://www.w3.org/2000/svg" width="210mm" viewBox="-10,5 40 30">{}</svg>'
    drawing = quiet('<path d="M-10 5L0 5" stroke="red"/>', frame)
    assert (drawing.canvas.width, drawing.canvas.height) == (40, 30)
    assert drawing.points[0].tolist() == [0, 0]
    inches = quiet(
        '<path d="M0 0L9 9" stroke="red"/>', '<svg xmlns="http://www.w3.org/2000/svg" width="1in" height="2in">{}</svg>'
    )
    assert (inches.canvas.width, inches.canvas.height) == (96, 192)


@pytest.mark.parametrize(
    ("style", "color"),
    [
        ('stroke="#f00"', (1, 0, 0, 1)),
        ('stroke="rgb(0, 255, 0)" stroke-opacity=".5"', (0, 1, 0, 0.5)),
        ('stroke="rgb(25.5%,0%,100%)" opacity="50%"', (0.255, 0, 1, 0.5)),
        ('stroke="rgba(0,0,255,.25)"', (0, 0, 1, 0.25)),
        ('stroke="hsl(120, 100%, 50%)"', (0, 1, 0, 1)),
        ('stroke="#0000ff80"', (0, 0, 1, 128 / 255)),
        ('color="red" stroke="currentColor"', (1, 0, 0, 1)),
        ('style="stroke:red;stroke-opacity:0.5"', (1, 0, 0, 0.5)),
        ('stroke="blue" style="stroke : red !important"', (1, 0, 0, 1)),
        ('class="x a" stroke="blue"', (1, 1, 0, 1)),
        ('id="b" class="a"', (0, 1, 1, 1)),
    ],
)
def test_colors(style, color):
    sheet = "<style>/* c */ .a, .b {stroke:yellow} #b{stroke:cyan} svg > path{stroke:red}</style>"
    drawing = quiet(f'{sheet}<path d="M0 0L9 9" {style}/>')
    assert drawing.colors[0].tolist() == pytest.approx(color, abs=1e-6)


def test_group_opacity_multiplies():
    line = '<path d="M{} 0L9 9" stroke="red" opacity=".5"/>'
    drawing = quiet(f'<g opacity=".5">{line.format(0)}</g>')
    assert float(drawing.colors[0, 3]) == 0.25
    apart = quiet(f'<g opacity=".5">{line.format(0)}<g transform="translate(50 0)">{line.format(0)}</g></g>')
    assert apart.colors[:, 3].tolist() == [0.25, 0.25]
    _, message = noted(f'<g opacity=".5" {ROUND}>{line.format(0)}{line.format(5)}{line.format(6)}</g>')
    assert message.endswith("simplified: opacity of groups whose shapes overlap, applied to each")


def test_opacity_of_fill_and_stroke_is_that_of_their_path():
    drawing = quiet("""
        <g opacity=".5"><path d="M0 0H9V9z" fill="red" fill-opacity=".5" stroke="blue" opacity=".5"/></g>
        <path d="M50 50H59V59z" fill="red" opacity=".5"/>
        <path d="M50 50H59V59z" fill="none" stroke="blue" opacity=".5"/>
        <path d="M50 50H59V59z" fill="red" stroke="url(#gone)" opacity=".5"/>
        <linearGradient id="gone"/>""")
    assert [style.opacity for style in drawing.styles] == [0.25, 1, 1, 1]
    assert drawing.fills[:, 3].tolist() == [0.5, 0.5, 0, 0.5]
    assert drawing.colors[:, 3].tolist() == [1, 0, 0.5, 0]
    hidden = '<path d="M0 0L9 9" fill="red" stroke="blue" opacity="0"/>'
    assert len(quiet(hidden + '<path d="M0 0L9 9" stroke="red"/>')) == 1
    seen_through = quiet('<rect width="100%" height="100%" fill="red" opacity=".5"/>')
    assert seen_through.fills[0].tolist() == [1, 0, 0, 0.5]


@pytest.mark.parametrize(
    "body",
    [
        '<path d="M0 0L9 9"/>',
        '<path d="M0 0L9 9" stroke="none"/>',
        '<path d="M0 0L9 9" stroke="nonsense"/>',
        '<path d="M0 0L9 9" stroke="red" stroke-width="0"/>',
        '<path d="M0 0L9 9" stroke="red" display="none"/>',
        '<g visibility="hidden"><path d="M0 0L9 9" stroke="red"/></g>',
        '<defs><path d="M0 0L9 9" stroke="red"/></defs>',
        '<path d="M0 0L9 9" fill="none"/>',
        '<rect width="5" height="5" fill-opacity="0"/>',
        '<rect width="5" height="5" fill="#ff000000"/>',
        '<rect width="5" height="5" transform="scale(0)"/>',
        '<clipPath><path d="M0 0L9 9" stroke="red"/></clipPath>',
        '<path d="M5 5" stroke="red"/>',
        '<path d="M0 0L nan 5" stroke="red"/>',
        '<path d="M0 0L9 9" stroke="red" transform="matrix(1 2)"/>',
        '<rect width="0" height="5" stroke="red"/>',
        '<circle r="-1" stroke="red"/>',
        '<x:path xmlns:x="urn:other" d="M0 0L9 9" stroke="red"/>',
        '<text x="5" y="5">words</text>',
        "",
    ],
)
def test_nothing_to_draw_is_an_error(body):
    with pytest.raises(FormatError, match="it has no paths"):
        from_svg(SVG.format(body))


@pytest.mark.parametrize(
    ("extra", "note"),
    [
        ('<rect width="5" height="5" fill="url(#g)"/>', "references to elsewhere"),
        ('<rect width="5" height="5" fill="url(other.svg#g) red"/>', "references to elsewhere"),
        ('<pattern id="p"/><rect width="5" height="5" fill="url(#p)"/>', "patterns"),
        (
            '<rect width="5" height="5" stroke="red" opacity=".5" paint-order="stroke"/>',
            "opacity of strokes beneath their fills",
        ),
        ('<g style="mix-blend-mode:multiply"/>', "blend modes"),
        ('<g transform="scale(2)" style="transform-origin:center"/>', "origins of transforms"),
        ("<text>a</text><text>b</text>", "text (2)"),
        ("<flowRoot/>", "text"),
        ('<path d="M0 0h9" stroke="red"><animate/><set/></path>', "animations"),
        ('<image href="file:///etc/passwd"/>', "images"),
        ('<g filter="url(#f)"/>', "filters"),
        ('<mask id="f"/><g mask="url(#f)"/>', "masks"),
        ('<clipPath id="f"/><g clip-path="url(#f)"/>', "clip paths"),
        ('<path d="M0 0L9 9" stroke="red" fill="none" stroke-dasharray="1 2"/>', "dashes"),
        ('<path d="M0 0L9 9" stroke="red" fill="none" marker-end="url(#m)"/><marker id="m"/>', "markers"),
        ('<path d="broken 1 2 3" stroke="red" fill="none"/>' + '<path d="M0 0L9" stroke="red"/>', "unreadable shapes"),
        ('<use href="other.svg#a"/>', "references to elsewhere"),
        ("<foreignObject/>", "embedded pages"),
    ],
)
def test_what_is_left_out_is_named_in_one_warning(extra, note):
    _, message = noted(f'<path {ROUND} d="M0 0L9 9" stroke="red"/>{extra}')
    assert note in message
    assert "\n" not in message


def test_the_warning_names_the_file_and_the_caller(tmp_path):
    (tmp_path / "logo.svg").write_text(SVG.format('<path d="M0 0L9 9" stroke="red"/><text>a</text>'))
    with pytest.warns(ForeignSvgWarning, match=r"^logo\.svg: "):
        Drawing.load(tmp_path / "logo.svg")


def test_background_and_title():
    body = '<rect width="100%" height="100%" fill="#336699"/><rect width="4" height="4" fill="red"/>'
    drawing = from_svg(SVG.format(f"<title> A  logo </title>{body}"))
    assert drawing.background.tolist() == pytest.approx([0.2, 0.4, 0.6])
    assert drawing.fills.tolist() == [[1, 0, 0, 1]]
    assert drawing.metadata == {"title": "A logo"}
    turned = quiet('<rect x="-500" y="-500" width="999" height="999" fill="red" transform="rotate(45)"/>')
    assert turned.background.tolist() == [1, 1, 1]


def test_a_clip_path_that_holds_the_canvas_is_none():
    clip = '<clipPath id="c"><path d="M0 0h9v9"/></clipPath><clipPath id="d"><rect width="{}" height="50"/></clipPath>'
    line = '<g clip-path="url(#{})"><path d="M0 0L9 9" stroke="red"/></g>'
    assert quiet(clip.format(100) + line.format("d")).styles == ()
    assert quiet(clip.format(10) + line.format("d")).styles == ()
    assert quiet(line.format("x")).styles == ()
    for body in (clip.format(9) + line.format("d"), clip.format(100) + line.format("c")):
        with pytest.warns(ForeignSvgWarning, match="simplified: clip paths"):
            quiet(body)


def test_use_symbols_and_inner_pictures():
    href = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href'
    line = '<path d="M0 0L10 0" stroke="red"/>'
    shown = "<style>symbol, svg {overflow: visible}</style>"
    used = quiet(
        f'<defs><g id="a">{line}</g></defs><use {href}="#a" x="5" y="6"/><use href="#a" transform="scale(2)"/>'
    )
    assert used.points[[0, 3, 4, 7]].tolist() == [[5, 6], [15, 6], [0, 0], [20, 0]]
    symbol = quiet(
        f'{shown}<symbol id="s" viewBox="0 0 10 10">{line}</symbol><use href="#s" x="20" width="40" height="40"/>'
    )
    assert symbol.points[[0, 3]].tolist() == [[20, 0], [60, 0]]
    assert symbol.widths.tolist() == [4.0]
    inner = quiet(f'{shown}<svg x="1" y="2" width="20" height="40" viewBox="0 0 10 10">{line}</svg>')
    assert inner.points[[0, 3]].tolist() == [[1, 12], [21, 12]]


def test_use_laughs_are_stopped(monkeypatch):
    monkeypatch.setattr(
        "clipdraw.io.svg.foreign.importer.MAX_REPEATS", 300
    )  # the real one takes seconds of type checks
    levels = "".join('<g id="l{}">{}</g>'.format(n, f'<use href="#l{n - 1}"/>' * 10) for n in range(1, 15))
    line = '<path id="l0" d="M0 0L1 1" stroke="red"/>'
    with pytest.raises(FormatError, match="repeats more than 300 elements"):
        from_svg(SVG.format(f"<defs>{line}{levels}</defs><use href='#l14'/>"))
    chain = "".join(f'<use id="u{n}" href="#u{n - 1}"/>' for n in range(1, 30))
    with pytest.raises(FormatError, match="deep"):
        from_svg(SVG.format(f'<defs><path id="u0" d="M0 0L1 1" stroke="red"/>{chain}</defs><use href="#u29"/>'))


def test_a_million_commands_are_refused_quickly():
    with pytest.raises(FormatError, match="200,000 segments"):
        from_svg(SVG.format(f'<path d="M0 0{"h1" * 1_000_000}" stroke="red"/>'))
    with pytest.raises(FormatError, match="200,000 segments"):
        from_svg(SVG.format(f'<polyline points="{"1 1 " * 210_000}" stroke="red"/>'))


@pytest.mark.parametrize(
    "attributes",
    [
        'stroke="rgb({})"', 'stroke="#{}"', 'stroke="hsl({}"', 'stroke="red" transform="rotate({}"',
        'stroke="red" stroke-width="{}"', 'stroke="red" style="{}"', 'stroke="red" class="{}"',
    ],
)  # fmt: skip
@pytest.mark.parametrize("filler", ["1", " ", "(", "1,", "a:", "-"])
def test_long_attributes_take_no_time(attributes, filler):
    text = SVG.format(f'<path d="M0 0L9 9" {attributes.format(filler * 300_000)}/>')
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ForeignSvgWarning)
        try:
            from_svg(text)
        except FormatError as error:
            assert len(str(error)) < 400  # noqa: PT017 - either outcome is fine, quickly


def test_style_sheets_take_no_time():
    for text in (
        "{" * 300_000,
        "a" * 300_000,
        "/*" * 150_000,
        "a{" * 150_000,
        ".a," * 100_000,
        "a b " * 75_000 + "{}",
        "a{}" * 9_999,
    ):
        with pytest.raises(FormatError, match="no paths"):
            from_svg(SVG.format(f"<style>{text}</style>"))


def test_coordinates_beyond_all_limits_are_refused():
    for data in ("M0 0L1e999 5", "M0 0L1e30 5"):
        with pytest.raises(FormatError, match="not finite or beyond"):
            quiet(f'<path d="{data}" stroke="red"/>')
    with pytest.raises(FormatError, match="not finite or beyond"):
        quiet('<path d="M0 0L9 9" stroke="red" stroke-width="1e300" transform="scale(1 2)"/>')
    for width in ("1e999", "-5", "wide", "50%", ""):
        with pytest.raises(FormatError, match=r"size|positive width"):
            from_svg(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="5"/>')
