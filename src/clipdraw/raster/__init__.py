"""Drawing to image, with gradients: one function, interchangeable backends."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from operator import index as whole_number

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import ConfigError, InputError
from clipdraw.raster.batch import Batch, Chosen, make_batch
from clipdraw.raster.native import library
from clipdraw.raster.threads import get_threads, set_threads, usable_processors
from clipdraw.registry import Registry

__all__ = [
    "Batch",
    "backends",
    "get_threads",
    "picture_of",
    "rasterize",
    "rasterize_bands",
    "rasterize_batch",
    "rasterize_layer",
    "set_threads",
    "usable_processors",
]

backends = Registry(
    "backends",
    {"reference": "clipdraw.raster.reference:rasterize", "native": "clipdraw.raster.backend:rasterize"},
)
"""Name to `backend(batch) -> Float[Tensor, "drawings 3 height width"]`; see `Batch`."""


def rasterize(
    drawing: Drawing,
    *,
    height: int | None = None,
    width: int | None = None,
    background: Float[Tensor, "3 height width"] | None = None,
    frozen: Chosen = (),
    backend: str = "auto",
) -> Float[Tensor, "3 height width"]:
    """The image of a drawing: paths composited in order over the background.

    Pixel (i, j) is the average over the unit square [j, j + 1] x [i, i + 1]. What a path covers of it is the exact
    area of its flattened outline; any number may overlap. The same input gives the same bits, values and
    gradients, for any number of threads.

    Args:
        drawing: what to rasterize.
        height: rows of pixels; from `width`, or the canvas, if left out.
        width: columns of pixels; from `height`, or the canvas, if left out.
        background: an image behind the drawing, instead of its own background.
        frozen: paths whose points, widths and transforms get no gradient and cost none: their numbers, or for each
            path whether it is one of them.
        backend: `reference` (any device, float32 or float64), `native` (CPU, float32), a plug-in's name, or
            `auto`: `native` where it can, else `reference`. From another device `auto` brings a float32 drawing to
            the CPU and the image back: the reference's 6,700 short operations for 256 strokes would take a
            graphics processor far longer than `native`'s 3 ms.

    Returns:
        Red, green, blue in [0, 1], up to rounding, on the drawing's device.

    Raises:
        InputError: there is no such backend, it can't take the drawing, or the size isn't positive or
            hasn't the canvas's proportions (within rounding to whole pixels); the drawing's tensors and the background
            are of several precisions or on several devices; the drawing hasn't the frozen paths.

    Differentiable in all parameters of the drawing and in the background; not in sizes.
    """
    behind = None if background is None else background[None]
    chosen = [frozen] if len(frozen) else None
    images = rasterize_batch([drawing], height=height, width=width, background=behind, frozen=chosen, backend=backend)
    return images.squeeze(0)  # backwards, images[0] would copy


def rasterize_layer(
    drawing: Drawing, *, height: int | None = None, width: int | None = None, backend: str = "auto"
) -> Float[Tensor, "4 height width"]:
    """The paint of a drawing, without its background: premultiplied red, green, blue, and alpha.

    An image is linear in what lies behind it, so two of them, over black and over white, say all.

    Args:
        drawing: the drawing.
        height: as for `rasterize`.
        width: as for `rasterize`.
        backend: as for `rasterize`.

    Raises:
        InputError: as `rasterize`.

    Differentiable in all parameters of the drawing but its background.
    """
    black, white = rasterize_batch(_over_black_and_white(drawing), height=height, width=width, backend=backend)
    return _layer(black, white)


def _over_black_and_white(drawing: Drawing) -> list[Drawing]:
    return [replace(drawing, background=drawing.points.new_full((3,), shade)) for shade in (0.0, 1.0)]


def _layer(black: Float[Tensor, "3 height width"], white: Float[Tensor, "3 height width"]) -> Tensor:
    """Premultiplied colors and alpha of what is painted over black and over white."""
    return torch.cat([black, 1 - (white - black).mean(0, keepdim=True)])


def _straight(layer: Float[Tensor, "4 height width"]) -> Float[Tensor, "4 height width"]:
    """Colors that are not premultiplied, and alpha."""
    return torch.cat([(layer[:3] / layer[3:].clamp(min=1e-6)).clamp(0, 1), layer[3:].clamp(0, 1)])


def picture_of(
    drawing: Drawing, *, height: int | None = None, width: int | None = None
) -> Float[Tensor, "channels height width"]:
    """The image that a file shows: red, green, blue, and for a drawing without a background straight alpha."""
    if drawing.background is not None:
        return rasterize(drawing, height=height, width=width)
    return _straight(rasterize_layer(drawing, height=height, width=width))


def rasterize_batch(
    drawings: Sequence[Drawing],
    *,
    height: int | None = None,
    width: int | None = None,
    background: Float[Tensor, "drawings 3 height width"] | None = None,
    frozen: Sequence[Chosen] | None = None,
    backend: str = "auto",
) -> Float[Tensor, "drawings 3 height width"]:
    """The images of several drawings in one call, each as `rasterize` would make it.

    Args:
        drawings: of any numbers of paths and segments, with canvases of the same proportions.
        height: as for `rasterize`.
        width: as for `rasterize`.
        background: an image behind each.
        frozen: for each, as for `rasterize`.
        backend: as for `rasterize`.

    Raises:
        InputError: as `rasterize`; there are no drawings; they or the backgrounds don't fit together.
    """
    drawings = list(drawings)
    if not drawings:
        raise InputError("a batch needs at least one drawing")
    _check_alike(drawings, background)
    device = drawings[0].points.device
    if backend == "auto" and device.type != "cpu" and _native_can(drawings[0]):
        near = [drawing.to(device="cpu") for drawing in drawings]
        behind = None if background is None else background.cpu()
        return rasterize_batch(near, height=height, width=width, background=behind, frozen=frozen).to(device)
    sizes = {_size(drawing.canvas, height, width) for drawing in drawings}
    if len(sizes) > 1:
        raise InputError(f"the drawings of a batch give images of one size, got {sorted(sizes)}: name height and width")
    (size,) = sizes
    wanted = (len(drawings), 3, *size)
    if background is not None and tuple(background.shape) != wanted:
        raise InputError(f"a background for these images has the shape {wanted}, got {tuple(background.shape)}")
    return _backend(drawings[0], backend)(make_batch(drawings, size, background=background, frozen=frozen))


def rasterize_bands(
    drawing: Drawing, *, height: int | None = None, width: int | None = None
) -> Iterator[Float[Tensor, "channels _ width"]]:
    """The image of a drawing in bands of rows, from the top, with the bits of `picture_of`.

    The memory for it does not grow with the image where there are kernels; without them there is one band.

    Args:
        drawing: what to rasterize.
        height: as for `rasterize`.
        width: as for `rasterize`.

    Raises:
        InputError: as `rasterize`.
        LimitError: it took longer or more memory than `clipdraw.limits` allows.

    Not differentiable.
    """
    drawing = drawing.detached()
    if drawing.background is None:
        over = (rasterize_bands(each, height=height, width=width) for each in _over_black_and_white(drawing))
        yield from (_straight(_layer(black, white)) for black, white in zip(*over, strict=True))
        return
    if drawing.points.device.type != "cpu" or not _native_can(drawing):
        yield rasterize(drawing, height=height, width=width)
        return
    _check_alike([drawing], None)
    from clipdraw.raster.bands import bands

    yield from bands(make_batch([drawing], _size(drawing.canvas, height, width)))


def _check_alike(drawings: Sequence[Drawing], background: Tensor | None) -> None:
    """Raise `InputError` if any tensor is in another precision or elsewhere than the first drawing's points."""
    first = drawings[0].points
    for number, drawing in enumerate(drawings):
        for name, tensor in drawing.named_tensors():
            if tensor.dtype != first.dtype or tensor.device != first.device:
                whose = f"the {name} of drawing {number}" if len(drawings) > 1 else f"the drawing's {name}"
                raise _unlike(whose, tensor, first)
    if background is not None and (background.dtype != first.dtype or background.device != first.device):
        raise _unlike("the background", background, first)


def _unlike(name: str, tensor: Tensor, points: Tensor) -> InputError:
    return InputError(
        f"{name}: {tensor.dtype} on {tensor.device}; points: {points.dtype} on {points.device}; use .to()"
    )


def _backend(drawing: Drawing, name: str) -> Callable[[Batch], Tensor]:
    points = drawing.points
    if points.dtype not in (torch.float32, torch.float64):
        raise InputError(
            f"a drawing is rasterized in float32 or float64, not {points.dtype}: use drawing.to(dtype=...)"
        )
    if name == "auto":
        name = "native" if _native_can(drawing) and points.device.type == "cpu" else "reference"
    try:
        return backends[name]
    except ConfigError as error:
        raise InputError(f"no backend called {name!r}; choose auto, {', '.join(sorted(backends))}") from error


def _native_can(drawing: Drawing) -> bool:
    return drawing.points.dtype == torch.float32 and _has_kernels()


@cache
def _has_kernels() -> bool:
    """Whether there are compiled kernels; a note says so, once, if there are none."""
    if library() is not None:
        return True
    warnings.warn(
        "clipdraw was installed where nothing could compile its kernels: drawing takes a hundred times as long; "
        "install it again where there is a C compiler or the package ziglang",
        stacklevel=2,
    )
    return False


def _is_count(value: object) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool) and whole_number(value) >= 1


def _size(canvas: Canvas, height: int | None, width: int | None) -> tuple[int, int]:
    for name, value in (("height", height), ("width", width)):
        if value is not None and not _is_count(value):
            raise InputError(f"the {name} of an image is a whole number of pixels, at least 1, got {value!r}")
    height, width = (None if value is None else whole_number(value) for value in (height, width))
    if height is None:
        height = max(1, round(canvas.height * (1 if width is None else width / canvas.width)))
        width = max(1, round(canvas.width)) if width is None else width
    elif width is None:
        width = max(1, round(canvas.width * height / canvas.height))
    across, down = ((size - 0.501, size + 0.501) for size in (width, height))
    if across[0] * canvas.height > down[1] * canvas.width or down[0] * canvas.width > across[1] * canvas.height:
        raise InputError(
            f"{width} x {height} pixels haven't the proportions of the canvas, {canvas.width:g} x {canvas.height:g}; "
            f"with this width the height is {max(1, round(canvas.height * width / canvas.width))}"
        )
    return height, width
