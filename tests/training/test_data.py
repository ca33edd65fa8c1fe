"""How training pictures are changed."""

import numpy as np
import torch

from training import data


def test_single_color_drawings_come_bolder_thinner_and_as_outlines():
    alpha = torch.zeros(200, 24, 24)
    alpha[:, 6:18, 6:18] = 1.0
    styled = data._restyled(alpha, np.random.default_rng(0))
    ink = styled.sum((1, 2)).tolist()
    kinds = {144.0: "as it was", 196.0: "bolder", 100.0: "thinner", 96.0: "outline"}
    assert set(ink) == set(kinds)
    assert 0.35 < ink.count(144.0) / 200 < 0.65
    assert not styled[ink.index(96.0), 12, 12]


def test_thin_lines_are_not_thinned_away():
    alpha = torch.zeros(100, 24, 24)
    alpha[:, 12] = 1.0
    assert (data._restyled(alpha, np.random.default_rng(0)).sum((1, 2)) >= 24).all()


def test_some_pictures_get_dark_lines_and_some_are_lines_alone():
    rgba = torch.zeros(200, 4, 24, 24)
    rgba[:, 0, 6:18, 6:18] = rgba[:, 3, 6:18, 6:18] = 1.0
    styled = data._outlined(rgba, np.random.default_rng(0))
    assert (styled[:, :3] <= styled[:, 3:] + 1e-6).all()
    changed = (styled != rgba).flatten(1).any(1)
    assert 0.15 < changed.float().mean() < 0.35
    alone = ~styled[:, :3].flatten(1).any(1)
    assert 0.03 < alone.float().mean() < 0.2
    lined = styled[changed & ~alone][0]
    assert torch.equal(lined[:, 12, 12], rgba[0, :, 12, 12])
    assert lined[0, 6, 12] < 0.1
    assert lined[3, 6, 12] == 1
