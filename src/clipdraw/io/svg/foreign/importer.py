"""The state of reading a foreign SVG file: the paths so far, the inherited state of an element, groups and clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal
from xml.etree.ElementTree import Element

import numpy as np
import torch
from jaxtyping import Float32, Float64

from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.errors import FormatError
from clipdraw.io.svg.foreign.geometry import Box, Matrix, transform_box, transform_points
from clipdraw.io.svg.foreign.gradients import Template, find_template
from clipdraw.io.svg.foreign.stylesheets import StyleSheets
from clipdraw.io.svg.foreign.values import PaintServer, Rgba
from clipdraw.io.svg.syntax import LIMIT, MAX_SEGMENTS

MAX_REPEATS = 10_000
"""The most elements that are painted again, through `<use>` and as markers: nested, they could multiply without end."""

MAX_BOXES = 8192
"""The most shapes of a group that are compared one by one; further ones are compared with the box of all before."""

MAX_KNOWN = 4096
"""The most states that are remembered."""

_SAME: Matrix = np.eye(3)

_SLACK = 1e-3
"""A shape that sticks out of a clip by less than this fraction of the clip's side counts as inside: it is rounding."""


@dataclass
class Group:
    """A group with an opacity, and the boxes of its shapes so far.

    A drawing gives the opacity to each shape, which looks the same only while the shapes do not overlap.
    """

    boxes: Float64[np.ndarray, "boxes 2 2"] = field(default_factory=lambda: np.empty((16, 2, 2)))
    count: int = 0
    overlaps: bool = False

    def add(self, box: Box) -> bool:
        """Add the box of a shape; return whether it is the first that may overlap another."""
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
class Reach:
    """How far a stroke reaches around its curve.

    Args:
        matrix: from the coordinates in which the pen is round to those of the canvas.
        radius: half the stroke's width, in those coordinates.
        tips: points that it reaches besides, in those coordinates: corners of square caps and miters.
    """

    matrix: Matrix
    radius: float
    tips: Float64[np.ndarray, "tips 2"]

    def grow(self, box: Box, from_canvas: Matrix = _SAME) -> Box:
        """The lowest and highest coordinates of a curve with its stroke.

        Args:
            box: those of the curve.
            from_canvas: from the coordinates of the canvas to those of the box.
        """
        matrix = from_canvas @ self.matrix
        margin = self.radius * np.linalg.norm(matrix[:2, :2], axis=1)
        points = np.concatenate((box[:1] - margin, box[1:] + margin, transform_points(self.tips, matrix)))
        return np.stack((points.min(axis=0), points.max(axis=0)))


@dataclass
class Clip:
    """A rectangle that clips shapes. A drawing does not clip: fills are cut off at it, strokes that cross it are named.

    Args:
        note: the name of the clip in the warning.
        matrix: from its coordinates to those of the canvas.
        box: its lowest and highest coordinates.
        noted: whether a stroke was named.
    """

    note: str
    matrix: Matrix
    box: Box
    noted: bool = False

    def side(self, box: Box, matrix: Matrix, reach: Reach, canvas: Canvas) -> Literal["inside", "across", "outside"]:
        """Where a shape lies; what is beyond the canvas counts as inside.

        Args:
            box: lowest and highest coordinates of the shape in its own coordinates.
            matrix: from these to those of the canvas.
            reach: how far its stroke reaches around it.
            canvas: the visible area.
        """
        inverse = self._inverse
        own = reach.grow(transform_box(box, inverse @ matrix), inverse)
        if (own[0] > self.box[1]).any() or (own[1] < self.box[0]).any():
            return "outside"
        grown = reach.grow(transform_box(box, matrix))
        seen = np.stack((np.maximum(grown[0], 0), np.minimum(grown[1], (canvas.width, canvas.height))))
        unseen = bool((seen[0] > seen[1]).any())
        return "inside" if unseen or self._holds(own) or self._holds(transform_box(seen, inverse)) else "across"

    @cached_property
    def _inverse(self) -> Matrix:
        return np.linalg.inv(self.matrix)

    def corners(self, matrix: Matrix) -> Float64[np.ndarray, "4 2"]:
        """Its corners, one after another, in the coordinates that a matrix takes to those of the canvas."""
        corners = np.array([self.box[[x, y], [0, 1]] for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
        return transform_points(corners, np.linalg.inv(matrix) @ self.matrix)

    def can_cut(self, canvas: Canvas) -> bool:
        """Whether it can hide a part of a shape that would be seen: not if it holds the whole canvas.

        Nor if its transform makes a line or a point of it, or is not finite: that has no inverse to compare shapes by.
        """
        if not np.isfinite(self.matrix).all() or not np.linalg.det(self.matrix):
            return False
        whole = np.array([[0, 0], [canvas.width, canvas.height]], dtype=np.float64)
        return not self._holds(transform_box(whole, np.linalg.inv(self.matrix)))

    def _holds(self, box: Box) -> bool:
        slack = _SLACK * (self.box[1] - self.box[0])
        return bool((box[0] >= self.box[0] - slack).all() and (box[1] <= self.box[1] + slack).all())


def joined(clips: tuple[Clip, ...]) -> tuple[Clip, ...]:
    """Clips of which the last one becomes one with that before where both are rectangles of the same coordinates."""
    if len(clips) < 2 or clips[-1].note != clips[-2].note or (clips[-1].matrix != clips[-2].matrix).any():
        return clips
    one, two = clips[-2].box, clips[-1].box
    box = np.stack((np.maximum(one[0], two[0]), np.minimum(one[1], two[1])))
    return (*clips[:-2], replace(clips[-1], box=box)) if (box[0] < box[1]).all() else clips


@dataclass(frozen=True)
class PlacedPaint:
    """A paint of an element, which is a color or a gradient that lies as the element does.

    Args:
        paint: the color or gradient; None for no paint.
        matrix: from the coordinates of the element to those of the canvas.
        viewport: the size that percentages refer to there.
        box: its lowest and highest coordinates; None for those of the shape that is painted.
    """

    paint: Rgba | PaintServer | None
    matrix: Matrix
    viewport: tuple[float, float]
    box: Box | None


@dataclass(frozen=True)
class ElementState:
    """The state that an element passes on to its children.

    Args:
        matrix: from its coordinates to those of the canvas.
        style: its properties.
        opacity: the product of its opacity and those of its ancestors.
        uses: the number of `<use>` elements that led to it.
        size: width and height that a `<use>` prescribes for the viewport of what it shows.
        groups: the groups with an opacity that it is in.
        viewport: the size that percentages refer to.
        clips: the rectangles that clip it.
        ancestors: the elements that led to it.
        context: the paints of a `<use>` or of a shape with markers, which what they show may take as its own.
    """

    matrix: Matrix
    style: dict[str, str] = field(default_factory=dict)
    opacity: float = 1.0
    uses: int = 0
    size: tuple[str | None, str | None] = (None, None)
    groups: tuple[Group, ...] = ()
    viewport: tuple[float, float] = (1.0, 1.0)
    clips: tuple[Clip, ...] = ()
    ancestors: tuple[Element, ...] = ()
    context: Mapping[str, PlacedPaint] = field(default_factory=dict)


@dataclass
class Importer:
    """A file that is being read, and the parts of its drawing so far.

    Args:
        root: the tree of the file.
        canvas: the canvas of the drawing.
        elements: the elements of the file by their `id`.
        sheets: the style sheets of the file.
        notes: the parts that are left out or simplified, and how often, for the warning.
        background: the color of the background.
        background_shape: the rectangle that became the background, its name and state.
        points: the control points of each path so far.
        widths: the full width of each path's stroke, in canvas units.
        colors: the color of each path's stroke.
        fills: the color of each path's fill.
        segments: the number of segments of each path.
        styles: the style of each path.
        gradients: the gradients that styles refer to by index.
        transforms: the transforms that styles refer to by index.
        paint_cache: the paint of each gradient on each kind of shape.
        states: parents and states of paths, by what tells them; few.
        paints: states, and what paths in them are painted with, by their identity; few.
        farthest: the highest coordinates of all that is painted.
    """

    root: Element
    canvas: Canvas
    elements: dict[str | None, Element]
    sheets: StyleSheets
    notes: Counter[str] = field(default_factory=Counter)
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)
    background_shape: tuple[Element, str, ElementState] | None = None
    points: list[np.ndarray] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    colors: list[Rgba] = field(default_factory=list)
    fills: list[Rgba] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)
    styles: list[Style] = field(default_factory=list)
    gradients: list[Gradient] = field(default_factory=list)
    transforms: list[Float32[np.ndarray, "2 3"]] = field(default_factory=list)
    paint_cache: dict[tuple[object, ...], Gradient | Rgba | None] = field(default_factory=dict)
    states: dict[tuple[object, ...], tuple[ElementState, ElementState]] = field(default_factory=dict)
    paints: dict[int, tuple[ElementState, Any]] = field(default_factory=dict)
    farthest: Float64[np.ndarray, " 2"] = field(default_factory=lambda: np.zeros(2))
    _templates: dict[str, Template | None] = field(default_factory=dict)
    _indices: dict[object, int] = field(default_factory=dict)
    _count: int = 0
    _repeats: int = 0

    def drawing(self, metadata: dict[str, str]) -> Drawing:
        """All paths as a drawing; without styles if they are plain strokes."""
        usual = Style()
        plain = all(style == usual for style in self.styles)
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

    def fit_canvas(self) -> None:
        """Let the canvas end where what is painted ends, on the sides that the file does not tell.

        Raises:
            FormatError: nothing is painted to the right of and below the origin.
        """
        sides = (self.canvas.width, self.canvas.height)
        width, height = (float(far) if side == LIMIT else side for side, far in zip(sides, self.farthest, strict=True))
        if min(width, height) <= 0:
            raise FormatError("neither viewBox nor width and height tell its size, and its shapes lie above or left")
        self.canvas = Canvas(width, height)

    def remember(self, key: tuple[object, ...], parent: ElementState, state: ElementState) -> None:
        """Remember the state of a path for others; the parent, so that its identity stays its own."""
        if len(self.states) >= MAX_KNOWN:
            self.states.clear()
            self.paints.clear()
        self.states[key] = parent, state

    def may_repeat(self, number: int) -> bool:
        """Whether so many elements more may be painted again."""
        return self._repeats + number <= MAX_REPEATS

    def repeat(self) -> None:
        """Count an element that is painted again, and refuse the file when there are too many.

        Raises:
            FormatError: there are more than `MAX_REPEATS`.
        """
        self._repeats += 1
        if self._repeats > MAX_REPEATS:
            raise FormatError(f"<use> repeats more than {MAX_REPEATS:,} elements")

    def count(self, number: int, *, what: str) -> None:
        """Count segments and stops, and refuse the file when there are too many.

        Raises:
            FormatError: there are more than `MAX_SEGMENTS`.
        """
        self._count += number
        if self._count > MAX_SEGMENTS:
            raise FormatError(f"more than {MAX_SEGMENTS:,} {what}")

    def template(self, name: str) -> Template | None:
        """The gradient of this `id`; None if there is none.

        Raises:
            UnreadableError: it has too many stops.
        """
        if name not in self._templates:
            self._templates[name] = find_template(name, self.elements, self.sheets)
        return self._templates[name]

    def gradient_index(self, gradient: Gradient) -> int:
        """The index of a gradient in the drawing, which gets it if it is new."""
        index = self._indices.setdefault(id(gradient), len(self.gradients))
        self.gradients += [gradient] if index == len(self.gradients) else []
        return index

    def transform_index(self, matrix: Matrix) -> int:
        """The index of a transform in the drawing, which gets it if it is new."""
        single = matrix[:2].astype(np.float32)
        index = self._indices.setdefault(single.tobytes(), len(self.transforms))
        self.transforms += [single] if index == len(self.transforms) else []
        return index
