"""What a described thing roughly looks like: a few small pictures for each text, for drawings to start from.

An encoder's gradients refine a start better than they find one. Santurkar et al. 2019 (Image Synthesis with a
Single (Robust) Classifier, arXiv 1906.09453) start from a Gaussian fitted to each class; here a small network
gives several pictures for any text, as sums of principal components of drawings.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

SIZE = 32
"""Height and width of the pictures, in pixels."""
PICTURES = 8
"""How many there are for each text."""
_WIDTH, _HIDDEN, _COMPONENTS = 384, 768, 320
_FOG = 0.1  # ink that is too faint to mean anything, and as much that lacks where there should be most
_GAIN = 16.0  # a unit vector's entries are small


class Imagination(nn.Module):
    """Sentence vectors to pictures.

    It was trained so that at least one of its pictures is near the drawing that a text is the caption of
    (Guzman-Rivera et al. 2012, Multiple Choice Learning): they show different views and styles, not a blend.
    """

    mean: Tensor
    components: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.read = nn.Linear(_WIDTH, _HIDDEN)
        self.hidden = nn.ModuleList(nn.Linear(_HIDDEN, _HIDDEN) for _ in range(2))
        self.out = nn.Linear(_HIDDEN, PICTURES * _COMPONENTS)
        self.register_buffer("mean", torch.zeros(3 * SIZE**2))
        self.register_buffer("components", torch.zeros(_COMPONENTS, 3 * SIZE**2))

    def forward(self, vectors: Float[Tensor, "texts width"]) -> Float[Tensor, "texts pictures components"]:
        """Coordinates of the pictures along the components."""
        x = functional.silu(self.read(vectors * _GAIN))
        for layer in self.hidden:
            x = x + functional.silu(layer(x))
        return self.out(x).unflatten(1, (PICTURES, _COMPONENTS))

    def pictures(self, vectors: Float[Tensor, "texts width"]) -> Float[Tensor, "texts pictures 3 size size"]:
        """Pictures on white, in [0, 1]."""
        ink = self(vectors) @ self.components + self.mean
        clear = (ink - _FOG) / (1 - 2 * _FOG)
        return (1 - clear).clamp(0, 1).unflatten(2, (3, SIZE, SIZE))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Imagination:
        """The network of stored weights.

        Raises:
            RuntimeError: they do not fit.
        """
        imagination = cls()
        imagination.load_state_dict(dict(tensors))
        return imagination.eval().requires_grad_(False)
