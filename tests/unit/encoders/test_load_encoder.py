"""The one way to any encoder."""

import os
import subprocess
import sys
import types
from importlib import metadata

import pytest
import torch

from clipdraw.encoders import absolute_name, encoders, load_encoder
from clipdraw.errors import ConfigError, WeightsError


class Stub:
    """An encoder that only knows how it was loaded."""

    name, view_size, dimensions, device = "stub", 8, 4, torch.device("cpu")
    encode_text = encode_image = truncated_tail = len

    def __init__(self, **settings):
        self.settings = settings


@pytest.fixture
def loader(monkeypatch):
    """Where a plug-in's loader is."""
    module = types.ModuleType("clipdraw_plugin")
    module.load = Stub
    monkeypatch.setitem(sys.modules, "clipdraw_plugin", module)
    return "clipdraw_plugin:load"


def test_the_builtin_encoder_is_the_default(monkeypatch, loader):
    monkeypatch.setitem(encoders._parts, "builtin", loader)
    assert load_encoder().settings == {"device": "cpu", "precision": "auto", "normalize": True}


def test_loading_leaves_the_random_state_as_it_was(monkeypatch, loader):
    def init(self, **settings):
        torch.rand(3)

    monkeypatch.setattr(Stub, "__init__", init)
    monkeypatch.setitem(encoders._parts, "builtin", loader)
    before = torch.get_rng_state()
    load_encoder()
    assert torch.equal(torch.get_rng_state(), before)


def test_loading_is_logged(monkeypatch, loader, caplog):
    monkeypatch.setitem(encoders._parts, "builtin", loader)
    with caplog.at_level("INFO", logger="clipdraw"):
        load_encoder("builtin")
    assert caplog.messages == ["loading the encoder builtin"]


def test_a_plugin_is_loaded_by_name_with_all_settings(monkeypatch, loader):
    point = metadata.EntryPoint("mine", loader, "clipdraw.encoders")
    monkeypatch.setattr("clipdraw.registry.entry_points", lambda group: [point] if group == point.group else [])
    settings = {"device": "meta", "precision": "float32", "normalize": False}
    assert load_encoder("mine", **settings).settings == settings


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nope", "no encoder called 'nope'"),
        ("./nope", "no folder './nope' in "),
        ("picture.png", "is a file that holds no weights"),
        ("owner/nope", "not in the local cache"),
        ("ViT-B/32", "'openai/clip-vit-base-patch32': it is not in the local cache"),
        ("RN50", "is a ResNet"),
        ("builtin", "none"),
        ("clip:2", "none"),
    ],
)
def test_encoders_are_found_before_torch_is_loaded(name, message, tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    folder = tmp_path / "clip"
    folder.mkdir()
    for file in ("config.json", "model.safetensors", "tokenizer.json"):
        (folder / file).write_text("{}")
    code = (
        "import sys\nfrom clipdraw.cli.options import find_encoders\n"
        f"try: find_encoders({{'judge.encoders': [{name!r}]}})\n"
        "except Exception as error: print(error)\n"
        "else: print('none')\n"
        "print('torch' in sys.modules)"
    )
    settings = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=True, timeout=60)
    told, torch_is_loaded = done.stdout.splitlines()
    assert message in told
    assert torch_is_loaded == "False"


def test_a_path_becomes_an_absolute_name_and_nothing_else_does(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("clip", "builtin"):
        (tmp_path / name).mkdir()
    for name in ("clip", "./clip", "~/clip", str(tmp_path / "clip")):
        assert absolute_name(name) == str(tmp_path / "clip")
    for name in ("builtin", "owner/model", "ViT-B/32", "./none", ""):
        assert absolute_name(name) == name


@pytest.mark.parametrize("name", ["bultin", ""])
def test_an_unknown_name_lists_what_is_possible(name):
    with pytest.raises(ConfigError, match=r"there are: builtin, a folder .* or a hub id such as openai/clip"):
        load_encoder(name)


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such/folder", "a/b/c"])
def test_a_path_to_nothing_says_so(name):
    pytest.importorskip("transformers")
    with pytest.raises(WeightsError, match=f"no folder {name!r}"):
        load_encoder(name)


def test_a_folder_of_that_name_is_loaded(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    (tmp_path / "mymodel").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"'mymodel' has no config\.json"):
        load_encoder("mymodel")
