import pytest

from clipdraw.io.svg.foreign import ForeignSvgWarning
from tests.svg_samples import noted, read, read_strokes

BOX = '<rect x="{}" y="5" width="10" height="10"/>'
RECT = '<rect x="5" width="50" height="50" fill="{}"/>'


def test_a_clip_path_that_holds_the_canvas_is_none():
    clip = '<clipPath id="c"><path d="M0 0h9v9"/></clipPath><clipPath id="d"><rect width="{}" height="50"/></clipPath>'
    line = '<g clip-path="url(#{})"><path d="M0 0L9 9" stroke="red"/></g>'
    assert read_strokes(clip.format(100) + line.format("d")).styles == ()
    assert read_strokes(clip.format(10) + line.format("d")).styles == ()
    assert read_strokes(line.format("x")).styles == ()
    for body in (clip.format(9) + line.format("d"), clip.format(100) + line.format("c")):
        with pytest.warns(ForeignSvgWarning, match="simplified: clip paths"):
            read_strokes(body)


def test_what_sticks_out_of_inner_viewports_is_named():
    svg = '<svg x="20" y="2" width="40" height="40" {}><rect width="41" height="9"/></svg>'
    assert noted(svg.format(""))[1] == "clips of inner viewports"
    assert (
        noted(svg.format("").replace("</svg>", '<rect width="50" height="9"/></svg>'))[1] == "clips of inner viewports"
    )
    read(svg.format('overflow="visible"'))
    read(svg.replace("41", "40").format(""))
    stroked = svg.replace("41", "40").replace("<rect", '<rect stroke="red"')
    assert noted(stroked.format(""))[1] == "clips of inner viewports"


@pytest.mark.parametrize(
    ("clip", "note"),
    [
        (f'<clipPath id="c">{RECT}</clipPath>', ""),
        ('<clipPath id="c"><path d="M5 0h50v50H5z"/></clipPath>', ""),
        ('<clipPath id="c"><path d="M5 0h50v50H5L9 9z"/></clipPath>', "clip paths"),
        (f'<clipPath id="c" transform="translate(9)">{RECT}</clipPath>', "clip paths"),
        ('<clipPath id="c"><circle r="90"/></clipPath>', "clip paths"),
        ('<clipPath id="c"/>', "clip paths"),
        (f'<mask id="c" maskUnits="userSpaceOnUse" x="5" y="0" width="60" height="50">{RECT}</mask>', ""),
        (f'<mask id="c" maskUnits="userSpaceOnUse" x="0" y="0" width="9" height="50">{RECT}</mask>', "masks"),
        (f'<mask id="c" maskUnits="userSpaceOnUse">{RECT.replace("{}", "gray")}</mask>', "masks"),
        (f'<mask id="c" mask-type="alpha" maskUnits="userSpaceOnUse">{RECT.replace("{}", "gray")}</mask>', ""),
    ],
)
def test_rectangles_that_hold_what_they_clip_do_nothing(clip, note):
    body = f'{clip.format("white")}<g clip-path="url(#c)" mask="url(#c)">{BOX.format(10)}</g>'
    assert (noted(body)[1] if note else read(body) and "") == note


def test_groups_overlap_only_where_shapes_do():
    around = f'<g opacity=".5">{BOX.format(0)}{BOX.format(80)}{{}}</g>'
    read(around.format(BOX.format(40)))
    read(around.format("".join(BOX.format(100 + 10 * n) for n in range(40))))
    assert "groups whose shapes overlap" in noted(around.format(BOX.format(75)))[1]
