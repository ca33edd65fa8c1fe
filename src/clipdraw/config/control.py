"""Pen, paper, hand and shape: from their settings to starts, constraints, arrangements, losses and targets."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, cast

from clipdraw.config.colors import Color, parse_color, parse_palette
from clipdraw.config.groups import HandSettings
from clipdraw.drawing import Canvas, Cap
from clipdraw.errors import ConfigError
from clipdraw.optimization.arrangement import Arrangement, Combined, Grid, Mirror, Palette, Rotation, Tile
from clipdraw.optimization.constraints import (
    HALF,
    ColorRange,
    Constraint,
    PointsInDisc,
    PointsOnCanvas,
    WidthRange,
)
from clipdraw.optimization.hand import Crossing, Length, Smooth, Straight
from clipdraw.optimization.losses import Ink, Loss
from clipdraw.optimization.shapes import OneLine, OnPaper, RandomShapes, Start
from clipdraw.optimization.start import RandomStrokes
from clipdraw.optimization.targets import Adaptation
from clipdraw.optimization.texture import Bristles, Glow, Mosaic

if TYPE_CHECKING:
    from clipdraw.config.settings import Config

_WHITE = (1.0, 1.0, 1.0)
NO_BACKGROUND, OPTIMIZED = "none", "optimized"
_LINE_WIDTHS = 1.0, 4.0  # of a drawing that is one line


def check_together(config: Config) -> None:
    """Refuse settings of pen, hand and shape that contradict one another.

    Raises:
        ConfigError: two of them do; the message says which.
    """
    pen, hand, order = config.pen, config.hand, rotation_order(config.hand.symmetry)
    square = config.canvas[0] == config.canvas[1]
    turns_canvas = order in (1, 2) or (order == 4 and square)
    refused = {
        "pen.ink and pen.palette": pen.ink and pen.palette,
        "hand.one_line and shape": hand.one_line and config.shape != "stroke",
        "hand.one_line and hand.symmetry": hand.one_line and hand.symmetry != "none",
        "hand.one_line and hand.tile": hand.one_line and hand.tile,
        "hand.tile and hand.margin": hand.tile and hand.margin,
        "hand.tile and hand.symmetry": hand.tile and not turns_canvas,
        "hand.grid and hand.symmetry": hand.grid and not turns_canvas,
        "hand.grid and hand.tile": hand.grid and hand.tile and not _tiles_evenly(config),
        "pen.width and shape": pen.width and config.shape == "fill",
        "regions and hand": config.regions and spreads(config),
        "scene and hand": config.scene == "on" and spreads(config),
        "shape = pixel and hand": config.shape == "pixel" and _moves_lines(hand),
        "pen.bristles and shape": pen.bristles > 1 and config.shape != "stroke",
        "pen.glow and shape": pen.glow and config.shape != "stroke",
    }
    for names, contradict in refused.items():
        if contradict:
            raise ConfigError(f"{names} do not go together: {_REASONS[names]}")


_REASONS = {
    "pen.ink and pen.palette": "one ink is a palette of one color; leave out one of the two",
    "hand.one_line and shape": "a line that is drawn without lifting the pen is a stroke; leave shape at stroke",
    "hand.one_line and hand.symmetry": "a mirrored or turned line is several lines",
    "hand.one_line and hand.tile": "a line that goes on beyond the edge is several lines",
    "hand.tile and hand.margin": "a tile goes on beyond its edges, a margin keeps the lines away from them",
    "hand.tile and hand.symmetry": "a tile can be turned by half a turn, and if it is square by quarters",
    "hand.grid and hand.symmetry": "a square grid can be turned by half a turn, and on a square canvas by quarters",
    "regions and hand": "what is symmetric, a tile or one line is not within a part of the canvas",
    "scene and hand": "what is symmetric, a tile or one line is not within a part of the canvas",
    "shape = pixel and hand": "the squares of a mosaic do not move",
    "pen.bristles and shape": "only open strokes have bristles; leave shape at stroke",
    "pen.glow and shape": "only open strokes glow; leave shape at stroke",
    "hand.grid and hand.tile": "the grid's spacing must fit into the canvas a whole number of times",
    "pen.width and shape": "a fill has no stroke that could be of this width; use shape = both",
}


def spreads(config: Config) -> bool:
    """Whether a path is to be seen in other parts of the canvas than its own: symmetric, a tile, or the only one."""
    return config.hand.symmetry != "none" or config.hand.tile or config.hand.one_line


def _moves_lines(hand: HandSettings) -> bool:
    """Whether anything is asked of how lines run."""
    return hand != HandSettings()


def rotation_order(symmetry: str) -> int:
    """How often a full turn shows the same picture; 1 without a rotation.

    Raises:
        ConfigError: the text is none, mirror or rotation:N with N from 2 to 64.
    """
    match = re.fullmatch(r"none|mirror|rotation:(\d{1,2})", symmetry)
    order = int(match[1] or 1) if match else 0
    if match is None or not (1 <= order <= 64) or (match[1] and order == 1):
        raise ConfigError(f"hand.symmetry is none, mirror or rotation:N with N from 2 to 64, got {symmetry!r}")
    return order


def _tiles_evenly(config: Config) -> bool:
    spacing = config.hand.grid * Canvas(*config.canvas).scale
    return all(abs(side / spacing - round(side / spacing)) < 1e-6 for side in config.canvas)


def inks(config: Config) -> tuple[Color, ...]:
    """The colors that strokes may have; none if any."""
    if config.pen.ink:
        return (parse_color(config.pen.ink, what="pen.ink"),)
    return parse_palette(config.pen.palette)


def paper(config: Config) -> Color | None:
    """The background's color, before it is optimized if it is to be; None if there is none."""
    if config.background == NO_BACKGROUND:
        return None
    return parse_color("white" if config.background == OPTIMIZED else config.background, what="background")


def arrangement(config: Config) -> Arrangement | None:
    """The arrangement that makes the drawing of the paths that are moved; None if they are the drawing."""
    hand, order, colors = config.hand, rotation_order(config.hand.symmetry), inks(config)
    parts: list[Arrangement] = []
    if colors:
        parts.append(Palette(colors, background=config.background == OPTIMIZED))
    if config.shape == "pixel":
        parts.append(Mosaic(_columns(config)))
    if config.pen.bristles > 1:
        parts.append(Bristles(config.pen.bristles))
    if hand.grid:
        edge = _edge(config)
        parts.append(Grid(hand.grid, edge if isinstance(edge, PointsOnCanvas) else None))
    if hand.symmetry == "mirror":
        parts.append(Mirror())
    if order > 1:
        parts.append(Rotation(order))
    if hand.tile:
        parts.append(Tile())
    if config.pen.glow:
        parts.append(Glow(config.pen.glow))
    return None if not parts else parts[0] if len(parts) == 1 else Combined(tuple(parts))


def _columns(config: Config) -> int:
    """The columns of a mosaic of about square tiles."""
    return max(1, round((config.strokes * config.canvas[0] / config.canvas[1]) ** 0.5))


def adaptation(config: Config) -> Adaptation | None:
    """The rules that the picture of an image prior is to have, too; None if there are none."""
    hand, order = config.hand, rotation_order(config.hand.symmetry)
    on = paper(config) or _WHITE
    made = Adaptation(
        hand.symmetry == "mirror",
        order,
        hand.tile,
        inks(config),
        hand.one_line,
        config.prior.outline,
        on,
        hand.margin / Canvas().width,
    )
    free = config.background in (NO_BACKGROUND, OPTIMIZED)
    return None if made == Adaptation() and not free else made


def constraints(config: Config) -> tuple[Constraint, ...]:
    """The rules that hold after each step."""
    rules, pen = config.constraints, config.pen
    widths = (pen.width, pen.width) if pen.width else _LINE_WIDTHS if config.hand.one_line else rules.width_range
    opacity = pen.opacity or (1.0 if config.hand.one_line else 0.0)
    colors = ColorRange(opacity, opacity) if opacity else ColorRange(rules.least_opacity)
    edge = _edge(config)
    always = WidthRange(*widths), colors
    return always if edge is None else (*always, edge)


def _edge(config: Config) -> PointsOnCanvas | PointsInDisc | None:
    """The rule by which points stay on the canvas, also when they are turned; None if they may leave it."""
    hand, order = config.hand, rotation_order(config.hand.symmetry)
    if hand.tile:
        return PointsOnCanvas(-HALF)  # so far that the copies around still fill the canvas
    if not (hand.margin or config.constraints.keep_on_canvas):
        return None
    turned = order > 2 and not (order == 4 and config.canvas[0] == config.canvas[1])
    return (PointsInDisc if turned else PointsOnCanvas)(hand.margin, whole_paths=hand.margin > 0)


def start(config: Config) -> Start:
    """The drawing before the first step, as far as no picture decides it."""
    settings, pen = config.start, config.pen
    order = 2 if config.hand.symmetry == "mirror" else rotation_order(config.hand.symmetry)
    count = max(1, config.strokes // order)
    width, opacity = pen.width or settings.width, (pen.opacity,) * 2 if pen.opacity else settings.opacity
    made: Start
    if config.hand.one_line:
        width = pen.width or min(max(settings.width, _LINE_WIDTHS[0]), sum(_LINE_WIDTHS) / 2)
        made = OneLine(count, width, pen.opacity or 1.0, settings.spread)
    elif config.shape == "pixel":
        columns = _columns(config)
        made = RandomShapes(columns * -(-count // columns), settings.reach, width, opacity, settings.spread)
    elif config.shape != "stroke":
        made = RandomShapes(count, settings.reach, width, opacity, settings.spread, config.shape)
    else:
        made = RandomStrokes(count, **asdict(replace(settings, width=width, opacity=opacity)))
    color = paper(config)
    return made if color == _WHITE and pen.cap == "round" else OnPaper(made, color, cast(Cap, pen.cap))


def losses(config: Config) -> tuple[Loss, ...]:
    """The losses on the lines and on the amount of ink."""
    hand = config.hand
    weights = hand.smooth, hand.crossing, hand.length, hand.straight
    kinds: tuple[Callable[[float], Loss], ...] = (Smooth, Crossing, Length, Straight)
    lines = [kind(weight) for kind, weight in zip(kinds, weights, strict=True) if weight]
    return (*lines, Ink(config.pen.most_ink)) if config.pen.most_ink else tuple(lines)
