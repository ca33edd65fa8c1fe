"""One or many drawings as the tensors that backends take: in pixels, with the paths that keep their geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from clipdraw.drawing import Drawing, Gradient, Style
from clipdraw.errors import InputError
from clipdraw.raster.constants import FLATTEST, HAIRLINE_PX, STEEPEST, STROKE
from clipdraw.raster.index import Index, index_of

Chosen = Sequence[int] | Bool[Tensor, " paths"]
"""Paths of a drawing: their numbers, or for each whether it is one of them."""

LARGE = 2048
"""Subpaths of a batch from which on little is kept of those before: an index has some 200 bytes for each."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Drawings of the same image size, their paths one after another.

    Args:
        points: control points of all paths, in the coordinates of each path.
        radii: half the stroke widths, at least those of hairlines, in the same coordinates.
        matrices: from the coordinates of each path to pixels, in `exact_dtype`; NaN for paths not to be painted.
        colors: red, green, blue, opacity of each layer, that of its path multiplied in, less for hairlines; only the
            opacity counts with a gradient.
        background: one color for each drawing, with one row and column, or a whole image.
        gradients: what layers refer to.
        index: where all that is.
        drawing_index: the drawing of each layer: int64.
        geometry_requires_grad: for each path whether its geometry needs a gradient: bool.
        size: height and width of the images, in pixels.
    """

    points: Float[Tensor, "points 2"]
    radii: Float[Tensor, " paths"]
    matrices: Float[Tensor, "paths 2 3"]
    colors: Float[Tensor, "layers 4"]
    background: Float[Tensor, "drawings 3 _ _"]
    gradients: tuple[Gradient, ...]
    index: Index
    drawing_index: np.ndarray
    geometry_requires_grad: np.ndarray
    size: tuple[int, int]

    def tensors(self) -> tuple[Tensor, ...]:
        """All that is in the drawings' precision."""
        parts = (p for gradient in self.gradients for p in gradient.parameters())
        return (self.points, self.radii, self.colors, self.background, *parts)


def make_batch(
    drawings: Sequence[Drawing],
    size: tuple[int, int],
    *,
    background: Float[Tensor, "drawings 3 height width"] | None = None,
    frozen: Sequence[Chosen] | None = None,
) -> Batch:
    """Put drawings together.

    Args:
        drawings: at least one.
        size: height and width of the images, in pixels.
        background: images behind the drawings, instead of their own backgrounds.
        frozen: for each drawing the paths whose points, widths and transforms get no gradient.

    Raises:
        InputError: a drawing hasn't the frozen paths.

    Differentiable in all parameters of the drawings and in the background.
    """
    parts = tuple((d.segments, d.styles, len(d.gradients)) for d in drawings)
    large = sum(len(drawing.segments) for drawing in drawings) > LARGE
    index, drawing_index, geometry_requires_grad, plain = (_index_of_large if large else _joined_index)(parts)
    if frozen is not None:
        geometry_requires_grad = ~frozen_paths(drawings, frozen)
    if background is None:
        background = _one([drawing.paper.reshape(1, 3, 1, 1) for drawing in drawings])
    widths = _one([drawing.widths for drawing in drawings])
    wide = _clearly_wide(drawings, widths, size)
    radii = (widths if wide else widths.clamp(min=0)) / 2
    matrices = _one([matrices_px(drawing, *size) for drawing in drawings])
    if matrices.requires_grad and not geometry_requires_grad.all():  # paints depend on them, too
        chosen = torch.from_numpy(geometry_requires_grad).to(matrices.device)[:, None, None]
        matrices = torch.where(chosen, matrices, matrices.detach())
    colors = _one([drawing.colors for drawing in drawings]) if plain else _layer_colors(drawings, index)
    if len(index.opacities):
        colors = _times(colors, colors.new_tensor(index.opacities))
    if not wide:
        radii, colors = _hairlines(radii, matrices, colors, index, geometry_requires_grad)
    return Batch(
        points=_one([drawing.points for drawing in drawings]),
        radii=radii,
        matrices=matrices,
        colors=colors,
        background=background,
        gradients=tuple(gradient for drawing in drawings for gradient in drawing.gradients),
        index=index,
        drawing_index=drawing_index,
        geometry_requires_grad=geometry_requires_grad,
        size=size,
    )


@lru_cache(maxsize=32)
def _joined_index(
    parts: tuple[tuple[tuple[int, ...], tuple[Style, ...], int], ...],
) -> tuple[Index, np.ndarray, np.ndarray, bool]:
    """The index of several drawings, each given by its segments, its styles and how many gradients it has; the drawing
    of each layer; that all paths move; and whether every path is one stroke. Shared, so not to be written to.
    """
    index = index_of(*parts[0][:2]) if len(parts) == 1 else index_of(*_joined(parts))
    paths = np.cumsum([len(styles or segments) for segments, styles, _ in parts])
    drawing_index = np.searchsorted(paths, index.layers[:, 0], side="right")
    plain = bool(len(index.layers) == paths[-1] and (index.layers[:, 1] == STROKE).all())
    return index, drawing_index, np.ones(paths[-1], np.bool_), plain


_index_of_large = lru_cache(maxsize=2)(_joined_index.__wrapped__)


def _joined(
    parts: tuple[tuple[tuple[int, ...], tuple[Style, ...], int], ...],
) -> tuple[tuple[int, ...], tuple[Style, ...]]:
    """The segments and styles of several drawings as those of one."""
    segments = tuple(count for counts, *_ in parts for count in counts)
    if not any(styles for _, styles, _ in parts):
        return segments, ()
    styles, known = [], 0
    for counts, given, gradients in parts:
        for style in given or (Style(),) * len(counts):
            fill, stroke = style.fill_gradient, style.stroke_gradient
            styles.append(
                replace(
                    style,
                    fill_gradient=None if fill is None else fill + known,
                    stroke_gradient=None if stroke is None else stroke + known,
                )
            )
        known += gradients
    return segments, tuple(styles)


def _layer_colors(drawings: Sequence[Drawing], index: Index) -> Float[Tensor, "layers 4"]:
    colors, stroked = _one([drawing.colors for drawing in drawings]), index.layers[:, 1] == STROKE
    path, chosen = (torch.from_numpy(part).to(colors.device) for part in (index.layers[:, 0], stroked))
    fills = _one([_fills(drawing) for drawing in drawings])
    return torch.where(chosen[:, None], colors[path], fills[path])


def _clearly_wide(drawings: Sequence[Drawing], widths: Float[Tensor, " paths"], size: tuple[int, int]) -> bool:
    """Whether a glance at drawings without transforms tells that none of their strokes is a hairline."""
    if len(widths) == 0 or any(drawing.transforms is not None for drawing in drawings):
        return False
    stretch = min([max(pixels_per_unit(drawing, *size)) for drawing in drawings])
    return widths.detach().amin().item() * stretch >= HAIRLINE_PX  # false for NaN


def _hairlines(
    radii: Float[Tensor, " paths"],
    matrices: Float[Tensor, "paths 2 3"],
    colors: Float[Tensor, "layers 4"],
    index: Index,
    geometry_requires_grad: np.ndarray,
) -> tuple[Float[Tensor, " paths"], Float[Tensor, "layers 4"]]:
    """Strokes narrower than `HAIRLINE_PX` that wide, and their opacity for it.

    So that a width of 0, where nothing is to be seen, has the gradient of one a little above.
    """
    stretch = matrices.detach()[:, :, :2].abs().amax((1, 2))
    least = torch.where(stretch > 0, HAIRLINE_PX / 2 / stretch, 0).to(radii.dtype)
    thin = radii.detach() < least
    if not thin.any():
        return radii, colors
    free = torch.where(torch.from_numpy(geometry_requires_grad).to(radii.device), radii, radii.detach())
    fraction = torch.where(thin, free / torch.where(thin, least, 1), 1)
    path, rule = torch.from_numpy(index.layers).to(radii.device).unbind(1)
    fraction = torch.where(rule == STROKE, fraction[path], 1)
    return torch.where(thin, least, radii), _times(colors, fraction)


def _times(colors: Float[Tensor, "layers 4"], fraction: Float[Tensor, " layers"]) -> Float[Tensor, "layers 4"]:
    """The colors, so much fainter."""
    return torch.cat((colors[:, :3], colors[:, 3:] * fraction[:, None]), dim=1)


def _one(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _fills(drawing: Drawing) -> Tensor:
    return drawing.colors if drawing.fills is None else drawing.fills


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


def pixels_per_unit(drawing: Drawing, height: int, width: int) -> tuple[float, float]:
    """Pixels per canvas unit, across and down; they differ only where sizes were rounded."""
    return width / drawing.canvas.width, height / drawing.canvas.height


def exact_dtype(device: torch.device) -> torch.dtype:
    """The precision of geometry: float64 where the device has it."""
    return torch.float32 if device.type == "mps" else torch.float64


@lru_cache(maxsize=32)
def _scaling(across: float, down: float, dtype: torch.dtype, device: torch.device) -> Float[Tensor, "3 3"]:
    """From canvas units to pixels; shared, so not to be written to."""
    return torch.tensor([[across, 0, 0], [0, down, 0], [0, 0, 1]], dtype=dtype, device=device)


@lru_cache(maxsize=4)
def _scalings(
    across: float, down: float, dtype: torch.dtype, device: torch.device, count: int
) -> Float[Tensor, "count 2 3"]:
    """The same for many paths, without the last row."""
    return _scaling(across, down, dtype, device)[:2].repeat(count, 1, 1)


def matrices_px(drawing: Drawing, height: int, width: int) -> Float[Tensor, "paths 2 3"]:
    """The matrices from the coordinates of each path to pixels, in `exact_dtype`; NaN for paths that paint nothing.

    That is if a number is beyond `STEEPEST`, or if the matrix makes a line or a point of everything.

    Differentiable in `drawing.transforms`.
    """
    device, dtype = drawing.points.device, exact_dtype(drawing.points.device)
    stretch = pixels_per_unit(drawing, height, width)
    if drawing.transforms is None or not any(style.transforms for style in drawing.styles):
        return _scalings(*stretch, dtype, device, len(drawing))
    scale = _scaling(*stretch, dtype, device)
    last = torch.tensor([[0.0, 0.0, 1.0]], dtype=dtype, device=device)
    sound = (drawing.transforms.detach().abs() <= STEEPEST).all(2).all(1)  # false for NaN
    transforms = torch.where(sound[:, None, None], drawing.transforms, 0).to(dtype)  # which makes all things flat
    square = torch.cat((transforms, last.expand(len(transforms), 1, 3)), dim=1)
    chains: dict[tuple[int, ...], Tensor] = {(): scale}
    for style in drawing.styles:
        for depth in range(1, len(style.transforms) + 1):
            chain = style.transforms[:depth]
            if chain not in chains:
                chains[chain] = chains[chain[:-1]] @ square[chain[-1]]
    matrices = torch.stack([chains[style.transforms] for style in drawing.styles])[:, :2]
    known, linear = matrices.detach(), matrices.detach()[:, :, :2]
    area = (linear[:, 0, 0] * linear[:, 1, 1] - linear[:, 0, 1] * linear[:, 1, 0]).abs()
    kept = (known.abs() <= STEEPEST).all(2).all(1) & (area > FLATTEST * linear.square().sum((1, 2)))
    return torch.where(kept[:, None, None], matrices, torch.nan)
