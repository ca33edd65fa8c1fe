import logging

import pytest
import torch

from clipdraw.drawing import Canvas
from clipdraw.errors import InputError
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange
from clipdraw.optimization.prior_picture import PriorPicture
from clipdraw.optimization.start import PriorStrokes, RandomStrokes
from clipdraw.raster import rasterize
from tests.conftest import TinyEncoder


def start(seed=0, canvas=None, **settings):
    return RandomStrokes(**settings)(canvas or Canvas(), torch.Generator().manual_seed(seed))


def first_points(drawing):
    return torch.stack([points[0] for points in drawing.stroke_points()])


def test_the_published_start():
    drawing = start(strokes=4000)
    counts = torch.tensor(drawing.segments)
    assert [abs((counts == n).float().mean() - 1 / 3) < 0.03 for n in (1, 2, 3)] == [True] * 3
    assert torch.equal(drawing.widths, torch.full((4000,), 2.0))
    assert torch.equal(drawing.background, torch.ones(3))
    assert abs(drawing.colors.mean(0) - 0.5).max() < 0.02
    assert drawing.colors.amin(0).max() < 0.01 < 0.99 < drawing.colors.amax(0).min()
    first = first_points(drawing)
    assert first.min() >= 0
    assert first.max() <= 224
    assert (first.mean(0) - 112).abs().max() < 3
    steps = torch.cat([p.diff(dim=0) for p in drawing.stroke_points()])
    assert steps.abs().max() <= 11.2001
    assert steps.abs().mean() == pytest.approx(5.6, rel=0.02)
    assert steps.mean(0).abs().max() < 0.2
    outside = ((drawing.points < 0) | (drawing.points > 224)).any(1).float().mean()
    assert 0.04 < outside < 0.11  # 7.7 % in the published code


def test_only_the_generator_decides():
    torch.manual_seed(1)
    first = start(5)
    torch.manual_seed(2)
    torch.rand(100)
    second = start(5)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert not torch.equal(first.colors, start(6).colors)


def test_a_seed_gives_the_same_strokes_as_ever():
    """Drawings are repeated by their seed, so the order in which random numbers are taken is a promise."""
    drawing = start(strokes=3, canvas=Canvas(448, 224))
    assert drawing.segments == (3, 1, 3)
    assert drawing.points[:2].flatten().tolist() == pytest.approx([59.149658, 68.862709, 65.156387, 68.640800])
    assert drawing.points[-1].tolist() == pytest.approx([384.736023, 33.692451])
    assert drawing.colors[2].tolist() == pytest.approx([0.241708, 0.726237, 0.701080, 0.203824], rel=1e-5)


def test_lengths_scale_with_the_canvas():
    drawing = start(strokes=200, canvas=Canvas(448, 896))
    steps = torch.cat([p.diff(dim=0) for p in drawing.stroke_points()]).abs().amax(0)
    assert 20 < steps[0] <= 22.5
    assert 40 < steps[1] <= 45
    assert torch.equal(drawing.widths, torch.full((200,), 4.0))


def test_opacities_lie_anywhere_in_their_range():
    opacities = start(strokes=500, opacity=(0.6, 0.9)).colors[:, 3]
    assert 0.6 <= opacities.min() < 0.61 < 0.89 < opacities.max() <= 0.9


def test_strokes_may_begin_about_the_middle():
    first = first_points(start(strokes=500, spread=0.5, canvas=Canvas(224, 448)))
    low, high = first.amin(0), first.amax(0)
    assert (low / torch.tensor([224, 448]) - 0.25).abs().max() < 0.01
    assert (high / torch.tensor([224, 448]) - 0.75).abs().max() < 0.01
    assert low[0] >= 56
    assert high[0] <= 168


@pytest.mark.parametrize(
    "allowed",
    [
        {"strokes": 1},
        {"segments": (1, 1)},
        {"opacity": (0.0, 0.0)},
        {"opacity": (1.0, 1.0)},
        {"spread": 1e-3},
        {"width": 0.0},
        {"width": 1000.0},
        {"reach": 0.0},
        {"reach": 10.0},
        {"segments": (1000, 1000), "strokes": 2},
    ],
)
def test_settings_reach_their_bounds(allowed):
    assert len(start(**allowed)) == allowed.get("strokes", 256)


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ({"strokes": 0}, "strokes must be at least 1, got 0"),
        ({"segments": (2, 1)}, "segments must be at least 1 and at most 1000, fewest first, got (2, 1)"),
        ({"segments": (0, 1)}, "segments must be at least 1 and at most 1000, fewest first, got (0, 1)"),
        ({"segments": (1, 1001)}, "segments must be at least 1 and at most 1000, fewest first, got (1, 1001)"),
        (
            {"strokes": 1001, "segments": (1, 1000)},
            "1,001 strokes of up to 1000 segments; at most 1,000,000 segments are drawn",
        ),
        ({"width": -5.0}, "the start's width is from 0 to 1000, got -5.0"),
        ({"width": 1001.0}, "the start's width is from 0 to 1000, got 1001.0"),
        ({"reach": -0.1}, "the start's reach is from 0 to 10, got -0.1"),
        ({"reach": 10.5}, "the start's reach is from 0 to 10, got 10.5"),
        ({"opacity": (0.5, 1.2)}, "opacity lies in [0, 1], smallest first, got (0.5, 1.2)"),
        ({"opacity": (-0.1, 0.5)}, "opacity lies in [0, 1], smallest first, got (-0.1, 0.5)"),
        ({"opacity": (0.6, 0.5)}, "opacity lies in [0, 1], smallest first, got (0.6, 0.5)"),
        ({"spread": 0.0}, "spread lies in (0, 1], got 0.0"),
        ({"spread": 1.1}, "spread lies in (0, 1], got 1.1"),
    ],
)
def test_settings_out_of_range_are_refused(refused, message):
    with pytest.raises(InputError) as error:
        RandomStrokes(**refused)
    assert str(error.value) == message


class Imagining(TinyEncoder):
    """An encoder that imagines "a flag" first as a dark red half on the right, then as a blue square."""

    @property
    def prior(self):
        return self

    def sample(self, text):
        assert text == "a flag"
        half = torch.ones(3, 16, 16)
        half[:, :, 8:] = torch.tensor([0.3, 0.0, 0.1])[:, None, None]
        blue = torch.zeros(3, 16, 16)
        blue[2] = 1.0
        return torch.stack([half, blue])


def prior(encoder=None, strokes=8, steps=0, canvas=None, seed=0, variant=0, radius=None, **settings):
    random = RandomStrokes(strokes, segments=(1, 1))
    picture = PriorPicture.of("a flag", variant, radius=radius)
    begin = PriorStrokes(random, picture, encoder or Imagining(), steps=steps, **settings)
    return begin(canvas or Canvas(), torch.Generator().manual_seed(seed))


def test_without_a_prior_the_random_strokes_are_the_start(encoder):
    drawing, random = prior(encoder), start(strokes=8, segments=(1, 1))
    assert all(torch.equal(a, b) for a, b in zip(drawing.parameters(), random.parameters(), strict=True))


@pytest.mark.parametrize(("width", "height"), [(224, 224), (448, 224), (224, 448)])
def test_strokes_begin_where_the_picture_has_ink_in_the_color_of_that_place(width, height):
    drawing = prior(strokes=400, canvas=Canvas(width, height))
    first = first_points(drawing)
    margin = 0.08 * 224
    right, edge = torch.tensor([width / 2, height / 2 - 112 + margin]), torch.tensor([width / 2 + 112 - margin, height])
    edge[1] = height / 2 + 112 - margin
    on_ink = ((first >= right - 4) & (first <= edge + 4)).all(1)
    assert on_ink.float().mean() > 0.9
    spread = (first[on_ink] - right) / (edge - right)
    assert spread.mean(0).tolist() == pytest.approx([0.5, 0.5], abs=0.06)
    assert spread.amin(0).max() < 0.05
    assert spread.amax(0).min() > 0.95
    inner = on_ink & (first[:, 0] > right[0] + 8) & (first[:, 0] < edge[0] - 8)
    inner &= (first[:, 1] - height / 2).abs() < 80
    assert torch.allclose(drawing.colors[inner], torch.tensor([0.3, 0.0, 0.1, 0.7]), atol=0.02)
    assert (drawing.colors[:, 3] == 0.7).all()


def test_strokes_begin_in_the_circle_that_the_picture_is_shrunk_into():
    first = first_points(prior(strokes=400, radius=0.25))
    distances = (first - 112).norm(dim=1)
    assert (distances < 60).float().mean() > 0.75  # the others on white, where they are not seen
    assert distances[distances < 60].max() > 50
    assert (first_points(prior(strokes=400)) - 112).norm(dim=1).median() > 60


def test_strokes_keep_their_shape_where_they_are_moved():
    moved, random = prior().stroke_points(), start(strokes=8, segments=(1, 1)).stroke_points()
    for ours, theirs in zip(moved, random, strict=True):
        assert torch.allclose(ours - ours[0], theirs - theirs[0], atol=1e-4)
        assert not torch.allclose(ours, theirs)
    inside_of_pixels = torch.stack([points[0] for points in moved]) / 3.5 % 1
    assert inside_of_pixels.std() > 0.1


@pytest.mark.parametrize(("scale", "height"), [(1, 224), (2, 448), (2, 896)])
def test_the_fit_moves_by_its_rates_on_the_scale_of_the_canvas(scale, height):
    canvas = Canvas(224 * scale, height)
    before, after = prior(strokes=2, canvas=canvas), prior(strokes=2, steps=1, canvas=canvas)
    moves = [(a - b).abs().max().item() for a, b in zip(before.parameters(), after.parameters(), strict=True)]
    assert moves == pytest.approx([2.5 * scale, 0.8 * scale, 0.06], rel=0.01)


def test_the_fit_comes_closer_to_the_picture_within_the_constraints(caplog):
    target = torch.ones(3, 64, 64)
    target[:, 5:59, 32:59] = torch.tensor([0.3, 0.0, 0.1])[:, None, None]
    with caplog.at_level(logging.DEBUG, logger="clipdraw"):
        before, after = prior(), prior(steps=6, constraints=(WidthRange(1.0, 6.0), ColorRange(0.71), PointsOnCanvas()))
    errors = [(rasterize(d, height=64, width=64) - target).square().mean().item() for d in (before, after)]
    assert errors[1] < 0.95 * errors[0]
    assert after.widths.max() == 6
    assert after.colors[:, 3].min() >= 0.71
    assert not any(tensor.requires_grad for tensor in after.parameters())
    assert caplog.messages[-1] == "preparing the start of 8 strokes: 6 of 6"


def test_strokes_that_paint_nothing_of_the_picture_fade():
    class Blank(Imagining):
        def sample(self, text):
            return torch.ones(1, 3, 8, 8)

    before, after = prior(Blank(), strokes=2), prior(Blank(), strokes=2, steps=3)
    assert (after.colors[:, 3] < before.colors[:, 3] - 0.1).all()


def test_the_variant_chooses_the_picture():
    assert prior(variant=0).colors[:, 2].max() < 0.9
    blue = prior(variant=1).colors
    assert (blue[:, 2] > 0.99).all()
    mirrored = first_points(prior(strokes=40, variant=2))
    assert (mirrored[:, 0] < 116).float().mean() > 0.8
