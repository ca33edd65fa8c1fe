"""Similarity on views of a kind that no method optimizes, for those who have one encoder only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.evaluate.scoring import image_of
from clipdraw.framing import pad_to_square

_VIEWS, _SEED = 32, 0
_MOST_TURN_RAD, _SCALES = 0.26, (0.8, 1.0)
_NOISE, _COARSE = 0.05, 0.75


@torch.no_grad()
def unseen_similarities(
    picture: Drawing | Float[Tensor, "3 height width"], texts: Sequence[str], encoder: Encoder
) -> list[float]:
    """The mean cosine between each text and views of the picture.

    The views are the same for every picture: turned by up to 15 degrees, shrunk, half of them mirrored, on gray,
    coarsened by a quarter and noisy. A picture that matches a text only pixel by pixel does not survive them.
    """
    image = image_of(picture, encoder.view_size) if isinstance(picture, Drawing) else picture
    views = _views(pad_to_square(image.to(encoder.device)), encoder.view_size)
    return (encoder.encode_image(views) @ encoder.encode_text(list(texts)).T).mean(0).tolist()


def _views(image: Float[Tensor, "3 side side"], size: int) -> Float[Tensor, "views 3 size size"]:
    random = torch.Generator().manual_seed(_SEED)
    angles, scales, shades = torch.rand(3, _VIEWS, generator=random)
    angles = (angles * 2 - 1) * _MOST_TURN_RAD
    scales = 1 / (_SCALES[0] + (_SCALES[1] - _SCALES[0]) * scales)
    mirrors = torch.ones(_VIEWS)
    mirrors[::2] = -1
    across = torch.stack([mirrors * angles.cos(), -angles.sin(), torch.zeros(_VIEWS)], 1)
    down = torch.stack([mirrors * angles.sin(), angles.cos(), torch.zeros(_VIEWS)], 1)
    maps = (torch.stack([across, down], 1) * scales[:, None, None]).to(image)
    grid = functional.affine_grid(maps, [_VIEWS, 4, size, size], align_corners=False)
    small = functional.interpolate(image[None], size=(size, size), mode="bilinear", antialias=True)
    coarse = functional.interpolate(small, size=(max(1, round(size * _COARSE)),) * 2, mode="bilinear", antialias=True)
    covered = torch.cat([coarse, torch.ones_like(coarse[:, :1])], 1).expand(_VIEWS, -1, -1, -1)
    seen = functional.grid_sample(covered, grid, padding_mode="zeros", align_corners=False)
    views = seen[:, :3] + (1 - seen[:, 3:]) * shades.to(image)[:, None, None, None]
    noise = torch.randn(views.shape, generator=random).to(image) * _NOISE
    return (views + noise).clamp(0, 1)
