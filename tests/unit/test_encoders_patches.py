"""The patch embedding as a matrix product, against the convolution it replaces."""

import pytest
import torch
from torch import nn

from clipdraw.encoders.patches import PatchProduct


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("patch", [4, (2, 4)])
def test_values_and_gradients_are_the_convolutions(bias, patch):
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 5, patch, stride=patch, bias=bias).double()
    ours, theirs = (torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(1)).double() for _ in range(2))
    ours.requires_grad_(), theirs.requires_grad_()
    (found := PatchProduct(convolution)(ours)).pow(2).sum().backward()
    (expected := convolution(theirs)).pow(2).sum().backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("padding", [0, "valid"])
def test_patches_that_touch_are_replaced(padding):
    assert PatchProduct.replaces(nn.Conv2d(3, 5, 4, stride=4, padding=padding), 8)


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(3, 5, 4, stride=2),
        nn.Conv2d(3, 5, 4, stride=4, padding=1),
        nn.Conv2d(3, 5, 4, stride=4, dilation=2),
        nn.Conv2d(3, 6, 4, stride=4, groups=3),
        nn.Conv2d(3, 5, 3, stride=3),
        nn.Identity(),
    ],
)
def test_other_modules_are_left_alone(module):
    assert not PatchProduct.replaces(module, 8)
