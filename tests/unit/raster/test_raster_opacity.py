"""The opacity that a path's fill and stroke share."""

from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.raster import rasterize, rasterize_batch, reference
from tests.raster_scenes import faded_together, gradients, gradients_of, relative_error

BACKENDS = pytest.mark.parametrize("backend", ["reference", "native"])
BELOW, FILL, STROKE = ((0.2, 0.6, 0.9), (0.9, 0.8, 0.1), (0.5, 0.1, 0.3))


def rectangle(*, opacity=0.5, fill_opacity=1.0, stroke_opacity=1.0, **style):
    """From 8 to 24 along both axes, its stroke 8 wide."""
    ends = torch.tensor([[8.0, 8.0], [24.0, 8.0], [24.0, 24.0], [8.0, 24.0]])
    sides = ends[:, None] + (ends.roll(-1, 0) - ends)[:, None] * torch.arange(3)[:, None] / 3
    chosen = Style(**{"closed": (True,), "fill": "nonzero", "join": "miter", "opacity": opacity, **style})
    return Drawing(
        sides.reshape(-1, 2),
        torch.tensor([8.0]),
        torch.tensor([[*STROKE, stroke_opacity]]),
        (4,),
        Canvas(32.0, 32.0),
        torch.tensor(BELOW),
        styles=(chosen,),
        fills=torch.tensor([[*FILL, fill_opacity]]),
    )


def path_by_path(drawing):
    """SVG's rule: each path is painted as if it were opaque, and the picture of that is laid over what was there."""
    image = drawing.background[:, None, None].expand(3, 32, 32)
    for number, style in enumerate(drawing.styles):
        one = replace(drawing.subset([number]), styles=(replace(style, opacity=1.0),))
        image = torch.lerp(image, rasterize(one, background=image, backend="reference"), style.opacity)
    return image


@BACKENDS
@pytest.mark.parametrize(("fill", "stroke"), [(1.0, 1.0), (1.0, 0.7), (0.4, 0.7), (0.4, 1.0)])
@pytest.mark.parametrize("opacity", [0.0, 1e-5, 0.25, 0.5, 0.9, 0.99999, 1.0])
def test_where_they_overlap_the_stroke_hides_the_fill(backend, opacity, fill, stroke):
    image = rasterize(rectangle(opacity=opacity, fill_opacity=fill, stroke_opacity=stroke), backend=backend)
    below, filled, inked = (torch.tensor(color) for color in (BELOW, FILL, STROKE))
    inside = below + opacity * fill * (filled - below)
    over_fill = below + fill * (filled - below)
    over_fill = below + opacity * (over_fill + stroke * (inked - over_fill) - below)
    outside = below + opacity * stroke * (inked - below)
    for place, wanted in ((16, inside), (10, over_fill), (6, outside), (2, below)):
        assert torch.allclose(image[:, 16, place], wanted, atol=1e-5), place


@BACKENDS
@pytest.mark.parametrize("seed", range(3))
def test_a_path_is_laid_over_what_is_below_as_a_whole(backend, seed):
    drawing = faded_together(seed=seed).to(dtype=torch.float64)
    wanted, wanted_grads = gradients_of(drawing, lambda: path_by_path(drawing))
    dtype = torch.float64 if backend == "reference" else torch.float32
    found, found_grads = gradients(faded_together(seed=seed), backend=backend, dtype=dtype)
    least = 1e-12 if backend == "reference" else 1e-5
    assert (found - wanted).abs().max() <= least
    for number, (one, two) in enumerate(zip(found_grads, wanted_grads, strict=True)):
        assert relative_error(one, two) <= least, number


@BACKENDS
@pytest.mark.parametrize("part", [{"stroked": False}, {"fill": None}])
def test_of_one_paint_it_is_a_factor(backend, part):
    faded = rectangle(opacity=0.3, **part)
    fainter = rectangle(opacity=1.0, fill_opacity=0.3, stroke_opacity=0.3, **part)
    assert torch.allclose(rasterize(faded, backend=backend), rasterize(fainter, backend=backend), atol=1e-6)


@BACKENDS
def test_what_lies_below_is_not_hidden(backend):
    """Both paints are opaque, but not their path: one that is wholly beneath still matters, and has gradients."""
    above, below = rectangle(), rectangle(opacity=1.0, stroked=False)
    both = replace(
        above,
        **{name: torch.cat((getattr(below, name), getattr(above, name))) for name in ("points", "widths", "colors")},
        fills=torch.tensor([[1.0, 0.0, 0.0, 1.0], [*FILL, 1.0]]),
        segments=(4, 4),
        styles=below.styles + above.styles,
    )
    image, grads = gradients(both, backend=backend)
    wanted = 0.5 * torch.tensor(FILL).double() + 0.5 * torch.tensor([1.0, 0.0, 0.0])
    assert torch.allclose(image[:, 16, 16], wanted, atol=1e-6)
    assert grads[3][0].abs().min() > 0


@BACKENDS
def test_opacities_beyond_one_do_no_harm(backend):
    """An optimizer may go a little too far before it is stopped."""
    image, grads = gradients(rectangle(opacity=0.8, stroke_opacity=1.2), backend=backend)
    assert all(part.isfinite().all() for part in (image, *grads))
    assert image.abs().max() < 2
    exact = gradients(rectangle(opacity=0.8, stroke_opacity=1.2), backend="reference", dtype=torch.float64)[1]
    for found, wanted in zip(grads, exact, strict=True):
        torch.testing.assert_close(found.double(), wanted, atol=1e-3, rtol=1e-3)


@BACKENDS
def test_batches_backgrounds_and_frozen_paths(backend):
    one, other = faded_together(seed=1), faded_together(7, seed=2)
    behind = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for drawing in (one, other):
        drawing.points.requires_grad_()
    images = rasterize_batch([one, other], background=behind, frozen=[[0, 3], []], backend=backend)
    alone = [rasterize(d, background=b, backend=backend) for d, b in zip((one, other), behind, strict=True)]
    assert torch.allclose(images, torch.stack(alone), atol=1e-6)
    images.square().sum().backward()
    found, one.points.grad = one.points.grad, None
    alone[0].square().sum().backward()
    still = torch.cat([torch.full((count,), path in (0, 3)) for path, count in enumerate(one.point_counts())])
    assert found[still].abs().max() == 0 < one.points.grad[still].abs().max()
    assert torch.allclose(found[~still], one.points.grad[~still], atol=1e-4)


def test_backward_twice_gives_the_same():
    drawing = faded_together()
    drawing.points.requires_grad_()
    image = rasterize(drawing, backend="native")
    first, second = (torch.autograd.grad(image.square().sum(), drawing.points, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(image, rasterize(drawing, backend="native"))


def test_tiles_that_hold_only_a_stroke(monkeypatch):
    """Or only a fill, or a stroke above another path's fill."""
    drawing = faded_together()
    whole = rasterize(drawing, backend="reference")
    monkeypatch.setattr(reference, "TILES_PX", (4, 4))
    assert torch.allclose(rasterize(drawing, backend="reference"), whole, atol=1e-6)
