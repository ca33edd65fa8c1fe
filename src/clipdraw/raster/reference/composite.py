"""Coverage to images: the definition that `kernels/composite.c` and `kernels/group_opacity.c` follow."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.raster.batch import Batch
from clipdraw.raster.paint import gradient_colors
from clipdraw.raster.reference.chords import Box


def composite(
    alpha: Float[Tensor, "layers pixels"],
    colors: Float[Tensor, "layers 3 _"],
    background: Float[Tensor, "3 pixels"],
) -> Float[Tensor, "3 pixels"]:
    """Source-over, back to front, over an opaque background.

    Args:
        alpha: coverage times opacity, straight.
        colors: red, green, blue of each layer, one for all pixels or one for each.
        background: red, green, blue.

    Differentiable in all three, at alpha 1 too.
    """
    above = (1 - alpha).flip(0).cumprod(0).flip(0)  # layers x pixels: seen through a layer and all above it
    through = torch.cat((above[1:], torch.ones_like(above[:1])), dim=0)  # through all above it
    return ((alpha * through)[:, None] * colors).sum(0) + above[:1] * background


def apply_group_opacity(
    batch: Batch, layers: Int[Tensor, " layers"], alpha: Float[Tensor, "layers pixels"]
) -> Float[Tensor, "layers pixels"]:
    """Alpha with the fills hidden that strokes of their own path lie above; see `index.Index.group_opacities`."""
    if not len(batch.index.group_opacities):
        return alpha
    numbers = layers.cpu().numpy()
    known = batch.index.group_opacities[numbers]
    found = np.flatnonzero((known[1:] != 1) & (np.diff(numbers) == 1))
    fills, opacity = torch.from_numpy(found).to(alpha.device), alpha.new_tensor(known[1:][found])[:, None]  # fills x 1
    stroke = alpha[fills + 1]  # fills x pixels
    fraction = (1 - stroke / opacity) / (1 - stroke).clamp(min=(1 - opacity) / 2)
    return alpha.index_copy(0, fills, alpha[fills] * fraction)


def paints(
    batch: Batch, layers: Int[Tensor, " layers"], coverage: Float[Tensor, "layers pixels"], box: Box
) -> tuple[Float[Tensor, "layers pixels"], Float[Tensor, "layers 3 _"]]:
    """Alpha and colors of the layers of one drawing in a tile."""
    colors, opacity = batch.colors[layers, :3, None], batch.colors[layers, 3, None]
    graded = [k for k, layer in enumerate(layers.tolist()) if batch.index.gradients[layer] >= 0]
    if graded:
        own = {k: _own_colors(batch, int(layers[k]), box).T for k in graded}
        size = coverage.shape[1]
        colors = torch.stack([own[k][:3] if k in own else c.expand(3, size) for k, c in enumerate(colors)])
        opacity = torch.stack([own[k][3] * o if k in own else o.expand(size) for k, o in enumerate(opacity)])
    return coverage * opacity, colors


def _own_colors(batch: Batch, layer: int, box: Box) -> Float[Tensor, "pixels 4"]:
    """A gradient's colors in a tile."""
    like = batch.matrices
    rows, columns = (
        torch.arange(*ends, device=like.device, dtype=like.dtype) + 0.5
        for ends in ((box.top, box.bottom), (box.left, box.right))
    )
    centers = torch.cartesian_prod(rows, columns).flip(-1)
    matrix = batch.matrices[batch.index.layers[layer, 0]]
    return gradient_colors(batch.gradients[batch.index.gradients[layer]], matrix, centers)
