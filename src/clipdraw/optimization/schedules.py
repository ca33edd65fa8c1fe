"""Values that change as a run goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from clipdraw.errors import InputError, check_fields


@runtime_checkable
class Schedule(Protocol):
    """A value for each step of a run."""

    def __call__(self, step: int, steps: int) -> float:
        """The value for step `step`, counted from 0, of `steps`."""
        ...


@dataclass(frozen=True)
class Constant:
    """The same value throughout."""

    value: float

    def __post_init__(self) -> None:
        check_fields(self, prefix="a schedule's ")

    def __call__(self, step: int, steps: int) -> float:
        """The value."""
        return self.value


@dataclass(frozen=True)
class Staircase:
    """Value `values[i]` from fraction `starts[i]` of the steps on, rounded down to a whole step; the first start is 0.

    Raises:
        InputError: there are not as many values as starts, or the starts do not rise from 0.

    Source: Frans et al. 2021 (CLIPDraw), published notebook: points 1.0, 0.4 from step `int(0.5 * steps)`, 0.1 from
    step `int(0.75 * steps)`; of 250 steps from 125 and 187.
    """

    starts: tuple[float, ...] = (0.0, 0.5, 0.75)
    values: tuple[float, ...] = (1.0, 0.4, 0.1)

    def __post_init__(self) -> None:
        check_fields(self, prefix="a schedule's ")
        if len(self.starts) != len(self.values) or self.starts[:1] != (0,) or list(self.starts) != sorted(self.starts):
            raise InputError(
                f"a staircase has a value for each start, the first at 0, got {self.starts} and {self.values}"
            )

    def __call__(self, step: int, steps: int) -> float:
        """The value of the last stair that `step` has reached."""
        passed = [value for start, value in zip(self.starts, self.values, strict=True) if step >= int(start * steps)]
        return passed[-1]


@dataclass(frozen=True)
class Cosine:
    """A linear rise to 1 over `warmup`, then half a cosine down to `end`.

    Args:
        warmup: fraction of the run, in [0, 1).
        end: the last value.

    Raises:
        InputError: the warmup is out of range.

    Source: Loshchilov and Hutter 2017, SGDR, arXiv 1608.03983, equation 5.
    """

    warmup: float = 0.05
    end: float = 0.05

    def __post_init__(self) -> None:
        check_fields(self, prefix="a schedule's ")
        if not 0 <= self.warmup < 1:
            raise InputError(f"the warmup of a schedule lies in [0, 1), got {self.warmup}")

    def __call__(self, step: int, steps: int) -> float:
        """The value of the curve."""
        progress = step / steps
        if progress < self.warmup:
            return (progress + 0.01) / (self.warmup + 0.01)
        fraction = (progress - self.warmup) / (1.0 - self.warmup)
        return self.end + (1.0 - self.end) * 0.5 * (1.0 + math.cos(math.pi * fraction))


SCHEDULES: dict[str, Schedule] = {"constant": Constant(1.0), "published": Staircase(), "cosine": Cosine()}
"""Schedules by the names that configurations use; each multiplies a learning rate."""
