import pytest

from clipdraw.io.svg import from_svg
from clipdraw.io.svg.foreign import ForeignSvgWarning
from clipdraw.io.svg.foreign.values import css_color
from tests.svg_samples import SVG

RECT = '<rect width="9" height="9" {}/>'


def fill(body, frame=SVG):
    """The color of the only fill in a file of which nothing is left out."""
    (color,) = from_svg(frame.format(body)).fills.tolist()
    return color


def noted(body):
    """The color of the only fill, and what the one warning names."""
    with pytest.warns(ForeignSvgWarning) as caught:
        (color,) = from_svg(SVG.format(body)).fills.tolist()
    (warning,) = caught
    return color, str(warning.message).partition("simplified: ")[2]


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#f00", (1, 0, 0, 1)),
        ("#0000ff80", (0, 0, 1, 128 / 255)),
        ("rgb(25.5%,0%,100%)", (0.255, 0, 1, 1)),
        ("rgba(0,0,255,.25)", (0, 0, 1, 0.25)),
        ("hsl(120, 100%, 50%)", (0, 1, 0, 1)),
        ("hsl(120deg 100% 30%)", (0, 0.6, 0, 1)),
        ("hsl(.25turn 100% 50% / 50%)", (0.5, 1, 0, 0.5)),
        ("hsl(400grad, 100%, 50%)", (1, 0, 0, 1)),
        ("hsl(120, 200%, 25%)", (0, 0.5, 0, 1)),
        ("hsl(120, -50%, 25%)", (0.25, 0.25, 0.25, 1)),
        ("hsl(30 150% 120%)", (1, 1, 1, 1)),
        ("hsla(480, 300%, -5%, 50%)", (0, 0, 0, 0.5)),
        ("hsl(120 100 30)", (0, 0.6, 0, 1)),
        ("hwb(120 0% 30%)", (0, 0.7, 0, 1)),
        ("rgb(255,0,0", (1, 0, 0, 1)),
        ("rgb(1e9 -5 0)", (1, 0, 0, 1)),
        ("rgb(none 255 0)", (0, 1, 0, 1)),
        ("/* a name */ RebeccaPurple", (0.4, 0.2, 0.6, 1)),
        ("#ff0000 icc-color(a, 1)", (1, 0, 0, 1)),
        ("#f0f8", (1, 0, 1, 0x88 / 255)),
        ("transparent", (0, 0, 0, 0)),
    ],
)
def test_colors(text, color):
    assert css_color(text) == pytest.approx(color, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("lab(29.2345% 39.3825 20.0664)", (125, 35, 41)),
        ("lch(29.2345% 44.2 27)", (125, 35, 41)),
        ("oklab(40.101% 0.1147 0.0453)", (125, 35, 41)),
        ("oklch(40.101% 0.12332 21.555)", (125, 35, 41)),
        ("color(srgb-linear 0.5 0 1)", (188, 0, 255)),
        ("color(display-p3 0.216141 0.494224 0.107985)", (0, 128, 0)),
        ("color(display-p3 1 0 0)", (255, 0, 0)),
        ("color(rec2020 0.235202 0.431704 0.085432)", (0, 128, 0)),
        ("color(a98-rgb 0.281363 0.498012 0.116746)", (0, 128, 0)),
        ("color(prophoto-rgb 0.230479 0.395789 0.129968)", (0, 128, 0)),
        ("color(xyz 0.07719 0.15438 0.02573)", (0, 128, 0)),
        ("color(xyz-d50 0.08314 0.154747 0.020984)", (0, 128, 0)),
    ],
)
def test_wide_colors_are_those_of_the_web_platform_tests(text, color):
    assert [255 * part for part in css_color(text)] == pytest.approx([*color, 255], abs=0.7)


@pytest.mark.parametrize(
    "text",
    [
        "", "foo", "windowtext", "currentColor", "none", "hsl(120,100,30)", "color-mix(in srgb, red, blue)", "var(--c)",
        "rgb()", "color()", "color(srgb)", "rgb(1e999,0,0)", "lab(1e300 0 0)", "color(xyz 1e300 0 0)", "#ff",
        "red blue", "device-cmyk(0 0 0 1)", "#f00 icc-color(", "(" * 150, "red" * 100,
    ],
)  # fmt: skip
def test_colors_that_are_not_understood(text):
    assert css_color(text) is None


@pytest.mark.parametrize(
    ("attributes", "color"),
    [
        ('fill="red" style="fill:foo"', (1, 0, 0, 1)),
        ('fill="red" style="fill:lime;fill:color-mix(in srgb, red, blue)"', (0, 1, 0, 1)),
        ('fill="foo"', (0, 0, 1, 1)),
        ('fill="url(#a) foo"', (0, 0, 1, 1)),
        ('style="fill:var(--none)"', (0, 0, 1, 1)),
    ],
)
def test_what_is_not_understood_gives_way_and_is_named(attributes, color):
    assert noted(f'<g fill="blue">{RECT.format(attributes)}</g>') == (list(color), "unreadable fill")


@pytest.mark.parametrize(
    ("attributes", "note"),
    [
        ('color="foo" fill="currentColor"', "unreadable color"),
        ('fill-opacity="half"', "unreadable fill-opacity"),
        ('fill-rule="odd"', "unreadable fill-rule"),
        ('opacity="5px"', "unreadable opacity"),
        ('stroke-width="calc(1px + 2px)"', "unreadable stroke-width"),
        ('style="width:-5px"', "unreadable width"),
        ('fill="#000 icc-color(a,1)"', "color profiles"),
        ('fill="foo" stroke="foo"', "unreadable"),
    ],
)
def test_other_values_that_are_not_understood_are_named(attributes, note):
    color, message = noted(RECT.format(attributes))
    assert color == [0, 0, 0, 1]
    assert note in message


def test_what_is_overruled_is_not_named():
    assert fill(RECT.format('fill="foo" style="fill:foo;fill:red"')) == [1, 0, 0, 1]


def test_what_is_not_understood_is_counted_once_for_each_element():
    twice = f'<defs><g id="g" fill="foo">{RECT.format("")}</g></defs><use href="#g"/><use href="#g" fill="a"/>'
    with pytest.warns(ForeignSvgWarning, match=r"simplified: unreadable fill \(2\)$"):
        from_svg(SVG.format(twice))


@pytest.mark.parametrize(
    ("attributes", "color"),
    [
        ('fill="inherit"', (0, 0, 1, 1)),
        ('fill="unset"', (0, 0, 1, 1)),
        ('fill="initial"', (0, 0, 0, 1)),
        ('style="fill:REVERT"', (0, 0, 1, 1)),
        ('opacity="inherit"', (0, 0, 1, 0.25)),
        ('color="currentColor" fill="currentColor"', (0, 1, 1, 1)),
        ('color="initial" fill="currentColor"', (0, 0, 0, 1)),
    ],
)
def test_values_of_every_property(attributes, color):
    opacity = 'opacity=".5"' if "opacity" in attributes else ""
    assert fill(f'<g fill="blue" color="cyan" {opacity}>{RECT.format(attributes)}</g>') == pytest.approx(color)


@pytest.mark.parametrize(
    ("root", "style", "color"),
    [
        ("--c:red", "fill:var(--c)", (1, 0, 0, 1)),
        ("--c:red", "fill:var( --c , lime)", (1, 0, 0, 1)),
        ("", "fill:var(--c, lime)", (0, 1, 0, 1)),
        ("", "fill:var(--c, var(--d, rgb(0, 255, 255)))", (0, 1, 1, 1)),
        ("--c:255", "fill:rgb(var(--c), var(--c), 0)", (1, 1, 0, 1)),
        ("--c:var(--d);--d:lime", "fill:var(--c)", (0, 1, 0, 1)),
        ("--c:red", "--c:lime;fill:var(--c)", (0, 1, 0, 1)),
        ("--c:red", "--c:inherit;fill:var(--c)", (1, 0, 0, 1)),
        ("--c:red", "--c:initial;fill:var(--c, lime)", (0, 1, 0, 1)),
        ("--c:var(--d);--d:var(--c)", "fill:var(--c, lime)", (0, 1, 0, 1)),
        ("--C:red", "fill:var(--c, lime)", (0, 1, 0, 1)),
    ],
)
def test_variables(root, style, color):
    assert fill(f'<g style="{root}">{RECT.format(f"""style="{style}" """)}</g>') == list(color)
    assert fill(f'<g style="{root}"><g style="{style}">{RECT.format("")}</g></g>') == list(color)


def test_variables_of_attributes_and_sheets():
    sheet = "<style>:root{--c:red} rect{--d:lime}</style>"
    assert fill(sheet + RECT.format('fill="var(--c)"')) == [1, 0, 0, 1]
    assert fill(sheet + RECT.format('fill="var(--d)"')) == [0, 1, 0, 1]


def test_variables_do_not_multiply_without_end():
    laughs = "".join(f"--v{n}:var(--v{n + 1}) var(--v{n + 1}) var(--v{n + 1});" for n in range(15)) + "--v15:ha"
    long = "".join(f"--w{n}:var(--w{n + 1});" for n in range(500)) + "--w500:ha"
    deep = f"fill:{'var(--x, ' * 100}red"
    for style in (f"{laughs};fill:var(--v0)", f"{long};fill:var(--w0)", deep):
        color, message = noted(RECT.format(f'style="{style}"'))
        assert (color, message) == ([0, 0, 0, 1], "unreadable fill")
