"""The picture that an encoder's image prior has of one thing, or of several that are each set into a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders import ImagePrior
from clipdraw.framing import Box, CutOut, cut_out, letterbox, select_variant

_LEAST_INK = 0.01
"""Ink that white counts as when strokes are set on ink."""
_COVERING = 0.15
"""The same within the outline of a thing that lies on others, which its strokes have to cover."""
Color = tuple[float, float, float]


@dataclass(frozen=True)
class Tint:
    """A part of a thing in a color of its own, such as a roof.

    Args:
        color: red, green and blue in [0, 1].
        box: the part, in fractions of the thing.
    """

    color: Color
    box: Box


@dataclass(frozen=True, eq=False)
class Mask:
    """The part of a canvas that a shape covers.

    Args:
        inside: whether each pixel of an image of the canvas is in the shape.
        file: where it was read from.
    """

    inside: Bool[Tensor, "height width"]
    file: str = ""

    @property
    def box(self) -> Box:
        """The smallest rectangle around it."""
        height, width = self.inside.shape
        rows, columns = (self.inside.any(axis).nonzero() for axis in (1, 0))
        top, bottom, left, right = (int(i) for i in (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1))
        return Box(left / width, top / height, right / width, bottom / height)

    def resized(self, height: int, width: int) -> Float[Tensor, "1 height width"]:
        """The fraction of each pixel of an image that the shape covers."""
        shape = self.inside[None, None].float()
        return functional.interpolate(shape, size=(height, width), mode="bilinear", antialias=True)[0]


@dataclass(frozen=True)
class Place:
    """A thing and the part of the canvas where it is.

    Args:
        text: what it is judged by.
        box: where it is; None for all of the canvas, as a single thing is shown.
        weight: its importance against the other places.
        picture: the words that its picture is sampled by; `text` if empty.
        mirrored: whether its picture is mirrored.
        fills: whether its picture covers the box to the edges, as scenery does; else it is cut out and fitted.
        tints: parts in colors of their own.
        mask: the shape that it keeps to within the box.
    """

    text: str
    box: Box | None = None
    weight: float = 1.0
    picture: str = ""
    mirrored: bool = False
    fills: bool = False
    tints: tuple[Tint, ...] = ()
    mask: Mask | None = None

    @property
    def area(self) -> float:
        """The fraction of the canvas that it covers, box or shape."""
        if self.mask:
            return float(self.mask.inside.float().mean())
        return self.box.area if self.box else 1.0


@dataclass(frozen=True)
class PriorPicture:
    """The picture that an image prior has of things in their places, on white.

    Args:
        places: at least one, those that lie below first.
        variant: which of a text's pictures, as `framing.select_variant` counts them.
        radius: the circle that a single thing is shrunk into, as in `framing.letterbox`.
    """

    places: tuple[Place, ...] = field(default_factory=tuple)
    variant: int = 0
    radius: float | None = None

    @classmethod
    def of(cls, text: str, variant: int = 0, *, radius: float | None = None) -> PriorPicture:
        """The picture of one text, in the middle."""
        return cls((Place(text),), variant, radius)

    def image(self, prior: ImagePrior, height: int, width: int) -> Float[Tensor, "3 height width"]:
        """The picture in that size, in [0, 1]."""
        return composed(self.layers(prior, height, width))

    def layers(self, prior: ImagePrior, height: int, width: int) -> list[CutOut]:
        """Each place's thing on an image of that size, those that lie below first."""
        return [self._layer(place, prior, height, width) for place in self.places]

    def _layer(self, place: Place, prior: ImagePrior, height: int, width: int) -> CutOut:
        picture = select_variant(prior.sample(place.picture or place.text), self.variant)
        if place.box is None:
            whole = letterbox(picture, height, width, radius=self.radius)
            return CutOut(whole, torch.ones_like(whole[:1]))
        picture = picture.flip(2) if place.mirrored else picture
        thing = _covering(picture, place.box, height, width) if place.fills else _tinted(cut_out(picture), place.tints)
        layer = _set_into(thing, place.box, height, width)
        if place.mask:
            shape = place.mask.resized(height, width).to(layer.alpha)
            layer = CutOut(layer.colors * shape, layer.alpha * shape)
        return layer


def composed(layers: Sequence[CutOut]) -> Float[Tensor, "3 height width"]:
    """The layers over white."""
    image = torch.ones_like(layers[0].colors)
    for layer in layers:
        image = layer.over(image)
    return image


def ink_of(layers: Sequence[CutOut]) -> list[Float[Tensor, "height width"]]:
    """How much strokes of each layer are needed at each pixel: its ink where no layer above hides it."""
    image, free = composed(layers), torch.ones_like(layers[0].alpha)
    found: list[Tensor] = []
    for layer in reversed(layers):
        ink = (1 - image).amax(0)
        least = _LEAST_INK if len(layers) == 1 else _COVERING
        seen = layer.alpha[0] * free[0] if len(layers) > 1 else torch.ones_like(ink)
        found.append((ink + least) * seen + (0 if len(layers) == 1 else 1e-6 * layer.alpha[0] + 1e-9))
        free = free * (1 - layer.alpha)
    return found[::-1]


def shape_of(prior: ImagePrior, text: str, variant: int) -> tuple[float, float]:
    """The width and height of a text's thing, cut out, in pixels of its picture."""
    height, width = cut_out(select_variant(prior.sample(text), variant)).alpha.shape[1:]
    return float(width), float(height)


def _covering(picture: Float[Tensor, "3 side side"], box: Box, height: int, width: int) -> CutOut:
    """The middle of a picture in the shape of a box on an image of that size, opaque."""
    aspect = box.width * width / (box.height * height)
    side = picture.shape[1]
    rows, columns = max(1, round(side * min(1, 1 / aspect))), max(1, round(side * min(1, aspect)))
    top, left = (side - rows) // 2, (side - columns) // 2
    middle = picture[:, top : top + rows, left : left + columns]
    return CutOut(middle, torch.ones_like(middle[:1]))


def _set_into(thing: CutOut, box: Box, height: int, width: int) -> CutOut:
    """A thing resized to fit into the middle of a box, in an image of that size that is otherwise clear."""
    rows, columns = box.pixels(height, width)
    room_y, room_x = rows.stop - rows.start, columns.stop - columns.start
    scale = min(room_y / thing.alpha.shape[1], room_x / thing.alpha.shape[2])
    size_y, size_x = (
        max(1, min(room, round(scale * n))) for room, n in zip((room_y, room_x), thing.alpha.shape[1:], strict=True)
    )
    top, left = rows.start + (room_y - size_y) // 2, columns.start + (room_x - size_x) // 2
    around = left, width - left - size_x, top, height - top - size_y
    fitted = thing.resized(size_y, size_x)
    return CutOut(functional.pad(fitted.colors, around), functional.pad(fitted.alpha, around))


def _tinted(thing: CutOut, tints: Sequence[Tint]) -> CutOut:
    """The thing with parts of it in other colors, as bright within as they were."""
    colors = thing.colors.clone()
    for tint in tints:
        part = (slice(None), *tint.box.pixels(*thing.alpha.shape[1:]))
        alpha = thing.alpha[part]
        tone = colors[part].mean(0, keepdim=True)
        relief = 0.6 * (tone - tone.sum() / alpha.sum().clamp(min=1e-6) * alpha)
        paint = torch.tensor(tint.color, device=alpha.device)[:, None, None] * alpha
        colors[part] = (paint + relief).clamp(min=0).minimum(alpha)
    return CutOut(colors, thing.alpha)
