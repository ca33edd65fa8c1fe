from dataclasses import dataclass, replace

import pytest
import torch

from clipdraw.drawing import Canvas, Gradient, Style
from clipdraw.errors import InputError
from clipdraw.optimization.constraints import WidthRange
from clipdraw.optimization.loop import Optimization, optimize
from clipdraw.optimization.losses import Opacity, Prompt
from clipdraw.optimization.parameterization import Parameter, Parameterization, Pixels, Rates, Strokes, resized
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.shapes import RandomShapes
from clipdraw.optimization.views import Views
from clipdraw.raster import rasterize


def recipe(steps=20):
    return Recipe(steps=steps, views=Views(2))


def test_strokes_are_the_drawing(drawing):
    strokes = Strokes(drawing, constraints=(WidthRange(3.0, 4.0),))
    assert isinstance(strokes, Parameterization)
    assert strokes.subject is strokes.drawing
    assert torch.equal(strokes.image(50), rasterize(drawing, height=50, width=50))
    with torch.no_grad():
        strokes.project()
    assert strokes.drawing.widths.min() >= 3
    assert drawing.widths.max() < 3
    assert [parameter.name for parameter in strokes.parameters()] == ["points", "widths", "colors"]


def shapes(**options):
    return replace(RandomShapes(4, opacity=(0.5, 0.9))(Canvas(), torch.Generator().manual_seed(0)), **options)


def test_paths_of_any_kind_move_and_what_they_refer_to_stays(encoder):
    gradient = Gradient("linear", torch.rand(2, 2), torch.tensor([0.0, 1.0]), torch.rand(2, 4))
    style = Style((True,), "nonzero", stroke_gradient=0, transforms=(0,))
    start = shapes(styles=(style,) * 4, gradients=(gradient,), transforms=torch.eye(2, 3)[None])
    *_, last = optimize(start, [Prompt("red")], encoder=encoder, recipe=recipe(3))
    assert not torch.equal(last.drawing.points, start.points)
    assert not torch.equal(last.drawing.fills, start.fills)
    assert torch.equal(last.drawing.transforms, start.transforms)
    assert torch.equal(last.drawing.gradients[0].colors, gradient.colors)
    assert 0 <= last.drawing.fills.min() <= last.drawing.fills.max() <= 1


def test_a_background_that_is_optimized_becomes_what_is_asked_for(encoder):
    at_rate = replace(recipe(30), moves_background=True, rates=Rates(color=0.05))
    *_, last = optimize(shapes(), [Prompt("red")], encoder=encoder, recipe=at_rate)
    red, *others = last.drawing.background.tolist()
    assert red > 0.9
    assert max(others) < 0.4
    assert min(others) >= 0
    with pytest.raises(InputError, match="none to optimize"):
        Strokes(shapes(background=None), moves_background=True)


def test_the_image_of_a_drawing_without_a_background_has_alpha():
    drawing = shapes(background=None)
    layer = Strokes(drawing).image(40)
    assert layer.shape == (4, 40, 40)
    for shade in (0.0, 0.3, 1.0):
        expected = rasterize(replace(drawing, background=torch.full((3,), shade)), height=40, width=40)
        assert torch.allclose(layer[:3] + (1 - layer[3:]) * shade, expected, atol=1e-5)


def test_losses_see_a_drawing_without_a_background_on_white(encoder):
    frame = Optimization(shapes(background=None), [Prompt("red")], encoder=encoder).frame()
    expected = rasterize(shapes(), height=16, width=16)
    assert torch.allclose(frame.image, expected, atol=1e-5)


def test_pixels_are_as_many_as_canvas_units():
    pixels = Pixels.gray(Canvas(32, 18))
    assert isinstance(pixels, Parameterization)
    assert pixels.image(32).shape == (3, 18, 32)
    assert pixels.image(16).shape == (3, 9, 16)


def test_pixels_start_from_flat_gray_and_move_by_their_rate_before_the_sigmoid(encoder):
    """Noise at the start would still be there at the end: Adam moves each pixel by about its rate in a step."""
    pixels = Pixels.gray(Canvas(16, 16))
    assert (pixels.image(16) == 0.5).all()
    list(optimize(pixels, [Prompt("red")], encoder=encoder, recipe=recipe(1)))
    assert torch.allclose(pixels.image(16)[0, 4:12, 4:12], torch.tensor(0.01).sigmoid())
    assert torch.allclose(pixels.image(16)[1:, 4:12, 4:12], torch.tensor(-0.01).sigmoid())


def test_pixels_move_toward_the_prompt_within_their_range(encoder):
    start = torch.full((3, 16, 16), 0.5)
    start[0, 0], start[1, 0] = 1.0, 0.0
    pixels = Pixels(start, rate=0.2)
    assert torch.allclose(pixels.image(16), start, atol=2e-3)
    *_, last = optimize(pixels, [Prompt("red")], encoder=encoder, recipe=recipe())
    assert last.subject is pixels
    image = pixels.image(16)
    assert image.isfinite().all()
    assert 0 < image.min() < image.max() < 1
    assert image[1:].mean() < 0.2 < 0.7 < image[0].mean()
    assert start[2].min() == 0.5
    with pytest.raises(InputError, match="only a drawing has strokes; what is optimized here is Pixels"):
        _ = last.drawing


def test_a_loss_of_strokes_refuses_pixels(encoder):
    with pytest.raises(InputError, match="only a drawing has strokes"):
        list(optimize(Pixels(torch.rand(3, 8, 8)), [Opacity(0.1)], encoder=encoder, recipe=recipe()))


def test_pixels_can_be_stopped_and_continued(encoder):
    def run():
        return Optimization(Pixels(torch.full((3, 8, 8), 0.5)), [Prompt("blue")], encoder=encoder, recipe=recipe())

    unbroken, first, second = run(), run(), run()
    for _ in range(6):
        unbroken.step()
    for _ in range(3):
        first.step()
    second.restore(first.state())
    for _ in range(3):
        second.step()
    assert torch.equal(unbroken.parameterization.logits, second.parameterization.logits)


@dataclass(frozen=True, eq=False)
class OneColor:
    """A parameterization of a caller's own."""

    color: torch.Tensor

    @property
    def subject(self):
        return self

    def parameters(self):
        return (Parameter("color", self.color, 0.05),)

    def image(self, longest):
        return self.color[:, None, None].expand(3, longest, longest)

    def project(self):
        self.color.clamp_(0, 1)


def test_a_parameterization_of_ones_own(encoder):
    color = torch.full((3,), 0.5, requires_grad=True)
    list(optimize(OneColor(color), [Prompt("green")], encoder=encoder, recipe=recipe(40)))
    assert color[1] > color[0] + 0.4
    assert color.min() >= 0


@pytest.mark.parametrize("longest", [10, 40])
def test_images_keep_their_shape_and_mean_when_resized(longest):
    image = torch.rand(3, 12, 20)
    small = resized(image, longest)
    assert small.shape == (3, longest * 12 // 20, longest)
    assert small.mean().item() == pytest.approx(image.mean().item(), abs=0.03)
