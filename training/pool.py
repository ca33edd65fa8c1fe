"""Pictures that are shown several times: the coordinates of those made of late, with the vectors of their captions.

Making a picture takes as long as training a network of matrix products on twenty, so each is shown often, with other
noise each time. The states of a caption's pieces are not kept.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from training.unet import WORDS, Text


class Pool:
    """The pictures made last.

    Args:
        size: how many are kept.
        components: how many coordinates each has.
    """

    def __init__(self, size: int, components: int) -> None:
        self.coordinates = torch.zeros(size, components, dtype=torch.float16)
        self.vectors = torch.zeros(size, WORDS, dtype=torch.float16)
        self.added = 0

    def add(self, coordinates: Float[Tensor, "batch components"], vectors: Float[Tensor, "batch words"]) -> None:
        """Keep these instead of the oldest ones."""
        places = (torch.arange(len(coordinates)) + self.added) % len(self.vectors)
        self.coordinates[places], self.vectors[places] = coordinates.half().cpu(), vectors.half().cpu()
        self.added += len(coordinates)

    def draw(self, count: int, generator: np.random.Generator) -> tuple[Float[Tensor, "count components"], Text]:
        """Coordinates of random ones, and their texts without pieces."""
        chosen = torch.from_numpy(generator.integers(0, min(self.added, len(self.vectors)), count))
        states, mask = torch.zeros(count, 0, WORDS), torch.zeros(count, 0, dtype=torch.bool)
        return self.coordinates[chosen].float(), Text(self.vectors[chosen].float(), states, mask)
