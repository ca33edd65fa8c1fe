"""How well a picture matches texts, seen whole and undistorted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.framing import pad_to_square
from clipdraw.raster import rasterize_batch


def score(picture: Drawing | Float[Tensor, "3 height width"], texts: Sequence[str], encoder: Encoder) -> list[float]:
    """The cosine between a picture and each text.

    Args:
        picture: a drawing, or an image in [0, 1]; one that is not square is set on a white square.
        texts: descriptions.
        encoder: the judge.

    Returns:
        One cosine a text, in [-1, 1].
    """
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
    canvas = drawings[0].canvas
    pixels = size / max(canvas.width, canvas.height)
    height, width = (max(1, round(side * pixels)) for side in (canvas.height, canvas.width))
    return rasterize_batch(drawings, height=height, width=width)
