"""One or many drawings as the tensors that backends take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing, Gradient, Style
from clipdraw.raster.plan import FAR, STROKE, Index, index_of, matrices_px


@dataclass(frozen=True, eq=False)
class Batch:
    """Drawings of the same image size, their paths one after another.

    Args:
        points: control points of all paths, in the coordinates of each path.
        radii: half the stroke widths, 0 or more, in the same coordinates.
        matrices: from the coordinates of each path to pixels.
        colors: red, green, blue, opacity of each layer; of layers with gradients the opacity counts.
        background: one color for each drawing, with one row and column, or a whole image.
        gradients: what layers refer to.
        index: where all that is.
        pages: the drawing of each layer: int64.
        moved: whether each path's geometry needs a gradient: bool.
        size: height and width of the images, in pixels.
    """

    points: Float[Tensor, "points 2"]
    radii: Float[Tensor, " paths"]
    matrices: Float[Tensor, "paths 2 3"]
    colors: Float[Tensor, "layers 4"]
    background: Float[Tensor, "drawings 3 _ _"]
    gradients: tuple[Gradient, ...]
    index: Index
    pages: np.ndarray
    moved: np.ndarray
    size: tuple[int, int]

    def tensors(self) -> tuple[Tensor, ...]:
        """All that is on a device."""
        parts = (p for gradient in self.gradients for p in gradient.parameters())
        return (self.points, self.radii, self.matrices, self.colors, self.background, *parts)


def make_batch(
    drawings: Sequence[Drawing],
    size: tuple[int, int],
    *,
    background: Float[Tensor, "drawings 3 height width"] | None = None,
    frozen: Sequence[Sequence[int]] | None = None,
) -> Batch:
    """Put drawings together.

    Args:
        drawings: at least one.
        size: height and width of the images, in pixels.
        background: images behind the drawings, instead of their own backgrounds.
        frozen: for each drawing the paths whose points, widths and transforms get no gradient.

    Differentiable in all parameters of the drawings and in the background.
    """
    index = _joined_index(tuple((d.segments, d.styles, len(d.gradients)) for d in drawings))
    moved = np.ones(len(index.first_layer) - 1, np.bool_)
    starts = np.cumsum([0, *map(len, drawings)])
    for first, chosen in zip(starts, frozen or (), strict=False):
        moved[first + np.asarray(list(chosen), dtype=np.int64)] = False
    if background is None:
        background = torch.stack([drawing.background for drawing in drawings])[:, :, None, None]
    return Batch(
        points=_one([drawing.points for drawing in drawings]),
        radii=_one([drawing.widths for drawing in drawings]).clamp(0, 2 * FAR) / 2,
        matrices=_one([matrices_px(drawing, *size) for drawing in drawings]),
        colors=_layer_colors(drawings, index),
        background=background,
        gradients=tuple(gradient for drawing in drawings for gradient in drawing.gradients),
        index=index,
        pages=np.searchsorted(starts, index.layers[:, 0], side="right") - 1,
        moved=moved,
        size=size,
    )


@lru_cache(maxsize=32)
def _joined_index(parts: tuple[tuple[tuple[int, ...], tuple[Style, ...], int], ...]) -> Index:
    """The index of several drawings, each given by its segments, its styles and how many gradients it has."""
    if len(parts) == 1:
        return index_of(*parts[0][:2])
    segments = tuple(count for counts, *_ in parts for count in counts)
    if not any(styles for _, styles, _ in parts):
        return index_of(segments, ())
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
    return index_of(segments, tuple(styles))


def _layer_colors(drawings: Sequence[Drawing], index: Index) -> Float[Tensor, "layers 4"]:
    colors, stroked = _one([drawing.colors for drawing in drawings]), index.layers[:, 1] == STROKE
    if len(stroked) == len(colors) and stroked.all():  # every path is one stroke
        return colors
    path, chosen = (torch.from_numpy(part).to(colors.device) for part in (index.layers[:, 0], stroked))
    fills = _one([_fills(drawing) for drawing in drawings])
    return torch.where(chosen[:, None], colors[path], fills[path])


def _one(tensors: list[Tensor]) -> Tensor:
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors)


def _fills(drawing: Drawing) -> Tensor:
    return drawing.colors if drawing.fills is None else drawing.fills
