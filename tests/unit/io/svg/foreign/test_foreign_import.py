import warnings

import pytest

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.io.svg import from_svg
from clipdraw.io.svg.foreign import ForeignSvgWarning
from tests.svg_samples import ROUND, SVG, noted, read, read_strokes, soon

BOX = '<rect x="{}" y="5" width="10" height="10"/>'


def corners(drawing):
    return [drawing.points.min(dim=0)[0].tolist(), drawing.points.max(dim=0)[0].tolist()]


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
            "opacity of fills and strokes, applied to each",
        ),
        ('<g style="mix-blend-mode:multiply"/>', "blend modes"),
        ('<g transform="scale(2)" style="transform-box:fill-box"/>', "boxes of transforms"),
        ('<g style="rotate:20deg"/>', "transforms by a property of their own"),
        ("<text>a</text><text>b</text>", "text (2)"),
        ("<flowRoot/>", "text"),
        ('<path d="M0 0h9" stroke="red"><animate/><set/></path>', "animations"),
        ('<image href="file:///etc/passwd"/>', "images"),
        ('<g filter="url(#f)"/>', "filters"),
        ('<mask id="f"/><g mask="url(#f)"/>', "masks"),
        ('<clipPath id="f"/><g clip-path="url(#f)"/>', "clip paths"),
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
    turned = read_strokes('<rect x="-500" y="-500" width="999" height="999" fill="red" transform="rotate(45)"/>')
    assert turned.background.tolist() == [1, 1, 1]


def test_use_symbols_and_inner_pictures():
    href = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href'
    line = '<path d="M0 0L10 0" stroke="red"/>'
    shown = "<style>symbol, svg {overflow: visible}</style>"
    used = read_strokes(
        f'<defs><g id="a">{line}</g></defs><use {href}="#a" x="5" y="6"/><use href="#a" transform="scale(2)"/>'
    )
    assert used.points[[0, 3, 4, 7]].tolist() == [[5, 6], [15, 6], [0, 0], [20, 0]]
    symbol = read_strokes(
        f'{shown}<symbol id="s" viewBox="0 0 10 10">{line}</symbol><use href="#s" x="20" width="40" height="40"/>'
    )
    assert symbol.points[[0, 3]].tolist() == [[20, 0], [60, 0]]
    assert symbol.widths.tolist() == [4.0]
    inner = read_strokes(f'{shown}<svg x="1" y="2" width="20" height="40" viewBox="0 0 10 10">{line}</svg>')
    assert inner.points[[0, 3]].tolist() == [[1, 12], [21, 12]]


def test_use_laughs_are_stopped(monkeypatch):
    monkeypatch.setattr("clipdraw.io.svg.foreign.importer.MAX_REPEATS", 300)  # the real one takes seconds
    levels = "".join('<g id="l{}">{}</g>'.format(n, f'<use href="#l{n - 1}"/>' * 10) for n in range(1, 15))
    line = '<path id="l0" d="M0 0L1 1" stroke="red"/>'
    with pytest.raises(FormatError, match="repeats more than 300 elements"):
        from_svg(SVG.format(f"<defs>{line}{levels}</defs><use href='#l14'/>"))
    chain = "".join(f'<use id="u{n}" href="#u{n - 1}"/>' for n in range(1, 30))
    with pytest.raises(FormatError, match="deep"):
        from_svg(SVG.format(f'<defs><path id="u0" d="M0 0L1 1" stroke="red"/>{chain}</defs><use href="#u29"/>'))


def test_many_segments_are_refused_before_they_are_built(monkeypatch):
    monkeypatch.setattr("clipdraw.io.svg.foreign.geometry.MAX_SEGMENTS", 20_000)
    monkeypatch.setattr("clipdraw.io.svg.foreign.geometry.path_commands", None)
    for shape in (f'<path d="M0 0{"h1" * 20_000}"/>', f'<polyline points="{"1 1 " * 20_001}"/>'):
        with soon(), pytest.raises(FormatError, match="20,000 segments"):
            read(shape)
    monkeypatch.undo()
    monkeypatch.setattr("clipdraw.io.svg.foreign.importer.MAX_SEGMENTS", 50)
    with pytest.raises(FormatError, match="more than 50 segments"):
        read('<path d="M0 0h1v1h1v1h1v1h1v1h1v1h1v1z"/>' * 5)


@pytest.mark.parametrize(
    "attributes",
    [
        'stroke="rgb({})"', 'stroke="#{}"', 'stroke="hsl({}"', 'stroke="red" transform="rotate({}"',
        'stroke="red" stroke-width="{}"', 'stroke="red" style="{}"', 'stroke="red" class="{}"',
    ],
)  # fmt: skip
def test_long_attributes_take_no_time(attributes):
    for filler in ("1", " ", "(", "1,", "a:", "-"):
        text = SVG.format(f'<path d="M0 0L9 9" {attributes.format(filler * 50_000)}/>')
        with soon(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ForeignSvgWarning)
            try:
                from_svg(text)
            except FormatError as error:
                assert len(str(error)) < 400  # noqa: PT017 - either outcome is fine, quickly


@pytest.mark.parametrize("part", ["{", "a", "/*", "a{", ".a,", "a b ", "a{}"])
def test_style_sheets_take_no_time(part):
    with soon(), pytest.raises(FormatError, match="no paths"):
        read(f"<style>{part * 1000}{{}}</style>")


@pytest.mark.parametrize(
    "shape",
    [
        '<path d="M0 0L1e999 5" stroke="red"/>', '<path d="M0 0L1e30 5" stroke="red"/>',
        '<path d="M0 0L9 9" stroke="red" stroke-width="1e300" transform="scale(1 2)"/>',
        '<path d="M0 0l1e7 1v9" stroke="red" transform="translate(9)"/>',
        '<path d="M0 0L1e999 5" stroke="red" stroke-dasharray="1"/>',
    ],
)  # fmt: skip
def test_shapes_beyond_all_limits_are_left_out(shape):
    drawing, note = noted(BOX.format(5) + shape)
    assert (len(drawing), note) == (1, "shapes beyond ±1e+07")
    with pytest.raises(FormatError, match="it has no paths; it holds shapes beyond"):
        read(shape)


@pytest.mark.parametrize(
    ("width", "reason"), [("1e999", "tell its size"), ("-5", "positive width"), ("0", "positive width")]
)
def test_impossible_sizes_are_refused(width, reason):
    with pytest.raises(FormatError, match=reason):
        from_svg(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="5">{BOX.format(5)}</svg>')


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ("", (37, 24)), ('width="100%"', (37, 24)), ('width="auto"', (37, 24)), ('width="50"', (50, 24)),
        ('height="9"', (37, 9)), ('style="width:60px;height:2em"', (60, 32)),
        ('width="9" style="width:60px"', (60, 24)),
    ],
)  # fmt: skip
def test_a_file_without_a_size_is_as_large_as_its_shapes(attributes, size):
    shapes = '<circle r="10"/><path d="M5 20h30" stroke="red" stroke-width="4"/><rect x="7" width="30" height="24"/>'
    drawing = read(shapes, f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>{{}}</svg>')
    assert (drawing.canvas.width, drawing.canvas.height) == pytest.approx(size)


def test_a_file_without_a_size_needs_a_shape_right_of_and_below_the_origin():
    with pytest.raises(FormatError, match="lie above or left"):
        from_svg('<svg xmlns="http://www.w3.org/2000/svg"><rect x="-9" y="-9" width="5" height="5"/></svg>')


@pytest.mark.parametrize(
    ("style", "color"),
    [
        ("background:red", (1, 0, 0)),
        ("background-color:#fff0", (1, 1, 1)),
        ("background-color:#00f8", (7 / 15, 7 / 15, 1)),
    ],
)
def test_the_background_of_the_root(style, color):
    frame = SVG.replace("<svg", f'<svg style="{style}"')
    assert read(BOX.format(5), frame).background.tolist() == pytest.approx(color)
    whole = read('<rect width="100%" height="100%" fill="lime"/>', frame)
    assert whole.background.tolist() == pytest.approx(color)
    with pytest.warns(ForeignSvgWarning, match="simplified: backgrounds$"):
        read(BOX.format(5), SVG.replace("<svg", '<svg style="background:url(a.png)"'))


def test_conditions_hold_outside_of_switches():
    for condition in ('systemLanguage="de"', 'requiredExtensions="x"', 'requiredFeatures="http://x"'):
        assert len(read(BOX.format(5) + f"<g {condition}>{BOX.format(50)}</g>")) == 1
    kept = 'systemLanguage="en" requiredFeatures="http://www.w3.org/TR/SVG11/feature#Shape"'
    assert len(read(BOX.format(5) + f"<g {kept}>{BOX.format(50)}</g>")) == 2


@pytest.mark.parametrize("unit", ["vw", "ch", "foo", "%%"])
def test_units_that_are_not_understood_are_named(unit):
    assert noted(BOX.format(5) + f'<rect x="1{unit}" width="9" height="9"/>')[1] == "unreadable x"


@pytest.mark.parametrize(
    "first",
    [
        '<foreignObject requiredExtensions="x"><g/></foreignObject>', '<g systemLanguage="de, fr-CH"/>',
        '<x:y xmlns:x="urn:x" requiredExtensions="x"/>',
    ],
)  # fmt: skip
def test_of_a_switch_the_first_that_applies_is_painted(first):
    drawing = read(f'<switch>{first}<g systemLanguage="de,en-US">{BOX.format(20)}</g>{BOX.format(50)}</switch>')
    assert corners(drawing) == [[20, 5], [30, 15]]


def test_what_holds_itself_is_painted_once_more_at_most():
    drawing, note = noted(f'<g id="a">{BOX.format(1)}<use href="#a" x="30"/></g><use id="b" href="#b"/>')
    assert len(drawing) == 1
    assert note == "references to what they are in (2)"


def test_a_single_rectangle_is_a_path():
    drawing = read('<rect width="100%" height="100%" fill="red"/>')
    assert drawing.background.tolist() == [1, 1, 1]
    assert drawing.fills.tolist() == [[1, 0, 0, 1]]
    with pytest.raises(FormatError, match="no paths"):
        read('<rect width="100%" height="100%" fill="none"/>')
