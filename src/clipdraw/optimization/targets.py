"""The picture that a drawing keeps to, made such that the drawing's rules can keep to it.

A picture on white does not fit a drawing in three inks, on black or with an axis of symmetry: the two would pull in
different directions. An `Adaptation` gives the picture the same rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional

from clipdraw.framing import select_variant
from clipdraw.optimization.colors import oklab

_WHITE = 20  # of 255: fainter ink that reaches the picture's edge is background
_NEAR_WHITE = 0.08  # in Oklab
_SURROUNDINGS = 24  # in the shorter side: the squares that are painted in one color
_EDGE = 5  # pixels across, of the neighborhood from which the color of a border pixel is taken
_BEST = 3  # pictures, of the most similar ones, among which the seed chooses
_TILE = 0.62  # of the canvas: the picture in the middle of a tile, and again at its corners
_WITHIN = 0.46  # of the canvas: the circle that copies of a picture are turned in

Pictures = Float[Tensor, "pictures 3 side side"]


@dataclass(frozen=True)
class Adaptation:
    """The rules of a drawing that its picture is to have, too.

    Args:
        mirror: whether it is symmetric, left to right.
        order: how often it is repeated in a full turn; 1 for once.
        tile: whether it is to fit to copies of itself.
        palette: the only colors of what is painted; empty for any. A single one is painted in tones.
        one_color: whether what is painted has a single color of any kind, in tones.
        outline: whether only outlines are painted.
        paper: red, green and blue of the background, against which tones are.
        margin: distance that it keeps from the edges, as a fraction of the shorter side.
    """

    mirror: bool = False
    order: int = 1
    tile: bool = False
    palette: tuple[tuple[float, float, float], ...] = ()
    one_color: bool = False
    outline: bool = False
    paper: tuple[float, float, float] = (1.0, 1.0, 1.0)
    margin: float = 0.0

    def choose(self, pictures: Pictures, variant: int, similarities: Callable[[Pictures], Tensor]) -> Tensor:
        """One of the pictures; mirrored, one of those that are then most similar to their text.

        Args:
            pictures: on white.
            variant: as in `framing.select_variant`.
            similarities: of pictures to their text.
        """
        if not self.mirror:
            return select_variant(pictures, variant)
        halves = torch.cat([_mirrored(each) for picture in pictures for each in (picture, _centered(picture))])
        order = similarities(halves).argsort(descending=True)[:_BEST]
        return halves[order[variant % len(order)]]

    def layer(self, picture: Float[Tensor, "3 height width"]) -> Float[Tensor, "4 height width"]:
        """The paint of a picture on white: premultiplied red, green and blue, and alpha."""
        layer = cut_out(self._placed(picture))
        colors = layer[:3] / layer[3:].clamp(min=1e-6)
        if self.outline:
            layer = _outlines(colors, layer[3])
            colors = layer[:3] / layer[3:].clamp(min=1e-6)
            if self.one_color or len(self.palette) == 1:
                only = colors.new_tensor(self.palette or ((0.1, 0.1, 0.1),))[0]
                return torch.cat([only[:, None, None] * layer[3:], layer[3:]])
        if self.one_color or len(self.palette) == 1:
            return _in_tones(colors, layer[3], self.palette, self.paper)
        return _in_colors(colors, layer[3], self.palette) if self.palette else layer

    def _placed(self, picture: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
        if self.order > 1:
            picture = _turned_copies(picture, self.order)
        if self.tile:
            small = _transformed(picture, 1 / _TILE, 0.0, (0.0, 0.0))
            corners = small.roll((small.shape[1] // 2, small.shape[2] // 2), (1, 2))
            picture = torch.minimum(small, corners)
        return _kept_inside(picture, self.margin) if self.margin else picture


def over(layer: Float[Tensor, "4 height width"], paper: Float[Tensor, " 3"]) -> Float[Tensor, "3 height width"]:
    """The paint, on a color."""
    return layer[:3] + (1 - layer[3:]) * paper[:, None, None]


def difference_of_layers(
    one: Float[Tensor, "4 height width"], other: Float[Tensor, "4 height width"]
) -> Float[Tensor, ""]:
    """The mean squared difference of what is painted, on black and on white."""
    apart = one - other
    return (apart[:3].square().mean() + (apart[:3] - apart[3:]).square().mean()) / 2


def cut_out(picture: Float[Tensor, "3 height width"]) -> Float[Tensor, "4 height width"]:
    """The picture without the white around what it shows: premultiplied red, green and blue, and alpha.

    White that does not reach the picture's edge stays. Pixels at the border are taken for mixtures of white and the
    color that has most ink beside them.
    """
    ink = (1 - picture).amax(0)
    outside = _flooded(ink)
    most = functional.max_pool2d(ink[None], _EDGE, 1, _EDGE // 2)[0]
    border = functional.max_pool2d(outside.float()[None], 3, 1, 1)[0] > 0
    alpha = torch.where(border, (ink / most.clamp(min=1e-6)).clamp(0, 1), 1.0).masked_fill(outside, 0.0)
    return torch.cat([torch.minimum((picture - (1 - alpha)).clamp(min=0), alpha[None]), alpha[None]])


def _flooded(ink: Float[Tensor, "height width"]) -> Bool[Tensor, "height width"]:
    """The pixels with hardly any ink that are connected to the edge."""
    levels = np.pad((ink.detach().clamp(0, 1) * 254).to(torch.uint8).cpu().numpy(), 1)
    image = Image.fromarray(levels).copy()  # of an array, it cannot be written to
    ImageDraw.floodfill(image, (0, 0), 255, thresh=_WHITE)
    return torch.from_numpy(np.asarray(image)[1:-1, 1:-1] == 255).to(ink.device)


def _in_colors(colors: Tensor, alpha: Tensor, palette: tuple[tuple[float, float, float], ...]) -> Tensor:
    """Each pixel in the color that is most like it and its surroundings; white, if nothing is like it, is left out."""
    available, white = oklab(colors.new_tensor(palette)), oklab(colors.new_ones(3))
    shades = oklab(colors.permute(1, 2, 0).clamp(0, 1)).permute(2, 0, 1)
    around = 2 * (min(alpha.shape) // _SURROUNDINGS) + 1
    near = [functional.avg_pool2d(part[None], around, 1, around // 2)[0] for part in (shades * alpha, alpha[None])]
    pair = torch.stack([shades, near[0] / near[1].clamp(min=1e-6)]).permute(0, 2, 3, 1)
    costs = (pair[..., None, :] - available).square().sum(-1).sum(0)  # (height, width, colors)
    light = (available - white).norm(dim=-1) < 2 * _NEAR_WHITE
    is_white = (pair[0] - white).norm(dim=-1) < _NEAR_WHITE
    if not bool(light.all()):
        costs = costs + (light & ~is_white[..., None])  # else what is painted could not be told from white paper
    chosen = colors.new_tensor(palette)[costs.argmin(-1)].permute(2, 0, 1)
    if not bool(light.any()):
        alpha = torch.where(is_white, 0.0, alpha)
    return torch.cat([chosen * alpha, alpha[None]])


def _in_tones(
    colors: Tensor,
    alpha: Tensor,
    palette: tuple[tuple[float, float, float], ...],
    paper: tuple[float, float, float],
) -> Tensor:
    """One color, more of it the more a pixel differs in lightness from paper; of none given, the mean color."""
    shades = oklab(colors.permute(1, 2, 0).clamp(0, 1))
    near_white = (shades - oklab(colors.new_ones(3))).norm(dim=-1) < _NEAR_WHITE
    lightness, painted = shades[..., 0], (alpha > 0.5) & ~near_white
    if not bool(painted.any()):
        return torch.cat([colors * alpha, alpha[None]])
    dark, light = torch.quantile(lightness[painted], lightness.new_tensor([0.05, 0.95]))
    brightness = ((lightness - dark) / (light - dark).clamp(min=0.2)).clamp(0, 1)
    on_light = oklab(colors.new_tensor(paper))[0] > 0.5
    tones = 1 - 0.75 * brightness if on_light else 0.25 + 0.75 * brightness
    amount = alpha * (torch.where(near_white, 0.0, tones) if on_light else tones)
    mean = (colors * amount).sum((1, 2)) / amount.sum().clamp(min=1e-6)
    color = colors.new_tensor(palette[0]) if palette else mean * 0.6
    return torch.cat([color[:, None, None] * amount, amount[None]])


def _outlines(colors: Float[Tensor, "3 height width"], alpha: Float[Tensor, "height width"]) -> Tensor:
    """Lines where a picture's colors change, in the more colorful of the colors that meet, and alpha."""
    painted = torch.cat([colors * alpha + (1 - alpha), alpha[None]])[None]
    smooth = functional.avg_pool2d(functional.pad(painted, (1, 1, 1, 1), mode="replicate"), 3, 1)
    padded = functional.pad(smooth, (1, 1, 1, 1), mode="replicate")
    change = (functional.max_pool2d(padded, 3, 1) + functional.max_pool2d(-padded, 3, 1))[0].amax(0)
    amount = ((change - _FAINT_CHANGE) / _FULL_CHANGE).clamp(0, 1)
    ink = functional.max_pool2d(1 - smooth[:, :3], 3, 1, 1)[0]
    return torch.cat([(1 - ink) * amount, amount[None]])


_FAINT_CHANGE, _FULL_CHANGE = 0.12, 0.25
"""Change of a color within a pixel's neighborhood that is no line yet, and by how much more it is a full one."""


def _mirrored(picture: Float[Tensor, "3 side side"]) -> Float[Tensor, "2 3 side side"]:
    """The left half and its mirror image, and the right half and its own."""
    half = picture.shape[2] // 2
    left, right = picture[:, :, :half], picture[:, :, -half:]
    middle = picture[:, :, half : picture.shape[2] - half]
    return torch.stack([torch.cat([left, middle, left.flip(2)], 2), torch.cat([right.flip(2), middle, right], 2)])


def _centered(picture: Float[Tensor, "3 side side"]) -> Float[Tensor, "3 side side"]:
    """The picture moved sideways so that its ink has its mean in the middle."""
    columns = (1 - picture).amax(0).sum(0)
    axis = torch.arange(len(columns), device=columns.device)
    off = round(((columns * axis).sum() / columns.sum().clamp(min=1e-6)).item() - (len(columns) - 1) / 2)
    return picture.roll(-off, 2)


def _kept_inside(picture: Float[Tensor, "3 height width"], margin: float) -> Float[Tensor, "3 height width"]:
    """The picture, made as much smaller as its ink has to be to keep a distance from the edges."""
    sizes, least = picture.shape[1:], margin * min(picture.shape[1:])
    places = ((1 - picture).amax(0) * 255 > _WHITE).nonzero()
    if not len(places):
        return picture
    middles = [(size - 1) / 2 for size in sizes]
    reaches = [(places[:, axis] - middles[axis]).abs().max().item() + 0.5 for axis in range(2)]
    shrink = max(reach / max(size / 2 - least, 0.5) for reach, size in zip(reaches, sizes, strict=True))
    return _transformed(picture, shrink, 0.0, (0.0, 0.0)) if shrink > 1 else picture


def _turned_copies(picture: Float[Tensor, "3 height width"], order: int) -> Float[Tensor, "3 height width"]:
    """As many copies of a picture, each small enough for its part of a circle about the middle."""
    sine = math.sin(math.pi / order)
    away = _WITHIN / (1 + sine)
    size = 2 * away * sine
    copies = [_transformed(picture, 1 / size, math.tau * k / order, (0.0, -away)) for k in range(order)]
    return torch.stack(copies).amin(0)


def _transformed(
    picture: Float[Tensor, "3 height width"], shrink: float, turn: float, move: tuple[float, float]
) -> Float[Tensor, "3 height width"]:
    """The picture made smaller, moved by fractions of the shorter side, then turned about the middle, on white."""
    height, width = picture.shape[1:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    x, y = (x - width / 2) / min(height, width), (y - height / 2) / min(height, width)
    cosine, sine = math.cos(turn), math.sin(turn)
    back_x, back_y = x * cosine + y * sine - move[0], y * cosine - x * sine - move[1]
    side = min(height, width)
    grid = torch.stack([back_x * shrink * 2 * side / width, back_y * shrink * 2 * side / height], -1).to(picture)
    ink = functional.grid_sample(1 - _blurred(picture, shrink)[None], grid[None], align_corners=False)[0]
    return (1 - ink).clamp(0, 1)


def _blurred(picture: Float[Tensor, "3 height width"], shrink: float) -> Float[Tensor, "3 height width"]:
    """The picture without what is too fine to be seen when it is so much smaller."""
    height, width = picture.shape[1:]
    small = max(1, round(height / shrink)), max(1, round(width / shrink))
    down = functional.interpolate(picture[None], size=small, mode="bilinear", antialias=True)
    return functional.interpolate(down, size=(height, width), mode="bilinear")[0]
