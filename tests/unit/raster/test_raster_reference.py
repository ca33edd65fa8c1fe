"""The reference: closed forms, and gradients checked in float64."""

import math
from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.raster import rasterize
from clipdraw.raster.reference.chords import Box, find_chords
from clipdraw.raster.reference.composite import composite
from tests.raster_scenes import SCENES, line, stroke

BLACK = (0.0, 0.0, 0.0, 1.0)
BACKENDS = "reference", "native"


def covered(drawing, backend):
    """Total coverage of a black stroke over white, in pixels."""
    return float((1 - rasterize(drawing, backend=backend)[0].double()).sum())


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("edge", [10.0, 10.25, 10.5, 10.9])
def test_half_plane_image(edge, backend):
    """A stroke whose lower side crosses the canvas level covers all above it."""
    drawing = line((-40.0, edge - 20), (72.0, edge - 20), width=40.0, color=BLACK)
    rows = rasterize(drawing, backend=backend)[0].double()
    wanted = (torch.arange(32, dtype=torch.float64)[:, None] + 1 - edge).clamp(0, 1).expand(32, 32)
    assert torch.allclose(rows, wanted, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("radius", [0.3, 0.7, 1.0, 2.5, 6.0, 12.0])
def test_disc_area(radius, backend):
    """Polygons of the same area."""
    for x, y in ((16.0, 16.0), (15.3, 16.9), (16.5, 15.5)):
        found = covered(stroke(*[(x, y)] * 4, width=2 * radius, color=BLACK), backend)
        assert found == pytest.approx(math.pi * radius**2, rel=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_capsule_area(backend):
    found = covered(line((8.3, 9.1), (22.7, 20.4), width=4.0, color=BLACK), backend)
    assert found == pytest.approx(4 * math.hypot(14.4, 11.3) + 4 * math.pi, rel=0.002)


@pytest.mark.parametrize("precision", [torch.float64, torch.float32])
def test_chords_add_up_to_their_edge_beside_a_border_of_pixels(precision):
    """Ends a few roundings off the border: places between them are rounded into either column."""
    random = torch.Generator().manual_seed(0)
    border = torch.randint(1, 31, (2000, 1), generator=random).to(precision)
    roundings = torch.randint(-3, 4, (2000, 2), generator=random) * torch.finfo(precision).eps * border
    ends = torch.stack((border + roundings, 32 * torch.rand(2000, 2, generator=random, dtype=precision)), dim=2)
    chords = find_chords(ends, Box(0, 0, 32, 32))
    found = torch.zeros(2000, dtype=precision).index_add(0, chords.edge, chords.span.diff(dim=1)[:, 0])
    length = ends.diff(dim=1)[:, 0].abs().amax(1)
    torch.testing.assert_close(found * length, length, atol=1e-3, rtol=0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_self_overlap_is_painted_once(backend):
    color = (0.0, 0.0, 0.0, 0.5)
    image = rasterize(
        stroke((6.3, 24.2), (44.1, 4.8), (-12.4, 5.3), (26.2, 25.1), width=4.0, color=color), backend=backend
    )
    assert image.min() >= 0.5 - 1e-6


@pytest.mark.parametrize("backend", BACKENDS)
def test_many_layers(backend):
    one = line((4.0, 16.0), (28.0, 16.0), width=8.0)
    layers = Drawing(
        one.points.repeat(300, 1),
        one.widths.repeat(300),
        torch.tensor([[1.0, 0.0, 0.0, 0.01]]).repeat(300, 1),
        (1,) * 300,
        one.canvas,
    )
    pixel = rasterize(layers, backend=backend)[:, 16, 16]
    assert torch.allclose(pixel, torch.tensor([1.0, 0.99**300, 0.99**300]), atol=1e-5)


@pytest.mark.parametrize("name", ["bend", "two"])
def test_gradcheck(name):
    canvas = {"canvas": (8.0, 7.0)}
    drawing = {
        "bend": stroke((1.2, 1.1), (6.7, 2.3), (0.2, 5.9), (6.6, 5.8), width=1.7, **canvas),
        "two": Drawing(
            torch.tensor(
                [[1.2, 1.1], [3.3, 2.9], [4.1, 3.2], [6.9, 5.3], [6.1, 1.2], [4.4, 2.2], [3.1, 4.4], [1.2, 5.9]]
            ),
            torch.tensor([1.1, 2.3]),
            torch.tensor([[0.1, 0.5, 0.9, 1.0], [0.7, 0.2, 0.4, 0.6]]),
            (1, 1),
            Canvas(8.0, 7.0),
        ),
    }[name].to(dtype=torch.float64)

    signs = torch.randint(2, (6, 3 * 7 * 8), generator=torch.Generator().manual_seed(0)).double() * 2 - 1

    def sums(points, widths, colors, background):
        """Six sums over all pixels, each with random signs: a wrong derivative of one pixel is in all of them."""
        made = Drawing(points, widths, colors, drawing.segments, drawing.canvas, background)
        return signs @ rasterize(made, height=7, backend="reference").flatten()

    inputs = [leaf.detach().clone().requires_grad_() for leaf in (*drawing.parameters(), drawing.background)]
    assert torch.autograd.gradcheck(sums, inputs, eps=1e-7, atol=1e-4, nondet_tol=1e-12)


def test_composite_where_a_stroke_is_opaque():
    alpha = torch.tensor([[0.5, 0.0], [1.0, 1.0], [0.25, 1.0]], dtype=torch.float64, requires_grad=True)
    colors = torch.rand(3, 3, 1, dtype=torch.float64, requires_grad=True)
    background = torch.rand(3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(composite, (alpha, colors, background))
    assert torch.allclose(composite(alpha, colors, background)[:, 1], colors[2, :, 0])


BLOB = [(1.2, 1.1), (4.7, 0.3), (6.9, 2.2), (6.3, 4.9), (5.6, 6.9), (2.1, 6.2), (0.9, 4.4), (0.4, 3.3), (0.7, 1.9)]
HOLE = [(2.6, 2.4), (3.9, 2.1), (5.2, 2.8), (4.9, 4.1), (4.1, 5.2), (2.5, 4.3)]


def painted(*, gradient=None, transform=None, **options):
    """A blob with a hole, 8 x 7 units, in float64."""
    closed = (True, True) if options.get("stroked") is not True else (False, False)
    points = torch.tensor(BLOB + HOLE if closed[0] else BLOB[:7] + HOLE[:4], dtype=torch.float64)
    style = Style(
        closed=closed,
        fill_gradient=None if gradient is None else 0,
        transforms=() if transform is None else (0,),
        **{"stroked": False, **options},
    )
    return Drawing(
        points,
        torch.tensor([1.3], dtype=torch.float64),
        torch.tensor([[0.2, 0.9, 0.4, 0.7]], dtype=torch.float64),
        (3, 2) if closed[0] else (2, 1),
        Canvas(8.0, 7.0),
        torch.ones(3, dtype=torch.float64),
        styles=(style,),
        fills=torch.tensor([[0.8, 0.1, 0.3, 0.9]], dtype=torch.float64),
        gradients=() if gradient is None else (gradient.to(dtype=torch.float64),),
        transforms=None if transform is None else torch.tensor([transform], dtype=torch.float64),
    )


STOPS = {
    "offsets": torch.tensor([0.05, 0.4, 0.9]),
    "colors": torch.tensor([[0.9, 0.1, 0.2, 1.0], [0.1, 0.7, 0.3, 0.5], [0.2, 0.2, 0.9, 0.9]]),
}
LINEAR = Gradient("linear", torch.tensor([[1.0, 0.5], [6.1, 5.8]]), **STOPS)
RADIAL = Gradient("radial", torch.tensor([[4.0, 3.4], [3.1, 3.8]]), **STOPS, radius=torch.tensor(3.3), spread="reflect")


@pytest.mark.parametrize(
    "options",
    [
        {"fill": "nonzero"},
        {"fill": "evenodd"},
        {"fill": "evenodd", "stroked": True, "cap": "butt", "join": "miter"},
        {"stroked": True, "cap": "square", "join": "bevel"},
        {"stroked": True, "cap": "round", "join": "round"},
        {"fill": "nonzero", "transform": [[0.9, 0.3, -0.2], [-0.2, 0.8, 1.1]]},
        {"fill": "nonzero", "stroked": True, "transform": [[1.2, 0.4, -1.2], [0.1, 0.6, 1.1]], "join": "miter"},
        {"fill": "nonzero", "stroked": True, "opacity": 0.6},
        {"fill": "evenodd", "stroked": True, "opacity": 0.4, "gradient": LINEAR, "join": "bevel"},
        {"fill": "evenodd", "gradient": LINEAR},
        {"fill": "nonzero", "gradient": RADIAL, "transform": [[0.9, 0.3, -0.2], [-0.2, 0.8, 1.1]]},
    ],
)
def test_gradcheck_of_every_paint(options):
    drawing = painted(**options)
    names = [
        name for name in ("points", "widths", "colors", "fills", "transforms") if getattr(drawing, name) is not None
    ]
    of_gradient = ("geometry", "radius", "offsets", "colors") if drawing.gradients else ()

    def image(*leaves):
        parts = dict(zip(names, leaves, strict=False))
        paint = dict(zip(of_gradient, leaves[len(names) :], strict=True))
        gradients = (replace(drawing.gradients[0], **paint),) if of_gradient else ()
        return rasterize(replace(drawing, **parts, gradients=gradients), height=7, backend="reference")

    leaves = [getattr(drawing, name) for name in names] + [getattr(drawing.gradients[0], name) for name in of_gradient]
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    assert torch.autograd.gradcheck(image, leaves, eps=1e-7, atol=1e-4, nondet_tol=1e-12, fast_mode=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_straight_strokes_can_bend(backend):
    """An inner control point of a straight stroke has a gradient across it."""
    drawing = line((4.0, 12.3), (28.0, 12.3), width=3.0)
    drawing.points.requires_grad_()
    (rasterize(drawing, backend=backend)[0] * torch.arange(32.0)[:, None]).sum().backward()
    ends, inner = drawing.points.grad[[0, 3], 1].abs().mean(), drawing.points.grad[[1, 2], 1].abs().mean()
    assert 0.5 < inner / ends < 2


def test_reference_takes_float64():
    assert rasterize(SCENES["open"].to(dtype=torch.float64), backend="reference").dtype == torch.float64
