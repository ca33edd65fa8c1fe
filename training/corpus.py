"""Build the training corpus: `python -m training.corpus --out FOLDER`.

Renders every licensed drawing of `sources` once, cropped to its ink, and writes

- `color.npy`: uint8 (drawings, 96, 96, 4), straight RGBA
- `mono.npy`: uint8 (drawings, 96, 96), alpha of drawings in one paint
- `color.jsonl`, `mono.jsonl`: one line a drawing: set, name, captions, license, split
- `report.json`: counts by set, license, split

Interrupt it whenever you like: it goes on from the last part that it has written. Remove the report to render anew.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import json
import shutil
from collections import Counter
from dataclasses import asdict
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image

from training import sources
from training.data import SIZE
from training.files import whole, write_arrays, write_text

_RENDER_SIZE = 160  # rendered larger than kept: the crop to the ink enlarges most icons
_SHAPES = {"color": (SIZE, SIZE, 4), "mono": (SIZE, SIZE)}
_PART = 2048  # drawings that an interruption costs


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


def _key(source: sources.Source, picture: np.ndarray) -> str:
    """The same for pictures that show the same under the same caption."""
    coarse = picture.reshape(12, 8, 12, 8, 4).mean((1, 3)) // 24
    digest = hashlib.sha256(coarse.astype(np.uint8).tobytes())
    digest.update(f"{source.captions[0]} {source.set in sources.HELD_OUT_SETS}".encode())
    return digest.hexdigest()[:32]


def render_parts(packages: Path, folder: Path, *, processes: int) -> list[Path]:
    """Render every source into `folder`, some to a file; files that are there are kept.

    Of pictures that show the same under the same caption only the first is kept. A file holds `color` and `mono`
    as the corpus does, `about`: the corpus' lines, and `keys`: what tells its pictures from the same ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found, seen, paths = sources.all_sources(packages), set(), []
    with Pool(processes) as pool:
        while part := list(itertools.islice(found, _PART)):
            path = folder / f"{len(paths):04d}.npz"
            paths.append(path)
            if path.exists():
                seen.update(np.load(path)["keys"].tolist())
                continue
            fresh = {}
            for source, picture in pool.imap(_rendered, part, chunksize=64):
                if picture is not None and (key := _key(source, picture)) not in seen:
                    seen.add(key)
                    fresh[key] = source, picture
            _write_part(path, fresh)
            print(f"{path.name}: {len(seen)} drawings", flush=True)
    return paths


def _write_part(path: Path, fresh: dict[str, tuple[sources.Source, np.ndarray]]) -> None:
    pictures: dict[bool, list[np.ndarray]] = {True: [], False: []}
    about = []
    for source, picture in fresh.values():
        pictures[source.colored].append(picture if source.colored else picture[..., 3])
        line = asdict(source) | {"split": split_of(source)}
        del line["svg"]
        about.append(json.dumps(line))
    color, mono = np.array(pictures[True], np.uint8), np.array(pictures[False], np.uint8)
    write_arrays(path, color=color, mono=mono, about=np.array(about, str), keys=np.array(list(fresh), str))


def join(parts: list[Path], out: Path) -> list[dict]:
    """Write the pictures and the lines of all parts into `out`, and return the lines."""
    lines = [json.loads(line) for path in parts for line in np.load(path)["about"].tolist()]
    for kind, shape in _SHAPES.items():
        of_kind = [line for line in lines if line["colored"] == (kind == "color")]
        with whole(out / f"{kind}.npy") as partial:
            joined = np.lib.format.open_memmap(partial, "w+", np.uint8, (len(of_kind), *shape))
            first = 0
            for path in parts:
                pictures = np.load(path)[kind]
                joined[first : first + len(pictures)] = pictures.reshape(-1, *shape)
                first += len(pictures)
            joined.flush()
            del joined
        write_text(out / f"{kind}.jsonl", "".join(json.dumps(line) + "\n" for line in of_kind))
    return lines


def build(packages: Path, out: Path, *, processes: int) -> dict:
    """Write the corpus into `out`, unless its report is there, and return the report."""
    parts, report = out / "parts", out / "report.json"
    if not report.exists():
        lines = join(render_parts(packages, parts, processes=processes), out)
        counts = {key: Counter(str(line[key]) for line in lines) for key in ("set", "license", "split", "colored")}
        write_text(report, json.dumps(counts, indent=1))
    shutil.rmtree(parts, ignore_errors=True)
    return json.loads(report.read_text())


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
