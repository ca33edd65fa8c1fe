"""How well a picture matches texts, seen whole and undistorted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.framing import squared
from clipdraw.raster import rasterize


def score(picture: Drawing | Float[Tensor, "3 height width"], texts: Sequence[str], encoder: Encoder) -> list[float]:
    """The cosine between a picture and each text.

    Args:
        picture: a drawing, or an image in [0, 1]; one that is not square is set on a white square.
        texts: descriptions.
        encoder: the judge.

    Returns:
        One cosine a text, in [-1, 1].
    """
    image = _fitted(picture, encoder.view_size) if isinstance(picture, Drawing) else picture
    with torch.no_grad():
        view = squared(image.to(encoder.device))[None]
        if view.shape[-1] != encoder.view_size:
            size = (encoder.view_size, encoder.view_size)
            view = functional.interpolate(view, size=size, mode="bilinear", antialias=True).clamp(0, 1)
        embedding = encoder.encode_image(view)[0]
        return (encoder.encode_text(list(texts)) @ embedding).tolist()


def _fitted(drawing: Drawing, size: int) -> Float[Tensor, "3 height width"]:
    """The drawing rasterized with its longer side at `size` pixels."""
    canvas = drawing.canvas
    pixels = size / max(canvas.width, canvas.height)
    return rasterize(
        drawing.detached(), height=max(1, round(canvas.height * pixels)), width=max(1, round(canvas.width * pixels))
    )
