"""What a text may be read as: pictures are known for short names."""

from __future__ import annotations

import re

_ARTICLE = re.compile(r"^(an?|the)\s+", re.IGNORECASE)  # captions of drawings have none
_JOINT = re.compile(r"\s+(?:of|with|in|on|at|by|from|under|near)\s+", re.IGNORECASE)
_MEDIUM = re.compile(
    r"^(?:[\w-]+\s+){0,3}?(?:painting|drawing|sketch|picture|image|photo|photograph|illustration|icon|portrait)\s+of\s+",
    re.IGNORECASE,
)
_NUMBERS = (  # how a name ends in one number, and in the other; the first that fits
    (re.compile(r"(?<=[^aeiou])ies$"), "y"),
    (re.compile(r"(?<=s|x)es$|(?<=ch|sh)es$"), ""),
    (re.compile(r"(?<=[^su])s$"), ""),
    (re.compile(r"(?<=[^aeiou])y$"), "ies"),
    (re.compile(r"(?<=s|x)$|(?<=ch|sh)$"), "es"),
    (re.compile(r"$"), "s"),
)


def readings(text: str) -> list[str]:
    """The text without its medium and its article, and the names in it.

    Of "a sketch of a slice of ripe melon": "slice of ripe melon", "slice", "ripe melon", "melon".
    """
    whole = _ARTICLE.sub("", _MEDIUM.sub("", text.strip()))
    parts = [_ARTICLE.sub("", part) for part in _JOINT.split(whole)]
    last = [part.rsplit(" ", 1)[-1] for part in parts]
    return list(dict.fromkeys(reading for reading in (whole, *parts, *last) if reading))


def other_number(name: str) -> str:
    """The plural of a name, or the singular of a plural, if English is regular there: "cherry" of "cherries"."""
    ending, other = next(pair for pair in _NUMBERS if pair[0].search(name))
    return ending.sub(other, name, count=1)
