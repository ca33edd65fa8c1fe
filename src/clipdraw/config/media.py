"""Media: rules for strokes and paper that go by one name, such as watercolor, and the words that ask for them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clipdraw.errors import ConfigError

AUTO, NO_MEDIUM = "auto", "none"
"""The medium that a prompt names, and none."""


@dataclass(frozen=True)
class Medium:
    """A medium.

    Args:
        name: what it is called.
        about: a line about it.
        words: that ask for it in a prompt.
        settings: in groups, as files of settings hold them.
    """

    name: str
    about: str
    words: tuple[str, ...]
    settings: dict[str, Any]


@cache
def media() -> dict[str, Medium]:
    """The media by name."""
    tables = tomllib.loads((Path(__file__).parent / "media.toml").read_text(encoding="utf-8"))
    return {name: Medium(name, table.pop("about"), tuple(table.pop("words")), table) for name, table in tables.items()}


def medium_of(name: str, texts: Iterable[str]) -> Medium | None:
    """The medium of that name; of `auto` the one that texts name first; None if there is none.

    Raises:
        ConfigError: there is no medium of that name.
    """
    if name == NO_MEDIUM:
        return None
    if name == AUTO:
        return named_in(" ".join(texts))
    if name not in media():
        raise ConfigError(f"there is no medium {name!r}; there are: {AUTO}, {NO_MEDIUM}, {', '.join(media())}")
    return media()[name]


def named_in(text: str) -> Medium | None:
    """The medium whose word comes first in a text, of two that begin alike the longer one."""
    found = [
        (match.start(), -len(word), medium)
        for medium in media().values()
        for word in medium.words
        if (match := re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE))
    ]
    return min(found, key=lambda one: one[:2])[2] if found else None
