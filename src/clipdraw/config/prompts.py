"""Texts and their weights as they are written by hand: `TEXT` or `TEXT:WEIGHT`."""

from __future__ import annotations

import math
import re

from clipdraw.errors import InputError
from clipdraw.optimization.losses import Prompt

NEGATIVE_WEIGHT = 0.3
"""Weight of a negative prompt against a prompt's 1. Source: Frans et al. 2021 (CLIPDraw), section 4.6."""

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
"""A weight as it is written, as a regular expression."""
_QUOTED = re.compile(rf'\s*"(?P<text>[^"]*)"(?::(?P<weight>{NUMBER}))?\s*', re.DOTALL)
_PLAIN = re.compile(rf"(?P<text>.*\S):(?P<weight>{NUMBER})\s*", re.DOTALL)
_TIME = re.compile(r".*\d:\d+\s*", re.DOTALL)


def parse_weighted(text: str, default: float = 1.0) -> tuple[str, float]:
    """The text and weight of `TEXT[:WEIGHT]`.

    A colon belongs to the text if no number follows it at once and to the end, and in a time or a ratio: a whole
    number after a digit, as in `a clock at 12:30`. In double quotes everything is text: `"route 66":2`,
    `"Time: 12:30"`.

    Args:
        text: as written.
        default: the weight if there is none.

    Raises:
        InputError: the weight is not above 0.
    """
    found = _QUOTED.fullmatch(text)
    if found is None and not _TIME.fullmatch(text):
        found = _PLAIN.fullmatch(text)
    if found is None:
        return text, default
    if found["weight"] is None:
        return found["text"], default
    weight = float(found["weight"])
    if not 0 < weight < math.inf:
        raise InputError(
            f"a weight is above 0, got {found['weight']} in {text!r}: what to stay away from is a negative prompt; "
            "double quotes make all of it text"
        )
    return found["text"], weight


def parse_prompts(wanted: tuple[str, ...], unwanted: tuple[str, ...]) -> tuple[Prompt, ...]:
    """The prompts of texts to draw and of texts to stay away from, in this order.

    Raises:
        InputError: a text is blank or a weight is not above 0.
    """
    negative = (parse_weighted(text, NEGATIVE_WEIGHT) for text in unwanted)
    return (
        *(Prompt(text, weight) for text, weight in map(parse_weighted, wanted)),
        *(Prompt(text, -weight) for text, weight in negative),
    )


def title_of(prompts: tuple[Prompt, ...]) -> str:
    """All prompts in one line, with the weights that are not the usual ones: `a cat:2, watercolor, not text`."""
    return ", ".join(f"not {written(prompt)}" if prompt.weight < 0 else written(prompt) for prompt in prompts)


def written(prompt: Prompt) -> str:
    """The prompt as `parse_weighted` reads it: its text, and its weight if it is not the usual one of its sign."""
    usual, weight = (1.0 if prompt.weight > 0 else NEGATIVE_WEIGHT), abs(prompt.weight)
    mark = "" if weight == usual else f":{weight:g}"
    plain = prompt.text + mark
    return plain if parse_weighted(plain, usual) == (prompt.text, weight) else f'"{prompt.text}"{mark}'
