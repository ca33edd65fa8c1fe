"""Which captions name things that can be drawn, by WordNet."""

from __future__ import annotations

from pathlib import Path

# WordNet's lexicographer files of nouns that one can point at (wordnet.princeton.edu/documentation/lexnames5wn).
_CONCRETE = {"05": "animal", "06": "artifact", "08": "body", "13": "food", "17": "object"}
_CONCRETE |= {"18": "person", "19": "phenomenon", "20": "plant"}


class WordNet:
    """The words of English and the kind of thing a noun's first sense is.

    Args:
        folder: the `dict` folder of the WordNet database.
    """

    def __init__(self, folder: Path) -> None:
        kinds = {}
        for line in (folder / "data.noun").read_text().splitlines():
            if not line.startswith(" "):
                offset, kind = line.split(" ", 2)[:2]
                kinds[offset] = kind
        self.kind_of: dict[str, str] = {}
        self.words: set[str] = set()
        for part in ("noun", "verb", "adj", "adv"):
            for line in (folder / f"index.{part}").read_text().splitlines():
                if line.startswith(" "):
                    continue
                fields = line.split()
                lemma = fields[0].replace("_", " ")
                self.words.update(lemma.split())
                if part == "noun":
                    first_sense = fields[-int(fields[2])]
                    self.kind_of[lemma] = kinds[first_sense]

    def is_concrete(self, caption: str) -> bool:
        """Whether the caption, or its last word, names a thing that can be drawn."""
        kind = self.kind_of.get(caption) or self.kind_of.get(_singular(caption))
        if kind is None and " " in caption:
            last = caption.rsplit(" ", 1)[1]
            kind = self.kind_of.get(last) or self.kind_of.get(_singular(last))
            return kind in _CONCRETE and kind != "06"
        return kind in _CONCRETE

    def knows(self, caption: str) -> bool:
        """Whether every word is English."""
        return all(w in self.words or _singular(w) in self.words or len(w) < 4 for w in caption.split())


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") else word
