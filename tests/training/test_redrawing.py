"""Training pictures that strokes have painted."""

import numpy as np
import pytest
import torch

from training import pictures, redrawing
from training.things import catalogue


@pytest.fixture(scope="module")
def painted():
    """Sixteen discs of different colors, and what 24 strokes make of them after different numbers of steps."""
    y, x = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
    inside = ((x**2 + y**2).sqrt() < 20).float()
    colors = torch.rand(16, 3, 1, 1, generator=torch.Generator().manual_seed(0)) * 0.8
    wanted = 1 - inside * (1 - colors)
    keep_at = [0] * 4 + [8] * 4 + [30] * 8
    return wanted, redrawing.redrawn(wanted, 24, keep_at=keep_at, generator=torch.Generator().manual_seed(0))


def test_strokes_come_nearer_to_the_picture_with_every_step(painted):
    wanted, found = painted
    apart = (wanted - found).square().mean((1, 2, 3))
    assert apart[8:].max() < 0.02
    assert apart[8:].mean() < 0.5 * apart[4:8].mean()
    assert apart[4:8].mean() < 0.5 * apart[:4].mean()


def test_strokes_stay_on_their_own_tile(painted):
    wanted, found = painted
    border = torch.ones(64, 64, dtype=torch.bool)
    border[1:-1, 1:-1] = False
    assert (found[8:][..., border] - 1).abs().mean() < 0.1, "no neighbor paints over the edge"
    middles = found[8:, :, 28:36, 28:36].mean((2, 3))
    assert (middles - wanted[8:, :, 32, 32]).abs().max() < 0.25


def test_shards_are_the_same_every_time_and_hold_scribbles(folder, monkeypatch):
    monkeypatch.setattr(redrawing, "SHARD", 32)
    monkeypatch.setattr(redrawing, "_STEPS", 28)
    monkeypatch.setattr(redrawing, "_COUNTS", (16,))
    monkeypatch.setattr(redrawing, "_NOT_BEGUN", 0.2)
    things = catalogue(folder)
    shown, captions = redrawing._shard(things, 0, 1)
    again, same = redrawing._shard(things, 0, 1)
    assert shown.shape == (32, 3, 64, 64)
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, again)
    assert captions == same
    assert 1 <= captions.count("scribble") <= 16


def test_redrawn_pictures_are_mixed_in(folder, tmp_path):
    things, generator = catalogue(folder), np.random.default_rng(0)
    made = pictures.make(things, 64, generator)
    none = redrawing.Redrawn.load(tmp_path)
    assert none.mix_into(made, 0.5, generator) is made
    some = redrawing.Redrawn(np.full((3, 3, 64, 64), 7, np.uint8), ["one", "two", "three"])
    mixed = some.mix_into(made, 0.5, generator)
    where = [i for i, medium in enumerate(mixed.media) if medium == "strokes"]
    assert 16 < len(where) < 48
    assert {mixed.captions[i] for i in where} == {"one", "two", "three"}
    assert (mixed.views[where] == 7 / 255).all()
    kept = [i for i in range(64) if i not in where]
    assert torch.equal(mixed.views[kept], made.views[kept])
