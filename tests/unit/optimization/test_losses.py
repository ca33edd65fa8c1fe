import math

import pytest
import torch

from clipdraw.errors import InputError
from clipdraw.optimization.losses import Frame, Opacity, Prompt, similarity


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


def test_the_opacity_fades_only_strokes_that_nothing_else_moves(drawing, encoder):
    drawing.colors.requires_grad_()
    frame = Frame(drawing, torch.zeros(3, 4, 4), torch.zeros(2, 3), 0.0)
    Opacity(0.5).build(encoder)(frame).backward()
    assert torch.allclose(drawing.colors.grad[:, 3], torch.full((12,), 0.5 * 2 / 12))
    assert (drawing.colors.grad[:, :3] == 0).all()


def test_the_opacity_needs_a_weight():
    with pytest.raises(InputError):
        Opacity(0.0)
