"""The training of the image side, on a corpus of a few squares and discs."""

import argparse

import numpy as np
import pytest
import torch

from tests.training.words import WORDS
from training import attacks
from training.data import COLORS, DESCRIBED, Batch, Corpus, split_for_judge
from training.judge import JudgeTower
from training.train import Trainer, attacked, forbidden_pairs, held_out_rank

TEXTS = ["scribble", *WORDS, *(f"{color} {word}" for color in COLORS for word in WORDS)]


def trainer(folder, descriptions=None, **changes):
    settings = {"batch": 8, "bank": 16, "rate": 1e-3, "steps": 6, "descent": 0.3, "robust_from": 1, "robust_full": 2}
    settings |= {"role": "encoder", "radius": [1.0], "attacked": 1.0, "strokes": 0.0, "described": 0.0, "seed": 0}
    options = argparse.Namespace(**{**settings, **changes})
    vectors = torch.nn.functional.normalize(torch.randn(len(TEXTS), 384, generator=torch.Generator().manual_seed(0)))
    return Trainer(options, Corpus(folder, TEXTS, descriptions=descriptions), vectors.half())


def test_a_batch_is_made_of_training_pictures_in_named_colors(folder):
    corpus = Corpus(folder, TEXTS)
    batch = corpus.batch(64, np.random.default_rng(0))
    assert batch.views.shape == (64, 3, 64, 64)
    assert batch.views.min() >= 0
    assert batch.views.max() <= 1
    said = [TEXTS[i] for i in batch.captions[35:].tolist()]
    rivals = [TEXTS[i] for i in batch.rivals[35:].tolist()]
    pairs = [(a, b) for a, b in zip(said, rivals, strict=True) if " " in a]
    assert len(pairs) > 10
    assert sum(a.split()[1] == b.split()[1] and a != b for a, b in pairs) == len(pairs)
    assert all(row >= 4 for rows in corpus.rows.values() for row in rows)


def test_the_same_step_makes_the_same_batch(folder):
    first, second = (Corpus(folder, TEXTS).batch(8, np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(first.views, second.views)
    assert torch.equal(first.captions, second.captions)


def test_captions_of_one_meaning_are_not_told_apart():
    vectors = torch.eye(5)
    vectors[4] = vectors[0]
    forbidden = forbidden_pairs(vectors, 2)
    assert forbidden.tolist() == [[False, False, False, False, True], [False] * 5]


@pytest.mark.parametrize("scribbled", [False, True])
def test_an_attack_raises_the_loss_and_leaves_the_model_alone(folder, scribbled):
    run = trainer(folder)
    views = torch.rand(16, 3, 64, 64)
    batch = Batch(views, torch.zeros(16), torch.zeros(16), torch.zeros(16, DESCRIBED), scribbled)
    bank = torch.nn.functional.normalize(torch.randn(40, 384))
    forbidden = torch.zeros(16, 40, dtype=torch.bool)
    torch.manual_seed(0)
    moved = attacked(run.model, batch, bank, forbidden, 1.0)
    assert moved.min() >= 0
    assert moved.max() <= 1
    if not scribbled:
        assert 0 < (moved - views).abs().max() <= 14 / 255 + 1e-6
    assert all(p.requires_grad for p in run.model.parameters())
    assert run.model.training
    run.model.eval()
    after, before = (run.model.loss(run.model.image(seen), bank, forbidden)[0] for seen in (moved, views))
    assert after > before


def test_strokes_cover_some_of_each_view_and_move_against_the_objective():
    views, found = torch.full((16, 3, 64, 64), 0.5), {}

    def darkness(seen):
        return -seen.sum()

    for steps in (0, 3):
        torch.manual_seed(1)
        found[steps] = attacks.add_strokes(views, darkness, steps=steps)
    changed = (found[0] != views).any(1).float().mean((1, 2))
    assert (changed > 0.02).all()
    assert (changed < 0.9).all()
    assert darkness(found[3]) > darkness(found[0])


def test_a_batch_for_strokes_has_empty_pictures_that_are_called_scribbles(folder):
    batch = Corpus(folder, TEXTS).batch(32, np.random.default_rng(0), scribbled=True)
    called = [i for i, c in enumerate(batch.captions.tolist()) if TEXTS[c] == "scribble"]
    assert called == [0, 16]
    assert batch.scribbled


def test_the_judge_learns_from_what_the_encoder_never_sees(folder):
    assert split_for_judge({"set": "openmoji", "split": "test"}) == "train"
    sets = [f"set {i}" for i in range(300)]
    held_out = [name for name in sets if split_for_judge({"set": name, "split": "train"}) == "test"]
    assert 70 < len(held_out) < 130
    assert Corpus(folder, TEXTS, role="judge").rows["color"][0] == 0
    assert JudgeTower()(torch.rand(2, 3, 64, 64)).shape == (2, 384)
    assert np.isfinite(trainer(folder, role="judge").train_step()[0])


def test_embeddings_learn_to_tell_the_descriptions_that_there_are(folder, tmp_path):
    corpus = Corpus(folder, TEXTS)
    told = np.random.default_rng(0).normal(size=(4, DESCRIBED)).astype(np.float16)
    told /= np.linalg.norm(told, axis=1, keepdims=True)
    rows = corpus.rows["color"][2:6]
    path = tmp_path / "described.npz"
    np.savez(path, color=told, color_rows=rows, mono=told[:0], mono_rows=rows[:0])
    corpus = Corpus(folder, TEXTS, descriptions=path)
    found = corpus.batch(64, np.random.default_rng(0)).descriptions
    assert {round(float(norm), 2) for norm in found[:35].norm(dim=1)} == {0.0, 1.0}
    assert not found[35:].any()
    run = trainer(folder)
    embeddings = torch.nn.functional.normalize(torch.randn(64, 384))
    off = run.model.misdescribed(embeddings, found)
    run.model.describe.weight.data = torch.linalg.pinv(embeddings[:35]).matmul(found[:35]).T
    assert run.model.misdescribed(embeddings, found) < 0.01 < off
    learning = trainer(folder, path, described=2.0)
    before = learning.model.describe.weight.clone()
    assert np.isfinite(learning.train_step()[0])
    assert not torch.equal(learning.model.describe.weight, before)
    np.savez(path, color=told, color_rows=rows - 4, mono=told[:0], mono_rows=rows[:0])
    with pytest.raises(SystemExit, match="another corpus"):
        Corpus(folder, TEXTS, descriptions=path)


def test_training_goes_on_from_a_checkpoint_as_if_unbroken(folder, tmp_path):
    unbroken = trainer(folder)
    losses = [unbroken.train_step()[0] for _ in range(3)]
    first = trainer(folder)
    for _ in range(2):
        first.train_step()
    first.save(tmp_path / "checkpoint.pt")
    second = trainer(folder)
    second.load(tmp_path / "checkpoint.pt")
    assert second.train_step()[0] == losses[2]


def test_the_rate_rises_stays_and_falls(folder):
    run = trainer(folder, steps=1000)
    rates = []
    for step in (0, 100, 400, 900, 999):
        run.step = step
        rates.append(run.rate())
    assert rates[0] < rates[1] < rates[2]
    assert rates[2] > rates[3] > rates[4] > 0


def test_the_attack_grows_and_is_smaller_in_later_parts_of_the_training(folder):
    run = trainer(folder, steps=900, robust_from=10, robust_full=20, radius=[1.0, 0.6, 0.45])
    strengths = []
    for step in (10, 15, 20, 299, 300, 600, 899, 900):
        run.step = step
        strengths.append(run.strength())
    assert strengths == [0.0, 0.5, 1.0, 1.0, 0.6, 0.45, 0.45, 0.45]


def test_held_out_pictures_are_ranked(folder):
    run = trainer(folder)
    found = held_out_rank(run.average, Corpus(folder, TEXTS, split="test"), run.vectors)
    assert found["of"] == 4
    assert 0 <= found["top1"] <= found["top5"] <= 1
