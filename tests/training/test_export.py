"""Weights that are stored in few bits come back nearly the same."""

import torch

from clipdraw.encoders.builtin.image_tower import ImageTower
from clipdraw.encoders.builtin.storage import dequantize
from training.export import in_few_bits


def test_large_arrays_take_a_byte_a_number_and_the_tower_sees_the_same():
    torch.manual_seed(0)
    tower = ImageTower().fold()
    stored = in_few_bits(tower.state_dict())
    numbers = sum(p.numel() for p in tower.parameters())
    assert sum(t.numel() * t.element_size() for t in stored.values()) < 1.1 * numbers
    other, wide = ImageTower(folded=True).eval(), dequantize(stored)
    other.load_state_dict({name: wide[name].reshape(like.shape) for name, like in other.state_dict().items()})
    for name, value in tower.state_dict().items():
        assert (wide[name].reshape(value.shape) - value).abs().max() <= 0.005 * value.abs().max()
    views = torch.rand(3, 3, 64, 64)
    with torch.no_grad():
        assert (tower(views) * other(views)).sum(1).min() > 0.995
