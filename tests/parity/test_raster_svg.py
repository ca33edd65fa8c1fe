"""Our picture against what two SVG renderers make of the same strokes."""

import io

import numpy as np
import pytest
import pyvips
import resvg_py
import torch
from PIL import Image

from clipdraw.raster import rasterize
from tests.raster_scenes import picture, svg, varied


def by_vips(text, size):
    del size
    return picture(pyvips.Image.svgload_buffer(text.encode()).numpy())


def by_resvg(text, size):
    del size
    with Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))) as image:
        return picture(np.asarray(image.convert("RGB")))


@pytest.mark.parametrize(("renderer", "bound"), [(by_vips, 1 / 255), (by_resvg, 2 / 255)])
@pytest.mark.parametrize("size", [224, 448, 896])
def test_picture_is_the_svg(size, renderer, bound):
    drawing = varied()
    wanted = renderer(svg(drawing, size), size)
    off = rasterize(drawing, height=size).double() - wanted
    groups = torch.nn.functional.avg_pool2d(off, 3, 1).abs()
    print(f"{renderer.__name__} {size}: mean {off.abs().mean() * 255:.3f}/255, 3 x 3 {groups.max() * 255:.2f}/255")
    assert off.abs().mean() <= bound
    assert groups.max() <= 16 / 255
