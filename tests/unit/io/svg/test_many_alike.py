"""Files of many paths with nearly the same attributes, which are worked out once."""

import warnings

import torch

from clipdraw.io.svg import from_svg

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
PATHS = (
    '<path d="M1 1L9 9" stroke="#ff0000"/>',
    '<path d="M2 1L9 8" stroke="#00ff00"/>',
    '<path d="M3 1L9 7" stroke="#0000ff" fill="#123456"/>',
    '<path d="M3 1L9 7" stroke="#00f" fill="#123456"/>',
    '<path d="M4 1L9 6" stroke="#ff0000" style="stroke:#00ff00"/>',
    '<path d="M4 1L9 6" stroke="#0000ff" style="stroke:#00ff00"/>',
    '<path d="M5 1L9 5" stroke="#ff0000" stroke-width="7"/>',
    '<path d="M5 1L9 5" stroke="#ff0000" transform="scale(2)"/>',
    '<path d="M5 1L9 5" stroke="#ff0000" opacity=".5"/>',
    '<path d="M5 1L9 5" stroke="#00ff00" opacity=".5" id="last"/>',
    '<path d="M6 1L9 4" stroke="none"/>',
)


def read(*paths):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return from_svg(HEAD + "".join(paths) + "</svg>")


def test_each_path_is_as_if_it_were_alone():
    """Also where others before it have nearly the same attributes."""
    seen = [path for path in PATHS if "none" not in path]
    together = read(*PATHS, *PATHS)
    assert len(together) == 2 * len(seen)
    for number in range(2 * len(seen)):
        one, alone = together.subset([number]), read(seen[number % len(seen)])
        assert torch.equal(one.points, alone.points)
        assert torch.equal(one.colors, alone.colors)
        assert torch.equal(one.widths, alone.widths)


def test_groups_around_paths_with_the_same_attributes_tell_them_apart():
    path = '<path d="M1 1L9 9" stroke-width="2"/>'
    drawing = read(*[f'<g stroke="{color}">{path}{path}</g>' for color in ("#ff0000", "#00ff00")])
    assert drawing.colors[:, 0].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_what_is_not_understood_is_counted_for_each_path():
    path = '<path d="M1 1L9 9" stroke="red" stroke-width="much"/>'
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        from_svg(HEAD + path * 3 + "</svg>")
    assert "unreadable stroke-width (3)" in str(told[0].message)
