"""The things that can be pointed at, and their drawings: `python -m training.things --corpus FOLDER --out FILE.npz`.

It reads what `training.corpus` wrote, and packs what training needs into one small file. Drawings that are held out
from the encoder (`training.sources`) are left out.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from training.concepts import WordNet
from training.files import whole

SIZE = 64
"""Height and width of the packed drawings, in pixels."""

# Sets of pictures more than of signs: there a thing's name may have several words, the last one an artifact.
_RICH_SETS = frozenset("noto noto-v1 twemoji emojione fxemoji streamline-emojis".split())
_SET_WEIGHT = {"quickdraw": 0.25, "openclipart": 0.6}
_RICH_WEIGHT, _EMOJI_NAME_WEIGHT = 5.0, 3.0
_EVERY = {"quickdraw": 4}  # of so many drawings of a set one is kept
# Names of interface symbols that WordNet takes for things, and pictures of nothing in particular.
_NO_THINGS = frozenset(
    "add remove minus plus close check menu arrow file folder document page list grid layout table user account "
    "text font code link share download upload search filter sort edit copy paste cut play pause stop next back "
    "button banner badge tag label chart graph battery wifi signal network server database terminal window "
    "screen border margin line circle square triangle rectangle off cog loader bubble align zodiac".split()
)
_FINISHES = frozenset("baseline sharp twotone round outline no".split())  # before the name of a sign


@dataclass(frozen=True)
class Drawn:
    """One drawing of a thing.

    Args:
        kind: `color` or `mono`, the file that holds it.
        row: its row in that file.
        names: what it shows, best first.
        color: the one color that it has by far the most of; empty if there is none.
    """

    kind: str
    row: int
    names: tuple[str, ...]
    color: str


def named_color(picture: UInt8[np.ndarray, "height width 4"]) -> str:
    """The color that covers most of a drawing's ink; empty if no color covers half of it."""
    opaque = picture[..., 3] > 128
    if opaque.sum() < 16:
        return ""
    names = color_names(picture[opaque][:, :3].astype(np.float32) / 255.0)
    counts = np.bincount(names, minlength=len(COLOR_NAMES))
    best = int(counts.argmax())
    return COLOR_NAMES[best] if counts[best] > 0.55 * counts.sum() else ""


COLOR_NAMES = "red orange yellow green blue purple pink brown black gray white".split()
"""The colors that captions name, in the order of `color_names`."""
_HUES = ((0.25, 0), (0.72, 1), (1.15, 2), (2.75, 3), (4.15, 4), (5.0, 5), (5.72, 6), (6.01, 0))


def color_names(rgb: Float[np.ndarray, "pixels 3"]) -> np.ndarray:
    """The place in `COLOR_NAMES` of each pixel's color."""
    high, low = rgb.max(1), rgb.min(1)
    spread = np.maximum(high - low, 1e-6)
    red, green, blue = rgb.T
    hue = np.where(high == red, (green - blue) / spread % 6, np.where(high == green, (blue - red) / spread + 2, 0))
    hue = np.where((high == blue) & (high != red) & (high != green), (red - green) / spread + 4, hue)
    bounds, places = np.array([h for h, _ in _HUES]), np.array([p for _, p in _HUES])
    found = places[np.minimum(np.searchsorted(bounds, hue), len(places) - 1)]
    saturation = (high - low) / np.maximum(high, 1e-6)
    warm = (found <= 1) | ((found == 2) & (saturation > 0.3))
    found = np.where(warm & (high < 0.68) & (found <= 1) & (saturation > 0.25) & (hue > 0.08) & (hue < 1.0), 7, found)
    found = np.where((found == 0) & (high > 0.8) & (saturation < 0.5), 6, found)
    found = np.where(saturation < 0.14, 9, found)
    found = np.where((saturation < 0.1) & (high > 0.86), 10, found)
    return np.where((high < 0.24) | ((saturation < 0.25) & (high < 0.33)), 8, found)


@dataclass(frozen=True)
class Things:
    """Drawings of things, picked so that rare names, emoji and colored drawings count.

    Args:
        pictures: straight RGBA of each kind; of `mono` the alpha alone.
        drawn: what each picture shows, in the same order.
        weights: how often each is picked, rising to 1.
    """

    pictures: dict[str, UInt8[np.ndarray, "drawings ..."]]
    drawn: dict[str, list[Drawn]]
    weights: dict[str, Float[np.ndarray, " drawings"]]

    def __len__(self) -> int:
        return sum(map(len, self.drawn.values()))

    def pick(self, generator: np.random.Generator, *, colored: float = 0.75) -> Drawn:
        """A random drawing; `colored` is the share of colored ones."""
        kind = "color" if generator.random() < colored else "mono"
        place = int(np.searchsorted(self.weights[kind], generator.random()))
        return self.drawn[kind][min(place, len(self.drawn[kind]) - 1)]

    def picture(self, drawn: Drawn) -> UInt8[np.ndarray, "64 64 4"]:
        """Its straight RGBA; one in a single paint is black."""
        stored = self.pictures[drawn.kind][drawn.row]
        if drawn.kind == "color":
            return stored
        return np.concatenate([np.zeros((*stored.shape, 3), np.uint8), stored[..., None]], -1)

    def save(self, path: Path) -> None:
        """Write them compressed: some 30 MB for 35,000 drawings."""
        about = [[d.kind, list(d.names), d.color] for kind in self.drawn for d in self.drawn[kind]]
        arrays = {f"{kind}_{name}": part[kind] for kind in self.drawn for name, part in
                  (("pictures", self.pictures), ("weights", self.weights))}  # fmt: skip
        with whole(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)

    @classmethod
    def load(cls, path: Path) -> Things:
        """The things that `save` wrote."""
        with np.load(path) as stored:
            about = json.loads(str(stored["about"]))
            kinds = list(dict.fromkeys(kind for kind, _, _ in about))
            rows = {kind: [a for a in about if a[0] == kind] for kind in kinds}
            drawn = {k: [Drawn(k, i, tuple(a[1]), a[2]) for i, a in enumerate(rows[k])] for k in kinds}
            return cls({k: stored[f"{k}_pictures"] for k in kinds}, drawn, {k: stored[f"{k}_weights"] for k in kinds})


def catalogue(folder: Path) -> Things:
    """The things among the training drawings of a corpus.

    Args:
        folder: what `training.corpus` wrote.
    """
    wordnet = WordNet(next((folder / "packages").rglob("data.noun")).parent)
    lines = {k: [json.loads(a) for a in (folder / f"{k}.jsonl").read_text().splitlines()] for k in ("color", "mono")}
    emoji = {about["captions"][0] for about in lines["color"] if about["set"] in _RICH_SETS}
    pictures, drawn, weights = {}, {}, {}
    for kind, every in lines.items():
        chosen = _chosen(every, wordnet)
        stored = np.load(folder / f"{kind}.npy", mmap_mode="r")
        pictures[kind] = np.stack([_smaller(np.asarray(stored[row])) for row in chosen])
        drawn[kind], liked = [], []
        for place, about in enumerate(every[row] for row in chosen):
            color = named_color(pictures[kind][place]) if kind == "color" else ""
            drawn[kind].append(Drawn(kind, place, _names(about, wordnet), color))
            liked.append(_liked(about, emoji))
        weights[kind] = _rising(np.array(liked), [one.names[0] for one in drawn[kind]])
    return Things(pictures, drawn, weights)


def _chosen(lines: list[dict], wordnet: WordNet) -> list[int]:
    """The rows of the things that may be trained on; of sketches one in four."""
    found, met = [], Counter[str]()
    for row, about in enumerate(lines):
        if about["split"] == "train" and is_thing(about["captions"][0], about["set"], wordnet):
            if met[about["set"]] % _EVERY.get(about["set"], 1) == 0:
                found.append(row)
            met[about["set"]] += 1
    return found


def _liked(about: dict, emoji: set[str]) -> float:
    rich = _RICH_WEIGHT if about["set"] in _RICH_SETS else 1.0
    known = _EMOJI_NAME_WEIGHT if about["captions"][0] in emoji else 1.0
    return _SET_WEIGHT.get(about["set"], 1.0) * rich * known


def _rising(weights: np.ndarray, names: list[str]) -> Float[np.ndarray, " drawings"]:
    """Weights summed up to 1, smaller for names that many drawings have."""
    counts = Counter(names)
    weights = weights * np.array([counts[name] ** -0.4 for name in names])
    return np.cumsum(weights / weights.sum())


def _smaller(picture: UInt8[np.ndarray, "height width ..."]) -> UInt8[np.ndarray, "64 64 ..."]:
    """A drawing at `SIZE`; colors of empty pixels do not count."""
    mode = "RGBa" if picture.ndim == 3 else "L"
    image = Image.fromarray(picture).convert(mode).resize((SIZE, SIZE), Image.Resampling.BOX)
    return np.asarray(image.convert("RGBA") if picture.ndim == 3 else image)


def is_thing(name: str, of_set: str, wordnet: WordNet) -> bool:
    """Whether a drawing's first caption names something that can be pointed at."""
    words = name.split()
    if len(words) > 3 or _NO_THINGS & {*words} or words[0] in _FINISHES:
        return False
    if of_set == "openclipart":  # its titles are full of names and file names
        return wordnet.is_concrete(name) and wordnet.knows(name)
    if of_set in _RICH_SETS:
        return wordnet.is_concrete(name) or wordnet.is_concrete(words[-1])
    return wordnet.is_concrete(name) and (len(words) == 1 or name in wordnet.kind_of)


def _names(about: dict, wordnet: WordNet) -> tuple[str, ...]:
    """The names of a drawing: of its captions after the first only what is a thing too."""
    first, *rest = about["captions"]
    return (first, *(name for name in rest if is_thing(name, about["set"], wordnet)))[:4]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--out", type=Path, default=Path("corpus/things.npz"))
    options = parser.parse_args()
    things = catalogue(options.corpus)
    things.save(options.out)
    print(f"{options.out}: {len(things)} drawings")


if __name__ == "__main__":
    main()
