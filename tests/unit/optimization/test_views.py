import pytest
import torch

from clipdraw.errors import InputError
from clipdraw.optimization.views import Views


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_undistorted_views_are_the_image():
    image = torch.rand(3, 32, 32)
    views = Views(3, enabled=False).apply(image, 32, generator=generator())
    assert views.shape == (3, 3, 32, 32)
    assert torch.allclose(views, image.expand(3, 3, 32, 32), atol=1e-5)


def test_views_differ_and_repeat_with_their_seed():
    image = torch.rand(3, 40, 40)
    views = Views(4).apply(image, 24, generator=generator(1))
    assert not torch.allclose(views[0], views[1])
    torch.rand(7)
    assert torch.equal(views, Views(4).apply(image, 24, generator=generator(1)))


@pytest.mark.parametrize(("outside", "low", "high"), [("white", 1.0, 1.0), ("black", 0.0, 0.0), ("gray", 0.0, 1.0)])
def test_what_lies_outside(outside, low, high):
    image = torch.full((3, 16, 16), 0.5)
    views = Views(64, 0.9, area=(1.0, 1.0), aspect=(1.0, 1.0), outside=outside).apply(image, 16, generator=generator())
    corner = views[:, :, 0, 0]
    beyond = corner[(corner - 0.5).abs().amax(1) > 1e-3]
    assert len(beyond) > 10
    if outside == "gray":
        assert beyond.std() > 0.1
    else:
        assert beyond.min() < 0.4 if low == 0 else beyond.max() > 0.9


def test_a_corner_moves_inward_by_at_most_the_distortion():
    matrices = Views(500, area=(1.0, 1.0), aspect=(1.0, 1.0)).transforms(generator())
    inverse = torch.linalg.inv(matrices)
    corner = inverse @ torch.tensor([-1.0, -1.0, 1.0], dtype=torch.float64)
    place = corner[:, :2] / corner[:, 2:]
    assert place.min() >= -1 - 1e-9
    assert place.max() <= -0.5 + 1e-9
    assert place.max() > -0.52  # 56 of 224 units: half of half the side


def test_crops_cover_the_published_area_and_aspect():
    matrices = Views(500, distortion=0.0).transforms(generator())
    width, height = matrices[:, 0, 0], matrices[:, 1, 1]
    area, aspect = width * height, width / height
    assert 0.69 < area.min() < 0.72
    assert 0.88 < area.max() < 0.91
    assert aspect.min() >= 0.7499
    assert aspect.max() <= 1.3334
    assert ((matrices[:, 0, 2].abs() + width) <= 1 + 1e-9).all()


def test_a_wide_image_keeps_its_shape():
    image = torch.zeros(3, 10, 40)
    view = Views(1, enabled=False, outside="white").apply(image, 40, generator=generator())[0]
    assert view[:, 20, 20].max() < 1e-5
    assert view[:, :10].min() > 0.99
    assert view[:, -10:].min() > 0.99
    assert (view[0, :, 20] < 0.5).sum() == 10


def test_gradients_reach_the_image():
    image = torch.rand(3, 12, 12, dtype=torch.float64, requires_grad=True)
    views = Views(2, outside="gray")
    assert torch.autograd.gradcheck(lambda x: views.apply(x, 6, generator=generator(4)), [image])


@pytest.mark.parametrize(
    "bad",
    [
        {"count": 0},
        {"distortion": 1.0},
        {"area": (0.9, 0.7)},
        {"area": (0.0, 1.0)},
        {"aspect": (0, 1)},
        {"outside": "red"},
    ],
)
def test_settings_out_of_range_are_refused(bad):
    with pytest.raises(InputError):
        Views(**bad)
