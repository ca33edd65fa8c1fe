"""The native backend against the reference, values and gradients."""

import pytest
import torch

from clipdraw import Canvas, RandomStrokes, rasterize
from clipdraw.encoders.devices import devices
from tests.raster_scenes import SCENES, gradients, relative_error


@pytest.mark.parametrize("scale", [1.0, 0.4, 2.3])
@pytest.mark.parametrize("name", SCENES)
def test_native_is_the_reference(name, scale):
    canvas = SCENES[name].canvas
    height = round(canvas.height * scale)
    random = torch.Generator().manual_seed(height)
    options = {"height": height, "weights": torch.randn(3, height, round(canvas.width * scale), generator=random)}
    wanted, wanted_grads = gradients(SCENES[name], backend="reference", dtype=torch.float64, **options)
    found, found_grads = gradients(SCENES[name], backend="native", **options)
    assert (found - wanted).abs().max() <= 1e-4
    for number, (one, two) in enumerate(zip(found_grads, wanted_grads, strict=True)):
        assert relative_error(one, two) <= 1e-4, number


def test_float32_reference_is_near():
    wanted, _ = gradients(SCENES["open"], backend="reference", dtype=torch.float64)
    found, _ = gradients(SCENES["open"], backend="reference")
    assert (found - wanted).abs().max() < 1e-4


def test_ties_between_neighboring_pieces_are_settled():
    """Here two strokes' edges meet a hair's breadth from a pixel's corner."""
    weights = torch.randn(3, 74, 74, generator=torch.Generator().manual_seed(0))
    options = {"height": 74, "weights": weights}
    _, wanted = gradients(SCENES["overlapping"], backend="reference", dtype=torch.float64, **options)
    _, found = gradients(SCENES["overlapping"], backend="native", **options)
    assert relative_error(found[0], wanted[0]) <= 1e-5


@pytest.mark.parametrize("device", [name for name in devices() if name != "cpu"])
def test_auto_on_another_device(device):
    """Compared with the same drawing on the CPU; runs where there is such a device."""
    here = RandomStrokes(6)(Canvas(32, 32), torch.Generator().manual_seed(0))
    there = here.to(device=device)
    for drawing in (here, there):
        for parameter in drawing.parameters():
            parameter.requires_grad_()
    images = [rasterize(drawing) for drawing in (here, there)]
    assert images[1].device.type == device
    assert torch.equal(images[0], images[1].cpu())
    for image in images:
        image.square().sum().backward()
    for mine, other in zip(here.parameters(), there.parameters(), strict=True):
        assert torch.equal(mine.grad, other.grad.cpu())
