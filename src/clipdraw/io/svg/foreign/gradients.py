"""Gradients of foreign SVG files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import numpy as np
import torch
from jaxtyping import Float64

from clipdraw.drawing import Gradient, GradientKind, Spread
from clipdraw.io.svg.foreign.cascade import computed, with_geometry
from clipdraw.io.svg.foreign.geometry import Box, Matrix, parse_transform
from clipdraw.io.svg.foreign.stylesheets import StyleSheets
from clipdraw.io.svg.foreign.values import (
    PaintServer,
    Rgba,
    UnreadableError,
    diagonal,
    length,
    parse_paint,
    unit_interval,
)
from clipdraw.io.svg.syntax import LIMIT

MAX_TEMPLATES = 20
"""The longest chain of gradients that take their stops and attributes from one another."""

MAX_STOPS = 1000
"""The most stops of a gradient."""

_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")

_KINDS: dict[str, GradientKind] = {"linearGradient": "linear", "radialGradient": "radial"}
_SPREADS: dict[str, Spread] = {"reflect": "reflect", "repeat": "repeat"}
_FARTHEST_FOCUS = 0.999
"""The largest distance of a focus from the center, in radii; SVG 1.1 puts one that is outside on the circle."""


@dataclass(frozen=True)
class Template:
    """A gradient element with the attributes and stops that it takes from others by reference.

    Args:
        kind: `linear` or `radial`.
        attributes: coordinates, units, transform and spread.
        stops: offset and color of each, in order.
    """

    kind: GradientKind
    attributes: Mapping[str, str]
    stops: tuple[tuple[float, Rgba], ...]

    def lacks_area(self, box: Box) -> bool:
        """Whether it depends on a bounding box that has no area; then it paints nothing."""
        return self.in_box and not (box[1] > box[0]).all()

    @property
    def in_box(self) -> bool:
        """Whether its coordinates are fractions of the bounding box of the shape."""
        return self.attributes.get("gradientUnits", "objectBoundingBox") != "userSpaceOnUse"


def find_template(name: str, elements: Mapping[str | None, Element], sheets: StyleSheets) -> Template | None:
    """The gradient of this `id`; None if there is none, or one that takes its stops from itself.

    Raises:
        UnreadableError: it has too many stops.
    """
    element, stops, seen = elements.get(name), list[Element](), set[Element]()
    attributes: dict[str, str] = {}
    kind: GradientKind | None = None
    for _ in range(MAX_TEMPLATES):
        tag = "" if element is None else element.tag.rpartition("}")[2]
        if element is None or tag not in _KINDS:
            break
        if element in seen and not stops:
            return None
        seen.add(element)
        kind = kind or _KINDS[tag]
        attributes = {**with_geometry(element, computed(element, sheets), sheets).attrib, **attributes}
        stops = stops or [child for child in element if child.tag.rpartition("}")[2] == "stop"]
        element = elements.get(referenced_id(element))
    if kind is None:
        return None
    if len(stops) > MAX_STOPS:
        raise UnreadableError(f"a gradient of more than {MAX_STOPS:,} stops")
    if kind == "radial" and length(attributes.get("fr"), of=1.0) > 0:
        sheets.notes["inner circles of gradients"] += 1
    return Template(kind, attributes, _stops(stops, sheets))


def referenced_id(element: Element) -> str:
    """The `id` that an element's reference names; empty if it names none in the file."""
    return next((element.get(key, "")[1:] for key in _HREFS if element.get(key, "").startswith("#")), "")


def _stops(elements: list[Element], sheets: StyleSheets) -> tuple[tuple[float, Rgba], ...]:
    stops, last = [], 0.0
    for element in elements:
        style = computed(element, sheets)
        color = parse_paint(style.get("stop-color", "black"), style.get("color", "black"))
        red, green, blue, opacity = (0.0, 0.0, 0.0, 0.0) if color is None or isinstance(color, PaintServer) else color
        last = max(last, unit_interval(element.get("offset"), 0.0))
        stops.append((last, (red, green, blue, opacity * unit_interval(style.get("stop-opacity")))))
    return tuple(stops)


def instantiate(
    template: Template,
    box: Box,
    *,
    matrix: Matrix,
    viewport: tuple[float, float],
    notes: Counter[str],
) -> Gradient | Rgba | None:
    """The paint of a template on a shape: a gradient, or a color where it is the same everywhere, or nothing.

    Args:
        template: the gradient.
        box: lowest and highest coordinates of the shape.
        matrix: from the coordinates of the shape to those of the path.
        viewport: the size that percentages refer to.
        notes: the parts of the file that are simplified.

    Raises:
        UnreadableError: its transform is not understood, or a number is too large.
    """
    if not template.stops:
        return None
    if len(template.stops) == 1:
        return template.stops[0][1]
    if template.in_box:
        size = box[1] - box[0]
        matrix = matrix @ np.array([[size[0], 0, box[0, 0]], [0, size[1], box[0, 1]], [0, 0, 1]])
    matrix = matrix @ parse_transform(template.attributes.get("gradientTransform"))
    geometry, radius = _geometry(template, (1.0, 1.0) if template.in_box else viewport)
    if template.kind == "radial" and _pull_focus(geometry, radius):
        notes["gradients with the focus outside of their circle"] += 1
    numbers = np.concatenate((geometry.ravel(), matrix.ravel(), [radius]))
    if not (np.abs(numbers) <= LIMIT).all():  # also for NaN
        raise UnreadableError("a gradient beyond all limits")
    linear = matrix[:2, :2]
    collapsed = abs(np.linalg.det(linear)) <= 1e-12 * np.abs(linear).max() ** 2
    if collapsed:
        notes["gradients that their transform makes flat"] += 1
    if collapsed or radius <= 0 or (template.kind == "linear" and (geometry[0] == geometry[1]).all()):
        return template.stops[-1][1]
    return Gradient(
        template.kind,
        torch.from_numpy(geometry).float(),
        torch.tensor([offset for offset, _ in template.stops], dtype=torch.float32),
        torch.tensor([color for _, color in template.stops], dtype=torch.float32),
        torch.tensor(radius, dtype=torch.float32),
        _SPREADS.get(template.attributes.get("spreadMethod", "pad"), "pad"),
        torch.from_numpy(matrix[:2]).float(),
    )


def _geometry(template: Template, extent: tuple[float, float]) -> tuple[Float64[np.ndarray, "2 2"], float]:
    """Start and end of a linear gradient or center and focus of a radial one; and the radius."""

    def point(x: str, y: str, default: tuple[float, float]) -> list[float]:
        given = zip((x, y), extent, default, strict=True)
        return [length(template.attributes.get(name), of=side, default=usual) for name, side, usual in given]

    width, height = extent
    if template.kind == "linear":
        return np.array([point("x1", "y1", (0.0, 0.0)), point("x2", "y2", (width, 0.0))], dtype=np.float64), 1.0
    x, y = point("cx", "cy", (width / 2, height / 2))
    points = np.array([[x, y], point("fx", "fy", (x, y))], dtype=np.float64)
    across = diagonal(width, height)
    radius = length(template.attributes.get("r"), of=across, default=across / 2)
    return points, radius


def _pull_focus(points: Float64[np.ndarray, "2 2"], radius: float) -> bool:
    """Pull the focus of a radial gradient within its circle, as in SVG 1.1; return whether it was outside of it."""
    offset = points[1] - points[0]
    distance = float(np.hypot(*offset))
    if distance > _FARTHEST_FOCUS * radius > 0:
        points[1] = points[0] + offset * (_FARTHEST_FOCUS * radius / distance)
    return distance > radius > 0
