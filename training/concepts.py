"""Which captions name things that can be drawn, and what else such a thing may be called, by WordNet."""

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
        self._words_of: dict[str, list[str]] = {}
        self._broader: dict[str, list[str]] = {}
        for line in (folder / "data.noun").read_text().splitlines():
            if not line.startswith(" "):
                offset, kind, _, count, *rest = line.split(" | ")[0].split()
                kinds[offset] = kind
                names = 2 * int(count, 16)  # each with its number
                self._words_of[offset] = [word.replace("_", " ") for word in rest[:names:2]]
                pointers = rest[names + 1 :]
                self._broader[offset] = [pointers[i + 1] for i, sign in enumerate(pointers) if sign == "@"]
        self.kind_of: dict[str, str] = {}
        self.words: set[str] = set()
        self._first_sense: dict[str, str] = {}
        self._senses_met: dict[str, int] = {}
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
                    self._first_sense[lemma] = first_sense
                if part == "adj":
                    self._senses_met[lemma] = int(fields[-int(fields[2]) - 1])

    def is_concrete(self, caption: str) -> bool:
        """Whether the caption, or its last word, names a thing that can be drawn."""
        kind = self.kind_of.get(caption) or self.kind_of.get(_singular(caption))
        if kind is None and " " in caption:
            last = caption.rsplit(" ", 1)[1]
            kind = self.kind_of.get(last) or self.kind_of.get(_singular(last))
            return kind in _CONCRETE and kind != "06"
        return kind in _CONCRETE

    def narrower(self, captions: set[str], *, levels: int = 2) -> dict[str, list[str]]:
        """Other names of each caption and names of kinds of it: of "dog": "domestic dog", "poodle", "corgi".

        Names that WordNet writes with capitals, of persons and places and in Latin, are left out.

        Args:
            captions: the names that are wanted.
            levels: how far up a word's caption may be.
        """
        found: dict[str, list[str]] = {}
        for lemma, sense in self._first_sense.items():
            if lemma in captions or self.kind_of[lemma] not in _CONCRETE or lemma not in self._words_of[sense]:
                continue
            above = [sense]
            for _ in range(levels + 1):
                words = (word for one in above for word in self._words_of[one] if self._first_sense.get(word) == one)
                caption = next((word for word in words if word in captions), None)
                if caption is not None:
                    found.setdefault(caption, []).append(lemma)
                    break
                above = [broader for one in above for broader in self._broader[one]]
        return found

    def common_adjectives(self, count: int) -> list[str]:
        """The adjectives of which most senses were met in the texts that WordNet's makers have read, most first."""
        words = (word for word in self._senses_met if word.isalpha())
        return sorted(words, key=lambda word: (-self._senses_met[word], word))[:count]

    def knows(self, caption: str) -> bool:
        """Whether every word is English."""
        return all(w in self.words or _singular(w) in self.words or len(w) < 4 for w in caption.split())


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") else word
