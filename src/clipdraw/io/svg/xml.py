"""Untrusted bytes to an XML tree, within limits and without entities."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from clipdraw.errors import FormatError

MAX_BYTES = 20_000_000
"""The largest SVG file that is read: 100 times a drawing of 1,024 strokes."""

MAX_DEPTH = 200
"""How deep elements may nest; libxml2 stops at 256."""

MAX_ELEMENTS = 250_000

_LABELS = frozenset(f"-//W3C//DTD SVG {version}//EN" for version in ("20010904", "1.0", "1.1", "1.1 Basic", "1.1 Tiny"))
"""Document types that drawing programs name; their definitions are never read."""


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of at most `MAX_BYTES`.

    Raises:
        FormatError: the file is missing, no regular file, too large, or cannot be read.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise FormatError("not a regular file")
        if info.st_size > MAX_BYTES:
            raise FormatError(f"{info.st_size:,} bytes; at most {MAX_BYTES:,} are read")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a null character in the path
        raise FormatError(f"not a usable path: {error}") from error
    if len(data) > MAX_BYTES:
        raise FormatError(f"more than {MAX_BYTES:,} bytes")
    return data


def parse_xml(data: bytes, *, encoding: str | None = None) -> Element:
    """The root element; names are written `{namespace}local`, as ElementTree does.

    A document type may be named, as SVG or by a public label of the W3C, but not described (`[...]`) or sought in
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
    """Builds the tree and counts on the way."""

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


def _doctype(name: str, system: str | None, public: str | None, described: int) -> None:
    if described or (public not in _LABELS and (public or system)):
        raise FormatError(f"its document type declaration (DTD) of {name!r:.40} is refused; delete the DOCTYPE")


def _entity(*_: object) -> NoReturn:
    raise FormatError("XML entities are refused; write their text out")
