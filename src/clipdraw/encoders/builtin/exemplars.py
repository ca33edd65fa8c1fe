"""Small pictures of well-known things, found by a text's vector: more starts beside those that are imagined.

Each is an openly licensed drawing of 32 x 32 pixels, kept as coordinates along the imagination's components; the
model card names the sets. The nearest by the cosine of their names are candidates, whatever the text says.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders.builtin.text_tower import narrowed, widened

_FINE = 64  # leading coordinates in 8 bits; the others are small and take 4


class Exemplars:
    """Pictures by the meaning of their names.

    Args:
        axes: orthonormal directions in which names differ most.
        names: unit vectors of the names along them.
        coordinates: of the pictures along the components of `Imagination`.
        worth: how much better, as a cosine, each is than others of the same name would be.
    """

    def __init__(
        self,
        axes: Float[Tensor, "axes width"],
        names: Float[Tensor, "exemplars axes"],
        coordinates: Float[Tensor, "exemplars components"],
        worth: Float[Tensor, " exemplars"],
    ) -> None:
        self._axes, self._names, self._coordinates, self._worth = axes, names, coordinates, worth

    def __len__(self) -> int:
        return len(self._names)

    def near(
        self, readings: Float[Tensor, "readings width"], count: int, *, whole: int = 1
    ) -> tuple[Float[Tensor, "exemplars components"], Float[Tensor, " exemplars"], Float[Tensor, " exemplars"]]:
        """The pictures whose names are the `count` nearest to any reading of a text.

        Args:
            readings: unit vectors, those of the whole text first.
            count: for each reading.
            whole: how many readings are of the whole text.

        Returns:
            The pictures' coordinates, the larger of the cosines between their names and the whole text, and their
            worth.
        """
        cosines = functional.normalize(readings @ self._axes.T, dim=1) @ self._names.T
        chosen = cosines.topk(min(count, len(self)), dim=1).indices.flatten().unique()
        return self._coordinates[chosen], cosines[:whole, chosen].amax(0), self._worth[chosen]

    def stored(self) -> dict[str, Tensor]:
        """What `from_tensors` reads: names in 8 bits, coordinates in 8 and 4."""
        tensors = {"axes": self._axes.half().contiguous(), "worth": self._worth.half()}
        few = {"names": (self._names, 8), "fine": (self._coordinates[:, :_FINE], 8)}
        few["coarse"] = (self._coordinates[:, _FINE:], 4)
        for name, (matrix, bits) in few.items():
            tensors[f"{name}.whole"], tensors[f"{name}.scale"] = narrowed(matrix, bits)
        return tensors

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Exemplars:
        """The exemplars that `stored` wrote.

        Raises:
            KeyError: one of them is missing.
        """
        wide = widened(tensors)
        return cls(
            wide["axes"],
            functional.normalize(wide["names"], dim=1),
            torch.cat([wide["fine"], wide["coarse"]], 1),
            wide["worth"],
        )
