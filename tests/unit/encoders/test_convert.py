"""Pickled weights, in each form that people have, become an encoder, and no code of a pickle runs."""

import collections
import json
import os
import pickle
import shutil
import zipfile

import pytest
import torch

from clipdraw.encoders import load_encoder
from clipdraw.encoders.convert import convert_weights, read_pickled
from clipdraw.errors import InputError, WeightsError
from clipdraw.weights import content_of
from tests import tiny_clip

VIEWS = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


class Attack:
    """What leaves a file behind if it is loaded as a pickle usually is."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def vectors(folder):
    encoder = load_encoder(str(folder), precision="float32", normalize=False)
    return encoder.encode_image(VIEWS), encoder.encode_text(["a cat", "an owl 12"])


@pytest.fixture
def model(tmp_path):
    """The weights of a CLIP with OpenAI's activation and one head for up to 64 numbers, by their names there."""
    model = tiny_clip.save_open_clip(tmp_path / "safe", "quick_gelu", heads=1)
    return tiny_clip.open_clip_weights(model)


def test_an_archive_of_openai(model, tmp_path):
    halves = {name: weight.half() for name, weight in model.items()}
    archive = tiny_clip.save_archive(halves, tmp_path / "ViT-B-32.pt")
    assert content_of(archive) == "torchscript"
    with pytest.raises(WeightsError, match=r"holds pickled weights, .*: clipdraw convert-weights .*ViT-B-32\.pt NEW"):
        load_encoder(str(archive))
    convert_weights(archive, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "open_clip_config.json",
        "open_clip_model.safetensors",
    }
    for ours, theirs in zip(vectors(tmp_path / "out"), vectors(tmp_path / "safe"), strict=True):
        torch.testing.assert_close(ours, theirs, atol=5e-3, rtol=0)  # these weights are halves
    assert load_encoder(str(tmp_path / "out"))._model.config.vision_config.hidden_act == "quick_gelu"
    mean = load_encoder(str(tmp_path / "out"))._mean.flatten()
    torch.testing.assert_close(mean, torch.tensor([0.48145466, 0.4578275, 0.40821073]))


@pytest.mark.filterwarnings("ignore:.torch.jit.load:DeprecationWarning")
def test_an_archives_weights_are_those_that_torch_reads(model, tmp_path):
    model["visual.conv1.weight"] = model["visual.conv1.weight"].to(memory_format=torch.channels_last)  # strides
    archive = tiny_clip.save_archive(model, tmp_path / "a.pt")
    theirs = torch.jit.load(archive).state_dict()
    ours = read_pickled(archive)
    assert ours.keys() == theirs.keys()
    for name, weight in theirs.items():
        assert ours[name].dtype == weight.dtype
        assert torch.equal(ours[name], weight), name


@pytest.mark.parametrize("wrap", [dict, lambda w: {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in w.items()}}])
@pytest.mark.parametrize("legacy", [True, False])
def test_weights_of_open_clip_with_their_configuration_beside_them(model, tmp_path, wrap, legacy):
    file = tmp_path / "pickled" / "open_clip_pytorch_model.bin"
    shutil.copytree(tmp_path / "safe", file.parent)
    (file.parent / "open_clip_model.safetensors").unlink()
    torch.save(wrap(model), file, _use_new_zipfile_serialization=not legacy)
    for number, source in enumerate((file, file.parent)):
        with pytest.raises(WeightsError, match=r"pickled weights, .*: clipdraw convert-weights "):
            load_encoder(str(source))
        convert_weights(source, tmp_path / f"out{number}")
        for ours, theirs in zip(vectors(tmp_path / f"out{number}"), vectors(tmp_path / "safe"), strict=True):
            assert torch.equal(ours, theirs)


def test_weights_whose_activation_nobody_tells_are_refused_with_what_to_do(model, tmp_path):
    (tmp_path / "alone").mkdir()
    torch.save(model, tmp_path / "alone" / "finetuned.pt")
    with pytest.raises(WeightsError, match=r"open_clip_config\.json is needed beside it, which tells the activation"):
        convert_weights(tmp_path / "alone" / "finetuned.pt", tmp_path / "out")
    (tmp_path / "alone" / "open_clip_config.json").write_text('{"model_cfg": {"quick_gelu": true}}')
    convert_weights(tmp_path / "alone" / "finetuned.pt", tmp_path / "out")
    tower = load_encoder(str(tmp_path / "out"))._model.config.vision_config
    assert (tower.hidden_act, tower.patch_size) == ("quick_gelu", 16)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
@pytest.mark.parametrize("shards", [1, 2])
def test_a_folder_of_transformers(kind, shards, tmp_path):
    tiny_clip.save(tmp_path / "safe", kind)
    shutil.copytree(tmp_path / "safe", tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").unlink()
    weights = tiny_clip.safetensors.torch.load_file(tmp_path / "safe" / "model.safetensors")
    if shards == 1:
        torch.save(weights, tmp_path / "pickled" / "pytorch_model.bin")
        torch.save({"rate": 0.1}, tmp_path / "pickled" / "training_args.bin")
    else:
        files = {name: f"pytorch_model-0000{1 + number % 2}-of-00002.bin" for number, name in enumerate(weights)}
        for file in set(files.values()):
            torch.save({name: weights[name] for name in weights if files[name] == file}, tmp_path / "pickled" / file)
        (tmp_path / "pickled" / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": files}))
    convert_weights(tmp_path / "pickled", tmp_path / "out")
    assert not [path for path in (tmp_path / "out").iterdir() if path.suffix == ".bin"]
    ours, theirs = (load_encoder(str(tmp_path / name), precision="float32") for name in ("out", "safe"))
    assert torch.equal(ours.encode_image(VIEWS), theirs.encode_image(VIEWS))
    assert torch.equal(ours.encode_text(["a cat"]), theirs.encode_text(["a cat"]))


def test_no_code_of_a_pickle_runs(model, tmp_path):
    torch.save({**model, "x": Attack(tmp_path / "made")}, tmp_path / "zip.pt")
    (tmp_path / "plain.bin").write_bytes(pickle.dumps(Attack(tmp_path / "made")))
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")
    for name in ("zip.pt", "plain.bin", "whole.pt"):
        with pytest.raises(WeightsError, match=r"holds more than weights, .*of which nothing was loaded") as caught:
            convert_weights(tmp_path / name, tmp_path / "out")
        assert "\n" not in str(caught.value)
        assert "weights_only" not in str(caught.value)  # torch advises to load it all the same
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "out").exists()


def archive(path, *values, compressed=False):
    """A file that looks like an archive of TorchScript, whose pickle holds these values."""
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as file:
        file.writestr("a/data.pkl", pickle.dumps(values[0] if len(values) == 1 else values, protocol=2))
        file.writestr("a/constants.pkl", pickle.dumps(()))
    return path


def test_no_code_of_an_archive_runs(tmp_path):
    found = {}
    for number, value in enumerate([Attack(tmp_path / "made"), collections.Counter(), [Attack(tmp_path / "made")], 3]):
        path = archive(tmp_path / f"{number}.pt", value)
        with pytest.raises(WeightsError, match=r"cannot be read|holds no weights") as caught:
            found |= read_pickled(path)
        assert "\n" not in str(caught.value)
    assert found == {}
    assert not (tmp_path / "made").exists()


def test_an_archive_that_grows_when_it_is_read_is_refused(tmp_path):
    path = archive(tmp_path / "a.pt", "a" * 10_000_000, compressed=True)
    assert path.stat().st_size < 100_000
    with pytest.raises(WeightsError, match=r"data\.pkl is compressed"):
        read_pickled(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no pickled weights"),
        (b"text", "holds no pickled weights"),
        (b"\x80\x02damaged", "cannot be read|holds more than weights"),
        ({}, "holds no weights by name"),
        ([torch.zeros(2)], "holds no weights by name"),
        ({"a": torch.zeros(2)}, "is no CLIP with vision transformer"),
        ({"vision_model.x": torch.zeros(2)}, "config.json is needed beside it"),
        ({"visual.layer1.0.conv1.weight": torch.zeros(2)}, "is no CLIP with vision transformer"),
    ],
)
def test_what_holds_no_weights_of_clip_is_named(content, message, tmp_path):
    file = tmp_path / "in" / "model.pt"
    file.parent.mkdir()
    file.write_bytes(content) if isinstance(content, bytes) else torch.save(content, file)
    with pytest.raises(WeightsError, match=message) as caught:
        convert_weights(file, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_sources_and_targets_that_will_not_do(model, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(InputError, match="exists and is not empty"):
        convert_weights(tmp_path, tmp_path / "full")
    with pytest.raises(WeightsError, match="no such file or folder"):
        convert_weights(tmp_path / "none", tmp_path / "out")
    with pytest.raises(WeightsError, match="the folder has none"):
        convert_weights(tmp_path / "full", tmp_path / "out")
    with pytest.raises(WeightsError, match="no pickled weights but safetensors"):
        convert_weights(tmp_path / "safe" / "open_clip_model.safetensors", tmp_path / "out")
    for name in ("a.pt", "b.pt"):
        (tmp_path / "full" / name).touch()
    with pytest.raises(WeightsError, match=r"several files of pickled weights; name one: .*a\.pt, .*b\.pt"):
        convert_weights(tmp_path / "full", tmp_path / "out")
