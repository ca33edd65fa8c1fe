import pytest
import torch

from clipdraw.encoders.builtin.storage import dequantize, quantize, select


def test_storage_of_a_stored_matrix_is_exact():
    torch.manual_seed(0)
    for bits in (4, 8):
        whole, scale = quantize(torch.randn(6, 128), bits)
        wide = dequantize({"m.whole": whole, "m.scale": scale})["m"]
        torch.testing.assert_close(quantize(wide, bits)[0], whole)


@pytest.mark.parametrize(("bits", "most"), [(4, 0.5 / 7), (8, 0.5 / 127)])
def test_rounding_is_off_by_half_a_step_at_most(bits, most):
    torch.manual_seed(0)
    matrix = torch.randn(5, 64)
    whole, scale = quantize(matrix, bits)
    off = (dequantize({"m.whole": whole, "m.scale": scale})["m"] - matrix).abs()
    assert (off <= matrix.abs().amax(1, keepdim=True) * most * 1.02).all()


def test_a_matrix_of_zeros_is_stored_as_zeros():
    whole, scale = quantize(torch.zeros(2, 64), 4)
    assert not dequantize({"m.whole": whole, "m.scale": scale})["m"].any()


def test_tensors_that_are_not_quantized_become_float32():
    wide = dequantize({"a": torch.ones(2, dtype=torch.float16)})
    assert wide["a"].dtype == torch.float32


def test_a_part_is_selected_by_its_prefix():
    one, other = torch.zeros(1), torch.ones(1)
    assert select({"text.a.b": one, "image.a": other}, "text.") == {"a.b": one}
