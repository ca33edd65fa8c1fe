"""The public function: sizes, backends, errors, threads."""

from dataclasses import replace

import pytest
import torch

from clipdraw import raster
from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError
from clipdraw.raster import rasterize
from tests.raster_scenes import SCENES, gradients, published, stroke

BACKENDS = "reference", "native"


@pytest.fixture(autouse=True)
def _threads():
    yield
    raster.set_threads(None)


def empty(canvas=(32.0, 20.0)):
    return Drawing(
        torch.zeros(0, 2), torch.zeros(0), torch.zeros(0, 4), (), Canvas(*canvas), torch.tensor([0.2, 0.4, 0.6])
    )


@pytest.mark.parametrize(
    ("canvas", "options", "shape"),
    [
        ((32.0, 20.0), {}, (20, 32)),
        ((32.4, 20.6), {}, (21, 32)),
        ((320.0, 180.0), {"width": 100}, (56, 100)),
        ((320.0, 180.0), {"height": 56}, (56, 100)),
        ((320.0, 180.0), {"height": 56, "width": 99}, (56, 99)),
        ((320.0, 180.0), {"height": 720, "width": 1280}, (720, 1280)),
        ((0.2, 0.3), {}, (1, 1)),
    ],
)
def test_sizes(canvas, options, shape):
    assert rasterize(empty(canvas), **options).shape == (3, *shape)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"height": 0}, "height of an image"),
        ({"width": -3}, "width of an image"),
        ({"height": 100, "width": 100}, "proportions"),
        ({"height": 20, "width": 34}, "proportions"),
        ({"height": True}, "whole number of pixels"),
        ({"backend": "opengl"}, "choose auto, native, reference"),
    ],
)
def test_bad_requests(options, says):
    with pytest.raises(InputError, match=says):
        rasterize(empty(), **options)


def test_bad_precisions():
    for dtype in (torch.float16, torch.bfloat16):
        with pytest.raises(InputError, match="float32 or float64"):
            rasterize(empty().to(dtype=dtype))
    with pytest.raises(InputError, match="backend='reference'"):
        rasterize(empty().to(dtype=torch.float64), backend="native")
    assert rasterize(empty().to(dtype=torch.float64)).dtype == torch.float64


def test_tensors_of_several_precisions_are_named():
    mixed = replace(published(3), widths=torch.ones(3, dtype=torch.float64))
    with pytest.raises(InputError, match=r"the drawing's widths: torch.float64 on cpu; points: torch.float32"):
        rasterize(mixed)
    with pytest.raises(InputError, match="the widths of drawing 1"):
        raster.rasterize_batch([published(3), mixed])


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_drawing_is_background(backend):
    drawing = empty()
    drawing.background.requires_grad_()
    image = rasterize(drawing, backend=backend)
    image.sum().backward()
    assert torch.equal(image, drawing.background[:, None, None].expand(3, 20, 32))
    assert drawing.background.grad.tolist() == [640.0] * 3


@pytest.mark.parametrize("backend", BACKENDS)
def test_pixels_scale_with_the_canvas(backend):
    """The same picture from a canvas twice as large."""
    small = SCENES["overlapping"]
    large = Drawing(small.points * 2, small.widths * 2, small.colors, small.segments, Canvas(64.0, 64.0))
    assert torch.allclose(rasterize(small, backend=backend), rasterize(large, height=32, backend=backend), atol=1e-5)


def test_only_what_needs_a_gradient_gets_one():
    drawing = stroke((4.2, 5.1), (11.7, 27.3), (20.2, 2.9), (27.6, 24.8))
    drawing.colors.requires_grad_()
    rasterize(drawing).sum().backward()
    assert drawing.points.grad is None
    assert drawing.colors.grad.abs().sum() > 0


def test_backward_twice_gives_the_same():
    drawing = SCENES["open"].detached()
    drawing.points.requires_grad_()
    total = rasterize(drawing).square().sum()
    total.backward(retain_graph=True)
    first = drawing.points.grad.clone()
    drawing.points.grad = None
    total.backward()
    assert torch.equal(first, drawing.points.grad)


def test_what_calls_leave_behind_is_not_mixed_up():
    """Several images wait for their gradients at once, with smaller and larger ones before and after."""

    def graph(name):
        drawing = SCENES[name].detached()
        drawing.points.requires_grad_()
        return drawing.points, rasterize(drawing).square().sum()

    names = "open", "many", "dot", "many", "open"
    alone = []
    for name in names:
        points, total = graph(name)
        total.backward()
        alone.append(points.grad)
    graphs = [graph(name) for name in names]
    rasterize(SCENES["many"])
    for _, total in reversed(graphs):
        total.backward(retain_graph=True)
    for (points, _), wanted in zip(graphs, alone, strict=True):
        assert torch.equal(points.grad, wanted)


def test_set_threads():
    assert raster.set_threads(3) is None
    assert raster.get_threads() == raster.set_threads(3) == 3
    with pytest.raises(InputError, match="at least 1 thread"):
        raster.set_threads(0)
    raster.set_threads(None)
    assert raster.get_threads() >= 1


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_change_no_bit(threads):
    drawing = published(200, size=96.0, seed=3)
    raster.set_threads(1)
    image, grads = gradients(drawing, backend="native")
    raster.set_threads(threads)
    for _ in range(3):
        again, again_grads = gradients(drawing, backend="native")
        assert torch.equal(image, again)
        assert all(torch.equal(one, two) for one, two in zip(grads, again_grads, strict=True))


def test_reference_is_deterministic():
    first, second = (gradients(SCENES["many"], backend="reference") for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert all(torch.equal(one, two) for one, two in zip(first[1], second[1], strict=True))
