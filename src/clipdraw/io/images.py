"""Images: written as PNG files with metadata, read from any common picture file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from clipdraw.errors import FormatError, InputError
from clipdraw.io import atomic_path

MAX_PIXELS = 64_000_000
"""The largest picture that is decoded: 8,000 x 8,000."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_KEYWORD = re.compile(r"[!-~](?:[ -~]{0,77}[!-~])?")
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def to_bytes(image: Float[Tensor, "channels height width"]) -> UInt8[np.ndarray, "height width channels"]:
    """The image in 8 bits a channel, rounded to the nearest level; values outside [0, 1] are limited.

    Raises:
        InputError: a value is NaN.
    """
    if image.isnan().any():
        raise InputError("an image with NaN values cannot be stored")
    levels = image.detach().double().clamp(0, 1) * 255
    return (levels + 0.5).floor().to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()


def write_png(
    image: Float[Tensor, "channels height width"], path: str | Path, *, metadata: Mapping[str, str] | None = None
) -> None:
    """Write an image as an 8-bit PNG file, whole or not at all.

    Args:
        image: red, green, blue in [0, 1]; a fourth channel is straight alpha.
        path: where to.
        metadata: PNG keyword (1 to 79 ASCII characters) to text in any script, such as prompt and seed.
            Null characters and half surrogates, which PNG cannot hold, become U+FFFD.

    Raises:
        InputError: a value is NaN, a keyword is not allowed, or the folder does not exist.
    """
    info = PngInfo()
    for key, text in (metadata or {}).items():
        if not _KEYWORD.fullmatch(key):
            raise InputError(f"{key!r} is no PNG keyword: 1 to 79 ASCII characters, no outer spaces")
        text = _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", str(text))
        if text.isascii():
            info.add_text(key, text)
        else:
            info.add_itxt(key, text)
    with atomic_path(path) as temporary:
        Image.fromarray(to_bytes(image)).save(temporary, format="PNG", pnginfo=info, compress_level=6)


def read_image(path: str | Path) -> Float[Tensor, "3 height width"]:
    """The picture in a PNG, JPEG, WebP, GIF, BMP or TIFF file, over white; of an animation, the first frame.

    Returns:
        Red, green, blue in [0, 1], upright.

    Raises:
        FormatError: the file is missing, damaged, of another kind, or of more than `MAX_PIXELS`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks about odd files; real trouble raises
            with Image.open(path, formats=_FORMATS) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    raise FormatError(f"{path}: {width} x {height} pixels; at most {MAX_PIXELS:,} are read")
                return _over_white(ImageOps.exif_transpose(picture))
    except FormatError:
        raise
    except FileNotFoundError as error:
        raise FormatError(f"{path}: no such file") from error
    except Image.UnidentifiedImageError as error:
        raise FormatError(f"{path}: not a picture of a known kind ({', '.join(_FORMATS)})") from error
    except Exception as error:  # a damaged file makes Pillow's decoders raise nearly anything
        raise FormatError(f"{path}: cannot be read as a picture: {error}") from error


def _over_white(picture: Image.Image) -> Float[Tensor, "3 height width"]:
    """The picture in [0, 1], composited over white."""
    if picture.mode.startswith("I"):  # 16-bit gray
        gray = torch.from_numpy(np.asarray(picture, dtype=np.float32) / 65535).clamp(0, 1)
        return gray.expand(3, -1, -1).clone()
    pixels = np.asarray(picture.convert("RGBA"), dtype=np.float32).transpose(2, 0, 1) / 255
    rgba = torch.from_numpy(np.ascontiguousarray(pixels))
    return rgba[:3] * rgba[3:] + (1 - rgba[3:])
