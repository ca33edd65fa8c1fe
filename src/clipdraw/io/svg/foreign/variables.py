"""CSS custom properties: `--name`, and `var(--name, fallback)` in other values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import tinycss2
from tinycss2.ast import FunctionBlock, Node

from clipdraw.io.svg.foreign.declarations import MAX_NESTING, shallow

_LONGEST = 1000
"""Characters of a value with variables: filled in, they could multiply without end."""

_Lookup = Callable[[str], str | None]


def resolved(own: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """The custom properties of an element without the variables in them; one that is caught in a circle is absent.

    Args:
        own: what is declared for the element.
        inherited: what its parent has, without variables.
    """
    known: dict[str, str | None] = {name: value for name, value in inherited.items() if name not in own}

    def look_up(name: str, depth: int = 0) -> str | None:
        if name not in known:
            known[name] = None  # while it is being found, so that circles end
            value = own.get(name)
            if value in ("inherit", "unset"):
                known[name] = inherited.get(name)
            elif value is not None and value != "initial" and depth < MAX_NESTING:
                known[name] = substituted(value, lambda inner: look_up(inner, depth + 1))
        return known[name]

    for name in own:
        look_up(name)
    return {name: value for name, value in known.items() if value is not None}


def substituted(value: str, look_up: _Lookup) -> str | None:
    """A value with its variables filled in; None if one has neither a value nor a fallback."""
    if "var(" not in value:
        return value[:_LONGEST]
    parts = tinycss2.parse_component_value_list(value) if len(value) <= _LONGEST else ()
    text = _filled(parts, look_up) if parts and shallow(parts) else None
    return text if text is not None and len(text) <= _LONGEST else None


def _filled(parts: Sequence[Node], look_up: _Lookup) -> str | None:
    texts = [_text(part, look_up) for part in parts]
    whole = "".join(text for text in texts if text is not None)
    return None if None in texts or len(whole) > _LONGEST else whole


def _text(part: Node, look_up: _Lookup) -> str | None:
    if not isinstance(part, FunctionBlock):
        text: str = part.serialize()
        return text
    if part.lower_name != "var":
        within = _filled(part.arguments, look_up)
        return None if within is None else f"{part.name}({within})"
    arguments = [argument for argument in part.arguments if argument.type != "whitespace"]
    if not arguments or arguments[0].type != "ident":
        return None
    found = look_up(arguments[0].value)
    if found is not None or len(arguments) < 2 or arguments[1] != ",":
        return found
    return _filled(part.arguments[part.arguments.index(arguments[1]) + 1 :], look_up)
