"""CSS declarations as the text of their values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import tinycss2
from tinycss2.ast import Declaration as Parsed
from tinycss2.ast import Node

MAX_NESTING = 20
"""How deep brackets may nest in what is looked at."""

_PLAIN = re.compile(r"[-\w\s#%.,:;()+]*")


class Declaration(NamedTuple):
    """A property, its value, and whether it is `!important`."""

    name: str
    value: str
    important: bool = False


def declarations(text: str) -> list[Declaration]:
    """What a `style` attribute declares, in its order."""
    if not text:
        return []
    if not _PLAIN.fullmatch(text) or "--" in text:
        return parsed_declarations(tinycss2.parse_blocks_contents(text))
    parts = text.split(";")
    if any(part.count("(") != part.count(")") for part in parts):
        return parsed_declarations(tinycss2.parse_blocks_contents(text))
    pairs = (part.partition(":") for part in parts)
    return [Declaration(name.strip().lower(), value) for name, _, value in pairs if value.strip()]


def parsed_declarations(nodes: Iterable[Node]) -> list[Declaration]:
    """The declarations among the parts of a block."""
    return [Declaration(_name(node), _value(node), node.important) for node in nodes if isinstance(node, Parsed)]


def _value(node: Parsed) -> str:
    """The text of a value; a question mark, which no property knows, if it nests too deep."""
    return tinycss2.serialize(node.value).strip() if shallow(node.value) else "?"


def _name(node: Parsed) -> str:
    name: str = node.name if node.name.startswith("--") else node.lower_name
    return name


def inner(node: Node) -> list[Node]:
    """What stands in the brackets of a part; nothing if it has none."""
    parts: list[Node] | None = getattr(node, "arguments", None) or getattr(node, "content", None)
    return parts or []


def shallow(nodes: Iterable[Node], levels: int = MAX_NESTING) -> bool:
    """Whether brackets nest at most this deep."""
    return levels > 0 and all(shallow(inner(node), levels - 1) for node in nodes)
