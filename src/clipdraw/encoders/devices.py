"""Where encoders compute, and in which number format: as asked for, or whichever is measured to be fast."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import get_clock_info, perf_counter, thread_time

import torch

from clipdraw.errors import ConfigError, InputError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Names of the formats that can be asked for; `"auto"` is the other answer."""

_WORTH_IT = 1.3
"""How many times faster bfloat16 must be to be taken. Processors that compute in it are about 2 to 5
times faster and those that only convert are slower than float32: noise does not cross this line, and the
same machine chooses the same format in each run."""


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


def choose_precision(precision: str, device: torch.device) -> torch.dtype:
    """The format to compute in on `device`.

    Args:
        precision: `"float32"`, `"bfloat16"`, `"float16"`, or `"auto"`: bfloat16 where it is measured
            to be fast, else float32.
        device: where the encoder computes.

    Returns:
        The dtype of weights and activations.

    Raises:
        ConfigError: `precision` is none of these.
    """
    if precision == "auto":
        return torch.bfloat16 if bfloat16_is_fast(device.type) else torch.float32
    if precision not in PRECISIONS:
        raise ConfigError(f"no precision called {precision!r}; there are: auto, {', '.join(PRECISIONS)}")
    return PRECISIONS[precision]


@cache
def bfloat16_is_fast(device_type: str) -> bool:
    """Whether a matrix product of an encoder's size is clearly faster in bfloat16 than in float32.

    Measured once a process (some 25 ms), because features that a processor reports do not say
    whether the installed torch makes use of them.

    Args:
        device_type: as in `torch.device.type`; measured on `cpu` and `cuda`, false elsewhere.

    Returns:
        True if bfloat16 should be chosen.
    """
    if device_type == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False  # emulated element by element: so slow that even measuring it would be felt
    if device_type not in ("cpu", "cuda"):
        return False
    times = _product_times(device_type)
    return times[torch.float32] > _WORTH_IT * times[torch.bfloat16]


def _product_times(device_type: str, rounds: int = 6) -> dict[torch.dtype, float]:
    """The shortest time of one product in each format, in seconds; the first of the alternating rounds is discarded.

    On the processor it is the computing time of one thread. Wall time of several threads is no measure on a
    busy machine: with two training jobs beside it the ratio came out anywhere from 0.8 to 1.5 where it is 4.3,
    against 4.2 to 4.4 in this way.
    """
    clock, wait = _clock(device_type)
    times = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for index in range(rounds):
            for dtype in times:
                left = torch.ones(200, 768, dtype=dtype, device=device_type)  # 4 views of a ViT-B/32
                right = torch.ones(768, 768, dtype=dtype, device=device_type)
                wait()
                start = clock()
                left @ right
                wait()
                if index:
                    times[dtype] = min(times[dtype], clock() - start)
    finally:
        torch.set_num_threads(threads)
    return times


def _clock(device_type: str) -> tuple[Callable[[], float], Callable[[], object]]:
    """The clock to read, and a call that waits until the device has finished, to be made before reading it."""
    if device_type == "cuda":
        return perf_counter, torch.cuda.synchronize
    exact = get_clock_info("thread_time").resolution < 1e-5  # 16 ms on Windows
    return (thread_time if exact else perf_counter), lambda: None
