"""Embed other texts that a caption's drawing may stand for: `python -m training.phrases`.

"poodle" and "domestic dog" are drawn as "dog" is, and so is "small dog". The image prior learns from them, so that
it has pictures for texts that caption no drawing.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch

from training import teacher
from training.data import COLORS, Corpus
from training.files import write_arrays
from training.train import stored_vectors

_ADJECTIVES, _ADJECTIVES_EACH, _KINDS_EACH = 300, 3, 12
_OF_COLOR = {
    *COLORS,
    "white",
    "silver",
    "golden",
    "light",
    "dark",
    "pale",
    "bright",
}  # "blue cat" is no cat of any color


def phrases_of(corpus: Corpus) -> list[tuple[str, str]]:
    """Pairs of a text and the caption it may stand for."""
    pick = random.Random(0)
    named = {corpus.texts[captions[0]] for of_kind in corpus.captions.values() for captions in of_kind}
    things = sorted(text for text in named if text.count(" ") < 2 and corpus.wordnet.is_concrete(text))
    adjectives = [a for a in corpus.wordnet.common_adjectives(_ADJECTIVES) if a not in _OF_COLOR]
    pairs = [(f"{a} {thing}", thing) for thing in things for a in pick.sample(adjectives, _ADJECTIVES_EACH)]
    for thing, kinds in sorted(corpus.wordnet.narrower({*things}).items()):
        pairs += [(kind, thing) for kind in pick.sample(kinds, min(_KINDS_EACH, len(kinds)))]
    return [(text, thing) for text, thing in pairs if text not in corpus.index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    known, _ = stored_vectors(options.captions)
    texts, things = zip(*phrases_of(Corpus(options.corpus, known)), strict=True)
    out = options.captions.with_name("phrases.npz")
    vectors = teacher.embed(list(texts)).astype(np.float16)
    write_arrays(out, texts=np.array(texts), captions=np.array(things), vectors=vectors)
    print(f"{out}: {len(texts)} phrases")


if __name__ == "__main__":
    main()
