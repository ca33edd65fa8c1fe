from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.evaluate.explain import explain
from clipdraw.evaluate.score import score
from clipdraw.evaluate.stroke_importance import _leaving_one_out, colored, importance
from clipdraw.optimization.losses import Prompt
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize


def without(drawing, path):
    return drawing.subset([i for i in range(len(drawing)) if i != path])


def test_each_image_lacks_one_stroke():
    drawing = replace(
        RandomStrokes(40, width=20.0)(Canvas(120, 60), torch.Generator().manual_seed(1)),
        background=torch.tensor([0.2, 0.9, 0.5]),
    )
    images = torch.cat(list(_leaving_one_out(drawing, 24)))
    expected = torch.stack([rasterize(without(drawing, i), height=12, width=24) for i in range(40)])
    assert torch.allclose(images, expected, atol=1e-5)


def test_filled_paths_and_gradients_are_left_out_whole(drawing):
    gradient = Gradient("linear", torch.tensor([[0.0, 0.0], [224.0, 0.0]]), torch.tensor([0.0, 1.0]), torch.rand(2, 4))
    styles = tuple(Style(fill="nonzero", fill_gradient=0 if i % 2 else None) for i in range(len(drawing)))
    filled = replace(drawing, styles=styles, fills=drawing.colors.flip(1), gradients=(gradient,))
    images = torch.cat(list(_leaving_one_out(filled, 20)))
    expected = torch.stack([rasterize(without(filled, i), height=20, width=20) for i in range(12)])
    assert torch.allclose(images, expected, atol=1e-5)
    assert colored(filled, torch.rand(12)).gradients == ()
    rasterize(colored(filled, torch.rand(12)), height=8, width=8)


@pytest.mark.parametrize("prompts", [[Prompt("red")], [Prompt("red", 3.0), Prompt("blue"), Prompt("green", -0.3)]])
def test_importance_is_what_the_similarity_loses(drawing, encoder, prompts):
    weights = {p.text: p.weight for p in prompts if p.weight > 0}

    def similarity(picture):
        cosines = score(picture, list(weights), encoder)
        return sum(w * c for w, c in zip(weights.values(), cosines, strict=True)) / sum(weights.values())

    expected = [similarity(drawing) - similarity(without(drawing, i)) for i in range(len(drawing))]
    found = importance(drawing, prompts, encoder)
    assert found.tolist() == pytest.approx(expected, abs=1e-5)
    assert torch.equal(explain(drawing, prompts, encoder=encoder, words=["red"]).strokes, found)


def test_strokes_are_colored_by_what_they_add_the_most_important_on_top():
    points = torch.tensor([[10.0, 10.0 * i] for i in range(1, 4) for _ in range(4)])
    drawing = Drawing(points, torch.full((3,), 5.0), torch.rand(3, 4), (1, 1, 1))
    shown = colored(drawing, torch.tensor([0.5, 0.0, -0.25]))
    assert shown.points[::4, 1].tolist() == [20.0, 30.0, 10.0]
    neutral, against, supporting = shown.colors
    assert neutral[:3].std() < 1e-6
    assert against[2] > against[0]
    assert supporting[0] > supporting[2]
    assert supporting[3] == 1
    assert neutral[3] < against[3] < supporting[3]


def test_a_drawing_in_which_nothing_matters_is_gray(drawing):
    assert colored(drawing, torch.zeros(12)).colors[:, :3].std() < 1e-6
