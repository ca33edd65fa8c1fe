"""The judge whose gradients draw."""

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from clipdraw import load_encoder
from training import batches, components, loop, pictures, train_drawer, train_prior
from training.things import catalogue
from training.unet import UNet


def new_trainer(module, things, **changed):
    """The trainer of either module."""
    o = options(**changed)
    given = batches.Maker(things, o.redrawn, o.redrawn_share, o.seed) if module is train_prior else things
    return module.Trainer(o, given)


@pytest.fixture(scope="module")
def things(folder):
    return catalogue(folder)


@pytest.fixture(autouse=True)
def small_prior(monkeypatch):
    """A prior that takes no time."""
    monkeypatch.setattr(train_prior, "UNet", lambda: UNet(channels=(64, 64, 64), blocks=(1, 1, 1), condition=32))


def options(**changed):
    plain = {"seed": 0, "batch": 16, "bank": 64, "rate": 1e-4, "steps": 100, "descent": 0.2, "keep": 0.99}
    plain |= {"radius": 8.0, "attack_steps": 1, "redrawn": Path("none"), "redrawn_share": 0.1}
    plain |= {"components": None, "pool": 64, "fresh": 8}
    return argparse.Namespace(**plain | changed)


def test_it_starts_as_the_encoder_that_ships(tmp_path, things):
    trainer = train_drawer.Trainer(options(), things)
    trainer.save(tmp_path / "checkpoint.pt")
    ours, shipped = train_drawer.TrainedEncoder(tmp_path / "checkpoint.pt"), load_encoder("builtin")
    views = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for one, other in (
        (ours.encode_image(views), shipped.encode_image(views)),
        (ours.encode_text(["a red cat"]), shipped.encode_text(["a red cat"])),
    ):
        assert (one.float() * other.float()).sum(1).min() > 0.99


@pytest.mark.parametrize("steps", [1, 2])
def test_attacks_stay_within_the_radius_and_raise_the_loss(things, steps):
    trainer = train_drawer.Trainer(options(attack_steps=steps), things)
    made = pictures.make(things, 16, np.random.default_rng(0))
    vectors = trainer._text.embed(made.captions)
    bank = trainer.model.targets(vectors).detach()
    same = (vectors @ vectors.T > 0.85) & ~torch.eye(16, dtype=torch.bool)
    torch.manual_seed(0)
    moved = train_drawer.attacked(trainer.model, made.views, bank, same, trainer.options)
    assert (moved - made.views).abs().max() <= 14 / 255 + 1e-5
    assert moved.min() >= 0
    assert moved.max() <= 1
    with torch.no_grad():
        plain, hard = (trainer.model.loss(v, bank, same) for v in (made.views, moved))
    assert hard > plain


def test_along_components_each_picture_is_shown_several_times(things, tmp_path):
    shown = pictures.make(things, 64, np.random.default_rng(0)).views[:, :, ::2, ::2].flatten(1) * 2 - 1
    np.savez(tmp_path / "components.npz", **components.principal(shown, 24))
    trainer = new_trainer(train_prior, things, components=tmp_path / "components.npz", pool=1000)
    for _ in range(4):
        trainer.train_step()
    assert trainer.pool.added == 8 * 16 + 4 * 8
    trainer.save(tmp_path / "checkpoint.pt")
    model = train_prior.load(tmp_path / "checkpoint.pt")
    assert isinstance(model, components.ComponentNet)
    assert torch.equal(model.directions, trainer.model.directions)
    train_prior.save_small(trainer.average, tmp_path / "small.pt")
    small = train_prior.load(tmp_path / "small.pt")
    assert (tmp_path / "small.pt").stat().st_size < (tmp_path / "checkpoint.pt").stat().st_size / 10
    for name, tensor in model.state_dict().items():
        assert (small.state_dict()[name] - tensor).abs().max() <= 0.01 * tensor.abs().max() + 1e-5, name


@pytest.mark.parametrize("module", [train_drawer, train_prior])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(things, tmp_path, module):
    whole, first = (new_trainer(module, things) for _ in range(2))
    losses = [whole.train_step() for _ in range(3)]
    assert first.train_step() == losses[0]
    first.save(tmp_path / "checkpoint.pt")
    again = new_trainer(module, things)
    again.load(tmp_path / "checkpoint.pt")
    assert [again.train_step() for _ in range(2)] == pytest.approx(losses[1:], rel=1e-3)


@pytest.mark.parametrize("module", [train_drawer, train_prior])
def test_a_file_stops_a_run_which_saves(things, tmp_path, module):
    (tmp_path / "stop").touch()
    loop.train(new_trainer(module, things), tmp_path)
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_run_logs_and_goes_on_from_what_it_saved(things, tmp_path):
    first, second = (new_trainer(train_drawer, things, steps=steps) for steps in (1, 2))
    loop.train(first, tmp_path)
    loop.train(second, tmp_path, log_every=1)
    assert second.step == 2
    (line,) = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert line["step"] == 2


def test_scribbles_are_called_that(things, monkeypatch):
    trainer = train_drawer.Trainer(options(batch=32), things)
    seen = []
    monkeypatch.setattr(
        type(trainer._text), "embed", lambda self, texts: seen.extend(texts) or torch.zeros(len(texts), 384)
    )
    views, _ = trainer.batch()
    assert [i for i, caption in enumerate(seen[:32]) if caption == "scribble"] == [0, 16]
    assert views[0].std() > 0.02, "strokes are painted over the empty picture"
    seen.clear()
    trainer.step = 1
    trainer.batch()
    assert "scribble" not in seen


def test_batches_made_ahead_are_those_that_would_be_made_now(things, tmp_path):
    things.save(tmp_path / "things.npz")
    source = tmp_path / "things.npz", tmp_path, 0.1, 3
    ahead, now = batches.Ahead(*source, workers=1), batches.Maker(*source)
    try:
        for step in (0, 1, 2, 7):  # a run that goes on begins elsewhere
            (shown, captions), (wanted, same) = ahead(step, 4), now(step, 4)
            assert np.array_equal(shown, wanted)
            assert captions == same
    finally:
        ahead.close()
