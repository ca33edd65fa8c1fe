"""The figures of the page on the rasterizer's mathematics: `python docs/scripts/rasterizer_figures.py`.

Every outline, area and gradient in them is computed by the reference rasterizer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import svg
import torch
from torch import Tensor

from clipdraw.bezier import flatten
from clipdraw.drawing import Canvas, Drawing, Style
from clipdraw.raster import rasterize
from clipdraw.raster.batch import make_batch
from clipdraw.raster.constants import EVENODD, NONZERO
from clipdraw.raster.reference.chords import Box
from clipdraw.raster.reference.coverage import coverage as areas
from clipdraw.raster.reference.outlines import build_outlines

FIGURES = Path(__file__).parents[1] / "figures"
Points = Sequence[tuple[float, float]]


def scaled(points: Tensor | Points, *, left: float, top: float, scale: float) -> list[tuple[float, float]]:
    """Places in a picture."""
    places = points.tolist() if isinstance(points, Tensor) else points
    return [(left + scale * x, top + scale * y) for x, y in places]


def curve(cubic: Tensor, count: int = 60) -> Tensor:
    """Points on a cubic segment."""
    t = torch.linspace(0, 1, count, dtype=cubic.dtype)[:, None]
    return (1 - t) ** 3 * cubic[0] + 3 * t * (1 - t) ** 2 * cubic[1] + 3 * t**2 * (1 - t) * cubic[2] + t**3 * cubic[3]


def edges_of(points: Points) -> Tensor:
    """The edges of a closed polygon."""
    corners = torch.tensor(points, dtype=torch.float64)
    return torch.stack((corners, corners.roll(-1, 0)), dim=1)


def coverage_of(edges: Tensor, rows: int, columns: int, rule: int = NONZERO) -> Tensor:
    """The fraction of each pixel that edges surround."""
    slot = torch.zeros(len(edges), dtype=torch.long)
    return areas(edges, slot, torch.tensor([rule]), Box(0, 0, rows, columns))[0]


def flattening() -> None:
    """A curve in four pieces: chords, and the polyline that keeps the area."""
    cubic = torch.tensor([[0.3, 2.7], [0.9, -0.9], [3.3, -0.9], [4.6, 2.2]], dtype=torch.float64)
    count, parts = 4, []
    steps = torch.arange(count + 1, dtype=torch.float64)
    chords = curve(cubic, count + 1)
    kept = flatten(cubic.expand(count + 1, 4, 2), steps, torch.full_like(steps, count))
    for left, title, line in ((10, "through points of the curve", chords), (330, "inner points moved outward", kept)):
        at = partial(scaled, left=left, top=52, scale=58)
        parts.append(svg.text(left + 8, 22, title, size=13))
        region = torch.cat((curve(cubic), line.flip(0)))
        parts.append(svg.path(at(region), closed=True, fill=svg.GOLD, fill_opacity=0.45, fill_rule="evenodd"))
        parts.append(svg.path(at(curve(cubic)), stroke=svg.INK, stroke_width=1))
        parts.append(svg.path(at(line), stroke=svg.BLUE, stroke_width=2))
        parts += [svg.dot(x, y, fill=svg.BLUE) for x, y in at(line)]
        parts.append(
            svg.text(left + 8, 218, f"area between, with its sign: {signed_area(curve(cubic, 400), line):+.3f}")
        )
    svg.save(FIGURES / "flattening.svg", 640, 230, parts)


def signed_area(one: Tensor, other: Tensor) -> float:
    """The area between two polylines with the same ends, counted with its sign."""
    ring = torch.cat((one, other.flip(0)))
    following = ring.roll(-1, 0)
    return float((ring[:, 0] * following[:, 1] - ring[:, 1] * following[:, 0]).sum() / 2)


def outline() -> None:
    """The same bent stroke with three pens, as the edges that are filled."""
    points = torch.tensor([[1, 5.2], [2.2, 3.6], [2.9, 2.4], [3.6, 1.2], [4.3, 2.6], [4.2, 4.2], [6.6, 4.9]])
    pens = (Style(), Style(cap="butt", join="bevel"), Style(cap="square", join="miter", miter_limit=10.0))
    parts = []
    for k, style in enumerate(pens):
        drawing = Drawing(points, torch.tensor([1.5]), torch.ones(1, 4), (2,), Canvas(8, 6.4), styles=(style,))
        found = build_outlines(make_batch([drawing], (64, 80))).ends / 10
        left, scale = 6 + 256 * k, 31.0
        at = partial(scaled, left=left, top=42, scale=scale)
        parts.append(edge_lines(at, found))
        line = torch.cat([curve(points[i : i + 4].double(), 14) for i in (0, 3)])
        parts.append(svg.path(at(line), stroke=svg.RED, stroke_width=1.2, stroke_dasharray="4 3"))
        parts.append(svg.text(left + 6, 18, f"{style.cap} caps, {style.join} joins", size=12))
        parts += [svg.dot(x, y, r=2.2, fill=svg.RED) for x, y in at(points[[0, 3, 6]])]
    svg.save(FIGURES / "outline.svg", 772, 242, parts)


def edge_lines(at: Callable[[Tensor], list[tuple[float, float]]], edges: Tensor) -> str:
    """All edges as one path, with a head at the end of long ones."""
    data, heads = "", ""
    for edge in edges:
        (x1, y1), (x2, y2) = at(edge)
        data += f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        if length > 22:
            ux, uy = 5 * (x2 - x1) / length, 5 * (y2 - y1) / length
            heads += f"M{x2:.1f} {y2:.1f}l{-ux - uy / 2:.1f} {ux / 2 - uy:.1f}l{uy:.1f} {-ux:.1f}z"
    lines = svg.element("path", d=data, fill="none", stroke=svg.BLUE, stroke_width=1.3)
    return lines + svg.element("path", d=heads, fill=svg.BLUE)


def coverage() -> None:
    """A triangle on pixels, each with the fraction of it that is covered."""
    triangle = [(0.5, 0.7), (5.6, 1.9), (1.7, 3.8)]
    rows, columns, side = 4, 6, 64.0
    found, parts = coverage_of(edges_of(triangle), rows, columns), []
    for i in range(rows):
        for j in range(columns):
            x, y, value = 10 + side * j, 10 + side * i, float(found[i, j])
            gray = round(255 - 110 * value)
            parts.append(
                svg.rect(x, y, side, side, fill=f"rgb({gray},{gray},{gray})", stroke="#999999", stroke_width=0.5)
            )
            parts.append(svg.text(x + 6, y + side - 7, f"{value:.2f}", size=11))
    corners = scaled(triangle, left=10, top=10, scale=side)
    for one, other in zip(corners, corners[1:] + corners[:1], strict=True):
        parts.append(svg.arrow(*one, *other, stroke=svg.BLUE, stroke_width=2))
    svg.save(FIGURES / "coverage.svg", 404, 276, parts)


def signed() -> None:
    """A shape's area as the sum of what is on the right of each of its edges."""
    triangle = [(0.22, 0.12), (0.35, 0.86), (0.8, 0.5)]
    side, parts = 170.0, []
    total = 0.0
    corners = torch.tensor(triangle)
    for k in range(4):
        left = 12 + 194 * k
        parts.append(svg.rect(left, 34.0, side, side, fill="none", stroke=svg.INK))
        at = partial(scaled, left=left, top=34, scale=side)
        if k == 3:
            parts.append(svg.path(at(triangle), closed=True, fill=svg.BLUE, fill_opacity=0.4, stroke=svg.BLUE))
            exact = float(coverage_of(edges_of(triangle), 1, 1)[0, 0])
            parts.append(svg.text(left, 24, f"sum {total:+.3f}: covered {exact:.3f}", size=12))
            continue
        (x0, y0), (x1, y1) = corners[k].tolist(), corners[(k + 1) % 3].tolist()
        area = (y1 - y0) * (1 - (x0 + x1) / 2)
        total += area
        color = svg.GREEN if area > 0 else svg.RED
        parts.append(svg.path(at([(x0, y0), (x1, y1), (1, y1), (1, y0)]), closed=True, fill=color, fill_opacity=0.35))
        parts.append(svg.arrow(*at([(x0, y0)])[0], *at([(x1, y1)])[0], stroke=color, stroke_width=2.5))
        parts.append(svg.text(left, 24, f"{area:+.3f}", size=12))
    svg.save(FIGURES / "signed-areas.svg", 794, 216, parts)


def overlap() -> None:
    """A pixel where a path crosses itself: winding numbers, and both fill rules."""
    one, two = [(0.1, 0.15), (0.75, 0.25), (0.6, 0.8)], [(0.35, 0.05), (0.9, 0.7), (0.25, 0.9)]
    side, parts = 200.0, []
    edges = torch.cat((edges_of(one), edges_of(two)))
    panels = (("winding numbers", None), ("nonzero", NONZERO), ("evenodd", EVENODD))
    for k, (title, rule) in enumerate(panels):
        left = 12 + 230 * k
        parts.append(svg.rect(left, 30.0, side, side, fill="none", stroke=svg.INK))
        at = partial(scaled, left=left, top=30, scale=side)
        data = "".join(svg.path(at(part), closed=True).split('d="')[1].split('"')[0] for part in (one, two))
        if rule is not None:
            area = float(coverage_of(edges, 1, 1, rule)[0, 0])
            title = f"{title}: covered {area:.3f}"
            told = "nonzero" if rule == NONZERO else "evenodd"
            parts.append(svg.element("path", d=data, fill=svg.BLUE, fill_opacity=0.4, fill_rule=told))
            for a, b in boundary_parts(edges, rule):
                parts.append(svg.line(*at([a])[0], *at([b])[0], stroke=svg.RED, stroke_width=2.5))
        else:
            for part in (one, two):
                corners = at(part)
                for a, b in zip(corners, corners[1:] + corners[:1], strict=True):
                    parts.append(svg.arrow(*a, *b, stroke=svg.BLUE, stroke_width=1.5))
            for words, place in (("0", (0.08, 0.6)), ("1", (0.25, 0.22)), ("2", (0.55, 0.45)), ("1", (0.72, 0.63))):
                ((x, y),) = at([place])
                parts.append(svg.text(x, y + 5, words, size=15, text_anchor="middle"))
        parts.append(svg.text(left, 20, title, size=12))
    svg.save(FIGURES / "overlap.svg", 684, 242, parts)


def boundary_parts(edges: Tensor, rule: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """The parts of edges that have paint on one side only, by the area's own gradient along them."""
    found, pieces = [], 120
    for edge in edges:
        t = torch.linspace(0, 1, pieces + 1, dtype=edge.dtype)[:, None]
        places = edge[0] + t * (edge[1] - edge[0])
        cut = torch.stack((places[:-1], places[1:]), dim=1)
        others = edges[(edges != edge).any(2).any(1)]
        moving = cut.clone().requires_grad_()
        slot = torch.zeros(len(cut) + len(others), dtype=torch.long)
        box, ends = Box(0, 0, 64, 64), torch.cat((moving, others)) * 64
        area = areas(ends, slot, torch.tensor([rule]), box).sum()
        (grad,) = torch.autograd.grad(area, moving)
        used = grad.abs().sum((1, 2)) > 1e-3 * grad.abs().sum((1, 2)).max()
        start = None
        for k in range(pieces + 1):
            inside = k < pieces and bool(used[k])
            if inside and start is None:
                start = k
            if not inside and start is not None:
                found.append((tuple(places[start].tolist()), tuple(places[k].tolist())))
                start = None
    return found  # type: ignore[return-value]


def edge_gradient() -> None:
    """A pixel that an edge cuts, and how the covered area changes with the edge's ends."""
    side, parts = 150.0, []
    ends = torch.tensor([[-0.35, 0.2], [1.75, 1.1]], dtype=torch.float64, requires_grad=True)
    rest = torch.tensor([[1.75, 3.0], [-0.35, 3.0]], dtype=torch.float64)
    corners = torch.cat((ends, rest)) + torch.tensor([1.0, 1.0])
    found = coverage_of(torch.stack((corners, corners.roll(-1, 0)), 1), 3, 4)[1, 1]
    (grad,) = torch.autograd.grad(found, ends)
    at = partial(scaled, left=120, top=60, scale=side)
    shape = corners.detach() - 1
    below = torch.cat((shape[:2], torch.tensor([[1.75, 1.35], [-0.35, 1.35]])))
    parts.append(svg.path(at(below), closed=True, fill=svg.BLUE, fill_opacity=0.2))
    parts.append(svg.rect(120.0, 60.0, side, side, fill="none", stroke=svg.INK, stroke_width=1.5))
    inside = chord_in_pixel(shape[:2])
    parts.append(svg.path(at(shape[:2]), stroke=svg.BLUE, stroke_width=1.5))
    parts.append(svg.path(at(inside), stroke=svg.BLUE, stroke_width=5))
    for end, slope, name in zip(shape[:2], grad, ("p", "q"), strict=True):
        (x, y), (tx, ty) = at(torch.stack((end, end + 0.9 * slope)))
        parts.append(svg.dot(x, y, fill=svg.BLUE))
        parts.append(svg.arrow(x, y, tx, ty, stroke=svg.RED, stroke_width=2))
        parts.append(svg.text(x + (-20 if name == "p" else 12), y + 5, name, size=14))
        told = f"dA/d{name} = ({slope[0]:+.3f}, {slope[1]:+.3f})"
        parts.append(svg.text(430, 100 if name == "p" else 124, told, size=12, fill=svg.RED))
    parts.append(svg.text(430, 76, f"covered A = {found.item():.3f}", size=12))
    svg.save(FIGURES / "edge-gradient.svg", 640, 280, parts)


def chord_in_pixel(ends: Tensor) -> Tensor:
    """The part of an edge within the unit square."""
    start, along = ends[0], ends[1] - ends[0]
    places = torch.stack((-start / along, (1 - start) / along)).sort(0).values
    low, high = places[0].max().clamp(min=0), places[1].min().clamp(max=1)
    return torch.stack((start + low * along, start + high * along))


def through_the_picture() -> None:
    """A stroke, what a loss wants of its pixels, and what that means for its control points."""
    size, side = 16, 15.0
    points = torch.tensor([[2.5, 11.0], [5.0, 4.0], [9.5, 13.5], [13.0, 5.5]], requires_grad=True)
    drawing = Drawing(points, torch.tensor([3.0]), torch.tensor([[0.2, 0.3, 0.6, 1.0]]), (1,), Canvas(size, size))
    goal = Drawing(points.detach() + torch.tensor([0.0, -2.2]), drawing.widths, drawing.colors, (1,), drawing.canvas)
    image = rasterize(drawing, backend="reference")
    wanted = rasterize(goal, backend="reference")
    ((image - wanted).square().sum() / 2).backward()
    slope = (image - wanted).detach().mean(0)
    parts = []
    for left, shade in ((8, color_of(image.detach())), (268, wish_of(slope))):
        parts += grid(shade, left, 26, side)
    for left, title in ((8, "the image"), (268, "the loss wants pixels darker, lighter"), (528, "minus the gradient")):
        parts.append(svg.text(left, 18, title, size=12))
        parts.append(svg.rect(float(left), 26.0, size * side, size * side, fill="none", stroke=svg.INK))
    at = partial(scaled, left=528, top=26, scale=side)
    for edge in build_outlines(make_batch([drawing], (size, size))).ends.detach():
        parts.append(svg.path(at(edge), stroke=svg.PALE))
    parts.append(svg.path(at(curve(points.detach())), stroke=svg.BLUE, stroke_width=1.5))
    longest = points.grad.norm(dim=1).max()
    for place, grad in zip(points.detach(), points.grad, strict=True):
        (x, y), (tx, ty) = at(torch.stack((place, place - 3.5 * grad / longest)))
        parts += [svg.dot(x, y, r=2.5, fill=svg.BLUE), svg.arrow(x, y, tx, ty, stroke=svg.RED, stroke_width=2)]
    svg.save(FIGURES / "gradient.svg", 776, 274, parts)


def color_of(image: Tensor) -> list[list[str]]:
    """The color of each pixel."""
    rows = (255 * image).round().int().permute(1, 2, 0).tolist()
    return [[f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in row] for row in rows]


def wish_of(slope: Tensor) -> list[list[str]]:
    """Blue where a pixel should be darker, red where it should be lighter."""
    strength = (slope / slope.abs().max()).clamp(-1, 1)
    pale = 1 - 0.8 * strength.abs()
    full = torch.ones_like(pale)
    darker = (strength > 0)[None]
    return color_of(torch.where(darker, torch.stack((pale, pale, full)), torch.stack((full, pale, pale))))


def grid(shades: list[list[str]], left: float, top: float, side: float) -> list[str]:
    """Pixels, those of a row with one color as one rectangle, white ones left out."""
    parts = []
    for i, row in enumerate(shades):
        start = 0
        for j in range(1, len(row) + 1):
            if j == len(row) or row[j] != row[start]:
                if row[start] != "#ffffff":
                    parts.append(
                        svg.element(
                            "rect",
                            x=left + side * start,
                            y=top + side * i,
                            width=side * (j - start),
                            height=side,
                            fill=row[start],
                        )
                    )
                start = j
    return parts


def main() -> None:
    """Write all figures."""
    FIGURES.mkdir(exist_ok=True)
    for figure in (flattening, outline, coverage, signed, overlap, edge_gradient, through_the_picture):
        figure()


if __name__ == "__main__":
    main()
