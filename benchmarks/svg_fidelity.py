"""Our pictures of SVG files against those of librsvg and resvg.

    python -m benchmarks.svg_fidelity --icons FOLDER [--samples 200] [--sizes 64 224 1024] [--pictures OUT]
    python -m benchmarks.svg_fidelity --suite FOLDER [--pictures OUT]

With `--icons`, FOLDER is an unpacked npm package @iconify/json: mean absolute errors in 255ths against librsvg. Icons
with something that a drawing cannot hold are counted and left out. Fails if a mean at 224 pixels is above `ALLOWED`.

With `--suite`, FOLDER holds SVG files, such as the fixtures of a renderer's tests (Debian's librsvg2-tests): the
number of files in each class of `judge`, and the names of those that are neither drawn right nor named. Fails if one
ends in an error that is not a `ClipdrawError`.

Prints one JSON object.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import statistics
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips
import resvg_py
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import ClipdrawError, FormatError
from clipdraw.io.svg import from_svg, read_drawing, to_svg
from clipdraw.io.svg.foreign import ForeignSvgWarning
from clipdraw.optimization.start import RandomStrokes
from clipdraw.raster import rasterize

SETS = ("noto", "twemoji", "fluent-emoji-flat", "openmoji", "streamline-color")
SIZES = (64, 224, 1024)
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
ALLOWED = 0.8
"""Mean error at 224 pixels that is still called the same picture, in 255ths."""
FAR = 48
"""The difference of a pixel, in 255ths of a channel, that is no matter of antialiasing."""
FEW = 0.003
"""The fraction of pixels that may be far off in the same picture."""
SIDE = 600
"""Pixels of the longer side of the largest picture of a suite."""


@dataclass(frozen=True)
class Sample:
    """A file whose picture is compared: what its root element holds, without a size, and the drawing that it is."""

    name: str
    attributes: str
    body: str
    drawing: Drawing

    def at(self, size: int) -> str:
        """The file for a picture whose longer side has this many pixels, stretched to whole ones as ours is."""
        canvas = self.drawing.canvas
        scale = size / max(canvas.width, canvas.height)
        width, height = (max(1, round(side * scale)) for side in (canvas.width, canvas.height))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {self.attributes} viewBox="0 0 {canvas.width} {canvas.height}" '
            f'width="{width}" height="{height}" preserveAspectRatio="none">{self.body}</svg>'
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    files = parser.add_mutually_exclusive_group(required=True)
    files.add_argument("--icons", type=Path, help="an unpacked npm package @iconify/json")
    files.add_argument("--suite", type=Path, help="a folder of SVG files")
    parser.add_argument("--samples", type=int, default=200, help="icons, and random drawings of strokes")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--pictures", type=Path, help="a folder for the five worst icons of each size, side by side")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.suite:
        found = suite(chosen.suite, chosen.pictures)
        print(json.dumps(found, indent=1))
        raise SystemExit("error" in found)
    samples, left_out = icons(chosen.icons, chosen.samples)
    strokes = [stroke_drawing(seed) for seed in range(chosen.samples)]
    figures = {
        "icons": {size: report(samples, size, chosen.pictures) for size in chosen.sizes},
        "strokes": {size: report(strokes, size, None) for size in chosen.sizes},
        "left out": left_out,
    }
    print(json.dumps(figures, indent=1))
    means = [figures[kind].get(224, {}).get("mean", 0.0) for kind in ("icons", "strokes")]
    raise SystemExit(any(mean > ALLOWED for mean in means))


def icons(folder: Path, count: int) -> tuple[list[Sample], int]:
    """`count` icons of several colors, the same each time, and how many were passed over for what they hold."""
    samples: list[Sample] = []
    left_out = 0
    for name in SETS:
        mine: list[Sample] = []
        for sample in _readable(folder, name, count // len(SETS)):
            left_out += sample is None
            mine += [sample] if sample else []
            if len(mine) == count // len(SETS):
                break
        samples += mine
    return samples, left_out


def _readable(folder: Path, name: str, count: int) -> Iterator[Sample | None]:
    """The icons of a set in even steps, then those between; None for one that a drawing cannot hold."""
    (path,) = folder.rglob(f"json/{name}.json")
    content = json.loads(path.read_text())
    names = sorted(key for key, icon in content["icons"].items() if len(_colors(icon["body"])) > 1)
    step = max(1, len(names) // count)
    for key in (names[at] for start in range(step) for at in range(start, len(names), step)):
        icon = content["icons"][key]
        width, height = (icon.get(side, content.get(side, 16)) for side in ("width", "height"))
        root = f'viewBox="0 0 {width} {height}" {XLINK}'
        with warnings.catch_warnings():
            warnings.simplefilter("error", ForeignSvgWarning)
            try:
                drawing = from_svg(f'<svg xmlns="http://www.w3.org/2000/svg" {root}>{icon["body"]}</svg>')
                yield Sample(f"{name}:{key}", XLINK, icon["body"], drawing)
            except (ForeignSvgWarning, FormatError):
                yield None


def _colors(body: str) -> set[str]:
    return set(re.findall(r"#[0-9a-fA-F]{3,6}", body))


def stroke_drawing(seed: int) -> Sample:
    """The published start with strokes of many widths, and colors that eight bits hold exactly."""
    generator = torch.Generator().manual_seed(seed)
    drawing = RandomStrokes(64)(Canvas(), generator)
    drawing.widths.copy_(0.4 + 12 * torch.rand(64, generator=generator) ** 2)
    drawing.colors[:, :3] = (drawing.colors[:, :3] * 255).round() / 255
    body = to_svg(drawing).partition("</metadata>")[2].removesuffix("</svg>\n")
    return Sample(f"strokes {seed}", "", body, drawing)


def report(samples: list[Sample], size: int, pictures: Path | None) -> dict[str, object]:
    """Mean, median and worst error, and the five worst."""
    errors = {sample.name: compared(sample, size, pictures=None) for sample in samples}
    worst = sorted(errors, key=lambda name: -errors[name])[:5]
    for sample in samples:
        if pictures and sample.name in worst:
            compared(sample, size, pictures=pictures)
    return {
        "files": len(errors),
        "mean": round(statistics.mean(errors.values()), 4),
        "median": round(statistics.median(errors.values()), 4),
        "worst": round(max(errors.values()), 4),
        "the five worst": {name: round(errors[name], 3) for name in worst},
    }


def compared(sample: Sample, size: int, *, pictures: Path | None) -> float:
    """The mean absolute error in 255ths; with `pictures`, ours, theirs and the difference as a PNG."""
    theirs = by_librsvg(sample.at(size))
    with torch.no_grad():
        ours = rasterize(sample.drawing, height=theirs.shape[1], width=theirs.shape[2]).double()
    off = (ours - theirs).abs()
    if pictures:
        beside = torch.cat((ours, theirs, 1 - (4 * off).clamp(max=1)), dim=2)
        _save(beside, pictures / f"{sample.name.replace(':', '-')}-{size}.png")
    return float(off.mean()) * 255


def by_librsvg(text: str) -> Float[Tensor, "3 height width"]:
    """The picture by librsvg, on white; 96 dots are an inch."""
    image = pyvips.Image.svgload_buffer(text.encode(), dpi=96, scale=0.75).flatten(background=255).numpy()
    return torch.from_numpy(np.ascontiguousarray(image[..., :3])).permute(2, 0, 1).double() / 255


def by_resvg(text: str, height: int, width: int) -> Float[Tensor, "3 height width"]:
    """The picture by resvg, on white."""
    data = resvg_py.svg_to_bytes(
        svg_string=text, background="white", height=height, width=width, dpi=96, languages=["en"]
    )
    with Image.open(io.BytesIO(bytes(data))) as image:
        pixels = np.array(image.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1).double() / 255


def suite(folder: Path, pictures: Path | None) -> dict[str, object]:
    """How many files are in each class of `judge`, and the names of those that do not keep the rule."""
    classes = {path: judge(path, pictures) for path in sorted(folder.rglob("*.svg"))}
    kept = ("same", "named", "as one of two", "no other picture", "nothing to draw")
    broken = {str(path.relative_to(folder)): name for path, name in classes.items() if name not in kept}
    return {**Counter(classes.values()), "not drawn right and not named": broken}


def judge(path: Path, pictures: Path | None) -> str:
    """How a file is read: `same` as by both other renderers, as one of the two, `named` in the warning, or worse."""
    text = path.read_bytes().decode(errors="replace")
    theirs = list(_others(text))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ForeignSvgWarning)
            drawing = read_drawing(path)
        height, width = theirs[0].shape[1:] if theirs else drawing.canvas.pixel_size(SIDE)
        with torch.no_grad():
            ours = rasterize(drawing, height=height, width=width).double()
    except ClipdrawError as error:
        drawn = [picture for picture in theirs if float(picture.std()) > 0]
        return "nothing to draw" if not drawn else "named" if "it holds" in str(error) else "refused"
    except Exception:  # noqa: BLE001 - that is what is looked for
        return "error"
    off = [float(((ours - picture).abs().amax(dim=0) * 255 > FAR).double().mean()) for picture in theirs]
    if pictures and off and max(off) > FEW:
        _save(torch.cat((ours, *theirs), dim=2), pictures / f"{path.stem}.png")
    if not off or max(off) <= FEW:
        return "same" if off else "no other picture"
    return "named" if caught else "as one of two" if min(off) <= FEW and len(off) > 1 else "differs"


def _others(text: str) -> Iterator[Float[Tensor, "3 height width"]]:
    """The pictures of those of the other renderers that make one, of the same size."""
    size = None
    with suppress(pyvips.Error):
        first = by_librsvg(text)
        size = first.shape[1:]
        if max(size) <= SIDE:
            yield first
    with suppress(ValueError):
        if size and max(size) <= SIDE and (second := by_resvg(text, *size)).shape[1:] == size:
            yield second


def _save(picture: Float[Tensor, "3 height width"], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((picture.permute(1, 2, 0).clamp(0, 1) * 255 + 0.5).byte().numpy()).save(path)


if __name__ == "__main__":
    main()
