"""Packed convolutions compute what the plain ones do."""

import copy

import pytest
import torch
from torch import nn

from clipdraw.encoders.builtin.packed import PackedConvolution, pack_convolutions


def network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 4, stride=2, padding=1), nn.SiLU(), nn.Conv2d(8, 16, 3, stride=2, padding=1)]
    return nn.Sequential(*layers, nn.SiLU(), nn.Conv2d(16, 16, 3, padding=1)).eval().requires_grad_(False)


@pytest.mark.parametrize("size", [16, 18, 21])
def test_values_and_gradients_are_those_of_plain_convolutions_at_any_size(size):
    plain = network()
    packed = copy.deepcopy(plain)
    pack_convolutions(packed, torch.zeros(2, 3, 16, 16))
    views = torch.rand(5, 3, size, size)
    found = []
    for net in (plain, packed):
        x = views.clone().requires_grad_()
        y = net(x)
        (gradient,) = torch.autograd.grad((y * y).sum(), x)
        found.append((y.detach(), gradient))
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch is built without oneDNN")
def test_frozen_convolutions_are_packed():
    net = network()
    pack_convolutions(net, torch.zeros(2, 3, 16, 16))
    assert sum(isinstance(m, PackedConvolution) for m in net) == 3


def test_what_cannot_be_packed_stays():
    net = nn.Sequential(
        nn.Conv2d(4, 4, 3, groups=2), nn.Conv2d(4, 4, 3, bias=False), nn.Conv2d(4, 4, 3, dilation=2), nn.Conv2d(4, 4, 1)
    )
    net[:3].requires_grad_(False)
    before = list(net)
    pack_convolutions(net, torch.zeros(1, 4, 16, 16))
    assert list(net) == before
