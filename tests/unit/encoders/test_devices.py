"""The choice of the device and of the number format."""

import pytest
import torch

from clipdraw.encoders.devices import _product_times, bfloat16_is_fast, choose_device, choose_precision, devices
from clipdraw.errors import ConfigError, InputError


@pytest.mark.parametrize(
    ("mps", "cuda", "there"),
    [(False, False, ("cpu",)), (False, True, ("cuda", "cpu")), (True, False, ("mps", "cpu"))],
)
def test_the_best_device_comes_first_and_is_the_automatic_one(monkeypatch, mps, cuda, there):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: mps)
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    assert devices() == there
    assert choose_device("auto") == there[0]
    assert [choose_device(name) for name in there] == list(there)


@pytest.mark.parametrize("name", ["cuda", "quantum"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, name):
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match=f"device '{name}' is not available here; there are: auto, cpu"):
        choose_device(name)


CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _forget_measurements():
    bfloat16_is_fast.cache_clear()
    yield
    bfloat16_is_fast.cache_clear()


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_an_explicit_precision_is_taken(name):
    assert choose_precision(name, CPU) == getattr(torch, name)


def test_an_unknown_precision_lists_the_known_ones():
    with pytest.raises(ConfigError, match="'int8'; there are: auto, float32, bfloat16, float16"):
        choose_precision("int8", CPU)


@pytest.mark.parametrize(("ratio", "chosen"), [(0.5, torch.float32), (1.2, torch.float32), (1.8, torch.bfloat16)])
def test_auto_follows_the_measurement_and_measures_once(monkeypatch, ratio, chosen):
    calls = []

    def times(device_type):
        calls.append(device_type)
        return {torch.float32: ratio, torch.bfloat16: 1.0}

    monkeypatch.setattr("clipdraw.encoders.devices._product_times", times)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert [choose_precision("auto", CPU) for _ in range(3)] == [chosen] * 3
    assert calls == ["cpu"]


def test_emulated_bfloat16_is_not_even_measured(monkeypatch):
    monkeypatch.setattr("clipdraw.encoders.devices._product_times", lambda device_type: pytest.fail("measured"))
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert choose_precision("auto", CPU) == torch.float32


def test_other_devices_compute_in_float32():
    assert choose_precision("auto", torch.device("mps")) == torch.float32


def test_measuring_leaves_the_number_of_threads_alone():
    before = torch.get_num_threads()
    times = _product_times("cpu", rounds=2)
    assert torch.get_num_threads() == before
    assert all(0 < time < 10 for time in times.values())
