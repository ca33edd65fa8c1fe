"""The training of the image prior's network."""

import numpy as np
import pytest
import torch
from torch import nn

from training import imagine
from training.imagine import principal_components


def test_components_are_orthonormal_and_those_of_most_variance():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(500, 6)) * np.array([5.0, 4.0, 3.0, 0.1, 0.1, 0.1]) + 7
    mean, directions = principal_components(values, 3)
    assert np.allclose(mean, values.mean(0))
    assert np.allclose(directions @ directions.T, np.eye(3), atol=1e-6)
    left = values - mean - (values - mean) @ directions.T @ directions
    assert left.std() < 0.1


class Given(nn.Module):
    """Pictures that are what they are decoded to, whatever the text."""

    def __init__(self, codes):
        super().__init__()
        self.codes = nn.Parameter(codes)

    def forward(self, vectors):
        return self.codes.expand(len(vectors), -1, -1)

    def decode(self, codes):
        return codes


def test_the_nearest_picture_learns_most(monkeypatch):
    monkeypatch.setattr(imagine, "PICTURES", 2)
    model = Given(torch.tensor([[[0.0, 0.0], [3.0, 0.0]]]))
    value, nearest = imagine.loss(model, torch.zeros(1, 1), torch.tensor([[1.0, 0.0]]))
    value.backward()
    assert nearest.tolist() == [0]
    assert model.codes.grad[0].tolist() == [[-2.0, 0.0], [pytest.approx(4.0 * imagine._OTHERS), 0.0]]


def test_phrases_stand_for_their_caption(tmp_path):
    np.savez(
        tmp_path / "phrases.npz",
        texts=np.array(["poodle", "small dog", "sedan"]),
        captions=np.array(["dog", "dog", "car"]),
        vectors=np.array([[1.0, 0], [2.0, 0], [3.0, 0]], np.float16),
    )
    phrases = imagine.Phrases(tmp_path / "phrases.npz", {"cat": 0, "dog": 1, "car": 2})
    read = phrases.instead([0, 1, 2] * 100, torch.zeros(300, 2), np.random.default_rng(0))[:, 0].reshape(100, 3)
    assert [set(column.tolist()) for column in read.T] == [{0.0}, {0.0, 1.0, 2.0}, {0.0, 3.0}]
    assert 0.2 < (read[:, 1:] > 0).float().mean() < 0.5
