"""Which drawings become exemplars."""

from types import SimpleNamespace

import pytest
import torch

from training.exemplars import Candidate, candidates, chosen

NAMES = ("cat", "house cat", "dog", "idea")


def corpus():
    """Four colored drawings of the preferred set and of another, and one in one paint."""
    return SimpleNamespace(
        texts=NAMES,
        rows={"color": [10, 11, 12, 13], "mono": [20, 21]},
        captions={"color": [[0], [1], [2], [3]], "mono": [[2], [3]]},
        sets={"color": ["noto", "marketeq", "marketeq", "marketeq"], "mono": ["lucide", "lucide"]},
        wordnet=SimpleNamespace(is_concrete=lambda caption: caption != "idea"),
    )


VECTORS = torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0], [1, 0.2, 0], [0, 1, 0], [0, 0, 1]]), dim=1)


def test_ideas_and_what_the_judge_learns_from_are_left_out():
    found = candidates(corpus())
    assert [(one.kind, one.row, one.preferred) for one in found] == [
        ("color", 10, True),
        ("color", 11, False),
        ("color", 12, False),
        ("mono", 20, False),
    ]
    others = corpus()
    others.sets["color"] = ["twemoji"] * 4  # in the judge's split
    assert [one.kind for one in candidates(others)] == ["mono"]
    others.sets["color"] = ["openclipart", "streamline-kameleon-color"] * 2  # loose titles; things on discs
    assert [one.kind for one in candidates(others)] == ["mono"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("no bicycles", False),
        ("not accessible forward", False),
        ("non potable water", False),
        ("baseline no stroller", False),
        ("do not touch", False),
        ("bell with slash", False),
        ("mobile phone off", False),
        ("muted speaker", False),
        ("prohibited", False),
        ("block", False),
        ("crossed swords", True),
        ("tear off calendar", True),
        ("speak no evil monkey", True),
        ("notebook", True),
        ("office building", True),
        ("nonagon", True),
        ("building blocks", True),
    ],
)
def test_signs_on_which_a_thing_is_crossed_out_are_left_out(name, kept):
    others = corpus()
    others.texts = (name, *NAMES[1:])
    assert (0 in {one.caption for one in candidates(others)}) is kept


def test_a_name_that_means_the_same_as_a_better_drawings_is_left_out():
    found = [Candidate("color", 10, 0, True), Candidate("color", 11, 1, False), Candidate("color", 12, 2, False)]
    kept = chosen(corpus(), found, torch.zeros(3), torch.zeros(3), VECTORS)
    assert [one.row for one in kept] == [12, 10]  # dogs are in two sets


def test_the_drawing_that_is_told_best_comes_first_and_unknown_ones_never():
    found = [Candidate("color", row, 2, False) for row in (1, 2, 3)] + [Candidate("mono", 4, 2, False)]
    kept = chosen(corpus(), found, torch.tensor([0, 0, 99, 0]), torch.tensor([-2.0, -1.0, 0.0, 0.0]), VECTORS)
    assert [one.row for one in kept] == [2, 1]
