"""The similarity of a picture and texts: seen whole and undistorted, or on views that no method optimizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.errors import InputError, shortened
from clipdraw.framing import pad_to_square
from clipdraw.raster import rasterize_batch

_VIEWS, _SEED = 32, 0
_MOST_TURN_RAD, _SCALES = 0.26, (0.8, 1.0)
_NOISE, _COARSE = 0.05, 0.75


def score(picture: Drawing | Float[Tensor, "3 height width"], texts: Sequence[str], encoder: Encoder) -> list[float]:
    """The cosine between a picture and each text.

    Args:
        picture: a drawing, or an image in [0, 1]; one that is not square is set on a white square.
        texts: descriptions.
        encoder: what embeds both.

    Returns:
        One cosine a text, in [-1, 1].

    Raises:
        InputError: `texts` is one string.
    """
    if isinstance(texts, str):
        raise InputError(f"score takes a list of texts, got one text: {shortened(texts)!r}")
    with torch.no_grad():
        return (encoder.encode_text(list(texts)) @ embed(picture, encoder)).tolist()


def embed(picture: Drawing | Float[Tensor, "3 height width"], encoder: Encoder) -> Float[Tensor, " dimensions"]:
    """The unit vector of a picture, seen whole: a drawing, or an image in [0, 1]."""
    image = image_of(picture, encoder.view_size) if isinstance(picture, Drawing) else picture
    return embed_images(image[None], encoder)[0]


@torch.no_grad()
def embed_images(
    images: Float[Tensor, "images 3 height width"], encoder: Encoder
) -> Float[Tensor, "images dimensions"]:
    """The unit vectors of images in [0, 1], each set on a white square; without gradients."""
    views = torch.stack([pad_to_square(image) for image in images.to(encoder.device)])
    if views.shape[-1] != encoder.view_size:
        size = (encoder.view_size, encoder.view_size)
        views = functional.interpolate(views, size=size, mode="bilinear", antialias=True).clamp(0, 1)
    return encoder.encode_image(views)


def image_of(drawing: Drawing, size: int) -> Float[Tensor, "3 height width"]:
    """The drawing rasterized with its longer side at `size` pixels; without gradients."""
    return images_of([drawing], size)[0]


@torch.no_grad()
def images_of(drawings: Sequence[Drawing], size: int) -> Float[Tensor, "drawings 3 height width"]:
    """As `image_of` for each of several drawings on canvases of the same proportions."""
    height, width = drawings[0].canvas.pixel_size(size)
    return rasterize_batch(drawings, height=height, width=width)


@torch.no_grad()
def unseen_similarities(
    picture: Drawing | Float[Tensor, "3 height width"], texts: Sequence[str], encoder: Encoder
) -> list[float]:
    """The mean cosine between each text and views of the picture.

    The views are the same for every picture: turned by up to 15 degrees, shrunk, half of them mirrored, on gray,
    coarsened by a quarter and noisy. A picture that matches a text only pixel by pixel does not survive them.
    """
    image = image_of(picture, encoder.view_size) if isinstance(picture, Drawing) else picture
    views = _unseen_views(pad_to_square(image.to(encoder.device)), encoder.view_size)
    return (encoder.encode_image(views) @ encoder.encode_text(list(texts)).T).mean(0).tolist()


def _unseen_views(image: Float[Tensor, "3 side side"], size: int) -> Float[Tensor, "views 3 size size"]:
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
