"""The thing that is optimized: ordered strokes on a canvas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.errors import FormatError, InputError
from clipdraw.registry import readers, writers


@dataclass(frozen=True)
class Canvas:
    """The coordinate area of a drawing, in canvas units (SVG user units): origin top left, y down.

    Args:
        width: extent in x, above 0.
        height: extent in y, above 0.
    """

    width: float = 224.0
    height: float = 224.0

    def __post_init__(self) -> None:
        if not (0 < self.width < float("inf") and 0 < self.height < float("inf")):
            raise InputError(f"a canvas needs a positive width and height, got {self.width} x {self.height}")

    @property
    def scale(self) -> float:
        """How many times larger than the published 224-unit canvas this one is, by its shorter side."""
        return min(self.width, self.height) / 224.0


def control_points(segments: int) -> int:
    """The number of control points of an open path of `segments` cubic segments."""
    return 3 * segments + 1


@dataclass(frozen=True, eq=False)
class Drawing:
    """Open paths of cubic segments, painted in order over a background.

    Strokes may have different numbers of segments; their control points lie one after another
    in `points`, so that each kind of parameter is one tensor for the optimizer.

    Args:
        points: control points of all strokes, in canvas units.
        widths: full stroke widths in canvas units, 0 or more.
        colors: straight red, green, blue and opacity in [0, 1].
        segments: cubic segments of each stroke, at least 1.
        canvas: the coordinate area.
        background: opaque red, green, blue in [0, 1].
        metadata: what the file should say about the drawing, such as `prompt` and `seed`.

    Raises:
        InputError: the shapes contradict each other.
    """

    points: Float[Tensor, "points 2"]
    widths: Float[Tensor, " strokes"]
    colors: Float[Tensor, "strokes 4"]
    segments: tuple[int, ...]
    canvas: Canvas = field(default_factory=Canvas)
    background: Float[Tensor, " 3"] = field(default_factory=lambda: torch.ones(3))
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        strokes, expected = len(self.segments), sum(map(control_points, self.segments))
        if any(count < 1 for count in self.segments):
            raise InputError("every stroke needs at least one segment")
        shapes = tuple(self.points.shape), tuple(self.widths.shape), tuple(self.colors.shape)
        wanted = (expected, 2), (strokes,), (strokes, 4)
        if shapes != wanted:
            raise InputError(f"{strokes} strokes need points, widths, colors of shapes {wanted}, got {shapes}")

    def __len__(self) -> int:
        """The number of strokes."""
        return len(self.segments)

    def parameters(self) -> tuple[Tensor, Tensor, Tensor]:
        """The tensors that an optimizer moves: points, widths, colors."""
        return self.points, self.widths, self.colors

    def stroke_points(self) -> tuple[Float[Tensor, "_ 2"], ...]:
        """The control points of each stroke."""
        return self.points.split([control_points(count) for count in self.segments])

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Drawing:
        """The same drawing on another device or in another precision."""
        moved = {name: getattr(self, name).to(device=device, dtype=dtype) for name in _TENSORS}
        return replace(self, **moved)

    def detached(self) -> Drawing:
        """A copy that shares no memory and carries no gradient."""
        return replace(self, **{name: getattr(self, name).detach().clone() for name in _TENSORS})

    def subset(self, strokes: Sequence[int]) -> Drawing:
        """A drawing of the given strokes, in the given order."""
        parts = self.stroke_points()
        index = torch.as_tensor(list(strokes), dtype=torch.long, device=self.points.device)
        points = torch.cat([parts[i] for i in strokes]) if len(index) else self.points[:0]
        counts = tuple(self.segments[i] for i in strokes)
        return replace(self, points=points, widths=self.widths[index], colors=self.colors[index], segments=counts)

    def save(self, path: str | Path) -> None:
        """Write the drawing in the format that the file's ending names.

        Raises:
            FormatError: the ending names no known format.
        """
        _part(writers, Path(path))(self, Path(path))

    @staticmethod
    def load(path: str | Path) -> Drawing:
        """The drawing in a file; of foreign files, the strokes.

        Raises:
            FormatError: the file cannot be read as a drawing.
        """
        return _part(readers, Path(path))(Path(path))


_TENSORS = ("points", "widths", "colors", "background")


def _part(registry: Mapping[str, Any], path: Path) -> Any:
    ending = path.suffix.lower().lstrip(".")
    if ending not in registry:
        raise FormatError(f"{path.name}: a drawing is stored as {', '.join(sorted(registry))}, not {ending!r}")
    return registry[ending]
