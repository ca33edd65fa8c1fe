"""Laws for any drawing."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clipdraw import raster
from clipdraw.drawing import Canvas, Drawing
from clipdraw.raster import rasterize
from tests.raster_scenes import gradients, stroke, together

FEW = settings(max_examples=40, deadline=None)
SIZE = 24.0
PLACES = st.tuples(*[st.floats(-6, SIZE + 6, width=32)] * 2)
WIDTHS = st.one_of(st.just(0.0), st.floats(0.125, 15, width=32))
COLORS = st.tuples(*[st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1, width=32))] * 4)


def strokes(places=PLACES):
    """The numbers of strokes: making strokes here would take random numbers from hypothesis, for beartype's checks."""
    points = st.lists(places, min_size=4, max_size=7).map(lambda found: found[: 3 * ((len(found) - 1) // 3) + 1])
    return st.tuples(points, WIDTHS, COLORS)


def made(*parts):
    """A drawing of the strokes."""
    return together(*(stroke(*place, width=width, color=color, canvas=(SIZE, SIZE)) for place, width, color in parts))


def drawings(places=PLACES):
    return st.lists(strokes(places), min_size=1, max_size=3)


def shape_of(points, width):
    """Coverage by one stroke."""
    black = stroke(*points.tolist(), width=width, color=(0.0, 0.0, 0.0, 1.0), canvas=(SIZE, SIZE))
    return 1 - rasterize(black)[0]


@FEW
@given(strokes())
def test_coverage_is_a_fraction(parts):
    drawing = made(parts)
    for backend in ("native", "reference"):
        white = replace(drawing, colors=torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
        image = rasterize(white, backend=backend)
        assert image.min() >= -1e-6
        assert image.max() <= 1 + 1e-6


@FEW
@given(drawings())
def test_image_is_in_range(parts):
    image = rasterize(made(*parts))
    assert image.min() >= -1e-6
    assert image.max() <= 1 + 1e-6


def eighths(first, last):
    """Places that float32 holds exactly, moved by whole pixels or not."""
    return st.tuples(*[st.integers(8 * first, 8 * last).map(lambda n: n / 8)] * 2)


def shifted(parts, right, down):
    """The parts that an image of a stroke shares with that of the stroke moved by whole pixels, both ways."""
    drawing = made(parts)
    moved = replace(drawing, points=drawing.points + torch.tensor([float(right), float(down)]))
    one, two = rasterize(drawing), rasterize(moved)
    rows, columns = one.shape[1:]
    kept = one[:, max(0, -down) : rows - max(0, down), : columns - right]
    return kept, two[:, max(0, down) : rows + min(0, down), right:]


@FEW
@given(strokes(eighths(7, int(SIZE) - 7)), st.integers(1, 7), st.integers(-7, 7))
def test_whole_pixels_shift_the_image(parts, right, down):
    one, two = shifted(parts, right, down)
    assert torch.allclose(one, two, atol=2e-5)


@FEW
@given(strokes(eighths(-5, int(SIZE) + 5)), st.integers(1, 7), st.integers(-7, 7))
def test_sides_that_cut_a_stroke_change_little(parts, right, down):
    """Segments there are flattened finer."""
    one, two = shifted(parts, right, down)
    assert (one - two).abs().max() < 0.2
    assert (one - two).abs().mean() < 0.008


@FEW
@given(strokes())
def test_reversing_changes_nothing(parts):
    """But for pixels whose nearest piece is a matter of rounding: no more than two, and little."""
    drawing, width = made(parts), parts[1]
    off = (shape_of(drawing.points, width) - shape_of(drawing.points.flip(0), width)).abs()
    assert off.mean() < 1e-3
    assert (off > 1e-3).sum() <= 2


@FEW
@given(strokes(), st.floats(0.2, 0.8))
def test_splitting_changes_little(parts, t):
    """No more than two flattening tolerances along the edge, but for places where pixels are split or not."""
    points, width = torch.tensor(parts[0][:4]), parts[1]
    one = [points[k] * (1 - t) + points[k + 1] * t for k in range(3)]
    two = [one[k] * (1 - t) + one[k + 1] * t for k in range(2)]
    three = two[0] * (1 - t) + two[1] * t
    halves = torch.stack((points[0], one[0], two[0], three, two[1], one[2], points[3]))
    off = (shape_of(points, width) - shape_of(halves, width)).abs()
    assert off.mean() < 0.005
    assert (off > 0.22).sum() <= 2


@settings(max_examples=15, deadline=None)
@given(drawings(), st.integers(2, 5))
def test_threads_change_no_bit(parts, threads):
    drawing = made(*parts)
    raster.set_threads(1)
    image, grads = gradients(drawing, backend="native")
    raster.set_threads(threads)
    again, again_grads = gradients(drawing, backend="native")
    raster.set_threads(None)
    assert torch.equal(image, again)
    assert all(torch.equal(one, two) for one, two in zip(grads, again_grads, strict=True))


ODD = st.sampled_from([0.0, 0.5, 3.5, 12.0, 24.0, -1e6, 1e6, 7.3, 3e9, -3e38])


@FEW
@given(drawings(st.tuples(ODD, ODD)), st.sampled_from(["native", "reference"]))
def test_odd_places_give_finite_gradients(parts, backend):
    image, grads = gradients(made(*parts), backend=backend)
    assert image.isfinite().all()
    assert all(grad.isfinite().all() for grad in grads)


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_off_canvas_strokes_have_no_gradient(backend):
    away = stroke((-30.0, 3.0), (-20.0, 9.0), (-50.0, 11.0), (-9.0, 17.0), canvas=(SIZE, SIZE))
    image, grads = gradients(away, backend=backend)
    assert torch.equal(image, torch.ones_like(image))
    assert all(grad.abs().sum() == 0 for grad in grads[:3])


@FEW
@given(st.floats(0, 1, width=32), st.floats(0, 1, width=32))
def test_opacity_mixes(color, opacity):
    wide = stroke(*[(12.0, 12.0)] * 4, width=100.0, color=(color, color, color, opacity), canvas=(SIZE, SIZE))
    wanted = color * opacity + 1 - opacity
    assert torch.allclose(rasterize(wide), torch.full((3, 24, 24), wanted), atol=1e-6)


def test_many_canvases_agree():
    """A drawing on a canvas of any unit gives the same image."""
    base = stroke((4.2, 5.1), (11.7, 20.3), (20.2, 2.9), (17.6, 14.8), canvas=(SIZE, SIZE))
    for unit in (0.01, 3.0, 1000.0):
        scaled = Drawing(
            base.points * unit, base.widths * unit, base.colors, base.segments, Canvas(SIZE * unit, SIZE * unit)
        )
        assert torch.allclose(rasterize(scaled, height=24), rasterize(base), atol=1e-4)
