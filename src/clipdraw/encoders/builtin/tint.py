"""Pictures of things in colors that strokes can show: deep enough, or the one that a text names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor

_COLORS = {
    "red": (0.90, 0.15, 0.15), "orange": (0.98, 0.55, 0.10), "yellow": (0.98, 0.82, 0.10), "golden": (0.90, 0.70, 0.15),
    "green": (0.25, 0.65, 0.25), "turquoise": (0.20, 0.75, 0.75), "blue": (0.20, 0.45, 0.90),
    "purple": (0.55, 0.25, 0.75), "violet": (0.55, 0.30, 0.80), "pink": (0.98, 0.55, 0.70), "brown": (0.50, 0.30, 0.15),
    "black": (0.12, 0.12, 0.12), "gray": (0.55, 0.55, 0.55), "grey": (0.55, 0.55, 0.55),
}  # fmt: skip
_PALE, _DEEPEST = (
    0.4,
    3.0,
)  # mean ink of a picture that is deep enough, where there is any; the most it is multiplied by
_SHADE, _RELIEF = 0.95, 0.6  # of a color where the picture is as bright as on average, and by how much brighter it is

_FAINT = 0.03  # ink that counts as none


def colors_in(text: str) -> Iterator[tuple[float, float, float]]:
    """Red, green and blue in [0, 1] of each color that the text names."""
    for word in re.findall(r"[a-z]+", text.lower()):
        if word in _COLORS:
            yield _COLORS[word]


def tinted(
    pictures: Float[Tensor, "pictures 3 side side"], color: tuple[float, float, float]
) -> Float[Tensor, "pictures 3 side side"]:
    """Pictures on white, in [0, 1], painted in shades of one color."""
    cover = 1 - pictures.amin(1, keepdim=True)
    tone = pictures.mean(1, keepdim=True)
    average = (tone * cover).sum((2, 3), keepdim=True) / cover.sum((2, 3), keepdim=True).clamp(min=1e-6)
    paint = (_SHADE + _RELIEF * (tone - average)) * torch.tensor(color, device=pictures.device).reshape(3, 1, 1)
    return 1 - cover * (1 - paint.clamp(0, 1))


def agreement(
    pictures: Float[Tensor, "pictures 3 side side"], color: tuple[float, float, float]
) -> Float[Tensor, " pictures"]:
    """How far hues of pictures are a color's: the mean cosine, each pixel weighing as it is colored; 1 for grays."""
    hue = torch.tensor(color, device=pictures.device).reshape(3, 1, 1)
    hue, hues = hue - hue.mean(), pictures - pictures.mean(1, keepdim=True)
    if hue.norm() < _FAINT:
        return pictures.new_ones(len(pictures))
    colored = hues.norm(dim=1).sum((1, 2))
    along = (hues * hue).sum((1, 2, 3)) / hue.norm()
    return torch.where(colored > _FAINT, along / colored.clamp(min=_FAINT), 1.0)


def deepened(pictures: Float[Tensor, "pictures 3 side side"]) -> Float[Tensor, "pictures 3 side side"]:
    """Pictures on white, in [0, 1], the pale ones with more ink: a white swan has to be seen on white."""
    ink = 1 - pictures
    most = ink.amax(1, keepdim=True)
    there = (most > _FAINT).float()
    mean = (most * there).sum((2, 3), keepdim=True) / there.sum((2, 3), keepdim=True).clamp(min=1.0)
    return 1 - (ink * (_PALE / mean.clamp(min=1e-6)).clamp(1.0, _DEEPEST)).clamp(max=1.0)
