import math

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError
from clipdraw.losses import Centre, Frame, Ink, Prompt, similarity


def test_a_prompt_sums_the_cosines_of_the_views(drawing, encoder):
    embeddings = torch.nn.functional.normalize(torch.randn(5, 3), dim=1)
    frame = Frame(drawing, torch.zeros(3, 4, 4), embeddings, 0.0)
    (target,) = encoder.encode_text(["red"])
    assert Prompt("red", 2.0).build(encoder)(frame).item() == pytest.approx(-2 * (embeddings @ target).sum().item())
    assert Prompt("red", -0.3).build(encoder)(frame).item() == pytest.approx(0.3 * (embeddings @ target).sum().item())


def test_names_tell_negatives():
    assert Prompt("a cat").name == "a cat"
    assert Prompt("text", -0.3).name == "not text"


@pytest.mark.parametrize(("text", "weight"), [("", 1), ("  \n", 1), ("a", 0), ("a", float("nan")), ("a", float("inf"))])
def test_blank_texts_and_empty_weights_are_refused(text, weight):
    with pytest.raises(InputError):
        Prompt(text, weight)


def test_the_similarity_is_the_mean_of_what_is_wanted_by_weight():
    prompts = [Prompt("a", 3.0), Prompt("b", -0.3), Prompt("c")]
    assert similarity(prompts, [0.4, 0.9, 0.8]) == pytest.approx(0.5)
    assert math.isnan(similarity(prompts[1:2], [0.9]))


def test_ink_fades_only_strokes_that_nothing_else_moves(drawing, encoder):
    drawing.colors.requires_grad_()
    frame = Frame(drawing, torch.zeros(3, 4, 4), torch.zeros(2, 3), 0.0)
    Ink(0.5).build(encoder)(frame).backward()
    assert torch.allclose(drawing.colors.grad[:, 3], torch.full((12,), 0.5 * 2 / 12))
    assert (drawing.colors.grad[:, :3] == 0).all()


def test_ink_needs_a_weight():
    with pytest.raises(InputError):
        Ink(0.0)


def test_the_centre_pulls_what_lies_beyond_its_radius(encoder):
    points = torch.tensor([[112.0, 112.0], [112.0, 187.0], [112.0, 192.0], [212.0, 112.0]], requires_grad=True)
    drawing = Drawing(points, torch.ones(1), torch.ones(1, 4), (1,), Canvas())
    frame = Frame(drawing, torch.zeros(3, 4, 4), torch.zeros(2, 3), 0.0)
    loss = Centre().build(encoder)(frame)
    assert loss.item() == pytest.approx(0.001 * (5**2 + 25**2))
    loss.backward()
    expected = torch.tensor([[0.0, 0.0], [0.0, 0.0], [0.0, 0.01], [0.05, 0.0]])
    assert torch.allclose(points.grad, expected, atol=1e-6)


def test_the_centre_at_a_radius_of_nothing_has_no_nan(encoder):
    points = torch.full((4, 2), 112.0, requires_grad=True)
    drawing = Drawing(points, torch.ones(1), torch.ones(1, 4), (1,), Canvas())
    Centre(0.0, power=1.0).build(encoder)(Frame(drawing, torch.zeros(3, 4, 4), torch.zeros(2, 3), 0.0)).backward()
    assert (points.grad == 0).all()
