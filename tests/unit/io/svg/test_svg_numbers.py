import numpy as np
import pytest
import torch

from clipdraw.errors import FormatError, InputError
from clipdraw.io.svg.numbers import as_percent, parse_number, shortest


@pytest.mark.parametrize(
    ("number", "percent"),
    [("0", "0"), ("1", "100"), ("0.5", "50"), ("0.12345678", "12.345678"), ("0.001", "0.1"), ("0.0000123", "0.00123")],
)
def test_percent_moves_the_point(number, percent):
    assert as_percent(number) == percent


def test_every_float_of_a_large_sample_survives_text_and_percent():
    bits = np.random.default_rng(0).integers(0, np.float32(1).view(np.int32), 20_000, dtype=np.int32)
    values = np.concatenate([bits.view(np.float32), np.linspace(0, 1, 5_001, dtype=np.float32)])
    texts = shortest(torch.from_numpy(values), what="x")
    assert np.array_equal(np.array([float(text) for text in texts]).astype(np.float32), values)
    percents = np.array([float(as_percent(text)) / 100 for text in texts]).astype(np.float32)
    assert np.array_equal(percents, values)
    assert not any("e" in text for text in texts)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -2e7])
def test_what_cannot_be_stored_is_named(value):
    with pytest.raises(InputError, match=r"a drawing with the width .* cannot be stored"):
        shortest(torch.tensor([1.0, value]), what="the width")


@pytest.mark.parametrize("text", ["nan", "1e999", "-1e999", "five", "", "1e8"])
def test_impossible_numbers_are_refused(text):
    with pytest.raises(FormatError, match="the width is"):
        parse_number(text, what="the width")
