"""The picture that an encoder's image prior has of one thing, or of several that are each set into a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders import Encoder, prior_of
from clipdraw.framing import Box, fitted, letterbox, select_variant
from clipdraw.optimization.targets import Adaptation, cut_out

_EDGE_INK = 0.01  # of a thing that may lie beyond each side of its box
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


class CutOut(NamedTuple):
    """A thing without the white around it.

    Args:
        colors: premultiplied by alpha.
        alpha: 1 within the thing's outline, 0 around it.
    """

    colors: Float[Tensor, "3 height width"]
    alpha: Float[Tensor, "1 height width"]

    def resized(self, height: int, width: int) -> CutOut:
        """The same in another size, antialiased."""
        both = torch.cat([self.colors, self.alpha])[None]
        found = functional.interpolate(both, size=(height, width), mode="bilinear", antialias=True)[0].clamp(0, 1)
        return CutOut(found[:3], found[3:])

    def over(self, image: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
        """The thing composited over an image of its size."""
        return self.colors + (1 - self.alpha) * image


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
        shown: its picture, of any proportions, instead of one of the prior.
    """

    text: str
    box: Box | None = None
    weight: float = 1.0
    picture: str = ""
    mirrored: bool = False
    fills: bool = False
    tints: tuple[Tint, ...] = ()
    mask: Mask | None = None
    shown: Float[Tensor, "3 _ _"] | None = None

    @property
    def words(self) -> str:
        """The words that its picture is sampled by."""
        return self.picture or self.text

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
        adaptation: the rules of the drawing that the picture is given, too; None for none.
    """

    places: tuple[Place, ...]
    variant: int = 0
    radius: float | None = None
    adaptation: Adaptation | None = None

    @classmethod
    def of(cls, text: str, variant: int = 0, *, radius: float | None = None) -> PriorPicture:
        """The picture of one text, in the middle."""
        return cls((Place(text),), variant, radius)

    def is_known(self, encoder: Encoder) -> bool:
        """Whether there is a picture: of one's own, or by the encoder's prior."""
        return prior_of(encoder) is not None or all(place.shown is not None for place in self.places)

    def painted(self, encoder: Encoder, height: int, width: int) -> Float[Tensor, "channels height width"]:
        """The picture in that size: on white, or if it is adapted as a layer, premultiplied colors and alpha."""
        image = composed(self.layers(encoder, height, width))
        return image if self.adaptation is None else self.adaptation.layer(image)

    def layers(self, encoder: Encoder, height: int, width: int) -> list[CutOut]:
        """Each place's thing on an image of that size, those that lie below first."""
        return [self._layer(place, encoder, height, width) for place in self.places]

    def _layer(self, place: Place, encoder: Encoder, height: int, width: int) -> CutOut:
        if place.shown is not None:
            whole = fitted(place.shown.to(encoder.device), height, width)
            return CutOut(whole, torch.ones_like(whole[:1]))
        if place.box is None:
            picture = _chosen(encoder, place.words, self.variant, self.adaptation)
            whole = letterbox(picture, height, width, radius=self.radius)
            return CutOut(whole, torch.ones_like(whole[:1]))
        picture = _chosen(encoder, place.words, self.variant)
        picture = picture.flip(2) if place.mirrored else picture
        thing = _covering(picture, place.box, height, width) if place.fills else _tinted(thing_in(picture), place.tints)
        layer = _set_into(thing, place.box, height, width)
        if place.mask:
            shape = place.mask.resized(height, width).to(layer.alpha)
            layer = CutOut(layer.colors * shape, layer.alpha * shape)
        return layer


def _chosen(
    encoder: Encoder, text: str, variant: int, adaptation: Adaptation | None = None
) -> Float[Tensor, "3 side side"]:
    """One of the pictures that the encoder's prior, which it has, has of a text; the one that an adaptation chooses."""
    prior = prior_of(encoder)
    assert prior is not None
    pictures = prior.sample(text)
    if adaptation is None:
        return select_variant(pictures, variant)

    @torch.no_grad()
    def similarities(candidates: Tensor) -> Tensor:
        size = (encoder.view_size, encoder.view_size)
        views = functional.interpolate(candidates, size=size, mode="bilinear", antialias=True).clamp(0, 1)
        return encoder.encode_image(views) @ encoder.encode_text([text])[0]

    return adaptation.choose(pictures, variant, similarities)


def composed(layers: Sequence[CutOut]) -> Float[Tensor, "3 height width"]:
    """The layers over white."""
    image = torch.ones_like(layers[0].colors)
    for layer in layers:
        image = layer.over(image)
    return image


def visible(layers: Sequence[CutOut]) -> list[Float[Tensor, "height width"]]:
    """The fraction of each pixel in which a layer is seen, those above it hiding the rest."""
    free = torch.ones_like(layers[0].alpha[0])
    found: list[Tensor] = []
    for layer in reversed(layers):
        found.append(layer.alpha[0] * free)
        free = free * (1 - layer.alpha[0])
    return found[::-1]


def thing_in(picture: Float[Tensor, "3 height width"]) -> CutOut:
    """The thing in a picture on white, cropped to where it is."""
    layer = cut_out(picture)
    rows, columns = _extent(layer[3].sum(1)), _extent(layer[3].sum(0))
    return CutOut(layer[:3, rows, columns], layer[3:, rows, columns])


def _extent(ink: Float[Tensor, " places"]) -> slice:
    """From the first place to the last that has ink; all of them if there is next to none."""
    total = ink.sum()
    if total < 1:
        return slice(0, len(ink))
    before = ink.cumsum(0)
    first = int((before <= _EDGE_INK * total).sum())
    last = int((before < (1 - _EDGE_INK) * total).sum())
    return slice(first, max(first, last) + 1)


def shape_of(encoder: Encoder, text: str, variant: int) -> tuple[float, float]:
    """The width and height of a text's thing, cut out, in pixels of its picture."""
    height, width = thing_in(_chosen(encoder, text, variant)).alpha.shape[1:]
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
