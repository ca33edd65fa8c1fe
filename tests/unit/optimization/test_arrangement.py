from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Gradient, Style
from clipdraw.errors import InputError
from clipdraw.optimization.arrangement import (
    Arrangement,
    Combined,
    Grid,
    Mirror,
    Palette,
    Rotation,
    Tile,
    arranged,
    tiles,
    visible,
)
from clipdraw.optimization.constraints import PointsOnCanvas
from clipdraw.optimization.loop import Optimization
from clipdraw.optimization.losses import Prompt
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.shapes import RandomShapes
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize

COLORS = ((0.15, 0.28, 0.33), (0.16, 0.62, 0.56), (0.91, 0.44, 0.32))


def strokes(canvas=None, count=12, **settings):
    return RandomStrokes(count, width=9.0, **settings)(canvas or Canvas(), torch.Generator().manual_seed(5))


def shapes(**options):
    return replace(RandomShapes(6, reach=0.2)(Canvas(), torch.Generator().manual_seed(5)), **options)


def image(drawing, size=64):
    height, width = drawing.canvas.pixel_size(size)
    return rasterize(drawing, height=height, width=width)


@pytest.mark.parametrize("drawing", [strokes(), strokes(Canvas(448, 300)), shapes()])
def test_a_mirrored_drawing_is_its_own_mirror_image(drawing):
    shown = Mirror()(drawing)
    assert len(shown) == 2 * len(drawing)
    assert (image(shown) - image(shown).flip(2)).abs().max() < 1e-5
    assert (image(drawing) - image(drawing).flip(2)).abs().max() > 0.1
    assert torch.equal(shown.subset(range(0, len(shown), 2)).points, drawing.points)


@pytest.mark.parametrize("drawing", [strokes(), shapes()])
def test_a_turned_drawing_is_the_same_after_each_turn(drawing):
    quarters = image(Rotation(4)(drawing))
    assert (quarters - quarters.rot90(1, (1, 2))).abs().max() < 1e-5
    halves = image(Rotation(2)(strokes(Canvas(300, 200))))
    assert (halves - halves.rot90(2, (1, 2))).abs().max() < 1e-5
    thirds = Rotation(3)(drawing)
    middle, first, second = torch.tensor([112.0, 112.0]), *thirds.stroke_points()[:2]
    assert torch.allclose((first - middle).norm(dim=1), (second - middle).norm(dim=1), atol=1e-3)
    angle = torch.atan2(*(second - middle)[0].flip(0)) - torch.atan2(*(first - middle)[0].flip(0))
    assert torch.remainder(angle, 2 * torch.pi).item() == pytest.approx(2 * torch.pi / 3, abs=1e-4)


def test_overlapping_shapes_with_strokes_are_symmetric_too():
    both = replace(shapes(), styles=(Style((True,), "nonzero"),) * 6, widths=torch.full((6,), 12.0))
    shown = Mirror()(both)
    assert (image(shown) - image(shown).flip(2)).abs().max() < 1e-5
    assert len(shown) == 6
    assert shown.styles[0].closed == (True, True)
    halves = image(Rotation(2)(both))
    assert (halves - halves.rot90(2, (1, 2))).abs().max() < 1e-5
    middle = both.subset([0])
    across = replace(middle, points=middle.points - middle.points.mean(0) + torch.tensor([105.0, 112.0]))
    assert torch.allclose(image(Mirror()(across))[:, 32, 32], image(across)[:, 32, 32], atol=1e-5)
    apart = replace(both, points=both.points / 3)  # on the left only
    assert torch.allclose(image(Mirror()(apart))[:, :, :32], image(apart)[:, :, :32], atol=1e-5)


@pytest.mark.parametrize("order", [1, 65])
def test_a_rotation_has_an_order(order):
    with pytest.raises(InputError, match="order of a rotation"):
        Rotation(order)


def test_a_tile_has_no_seams():
    """Moved by any distance around a torus, it is the picture of paths that were moved so far."""
    drawing = strokes(Canvas(64, 32), spread=1.0)
    moved = replace(drawing, points=drawing.points + torch.tensor([20.0, 9.0]))
    off = (image(Tile()(drawing)).roll((9, 20), (1, 2)) - image(Tile()(moved))).abs()
    assert off.max() < 0.2  # of overlapping copies, the order differs
    assert off.mean() < 1e-4
    assert (image(drawing).roll((9, 20), (1, 2)) - image(moved)).abs().mean() > 3e-3


def test_of_a_tile_only_what_reaches_the_canvas_is_kept():
    drawing = strokes(count=30)
    shown = arranged(drawing, Combined((Mirror(), Tile())))
    assert 60 <= len(shown) < 120
    assert torch.equal(image(shown), image(Combined((Mirror(), Tile()))(drawing)))
    states = visible([Tile()(drawing), Tile()(replace(drawing, points=drawing.points + 60))])
    assert states[0].segments == states[1].segments
    assert tiles(Combined((Grid(4.0), Tile())))
    assert not tiles(Combined((Grid(4.0), Mirror())))
    assert arranged(drawing, None) is drawing


def test_points_are_on_the_grid_and_within_the_margin():
    drawing = strokes(Canvas(448, 300))
    spacing = 7.0 * drawing.canvas.scale
    steps = (Grid(7.0)(drawing).points - torch.tensor([224.0, 150.0])) / spacing
    assert torch.allclose(steps, steps.round(), atol=1e-4)
    assert (Grid(7.0)(drawing).points - drawing.points).abs().max() <= spacing / 2 + 1e-3
    shown = Grid(7.0, PointsOnCanvas(40.0, whole_paths=True))(drawing)
    least = (40.0 + 4.5) * drawing.canvas.scale
    assert shown.points.min() >= least - 1e-3
    assert (torch.tensor([448.0, 300.0]) - shown.points).min() >= least - 1e-3
    with pytest.raises(InputError, match="spacing of a grid"):
        Grid(0.0)


def test_each_color_is_exactly_one_of_the_palette_and_the_nearest_to_the_eye():
    gradient = Gradient("linear", torch.rand(2, 2), torch.tensor([0.0, 1.0]), torch.rand(2, 4))
    style = Style((True,), "nonzero", stroke_gradient=0)
    drawing = shapes(styles=(style,) * 6, gradients=(gradient,))
    shown = Palette(COLORS)(drawing)
    for colors, free in ((shown.colors, drawing.colors), (shown.fills, drawing.fills)):
        apart = (colors[:, None, :3] - torch.tensor(COLORS)).abs().sum(-1)
        assert (apart == 0).any(1).all()
        assert torch.equal(colors[:, 3], free[:, 3])
    assert (shown.gradients[0].colors[:, None, :3] == torch.tensor(COLORS)).all(-1).any(1).all()
    assert torch.equal(shown.background, torch.ones(3))
    assert Palette(COLORS, background=True)(drawing).background.tolist() == pytest.approx(COLORS[2])
    dark_blue = replace(strokes(count=1), colors=torch.tensor([[0.1, 0.1, 0.6, 1.0]]))
    assert Palette(COLORS)(dark_blue).colors[0, :3].tolist() == pytest.approx(COLORS[0])
    for wrong in ((), ((0.0, 0.0, 1.5),), ((-0.1, 0.0, 0.0),)):
        with pytest.raises(InputError, match="a palette has"):
            Palette(wrong)


@pytest.mark.parametrize("part", [Palette(COLORS), Grid(9.0), Mirror(), Rotation(3), Tile()])
def test_gradients_reach_the_paths_that_are_moved(part):
    drawing = strokes()
    for tensor in drawing.parameters():
        tensor.requires_grad_()
    assert isinstance(part, Arrangement)
    shown = part(drawing)
    assert len(shown) == part.copies * len(drawing)
    (image(shown) * torch.linspace(0, 1, 64)).sum().backward()
    for tensor in drawing.parameters():
        assert tensor.grad.isfinite().all()
        assert (tensor.grad != 0).any()


def test_paths_with_transforms_or_gradients_are_copied_as_they_look():
    gradient = Gradient("linear", torch.tensor([[80.0, 0.0], [140.0, 0.0]]), torch.tensor([0.0, 1.0]), torch.rand(2, 4))
    moved = torch.tensor([[[1.0, 0.3, 5.0], [0.0, 0.5, 20.0]]])
    styles = (Style((True,), "nonzero", fill_gradient=0), Style((True,), "nonzero", transforms=(0,))) * 3
    drawing = shapes(styles=styles, gradients=(gradient,), transforms=moved, colors=torch.full((6, 4), 0.2))
    single = drawing.subset([0])
    shown = Mirror()(single)
    assert (image(shown.subset([1])) - image(single).flip(2)).abs().max() < 1e-5
    single = drawing.subset([1])
    assert (image(Mirror()(single).subset([1])) - image(single).flip(2)).abs().max() < 1e-5


def test_the_drawing_of_an_optimization_is_the_arranged_one(encoder):
    recipe = Recipe(steps=4, arrangement=Combined((Palette(COLORS), Mirror())))
    run = Optimization(strokes(), [Prompt("red")], encoder=encoder, recipe=recipe)
    for _ in range(4):
        step = run.step()
    assert len(step.drawing) == 24
    assert len(run.moved) == 12
    assert torch.equal(step.drawing.points, run.drawing.points)
    assert not torch.equal(run.moved.points, strokes().points)
    again = Optimization(strokes(), [Prompt("red")], encoder=encoder, recipe=recipe)
    again.restore(run.state())
    assert torch.equal(again.drawing.points, run.drawing.points)
