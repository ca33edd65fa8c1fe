"""Names to objects, at the edges only: the built-in parts and the plug-ins of other packages alike.

A part is written as `"module:attribute"` and imported when it is first asked for, so that
listing names costs no import. Other packages add parts under the entry-point group
`clipdraw.<kind>`, for instance `clipdraw.encoders`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from clipdraw.errors import ConfigError


class Registry(Mapping[str, Any]):
    """A read-only mapping from a part's name to the part, imported on access.

    Args:
        kind: what is registered, in the plural; also the entry-point group `clipdraw.<kind>`.
        parts: the built-in parts, name to `"module:attribute"`.
    """

    def __init__(self, kind: str, parts: Mapping[str, str]) -> None:
        self.kind = kind
        self._parts = dict(parts)

    def _all(self) -> dict[str, str]:
        plugins = {point.name: point.value for point in entry_points(group=f"clipdraw.{self.kind}")}
        return {**plugins, **self._parts}

    def __getitem__(self, name: str) -> Any:
        """The part called `name`.

        Raises:
            ConfigError: no part has that name; the message lists those that exist.
        """
        path = self._parts.get(name) or self._all().get(name)
        if path is None:
            raise ConfigError(f"no {self.kind} called {name!r}; there are: {', '.join(sorted(self))}")
        module, _, attribute = path.partition(":")
        return getattr(import_module(module), attribute)

    def __contains__(self, name: object) -> bool:  # Mapping's own expects a KeyError from a missing name
        """Whether there is a part of that name, without importing it."""
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
