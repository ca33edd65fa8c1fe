"""Images: written as PNG files with metadata, read from any common picture file."""

from __future__ import annotations

import re
import struct
import warnings
import zlib
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from clipdraw.errors import FormatError, InputError
from clipdraw.io import atomic_path
from clipdraw.limits import check_limits

MAX_PIXELS = 64_000_000
"""The largest picture that is decoded: 8,000 x 8,000."""

_COMPRESSION, _UP = 6, 2
_COLOR_TYPES = {3: 2, 4: 6}
"""PNG's number for an image of so many channels."""
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
    info = _png_info(metadata)
    with atomic_path(path) as temporary:
        Image.fromarray(to_bytes(image)).save(temporary, format="PNG", pnginfo=info, compress_level=6)


def write_png_bands(
    bands: Iterable[Float[Tensor, "channels _ width"]],
    path: str | Path,
    *,
    size: tuple[int, int],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write an image that comes in bands of rows as `write_png` does, in memory for one band.

    Args:
        bands: red, green, blue in [0, 1], and straight alpha if there is a fourth channel, from the top.
        path: where to.
        size: height and width of the image.
        metadata: as for `write_png`.

    Raises:
        InputError: as for `write_png`.
        LimitError: it took longer or more memory than `clipdraw.limits` allows.

    Source: Portable Network Graphics (PNG) specification 2, W3C, sections 9.2 (the filter Up) and 11.2.
    """
    height, width = size
    info, rest = _png_info(metadata), iter(bands)
    first = next(rest)
    channels = len(first)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _COLOR_TYPES[channels], 0, 0, 0))
        for name, text, *_ in info.chunks:
            _write_chunk(file, name, text)
        packed, above = zlib.compressobj(_COMPRESSION), np.zeros((1, channels * width), np.uint8)
        for band in chain([first], rest):
            check_limits()
            rows = to_bytes(band).reshape(-1, channels * width)
            differences = rows - np.concatenate((above, rows[:-1]))  # modulo 256
            above = rows[-1:].copy()
            filtered = np.insert(differences, 0, _UP, axis=1)
            _write_chunk(file, b"IDAT", packed.compress(filtered.tobytes()))
        _write_chunk(file, b"IDAT", packed.flush())
        _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    """Write a chunk of a PNG file, unless it is a part of the image without a byte."""
    if data or name != b"IDAT":
        file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))


def _png_info(metadata: Mapping[str, str] | None) -> PngInfo:
    """The metadata as texts of a PNG file; see `write_png`."""
    info = PngInfo()
    for key, text in (metadata or {}).items():
        if not _KEYWORD.fullmatch(key):
            raise InputError(f"{key!r} is no PNG keyword: 1 to 79 ASCII characters, no outer spaces")
        text = _NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", str(text))
        if text.isascii():
            info.add_text(key, text)
        else:
            info.add_itxt(key, text)
    return info


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
