"""Foreign SVG shapes in their places, and what of them a drawing leaves out or holds only nearly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from xml.etree.ElementTree import Element

import numpy as np
from jaxtyping import Float64

from clipdraw.io.svg.foreign.clips import moved_box
from clipdraw.io.svg.foreign.found import Found, Place
from clipdraw.io.svg.foreign.outlines import Run, extent
from clipdraw.io.svg.foreign.style import length, reference

_EVEN = 1e-4
"""How far a transform may be from turning and even scaling, as a share, for its strokes to keep one width."""


@dataclass(frozen=True)
class Shape:
    """A shape and how its outline is painted."""

    runs: list[Run]
    place: Place
    width: float = 0.0
    fixed: bool = False

    @property
    def evenodd(self) -> bool:
        """Whether what it winds around twice is not filled."""
        return self.place.style.get("fill-rule") == "evenodd"

    @cached_property
    def box(self) -> Float64[np.ndarray, "2 2"]:
        """Its lowest and highest coordinates, without its stroke."""
        return extent(self.runs)

    @cached_property
    def stretched(self) -> bool:
        """Whether a pen of one width can only be moved in the shape's own coordinates."""
        linear = self.place.matrix[:2, :2]
        square = float(abs(np.linalg.det(linear)))
        even = np.allclose(linear @ linear.T, square * np.eye(2), rtol=0.0, atol=_EVEN * square)
        return self.width > 0 and not self.fixed and not even


def note_shape(shape: Shape, stroked: bool, found: Found) -> None:
    """Name what of a shape is left out or only approximate."""
    place, style = shape.place, shape.place.style
    if stroked and style.get("stroke-dasharray", "none").strip(" 0,") not in ("", "none"):
        found.notes["dashes"] += 1
    if stroked and shape.fixed and not length(found.root.get("width"), of=0.0) > 0:
        found.notes["strokes that do not scale, in canvas units"] += 1
    if place.groups or place.clips:
        _note_neighbors(shape, shape.width / 2 if stroked else 0.0, found)


def _note_neighbors(shape: Shape, reach: float, found: Found) -> None:
    """Name groups whose opacity is not that of each shape, for they overlap, and clips that are stuck out of."""
    matrix = shape.place.matrix
    reach *= 1.0 if shape.fixed else float(np.abs(matrix[:2, :2]).max())
    box = moved_box(shape.box, matrix) + np.array([[-reach], [reach]])
    for group in shape.place.groups:
        if group.take(box):
            found.notes["opacity of groups whose shapes overlap, applied to each"] += 1
    for clip in shape.place.clips:
        if clip.take(shape.box, matrix, reach, found.canvas):
            found.notes[clip.note] += 1


def note_markers(element: Element, tag: str, place: Place, found: Found) -> None:
    """Name markers, which are painted even where nothing else is."""
    if tag not in ("path", "line", "polyline", "polygon") or place.opacity <= 0:
        return
    names = {reference(place.style.get(f"marker{kind}", "none")) for kind in ("", "-start", "-mid", "-end")}
    if any(name and found.names.get(name) is not None for name in names):
        found.notes["markers"] += 1


def moved(
    points: Float64[np.ndarray, "points 2"], matrix: Float64[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "points 2"]:
    """The points after a transform."""
    return points @ matrix[:2, :2].T + matrix[:2, 2]
