"""Features of the backbone made ready for training, without the backbone."""

import numpy as np
import pytest

from tests.training.words import WORDS
from training import backbone
from training.data import Corpus


@pytest.fixture(autouse=True)
def brightness(monkeypatch):
    """In place of the network: the means of the channels."""
    monkeypatch.setattr(backbone, "features", lambda views: views.mean((2, 3)))


def test_single_color_drawings_are_described_if_they_show_things(folder, monkeypatch):
    corpus = Corpus(folder, WORDS)
    seen, rows = backbone.describe(corpus, "mono")
    assert rows.tolist() == corpus.rows["mono"].tolist()
    assert seen.shape == (len(rows), 3)
    monkeypatch.setattr(corpus.wordnet, "is_concrete", lambda text: text == "disc")
    _, rows = backbone.describe(corpus, "mono")
    captions = dict(zip(corpus.rows["mono"], corpus.captions["mono"], strict=True))
    assert {corpus.texts[captions[row][0]] for row in rows} == {"disc"}
    assert backbone.describe(corpus, "color")[1].tolist() == corpus.rows["color"].tolist()


def test_descriptions_are_unit_vectors_that_keep_what_varies_together():
    shared = np.random.default_rng(0).normal(size=(200, 2))
    noise = np.random.default_rng(1).normal(size=(200, 10))
    values = np.concatenate([np.repeat(shared, 5, 1) + 0.1 * noise, noise[:, :1]], 1)
    found = backbone.summarized(values, 2)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    directions = shared / np.linalg.norm(shared, axis=1, keepdims=True)
    assert np.abs(found @ found.T - directions @ directions.T).mean() < 0.1
