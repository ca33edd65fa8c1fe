"""The benchmark of judges counts the operations that torch counts, and none of them is for a weight's gradient."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

pytest.importorskip("transformers")

from benchmarks.encoders import JUDGES, Work, pass_flop, product_flop


@pytest.mark.parametrize("judge", JUDGES)
def test_the_operations_of_a_pass(judge):
    work = Work(judge, 1, torch.float32)
    work.encoder._model.set_attn_implementation("eager")  # fused attention is not counted on every processor
    with FlopCounterMode(display=False) as counted:
        work.encoder_pass()
    assert counted.get_total_flops() == pytest.approx(pass_flop(JUDGES[judge], 1), rel=0.01)
    assert not any(parameter.grad is not None for parameter in work.encoder._model.parameters())
    with FlopCounterMode(display=False) as counted:
        work.products()
    assert counted.get_total_flops() == pytest.approx(product_flop(JUDGES[judge], 1))
