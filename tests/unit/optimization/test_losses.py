import math
from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.errors import InputError
from clipdraw.optimization.loop import optimize
from clipdraw.optimization.losses import (
    Frame,
    Ink,
    Opacity,
    Prior,
    Prompt,
    distinct,
    drawing_of,
    ink,
    mean_opacity,
    similarity,
)
from clipdraw.optimization.parameterization import Pixels, Rates
from clipdraw.optimization.prior_picture import PriorPicture
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.shapes import RandomShapes
from clipdraw.optimization.start import RandomStrokes
from clipdraw.optimization.views import Views
from clipdraw.raster import rasterize
from tests.conftest import TinyEncoder

A, FLAG = PriorPicture.of("a"), PriorPicture.of("a flag")


def frame(subject=None, image=None, views=2, progress=0.0):
    embeddings = torch.nn.functional.normalize(torch.arange(3.0 * views).reshape(views, 3) - 1, dim=1)
    image = torch.zeros(3, 4, 4) if image is None else image
    return Frame(subject or Pixels(image), image, embeddings, progress)


class Imagining(TinyEncoder):
    """An encoder that imagines a flag first as red and then as blue with a green left half."""

    @property
    def prior(self):
        return self

    def sample(self, text):
        red = torch.tensor([1.0, 0.0, 0.0])[:, None, None].expand(3, 8, 8)
        blue = torch.tensor([0.0, 0.0, 1.0])[:, None, None].repeat(1, 8, 8)
        blue[:, :, :4] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
        return torch.stack([red, blue]) if text == "a flag" else torch.zeros(1, 3, 8, 8)


@pytest.mark.parametrize("weight", [1.0, 2.0, -0.3])
def test_a_prompt_is_the_negative_sum_of_the_cosines_of_the_views_times_its_weight(weight, encoder):
    moment = frame(views=5)
    (red,) = encoder.encode_text(["red"])
    cosines = torch.nn.functional.cosine_similarity(moment.embeddings, red[None])
    term = Prompt("red", weight).build(encoder)
    assert term(moment).item() == pytest.approx(-weight * cosines.sum().item())


def test_a_prompt_weighs_1_and_tells_whether_it_is_negative():
    assert Prompt("a cat").weight == 1
    assert Prompt("a cat").name == "a cat"
    assert Prompt("text", -0.3).name == "not text"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_blank_texts_are_refused(text):
    with pytest.raises(InputError) as error:
        Prompt(text)
    assert str(error.value) == 'the prompt is empty: say what to draw, for example "a bonfire"'


def test_a_prompt_has_a_weight():
    with pytest.raises(InputError, match=r"^a prompt's weight is a number other than 0, got 0\.0$"):
        Prompt("a", 0.0)


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, 1e39])
@pytest.mark.parametrize("make", [lambda weight: Prompt("a", weight), Opacity, lambda weight: Prior(A, weight)])
def test_weights_are_finite_in_single_precision(make, weight):
    with pytest.raises(InputError, match=r"weight must be within ±3\.4e\+38, got "):
        make(weight)


def test_a_prompt_is_text():
    with pytest.raises(InputError, match=r"the prompt 'a \\udcff' is not text: it has bytes that are not UTF-8"):
        Prompt("a \udcff")


@pytest.mark.parametrize(
    ("names", "expected"),
    [("ab", "a,b"), ("aba", "a,b,a (2)"), ("aaa", "a,a (2),a (3)"), (["a (2)", "a", "a"], "a (2),a,a (3)"), ("", "")],
)
def test_names_are_told_apart(names, expected):
    assert ",".join(distinct(names)) == expected


def test_the_similarity_is_the_mean_of_what_is_wanted_by_weight():
    prompts = [Prompt("a", 3.0), Prompt("b", -0.3), Prompt("c")]
    assert similarity(prompts, [0.4, 0.9, 0.8]) == pytest.approx(0.5)
    assert math.isnan(similarity(prompts[1:2], [0.9]))
    with pytest.raises(ValueError, match="shorter"):
        similarity(prompts, [0.4])


def test_only_a_drawing_has_strokes(drawing):
    assert drawing_of(drawing) is drawing
    assert frame(drawing).drawing is drawing
    with pytest.raises(InputError, match=r"^only a drawing has strokes; what is optimized here is Pixels$"):
        _ = frame().drawing


def test_the_opacity_fades_strokes_alike_and_leaves_their_color(drawing, encoder):
    drawing.colors.requires_grad_()
    value = Opacity(0.5).build(encoder)(frame(drawing))
    assert value.item() == pytest.approx(0.5 * 2 * drawing.colors[:, 3].mean().item())
    value.backward()
    assert torch.allclose(drawing.colors.grad[:, 3], torch.full((12,), 0.5 * 2 / 12))
    assert (drawing.colors.grad[:, :3] == 0).all()


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_the_opacity_has_a_weight(weight):
    with pytest.raises(InputError, match=f"^the weight of the opacity is above 0, got {weight}$"):
        Opacity(weight)


@pytest.mark.parametrize(("progress", "fading"), [(0.0, 1.0), (0.25, 0.5), (0.375, 0.25), (0.5, 0.0), (0.9, 0.0)])
def test_the_prior_is_the_squared_difference_from_the_first_picture_and_fades(progress, fading):
    """A black image differs from red, with white around it, in a third of the values but for the margin."""
    term = Prior(FLAG, 6.0, until=0.5).build(Imagining())
    size = round(20 * 0.84)
    difference = (size**2 / 3 + 20**2 - size**2) / 20**2
    image = torch.zeros(3, 20, 20, requires_grad=True)
    value = term(frame(image=image, views=3, progress=progress))
    assert value.item() == pytest.approx(6 * 3 * fading * difference)
    value.backward()
    assert (image.grad.abs().sum() > 0) == (fading > 0)


def test_the_prior_is_of_the_variant_that_is_asked_for():
    image = torch.ones(3, 20, 20)
    image[:, 2:-2, 2:-2] = 0
    image[2, 2:-2, 2:-2] = 1
    image[:, 2:-2, 2:10] = torch.tensor([0.0, 1.0, 0.0])[:, None, None]
    losses = [Prior(PriorPicture.of("a flag", i)).build(Imagining())(frame(image=image)).item() for i in range(4)]
    assert min(losses) == losses[1]
    assert losses[3] > 3 * losses[1]  # the same, mirrored


def test_the_prior_of_an_image_that_is_not_square_lies_in_its_middle():
    term = Prior(FLAG, 1.0).build(Imagining())
    image = torch.ones(3, 10, 30)
    image[1:, 1:9, 11:19] = 0
    assert term(frame(image=image)).item() == pytest.approx(0, abs=1e-9)


def test_the_prior_is_shrunk_into_a_circle():
    image = torch.ones(3, 40, 40)
    image[1:, 12:28, 12:28] = 0  # a square of 16 pixels, but for its corners in a circle of 10
    term = Prior(PriorPicture.of("a flag", radius=0.25), 1.0).build(Imagining())
    assert term(frame(image=image)).item() < 0.001
    assert term(frame(image=torch.ones(3, 40, 40))).item() > 0.1


def test_an_encoder_without_a_prior_adds_nothing(encoder):
    image = torch.rand(3, 4, 4, requires_grad=True)
    value = Prior(FLAG).build(encoder)(frame(image=image))
    value.backward()
    assert value == 0
    assert (image.grad == 0).all()


def test_a_prior_lasts_to_the_end_unless_told_otherwise():
    assert (Prior(A).weight, Prior(A).until, A.variant) == (10, 1, 0)
    assert Prior(A, until=1e-3).until == 1e-3


@pytest.mark.parametrize(("weight", "until"), [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, 1.5)])
def test_a_prior_has_a_weight_and_an_end(weight, until):
    message = f"the weight of the prior is above 0 and its end in (0, 1], got {weight} and {until}"
    with pytest.raises(InputError) as error:
        Prior(A, weight, until)
    assert str(error.value) == message


def test_ink_beyond_the_allowed_share_is_penalized(encoder):
    half = torch.ones(3, 4, 4)
    half[0, :2] = 0.0
    frame = Frame(one_stroke(), half, torch.zeros(5, 3), 0.0)
    for most, expected in ((0.25, 0.25), (0.5, 0.0), (1.0, 0.0)):
        assert Ink(most, 2.0).build(encoder)(frame).item() == pytest.approx(2.0 * 5 * expected)
    for wrong in ((-0.1, 1.0), (1.1, 1.0), (0.5, 0.0)):
        with pytest.raises(InputError, match="the most ink lies in"):
            Ink(*wrong)


@pytest.mark.parametrize("most", [0.05, 0.3])
def test_a_drawing_comes_within_a_hundredth_of_its_most_ink(encoder, most):
    start = RandomStrokes(16, width=30.0, opacity=(0.5, 1.0))(Canvas(), torch.Generator().manual_seed(0))
    recipe = Recipe(120, Views(2), Rates(width=1.0, color=0.03))
    shares = []
    for losses in ([Prompt("red")], [Prompt("red"), Ink(most)]):
        *_, last = optimize(start, losses, encoder=encoder, recipe=recipe)
        shares.append(ink(rasterize(last.drawing.detached(), height=64, width=64), torch.ones(3)).mean().item())
    assert shares[1] <= most + 0.01
    assert shares[0] > most + 0.1


def test_the_opacity_is_that_of_what_is_painted():
    shapes = RandomShapes(3, opacity=(0.2, 0.2))(Canvas(), torch.Generator())
    faded = replace(shapes, colors=shapes.colors * 0)
    assert mean_opacity(faded).item() == pytest.approx(0.2)
    assert mean_opacity(replace(faded, styles=(Style((True,), "nonzero"),) * 3)).item() == pytest.approx(0.1)
    assert mean_opacity(one_stroke()).item() == one_stroke().colors[0, 3].item()


def one_stroke():
    return Drawing(torch.rand(4, 2), torch.ones(1), torch.tensor([[0.0, 0.0, 0.0, 0.5]]), (1,))
