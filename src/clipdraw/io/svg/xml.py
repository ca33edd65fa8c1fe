"""XML trees of SVG files, from untrusted bytes: within limits and without entities."""

from __future__ import annotations

from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from clipdraw.errors import FormatError

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

_PUBLIC_LABELS = frozenset(
    f"-//W3C//DTD SVG {version}//EN" for version in ("20010904", "1.0", "1.1", "1.1 Basic", "1.1 Tiny")
)
"""Public identifiers of document types that drawing programs name; their definitions are never read."""


def parse_xml(data: bytes, *, encoding: str | None = None) -> Element:
    """The root element of a file; names are written `{namespace}local`, as ElementTree does.

    A document type may be named, as SVG or by a public label of the W3C, but not declared (`[...]`) or loaded from
    another file. No entity is ever expanded, and nothing outside `data` is ever opened.

    Args:
        data: the file.
        encoding: overrides what the file declares.

    Raises:
        FormatError: not well-formed XML, a DTD or entity, or a limit is passed.
    """
    parser = expat.ParserCreate(encoding, namespace_separator="}")
    tree = _Tree()
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.builder.data
    parser.StartDoctypeDeclHandler = _doctype
    parser.EntityDeclHandler = _entity
    parser.ExternalEntityRefHandler = _entity
    parser.SkippedEntityHandler = _entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FormatError(f"not well-formed XML: {error}") from error
    except (LookupError, ValueError, UnicodeError) as error:  # the declared encoding
        raise FormatError(f"its character encoding cannot be read: {error}") from error
    return tree.builder.close()


class _Tree:
    """A tree builder that counts elements and their depth."""

    def __init__(self) -> None:
        self.builder = TreeBuilder()
        self.depth = 0
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH:
            raise FormatError(f"elements nest deeper than {MAX_DEPTH}")
        if self.elements > MAX_ELEMENTS:
            raise FormatError(f"more than {MAX_ELEMENTS:,} elements")
        self.builder.start(_name(name), {_name(key): value for key, value in attributes.items()})

    def end(self, name: str) -> None:
        self.depth -= 1
        self.builder.end(_name(name))


def _name(name: str) -> str:
    return "{" + name if "}" in name else name


def _doctype(name: str, system: str | None, public: str | None, declared: int) -> None:
    if declared or (public not in _PUBLIC_LABELS and (public or system)):
        raise FormatError(f"its document type declaration (DTD) of {name!r:.40} is refused; delete the DOCTYPE")


def _entity(*_: object) -> NoReturn:
    raise FormatError("XML entities are refused; write their text out")


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
