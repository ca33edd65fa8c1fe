"""Colors as users write them: names and codes, palettes by name, and the colors of a picture."""

from __future__ import annotations

import tomllib
import warnings
from functools import cache
from pathlib import Path

from PIL import Image, ImageColor

from clipdraw.errors import ConfigError, FormatError, shortened
from clipdraw.io.images import read_image, to_bytes

Color = tuple[float, float, float]
MOST_COLORS = 256
"""The most colors of a palette."""
_ROUNDS = 20  # of k-means
_LONGEST = 256  # pixels along the longer side of a picture whose colors are taken


def parse_color(text: str, *, what: str) -> Color:
    """Red, green and blue in [0, 1] of `#rrggbb`, `#rgb`, a CSS name or `rgb(...)`.

    Raises:
        ConfigError: it is no color, or not an opaque one.
    """
    try:
        red, green, blue, *alpha = ImageColor.getrgb(text.strip())
    except ValueError:
        alpha = [0]
    if alpha:
        raise ConfigError(f"{what} is an opaque color such as #e76f51 or navy, got {shortened(repr(text))}")
    return red / 255, green / 255, blue / 255


@cache
def palettes() -> dict[str, dict[str, object]]:
    """The palettes by name: `about` and `colors`; not to be written to."""
    return tomllib.loads((Path(__file__).parent / "palettes.toml").read_text(encoding="utf-8"))


def parse_palette(texts: tuple[str, ...]) -> tuple[Color, ...]:
    """The colors of a palette, which is named or spelled out.

    Raises:
        ConfigError: a text is neither a color nor, alone, the name of a palette; or there are too many.
    """
    if len(texts) == 1 and texts[0].strip().lower() in palettes():
        texts = tuple(map(str, palettes()[texts[0].strip().lower()]["colors"]))  # type: ignore[call-overload]
    if len(texts) > MOST_COLORS:
        raise ConfigError(f"pen.palette is of at most {MOST_COLORS} colors, got {len(texts)}")
    try:
        return tuple(dict.fromkeys(parse_color(text, what="each color") for text in texts))
    except ConfigError as error:
        raise ConfigError(f"pen.palette is colors, or one of {', '.join(palettes())}; {error}") from None


def colors_of_picture(path: str, count: int) -> tuple[str, ...]:
    """So many colors as `#rrggbb` that together are most like a picture: by median cut, then k-means.

    Raises:
        ConfigError: the picture cannot be read.
    """
    try:
        pixels = to_bytes(read_image(path))
    except FormatError as error:
        raise ConfigError(f"pen.palette_from: {error}") from None
    picture = Image.fromarray(pixels)
    picture.thumbnail((_LONGEST, _LONGEST))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        few = picture.quantize(count, method=Image.Quantize.MEDIANCUT, kmeans=_ROUNDS, dither=Image.Dither.NONE)
    flat = few.getpalette() or []
    used = sorted(few.getcolors() or [], reverse=True)  # pairs of a number of pixels and an index, most common first
    codes = ("#" + bytes(flat[3 * index : 3 * index + 3]).hex() for _, index in used if isinstance(index, int))
    return tuple(dict.fromkeys(codes))
