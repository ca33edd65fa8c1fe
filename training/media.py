"""Media: the same drawing as if made with watercolor, ink, pencil, crayon, a carved block, a neon tube or in pixels.

Each is a procedure on premultiplied pictures (count, 4, size, size) in [0, 1] that gives pictures
(count, 3, size, size); random only in what the generator gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

Pictures = Float[Tensor, "count 4 size size"]
Medium = Callable[[Pictures, np.random.Generator], Float[Tensor, "count 3 size size"]]
_GRAY = torch.tensor([0.3, 0.59, 0.11])[:, None, None]


def noise(shape: tuple[int, ...], cells: int, generator: np.random.Generator) -> Tensor:
    """Smooth noise (count, channels, size, size) in [-1, 1] with so many bumps across."""
    count, channels, height, width = shape
    coarse = torch.from_numpy(generator.uniform(-1, 1, (count, channels, cells, cells))).float()
    return functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(-1, 1)


def wobbled(pictures: Pictures, amount: float, cells: int, generator: np.random.Generator) -> Tensor:
    """Pictures whose pixels are moved by smooth noise of at most `amount` pixels."""
    count, _, height, width = pictures.shape
    shift = noise((count, 2, height, width), cells, generator) * (2 * amount / width)
    eye = torch.eye(2, 3).expand(count, 2, 3)
    grid = functional.affine_grid(eye, [count, 1, height, width], align_corners=False) + shift.permute(0, 2, 3, 1)
    return functional.grid_sample(pictures, grid, padding_mode="zeros", align_corners=False)


def blurred(pictures: Tensor, radius: int) -> Tensor:
    """The mean over a square of `2 radius + 1` pixels, twice, which is nearly a Gaussian."""
    for _ in range(2):
        pictures = functional.avg_pool2d(pictures, 2 * radius + 1, 1, radius, count_include_pad=False)
    return pictures


def tone_of(pictures: Pictures) -> Tensor:
    """Lightness (count, 1, size, size) on white paper."""
    return (pictures[:, :3] * _GRAY).sum(1, keepdim=True) + 1 - pictures[:, 3:]


def lines_of(pictures: Pictures, *, gain: float = 2.2) -> Tensor:
    """Strength (count, 1, size, size) of lines where color or coverage changes."""
    color = pictures[:, :3] + 1 - pictures[:, 3:]
    change = _range(color).amax(1, keepdim=True)
    return ((torch.maximum(change, _range(pictures[:, 3:])) - 0.12) * gain).clamp(0, 1)


def _range(pictures: Tensor) -> Tensor:
    return functional.max_pool2d(pictures, 3, 1, 1) + functional.max_pool2d(-pictures, 3, 1, 1)


def _stripes(shape: torch.Size, angle: float, period: float) -> Tensor:
    """Waves in [-1, 1] of `period` pixels across lines at `angle`."""
    height, width = shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.sin((x * math.sin(angle) + y * math.cos(angle)) * (2 * math.pi / period))


def _paper(count: int, low: float, generator: np.random.Generator, warm: float = 0.06) -> Tensor:
    tint = torch.tensor([0.0, 0.35, 1.0])[:, None, None] * warm
    lightness = torch.from_numpy(generator.uniform(low, 1.0, (count, 1, 1, 1))).float()
    return (lightness - tint * torch.from_numpy(generator.random((count, 1, 1, 1))).float()).clamp(0, 1)


def watercolor(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Washes: soft wet edges with a darker rim, pigment that pools, no lines, white paper between."""
    count = len(pictures)
    wet = wobbled(pictures, 2.2, 9, generator)
    color, alpha = wet[:, :3] / wet[:, 3:].clamp(min=1e-3), wet[:, 3:]
    color = blurred(functional.pad(color * alpha, (2, 2, 2, 2)), 1)[:, :, 2:-2, 2:-2]
    color = (color / blurred(alpha, 1).clamp(min=1e-3)).clamp(0, 1)
    color = color + (1 - color) * 0.22
    pooled = 0.62 + 0.3 * noise((count, 1, *alpha.shape[2:]), 7, generator)
    rim = (alpha - blurred(alpha, 2)).clamp(0, 1) * 0.9
    depth = (pooled + rim).clamp(0.15, 1.0) * alpha
    grain = 1 + 0.06 * noise((count, 1, *alpha.shape[2:]), 48, generator)
    paper = _paper(count, 0.95, generator)
    halo = (blurred(color * alpha, 3) + (1 - blurred(alpha, 3))).clamp(0, 1)
    paper = paper * (0.8 + 0.2 * halo)
    return (paper * (1 - depth * (1 - color * grain))).clamp(0, 1)


def ink(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Black pen lines that swell and thin, hatching where it is dark, on paper."""
    drawn = wobbled(pictures, 0.8, 12, generator)
    weight = 1.8 + 0.9 * noise((len(drawn), 1, *drawn.shape[2:]), 6, generator)
    lines = (lines_of(drawn) * weight).clamp(0, 1)
    dark = ((0.62 - tone_of(drawn)) * 4).clamp(0, 1) * drawn[:, 3:]
    hatching = ((_stripes(drawn.shape, generator.uniform(0.5, 1.0), 4.0) - 0.1) * 3).clamp(0, 1) * dark
    black = ((0.16 - tone_of(drawn)) * 8).clamp(0, 1) * drawn[:, 3:]
    cover = torch.maximum(torch.maximum(lines, hatching), black * 0.9)
    return (_paper(len(drawn), 0.9, generator, 0.12) * (1 - 0.95 * cover)).clamp(0, 1)


def pencil(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Gray grainy lines, and slanting shading that follows the tone."""
    drawn = wobbled(pictures, 0.8, 10, generator)
    shape = (len(drawn), 1, *drawn.shape[2:])
    grain = 0.72 + 0.28 * noise(shape, 40, generator)
    lines = lines_of(drawn, gain=1.7) * grain * 0.8
    slant = 0.5 + 0.5 * _stripes(drawn.shape, generator.uniform(0.6, 0.95), 3.0)
    shading = (1 - tone_of(drawn)).clamp(0, 1) * (0.25 + 0.5 * slant) * grain * 0.55
    return (_paper(len(drawn), 0.94, generator) - torch.maximum(lines, shading)).clamp(0, 1)


def crayon(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Waxy color laid on in rough strokes that leave specks of paper, with a rough outline in a darker shade."""
    drawn = wobbled(pictures, 2.0, 10, generator)
    shape = (len(drawn), 1, *drawn.shape[2:])
    color, alpha = drawn[:, :3] / drawn[:, 3:].clamp(min=1e-3), drawn[:, 3:]
    mean = color.mean(1, keepdim=True)
    color = (mean + (color - mean) * 1.35).clamp(0.04, 0.97)
    bend = 5 * noise(shape, 4, generator)
    y, x = torch.meshgrid(torch.arange(shape[2]), torch.arange(shape[3]), indexing="ij")
    angle = generator.uniform(0.5, 1.1)
    strokes = 0.5 + 0.5 * torch.sin((x * math.sin(angle) + y * math.cos(angle) + bend) * (2 * math.pi / 4.5))
    specks = (noise(shape, 44, generator) * 0.8 + 0.5 + 0.6 * strokes).clamp(0, 1)
    rim = (lines_of(drawn, gain=1.6) * (0.6 + 0.5 * noise(shape, 36, generator))).clamp(0, 1)
    fill = specks * alpha * 0.92
    out = _paper(len(drawn), 0.96, generator) * (1 - fill) + color.clamp(0, 1) * fill
    edge = functional.max_pool2d(drawn[:, :3] * (alpha > 0.5), 3, 1, 1) * 0.55
    return (out * (1 - rim) + edge * rim).clamp(0, 1)


def woodcut(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Black and white: light is carved as parallel lines out of a black block, whose edge is rough."""
    drawn = wobbled(pictures, 0.9, 14, generator)
    shape = (len(drawn), 1, *drawn.shape[2:])
    tone = (tone_of(drawn) * 1.05).clamp(0, 1)
    bend = 3 * noise(shape, 5, generator)
    y, x = torch.meshgrid(torch.arange(shape[2]), torch.arange(shape[3]), indexing="ij")
    angle = generator.uniform(0.0, 0.9)
    wave = torch.sin((x * math.sin(angle) + y * math.cos(angle) + bend) * (2 * math.pi / 4.0))
    carved = ((tone * 2.3 - 1.25 - wave) * 2.5).clamp(0, 1)
    carved = torch.where(drawn[:, 3:] > 0.5, carved, torch.ones(()))
    outline = (lines_of(drawn) * 1.6).clamp(0, 1)
    sky = ((_stripes(drawn.shape, 0.0, 6.0) + bend * 0.3 - 0.2) * 2).clamp(0, 1)  # carved lines behind the thing
    behind = torch.from_numpy(generator.random((len(drawn), 1, 1, 1)) < 0.4).float() * (1 - drawn[:, 3:])
    white = (carved * (1 - outline)) * (1 - behind * sky * 0.9)
    return (0.06 + 0.9 * white).clamp(0, 1).expand(-1, 3, -1, -1) * _paper(len(drawn), 0.93, generator, 0.15)


def neon(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Glowing tubes along the lines, on a dark wall."""
    drawn = wobbled(pictures, 0.5, 8, generator)
    count = len(drawn)
    tube = lines_of(drawn, gain=1.8)
    hue = torch.from_numpy(generator.uniform(0, 6, (count, 1, 1, 1))).float()
    turn = torch.tensor([0.0, 4.0, 2.0])[:, None, None]
    one = ((hue + turn) % 6 - 3).abs().sub(1).clamp(0, 1)
    color = drawn[:, :3] / drawn[:, 3:].clamp(min=1e-3)
    low, high = color.amin(1, keepdim=True), color.amax(1, keepdim=True)
    vivid = (color - low) / (high - low).clamp(min=0.08)
    own = torch.where(high - low > 0.15, vivid, one)
    own = functional.max_pool2d(own * (drawn[:, 3:] > 0.4), 3, 1, 1)
    light = torch.where(torch.from_numpy(generator.random((count, 1, 1, 1))).float() < 0.5, own, one)
    light = light * 0.9 + 0.1
    glow = 0.8 * blurred(light * tube, 2) + 0.6 * blurred(light * tube, 5)
    wall = torch.from_numpy(generator.uniform(0.0, 0.12, (count, 3, 1, 1))).float()
    core = (tube - 0.45).clamp(0, 1)
    return (wall + glow + light * tube + 0.5 * core).clamp(0, 1)


def pixels(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Sixteen large pixels across, few shades."""
    whole = pictures[:, :3] + (1 - pictures[:, 3:]) * _paper(len(pictures), 0.9, generator, 0.0)
    coarse = functional.adaptive_avg_pool2d(whole, 16)
    coarse = (coarse * 5).round() / 5
    return functional.interpolate(coarse, size=pictures.shape[2:], mode="nearest")


def silhouette(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """The outline filled with black, on white or a pale color."""
    pale = 1 - 0.35 * torch.from_numpy(generator.random((len(pictures), 3, 1, 1))).float()
    plain = torch.from_numpy(generator.random((len(pictures), 1, 1, 1)) < 0.6)
    solid = ((pictures[:, 3:] - 0.25) * 3).clamp(0, 1)
    filled = functional.max_pool2d(solid, 5, 1, 2)
    filled = (-functional.max_pool2d(-filled, 5, 1, 2)).clamp(0, 1)  # small gaps are closed
    return (torch.where(plain, torch.ones(()), pale) * (1 - filled) + 0.03 * filled).clamp(0, 1)


def outline(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Even black lines on white."""
    return (1 - (lines_of(wobbled(pictures, 0.3, 8, generator)) * 1.3).clamp(0, 1)).expand(-1, 3, -1, -1)


def flat(pictures: Pictures, generator: np.random.Generator) -> Tensor:
    """Few even colors without lines, on one even color."""
    color = pictures[:, :3] / pictures[:, 3:].clamp(min=1e-3)
    color = ((color * 3).round() / 3).clamp(0.02, 0.98)
    ground = 1 - 0.35 * torch.from_numpy(generator.random((len(pictures), 3, 1, 1))).float()
    hard = ((pictures[:, 3:] - 0.3) * 3 + 0.5).clamp(0, 1)  # thin lines stay
    return color * hard + ground * (1 - hard)


MEDIA: dict[str, tuple[Medium, tuple[str, ...]]] = {
    "watercolor": (
        watercolor, ("a watercolor painting of {}", "a watercolor of {}", "{}, watercolor", "{} in watercolor"),
    ),
    "ink": (ink, ("an ink drawing of {}", "a pen and ink drawing of {}", "{} in ink", "{}, ink drawing")),
    "pencil": (pencil, ("a pencil drawing of {}", "a pencil sketch of {}", "a sketch of {}", "{}, pencil")),
    "crayon": (crayon, ("a crayon drawing of {}", "a child's crayon drawing of {}", "{} in crayon", "{}, crayon")),
    "woodcut": (woodcut, ("a woodcut of {}", "a woodcut print of {}", "a linocut of {}", "{}, woodcut")),
    "neon": (neon, ("a neon sign of {}", "{} in neon lights", "a neon {}", "{} as a neon sign")),
    "pixels": (pixels, ("pixel art of {}", "{}, pixel art", "8-bit pixel art of {}", "a pixelated {}")),
    "silhouette": (silhouette, ("a silhouette of {}", "the silhouette of {}", "{}, silhouette", "a black shape of {}")),
    "outline": (outline, ("a line drawing of {}", "an outline of {}", "line art of {}", "{}, outline")),
    "flat": (
        flat, ("a flat illustration of {}", "a flat icon of {}", "a vector illustration of {}", "{}, flat colors"),
    ),
}  # fmt: skip
"""Name of each medium to its procedure, and what it is called with a caption in place of `{}`."""

COLORLESS = frozenset({"ink", "pencil", "woodcut", "silhouette", "outline"})
"""The media in which nothing has a color of its own."""
