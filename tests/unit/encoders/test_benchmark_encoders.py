"""The benchmark of encoders counts the operations that torch counts, and none of them is for a weight's gradient."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

pytest.importorskip("transformers")

from benchmarks.encoders import JUDGES, Work, encoder_of, pass_flop, product_flop, product_shapes


@pytest.mark.parametrize("name", JUDGES)
def test_the_operations_of_a_pass(name):
    with torch.device("meta"):  # nothing is computed
        encoder = encoder_of(name, torch.float32)
        encoder._model.set_attn_implementation("eager")  # fused attention is not counted on every processor
        pixels = torch.rand(1, 3, 224, 224, requires_grad=True)
        matrices = [
            (torch.randn(rows, n), torch.randn(m, n), torch.randn(rows, m))
            for rows, n, m in product_shapes(JUDGES[name], 1)
        ]
        work = SimpleNamespace(
            encoder=encoder, pixels=pixels, wanted=torch.randn(encoder.dimensions), matrices=matrices
        )
    with FlopCounterMode(display=False) as counted:
        Work.encoder_pass(work)
    assert counted.get_total_flops() == pytest.approx(pass_flop(JUDGES[name], 1), rel=0.01)
    assert not any(parameter.grad is not None for parameter in encoder._model.parameters())
    with FlopCounterMode(display=False) as counted:
        Work.products(work)
    assert counted.get_total_flops() == pytest.approx(product_flop(JUDGES[name], 1))
