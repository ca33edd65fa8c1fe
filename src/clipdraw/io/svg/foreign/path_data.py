"""Path data and lists of points by SVG's grammar, up to the first error.

Source: SVG 2, sections 9.3.9 and 9.5.4. Numbers may also end in a point, as in SVG 1.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

Command = tuple[str, list[float]]
"""A letter, and the numbers of one or more commands of that kind."""

NUMBER = r"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?"
_SPACE = r"[ \t\r\n\f]*+"
_COMMA = rf"{_SPACE},?{_SPACE}"
_ARC = _COMMA.join([NUMBER] * 3 + ["[01]"] * 2 + [NUMBER] * 2)
_ARITY = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "t": 2, "a": 7, "z": 0}

_NUMBER = re.compile(NUMBER)
_NUMBERS = re.compile(rf"{NUMBER}(?:{_COMMA}{NUMBER})*+")
_ARCS = re.compile(rf"{_ARC}(?:{_COMMA}{_ARC})*+")
_ARC_NUMBERS = re.compile(_COMMA.join(f"({part})" for part in [NUMBER] * 3 + ["[01]"] * 2 + [NUMBER] * 2))
_LETTER = re.compile(rf"{_SPACE}([MmZzLlHhVvCcSsQqTtAa]){_SPACE}")
_BLANK = re.compile(_SPACE)


def path_commands(data: str) -> tuple[list[Command], bool]:
    """The commands of path data up to its first error, and whether there is none."""
    if data.strip() in ("", "none"):
        return [], True
    commands: list[Command] = []
    at = 0
    while letter := _LETTER.match(data, at):
        at = letter.end()
        numbers, end = _numbers(data, at, arcs=letter[1] in "aA")
        arity = _ARITY[letter[1].lower()]
        whole = len(numbers) - len(numbers) % arity if arity else 0
        if (not commands and letter[1] not in "mM") or bool(arity) != bool(whole):
            return commands, False
        commands.append((letter[1], numbers[:whole]))
        if len(numbers) != whole:
            return commands, False
        at = end
    return commands, _ends(data, at)


def points(text: str) -> tuple[list[float], bool]:
    """The coordinates of a list of points up to its first error, and whether there is none."""
    at = _start(text)
    numbers, end = _numbers(text, at, arcs=False)
    whole = len(numbers) - len(numbers) % 2
    return numbers[:whole], whole == len(numbers) and _ends(text, end)


def numbers_of(text: str) -> list[float] | None:
    """All numbers of a list; None if it holds anything else."""
    numbers, end = _numbers(text, _start(text), arcs=False)
    return numbers if _ends(text, end) else None


def single_commands(commands: list[Command]) -> Iterator[Command]:
    """The commands one by one; further pairs after a move are lines."""
    for letter, numbers in commands:
        arity = _ARITY[letter.lower()]
        if not arity:
            yield letter, []
        following = {"m": "l", "M": "L"}.get(letter, letter)
        for at in range(0, len(numbers), arity or 1):
            yield following if at else letter, numbers[at : at + arity]


def _numbers(text: str, at: int, *, arcs: bool) -> tuple[list[float], int]:
    """The numbers from here on, and where they end."""
    match = (_ARCS if arcs else _NUMBERS).match(text, at)
    if match is None:
        return [], at
    if arcs:
        return [float(part) for group in _ARC_NUMBERS.findall(match[0]) for part in group], match.end()
    return list(map(float, _NUMBER.findall(match[0]))), match.end()


def _start(text: str) -> int:
    blank = _BLANK.match(text)
    return blank.end() if blank else 0


def _ends(text: str, at: int) -> bool:
    blank = _BLANK.match(text, at)
    return blank is not None and blank.end() == len(text)
