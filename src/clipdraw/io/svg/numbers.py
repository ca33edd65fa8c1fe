"""Numbers as text and back: the shortest digits that give the same 32-bit float again."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from torch import Tensor

from clipdraw.errors import FormatError, InputError

LIMIT = 1e7
"""The largest coordinate, width or canvas side: beyond it a 32-bit float is coarser than one unit."""


def shortest(values: Float[Tensor, "*shape"], *, what: str) -> list[str]:
    """Each value, flattened, without an exponent.

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


def as_percent(number: str) -> str:
    """`number`, written without exponent, times 100, exactly."""
    whole, _, fraction = number.partition(".")
    fraction = fraction.ljust(2, "0")
    whole, fraction = (whole + fraction[:2]).lstrip("0") or "0", fraction[2:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


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
