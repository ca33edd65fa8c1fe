"""Random drawings that nobody would draw: what the fuzzer feeds the rasterizer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

import torch
from torch import Tensor

from clipdraw import Drawing
from clipdraw.drawing import Canvas, Gradient, Style, control_points

MOST_PIXELS = 24
"""Longest side of an image: small, so that many drawings can be had in little time."""
GROUP = 16
"""So many cases have images of one size and are rasterized together, too."""


@dataclass(frozen=True)
class Case:
    """A drawing, and how it is rasterized."""

    drawing: Drawing
    height: int
    width: int
    background: Tensor | None
    frozen: tuple[int, ...]


def random_case(seed: int) -> Case:
    """The case of a seed: the same everywhere."""
    common, random = Random(f"group {seed // GROUP}"), Random(seed)
    width, height = (common.choice((1, 2, common.randint(1, MOST_PIXELS))) for _ in range(2))
    unit = random.choice((1.0, 1.0, 1.0, 0.01, 1e-6, 1e3, 1e6))
    gradients = tuple(_gradient(random, width * unit, height * unit) for _ in range(random.choice((0, 0, 1, 2))))
    transforms = [_transform(random, unit) for _ in range(random.choice((0, 0, 1, 3)))]
    count = random.choice((0, 1, 1, 1, 2, 2, 3, random.randint(4, 12)))
    styles = [_style(random, len(gradients), len(transforms)) for _ in range(count)]
    styles = _faded(Random(f"opacity {seed}"), styles)
    segments, points = [], []
    for style in styles:
        places = random.choice(PLACES)(random, width, height)
        for closed in style.closed:
            segments.append(random.choice((1, 1, 2, 3, random.randint(1, 12))))
            points += [_scaled(places(), unit) for _ in range(control_points(segments[-1], closed=closed))]
    plain = random.random() < 0.2 and all(len(style.closed) == 1 and not style.closed[0] for style in styles)
    drawing = Drawing(
        torch.tensor(points, dtype=torch.float64).float().reshape(-1, 2),
        torch.tensor([_width(random, unit) for _ in styles], dtype=torch.float64).float(),
        torch.tensor([_color(random) for _ in styles]).reshape(-1, 4),
        tuple(segments),
        Canvas(width * unit, height * unit),
        torch.tensor(_color(random)[:3]),
        styles=() if plain else tuple(styles),
        fills=torch.tensor([_color(random) for _ in styles]).reshape(-1, 4),
        gradients=gradients,
        transforms=torch.tensor(transforms) if transforms else None,
    )
    behind = None
    if common.random() < 0.2:
        behind = torch.tensor([random.random() for _ in range(3 * height * width)]).reshape(3, height, width)
    frozen = tuple(k for k in range(count) if random.random() < 0.1)
    return Case(drawing, height, width, behind, frozen)


def _scaled(place: tuple[float, float], unit: float) -> list[float]:
    """The place in canvas units, finite in float32 if it is finite."""
    return [max(-3e38, min(3e38, value * unit)) if math.isfinite(value) else value for value in place]


def _color(random: Random) -> list[float]:
    return [random.choice((0.0, 1.0, random.random(), random.random())) for _ in range(4)]


def _style(random: Random, gradients: int, transforms: int) -> Style:
    subpaths = random.choice((1, 1, 1, 1, 2, 3, random.randint(1, 8)))
    rules: tuple[Literal["nonzero", "evenodd"] | None, ...] = None, "nonzero", "evenodd"
    fill = random.choice(rules)
    return Style(
        closed=tuple(random.random() < 0.5 for _ in range(subpaths)),
        fill=fill,
        stroked=random.random() < 0.6,
        cap=random.choice(("round", "butt", "square")),
        join=random.choice(("round", "bevel", "miter")),
        miter_limit=random.choice((1.0, 1.001, 4.0, 4.0, 10.0, 1e3, 1e30)),
        fill_gradient=random.randrange(gradients) if fill and gradients and random.random() < 0.6 else None,
        stroke_gradient=random.randrange(gradients) if gradients and random.random() < 0.4 else None,
        transforms=tuple(random.randrange(transforms) for _ in range(random.randint(0, 3))) if transforms else (),
    )


def _faded(random: Random, styles: list[Style]) -> list[Style]:
    """The styles, some of those with fill and stroke fainter."""
    opacities = (1.0, 1.0, 1.0, 0.0, 1e-30, 5e-5, 1e-3, 0.5, 0.9999, random.random(), random.random())
    return [
        replace(style, opacity=random.choice(opacities)) if style.fill and style.stroked else style for style in styles
    ]


def _width(random: Random, unit: float) -> float:
    kind = random.random()
    if kind < 0.65:
        return unit * random.uniform(0.05, 8)
    if kind < 0.75:
        return 0.0
    if kind < 0.83:
        return unit * 10 ** random.uniform(-30, -2)
    if kind < 0.92:
        return unit * 10 ** random.uniform(1, 3)
    if kind < 0.96:
        return 10 ** random.uniform(6, 30)
    return random.choice((math.nan, math.inf, -1.0))


def _transform(random: Random, unit: float) -> list[list[float]]:
    a, b, c, d = 1.0, 0.0, 0.0, 1.0
    kind = random.choice(("turned", "turned", "mirrored", "skewed", "flat", "none", "huge", "tiny", "broken", "any"))
    turn = random.uniform(-4, 4)
    if kind in ("turned", "mirrored"):
        size = random.uniform(0.3, 2)
        a, b, c, d = size * math.cos(turn), -size * math.sin(turn), size * math.sin(turn), size * math.cos(turn)
        a, c = (-a, -c) if kind == "mirrored" else (a, c)
    elif kind == "skewed":
        b, c = random.choice(((math.tan(turn), 0.0), (0.0, math.tan(turn)), (0.999999, 1.0), (1e3, 0.0)))
    elif kind == "flat":
        a, b, c, d = random.choice(((1, 0, 0, 0), (0, 0, 0, 1), (1, 1, 1, 1), (1, 2, -2, -4), (1e-20, 0, 0, 1)))
    elif kind == "none":
        a = d = 0.0
    elif kind in ("huge", "tiny"):
        a = d = 10 ** (random.uniform(1, 30) if kind == "huge" else random.uniform(-30, -1))
    elif kind == "broken":
        a, b, c, d = (random.choice((1.0, 0.0, math.nan, math.inf)) for _ in range(4))
    else:
        a, b, c, d = (random.gauss(0, 1) for _ in range(4))
    move = random.choice((0.0, unit * random.uniform(-20, 20)))
    return [[float(a), float(b), move], [float(c), float(d), random.choice((0.0, move))]]


def _gradient(random: Random, width: float, height: float) -> Gradient:
    stops = random.randint(1, 5)
    offsets = sorted(random.choice((0.0, 0.5, 0.5, 1.0, random.random())) for _ in range(stops))
    ends = [[random.uniform(-0.3, 1.3) * width, random.uniform(-0.3, 1.3) * height] for _ in range(2)]
    if random.random() < 0.15:
        ends[1] = ends[0]
    matrix = random.choice(
        ([[1.0, 0, 0], [0, 1, 0]], [[1, 0.5, 0], [0, 2, 1]], [[0, 0, 0], [0, 0, 0]], [[1, 1, 0], [1, 1, 0]])
    )
    size = max(width, height)
    return Gradient(
        random.choice(("linear", "radial")),
        torch.tensor(ends),
        torch.tensor(offsets),
        torch.tensor([_color(random) for _ in range(stops)]),
        torch.tensor(random.choice((0.0, 1e-9 * size, random.random() * size, size, 1e3 * size))),
        random.choice(("pad", "reflect", "repeat")),
        torch.tensor(random.choice((matrix, [[1.0, 0, 0], [0, 1, 0]]))).float(),
    )


Places = Callable[[], tuple[float, float]]


def _anywhere(random: Random, width: int, height: int) -> Places:
    return lambda: (random.uniform(-0.2, 1.2) * width, random.uniform(-0.2, 1.2) * height)


def _off_canvas(random: Random, width: int, height: int) -> Places:
    right, down = random.choice(((1.5, 0), (-1.5, 0), (0, 1.5), (0, -1.5), (1.01, 0), (-1.01, 0)))
    return lambda: (random.uniform(right, right + 1) * width, random.uniform(down, down + 1) * height)


def _grid(random: Random, width: int, height: int) -> Places:
    """On borders and corners of pixels, and on those of the image."""
    step = random.choice((1.0, 0.5, 0.25))
    return lambda: (
        random.randint(-2, round(width / step) + 2) * step,
        random.randint(-2, round(height / step) + 2) * step,
    )


def _nearly_grid(random: Random, width: int, height: int) -> Places:
    """As near to them as float32 can."""
    exact = _grid(random, width, height)

    def place() -> tuple[float, float]:
        x, y = exact()
        return x * (1 + random.choice((-1, 0, 1)) * 1.2e-7), y * (1 + random.choice((-1, 0, 1)) * 1.2e-7)

    return place


def _few(random: Random, width: int, height: int) -> Places:
    """Many points in few places."""
    places = [(random.uniform(0, width), random.uniform(0, height)) for _ in range(random.randint(1, 4))]
    return lambda: random.choice(places)


def _near(random: Random, width: int, height: int) -> Places:
    """All around one point."""
    x, y, spread = random.uniform(0, width), random.uniform(0, height), 10 ** random.uniform(-8, 0)
    return lambda: (x + random.uniform(-spread, spread), y + random.uniform(-spread, spread))


def _in_line(random: Random, width: int, height: int) -> Places:
    """On one line, back and forth."""
    x, y, dx, dy = random.uniform(0, width), random.uniform(0, height), random.gauss(0, 1), random.choice((0, 1, 0.3))

    def place() -> tuple[float, float]:
        t = random.choice((random.uniform(-20, 20), random.randint(-5, 5)))
        return x + t * dx, y + t * dy

    return place


def _far(random: Random, width: int, height: int) -> Places:
    """All over the floating-point numbers."""

    def value(size: int) -> float:
        if random.random() < 0.4:
            return random.uniform(0, size)
        return random.choice((-1, 1)) * 10 ** random.uniform(1, 30)

    return lambda: (value(width), value(height))


def _big(random: Random, width: int, height: int) -> Places:
    """Far outside, but not so far that nothing is seen."""
    spread = 10 ** random.uniform(1, 7)
    return lambda: (random.uniform(-spread, spread) + width / 2, random.uniform(-spread, spread) + height / 2)


def _broken(random: Random, width: int, height: int) -> Places:
    """With values that aren't finite among them."""
    sound = _anywhere(random, width, height)
    odd = math.nan, math.inf, -math.inf

    def place() -> tuple[float, float]:
        x, y = sound()
        return (random.choice(odd) if random.random() < 0.1 else x), (
            random.choice(odd) if random.random() < 0.1 else y
        )

    return place


PLACES = (
    _anywhere, _anywhere, _anywhere, _off_canvas, _grid, _grid, _nearly_grid, _few, _near, _in_line,
    _far, _big, _broken,
)  # fmt: skip
