"""The paints of elements of foreign SVG files, and the widths of their strokes."""

from __future__ import annotations

from typing import Literal

from clipdraw.io.svg.foreign.geometry import Box
from clipdraw.io.svg.foreign.importer import MAX_KNOWN, ElementState, Importer, PlacedPaint
from clipdraw.io.svg.foreign.values import (
    CONTEXT,
    PaintServer,
    Rgba,
    diagonal,
    length,
    parse_paint,
    unit_interval,
)

Paint = Rgba | PlacedPaint | None
"""A color with its opacity, a gradient, or no paint."""


def paints_of(state: ElementState, importer: Importer) -> tuple[Paint, Paint, float, float | None]:
    """The paints of a shape's fill and stroke, the width of the stroke, and the unit that it is in if it is fixed."""
    known = importer.paints.get(id(state))
    if known is not None and known[0] is state:
        paints: tuple[Paint, Paint, float, float | None] = known[1]
        return paints
    width, fixed = _stroke_width(state, importer)
    paints = _paint("fill", state), _paint("stroke", state) if width > 0 else None, width, fixed
    if len(importer.paints) >= MAX_KNOWN:
        importer.paints.clear()
    importer.paints[id(state)] = state, paints
    return paints


def context_paints(state: ElementState, box: Box | None = None) -> dict[str, PlacedPaint]:
    """The paints of an element, by the names that what it shows may call them.

    Args:
        state: the state of the element.
        box: its lowest and highest coordinates, if they are known.
    """
    return {f"context-{key}": _placed_paint(key, state, box) for key in ("fill", "stroke")}


def _placed_paint(key: str, state: ElementState, box: Box | None) -> PlacedPaint:
    text = state.style.get(key, "black" if key == "fill" else "none")
    context = text.strip().lower()
    if context in CONTEXT:
        return state.context.get(context, PlacedPaint(None, state.matrix, state.viewport, box))
    paint = parse_paint(text, state.style.get("color", "black"))
    return PlacedPaint(paint, state.matrix, state.viewport, box)


def _paint(key: Literal["fill", "stroke"], state: ElementState) -> Paint:
    """A paint with its own opacity; None if it leaves no trace."""
    placed = _placed_paint(key, state, None)
    color, opacity = placed.paint, paint_opacity(key, state)
    if color is None or opacity * state.opacity <= 0:
        return None
    if isinstance(color, PaintServer):
        return placed
    return (*color[:3], color[3] * opacity) if color[3] > 0 else None


def paint_opacity(key: Literal["fill", "stroke"], state: ElementState) -> float:
    """The opacity that a fill or stroke has besides that of its color."""
    return unit_interval(state.style.get(f"{key}-opacity"))


def _stroke_width(state: ElementState, importer: Importer) -> tuple[float, float | None]:
    """The width of strokes, and the canvas units of a unit that transforms do not scale, in which it then is."""
    width = length(state.style.get("stroke-width"), of=diagonal(*state.viewport), default=1.0)
    if state.style.get("vector-effect") != "non-scaling-stroke":
        return width, None
    side = length(importer.root.get("width"), of=0.0)
    unit = importer.canvas.width / side if side > 0 else 1.0
    return width * unit, unit
