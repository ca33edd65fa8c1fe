"""Build the training corpus: `python -m training.corpus --out FOLDER`.

Renders every licensed drawing of `sources` once, cropped to its ink, and writes

- `color.npy`: uint8 (drawings, 96, 96, 4), straight RGBA
- `mono.npy`: uint8 (drawings, 96, 96), alpha of drawings in one paint
- `color.jsonl`, `mono.jsonl`: one line a drawing: set, name, captions, license, split
- `report.json`: counts by set, license, split
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image

from training import sources
from training.data import SIZE

_RENDER_SIZE = 160  # rendered larger than kept: the crop to the ink enlarges most icons


def render(svg: str) -> np.ndarray | None:
    """Straight RGBA (96, 96, 4) of the drawing's ink on a square with a small margin; None if it is empty."""
    import resvg_py

    try:
        png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=_RENDER_SIZE, height=_RENDER_SIZE))
        image = Image.open(io.BytesIO(png)).convert("RGBA")
    except (ValueError, OSError):
        return None
    box = image.getchannel("A").point(lambda a: 255 * (a > 8)).getbbox()
    if box is None or (box[2] - box[0]) * (box[3] - box[1]) < 64:
        return None
    image = image.crop(box)
    side = max(image.size)
    square = Image.new("RGBA", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    inner = SIZE - 4
    small = square.resize((inner, inner), Image.Resampling.BOX if side > inner else Image.Resampling.BICUBIC)
    framed = np.zeros((SIZE, SIZE, 4), np.uint8)
    framed[2:-2, 2:-2] = np.asarray(small)
    return framed


def split_of(source: sources.Source) -> str:
    """'test' for styles that are never trained on, else 'train'; clip-art goes by a hash of its name."""
    if source.set in sources.HELD_OUT_SETS:
        return "test"
    if source.set == "openclipart":
        digest = hashlib.sha256(source.name.encode()).digest()
        return "test" if digest[0] < 26 else "train"
    return "train"


def _rendered(source: sources.Source) -> tuple[sources.Source, np.ndarray | None]:
    return source, render(source.svg)


def drawings(folder: Path, *, processes: int) -> Iterator[tuple[sources.Source, np.ndarray]]:
    """Every source with its picture; pictures that show the same under the same caption come once."""
    seen = set()
    with Pool(processes) as pool:
        for source, picture in pool.imap(_rendered, sources.all_sources(folder), chunksize=64):
            if picture is None:
                continue
            coarse = picture.reshape(12, 8, 12, 8, 4).mean((1, 3)) // 24
            key = (source.captions[0], source.set in sources.HELD_OUT_SETS, coarse.astype(np.uint8).tobytes())
            if key not in seen:
                seen.add(key)
                yield source, picture


class _Growing:
    """An uncompressed array on disk that grows picture by picture."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self.path, self.shape, self.count = path, shape, 0
        self.raw = path.with_suffix(".raw").open("wb")
        self.lines = path.with_suffix(".jsonl").open("w")

    def add(self, picture: np.ndarray, about: dict) -> None:
        self.raw.write(np.ascontiguousarray(picture).tobytes())
        self.lines.write(json.dumps(about) + "\n")
        self.count += 1

    def close(self) -> None:
        self.raw.close()
        self.lines.close()
        raw = self.path.with_suffix(".raw")
        pictures = np.memmap(raw, np.uint8, "r", shape=(self.count, *self.shape))
        np.save(self.path, pictures)
        raw.unlink()


def build(packages: Path, out: Path, *, processes: int) -> dict:
    """Write the corpus into `out` and return its report."""
    out.mkdir(parents=True, exist_ok=True)
    stores = {True: _Growing(out / "color.npy", (SIZE, SIZE, 4)), False: _Growing(out / "mono.npy", (SIZE, SIZE))}
    report = {"set": Counter(), "license": Counter(), "split": Counter(), "colored": Counter()}
    for source, picture in drawings(packages, processes=processes):
        about = asdict(source) | {"split": split_of(source)}
        del about["svg"]
        stores[source.colored].add(picture if source.colored else picture[..., 3], about)
        for key in report:
            report[key][str(about[key])] += 1
    for store in stores.values():
        store.close()
    (out / "report.json").write_text(json.dumps(report, indent=1))
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, default=Path("corpus/packages"))
    parser.add_argument("--out", type=Path, default=Path("corpus"))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    sources.fetch(options.packages)
    report = build(options.packages, options.out, processes=options.processes)
    print(json.dumps({k: v for k, v in report.items() if k != "set"}))


if __name__ == "__main__":
    main()
