"""Meanings of captions by WordNet, here a dictionary of six nouns and two adjectives."""

import pytest

from training.concepts import WordNet
from training.data import Corpus
from training.phrases import phrases_of

NOUNS = """00000001 05 n 01 animal 0 000 | alive
00000002 05 n 02 dog 0 domestic_dog 0 001 @ 00000001 n 0000 | a mammal
00000003 05 n 01 poodle 0 001 @ 00000002 n 0000 | curly | really
00000004 05 n 01 toy_poodle 0 001 @ 00000003 n 0000 | small
00000005 09 n 01 hope 0 000 | a feeling
"""
INDEX = """animal n 1 0 1 1 00000001
dog n 1 1 @ 1 1 00000002
domestic_dog n 1 1 @ 1 0 00000002
poodle n 1 1 @ 1 0 00000003
toy_poodle n 1 1 @ 1 0 00000004
hope n 1 0 1 1 00000005
"""


@pytest.fixture
def dictionary(tmp_path):
    files = {"data.noun": NOUNS, "index.noun": INDEX, "index.verb": "", "index.adv": ""}
    files["index.adj"] = "big a 2 0 2 1 00000007 00000008\nred a 2 0 2 2 00000009 00000010\n"
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return WordNet(tmp_path)


def test_things_that_can_be_pointed_at_are_concrete(dictionary):
    assert dictionary.is_concrete("dogs")
    assert not dictionary.is_concrete("hope")


def test_kinds_and_other_names_stand_for_the_nearest_caption_above(dictionary):
    assert dictionary.narrower({"dog", "animal"}) == {"dog": ["domestic dog", "poodle", "toy poodle"]}
    assert dictionary.narrower({"animal"}, levels=1) == {"animal": ["dog", "domestic dog"]}


def test_the_adjectives_that_are_used_most_come_first(dictionary):
    assert dictionary.common_adjectives(2) == ["red", "big"]
    assert dictionary.common_adjectives(1) == ["red"]


def test_phrases_add_adjectives_and_leave_captions_out(folder, monkeypatch):
    corpus = Corpus(folder, ["square", "disc", "ring", "cross", "big ring"])
    monkeypatch.setattr(corpus.wordnet, "common_adjectives", lambda count: ["big", "blue", "tall", "odd"])
    found = phrases_of(corpus)
    assert ("tall ring", "ring") in found
    assert ("big ring", "ring") not in found
    assert len(found) == 4 * 3 - 1
