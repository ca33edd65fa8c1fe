"""The tower as one operation computes what the tower does."""

import pytest
import torch
from torch import nn

from clipdraw.encoders.builtin.frozen import frozen
from clipdraw.encoders.builtin.image_tower import ImageTower
from clipdraw.encoders.builtin.packed import PackedConvolution, pack_convolutions

DTYPES = [torch.float32, torch.bfloat16]


def tower(dtype):
    torch.manual_seed(0)
    made = ImageTower(folded=True).to(dtype).to(memory_format=torch.channels_last).eval().requires_grad_(False)
    pack_convolutions(made, torch.zeros(2, 3, 64, 64, dtype=dtype))
    if not isinstance(made.stem[0], PackedConvolution):
        pytest.skip("this torch cannot pack convolutions")
    return made


@pytest.mark.parametrize("dtype", DTYPES)
def test_values_and_gradients_are_the_same(dtype):
    plain = tower(dtype)
    views, weights = torch.rand(3, 3, 64, 64).to(dtype), torch.randn(3, 384)
    found = []
    for embed in (plain, frozen(plain)):
        x = views.clone().requires_grad_()
        y = embed(x)
        (gradient,) = torch.autograd.grad((y * weights).sum(), x)
        found.append((y.detach(), gradient))
    for one, other in zip(*found, strict=True):
        assert (one - other).abs().max() < 1e-5 * one.abs().max()
    assert found[0][1].abs().max() > 0


def test_a_gradient_can_be_asked_for_again():
    embed = frozen(tower(torch.float32))
    x = torch.rand(2, 3, 64, 64, requires_grad=True)
    total = embed(x).sum()
    first, second = (torch.autograd.grad(total, x, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)


def test_a_tower_that_is_not_packed_stays_what_it_is():
    made = ImageTower(folded=True).eval()
    assert isinstance(made.stem[0], nn.Conv2d)
    assert frozen(made) is made
