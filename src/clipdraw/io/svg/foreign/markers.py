"""Markers: what is painted at the vertices of a path, turned as the path goes there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

import numpy as np

from clipdraw.io.svg.foreign.cascade import computed, with_geometry
from clipdraw.io.svg.foreign.effects import apply_effects, enter_box, tag_of
from clipdraw.io.svg.foreign.geometry import (
    SHAPES,
    parse_angle,
    rotation_matrix,
    shape_commands,
    shape_subpaths,
    shift_matrix,
)
from clipdraw.io.svg.foreign.importer import ElementState, Group, Importer
from clipdraw.io.svg.foreign.paints import context_paints
from clipdraw.io.svg.foreign.path_data import Command, Pen, Point, extent, single_commands
from clipdraw.io.svg.foreign.paths import is_beneath
from clipdraw.io.svg.foreign.values import UnreadableError, diagonal, length, reference, unit_interval

_MARKED = frozenset({"path", "line", "polyline", "polygon"})
MARKERS = frozenset({"marker-start", "marker-mid", "marker-end"})
"""The properties that name markers."""
_KINDS = ("start", "mid", "end")


@dataclass
class _Vertex:
    """A vertex of a path, and the directions in which the path comes and goes there, where it does."""

    at: Point
    coming: Point | None = None
    going: Point | None = None

    def angle(self) -> float:
        """The angle of the path, in radians: halfway between the two directions. Source: SVG 2, section 13.7.4."""
        coming, going = self.coming or self.going or (1.0, 0.0), self.going or self.coming or (1.0, 0.0)
        first, second = math.atan2(coming[1], coming[0]), math.atan2(going[1], going[0])
        return first + math.remainder(second - first, math.tau) / 2


def marker_states(
    element: Element, tag: str, state: ElementState, importer: Importer
) -> list[tuple[Element, ElementState]]:
    """The markers of a shape in the order in which they are painted, each with the state for its content.

    Args:
        element: the shape.
        tag: its name.
        state: its state.
        importer: the file that is being read.

    Raises:
        UnreadableError: the geometry of the shape is not understood.
    """
    markers = _markers(tag, state, importer) if MARKERS & state.style.keys() else None
    if not markers:
        return []
    subpaths, _ = shape_subpaths(element, tag, state.viewport)
    state = replace(state, context=context_paints(state, extent(subpaths) if subpaths else np.zeros((2, 2))))
    vertices = path_vertices(shape_commands(element, tag, state.viewport)[0])
    kinds: list[tuple[str, list[_Vertex]]] = [("start", vertices[:1]), ("mid", vertices[1:-1]), ("end", vertices[-1:])]
    placed = [(markers[kind], kind, vertex) for kind, some in kinds for vertex in some if kind in markers]
    if not importer.may_repeat(sum(sum(1 for _ in marker.iter()) for marker, *_ in placed)):
        importer.notes["markers"] += 1
        return []
    if placed and is_beneath("markers", state.style.get("paint-order", "")):
        importer.notes["markers beneath their lines"] += 1
    return [(marker, _placed(marker, kind, vertex, state, importer)) for marker, kind, vertex in placed]


def is_group(tag: str, style: Mapping[str, str]) -> bool:
    """Whether an element may consist of several shapes, of which its opacity makes a group: also one with markers."""
    return tag not in SHAPES or bool(MARKERS & style.keys())


def _markers(tag: str, state: ElementState, importer: Importer) -> dict[str, Element]:
    """The markers at the start, in the middle and at the end of a shape, where there are any."""
    markers = {}
    for kind in _KINDS if tag in _MARKED else ():
        name = reference(state.style.get(f"marker-{kind}", "none"))
        marker = importer.elements.get(name) if name else None
        if any(marker is ancestor for ancestor in state.ancestors):
            importer.notes["references to what they are in"] += 1
        elif marker is not None and tag_of(marker) == "marker":
            markers[kind] = marker
    return markers


def _placed(marker: Element, kind: str, vertex: _Vertex, state: ElementState, importer: Importer) -> ElementState:
    """The state for the content of a marker at a vertex."""
    style = computed(marker, importer.sheets)
    shaped = with_geometry(marker, style, importer.sheets)
    matrix = state.matrix @ shift_matrix(*vertex.at) @ rotation_matrix(_angle(marker, kind, vertex))
    if marker.get("markerUnits") != "userSpaceOnUse":
        width = length(state.style.get("stroke-width"), of=diagonal(*state.viewport), default=1.0)
        matrix = matrix @ np.diag((width, width, 1.0))
    opacity = unit_interval(style.get("opacity"))
    size = [
        length(shaped.get(key), of=side, default=3.0)
        for key, side in zip(("markerWidth", "markerHeight"), state.viewport, strict=True)
    ]
    inner = replace(
        state,
        matrix=matrix,
        style=style,
        opacity=state.opacity * opacity,
        uses=state.uses + 1,
        groups=(*state.groups, Group()) if opacity < 1 else state.groups,
        ancestors=(*state.ancestors, marker),
    )
    return apply_effects(enter_box(shaped, inner, size, importer, refer=True), matrix, importer)


def _angle(marker: Element, kind: str, vertex: _Vertex) -> float:
    """The angle of a marker, in radians."""
    orient = marker.get("orient", "0").strip()
    if orient not in ("auto", "auto-start-reverse"):
        try:
            return parse_angle(orient)
        except UnreadableError:
            return 0.0
    return vertex.angle() + (math.pi if orient != "auto" and kind == "start" else 0.0)


def path_vertices(commands: Sequence[Command]) -> list[_Vertex]:
    """The vertices of a path: where its commands end.

    A closed subpath begins and ends in the same direction. Segments of no length go as those before them do.
    """
    pen, vertices, first = Pen(), list[_Vertex](), 0
    for letter, numbers in single_commands(commands):
        start = pen.at
        pen.follow(letter, numbers)
        if letter in "mM":
            first = len(vertices)
            vertices.append(_Vertex(pen.at))
            continue
        points = pen.added if letter not in "zZ" else [start, pen.at]
        going, coming = _direction(points), _direction([(-x, -y) for x, y in reversed(points)])
        before = vertices[-1]
        before.going = going or before.coming
        vertices.append(_Vertex(pen.at, coming or before.coming))
        if letter in "zZ":
            vertices[first].coming, vertices[-1].going = vertices[-1].coming, vertices[first].going
    for vertex, following in zip(vertices[-2::-1], vertices[:0:-1], strict=True):
        if vertex.coming is None:  # it begins with segments of no length
            vertex.going = vertex.going or following.going
    return vertices


def _direction(points: Sequence[Point]) -> Point | None:
    """The direction from the first of several points to the next one elsewhere."""
    (x, y), *others = points
    return next(((u - x, v - y) for u, v in others if (u, v) != (x, y)), None)
