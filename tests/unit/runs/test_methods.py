import pytest
import torch

from clipdraw.config import from_dict, resolve
from clipdraw.errors import ConfigError, InputError, WeightsError
from clipdraw.optimization.biggan import Latents
from clipdraw.optimization.loop import Optimization
from clipdraw.optimization.parameterization import Pixels
from clipdraw.runs.comparison import FIGURE_3, METHODS, Oddness, method
from tests import tiny_biggan

CONFIG = from_dict(
    {
        "prompt": "red", "negative": ["blue"], "strokes": 6, "steps": 3, "views": {"count": 2}, "canvas": [24, 16],
        "seed": 5, "opacity_weight": 0.1,
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return str(tiny_biggan.save(tmp_path_factory.mktemp("biggan")))


def test_unknown_methods_are_named_with_those_that_there_are():
    with pytest.raises(ConfigError, match="no method 'vqgan'; there are: clipdraw, pixels, biggan, no-augment"):
        method("vqgan")
    assert list(METHODS)[:4] == list(FIGURE_3)


def test_all_strokes_start_from_the_same_drawing(encoder):
    starts = [METHODS[name].problem(CONFIG, encoder, "").start for name in ("clipdraw", "no-augment", "no-negative")]
    assert all(torch.equal(start.points, starts[0].points) for start in starts)
    assert len(starts[0]) == 6


def test_no_augmentation_is_one_whole_view(encoder):
    views = METHODS["no-augment"].problem(CONFIG, encoder, "").recipe.views
    assert (views.count, views.enabled) == (1, False)
    ours = METHODS["clipdraw"].problem(CONFIG, encoder, "").recipe.views
    assert (ours.count, ours.enabled) == (2, True)


def test_no_negative_leaves_only_them_out(encoder):
    names = [loss.name for loss in METHODS["no-negative"].problem(CONFIG, encoder, "").losses]
    assert names == ["red", "opacity"]
    assert [loss.name for loss in METHODS["clipdraw"].problem(CONFIG, encoder, "").losses] == [
        "red",
        "not blue",
        "opacity",
    ]


def test_pixels_and_latents_have_the_losses_of_any_image(encoder, generator):
    pixels = METHODS["pixels"].problem(CONFIG, encoder, "")
    assert isinstance(pixels.start, Pixels)
    assert torch.equal(pixels.start.image(24), torch.full((3, 16, 24), 0.5))
    assert [loss.name for loss in pixels.losses] == ["red", "not blue"]
    latents = METHODS["biggan"].problem(CONFIG, encoder, generator)
    assert isinstance(latents.start, Latents)
    assert [loss.name for loss in latents.losses] == ["red", "not blue", "oddness"]


@pytest.mark.parametrize("name", METHODS)
def test_each_method_is_optimized_and_repeats_itself(name, encoder, generator):
    def last():
        *_, step = METHODS[name].problem(CONFIG, encoder, generator).optimize()
        return step

    first, second = last(), last()
    assert first.index == 3
    assert first.similarity == second.similarity


def test_missing_weights_are_told(encoder):
    with pytest.raises(WeightsError, match="a folder or a hub id"):
        METHODS["biggan"].problem(CONFIG, encoder, "no such folder")


def test_only_latents_are_odd(encoder):
    run = Optimization(Pixels(torch.rand(3, 8, 8)), [Oddness()], encoder=encoder)
    with pytest.raises(InputError, match="only latents"):
        run.step()


def test_the_prior_is_asked_of_pixels_too(encoder):
    losses = METHODS["pixels"].problem(resolve("red", {"strokes": 4}), encoder, "").losses
    assert [loss.name for loss in losses] == ["red", "prior"]
