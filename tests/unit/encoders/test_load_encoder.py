"""The one way to any encoder."""

import sys
import types
from importlib import metadata

import pytest
import torch

from clipdraw.encoders import encoders, load_encoder
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
