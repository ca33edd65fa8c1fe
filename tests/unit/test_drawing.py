import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.errors import FormatError, InputError


def make(segments=(1, 2)):
    count = sum(3 * s + 1 for s in segments)
    return Drawing(torch.rand(count, 2), torch.ones(len(segments)), torch.rand(len(segments), 4), segments)


def test_strokes_of_mixed_lengths_keep_their_own_points():
    drawing = make((1, 3, 2))
    parts = drawing.stroke_points()
    assert [len(p) for p in parts] == [4, 10, 7]
    assert torch.equal(torch.cat(parts), drawing.points)
    assert len(drawing) == 3


def test_a_subset_takes_the_given_strokes_in_the_given_order():
    drawing = make((1, 3, 2))
    chosen = drawing.subset([2, 0])
    assert chosen.segments == (2, 1)
    assert torch.equal(chosen.stroke_points()[0], drawing.stroke_points()[2])
    assert torch.equal(chosen.colors, drawing.colors[[2, 0]])


def test_detached_shares_no_memory():
    drawing = make()
    copy = drawing.detached()
    copy.points.add_(1)
    assert not torch.equal(copy.points, drawing.points)


@pytest.mark.parametrize("segments", [(0,), (-1, 2)])
def test_a_stroke_without_segments_is_refused(segments):
    with pytest.raises(InputError, match="at least one segment"):
        Drawing(torch.rand(4, 2), torch.ones(len(segments)), torch.rand(len(segments), 4), segments)


def test_shapes_that_contradict_each_other_are_refused():
    with pytest.raises(InputError, match="shapes"):
        Drawing(torch.rand(5, 2), torch.ones(1), torch.rand(1, 4), (1,))


@pytest.mark.parametrize(
    ("width", "height", "message"),
    [(0, 1, "positive"), (1, -1, "positive"), (float("nan"), 1, "width must be"), (1, float("inf"), "height must be")],
)
def test_a_canvas_needs_a_positive_finite_size(width, height, message):
    with pytest.raises(InputError, match=message):
        Canvas(width, height)


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_an_opacity_is_a_share(opacity):
    with pytest.raises(InputError, match="from 0 to 1"):
        Style(opacity=opacity)


def test_an_unknown_ending_is_named_with_those_that_exist(tmp_path):
    with pytest.raises(FormatError, match=r"svg, not 'bmp'"):
        make().save(tmp_path / "a.bmp")
