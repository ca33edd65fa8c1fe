"""Pooling attention, compared with torch's own."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from clipdraw.encoders.pooling import PoolingAttention


@pytest.mark.parametrize("views", [1, 3])
def test_values_and_gradients_are_torchs(views):
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(32, 4, batch_first=True, dtype=torch.float64).requires_grad_(False).eval()
    probe, tokens = torch.randn(views, 1, 32).double(), torch.randn(views, 9, 32).double()
    results = []
    for module in (attention, None):
        module = module or PoolingAttention(attention)
        leaf = tokens.clone().requires_grad_()
        pooled = module(probe, leaf, leaf)[0]
        pooled.square().sum().backward()
        results.append((pooled, leaf.grad))
    for wanted, found in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted)


def test_weights_are_not_copied_for_each_token():
    """The keys and values are one plain product, not one for each token."""
    pooling = PoolingAttention(nn.MultiheadAttention(16, 2, batch_first=True).requires_grad_(False).eval())
    tokens = torch.randn(2, 40, 16, requires_grad=True)
    with FlopCounterMode(display=False) as counted:
        pooling(torch.randn(2, 1, 16), tokens, tokens)[0].sum().backward()
    products = counted.get_flop_counts()["Global"]
    assert products.get(torch.ops.aten.bmm, 0) < 2 * 40 * 2 * 16 * 32
