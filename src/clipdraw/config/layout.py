"""The layout of a scene: a box on the canvas for each thing, and the order in which they are painted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clipdraw.config.prompts import Region, parse_region
from clipdraw.config.scenes import Relation, Scene, Thing
from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder, prior_of
from clipdraw.encoders.builtin.prior import named_colors
from clipdraw.errors import FormatError
from clipdraw.framing import WHOLE, Box
from clipdraw.io.images import read_image
from clipdraw.optimization.prior_picture import Mask, Place, Tint, shape_of
from clipdraw.raster import rasterize

Shape = Callable[[str], tuple[float, float]]
"""From the words of a picture to the width and height of the thing in it, in any unit."""
_MASK_SIDE = 256  # pixels along the longer side of the picture that an SVG mask is made into
_MASK_INK = 0.25  # from which on a pixel is inside
_MARGIN = 0.05  # of the canvas on each side
_LARGEST = 0.85  # of the canvas's shorter side that a thing among others covers, if there is room
_GAP = 0.06
_ROWS = {1: (1,), 2: (2,), 3: (3,), 4: (2, 2), 5: (3, 2), 6: (3, 3)}
_LINES = {4: (4,), 5: (5,), 6: (6,)}
_SPREAD = {1: 1.0, 2: 0.7, 3: 0.55, 4: 0.55, 5: 0.5, 6: 0.5}  # factor on the sides of each of several
_LONGEST_ASPECT = 2.6
_LONGEST_LINE = 1.35  # of several in a line above or on something
_LARGEST_IN_SCENERY = 0.66  # of the canvas's sides
_PART_BOXES = {
    "roof": Box(0, 0, 1, 0.42), "hair": Box(0, 0, 1, 0.25), "ears": Box(0, 0, 1, 0.25), "horns": Box(0, 0, 1, 0.2),
    "door": Box(0.4, 0.62, 0.62, 1), "window": Box(0.6, 0.5, 0.8, 0.68), "windows": Box(0.15, 0.5, 0.85, 0.68),
    "wheels": Box(0, 0.7, 1, 1), "wheel": Box(0, 0.7, 1, 1), "sail": Box(0, 0, 1, 0.7), "sails": Box(0, 0, 1, 0.7),
    "tail": Box(0.78, 0.2, 1, 0.9), "beard": Box(0.25, 0.3, 0.75, 0.5), "legs": Box(0, 0.7, 1, 1),
    "feet": Box(0, 0.85, 1, 1), "head": Box(0, 0, 1, 0.35), "leaves": Box(0, 0, 1, 0.3), "leaf": Box(0, 0, 1, 0.3),
    "stem": Box(0.35, 0.6, 0.65, 1), "chimney": Box(0.65, 0, 0.9, 0.2), "wings": Box(0, 0.2, 1, 0.6),
}  # fmt: skip
"""Where on a thing a part is, in fractions of the thing."""
_WORN = {"glasses": (0.25, 0.6), "sunglasses": (0.25, 0.6), "scarf": (0.5, 0.7), "tie": (0.6, 0.3), "mask": (0.25, 0.6),
         "shoes": (0.95, 0.6), "boots": (0.92, 0.6), "necklace": (0.5, 0.5), "shirt": (0.6, 0.8)}  # fmt: skip
"""The middle of what is worn, down from the wearer's top, and its width against theirs; else it is on the head."""


_VESSELS = frozenset(
    "vase pot basket bathtub bath tub cup mug glass bucket box bag boat canoe nest pocket sack wagon cart crib sink "
    "bowl barrel hat shoe boot car truck rowboat".split()
)
"""Things out of which looks what is in them."""
_SHELTERS = frozenset("table desk bench bed chair bridge tree umbrella parasol tent palm arch stool roof".split())
"""Things at whose foot stands what is under them."""


@dataclass(frozen=True)
class _Item:
    """One thing of a layout, in units that are scaled to the canvas at the end; y points down.

    Args:
        thing: its number in the scene.
        box: left, top, right, bottom.
        depth: what is painted later is greater.
        mirrored: whether its picture is.
    """

    thing: int
    box: Box
    depth: float = 0.0
    mirrored: bool = False

    def moved(self, x: float, y: float) -> _Item:
        box = self.box
        return replace(self, box=Box(box.left + x, box.top + y, box.right + x, box.bottom + y))

    def scaled(self, factor: float) -> _Item:
        return replace(self, box=Box(*(factor * side for side in self.box)))


def lay_out(scene: Scene, canvas: tuple[float, float], shape: Shape = lambda text: (1.0, 1.0)) -> tuple[Place, ...]:
    """A place for each thing of a scene, each copy of several its own, those that lie below first.

    Args:
        scene: the reading.
        canvas: width and height.
        shape: the proportions of a thing by the words of its picture.
    """
    scenery = [i for i, thing in enumerate(scene.things) if thing.scenery]
    items = _stand(scene, shape)
    boxes = _fitted([item.box for item in items], canvas, standing=bool(scenery))
    order = sorted(range(len(items)), key=lambda i: items[i].depth)
    around = [Place(scene.things[i].text, WHOLE, 0.5, picture=scene.things[i].picture, fills=True) for i in scenery]
    return *around, *(_place(scene.things[items[i].thing], boxes[i], mirrored=items[i].mirrored) for i in order)


def _place(thing: Thing, box: Box, *, mirrored: bool) -> Place:
    tints = [Tint(color, _PART_BOXES.get(part.split()[-1], Box(0, 0, 1, 0.4)))
             for part in thing.parts for color in list(named_colors(part))[:1]]  # fmt: skip
    return Place(thing.text, box, 1 / thing.number, thing.picture, mirrored=mirrored, tints=tuple(tints))


def _stand(scene: Scene, shape: Shape) -> list[_Item]:
    """The things, moved one relation after another to where it wants them."""
    placed: dict[int, list[_Item]] = {}
    in_line = {i for one in scene.relations if one.kind in ("above", "under", "on") for i in one.subjects}
    for i, thing in enumerate(scene.things):
        if not thing.scenery:
            placed[i] = _copies(i, thing, shape, in_line=i in in_line)
    clusters: list[set[int]] = [{i} for i in placed]
    for relation in scene.relations:
        subjects = _one_of(clusters, [i for i in relation.subjects if i in placed], placed)
        objects = _one_of(clusters, [i for i in relation.objects if i in placed], placed)
        if subjects is None or objects is None or subjects is objects:
            continue
        _relate(relation, scene, placed, subjects, objects)
        subjects |= objects
        clusters.remove(objects)
    whole = _one_of(clusters, list(placed), placed)
    return [item for i in sorted(whole or ()) for item in placed[i]]


def _one_of(clusters: list[set[int]], things: Sequence[int], placed: dict[int, list[_Item]]) -> set[int] | None:
    """The cluster of some things, which are set beside each other if they are in several."""
    found = [cluster for cluster in clusters if cluster & set(things)]
    if not found:
        return None
    first = found[0]
    for other in found[1:]:
        _move(placed, other, *_beside(_bounds(placed, first), _bounds(placed, other)))
        first |= other
        clusters.remove(other)
    return first


def _copies(number: int, thing: Thing, shape: Shape, *, in_line: bool) -> list[_Item]:
    """One or several of a thing, in rows about the origin; each about as large as 1 in all."""
    width, height = shape(thing.picture)
    aspect = min(max(width / height, 1 / _LONGEST_ASPECT), _LONGEST_ASPECT)
    size = thing.size * _SPREAD[thing.number]
    width, height = size * min(1.0, aspect) * aspect**0.15, size * min(1.0, 1 / aspect) * aspect**-0.15
    rows = (_LINES if in_line and aspect < 1.6 else _ROWS).get(thing.number, _ROWS[thing.number])
    if len(rows) == 1 and aspect > 1.3 and thing.number > 2:
        rows = {3: (2, 1), 4: (2, 2), 5: (3, 2), 6: (3, 3)}[thing.number]
    narrower = min(1.0, _LONGEST_LINE / (max(rows) * width)) if in_line else 1.0
    width, height = narrower * width, narrower * height
    items: list[_Item] = []
    for y, count in enumerate(rows):
        for x in range(count):
            left = (x - count / 2) * (1 + _GAP) * width
            top = (y - len(rows) / 2) * (1 + _GAP) * height
            box = Box(left, top, left + width, top + height)
            items.append(_Item(number, box, depth=0.001 * (y * 10 + x), mirrored=len(items) % 2 == 1))
    return items


def _relate(
    relation: Relation, scene: Scene, placed: dict[int, list[_Item]], subjects: set[int], objects: set[int]
) -> None:
    """Move and scale the objects of a relation, and all that goes with them, to where the subjects want them."""
    named = {i for i in relation.subjects if i in placed}, {i for i in relation.objects if i in placed}
    name = scene.things[relation.objects[0]].name.split()[-1]
    one, other = _bounds(placed, named[0]), _bounds(placed, named[1])
    factor = _factor(relation.kind, name, one, other)
    _scale(placed, objects, factor)
    other = _bounds(placed, named[1])
    x, y = _offset(relation.kind, name, one, other)
    if relation.kind == "between":
        _surround(placed, subjects, objects, named[1])
        return
    _move(placed, objects, x, y)
    inside = (relation.kind == "in" and name not in _VESSELS) or (relation.kind == "under" and name in _SHELTERS)
    deeper = -10.0 if inside or relation.kind in ("on", "riding", "in front of", "above") else 10.0
    for i in objects:
        placed[i] = [replace(item, depth=item.depth + deeper) for item in placed[i]]


def _factor(kind: str, name: str, one: Box, other: Box) -> float:
    """The factor on the sizes of the objects of a relation."""
    if kind == "wearing":
        return _WORN.get(name, (0.0, 0.62))[1] * one.width / other.width
    if kind == "holding":
        return 0.55 * math.sqrt(one.area / other.area)
    if kind == "in":
        room = 0.85 if name in _VESSELS else 0.55
        return max(one.width / other.width, (name not in _VESSELS) * one.height / other.height) / room
    if kind == "on":
        return max(1.0, 0.9 * one.width / other.width)
    if kind == "under" and name in _SHELTERS:
        return max(1.5 * one.height / other.height, 1.25 * one.width / other.width)
    if kind == "behind":
        return 0.85
    if kind == "in front of":
        return 1.25
    return {"riding": 1.25, "with": 0.7}.get(kind, 1.0)


def _offset(kind: str, name: str, one: Box, other: Box) -> tuple[float, float]:
    """How far the objects move, so that they stand as the relation says to where the subjects are."""
    center = _middle(one)[0] - _middle(other)[0]
    foot = one.bottom - other.bottom
    if kind == "above":
        return center, one.bottom + _GAP - other.top
    if kind == "under" and name in _SHELTERS:
        return center, foot - 0.05 * one.height
    if kind == "under":
        return center, one.top - _GAP - other.bottom
    if kind == "on":
        return center, one.bottom - 0.12 * min(one.height, other.height) - other.top
    if kind == "riding":
        return center, one.bottom - 0.5 * other.height - other.top
    if kind == "in" and name in _VESSELS:
        return center, one.bottom - 0.5 * min(one.height, other.height) - other.top
    if kind == "in":
        return center, _middle(one)[1] - 0.06 * other.height - _middle(other)[1]
    if kind == "behind":
        return one.left - 0.3 * other.width - other.left, foot + 0.3 * one.height
    if kind == "in front of":
        return one.right - 0.55 * one.width - other.left, foot - 0.15 * one.height
    if kind == "holding":
        return one.right - 0.2 * other.width - other.left, one.top + 0.5 * one.height - _middle(other)[1]
    if kind == "wearing":
        if name in _WORN:
            return center, one.top + _WORN[name][0] * one.height - _middle(other)[1]
        return center, one.top + 0.1 * one.height - other.bottom
    if kind == "left of":
        return one.right + _GAP - other.left, foot
    if kind == "right of":
        return one.left - _GAP - other.right, foot
    return _beside(one, other)


def _beside(one: Box, other: Box) -> tuple[float, float]:
    return one.right + _GAP - other.left, one.bottom - other.bottom


def _surround(placed: dict[int, list[_Item]], subjects: set[int], objects: set[int], named: set[int]) -> None:
    """Set the objects to both sides of the subjects: the first half of them to the left."""
    one = _bounds(placed, subjects)
    items = [(i, j) for i in sorted(named) for j in range(len(placed[i]))]
    for at, (i, j) in enumerate(items):
        item = placed[i][j]
        left = at < len(items) / 2
        x = one.left - _GAP - item.box.right if left else one.right + _GAP - item.box.left
        placed[i][j] = item.moved(x, one.bottom - item.box.bottom)


def _middle(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


def _bounds(placed: dict[int, list[_Item]], things: set[int]) -> Box:
    return _around([item.box for i in things for item in placed[i]])


def _around(boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def _move(placed: dict[int, list[_Item]], things: set[int], x: float, y: float) -> None:
    for i in things:
        placed[i] = [item.moved(x, y) for item in placed[i]]


def _scale(placed: dict[int, list[_Item]], things: set[int], factor: float) -> None:
    for i in things:
        placed[i] = [item.scaled(factor) for item in placed[i]]


def _fitted(boxes: Sequence[Box], canvas: tuple[float, float], *, standing: bool) -> list[Box]:
    """The boxes in fractions of the canvas, as large as there is room for.

    Args:
        boxes: in any unit.
        canvas: width and height.
        standing: whether they stand near the lower edge and leave room around, instead of filling the middle.
    """
    if not boxes:
        return []
    whole, shorter = _around(boxes), min(canvas)
    room_x, room_y = ((_LARGEST_IN_SCENERY if standing else 1 - 2 * _MARGIN) * side for side in canvas)
    scale = min(room_x / whole.width, room_y / whole.height)
    scale = min(scale, (1 - 2 * _MARGIN) * shorter if len(boxes) == 1 else _LARGEST * shorter)
    x, y = (canvas[0] - scale * whole.width) / 2, (canvas[1] - scale * whole.height) / 2
    y = canvas[1] * (1 - _MARGIN) - scale * whole.height if standing else y
    return [
        Box(
            (x + scale * (box.left - whole.left)) / canvas[0],
            (y + scale * (box.top - whole.top)) / canvas[1],
            (x + scale * (box.right - whole.left)) / canvas[0],
            (y + scale * (box.bottom - whole.top)) / canvas[1],
        )
        for box in boxes
    ]


def places_of(regions: Sequence[str]) -> tuple[Place, ...]:
    """The places of regions as they are written; the background lies below the others.

    Raises:
        InputError: a region is not written as it should be.
        FormatError: the file of a mask cannot be read, or is all white.
    """
    found = [_place_of(parse_region(text)) for text in regions]
    return tuple(sorted(found, key=lambda place: not place.fills))


def _place_of(region: Region) -> Place:
    mask = _read_mask(Path(region.mask)) if region.mask else None
    text, weight = region.prompt.text, region.prompt.weight
    return Place(text, mask.box if mask else region.box, weight, fills=region.background, mask=mask)


def _read_mask(path: Path) -> Mask:
    """The shape in a file, stretched to the canvas: all that is not white.

    Raises:
        FormatError: the file cannot be read, or is all white.
    """
    if path.suffix.lower() == ".svg":
        drawing = Drawing.load(path)
        height, width = drawing.canvas.pixel_size(_MASK_SIDE)
        picture = rasterize(drawing, height=height, width=width)
    else:
        picture = read_image(path)
    inside = (1 - picture).amax(0) > _MASK_INK
    if not bool(inside.any()):
        raise FormatError(f"{path}: a mask is what is not white, and all of it is white")
    return Mask(inside, str(path))


def shapes_of(encoder: Encoder, variant: int) -> Shape:
    """The proportions of things in the pictures of an encoder's image prior; squares without one."""
    return (lambda text: shape_of(encoder, text, variant)) if prior_of(encoder) else lambda text: (1.0, 1.0)


def to_dict(scene: Scene, places: Sequence[Place]) -> dict[str, Any]:
    """The reading and its layout in plain values, for the record of a run; boxes are in percent of the canvas."""
    boxes = [{"text": p.text, "box": [round(100 * side, 1) for side in p.box or WHOLE]} for p in places]
    return {**scene.to_dict(), "layout": boxes}
