"""The importance of each stroke of a drawing for its similarity to its prompts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import accumulate
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.evaluate.score import embed_images, image_of, images_of
from clipdraw.optimization.losses import Prompt, similarity
from clipdraw.progress import track

_AT_ONCE = 32
_NEUTRAL, _FOR, _AGAINST = (0.86, 0.86, 0.86), (0.78, 0.08, 0.10), (0.10, 0.30, 0.85)
_FAINTEST = 0.35


def importance(drawing: Drawing, prompts: Sequence[Prompt], encoder: Encoder) -> Float[Tensor, " paths"]:
    """For each stroke the similarity of the drawing minus that of the drawing without it.

    One picture a stroke is encoded, at the size of a view: 256 strokes cost as much as 32 steps of 8 views without
    their gradients. What lies below a stroke and what lies above it is composited once for all.

    Args:
        drawing: any drawing, seen whole and undistorted.
        prompts: at least one to draw; the mean of several by weight counts.
        encoder: what embeds both.

    Returns:
        Differences of cosines, 0 or nearly for strokes that are hidden; below 0 for those that the drawing would be
        better without.
    """
    targets = encoder.encode_text([prompt.text for prompt in prompts])
    whole = image_of(drawing, encoder.view_size)[None]
    differences: list[float] = []
    groups = _leaving_one_out(drawing, encoder.view_size)
    for images in track(groups, f"weighing {len(drawing)} strokes", total=math.ceil(len(drawing) / _AT_ONCE)):
        # The whole drawing is encoded with each group: results of different batch sizes differ in the last digits.
        cosines = embed_images(torch.cat([whole, images]), encoder) @ targets.T
        with_it, *without = (similarity(prompts, row) for row in cosines.tolist())
        differences += [with_it - value for value in without]
    return torch.tensor(differences)


class _Layer(NamedTuple):
    """Premultiplied paint, and the fraction of a picture behind it that it lets through."""

    ink: Tensor
    clear: Tensor

    def over(self, below: _Layer) -> _Layer:
        return _Layer(self.ink + self.clear * below.ink, self.clear * below.clear)


def _leaving_one_out(drawing: Drawing, size: int) -> Iterator[Float[Tensor, "some 3 height width"]]:
    """The images of the drawing without each of its paths, in order, some at a time.

    Images are linear in what lies behind a path, so two pictures of each path, on black and on white, say all.
    """
    groups = [range(at, min(at + _AT_ONCE, len(drawing))) for at in range(0, len(drawing), _AT_ONCE)]
    background = drawing.paper[:, None, None]
    empty = _Layer(torch.zeros_like(background), torch.ones_like(background))
    joined = [reduce(lambda below, layer: layer.over(below), _layers(drawing, group, size)) for group in groups]
    above = list(accumulate(reversed(joined), lambda upper, below: upper.over(below), initial=empty))[-2::-1]
    below = _Layer(background, torch.zeros_like(background))
    for group, top, own in zip(groups, above, joined, strict=True):
        layers = _layers(drawing, group, size)
        tops = list(accumulate(reversed(layers), lambda upper, lower: upper.over(lower), initial=top))[-2::-1]
        bottoms = list(accumulate(layers, lambda lower, layer: layer.over(lower), initial=below))
        yield torch.stack([upper.over(lower).ink for upper, lower in zip(tops, bottoms[:-1], strict=True)])
        below = own.over(below)


def _layers(drawing: Drawing, paths: Iterable[int], size: int) -> list[_Layer]:
    alone = [drawing.subset([path]) for path in paths]
    on_white, on_black = (
        images_of([replace(one, background=torch.full_like(one.paper, shade)) for one in alone], size)
        for shade in (1.0, 0.0)
    )
    return [_Layer(black, white - black) for white, black in zip(on_white, on_black, strict=True)]


def colored(drawing: Drawing, importance: Float[Tensor, " paths"]) -> Drawing:
    """The drawing's strokes in the color of how much they matter, those that matter most on top.

    Red strokes carry the similarity, gray ones do not matter, and the drawing would be better without blue ones.
    """
    relative = (importance / importance.abs().max().clamp(min=1e-9)).to(drawing.colors)
    neutral, high, low = (drawing.colors.new_tensor(color) for color in (_NEUTRAL, _FOR, _AGAINST))
    pole = torch.where(relative[:, None] > 0, high, low)
    strength = relative.abs()[:, None].sqrt()
    paint = torch.cat([neutral + (pole - neutral) * strength, _FAINTEST + (1 - _FAINTEST) * strength], 1)
    plain = replace(
        drawing,
        colors=paint,
        fills=None if drawing.fills is None else paint,
        styles=tuple(replace(style, fill_gradient=None, stroke_gradient=None, opacity=1.0) for style in drawing.styles),
        gradients=(),
        background=torch.ones_like(drawing.paper),
    )
    return plain.subset(relative.abs().argsort().tolist())
