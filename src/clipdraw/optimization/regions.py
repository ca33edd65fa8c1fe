"""Regions: parts of the canvas with prompts and strokes of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.framing import WHOLE, Box
from clipdraw.optimization.losses import Frame, Prompt, Term
from clipdraw.optimization.prior_picture import Mask, Place

_CROP_MARGIN = 0.1  # around a region, as a fraction of its longer side
_AREA_POWER = 0.6  # of the area in the number of a region's strokes: a small thing needs more of them for its size
_VIEWS = 0.5  # of all regions together, as a fraction of those of the whole


@dataclass(frozen=True)
class RegionPrompt:
    """The text to draw in a part of the canvas, judged by views of this part alone.

    Args:
        text: a description, not blank.
        weight: its importance against other losses, as a prompt's.
        box: the part.
        mask: the shape within it whose pixels alone are changed; what is around it is seen.
        views: how many, as a fraction of the views of the whole; one at least.

    Raises:
        InputError: the text is blank, or the weight is 0 or not finite.
    """

    text: str
    weight: float = 1.0
    box: Box = WHOLE
    mask: Mask | None = None
    views: float = _VIEWS

    def __post_init__(self) -> None:
        Prompt(self.text, self.weight)

    @property
    def name(self) -> str:
        """The text, and that it is of a region."""
        return f"{self.text} (region)"

    def build(self, encoder: Encoder) -> Term:
        """The weighted negative cosine of fresh views, times the views of the whole, as a prompt is their sum."""
        (target,) = encoder.encode_text([self.text])

        @cache
        def shape(height: int, width: int) -> Tensor | None:
            return self.mask.resized(height, width) if self.mask else None

        def term(frame: Frame) -> Tensor:
            height, width = frame.image.shape[1:]
            image, inside = frame.image, shape(height, width)
            if inside is not None:
                inside = inside.to(image)
                image = inside * image + (1 - inside) * image.detach()
            rows, columns = self.box.pixels(height, width, margin=_CROP_MARGIN)
            views = len(frame.embeddings)
            seen = frame.look(image[:, rows, columns], max(1, round(self.views * views)))
            return -self.weight * views * (seen @ target).mean()

        return term


def region_prompts(places: Sequence[Place]) -> tuple[RegionPrompt, ...]:
    """The prompt of each place; the pixels of scenery are those that no other place has."""
    views = _VIEWS / max(1, len(places))
    shapes = [_rest(places) if place.fills else place.mask for place in places]
    return tuple(
        RegionPrompt(place.text, place.weight, place.box or WHOLE, shape, views)
        for place, shape in zip(places, shapes, strict=True)
    )


def _rest(places: Sequence[Place], size: int = 128) -> Mask | None:
    """The rest of the canvas beside the things in it; None if it is nothing, or all."""
    inside = torch.ones(size, size, dtype=torch.bool)
    for place in places:
        if not place.fills:
            shape = place.mask.resized(size, size)[0] > 0.5 if place.mask else torch.ones_like(inside)
            rows, columns = (place.box or WHOLE).pixels(size, size)
            inside[rows, columns] &= ~shape[rows, columns]
    return Mask(inside) if bool(inside.any()) and not bool(inside.all()) else None


def stroke_counts(places: Sequence[Place], strokes: int) -> tuple[int, ...]:
    """How many of a drawing's strokes each place has: by its area and weight, in all as many as there are."""
    parts = [place.area**_AREA_POWER for place in places]
    exact = [strokes * part / sum(parts) for part in parts]
    counts = [int(each) for each in exact]
    for i in sorted(range(len(places)), key=lambda i: counts[i] - exact[i])[: strokes - sum(counts)]:
        counts[i] += 1
    return tuple(counts)


def place_of_strokes(places: Sequence[Place], strokes: int) -> Int[Tensor, " strokes"]:
    """The place that each stroke belongs to; those of a place lie one after another, in the order of the places."""
    return torch.repeat_interleave(torch.arange(len(places)), torch.tensor(stroke_counts(places, strokes)))


@dataclass(frozen=True)
class WithinRegions:
    """Each stroke within its own region, with its width.

    Args:
        places: the regions, whose strokes lie one after another in this order.
        slack: how far strokes may leave their box, as a fraction of the canvas's shorter side.
    """

    places: tuple[Place, ...]
    slack: float = 0.0

    def project(self, drawing: Drawing) -> None:
        """Limit the widths to the boxes' sides and clamp the points; those outside a mask go to its nearest pixel."""
        canvas, device = drawing.canvas, drawing.points.device
        size = torch.tensor([canvas.width, canvas.height], device=device)
        owner = place_of_strokes(self.places, len(drawing)).to(device)
        boxes = torch.tensor([place.box or WHOLE for place in self.places], device=device)
        free = torch.tensor([place.fills for place in self.places], device=device)
        slack = torch.where(free, 1e6, self.slack * min(canvas.width, canvas.height))
        low, high = boxes[:, :2] * size - slack[:, None], boxes[:, 2:] * size + slack[:, None]
        drawing.widths.copy_(drawing.widths.minimum((high - low).amin(1)[owner]))
        counts = torch.tensor(drawing.point_counts(), device=device)
        each, half = (values.repeat_interleave(counts, 0) for values in (owner, drawing.widths[:, None] / 2))
        drawing.points.copy_(drawing.points.maximum(low[each] + half).minimum(high[each] - half))
        for number, place in enumerate(self.places):
            if place.mask:
                mine = each == number
                drawing.points[mine] = _nearest_inside(drawing.points[mine] / size, place.mask) * size


_MASK_SIDE = 64


def _nearest_inside(points: Float[Tensor, "points 2"], mask: Mask) -> Float[Tensor, "points 2"]:
    """Points in fractions of the canvas, those outside a mask moved to the middle of its nearest pixel."""
    if not len(points):
        return points
    table = _nearest_table(mask).to(points.device)
    height, width = table.shape[:2]
    at = (points * torch.tensor([width, height], device=points.device)).long()
    columns, rows = at[:, 0].clamp(0, width - 1), at[:, 1].clamp(0, height - 1)
    nearest = table[rows, columns]
    own = torch.stack([(columns + 0.5) / width, (rows + 0.5) / height], 1)
    return torch.where((nearest == own).all(1, keepdim=True), points, nearest)


@cache
def _nearest_table(mask: Mask) -> Float[Tensor, "rows columns 2"]:
    """For each pixel of a small image of the canvas, the middle of the nearest one that lies within the mask."""
    covered = mask.resized(_MASK_SIDE, _MASK_SIDE)[0]
    inside = covered >= min(0.999, float(covered.max()))
    axis = (torch.arange(_MASK_SIDE) + 0.5) / _MASK_SIDE
    middles = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).reshape(-1, 2)
    within = middles[inside.flatten()]
    return within[torch.cdist(middles, within).argmin(1)].reshape(_MASK_SIDE, _MASK_SIDE, 2)


def scattered(drawing: Drawing, places: Sequence[Place]) -> Drawing:
    """The drawing with each stroke moved to where it would begin if its own region were the whole canvas."""
    if all(place.box is None for place in places):
        return drawing
    canvas = drawing.canvas
    size = torch.tensor([canvas.width, canvas.height])
    owner = place_of_strokes(places, len(drawing)).tolist()
    moved = []
    for points, number in zip(drawing.stroke_points(), owner, strict=True):
        box = places[number].box or WHOLE
        first = torch.tensor([box.left, box.top]) + (points[0] / size).clamp(0, 1) * torch.tensor(
            [box.width, box.height]
        )
        moved.append(points - points[0] + first * size)
    found = drawing.detached()
    found.points.copy_(torch.cat(moved))
    return found
