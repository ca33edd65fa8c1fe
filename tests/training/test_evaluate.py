"""The measures of a trained tower, on drawings that tell their label by their brightness."""

import json

import pytest
import torch
from torch import nn

from clipdraw import Drawing
from tests.training.words import WORDS
from training import evaluate, precision
from training.data import Corpus


class Brightness(nn.Module):
    """A view's unit vector turns with its mean brightness."""

    def forward(self, views):
        angle = views.float().mean((1, 2, 3)) * torch.pi / 2
        return torch.stack([angle.cos(), angle.sin()], 1)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.log_scale = Brightness(), torch.tensor(3.0)

    def targets(self, vectors):
        return vectors


def concepts(margin):
    """Two concepts, dark and bright, and views that are `margin` from the border between them."""
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    views = torch.stack([torch.full((3, 8, 8), 0.5 - margin), torch.full((3, 8, 8), 0.5 + margin)])
    return evaluate.Concepts(["dark", "bright"], vectors, views, torch.tensor([0, 1]))


def test_an_attack_turns_only_what_is_within_its_radius():
    assert evaluate.top1(Model(), concepts(3 / 255), attacked=False) == 1.0
    assert evaluate.top1(Model(), concepts(3 / 255), attacked=True) == 0.0
    assert evaluate.top1(Model(), concepts(5 / 255), attacked=True) == 1.0


def test_retrieval_ranks_the_first_drawing_of_each_concept():
    apart = concepts(0.3)
    assert evaluate.retrieval(Model(), apart) == {"top1": 1.0, "top5": 1.0, "of": 2}
    swapped = evaluate.Concepts(apart.names, apart.vectors, apart.views, torch.tensor([1, 0]))
    assert evaluate.retrieval(Model(), swapped)["top1"] == 0.0


def test_common_concepts_are_those_of_most_sets_without_twins(folder):
    corpus, test = (Corpus(folder, WORDS, split=split) for split in ("train", "test"))
    corpus.sets = {kind: [f"set {i}" for i in range(len(rows))] for kind, rows in corpus.rows.items()}
    vectors = torch.eye(4)
    vectors[3] = vectors[0]
    assert set(evaluate.common_concepts(corpus, test, vectors, count=4).names) == {WORDS[0], WORDS[1], WORDS[2]}
    assert len(evaluate.common_concepts(corpus, test, vectors, count=2, concrete=False).names) == 2


def test_there_are_a_hundred_prompts_in_three_groups():
    groups = list(precision.prompts().values())
    assert [groups.count(name) for name in precision.GROUPS] == [40, 40, 20]


class Judge:
    """Ranks first whatever prompt it was told to."""

    name, view_size, dimensions, device = "judge", 8, 1, torch.device("cpu")

    def __init__(self, favorite):
        self.favorite = favorite

    def encode_text(self, texts):
        return torch.tensor([[1.0 if text == self.favorite else 0.0] for text in texts])

    def encode_image(self, views):
        return torch.ones(len(views), 1)

    def truncated_tail(self, text):
        return ""


@pytest.fixture
def drawings(tmp_path):
    for prompt in ("a house", "a red heart"):
        drawing = Drawing(torch.rand(4, 2) * 200, torch.ones(1), torch.rand(1, 4), (1,))
        drawing.save(precision.path_of(tmp_path, prompt, 0))
    return tmp_path


def test_precision_is_the_share_ranked_first(drawings):
    found = precision.r_precision(drawings, Judge("a house"), seeds=3)
    assert found == {"captions": 1.0, "unseen": -1, "colored": 0.0, "all": 0.5, "of": 2}


def test_sheets_hold_numbers_and_the_key_the_prompts(drawings, tmp_path):
    precision.write_sheets(drawings, tmp_path / "sheets")
    assert (tmp_path / "sheets" / "sheet-1.png").stat().st_size > 1000
    key = json.loads((tmp_path / "sheets" / "key.json").read_text())
    assert sorted(key) == ["1", "2"]
    assert set(key.values()) == {"a house", "a red heart"}
