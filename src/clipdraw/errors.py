"""The errors that clipdraw raises on purpose, one class for each kind of cause.

A message names the thing, its value, what is allowed and what to do about it, in one line.
"""


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


class MissingExtraError(ClipdrawError):
    """An optional dependency is needed and not installed."""

    def __init__(self, feature: str, *, extra: str) -> None:
        super().__init__(f"{feature} needs an optional part: pip install 'clipdraw[{extra}]'")


class DivergedError(ClipdrawError):
    """The optimization cannot go on: its gradients stay non-finite."""


class OutOfMemoryError(ClipdrawError, MemoryError):
    """There is not enough memory for what was asked."""
