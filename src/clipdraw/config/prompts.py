"""Texts, their weights and places as they are written by hand: `TEXT`, `TEXT:WEIGHT`, `TEXT:WEIGHT@PLACE`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from clipdraw.errors import InputError
from clipdraw.framing import WHOLE, Box
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


PLACES = {
    **{f"{v} {h}".strip(): Box(x, y, x + w, y + t)
       for v, y, t in (("top", 0.0, 0.5), ("bottom", 0.5, 0.5), ("", 0.0, 1.0))
       for h, x, w in (("left", 0.0, 0.5), ("right", 0.5, 0.5), ("", 0.0, 1.0)) if v or h},
    "center": Box(0.25, 0.25, 0.75, 0.75),
    **{f"{name} third": Box(i / 3, 0.0, (i + 1) / 3, 1.0) for i, name in enumerate(("left", "center", "right"))},
    **{f"{name} third": Box(0.0, i / 3, 1.0, (i + 1) / 3) for i, name in enumerate(("top", "middle", "bottom"))},
}  # fmt: skip
"""The named places and their boxes."""
BACKGROUND = "background"
"""The place behind all others."""
_PERCENT = re.compile(rf"\s*{NUMBER}\s*(?:,\s*{NUMBER}\s*){{3}}")
_MASK_FILES = (".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tiff", ".tif")


@dataclass(frozen=True)
class Region:
    """A text and the part of the canvas that it is drawn in.

    Args:
        prompt: the text and its weight.
        box: the part; all of the canvas for the background and a mask.
        background: whether it lies behind all others.
        mask: the file of the shape that it is drawn in; empty if it is a box.
    """

    prompt: Prompt
    box: Box = WHOLE
    background: bool = False
    mask: str = ""


def split_region(text: str) -> tuple[str, str]:
    """The prompt and the place of `TEXT[:WEIGHT]@PLACE`; what follows the last `@` is the place.

    Raises:
        InputError: there is no `@`, or nothing before or after it.
    """
    prompt, _, place = text.rpartition("@")
    if not prompt.strip() or not place.strip():
        raise InputError(f'a region is written "TEXT@PLACE", such as "a sailboat@left", got {text!r}')
    return prompt.strip(), place.strip()


def parse_region(text: str) -> Region:
    """The region that `TEXT[:WEIGHT]@PLACE` says; a place is a name, a box in percent, or the file of a mask.

    Raises:
        InputError: the place is none of them, or the text is blank.
    """
    words, place = split_region(text)
    prompt, name = Prompt(*parse_weighted(words)), " ".join(place.lower().replace("-", " ").split())
    if name == BACKGROUND:
        return Region(prompt, background=True)
    if name in PLACES:
        return Region(prompt, PLACES[name])
    if _PERCENT.fullmatch(place):
        return Region(prompt, _box_of_percent(place))
    if place.lower().endswith(_MASK_FILES):
        return Region(prompt, mask=place)
    raise InputError(
        f"there is no place {place!r}; a place is {', '.join(PLACES)}, {BACKGROUND}, a box in percent "
        "(left,top,right,bottom: 10,20,40,60), or the file of a mask (SVG or picture)"
    )


def _box_of_percent(text: str) -> Box:
    box = Box(*(float(number) / 100 for number in text.split(",")))
    if not (0 <= box.left < box.right <= 1 and 0 <= box.top < box.bottom <= 1):
        raise InputError(f"a box is left,top,right,bottom in percent of the canvas, from 0 to 100, got {text!r}")
    return box


def region_with_absolute_path(text: str) -> str:
    """The region as it is written, with the file of a mask by its absolute path."""
    mask = parse_region(text).mask
    return f"{split_region(text)[0]}@{Path(mask).expanduser().absolute()}" if mask else text
