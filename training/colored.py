"""Embed "red heart", "blue heart" ... for the things that single-color drawings show: `python -m training.colored`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from training import teacher
from training.data import COLORS, Corpus
from training.files import write_arrays


def colored_captions(corpus: Corpus) -> list[str]:
    """Every color before every short concrete caption that is not about a color itself."""
    texts = {corpus.texts[captions[0]] for captions in corpus.captions["mono"]}
    things = sorted(
        t for t in texts if t.count(" ") < 2 and corpus.wordnet.is_concrete(t) and not {*t.split()} & {*COLORS}
    )
    return [text for thing in things for color in COLORS if (text := f"{color} {thing}") not in corpus.index]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    known = [str(text) for text in np.load(options.captions)["texts"]]
    texts = colored_captions(Corpus(options.corpus, known))
    out = options.captions.with_name("colored.npz")
    write_arrays(out, texts=np.array(texts), vectors=teacher.embed(texts).astype(np.float16))
    print(f"{out}: {len(texts)} captions")


if __name__ == "__main__":
    main()
