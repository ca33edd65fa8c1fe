"""The devices that encoders can compute on."""

from __future__ import annotations

import torch

from clipdraw.errors import InputError


def devices() -> tuple[str, ...]:
    """The devices of this machine; the first is the one that `auto` takes."""
    there = {"mps": torch.backends.mps.is_available(), "cuda": torch.cuda.is_available(), "cpu": True}
    return tuple(name for name, available in there.items() if available)


def choose_device(name: str) -> str:
    """The device that `name` means here, `auto` being the best.

    Raises:
        InputError: it is unknown or not there.
    """
    there = devices()
    if name == "auto":
        return there[0]
    if name not in there:
        raise InputError(f"device {name!r} is not available here; there are: auto, {', '.join(there)}")
    return name
