"""Parts of the canvas have prompts, strokes and pictures of their own."""

import pytest
import torch

from clipdraw.drawing import Canvas
from clipdraw.errors import InputError
from clipdraw.framing import Box
from clipdraw.optimization.loop import Optimization
from clipdraw.optimization.losses import Frame, Prompt
from clipdraw.optimization.parameterization import Pixels
from clipdraw.optimization.prior_picture import Mask, Place
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.regions import (
    RegionPrompt,
    WithinRegions,
    place_of_strokes,
    region_prompts,
    scattered,
    stroke_counts,
)
from clipdraw.optimization.start import RandomStrokes, RegionStrokes
from clipdraw.optimization.views import Views
from clipdraw.raster import rasterize

LEFT, RIGHT = Place("red", Box(0, 0, 0.5, 1)), Place("blue", Box(0.5, 0, 1, 1))
SKY = Place("green", Box(), fills=True)


def random_strokes(strokes=40, canvas=None, **settings):
    return RandomStrokes(strokes, **settings)(canvas or Canvas(), torch.Generator().manual_seed(1))


def disc_mask():
    axis = torch.arange(64) + 0.5
    return Mask(torch.hypot(axis[None] - 20, axis[:, None] - 40) < 12)


def frame(image, encoder, views=4):
    def look(part, count):
        return encoder.encode_image(part.mean((1, 2)).reshape(1, 3, 1, 1).expand(count, 3, 1, 1))

    return Frame(Pixels(image), image, look(image, views), 0.0, look)


def test_a_region_is_judged_by_its_own_part_alone(encoder):
    image = torch.full((3, 20, 40), 0.5, requires_grad=True)
    value = RegionPrompt("red", 2.0, Box(0, 0, 0.25, 1)).build(encoder)(frame(image, encoder))
    value.backward()
    assert (image.grad[:, :, 13:] == 0).all()
    assert (image.grad[0, :, :12] < 0).all()  # more red is better
    assert (image.grad[1, :, :12] > 0).all()


def test_a_region_weighs_as_much_as_a_prompt_of_the_whole(encoder):
    image = torch.rand(3, 16, 16)
    whole = RegionPrompt("red", 0.7, views=0.25).build(encoder)(frame(image, encoder, views=8))
    assert whole.item() == pytest.approx(Prompt("red", 0.7).build(encoder)(frame(image, encoder, views=8)).item())


def test_what_is_around_a_mask_is_seen_but_not_changed(encoder):
    image = torch.rand(3, 64, 64, requires_grad=True)
    mask = disc_mask()
    RegionPrompt("red", 1.0, mask.box, mask).build(encoder)(frame(image, encoder)).backward()
    assert (image.grad.abs().sum(0)[mask.inside] > 0).all()
    assert (image.grad.abs().sum(0)[~mask.inside] < 1e-9).all()


def test_scenery_changes_only_what_no_other_place_has(encoder):
    sky, red = region_prompts((SKY, LEFT))
    image = torch.rand(3, 32, 32, requires_grad=True)
    sky.build(encoder)(frame(image, encoder)).backward()
    assert (image.grad[:, :, :15] == 0).all()
    assert (image.grad[:, :, 17:] != 0).all()
    assert (sky.text, red.text, red.box, red.mask) == ("green", "red", LEFT.box, None)
    assert region_prompts((SKY,))[0].mask is None


@pytest.mark.parametrize(("text", "weight"), [(" ", 1.0), ("a", 0.0), ("a", float("nan"))])
def test_a_region_has_a_text_and_a_weight(text, weight):
    with pytest.raises(InputError):
        RegionPrompt(text, weight)


@pytest.mark.parametrize("strokes", [1, 2, 7, 256])
def test_all_strokes_belong_to_a_place_and_larger_ones_have_more(strokes):
    places = (SKY, Place("a", Box(0, 0, 0.2, 0.2)), LEFT)
    counts = stroke_counts(places, strokes)
    assert sum(counts) == strokes
    assert counts[0] >= counts[2] >= counts[1]
    owner = place_of_strokes(places, strokes).tolist()
    assert owner == sorted(owner)
    assert tuple(owner.count(i) for i in range(3)) == counts


@pytest.mark.parametrize("canvas", [Canvas(), Canvas(320, 180), Canvas(50, 400)])
def test_ink_keeps_to_the_boxes(canvas):
    drawing = random_strokes(canvas=canvas, reach=0.5, width=20.0, opacity=(1.0, 1.0))
    WithinRegions((LEFT, RIGHT)).project(drawing)
    owner = place_of_strokes((LEFT, RIGHT), len(drawing))
    for number, (first, last) in enumerate(((0, 40), (40, 80))):
        own = drawing.subset((owner == number).nonzero()[:, 0].tolist())
        ink = (1 - rasterize(own, width=80)).sum((0, 1))
        assert ink.sum() > 100
        assert ink[first:last].sum() / ink.sum() > 0.999


def test_points_within_their_region_and_those_of_scenery_stay():
    drawing = scattered(random_strokes(reach=0.01, width=1.0, spread=0.5), (SKY, LEFT, RIGHT))
    before = drawing.points.clone()
    WithinRegions((SKY, LEFT, RIGHT)).project(drawing)
    assert torch.equal(drawing.points, before)
    wide = random_strokes(reach=0.5)
    before = wide.points.clone()
    WithinRegions((SKY,)).project(wide)
    assert torch.equal(wide.points, before)


def test_slack_is_how_far_strokes_may_leave_their_box():
    drawing = random_strokes(reach=0.5, width=2.0)
    WithinRegions((LEFT,), slack=0.1).project(drawing)
    assert drawing.points[:, 0].max().item() == pytest.approx(112 + 22.4 - 1, abs=1e-3)


def test_points_outside_a_mask_go_to_its_nearest_pixel():
    mask = disc_mask()
    place = Place("a", mask.box, mask=mask)
    drawing = random_strokes(reach=0.5, width=1.0)
    WithinRegions((place,)).project(drawing)
    distances = (drawing.points / 224 * 64 - torch.tensor([20.0, 40.0])).norm(dim=1)
    assert distances.max() < 12.5
    assert distances.median() > 6


def test_strokes_begin_in_their_own_regions():
    start = RegionStrokes(RandomStrokes(60, reach=0.0), (LEFT, RIGHT))
    drawing = start(Canvas(), torch.Generator().manual_seed(0))
    owner = place_of_strokes((LEFT, RIGHT), 60)
    first = torch.stack([points[0] for points in drawing.stroke_points()])
    assert ((first[:, 0] > 112) == (owner == 1)).all()
    assert first[owner == 0, 0].std() > 20
    same = random_strokes()
    assert scattered(same, (Place("a"),)) is same


def test_each_half_becomes_what_its_own_text_asks_for(encoder):
    """The judge wants red on the left and blue on the right."""
    places = (LEFT, RIGHT)
    recipe = Recipe(60, Views(2, enabled=False), resolution=32)
    start = scattered(random_strokes(width=12.0, opacity=(0.8, 1.0)), places)
    constraints = (*recipe.constraints, WithinRegions(places))
    recipe = Recipe(60, recipe.views, constraints=constraints, resolution=32)
    run = Optimization(start, region_prompts(places), encoder=encoder, recipe=recipe)
    for _ in range(60):
        step = run.step()
    picture = rasterize(step.drawing.detached(), height=32, width=32)
    left, right = picture[:, :, :14].mean((1, 2)), picture[:, :, 18:].mean((1, 2))
    assert left[0] > left[2] + 0.15
    assert right[2] > right[0] + 0.15
