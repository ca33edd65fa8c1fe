"""The training of the imagination."""

import numpy as np
import torch

from training.imagine import loss, principal_components


def test_components_are_orthonormal_and_those_of_most_variance():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(500, 6)) * np.array([5.0, 4.0, 3.0, 0.1, 0.1, 0.1]) + 7
    mean, directions = principal_components(values, 3)
    assert np.allclose(mean, values.mean(0))
    assert np.allclose(directions @ directions.T, np.eye(3), atol=1e-6)
    left = values - mean - (values - mean) @ directions.T @ directions
    assert left.std() < 0.1


def test_the_nearest_picture_learns_most():
    codes = torch.tensor([[[0.0, 0.0], [3.0, 0.0]]], requires_grad=True)
    value, nearest = loss(codes, torch.tensor([[1.0, 0.0]]))
    value.backward()
    assert nearest.tolist() == [0]
    pulls = codes.grad.abs().sum(2)[0]
    assert pulls[0] > 20 * pulls[1] > 0
