"""A prior that needs no training: the flow's best guess if the colored drawings of the catalogue were all there is.

It never ships, since it is made of stored pictures. It stands in for a trained prior of the same use where a recipe of
drawing is to be chosen: what is drawn badly with this one is the recipe's fault.

Source: the posterior mean under a mixture of points, as in Karras et al., 2022, arXiv 2206.00364, appendix B.3.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from training import flow
from training.components import principal
from training.things import Things
from training.unet import Text

_SHARPNESS = 60.0  # of the text: drawings whose name's cosine is 0.05 less count a twentieth
_NEARLY_DONE = 0.05


class EmpiricalPrior(nn.Module):
    """The velocity of `training.flow` toward a weighted mean of stored pictures, along their principal components.

    Args:
        pictures: in [-1, 1].
        vectors: of what they show.
        components: how many.
    """

    def __init__(
        self,
        pictures: Float[Tensor, "pictures 3 32 32"],
        vectors: Float[Tensor, "pictures words"],
        *,
        components: int = 512,
    ) -> None:
        super().__init__()
        flat = pictures.flatten(1)
        found = principal(flat, min(components, len(flat)))
        self.mean, self.directions = (torch.from_numpy(found[name]).float() for name in ("mean", "directions"))
        self.coordinates = (flat - self.mean) @ self.directions.T
        self.square, self.vectors = self.coordinates.square().sum(1), vectors

    def forward(
        self, noisy: Float[Tensor, "batch 3 32 32"], times: Float[Tensor, " batch"], text: Text
    ) -> Float[Tensor, "batch 3 32 32"]:
        """The velocity at `times` in [0, 1], 0 being noise and 1 the picture; a text that is dropped does not count."""
        flat, ahead = noisy.flatten(1).float(), times[:, None].float()
        left = (1 - ahead).clamp(min=_NEARLY_DONE)
        with torch.autocast("cpu", enabled=False):
            along = (flat - ahead * self.mean) @ self.directions.T
            apart = ahead**2 * self.square - 2 * ahead * (along @ self.coordinates.T)
            logits = -apart / (2 * left**2) + _SHARPNESS * (text.vectors @ self.vectors.T)
            picture = self.mean + logits.softmax(1) @ self.coordinates @ self.directions
        return ((picture - flat) / left).view_as(noisy)


def colored(things: Things, *, batch: int = 256) -> EmpiricalPrior:
    """The prior of every colored drawing by its first name, upright on white."""
    stored, drawn = things.pictures["color"], things.drawn["color"]
    read, parts, vectors = flow.Reader(), [], []
    for first in range(0, len(stored), batch):
        rgba = torch.from_numpy(np.array(stored[first : first + batch])).float().permute(0, 3, 1, 2) / 255.0
        white = rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:]
        framed = functional.pad(white, (4, 4, 4, 4), value=1.0)
        parts.append(functional.interpolate(framed, size=(flow.SIZE, flow.SIZE), mode="area") * 2 - 1)
        vectors.append(read([one.names[0] for one in drawn[first : first + batch]]).vectors)
    return EmpiricalPrior(torch.cat(parts), torch.cat(vectors))
