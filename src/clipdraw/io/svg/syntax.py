"""The text of SVG files: XML trees within limits, numbers and colors in their shortest digits."""

from __future__ import annotations

import math
import re
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np
from jaxtyping import Float
from torch import Tensor

from clipdraw.errors import FormatError, InputError
from clipdraw.limits import check_limits

SVG = "{http://www.w3.org/2000/svg}"
"""The SVG namespace, as ElementTree writes it before names."""

NAMESPACE = "urn:clipdraw:drawing"
"""The namespace that marks a file as ours and holds what SVG has no attribute for; Inkscape keeps both."""

OWN = f"{{{NAMESPACE}}}"
"""Our namespace, as ElementTree writes it before names."""

MAX_DEPTH = 200
"""The deepest nesting of elements; libxml2 stops at 256."""

MAX_ELEMENTS = 250_000
"""The most elements of a file."""

LINKED_SHEETS = f"{OWN}linked-sheets"
"""The attribute that the root element gets if the file names style sheets of other files before it."""

MAX_EXPANSION = 10_000_000
"""The most characters that the entities of a file could stand for, were each `&` the longest of them."""

MAX_ENTITIES = 200
"""The most entities that a file may declare."""

_PUBLIC_LABELS = frozenset(
    f"-//W3C//DTD SVG {version}//EN" for version in ("20010904", "1.0", "1.1", "1.1 Basic", "1.1 Tiny")
)
"""Public identifiers of document types that drawing programs name; their definitions are never read."""

LIMIT = 1e7
"""The largest coordinate, width or canvas side: beyond it a 32-bit float is coarser than one unit."""

MAX_PATHS = 100_000
"""The most paths of a drawing that is read."""

MAX_SEGMENTS = 200_000
"""The most cubic segments of a drawing that is read."""

_TOO_LONG = f"its entities and defaults stand for more than {MAX_EXPANSION:,} characters; write their text out"
_ENTITY = re.compile(r"&([^#&;\s][^&;\s]*);")
_PERCENTAGES = re.compile(r"rgb\(([\d.]{1,60})%,([\d.]{1,60})%,([\d.]{1,60})%\)")


def parse_xml(data: bytes, *, encoding: str | None = None) -> Element:
    """The root element of a file; names are written `{namespace}local`, as ElementTree does.

    A document type may be named, as SVG or by a public label of the W3C, but not loaded from another file. Entities
    that it declares itself, as Illustrator does, are expanded within limits. Nothing outside `data` is ever opened.

    Args:
        data: the file.
        encoding: overrides what the file declares.

    Raises:
        FormatError: not well-formed XML, a DTD or entity of another file, or a limit is passed.
    """
    parser = expat.ParserCreate(encoding, namespace_separator="}")
    tree, entities = _Tree(len(data)), _Entities(data.count(b"&"))
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    parser.ProcessingInstructionHandler = tree.instruction
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = entities.declare
    parser.ExternalEntityRefHandler = _unknown_entity
    parser.SkippedEntityHandler = _unknown_entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
            raise FormatError(f"an entity is not declared in the file; write its text out ({error})") from error
        raise FormatError(f"not well-formed XML: {error}") from error
    except (LookupError, ValueError, UnicodeError) as error:  # the declared encoding
        raise FormatError(f"its character encoding cannot be read: {error}") from error
    return tree.builder.close()


class _Tree:
    """A tree builder that counts elements, their depth, and the characters that entities and defaults add."""

    def __init__(self, size: int) -> None:
        self.builder = TreeBuilder()
        self.depth = 0
        self.elements = 0
        self.left = size + MAX_EXPANSION
        self.linked_sheets = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        check_limits()
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH:
            raise FormatError(f"elements nest deeper than {MAX_DEPTH}")
        if self.elements > MAX_ELEMENTS:
            raise FormatError(f"more than {MAX_ELEMENTS:,} elements")
        self._spend(sum(map(len, attributes.values())))
        named = {_name(key): value for key, value in attributes.items()} if "}" in "".join(attributes) else attributes
        if self.linked_sheets and self.elements == 1:
            named[LINKED_SHEETS] = ""
        self.builder.start(_name(name), named)

    def end(self, name: str) -> None:
        self.depth -= 1
        self.builder.end(_name(name))

    def text(self, text: str) -> None:
        self._spend(len(text))
        self.builder.data(text)

    def instruction(self, target: str, text: str) -> None:
        self.linked_sheets |= target == "xml-stylesheet" and bool(text)

    def _spend(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise FormatError(_TOO_LONG)


class _Entities:
    """The entities that a file declares, and the longest text that one of them stands for.

    Args:
        references: at least as many references to entities as the file has.
    """

    def __init__(self, references: int) -> None:
        self.references = references
        self.declared: dict[str, tuple[int, list[str]]] = {}

    def declare(self, name: str, is_parameter: int, value: str | None, *of_other_files: str | None) -> None:
        """Take a declaration, before anything is expanded."""
        if value is None or is_parameter or any(of_other_files[1:]):
            raise FormatError(
                f"its document type declaration (DTD) has the entity {name!r:.40}, which is of another file or of the "
                "DTD itself and refused; write its text out"
            )
        self.declared.setdefault(name, (len(value), _ENTITY.findall(value)))
        if len(self.declared) > MAX_ENTITIES:
            raise FormatError(f"more than {MAX_ENTITIES} entities")
        lengths: dict[str, int] = {}
        longest = max(self._length(each, lengths) for each in self.declared)
        if longest * self.references > MAX_EXPANSION:
            raise FormatError(_TOO_LONG)

    def _length(self, name: str, lengths: dict[str, int]) -> int:
        """The characters that an entity stands for, and those of the names in it; what holds itself counts once."""
        if name not in lengths:
            own, inner = self.declared.get(name, (0, ()))
            lengths[name] = own
            lengths[name] = own + sum(self._length(each, lengths) for each in inner)
        return lengths[name]


def _name(name: str) -> str:
    return "{" + name if "}" in name else name


def _doctype(name: str, system: str | None, public: str | None, declared: int) -> None:
    if public not in _PUBLIC_LABELS and (public or system):
        advice = f"delete the name of the file {system!r:.60} in it, and keep what is in [...]"
        advice = advice if declared else "delete the DOCTYPE"
        raise FormatError(f"its document type declaration (DTD) of {name!r:.40} is refused; {advice}")


def _unknown_entity(*names: object) -> int:
    raise FormatError(f"the entity {names[0]!r:.40} is not declared in the file; write its text out")


def plain_keys(element: Element) -> set[str]:
    """The attributes of an element that are in no namespace."""
    return {key for key in element.keys() if not key.startswith("{")}  # noqa: SIM118 - an element is not a mapping


def required(element: Element, key: str, *, what: str) -> str:
    """The value of an attribute.

    Raises:
        FormatError: the element does not have it.
    """
    value = element.get(key)
    if value is None:
        raise FormatError(f"{what} has no {key}")
    return value


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
