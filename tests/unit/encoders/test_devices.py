import pytest

from clipdraw.encoders.devices import choose_device, devices
from clipdraw.errors import InputError


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
