import math

import pytest
import torch
from torch.nn import functional

from clipdraw.errors import InputError
from clipdraw.optimization.views import Views

CORNERS = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
WHOLE = {"area": (1.0, 1.0), "aspect": (1.0, 1.0)}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def carried(matrices, points):
    """The points after each homography, views x points x 2."""
    mapped = torch.cat([points, torch.ones_like(points[:, :1])], 1) @ matrices.transpose(1, 2)
    return mapped[..., :2] / mapped[..., 2:]


def ramp(height, width):
    """An image whose red is its own x and green its own y, from 0 at one edge to 1 at the other."""
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    return torch.stack([x, y, torch.zeros_like(x)]).double()


def places(size):
    """The centers of a view's pixels in [-1, 1]^2, in the order of rows."""
    line = (torch.arange(size).double() + 0.5) / size * 2 - 1
    return torch.cartesian_prod(line, line).flip(1)


def test_without_distortion_every_view_is_the_image():
    image = torch.rand(3, 32, 32)
    views = Views(3, enabled=False).apply(image, 32, generator=generator())
    assert torch.allclose(views, image.expand(3, 3, 32, 32), atol=1e-5)


def test_views_differ_and_only_their_generator_decides():
    image = torch.rand(3, 40, 40)
    views = Views(4).apply(image, 24, generator=generator(1))
    assert views.shape == (4, 3, 24, 24)
    assert not torch.allclose(views[0], views[1])
    torch.rand(7)
    assert torch.equal(views, Views(4).apply(image, 24, generator=generator(1)))


def test_each_corner_moves_inward_along_both_axes_by_at_most_the_distortion():
    matrices = Views(500, **WHOLE).transforms(generator())
    sources = carried(torch.linalg.inv(matrices), CORNERS)
    assert torch.allclose(carried(matrices, sources[0])[0], CORNERS)
    inward = 1 - sources * CORNERS
    assert inward.min() >= -1e-9
    assert inward.max() <= 0.5 + 1e-9  # 56 of 224 units: half of half the side
    assert (inward.amax(0) > 0.48).all()
    assert torch.allclose(inward.mean(0), torch.full((4, 2), 0.25, dtype=torch.float64), atol=0.02)
    assert torch.corrcoef(inward.reshape(500, 8).T).fill_diagonal_(0).abs().max() < 0.2


def test_crops_cover_the_published_area_and_aspect():
    matrices = Views(1000, distortion=0.0).transforms(generator())
    width, height = matrices[:, 0, 0], matrices[:, 1, 1]
    area, aspect = width * height, (width / height).log()
    assert 0.7 - 1e-9 <= area.min() < 0.702
    assert 0.898 < area.max() <= 0.9 + 1e-9
    bound = math.log(4 / 3)
    assert -bound - 1e-9 <= aspect.min() < -0.95 * bound
    assert 0.95 * bound < aspect.max() <= bound + 1e-9
    assert aspect.mean().item() == pytest.approx(0, abs=0.02)
    bounds = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    assert torch.equal(matrices[:, 2], bounds.expand(1000, 3))
    assert (matrices[:, 0, 1] == 0).all()
    assert (matrices[:, 1, 0] == 0).all()


def test_areas_are_uniform_where_all_crops_fit():
    area = Views(1000, distortion=0.0, aspect=(1.0, 1.0)).transforms(generator())[:, 0, 0] ** 2
    assert [area.quantile(q).item() for q in (0.25, 0.5, 0.75)] == pytest.approx([0.75, 0.8, 0.85], abs=0.01)


def test_crops_lie_anywhere_within_the_square_along_both_axes():
    matrices = Views(1000, distortion=0.0).transforms(generator())
    free = 1 - torch.stack([matrices[:, 0, 0], matrices[:, 1, 1]], 1)
    place = matrices[:, :2, 2] / free
    assert (free >= 0).all()
    assert place.abs().max() <= 1 + 1e-9
    assert (place.amax(0) > 0.98).all()
    assert (place.amin(0) < -0.98).all()
    assert place.mean(0).abs().max() < 0.06
    assert torch.corrcoef(place.T)[0, 1].abs() < 0.1


@pytest.mark.parametrize("aspect", [(1.1, 2.0), (0.5, 0.9)])
def test_a_crop_that_fits_in_no_way_is_the_whole_square(aspect):
    matrices = Views(3, distortion=0.0, area=(1.0, 1.0), aspect=aspect).transforms(generator())
    assert torch.allclose(matrices, torch.eye(3, dtype=torch.float64).expand(3, 3, 3))


def test_a_seed_gives_the_same_views_as_ever():
    """Drawings are repeated by their seed, so the order in which random numbers are taken is a promise."""
    first, second = Views(2).transforms(generator())[:, :2].tolist()
    assert first == [
        pytest.approx([1.30995563, -0.08574617, 0.10763122]), pytest.approx([-0.10406680, 1.13460630, -0.12413407])
    ]  # fmt: skip
    assert second == [
        pytest.approx([0.99404439, -0.06287378, -0.03260009]), pytest.approx([-0.00206085, 1.38727629, -0.10419132])
    ]  # fmt: skip
    after_ten_tries = Views(1, area=(1.0, 1.0), aspect=(1.1, 1.3)).transforms(generator())[0, 2]
    assert after_ten_tries.tolist() == pytest.approx([-0.15013128, -0.04475453, 1.0])


@pytest.mark.parametrize(("height", "width"), [(40, 40), (20, 40), (40, 10)])
def test_a_view_shows_at_each_place_the_image_where_its_homography_leads(height, width):
    views = Views(3)
    seen = views.apply(ramp(height, width), 40, generator=generator(2))[:, :2].flatten(2).transpose(1, 2)
    there = carried(views.transforms(generator(2)), places(40))
    longest = max(height, width)
    in_image = (there / torch.tensor([width / longest, height / longest]) + 1) / 2
    margin = 0.5 / torch.tensor([width, height])
    inside = ((in_image > margin) & (in_image < 1 - margin)).all(2)
    assert inside.sum() > 40
    assert torch.allclose(seen[inside], in_image[inside], atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(20, 20), (30, 40), (160, 120)])
def test_views_of_a_larger_image_show_the_same_places(height, width):
    """Up to the difference between a place and the mean of places around it."""
    views = Views(3)
    seen = views.apply(ramp(height, width), 16, generator=generator(2))
    there = carried(views.transforms(generator(2)), places(16)).reshape(3, 16, 16, 2).permute(0, 3, 1, 2)
    longest = max(height, width)
    in_image = (there / torch.tensor([width / longest, height / longest]).reshape(2, 1, 1) + 1) / 2
    inside = ((in_image > 0.1) & (in_image < 0.9)).all(1)
    assert inside.sum() > 80
    assert (seen[:, :2] - in_image).abs().amax(1)[inside].max() < 0.005


@pytest.mark.parametrize(("pixels", "contrast"), [(64, 0.29), (128, 0.14), (224, 0.012), (448, 0.005)])
@pytest.mark.parametrize("axis", [1, 2])
def test_stripes_that_are_finer_than_a_view_become_gray(pixels, contrast, axis):
    """Root mean square; one sample of each pixel of a view, which is published, has 0.29 whatever the image."""
    stripes = (torch.arange(pixels) % 2).double()
    image = (stripes[:, None] if axis == 1 else stripes[None]).expand(3, pixels, pixels)
    views = Views(8).apply(image, 64, generator=generator(1))
    covered = Views(8, outside="black").apply(torch.ones(3, 64, 64).double(), 64, generator=generator(1))
    assert views[covered > 0.999].std() == pytest.approx(contrast, rel=0.3)


def test_a_pixel_of_a_view_is_the_mean_of_the_pixels_of_a_larger_image_below_it():
    image = torch.rand(3, 32, 32)
    view = Views(1, enabled=False).apply(image, 16, generator=generator())[0]
    assert torch.allclose(view, functional.avg_pool2d(image, 2), atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(10, 40), (40, 10)])
def test_an_image_lies_in_the_middle_of_a_square_in_its_own_shape(height, width):
    view = Views(1, enabled=False).apply(torch.zeros(3, height, width), 40, generator=generator())[0, 0]
    top, left = (40 - height) // 2, (40 - width) // 2
    image = torch.ones(40, 40)
    image[top : top + height, left : left + width] = 0
    assert torch.allclose(view, image, atol=1e-5)


@pytest.mark.parametrize(("outside", "shade"), [("white", 1.0), ("black", 0.0)])
def test_beyond_the_image_all_is_of_one_shade(outside, shade):
    view = Views(2, enabled=False, outside=outside).apply(torch.full((3, 4, 16), 0.5), 16, generator=generator())
    assert (view[:, :, :4] == shade).all()
    assert torch.allclose(view[:, :, 7:9], torch.tensor(0.5))


def test_beyond_the_image_each_view_may_have_a_gray_of_its_own():
    image = torch.full((3, 4, 16), 0.5, dtype=torch.float64)
    views = Views(200, enabled=False, outside="gray").apply(image, 16, generator=generator())
    beyond = views[:, :, :4]
    shades = beyond[:, 0, 0, 0]
    assert (beyond == shades[:, None, None, None]).all()
    assert 0 <= shades.min() < 0.05 < 0.95 < shades.max() <= 1
    assert views.dtype == torch.float64


def test_gradients_reach_the_image():
    views = Views(2, outside="gray")
    for height, width in ((3, 4), (5, 6), (9, 10)):
        image = torch.rand(3, height, width, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda x: views.apply(x, 4, generator=generator(4)), [image])


@pytest.mark.parametrize(
    "allowed",
    [
        {"count": 1},
        {"distortion": 0.0},
        {"distortion": 0.99},
        {"area": (1.0, 1.0)},
        {"area": (1e-6, 0.5)},
        {"aspect": (0.5, 0.5)},
        {"outside": "gray"},
    ],
)
def test_settings_reach_their_bounds(allowed):
    Views(**allowed)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"count": 0}, "views must be at least 1, got 0"),
        ({"distortion": 1.0}, "a view's distortion lies in [0, 1), got 1.0"),
        ({"distortion": -0.1}, "a view's distortion lies in [0, 1), got -0.1"),
        ({"area": (0.9, 0.7)}, "a view's area lies in (0, 1], smallest first, got (0.9, 0.7)"),
        ({"area": (0.0, 1.0)}, "a view's area lies in (0, 1], smallest first, got (0.0, 1.0)"),
        ({"area": (0.5, 1.1)}, "a view's area lies in (0, 1], smallest first, got (0.5, 1.1)"),
        ({"aspect": (0.0, 1.0)}, "a view's aspect is above 0, smallest first, got (0.0, 1.0)"),
        ({"aspect": (2.0, 1.0)}, "a view's aspect is above 0, smallest first, got (2.0, 1.0)"),
        ({"outside": "red"}, "outside is white, black, gray, got 'red'"),
    ],
)
def test_settings_out_of_range_are_refused(refused, message):
    with pytest.raises(InputError) as error:
        Views(**refused)
    assert str(error.value) == message


def test_an_image_with_alpha_is_on_another_gray_in_each_view():
    half = torch.zeros(4, 32, 32)
    half[0, :, :16] = half[3, :, :16] = 1.0
    views = Views(40, enabled=False).apply(half, 16, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(views[:, :, 8, 2], torch.tensor([1.0, 0.0, 0.0]), atol=1e-5)
    gray = views[:, :, 8, 13]
    assert torch.equal(gray[:, 0], gray[:, 1])
    assert gray[:, 0].std() > 0.2
    assert gray[:, 0].unique().numel() == 40


def test_beyond_an_image_is_the_color_of_its_paper_unless_told_otherwise():
    image, paper = torch.full((3, 8, 32), 0.5), torch.tensor([0.2, 0.4, 0.6])
    for outside, expected in (("white", paper), ("black", torch.zeros(3))):
        views = Views(2, outside=outside, enabled=False)
        seen = views.apply(image, 16, generator=torch.Generator(), paper=paper)
        assert torch.allclose(seen[:, :, 0, 0], expected)
