"""Pictures traced with few closed shapes, against vtracer at the same number of paths: error and seconds, as JSON.

    python -m benchmarks.tracing PICTURE ... [--shapes 64]

vtracer (`pip install vtracer`) has no setting for the number of paths: of its settings the one is taken that gives most
paths, but not more than ours. Both drawings are rendered by resvg at the picture's size.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import resvg_py
import torch
from PIL import Image

from clipdraw.io.images import read_image
from clipdraw.optimization.tracing import Tracing

SPECKLES, DIFFERENCES, PRECISIONS = (2, 8, 16, 32, 64, 128), (16, 32, 64, 96), (4, 6)


def error(svg: str, picture: torch.Tensor) -> float:
    """The mean squared difference of pixels between a drawing and a picture."""
    height, width = picture.shape[1:]
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height))
    image = Image.open(io.BytesIO(png)).convert("RGBA").resize((width, height))  # resvg keeps the drawing's proportions
    over = Image.new("RGBA", image.size, "white")
    over.alpha_composite(image)
    pixels = np.asarray(over.convert("RGB"), dtype=np.float32) / 255
    return float(np.square(pixels - picture.permute(1, 2, 0).numpy()).mean())


def by_vtracer(picture: Path, most: int) -> tuple[str, int, float]:
    """The drawing with most paths up to a number, how many it has, and its seconds."""
    import vtracer

    best = "", 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        plain, out = Path(folder) / "in.png", Path(folder) / "out.svg"
        Image.open(picture).convert("RGB").save(plain)
        for speckle, difference, precision in itertools.product(SPECKLES, DIFFERENCES, PRECISIONS):
            began = time.perf_counter()
            vtracer.convert_image_to_svg_py(
                str(plain), str(out), colormode="color", hierarchical="stacked", mode="spline",
                filter_speckle=speckle, layer_difference=difference, color_precision=precision,
            )  # fmt: skip
            seconds, svg = time.perf_counter() - began, out.read_text()
            if best[1] < svg.count("<path") <= most:
                best = svg, svg.count("<path"), seconds
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="+")
    parser.add_argument("--shapes", type=int, default=64)
    options = parser.parse_args()
    for path in options.pictures:
        picture = read_image(path)
        theirs, paths, seconds = by_vtracer(path, options.shapes)
        began = time.perf_counter()
        drawing = Tracing(options.shapes)(picture)
        ours_seconds = time.perf_counter() - began
        with tempfile.TemporaryDirectory() as folder:
            drawing.save(Path(folder) / "ours.svg")
            ours = (Path(folder) / "ours.svg").read_text()
        print(json.dumps({
            "picture": path.name, "shapes": len(drawing), "mse": round(error(ours, picture), 5),
            "seconds": round(ours_seconds, 1), "vtracer_paths": paths, "vtracer_mse": round(error(theirs, picture), 5),
            "vtracer_seconds": round(seconds, 3),
        }), flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
