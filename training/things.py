"""The catalogue of things that can be pointed at: names, their drawings, and how often each is picked.

It reads what `training.corpus` wrote, and needs no vectors of captions. Sets that are held out from the encoder
(`training.sources`) are never picked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from training.concepts import WordNet

# Sets of pictures more than of signs: there a thing's name may have several words, the last one an artifact.
_RICH_SETS = frozenset("noto noto-v1 twemoji emojione fxemoji streamline-emojis".split())
_SET_WEIGHT = {"quickdraw": 0.25, "openclipart": 0.6}
_RICH_WEIGHT, _OTHER_WEIGHT, _EMOJI_NAME_WEIGHT = 5.0, 1.0, 3.0
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


class Things:
    """Drawings of things, picked so that rare names, emoji and colored drawings count.

    Args:
        folder: what `training.corpus` wrote.
    """

    def __init__(self, folder: Path) -> None:
        wordnet = WordNet(next((folder / "packages").rglob("data.noun")).parent)
        self._pictures = {kind: np.load(folder / f"{kind}.npy", mmap_mode="r") for kind in ("color", "mono")}
        self._drawn: dict[str, list[Drawn]] = {"color": [], "mono": []}
        self._weights: dict[str, np.ndarray] = {}
        lines = {kind: (folder / f"{kind}.jsonl").read_text().splitlines() for kind in self._drawn}
        emoji = _emoji_names(lines["color"])
        for kind, drawings in self._drawn.items():
            weights: list[float] = []
            for row, about in enumerate(map(json.loads, lines[kind])):
                if about["split"] != "train" or not is_thing(about["captions"][0], about["set"], wordnet):
                    continue
                color = named_color(self._pictures[kind][row]) if kind == "color" else ""
                drawings.append(Drawn(kind, row, _names(about, wordnet), color))
                rich = _RICH_WEIGHT if about["set"] in _RICH_SETS else _OTHER_WEIGHT
                known = _EMOJI_NAME_WEIGHT if about["captions"][0] in emoji else 1.0
                weights.append(_SET_WEIGHT.get(about["set"], 1.0) * rich * known)
            first = [drawn.names[0] for drawn in drawings]
            counts = dict(zip(*np.unique(first, return_counts=True), strict=True))
            weight = np.array(weights) * np.array([counts[name] ** -0.4 for name in first])
            self._weights[kind] = np.cumsum(weight / weight.sum())
        self._by_name: dict[str, list[Drawn]] = {}
        for drawn in (*self._drawn["color"], *self._drawn["mono"]):
            self._by_name.setdefault(drawn.names[0], []).append(drawn)

    def __len__(self) -> int:
        return sum(map(len, self._drawn.values()))

    def pick(self, generator: np.random.Generator, *, colored: float = 0.75) -> Drawn:
        """A random drawing; `colored` is the share of colored ones."""
        kind = "color" if generator.random() < colored else "mono"
        place = int(np.searchsorted(self._weights[kind], generator.random()))
        return self._drawn[kind][min(place, len(self._drawn[kind]) - 1)]

    def others(self, drawn: Drawn) -> list[Drawn]:
        """Every drawing of the same thing and kind."""
        return [other for other in self._by_name[drawn.names[0]] if other.kind == drawn.kind]

    def picture(self, drawn: Drawn) -> UInt8[np.ndarray, "96 96 4"]:
        """Its straight RGBA; one in a single paint is black."""
        stored = self._pictures[drawn.kind][drawn.row]
        if drawn.kind == "color":
            return np.asarray(stored)
        return np.concatenate([np.zeros((*stored.shape, 3), np.uint8), stored[..., None]], -1)


def _emoji_names(lines: list[str]) -> set[str]:
    """The names of drawings in rich sets: what people care to have a picture of."""
    return {about["captions"][0] for about in map(json.loads, lines) if about["set"] in _RICH_SETS}


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
