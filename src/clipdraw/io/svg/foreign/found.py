"""What the walk through a foreign SVG file knows and gathers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

import numpy as np
import torch
from jaxtyping import Float32, Float64

from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.clips import Clip
from clipdraw.io.svg.foreign.gradients import Template, template
from clipdraw.io.svg.foreign.sheet import Sheet
from clipdraw.io.svg.foreign.style import Rgba
from clipdraw.io.svg.read_parts import MAX_SEGMENTS

MAX_BOXES = 8192
"""How many shapes of a group are looked at one by one; further ones are held against all before together."""


@dataclass
class Group:
    """A group with an opacity: where its shapes are, as far as they have been met."""

    boxes: Float64[np.ndarray, "boxes 2 2"] = field(default_factory=lambda: np.empty((16, 2, 2)))
    count: int = 0
    overlaps: bool = False

    def take(self, box: Float64[np.ndarray, "2 2"]) -> bool:
        """Add a shape of this extent; whether it is the first that may overlap another."""
        if self.overlaps:
            return False
        before = self.boxes[: self.count]
        self.overlaps = bool(((box[0] < before[:, 1]) & (box[1] > before[:, 0])).all(axis=1).any())
        if self.count == len(self.boxes) < MAX_BOXES:
            self.boxes = np.concatenate((self.boxes, np.empty_like(self.boxes)))
        if self.count == MAX_BOXES:
            both = np.stack((*before, box))
            self.boxes[0], self.count = np.stack((both[:, 0].min(axis=0), both[:, 1].max(axis=0))), 0
        else:
            self.boxes[self.count] = box
        self.count += 1
        return self.overlaps


@dataclass(frozen=True)
class Place:
    """Where an element stands in the tree: what it gets from above."""

    matrix: Float64[np.ndarray, "3 3"]
    style: dict[str, str] = field(default_factory=dict)
    opacity: float = 1.0
    uses: int = 0
    size: tuple[str | None, str | None] = (None, None)
    groups: tuple[Group, ...] = ()
    viewport: tuple[float, float] = (1.0, 1.0)
    clips: tuple[Clip, ...] = ()
    trail: tuple[Element, ...] = ()


@dataclass
class Found:
    """What the walk has gathered."""

    root: Element
    canvas: Canvas
    names: dict[str | None, Element]
    sheet: Sheet
    points: list[np.ndarray] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    colors: list[Rgba] = field(default_factory=list)
    fills: list[Rgba] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)
    styles: list[Style] = field(default_factory=list)
    gradients: list[Gradient] = field(default_factory=list)
    transforms: list[Float32[np.ndarray, "2 3"]] = field(default_factory=list)
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)
    backdrop: tuple[Element, str, Place] | None = None
    notes: Counter[str] = field(default_factory=Counter)
    commands: int = 0
    templates: dict[str, Template | None] = field(default_factory=dict)
    served: dict[tuple[object, ...], Gradient | Rgba | None] = field(default_factory=dict)
    numbers: dict[object, int] = field(default_factory=dict)

    def drawing(self, metadata: dict[str, str]) -> Drawing:
        """All paths as a drawing; without styles if they are plain strokes."""
        plain = all(style == Style() for style in self.styles)
        filled = any(style.fill for style in self.styles)
        return Drawing(
            points=torch.from_numpy(np.concatenate(self.points)).float(),
            widths=torch.tensor(self.widths, dtype=torch.float32),
            colors=torch.tensor(self.colors, dtype=torch.float32),
            segments=tuple(self.segments),
            canvas=self.canvas,
            background=torch.tensor(self.background, dtype=torch.float32),
            metadata=metadata,
            styles=() if plain else tuple(self.styles),
            fills=torch.tensor(self.fills, dtype=torch.float32) if filled else None,
            gradients=tuple(self.gradients),
            transforms=torch.from_numpy(np.stack(self.transforms)) if self.transforms else None,
        )

    def count(self, commands: int, *, what: str) -> None:
        """Refuse the file when it has led to too many segments and stops.

        Raises:
            FormatError: there are more than `MAX_SEGMENTS`.
        """
        self.commands += commands
        if self.commands > MAX_SEGMENTS:
            raise FormatError(f"more than {MAX_SEGMENTS:,} {what}")

    def template(self, name: str) -> Template | None:
        """The gradient of this `id`; None if there is none.

        Raises:
            UnreadableError: it has too many stops.
        """
        if name not in self.templates:
            self.templates[name] = template(name, self.names, self.sheet)
        return self.templates[name]

    def gradient_number(self, gradient: Gradient) -> int:
        """The place of a gradient in the drawing, where it is put unless it is there."""
        number = self.numbers.setdefault(id(gradient), len(self.gradients))
        self.gradients += [gradient] if number == len(self.gradients) else []
        return number

    def transform_number(self, matrix: Float64[np.ndarray, "3 3"]) -> int:
        """The place of a transform in the drawing, where it is put unless it is there."""
        single = matrix[:2].astype(np.float32)
        number = self.numbers.setdefault(single.tobytes(), len(self.transforms))
        self.transforms += [single] if number == len(self.transforms) else []
        return number
