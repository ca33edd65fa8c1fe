"""The file of weights that ships, and how matrices are stored in it in 8 or 4 bits.

A quantized matrix `NAME` is two tensors, `NAME.whole` (whole numbers) and `NAME.scale` (what they are multiplied by);
all else is in float16.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor

WEIGHTS = Path(__file__).parent / "weights" / "builtin.safetensors"
"""The weights; their metadata holds the version and the model card's address within the project."""
SHA256 = "e8b51cc429af4a762958fe8e5644a387a2d3bf7ccc92f00caaeee3abc8e60652"
"""Checksum of the weights."""

_GROUP = 64  # numbers of a row that have one scale, in 4 bits
_SMALLEST = 1e-6  # of the largest number of a group, so that a group of zeros has a scale


def checksum(path: Path = WEIGHTS) -> str:
    """The SHA-256 of the weights, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(path: Path) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file of weights by name, and the file's version.

    Raises:
        OSError, SafetensorError: the file is missing or damaged.
    """
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        return tensors, (file.metadata() or {}).get("version", "unknown")


def select(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, which their new names lack."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def quantize(matrix: Float[Tensor, "rows columns"], bits: int) -> tuple[Tensor, Float[Tensor, "rows groups"]]:
    """A matrix as whole numbers of a few bits and the scales that give it back, rounded.

    Args:
        matrix: the numbers; with 4 bits a multiple of 64 in a row.
        bits: 8 (int8, a scale a row) or 4 (two numbers in a uint8, the first in the low half, a scale for 64 of a row).
    """
    top = 7 if bits == 4 else 127
    rows, columns = matrix.shape
    grouped = matrix.float().reshape(rows, -1, _GROUP if bits == 4 else columns)
    scale = (grouped.abs().amax(-1).clamp_min(_SMALLEST) / top).half()
    whole = (grouped / scale.float()[..., None]).round().clamp(-top, top).reshape(rows, columns)
    if bits == 8:
        return whole.to(torch.int8), scale
    halves = (whole + 8).to(torch.uint8)
    return halves[:, 0::2] | (halves[:, 1::2] << 4), scale


def dequantize(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in float32, every pair `NAME.whole` and `NAME.scale` multiplied into `NAME`."""
    wide = {name: tensor.float() for name, tensor in tensors.items() if not name.endswith((".whole", ".scale"))}
    for name, tensor in tensors.items():
        if name.endswith(".whole"):
            stem = name.removesuffix(".whole")
            wide[stem] = _multiply(tensor, tensors[f"{stem}.scale"])
    return wide


def _multiply(whole: Tensor, scale: Float[Tensor, "rows groups"]) -> Float[Tensor, "rows columns"]:
    if whole.dtype == torch.uint8:
        whole = torch.stack(((whole & 15).to(torch.int8), (whole >> 4).to(torch.int8)), dim=-1).flatten(1) - 8
    rows, groups = scale.shape
    return (whole.reshape(rows, groups, -1).float() * scale.float()[..., None]).reshape(rows, -1)
