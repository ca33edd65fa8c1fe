"""Losses that draw from random strokes: those of the prior beside the encoder's, for `clipdraw.optimize`.

`Distilled` is score distillation: the drawing is noised, the prior tells what picture it would make of that for the
text, and the drawing is pulled there. `Painted` pulls to one picture that the prior has painted. Both are plain losses
of the package, so that recipes, constraints and views are its own.

Source: Poole et al., 2022, DreamFusion, arXiv 2209.14988 and Jain et al., 2022, VectorFusion, arXiv 2211.11319 (score
distillation, on strokes); Huang et al., 2023, DreamTime, arXiv 2306.12422 (from much noise to little). Here with a
flow's estimate of the picture, held within [-1, 1], in place of the noise's, so that the pull is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders import Encoder
from clipdraw.optimization.losses import Frame, Term
from training import flow
from training.unet import Text

_READERS: dict[str, flow.Reader] = {}


def read(texts: Sequence[str]) -> Text:
    """The reader of texts; it is loaded once."""
    return _READERS.setdefault("cpu", flow.Reader())(texts)


def small(image: Float[Tensor, "3 height width"]) -> Float[Tensor, "1 3 32 32"]:
    """An image as the prior sees it, in [-1, 1]."""
    return functional.interpolate(image[None], size=(flow.SIZE, flow.SIZE), mode="area") * 2 - 1


@dataclass(frozen=True)
class Distilled:
    """The squared distance to what the prior makes of the noised drawing, as a mean over pixels.

    Args:
        text: what to draw.
        model: the prior.
        weight: its importance.
        guidance: how many times as large the text's effect is made.
        noises: how many noised copies are asked for in each step.
        times: of the flow at the first and at the last step; 0 is noise, 1 the picture.
        spread: how far the times of a step lie around that.
        seed: of noise and times.
    """

    text: str
    model: nn.Module
    weight: float = 100.0
    guidance: float = 5.0
    noises: int = 4
    times: tuple[float, float] = (0.15, 0.75)
    spread: float = 0.15
    seed: int = 0
    name: str = "distilled"

    def build(self, encoder: Encoder) -> Term:
        """The distance; its gradient does not pass through the prior."""
        text, generator = read([self.text] * self.noises), torch.Generator().manual_seed(self.seed)

        def distance(frame: Frame) -> Tensor:
            now = small(frame.image)
            wanted = self._wanted(now.detach(), frame.progress, text, generator)
            return self.weight * (now - wanted).square().mean()

        return distance

    def _wanted(self, now: Tensor, progress: float, text: Text, generator: torch.Generator) -> Tensor:
        """The mean of what the prior makes of noised copies."""
        first, last = self.times
        middle = first + (last - first) * progress
        times = (middle + self.spread * (2 * torch.rand(self.noises, generator=generator) - 1)).clamp(0.02, 0.98)
        noise = torch.randn(self.noises, 3, flow.SIZE, flow.SIZE, generator=generator)
        ahead = times[:, None, None, None]
        noised = torch.lerp(noise, now.expand_as(noise), ahead)
        velocity = flow.guided(self.model, noised, times, text, self.guidance)
        return (noised + (1 - ahead) * velocity).clamp(-1, 1).mean(0, keepdim=True)


@dataclass(frozen=True)
class Painted:
    """The squared distance to a picture that the prior has painted for the text and the seed, as a mean over pixels.

    Args:
        text: what to draw.
        model: the prior.
        weight: its importance at the first step; it falls to `last` times that.
        last: see `weight`.
        guidance: how many times as large the text's effect is made.
        steps: in which the picture is painted.
        seed: of the noise that it is painted from.
    """

    text: str
    model: nn.Module
    weight: float = 300.0
    last: float = 0.2
    guidance: float = 4.0
    steps: int = 20
    seed: int = 0
    name: str = "painted"

    def picture(self) -> Float[Tensor, "1 3 32 32"]:
        """The picture, in [-1, 1]."""
        generator = torch.Generator().manual_seed(self.seed)
        return flow.sample(self.model, read([self.text]), generator, steps=self.steps, guidance=self.guidance) * 2 - 1

    def build(self, encoder: Encoder) -> Term:
        """The distance to the picture, which is painted here."""
        wanted = self.picture()

        def distance(frame: Frame) -> Tensor:
            weight = self.weight * (1 + (self.last - 1) * frame.progress)
            return weight * (small(frame.image) - wanted).square().mean()

        return distance


class Blind:
    """An encoder that sees nothing, for drawings by the prior alone."""

    name, view_size, dimensions, device = "blind", 8, 1, torch.device("cpu")

    def encode_text(self, texts: Sequence[str]) -> Float[Tensor, "texts 1"]:
        return torch.zeros(len(texts), 1)

    def encode_image(self, views: Float[Tensor, "views 3 size size"]) -> Float[Tensor, "views 1"]:
        return torch.zeros(len(views), 1)

    def truncated_tail(self, text: str) -> str:
        return ""
