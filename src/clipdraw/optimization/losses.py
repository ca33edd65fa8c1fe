"""The losses: each asks something of a drawing. A loss is a plug-in, plain settings that build a function of a frame.

To add one, write a frozen dataclass with a `name` and a `build`, and pass it to `optimize`::

    @dataclass(frozen=True)
    class Calm:
        weight: float = 0.1
        name: str = "calm"

        def build(self, encoder: Encoder) -> Term:
            return lambda frame: self.weight * frame.drawing.colors[:, :3].var(0).sum()
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, count
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.errors import InputError, check_fields
from clipdraw.optimization.parameterization import Parameterization
from clipdraw.optimization.prior_picture import PriorPicture
from clipdraw.optimization.targets import difference_of_layers, over


def _no_look(image: object, count: int) -> Any:
    raise InputError("this frame was made by hand, without a way to look at more views")


@dataclass(frozen=True)
class Frame:
    """A moment of a run, as losses see it; gradients flow from all of it to the drawing.

    Args:
        subject: what is optimized as it is: the drawing, or another parameterization.
        image: what it looks like, in [0, 1].
        embeddings: unit vectors of the views.
        progress: fraction of the steps already taken, in [0, 1).
        look: from another image in [0, 1], such as a part of this one, and a number to the unit vectors of as many
            fresh random views. It takes random numbers of the run, so call it equally often in each step.
        views_of: from several images and a number to the same fresh random views of each, as many as that, in the
            encoder's size. It takes random numbers of the run, too.
        generator: the run's, for losses that need random numbers themselves.
        layer: of a drawing without a background what is painted: premultiplied red, green and blue, and alpha.
    """

    subject: Drawing | Parameterization
    image: Float[Tensor, "3 height width"]
    embeddings: Float[Tensor, "views dimensions"]
    progress: float
    look: Callable[[Tensor, int], Tensor] = _no_look
    views_of: Callable[[Sequence[Tensor], int], list[Tensor]] = _no_look
    generator: torch.Generator = field(default_factory=torch.Generator)
    layer: Float[Tensor, "4 height width"] | None = None

    @property
    def drawing(self) -> Drawing:
        """The drawing.

        Raises:
            InputError: what is optimized is not a drawing.
        """
        return drawing_of(self.subject)


def drawing_of(subject: object) -> Drawing:
    """`subject`, which is a drawing.

    Raises:
        InputError: it is not.
    """
    if not isinstance(subject, Drawing):
        raise InputError(f"only a drawing has strokes; what is optimized here is {type(subject).__name__}")
    return subject


Term = Callable[[Frame], Float[Tensor, ""]]
"""A scalar of a frame; lower is better."""


@runtime_checkable
class Loss(Protocol):
    """A part of the objective."""

    @property
    def name(self) -> str:
        """Its name in the log."""
        ...

    def build(self, encoder: Encoder) -> Term:
        """The function to be minimized; what does not change from step to step is computed here, once."""
        ...


@dataclass(frozen=True)
class Prompt:
    """The text to draw, or with a negative weight, the text to stay away from.

    The sum over views of -weight x cosine(text, view).

    Args:
        text: a description, not blank.
        weight: its importance against other losses; -0.3 is the paper's for negative prompts.

    Raises:
        InputError: the text is blank or no text at all, or the weight is 0 or not finite.

    Source: Frans et al. 2021 (CLIPDraw), algorithm 1 and section 4.6.
    """

    text: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="a prompt's ")
        if not self.text.strip():
            raise InputError('the prompt is empty: say what to draw, for example "a bonfire"')
        if any("\ud800" <= character <= "\udfff" for character in self.text):
            raise InputError(f"the prompt {self.text!a} is not text: it has bytes that are not UTF-8")
        if self.weight == 0:
            raise InputError(f"a prompt's weight is a number other than 0, got {self.weight}")

    @property
    def name(self) -> str:
        """The text, marked if it is negative."""
        return self.text if self.weight > 0 else f"not {self.text}"

    def build(self, encoder: Encoder) -> Term:
        """The weighted negative cosine, summed over views."""
        (target,) = encoder.encode_text([self.text])
        return lambda frame: -self.weight * (frame.embeddings @ target).sum()


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The names, with ` (2)`, ` (3)` ... after one that was there before, so that each can stand for its own value."""
    found: dict[str, None] = {}
    for name in names:
        numbered = (f"{name} ({number})" for number in count(2))
        found[next(one for one in chain([name], numbered) if one not in found)] = None
    return tuple(found)


def similarity(prompts: Sequence[Prompt], cosines: Sequence[float]) -> float:
    """The mean of the cosines of the prompts to draw, by their weights; NaN if there are none."""
    pairs = [(prompt.weight, cosine) for prompt, cosine in zip(prompts, cosines, strict=True) if prompt.weight > 0]
    return sum(w * c for w, c in pairs) / sum(w for w, _ in pairs) if pairs else math.nan


@dataclass(frozen=True)
class Opacity:
    """The mean opacity of the strokes: what the prompt does not ask for fades away.

    Adam moves every parameter by about its learning rate, however small the gradient. A stroke that no view
    cares about has no other gradient than this one and is gone after some steps; one that matters stays.

    Args:
        weight: against a prompt's 1, above 0.

    Raises:
        InputError: the weight is not above 0.
    """

    weight: float = 0.02
    name: str = "opacity"

    def __post_init__(self) -> None:
        check_fields(self, prefix="the opacity's ")
        if self.weight <= 0:
            raise InputError(f"the weight of the opacity is above 0, got {self.weight}")

    def build(self, encoder: Encoder) -> Term:
        """The weighted mean opacity, times the views, as a prompt is their sum."""
        return lambda frame: self.weight * len(frame.embeddings) * mean_opacity(frame.drawing)


def mean_opacity(drawing: Drawing) -> Float[Tensor, ""]:
    """The mean opacity of what is painted: of a path's stroke, of its fill, or of both."""
    if not any(style.fill for style in drawing.styles) or drawing.fills is None:
        return drawing.colors[:, 3].mean()
    stroked = [path for path, style in enumerate(drawing.styles) if style.stroked]
    filled = [path for path, style in enumerate(drawing.styles) if style.fill]
    return torch.cat([drawing.colors[stroked, 3], drawing.fills[filled, 3]]).mean()


@dataclass(frozen=True)
class Ink:
    """The fraction of the canvas that has ink beyond the allowed one.

    Args:
        most: the fraction that is free, in [0, 1].
        weight: of what is beyond, against a prompt's 1, above 0.

    Raises:
        InputError: a value is out of range.
    """

    most: float
    weight: float = 400.0
    name: str = "ink"

    def __post_init__(self) -> None:
        check_fields(self, prefix="the ink's ")
        if not (0 <= self.most <= 1 and self.weight > 0):
            raise InputError(f"the most ink lies in [0, 1] and its weight above 0, got {self.most} and {self.weight}")

    def build(self, encoder: Encoder) -> Term:
        """The weighted excess, times the views, as a prompt is their sum."""

        def excess(frame: Frame) -> Tensor:
            share = ink(frame.image, frame.drawing.paper).mean()
            return self.weight * len(frame.embeddings) * (share - self.most).clamp(min=0)

        return excess


def ink(image: Float[Tensor, "3 height width"], background: Float[Tensor, " 3"]) -> Float[Tensor, "height width"]:
    """The amount of paint on each pixel: its largest difference from the background over the channels, in [0, 1].

    Differentiable in the image.
    """
    return (image - background[:, None, None]).abs().amax(0)


@dataclass(frozen=True)
class Prior:
    """The squared difference from a picture that the encoder's image prior has, fading out.

    It keeps a drawing from losing what `start.PriorStrokes` began with. For an encoder without an image prior the
    loss is 0.

    Args:
        picture: of what.
        weight: against a prompt's 1, above 0, at the start.
        until: fraction of the run at whose end the weight is 0, in (0, 1].

    Raises:
        InputError: a value is out of range.
    """

    picture: PriorPicture
    weight: float = 10.0
    until: float = 1.0
    name: str = "prior"

    def __post_init__(self) -> None:
        check_fields(self, prefix="the prior's ")
        if not (self.weight > 0 and 0 < self.until <= 1):
            raise InputError(
                f"the weight of the prior is above 0 and its end in (0, 1], got {self.weight} and {self.until}"
            )

    def build(self, encoder: Encoder) -> Term:
        """The weighted mean squared difference of pixels, times the views, as a prompt is their sum."""
        there = self.picture.is_known(encoder)

        @cache
        def wanted(height: int, width: int) -> Tensor:
            return self.picture.painted(encoder, height, width)

        def difference(frame: Frame) -> Tensor:
            fading = max(0.0, 1 - frame.progress / self.until)
            if not there or fading == 0:
                return 0.0 * frame.image.sum()
            target, factor = wanted(*frame.image.shape[1:]), self.weight * fading * len(frame.embeddings)
            if len(target) == 4 and frame.layer is not None:
                return factor * difference_of_layers(frame.layer, target)
            if len(target) == 4:
                target = over(target, frame.drawing.paper.detach())
            return factor * (frame.image - target).square().mean()

        return difference
