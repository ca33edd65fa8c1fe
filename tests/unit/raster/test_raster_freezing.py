"""Which paths of a batch keep their geometry: by numbers, by masks, and what is refused."""

from dataclasses import replace

import pytest
import torch

from clipdraw.drawing import Gradient, Style
from clipdraw.errors import InputError
from clipdraw.raster import rasterize, rasterize_batch
from tests.raster_scenes import published

FOUR = 4


def moved(drawing, **options):
    """Which paths' points get a gradient."""
    drawing.points.requires_grad_()
    rasterize(drawing, **options).square().sum().backward()
    return [bool(part.any()) for part in drawing.points.grad.split(drawing.point_counts())]


def scene():
    return published(FOUR, size=32.0, width=6.0)


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize(
    "frozen",
    [[2, 3], (3, 2, 3), [False, False, True, True], torch.tensor([False, False, True, True])],
    ids=str,
)
def test_numbers_and_masks(backend, frozen):
    assert moved(scene(), frozen=frozen, backend=backend) == [True, True, False, False]


@pytest.mark.parametrize("frozen", [[4], [-1], [True], [True] * 5], ids=str)
def test_what_is_no_path_is_refused(frozen):
    with pytest.raises(InputError, match="numbers from 0 to 3, or a bool for each of 4 paths"):
        rasterize(scene(), frozen=frozen)


def test_paths_of_another_drawing_of_the_batch_cannot_be_frozen():
    with pytest.raises(InputError, match="numbers from 0 to 3"):
        rasterize_batch([scene(), scene()], frozen=[[5], []])
    with pytest.raises(InputError, match="2 drawings need as many choices"):
        rasterize_batch([scene(), scene()], frozen=[[0]])


@pytest.mark.parametrize("backend", ["native", "reference"])
def test_gradients_of_frozen_paths_do_not_move_their_transforms(backend):
    """A gradient's place depends on them, too."""
    line = torch.tensor([[4.0, 4.0], [28.0, 28.0]])
    gradient = Gradient("linear", line, torch.tensor([0.0, 1.0]), torch.tensor([[1.0, 0, 0, 1], [0, 0, 1.0, 1]]))
    styles = tuple(Style(stroke_gradient=0, transforms=(k,)) for k in range(FOUR))
    transforms = torch.eye(2, 3).repeat(FOUR, 1, 1).requires_grad_()
    drawing = replace(scene(), styles=styles, gradients=(gradient,), transforms=transforms)
    rasterize(drawing, frozen=[1, 2], backend=backend).square().sum().backward()
    assert [bool(part.any()) for part in transforms.grad] == [True, False, False, True]
