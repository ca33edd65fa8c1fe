"""Images in bands of rows: the same bits as whole ones, for any size of the bands."""

import pytest
import torch

import clipdraw
from benchmarks.fuzz_drawings import random_case
from clipdraw.raster import backend, bands
from clipdraw.raster.batch import make_batch
from tests.raster_scenes import SCENES


def made_in(batch, monkeypatch, *, pixels, fragments=2**24):
    """The bands of an image, with room for so many pixels of a layer, and of all layers."""
    monkeypatch.setattr(bands, "MOST_OF_LAYERS", pixels)
    monkeypatch.setattr(bands, "LEAST_OF_LAYER", 1)
    monkeypatch.setattr(bands, "MOST_FRAGMENTS", fragments)
    monkeypatch.setattr(bands, "MOST_COLORED", fragments)
    monkeypatch.setattr(bands, "get_threads", lambda: 1)
    return list(bands.bands(batch))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("rows", "fragments"), [(1, 2**20), (7, 2**20), (32, 200)])
def test_bands_have_the_bits_of_the_whole_image(scene, rows, fragments, monkeypatch):
    drawing = SCENES[scene].detached()
    height, width = drawing.canvas.pixel_size(61)
    batch = make_batch([drawing], (height, width))
    whole = backend.rasterize(batch)[0]
    made = made_in(batch, monkeypatch, pixels=2 * rows * width, fragments=fragments)
    assert len(made) >= height // rows
    assert torch.equal(torch.cat(made, dim=1), whole)


def test_an_image_behind_is_cut_into_bands(monkeypatch):
    drawing = SCENES["overlapping"].detached()
    height, width = drawing.canvas.pixel_size(40)
    behind = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    batch = make_batch([drawing], (height, width), background=behind)
    whole = backend.rasterize(batch)[0]
    assert torch.equal(torch.cat(made_in(batch, monkeypatch, pixels=6 * width), dim=1), whole)


def test_large_images_are_made_in_bands_unless_a_gradient_is_wanted(monkeypatch):
    drawing = SCENES["overlapping"].detached()
    height, width = drawing.canvas.pixel_size(64)
    whole = clipdraw.rasterize(drawing, height=height, width=width)
    monkeypatch.setattr(bands, "LARGE_PIXELS", 1000)
    calls = []
    monkeypatch.setattr(backend, "bands", lambda batch: calls.append(batch) or bands.bands(batch))
    assert torch.equal(clipdraw.rasterize(drawing, height=height, width=width), whole)
    assert len(calls) == 1
    drawing.points.requires_grad_()
    clipdraw.rasterize(drawing, height=height, width=width).sum().backward()
    assert drawing.points.grad is not None
    assert len(calls) == 1


@pytest.mark.parametrize("first", [0, 40, 80])
def test_random_drawings_have_the_same_bits_in_bands(first, monkeypatch):
    """Fills, gradients, transforms, group opacities, far and broken numbers."""
    for seed in range(first, first + 40):
        case = random_case(seed)
        behind = None if case.background is None else case.background[None]
        batch = make_batch([case.drawing.detached()], (case.height, case.width), background=behind)
        whole = backend.rasterize(batch)[0]
        made = made_in(batch, monkeypatch, pixels=4 * case.width, fragments=200)
        assert len(made) >= case.height // 2
        assert torch.equal(torch.cat(made, dim=1), whole), seed
