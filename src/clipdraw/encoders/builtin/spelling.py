"""Texts in the characters that the built-in encoder reads, emoji by their names; and the words that it does not know.

No piece of its vocabulary has a character beyond ASCII. A word with one is an unknown word, and to the encoder all
unknown words are one.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from typing import Literal

from clipdraw.encoders.builtin.text_tower import WordPiece, words
from clipdraw.errors import UnreadableError

_EMPTY = frozenset("a an and as at by for from in into is it its near of on or that the this to under with".split())
"""Words that say nothing by themselves."""
_SKINS = {"1-2": "light", "3": "medium light", "4": "medium", "5": "medium dark", "6": "dark"}
_FIRST_EMOJI = 0x1F000  # of symbols before, names call the filled ones black and the others white


def spell_out(text: str) -> str:
    """The text with symbols by name, `dog face` for an emoji, letters in other dress as letters, and plain punctuation.

    What has no such spelling stays as it is, other scripts for instance.
    """
    if text.isascii():
        return text
    return _COLORING.sub(r" \1 ", "".join(map(_spell, text)))


_COLORING = re.compile("\u200d (?:large )?(\\w+) (?:large )?square ")
"""A square that is joined to an emoji gives it its color: a cat and a black square are a black cat."""


@lru_cache(maxsize=4096)
def _spell(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Me":  # the square around the digit of a keycap
        return ""
    if category == "Nd":
        return str(unicodedata.digit(character))
    if _without_accents("NFD", character.lower()).isascii():
        return character
    if (plain := _without_accents("NFKD", character.casefold())).isascii():
        return plain
    if letters := _LATIN.match(unicodedata.name(character, "")):  # such as o with a stroke
        return letters[1].lower()
    if category[0] == "P":
        return _punctuation(character, category)
    return f" {name} " if category[0] in "SN" and (name := _name(character)) else character


_LATIN = re.compile(r"LATIN (?:SMALL|CAPITAL) (?:LETTER|LIGATURE) ([A-Z]{1,2})(?: WITH .*)?$")


def _without_accents(form: Literal["NFD", "NFKD"], character: str) -> str:
    return "".join(c for c in unicodedata.normalize(form, character) if unicodedata.category(c) != "Mn")


def _punctuation(character: str, category: str) -> str:
    if category in ("Pi", "Pf"):
        return "'" if "SINGLE" in unicodedata.name(character, "") else '"'
    return "-" if category == "Pd" else " "


def _name(character: str) -> str:
    """The name of a symbol in the words that one would use; empty if there is none."""
    name = unicodedata.name(character, "")
    if skin := re.fullmatch(r"EMOJI MODIFIER FITZPATRICK TYPE-(.*)", name):
        return f"{_SKINS[skin[1]]} skin tone"
    if name.startswith("REGIONAL INDICATOR"):  # half a flag
        return ""
    said = re.findall(r"[a-z0-9]+", name.lower().removeprefix("lower left "))
    if ord(character) < _FIRST_EMOJI and said and said[-1] not in ("circle", "square"):
        said = [word for word in said if word not in ("black", "white", "heavy")]
    return " ".join(said)


def unknown_words(text: str, pieces: WordPiece) -> tuple[str, ...]:
    """The words of a text that pieces cannot spell, as they are written.

    Raises:
        UnreadableError: there is no other word that says something.
    """
    unknown: list[str] = []
    said: list[str] = []
    for written in text.split():
        spelled = [word for _, word in words(spell_out(written))]
        read = [word for word in spelled if pieces.unknown not in pieces.encode_word(word)]
        if len(read) < len(spelled) or any(unicodedata.category(c) in ("Cn", "Co") for c in written):
            unknown.append(written.strip(string.punctuation) or written)
        said += read
    if not any(word.isalnum() and word not in _EMPTY for word in said) if unknown else not said:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise UnreadableError(
            f"the built-in encoder knows no word of {shown!r}: it reads English; say it with English nouns, "
            "or let a CLIP judge it, such as --encoder openai/clip-vit-base-patch32"
        )
    return tuple(dict.fromkeys(unknown))
