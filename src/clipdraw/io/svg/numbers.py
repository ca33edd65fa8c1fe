"""Numbers and colors as text and back: the shortest digits that give the same 32-bit float again."""

from __future__ import annotations

import math
import re

import numpy as np
from jaxtyping import Float
from torch import Tensor

from clipdraw.errors import FormatError, InputError

LIMIT = 1e7
"""The largest coordinate, width or canvas side: beyond it a 32-bit float is coarser than one unit."""

MAX_PATHS = 100_000
"""The most paths of a drawing that is read."""

MAX_SEGMENTS = 200_000
"""The most cubic segments of a drawing that is read."""

_PERCENTAGES = re.compile(r"rgb\(([\d.]{1,60})%,([\d.]{1,60})%,([\d.]{1,60})%\)")


def shortest(values: Float[Tensor, "*shape"], *, what: str) -> list[str]:
    """The text of each value, flattened, without an exponent.

    Args:
        values: at most `LIMIT` in size.
        what: the name of the values in the message.

    Raises:
        InputError: a value is not finite or too large.
    """
    array = values.detach().cpu().float().numpy().reshape(-1)
    if not (np.abs(array) <= LIMIT).all():  # also for NaN
        bad = array[~(np.abs(array) <= LIMIT)][0]
        raise InputError(f"a drawing with {what} {bad} cannot be stored; it must lie within ±{LIMIT:g}")
    return [np.format_float_positional(value, trim="-") for value in array]


def exact(number: float) -> str:
    """The text of a 64-bit float in the fewest digits that give it again."""
    return f"{float(number)!r}".removesuffix(".0")


def as_percent(number: str) -> str:
    """100 times `number`, which is written without exponent, exactly."""
    whole, _, fraction = number.partition(".")
    fraction = fraction.ljust(2, "0")
    whole, fraction = (whole + fraction[:2]).lstrip("0") or "0", fraction[2:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def color_text(colors: Float[Tensor, "n 3"]) -> list[str]:
    """The text of each color: `rgb()` of exact percentages.

    Raises:
        InputError: a color is not finite.
    """
    numbers = [as_percent(number) for number in shortest(colors.clamp(0, 1), what="the color")]
    return [f"rgb({','.join(f'{part}%' for part in numbers[at : at + 3])})" for at in range(0, len(numbers), 3)]


def parse_percent_color(text: str) -> tuple[float, float, float] | None:
    """The color in an `rgb()` of percentages, or None if it is written in another way."""
    match = _PERCENTAGES.fullmatch(text)
    if match is None:
        return None
    try:
        red, green, blue = (min(float(part) / 100, 1.0) for part in match.groups())
    except ValueError:  # two decimal points
        return None
    return red, green, blue


def parse_number(text: str, *, what: str, low: float = -LIMIT, high: float = LIMIT) -> float:
    """The number in `text`.

    Args:
        text: decimal digits, perhaps with an exponent.
        what: the name of the number in the message.
        low: least allowed.
        high: largest allowed.

    Raises:
        FormatError: no number, or outside the limits.
    """
    try:
        number = float(text)
    except ValueError:
        raise FormatError(f"{what} is {text!r:.40}, which is no number") from None
    if math.isnan(number) or not low <= number <= high:
        raise FormatError(f"{what} is {text!r:.40}; it must lie within {low:g} and {high:g}")
    return number


def check_count(count: int, limit: int, *, what: str) -> None:
    """Refuse a count above a limit.

    Raises:
        FormatError: the count is above the limit.
    """
    if count > limit:
        raise FormatError(f"more than {limit:,} {what}")
