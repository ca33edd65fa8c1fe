"""Changes to an optimization that is under way."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.errors import InputError
from clipdraw.optimization.arrangement import joined
from clipdraw.optimization.losses import Loss
from clipdraw.optimization.recipe import Recipe

_OF_PATHS = "widths", "colors", "fills"
"""The parameters with a row for each path."""


@dataclass(frozen=True, eq=False)
class Change:
    """The differences from the next step on; what is left out stays as it is.

    Args:
        losses: what is minimized: texts, weights, regions. A loss that stays, the same object, is not built anew.
        recipe: steps, views, learning rates and constraints.
        remove: numbers of paths that go, counted from 0, from the back.
        add: paths that come on top, without gradients and transforms, on a canvas of the same size.

    Raises:
        InputError: there is no loss, or what is added has gradients or transforms.
    """

    losses: tuple[Loss, ...] | None = None
    recipe: Recipe | None = None
    remove: tuple[int, ...] = ()
    add: Drawing | None = None

    def __post_init__(self) -> None:
        if self.losses == ():
            raise InputError("nothing to optimize: give at least one loss, or leave losses out to keep those there are")
        if self.add is not None and (self.add.gradients or self.add.transforms is not None):
            raise InputError("paths that are added have no gradients and transforms")

    @property
    def of_paths(self) -> bool:
        """Whether paths come or go."""
        return bool(self.remove) or self.add is not None

    def kept(self, drawing: Drawing) -> list[int]:
        """The numbers of the paths that stay.

        Raises:
            InputError: a path that is to go is not there, or none is left.
        """
        wrong = sorted(set(self.remove) - set(range(len(drawing))))
        if wrong:
            raise InputError(f"paths are numbered from 0 to {len(drawing) - 1}; there is no {wrong[0]} to remove")
        kept = [path for path in range(len(drawing)) if path not in set(self.remove)]
        if not kept and self.add is None:
            raise InputError("a change leaves no path: keep one, or add some")
        return kept

    def paths(self, drawing: Drawing) -> Drawing:
        """The paths after the change.

        Raises:
            InputError: see `kept`; or the canvas of what is added is another one.
        """
        staying = drawing.detached().subset(self.kept(drawing))
        return staying if self.add is None else joined(staying, self.add.detached())

    def moment(self, name: str, moment: Tensor, drawing: Drawing, like: Tensor) -> Tensor:
        """A moment of Adam after the change: that of each path that stays, then zeros for new ones.

        Args:
            name: of the parameter.
            moment: before the change.
            drawing: the paths before the change.
            like: the parameter after the change.
        """
        rows = self._rows(name, moment, drawing)
        carried = torch.zeros_like(like)
        carried[: len(rows)] = moment[rows]
        return carried

    def _rows(self, name: str, moment: Tensor, drawing: Drawing) -> Tensor:
        """The rows of a parameter that belong to paths that stay."""
        if name == "points":
            numbers = torch.arange(len(moment), device=moment.device).split(drawing.point_counts())
            chosen = [numbers[path] for path in self.kept(drawing)]
            return torch.cat(chosen) if chosen else numbers[0][:0]
        rows = self.kept(drawing) if name in _OF_PATHS else range(len(moment))
        return torch.tensor(list(rows), dtype=torch.long, device=moment.device)
