"""Gradients of foreign SVG files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np
import torch
from jaxtyping import Float64

from clipdraw.drawing import Gradient
from clipdraw.io.svg.foreign.cascade import computed
from clipdraw.io.svg.foreign.shapes import UnreadableError, affine
from clipdraw.io.svg.foreign.sheet import Sheet
from clipdraw.io.svg.foreign.style import Rgba, Server, fraction, length, paint
from clipdraw.io.svg.numbers import LIMIT

HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
MAX_TEMPLATES = 20
"""How many gradients may take their stops and attributes one from another."""
MAX_STOPS = 1000

_KINDS: dict[str, Literal["linear", "radial"]] = {"linearGradient": "linear", "radialGradient": "radial"}
_SPREADS: dict[str, Literal["pad", "reflect", "repeat"]] = {"reflect": "reflect", "repeat": "repeat"}
_INSIDE = 0.999
"""How near to the circle a focus may come, in radii; SVG 1.1 puts one that is outside on the circle."""


@dataclass(frozen=True)
class Template:
    """A gradient as the file has it, with what it takes from others.

    Args:
        kind: `linear` or `radial`.
        attributes: coordinates, units, transform and spread.
        stops: offset and color of each, in order.
    """

    kind: Literal["linear", "radial"]
    attributes: Mapping[str, str]
    stops: tuple[tuple[float, Rgba], ...]

    def lacks_area(self, box: Float64[np.ndarray, "2 2"]) -> bool:
        """Whether it depends on a bounding box that has no area; then it is as if it were not there."""
        return self.in_box and not (box[1] > box[0]).all()

    @property
    def in_box(self) -> bool:
        """Whether its coordinates are fractions of the bounding box of what it paints."""
        return self.attributes.get("gradientUnits", "objectBoundingBox") != "userSpaceOnUse"


def template(name: str, names: Mapping[str | None, Element], sheet: Sheet) -> Template | None:
    """The gradient of this `id`; None if there is none.

    Raises:
        UnreadableError: it has too many stops.
    """
    element, stops = names.get(name), list[Element]()
    attributes: dict[str, str] = {}
    kind: Literal["linear", "radial"] | None = None
    for _ in range(MAX_TEMPLATES):
        tag = "" if element is None else element.tag.rpartition("}")[2]
        if element is None or tag not in _KINDS:
            break
        kind = kind or _KINDS[tag]
        attributes = {**element.attrib, **attributes}
        stops = stops or [child for child in element if child.tag.rpartition("}")[2] == "stop"]
        element = names.get(target(element))
    if kind is None:
        return None
    if len(stops) > MAX_STOPS:
        raise UnreadableError(f"a gradient of more than {MAX_STOPS:,} stops")
    if kind == "radial" and length(attributes.get("fr"), of=1.0) > 0:
        sheet.notes["inner circles of gradients"] += 1
    return Template(kind, attributes, _stops(stops, sheet))


def target(element: Element) -> str:
    """The `id` that an element's reference names; empty if it names none in the file."""
    return next((element.get(key, "")[1:] for key in HREFS if element.get(key, "").startswith("#")), "")


def _stops(elements: list[Element], sheet: Sheet) -> tuple[tuple[float, Rgba], ...]:
    stops, last = [], 0.0
    for element in elements:
        style = computed(element, sheet)
        color = paint(style.get("stop-color", "black"), style.get("color", "black"))
        red, green, blue, opacity = (0.0, 0.0, 0.0, 0.0) if color is None or isinstance(color, Server) else color
        last = max(last, fraction(element.get("offset"), 0.0))
        stops.append((last, (red, green, blue, opacity * fraction(style.get("stop-opacity")))))
    return tuple(stops)


def gradient(
    source: Template,
    box: Float64[np.ndarray, "2 2"],
    *,
    matrix: Float64[np.ndarray, "3 3"],
    viewport: tuple[float, float],
) -> Gradient | Rgba | None:
    """What a template paints on a shape: a gradient, or a color where it is the same everywhere, or nothing.

    Args:
        source: the gradient.
        box: lowest and highest coordinates of the shape.
        matrix: from the coordinates of the shape to those of the path.
        viewport: what percentages refer to.

    Raises:
        UnreadableError: its transform is not understood, or a number is too large.
    """
    if not source.stops:
        return None
    if len(source.stops) == 1:
        return source.stops[0][1]
    if source.in_box:
        size = box[1] - box[0]
        matrix = matrix @ np.array([[size[0], 0, box[0, 0]], [0, size[1], box[0, 1]], [0, 0, 1]])
    matrix = matrix @ affine(source.attributes.get("gradientTransform"))
    geometry, radius = _geometry(source, (1.0, 1.0) if source.in_box else viewport)
    numbers = np.concatenate((geometry.ravel(), matrix.ravel(), [radius]))
    if not (np.abs(numbers) <= LIMIT).all():  # also for NaN
        raise UnreadableError("a gradient beyond all limits")
    if (
        abs(np.linalg.det(matrix[:2, :2])) <= 1e-12 * np.abs(matrix[:2, :2]).max() ** 2
        or radius <= 0
        or _empty(source, geometry)
    ):
        return source.stops[-1][1]
    return Gradient(
        source.kind,
        torch.from_numpy(geometry).float(),
        torch.tensor([offset for offset, _ in source.stops], dtype=torch.float32),
        torch.tensor([color for _, color in source.stops], dtype=torch.float32),
        torch.tensor(radius, dtype=torch.float32),
        _SPREADS.get(source.attributes.get("spreadMethod", "pad"), "pad"),
        torch.from_numpy(matrix[:2]).float(),
    )


def _empty(source: Template, geometry: Float64[np.ndarray, "2 2"]) -> bool:
    return source.kind == "linear" and bool((geometry[0] == geometry[1]).all())


def _geometry(source: Template, extent: tuple[float, float]) -> tuple[Float64[np.ndarray, "2 2"], float]:
    """Start and end, or center and focus; and the radius."""
    width, height = extent
    names = ("x1", "y1", "x2", "y2") if source.kind == "linear" else ("cx", "cy", "fx", "fy")
    values = dict(zip(("x1", "y1", "x2", "y2", "cx", "cy"), (0, 0, width, 0, width / 2, height / 2), strict=True))
    for name, side in zip(names, (width, height, width, height), strict=True):
        default = values.get(name, values[f"c{name[1]}"] if name[0] == "f" else 0.0)
        values[name] = length(source.attributes.get(name), of=side, default=default)
    points = np.array([values[name] for name in names], dtype=np.float64).reshape(2, 2)
    if source.kind == "linear":
        return points, 1.0
    mean = (width * width / 2 + height * height / 2) ** 0.5
    radius = length(source.attributes.get("r"), of=mean, default=mean / 2)
    away = points[1] - points[0]
    reach = float(np.hypot(*away))
    if reach > _INSIDE * radius:
        points[1] = points[0] + away * (_INSIDE * radius / reach)
    return points, radius
