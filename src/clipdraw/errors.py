"""The errors that clipdraw raises on purpose, one class for each kind of cause, and the check of plain values.

A message names the thing, its value, what is allowed and what to do about it, in one line.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any


class ClipdrawError(Exception):
    """Base of every error that clipdraw raises on purpose."""


class InputError(ClipdrawError, ValueError):
    """A value from the caller is outside what is allowed."""


class UnreadableError(InputError):
    """An encoder knows none of the words of a text."""


class ConfigError(ClipdrawError):
    """A configuration names something unknown or contradicts itself."""


class WeightsError(ClipdrawError):
    """An encoder's weights cannot be found, fetched or read."""


class FormatError(ClipdrawError):
    """A file is not what its name says, or holds something that is refused."""


class LimitError(ClipdrawError):
    """Work took longer, or more memory, than it was allowed; see `clipdraw.limits`."""


class MissingExtraError(ClipdrawError):
    """An optional dependency is needed and not installed."""

    def __init__(self, feature: str, *, extra: str) -> None:
        super().__init__(f"{feature} needs an optional part: {install_command(extra)}")


class DivergedError(ClipdrawError):
    """The optimization cannot go on: its gradients stay non-finite."""


class OutOfMemoryError(ClipdrawError, MemoryError):
    """There is not enough memory for what was asked."""


def is_want_of_memory(error: BaseException) -> bool:
    """Whether an error of Python or PyTorch says that there was not enough memory."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(words in said for words in _WANTS_OF_MEMORY)


_WANTS_OF_MEMORY = (
    "allocate memory", "out of memory", "bad_alloc", "bad allocation", "new thread", "failed to map segment",
)  # fmt: skip


def install_command(extra: str) -> str:
    """The command that adds an extra to this installation, also where the index does not have clipdraw yet.

    pip takes the name for what is installed, from a wheel or a clone. Sources that are not installed need their folder.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        version("clipdraw")
        place = "clipdraw"
    except PackageNotFoundError:
        place = str(Path(__file__).resolve().parents[2])
    pip = shutil.which("pip")
    beside = pip is not None and Path(pip).parent == Path(sys.executable).parent
    return f"{'pip' if beside else f'{sys.executable} -m pip'} install '{place}[{extra}]'"


_FIELD = re.compile(
    r"(?P<many>tuple\[)?(?P<kind>int|float|str|bool)(?P<rest>, (?:\.\.\.|int|float|str))?\]?(?P<optional> \| None)?"
)
_form_of = cache(_FIELD.fullmatch)
_LARGEST = {"int": 2**64, "float": 3.4e38}
"""The largest numbers: a seed has 63 bits, and drawings are in single precision."""


def check_fields(settings: Any, *, prefix: str = "", error: type[ClipdrawError] = InputError) -> None:
    """Bring the plain values of a new frozen dataclass into the types of its fields; see `plain_fields`."""
    for name, value in plain_fields(type(settings), vars(settings), prefix=prefix, error=error).items():
        object.__setattr__(settings, name, value)


def plain_fields(
    kind: type, values: Mapping[str, Any], *, prefix: str = "", error: type[ClipdrawError] = InputError
) -> dict[str, Any]:
    """Values for fields of a dataclass, plain ones in the types of the fields.

    Whole numbers, and those of numpy, become what the annotation says, and lists tuples.

    Args:
        kind: with fields annotated `int`, `float`, `str`, `bool` or tuples of these; others may hold anything.
        values: by the names of fields.
        prefix: before a name in messages.
        error: the class of what is raised.

    Raises:
        ClipdrawError: a value is of another type, or a number not finite or beyond single precision.
    """
    known = {each.name: each for each in fields(kind)}
    return {
        name: _fitted(known[name], value, prefix + name, error) if name in known else value
        for name, value in values.items()
    }


def _fitted(field: Any, value: Any, name: str, error: type[ClipdrawError]) -> Any:
    """The value for one field; `error` if it does not fit."""
    form, group = _form_of(str(field.type)), field.default_factory
    if form is None:
        if isinstance(group, type) and group.__name__ == field.type and not isinstance(value, group):
            raise error(f"{name} is of type {group.__name__}, got {shortened(repr(value))}")
        return value
    try:
        return None if form["optional"] and value is None else _plain(value, form)
    except TypeError:
        wanted = f"a list like {list(field.default)}" if form["many"] else f"of type {form['kind']}"
        raise error(f"{name} is {wanted}, got {shortened(repr(value))}") from None
    except ValueError as reason:
        raise error(f"{name} must be {reason}") from None


def _plain(value: Any, form: re.Match[str]) -> Any:
    """The value in the type of a field.

    Raises:
        TypeError: it is of another one.
        ValueError: a number is not finite or too large; says what it must be.
    """
    if not form["many"]:
        return _single(value, form["kind"])
    if not isinstance(value, tuple | list) or (form["rest"] != ", ..." and len(value) != 2):
        raise TypeError
    return tuple(_single(item, form["kind"]) for item in value)


def _single(value: Any, kind: str) -> Any:
    if kind == "str" and isinstance(value, str):
        return str.__str__(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    family: Any = {"int": Integral, "float": Real}.get(kind)
    if family is None or isinstance(value, bool) or not isinstance(value, family):
        raise TypeError
    if not -_LARGEST[kind] <= value <= _LARGEST[kind]:  # false for NaN
        got = "" if isinstance(value, Integral) else f", got {value}"  # it may have a million digits
        raise ValueError(f"within ±{_LARGEST[kind]:g}{got}")
    return int(value) if kind == "int" else float(value)


def shortened(text: str, most: int = 60) -> str:
    """The text, or its beginning and an ellipsis if it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
