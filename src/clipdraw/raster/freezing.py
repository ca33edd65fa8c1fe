"""Which paths of a batch keep their geometry."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError

Chosen = Sequence[int] | Bool[Tensor, " paths"]
"""Paths of a drawing: their numbers, or for each whether it is one of them."""


def frozen_paths(drawings: Sequence[Drawing], frozen: Sequence[Chosen]) -> Bool[np.ndarray, " paths"]:
    """Whether each path of a batch is frozen.

    Args:
        drawings: of the batch.
        frozen: for each drawing, which of its paths.

    Raises:
        InputError: a drawing has no such path, or another number of paths; drawings and choices differ in number.
    """
    if len(frozen) != len(drawings):
        raise InputError(f"{len(drawings)} drawings need as many choices of frozen paths, got {len(frozen)}")
    masks = [_mask(chosen, len(drawing)) for drawing, chosen in zip(drawings, frozen, strict=True)]
    return np.concatenate(masks)


def _mask(chosen: Chosen, paths: int) -> Bool[np.ndarray, " paths"]:
    numbers = np.asarray(chosen.cpu() if isinstance(chosen, Tensor) else list(chosen))
    if numbers.dtype == np.bool_ and numbers.shape == (paths,):
        return numbers
    mask = np.zeros(paths, np.bool_)
    if numbers.size == 0:
        return mask
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() >= paths:
        raise InputError(
            f"frozen paths are numbers from 0 to {paths - 1}, or a bool for each of {paths} paths, got {chosen!r:.80}"
        )
    mask[numbers] = True
    return mask
