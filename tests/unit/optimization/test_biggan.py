import json
import os
import pickle

import pytest
import torch

from clipdraw.errors import WeightsError
from clipdraw.optimization.biggan import Latents, load
from clipdraw.optimization.loop import Optimization
from clipdraw.optimization.losses import Prompt
from clipdraw.optimization.parameterization import Parameterization
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.views import Views
from tests import tiny_biggan


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_biggan.save(tmp_path_factory.mktemp("biggan"))


def image(generator):
    normal, classes = torch.sin(torch.arange(4.0)), torch.tensor([0.1, 0.2, 0.0, 0.9, 0.3])
    return generator(normal.expand(5, 4), classes.expand(5, 5))


@pytest.mark.parametrize("pickled", [False, True])
def test_the_published_weights_give_the_image_of_their_publishers_code(tmp_path, pickled):
    """The numbers are those of pytorch-pretrained-biggan 0.1.1 with the same weights, latent and truncation 1."""
    values = image(load(str(tiny_biggan.save(tmp_path, pickled=pickled)))).flatten()[::97]
    expected = [0.8485, -0.6827, -0.8208, -0.7415, -0.3845, -0.8113, -0.1911, 0.1308]
    assert values.tolist() == pytest.approx(expected, abs=1e-4)


def test_each_block_has_a_latent_of_its_own(folder):
    generator = load(str(folder))
    normal, classes = torch.zeros(5, 4), torch.zeros(5, 5)
    before = generator(normal, classes)
    for block in range(5):
        moved = normal.clone()
        moved[block] = 1
        assert (generator(moved, classes) - before).abs().max() > 1e-4
    with pytest.raises(StopIteration):
        generator(normal[:4], classes[:4])


def test_a_folder_that_lacks_files_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"no config\.json"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"no model\.safetensors or pytorch_model\.bin"):
        load(str(tmp_path))
    with pytest.raises(WeightsError, match="a folder or a hub id"):
        load("nothing here")


def test_weights_of_another_shape_are_refused(tmp_path):
    tiny_biggan.save(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({**tiny_biggan.CONFIG, "num_classes": 7}))
    with pytest.raises(WeightsError, match=r"not the weights of a BigGAN-deep generator"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text("[")
    with pytest.raises(WeightsError, match=r"not the weights"):
        load(str(tmp_path))


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("owned",)


def test_pickled_code_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny_biggan.save(tmp_path, pickled=True)
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Hostile()}, protocol=2))
    with pytest.raises(WeightsError, match="not the weights"):
        load(str(tmp_path))
    assert not (tmp_path / "owned").exists()


def test_latents_move_toward_the_prompt_and_the_generator_stays(folder, encoder):
    generator = load(str(folder))
    before = [tensor.clone() for tensor in generator.state_dict().values()]
    latents = Latents(generator, torch.Generator().manual_seed(0))
    assert isinstance(latents, Parameterization)
    run = Optimization(latents, [Prompt("red")], encoder=encoder, recipe=Recipe(steps=25, views=Views(2)))
    steps = [run.step() for _ in range(25)]
    assert steps[-1].similarity > steps[0].similarity + 0.02
    assert all(torch.equal(a, b) for a, b in zip(before, generator.state_dict().values(), strict=True))
    assert steps[-1].subject is latents
    assert latents.image(8).shape == (3, 8, 8)
    assert 0 <= latents.image(32).min() <= latents.image(32).max() <= 1


def test_latents_start_from_their_seed(folder):
    generator = load(str(folder))
    first, again, other = (Latents(generator, torch.Generator().manual_seed(seed)).image(16) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_oddness_is_least_for_normal_latents_of_one_class(folder):
    latents = Latents(load(str(folder)), torch.Generator().manual_seed(0))

    def oddness(normal, classes):
        with torch.no_grad():
            latents.normal.copy_(normal)
            latents.classes.copy_(classes)
        return latents.oddness().item()

    quantiles = torch.erfinv(torch.linspace(-0.75, 0.75, 4)) * 2**0.5
    normal, one_class = quantiles / quantiles.std(), torch.tensor([9.0, -20.0, -20.0, -20.0, -20.0])
    typical = oddness(normal, one_class)
    assert oddness(3 * normal, one_class) > typical + 1
    assert oddness(normal + 2, one_class) > typical + 1
    assert oddness(normal, torch.zeros(5)) > typical + 100
