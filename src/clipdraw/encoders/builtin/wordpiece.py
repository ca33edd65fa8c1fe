"""Texts to the numbers of word pieces, as BERT cuts them, with nothing but the standard library."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache

MAX_PIECES = 64
"""How many pieces of a text are read; `[CLS]` and `[SEP]` come on top."""

_LONGEST_WORD = 100  # characters; BERT reads longer words as unknown, too
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2FA1F), (0xF900, 0xFAFF))  # a word each, as in BERT


class _Role(Enum):
    """The part that a character plays in cutting a text into words."""

    LETTER = "part of a word"
    SYMBOL = "a word by itself"
    SPACE = "between words"
    IGNORED = "as if it were not there"


@lru_cache(maxsize=4096)
def _classify(character: str) -> tuple[_Role, str]:
    """The role of a character, and how a word spells it: in lower case, without accents."""
    if character in "\t\n\r ":
        return _Role.SPACE, ""
    category = unicodedata.category(character)
    if category[0] == "C" or character == "\ufffd":
        return _Role.IGNORED, ""
    if category[0] == "Z":
        return _Role.SPACE, ""
    code = ord(character)
    ideograph = any(first <= code <= last for first, last in _IDEOGRAPHS)
    symbol = character.isascii() and not character.isalnum()
    if ideograph or symbol or category[0] == "P":
        return _Role.SYMBOL, character
    decomposed = unicodedata.normalize("NFD", character.lower())
    return _Role.LETTER, "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def words(text: str) -> Iterator[tuple[int, str]]:
    """The words of `text`, each with where it starts: lower case, no accents, punctuation apart.

    Source: `BasicTokenizer` of Devlin et al., 2018, BERT (code release, uncased).
    """
    start, word = 0, ""
    for position, character in enumerate(text):
        role, spelled = _classify(character)
        if role is _Role.LETTER:
            start = start if word else position
            word += spelled
        elif role is not _Role.IGNORED:
            if word:
                yield start, word
            word = ""
            if role is _Role.SYMBOL:
                yield position, character
    if word:
        yield start, word


class WordPiece:
    """Text to the numbers of its pieces: greedy, longest match first.

    Args:
        pieces: the vocabulary, the piece's number being its place. Continuations start with `##`;
            `[PAD]`, `[UNK]`, `[CLS]` and `[SEP]` are among them.

    Source: Wu et al., 2016, arXiv 1609.08144, section 4.1, as in BERT.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._numbers = {piece: number for number, piece in enumerate(self.pieces)}
        self.pad, self.unknown, self.first, self.last = (
            self._numbers[special] for special in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
        )

    def __len__(self) -> int:
        return len(self.pieces)

    def encode_word(self, word: str) -> list[int]:
        """The pieces of one word; a word with a character that no piece has is one unknown piece."""
        if len(word) > _LONGEST_WORD:
            return [self.unknown]
        numbers, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._numbers.get(("##" if start else "") + word[start:end])
                if number is not None:
                    break
            else:
                return [self.unknown]
            numbers.append(number)
            start = end
        return numbers

    def encode(self, text: str, limit: int = MAX_PIECES) -> list[int]:
        """`[CLS]`, the first `limit` pieces of `text`, `[SEP]`."""
        numbers: list[int] = []
        for _, word in words(text):
            numbers += self.encode_word(word)
            if len(numbers) >= limit:
                break
        return [self.first, *numbers[:limit], self.last]

    def truncated_tail(self, text: str, limit: int = MAX_PIECES) -> str:
        """The end of `text` from the first word that isn't wholly within `limit` pieces; empty if all is."""
        count = 0
        for start, word in words(text):
            count += len(self.encode_word(word))
            if count > limit:
                return text[start:]
        return ""
