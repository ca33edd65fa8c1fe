"""What a described thing roughly looks like: a few small pictures for each text, for drawings to start from.

An encoder's gradients refine a start better than they find one. Santurkar et al. 2019 (Image Synthesis with a
Single (Robust) Classifier, arXiv 1906.09453) start from a Gaussian fitted to each class; here a small network
gives several pictures for any text, each decoded from a short code into sums of principal components of drawings.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

SIZE = 32
"""Height and width of the pictures, in pixels."""
PICTURES = 16
"""How many there are for each text."""
_WIDTH, _HIDDEN, _CODE, _COMPONENTS = 384, 1024, 96, 320
_DECODER = (_CODE, 512, 768)
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
        self.codes = nn.Linear(_HIDDEN, PICTURES * _CODE)
        self.decoder = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise(_DECODER))
        self.out = nn.Linear(_DECODER[-1], _COMPONENTS)
        self.register_buffer("mean", torch.zeros(3 * SIZE**2))
        self.register_buffer("components", torch.zeros(_COMPONENTS, 3 * SIZE**2))

    def forward(self, vectors: Float[Tensor, "texts width"]) -> Float[Tensor, "texts pictures code"]:
        """A short code for each picture, which `decode` reads."""
        x = functional.silu(self.read(vectors * _GAIN))
        for layer in self.hidden:
            x = x + functional.silu(layer(x))
        return self.codes(x).unflatten(1, (PICTURES, _CODE))

    def decode(self, codes: Float[Tensor, "*pictures code"]) -> Float[Tensor, "*pictures components"]:
        """Coordinates of the pictures along the components."""
        x = codes
        for layer in self.decoder:
            x = functional.silu(layer(x))
        return self.out(x)

    def pictures(self, vectors: Float[Tensor, "texts width"]) -> Float[Tensor, "texts pictures 3 size size"]:
        """Pictures on white, in [0, 1]."""
        return self.picture_at(self.decode(self(vectors)))

    def picture_at(self, coordinates: Float[Tensor, "*pictures components"]) -> Float[Tensor, "*pictures 3 size size"]:
        """The pictures with these coordinates along the components, on white, in [0, 1]."""
        ink = coordinates @ self.components + self.mean
        clear = (ink - _FOG) / (1 - 2 * _FOG)
        return (1 - clear).clamp(0, 1).unflatten(-1, (3, SIZE, SIZE))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Imagination:
        """The network of stored weights.

        Raises:
            RuntimeError: they do not fit.
        """
        imagination = cls()
        imagination.load_state_dict(dict(tensors))
        return imagination.eval().requires_grad_(False)
