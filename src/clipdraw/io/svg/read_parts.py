"""What the readers of our own SVG files share: checked numbers, colors and path data."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from clipdraw.errors import FormatError
from clipdraw.io.svg.numbers import LIMIT

SVG = "{http://www.w3.org/2000/svg}"
MAX_STROKES = 100_000
MAX_SEGMENTS = 200_000

_PERCENTAGES = re.compile(r"rgb\(([\d.]{1,60})%,([\d.]{1,60})%,([\d.]{1,60})%\)")


class EditedError(Exception):
    """The file bears our mark, but an editor changed its structure."""


def percent_color(text: str) -> tuple[float, float, float] | None:
    """The color in an `rgb()` of percentages, or None if it is written in another way."""
    match = _PERCENTAGES.fullmatch(text)
    if match is None:
        return None
    try:
        red, green, blue = (min(float(part) / 100, 1.0) for part in match.groups())
    except ValueError:  # two decimal points
        return None
    return red, green, blue


def plain_keys(element: Element) -> set[str]:
    """The attributes of an element that are in no namespace."""
    return {key for key in element.keys() if not key.startswith("{")}  # noqa: SIM118 - an element is not a mapping


def path_data(path: Element, *, what: str) -> str:
    """The `d` attribute.

    Raises:
        FormatError: there is none.
    """
    data = path.get("d")
    if data is None:
        raise FormatError(f"{what} has no path data (d)")
    return data


def path_numbers(data: str, *, what: str) -> list[float]:
    """The coordinates in the data of a subpath as we write it.

    Raises:
        EditedError: it is written in another way.
        FormatError: they are no whole segments, or one is too large.
    """
    start, _, rest = data.removeprefix("M").partition("C")
    texts = [*start.split(), *rest.split()]
    if not data.startswith("M") or len(start.split()) != 2:
        raise EditedError
    check_count(len(texts) // 6, MAX_SEGMENTS, what="segments")
    try:
        numbers = list(map(float, texts))
    except ValueError:
        raise EditedError from None
    if not all(-LIMIT <= number <= LIMIT for number in numbers):
        raise FormatError(f"{what} has a coordinate that is not finite or beyond ±{LIMIT:g}")
    if len(numbers) < 8 or len(numbers) % 6 != 2:
        raise FormatError(f"{what} has {len(numbers)} coordinates, which make no whole cubic segments")
    return numbers


def required(element: Element, key: str, *, what: str) -> str:
    """An attribute.

    Raises:
        FormatError: there is none.
    """
    value = element.get(key)
    if value is None:
        raise FormatError(f"{what} has no {key}")
    return value


def required_color(element: Element, key: str, *, what: str) -> tuple[float, float, float]:
    """The color in an attribute.

    Raises:
        FormatError: there is none.
        EditedError: it is written in another way than ours.
    """
    text = element.get(key)
    if text is None:
        raise FormatError(f"{what} is missing")
    color = percent_color(text)
    if color is None:
        raise EditedError
    return color


def check_count(count: int, limit: int, *, what: str) -> None:
    """Refuse too many of something.

    Raises:
        FormatError: the count is above the limit.
    """
    if count > limit:
        raise FormatError(f"more than {limit:,} {what}")
