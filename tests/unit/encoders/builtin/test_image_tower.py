"""The image tower: folded normalizations and packed convolutions compute what the plain ones do."""

import copy

import pytest
import torch
from torch import nn

from clipdraw.encoders.builtin import image_tower
from clipdraw.encoders.builtin.image_tower import ImageTower, pack_convolutions


def frozen_tower(dtype=torch.float32):
    torch.manual_seed(0)
    tower = ImageTower(folded=True).to(dtype).to(memory_format=torch.channels_last)
    return tower.eval().requires_grad_(False)


def count_plain(tower):
    return sum(isinstance(module, nn.Conv2d) for module in tower.modules())


def values_and_gradients(tower, views):
    views = views.clone().requires_grad_()
    vectors = tower(views)
    weights = torch.linspace(-1, 1, vectors.numel()).reshape(vectors.shape)
    return vectors.detach(), torch.autograd.grad((vectors * weights).sum(), views)[0]


def test_folding_changes_nothing():
    torch.manual_seed(0)
    tower = ImageTower()
    for _ in range(3):
        tower(torch.rand(16, 3, 64, 64))  # moves the running statistics away from their start
    tower.eval()
    views = torch.rand(2, 3, 64, 64)
    before = tower(views)
    folded = ImageTower(folded=True)
    folded.load_state_dict(tower.fold().state_dict())
    assert torch.allclose(before, folded(views), atol=1e-4)


needs_packing = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch is built without oneDNN")


@needs_packing
@pytest.mark.parametrize("count", [1, 4, 5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_packed_convolutions_give_the_values_and_gradients_of_plain_ones(dtype, count):
    plain = frozen_tower(dtype)
    packed = copy.deepcopy(plain)
    pack_convolutions(packed)
    assert count_plain(plain) == 10
    can = dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()  # which depends on the processor
    assert count_plain(packed) == (0 if can else 10)
    views = torch.rand(count, 3, 64, 64, generator=torch.Generator().manual_seed(count)).to(dtype)
    for one, other in zip(values_and_gradients(plain, views), values_and_gradients(packed, views), strict=True):
        assert one.abs().max() > 0
        assert (one - other).abs().max() < 1e-5 * one.abs().max()


@needs_packing
def test_where_the_operators_lack_the_convolutions_stay_plain(monkeypatch):
    tower = frozen_tower()
    made = []

    class Failing(image_tower._PackedConvolution):
        def __init__(self, convolution, shape):
            super().__init__(convolution, shape)
            made.append(shape)
            if len(made) == 3:
                raise RuntimeError("no such operator")

    monkeypatch.setattr(image_tower, "_PackedConvolution", Failing)
    pack_convolutions(tower)
    assert len(made) == 3
    assert count_plain(tower) == 10


@needs_packing
def test_a_gradient_can_be_asked_for_again():
    tower = frozen_tower()
    pack_convolutions(tower)
    views = torch.rand(2, 3, 64, 64, requires_grad=True)
    total = tower(views).sum()
    first, second = (torch.autograd.grad(total, views, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)
