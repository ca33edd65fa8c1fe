"""Batches of augmented training pictures with their captions, and who may see which drawings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from training.concepts import WordNet

SIZE, VIEW_SIZE = 96, 64
"""Height and width of the stored pictures and of the views, in pixels."""
DESCRIBED = 256
"""Length of the descriptions that `training.backbone` writes."""


# Paints that captions name: hue in sixths of a circle, saturation and value, each a range.
COLORS = {
    "red": ((-0.15, 0.15), (0.75, 1.0), (0.7, 1.0)),
    "orange": ((0.4, 0.6), (0.8, 1.0), (0.85, 1.0)),
    "yellow": ((0.85, 1.0), (0.75, 1.0), (0.9, 1.0)),
    "green": ((1.7, 2.4), (0.6, 1.0), (0.4, 0.85)),
    "blue": ((3.4, 4.0), (0.65, 1.0), (0.5, 1.0)),
    "purple": ((4.4, 4.8), (0.55, 0.9), (0.4, 0.75)),
    "pink": ((5.4, 5.8), (0.3, 0.6), (0.9, 1.0)),
    "brown": ((0.25, 0.45), (0.6, 0.85), (0.3, 0.55)),
    "black": ((0.0, 6.0), (0.0, 0.15), (0.0, 0.12)),
    "gray": ((0.0, 6.0), (0.0, 0.08), (0.4, 0.65)),
}


@dataclass(frozen=True)
class Batch:
    """Pictures, what each shows, and a caption that each might be taken for; both are indices into the captions.

    If it is `scribbled`, strokes are to be painted over the pictures, and some are empty but for them. Pictures
    without a description have zeros.
    """

    views: Float[Tensor, "batch 3 size size"]
    captions: Int[Tensor, " batch"]
    rivals: Int[Tensor, " batch"]
    descriptions: Float[Tensor, "batch described"]
    scribbled: bool = False


_EMOJI_SETS = frozenset("noto noto-v1 twemoji emojione fxemoji streamline-emojis emojione-monotone".split())
# Times a concept is drawn more often if it is an emoji or a thing that can be pointed at: half of the icons
# are symbols of computing ("currency pound decrease") that nobody asks a drawing of.
_CONCRETE_WEIGHT = {"color": 6.0, "mono": 25.0}

# Hasty sketches: there are a hundred of each thing.
_SET_WEIGHT = {"quickdraw": 0.5}

_EMPTY_EVERY = 16  # in a batch that strokes attack


def split_for_judge(about: dict) -> str:
    """'train' or 'test' of a drawing: the styles held out from the encoder, and two thirds of the other sets.

    Args:
        about: a line of the corpus.
    """
    if about["split"] == "test":
        return "train"
    digest = hashlib.sha256(("judge " + about["set"]).encode()).digest()
    return "test" if digest[0] < 85 else "train"


class Corpus:
    """Pictures in memory-mapped files, sampled so that rare concepts, concrete things and color count.

    Args:
        folder: what `training.corpus` wrote.
        texts: every caption, in the order of the vectors.
        split: `train` or `test`.
        role: whose split: the `encoder`'s or the `judge`'s.
        descriptions: what `training.backbone` wrote; None for none.
    """

    def __init__(
        self,
        folder: Path,
        texts: list[str],
        *,
        split: str = "train",
        role: str = "encoder",
        descriptions: Path | None = None,
    ) -> None:
        index = {text: i for i, text in enumerate(texts)}
        self.index, self.texts = index, texts
        self.pictures, self.captions, self.rows, self.weights, self.sets = {}, {}, {}, {}, {}
        self.wordnet = wordnet = WordNet(next((folder / "packages").rglob("data.noun")).parent)
        about = {
            kind: [json.loads(line) for line in (folder / f"{kind}.jsonl").read_text().splitlines()]
            for kind in ("color", "mono")
        }
        split_of = split_for_judge if role == "judge" else itemgetter("split")
        for a in about["color"]:
            if a["set"] == "openclipart":  # its titles are full of names and file names
                a["captions"] = [c for c in a["captions"] if wordnet.knows(c)]
        for a in (*about["color"], *about["mono"]):
            a["captions"] = [c for c in a["captions"] if c in index]
        emoji = {a["captions"][0] for kind in about for a in about[kind] if a["set"] in _EMOJI_SETS}
        for kind, rows in about.items():
            self.pictures[kind] = np.load(folder / f"{kind}.npy", mmap_mode="r")
            kept = [i for i, a in enumerate(rows) if split_of(a) == split and a["captions"]]
            self.rows[kind] = np.array(kept)
            self.sets[kind] = [rows[i]["set"] for i in kept]
            self.captions[kind] = [[index[c] for c in rows[i]["captions"]] for i in kept]
            first = [rows[i]["captions"][0] for i in kept]
            counts = dict(zip(*np.unique(first, return_counts=True), strict=True))
            liked = [_CONCRETE_WEIGHT[kind] if c in emoji or wordnet.is_concrete(c) else 1.0 for c in first]
            short = [2.0 if c.count(" ") < 2 else 1.0 for c in first]
            of_set = [_SET_WEIGHT.get(name, 1.0) for name in self.sets[kind]]
            weight = np.prod([[counts[c] ** -0.2 for c in first], liked, short, of_set], axis=0)
            self.weights[kind] = np.cumsum(weight / weight.sum())
        stored = np.load(descriptions) if descriptions else None
        self.descriptions = {kind: self._described(kind, stored) for kind in self.rows}

    def _described(self, kind: str, stored: Mapping[str, np.ndarray] | None) -> Tensor:
        """A description for each of the rows, zeros where there is none."""
        found = torch.zeros(len(self.rows[kind]), DESCRIBED, dtype=torch.float16)
        if stored is not None:
            _, places, given = np.intersect1d(self.rows[kind], stored[f"{kind}_rows"], return_indices=True)
            if len(given) != len(stored[kind]):
                raise SystemExit("the descriptions are of another corpus: run python -m training.backbone again")
            found[torch.from_numpy(places)] = torch.from_numpy(stored[kind][given])
        return found

    def batch(
        self,
        size: int,
        generator: np.random.Generator,
        *,
        colored: float = 0.55,
        scribbled: bool = False,
    ) -> Batch:
        """`size` random pictures, augmented; `colored` is the share of colored ones.

        If `scribbled`, some are empty, and their caption is "scribble".
        """
        rgba, captions, others, descriptions = self._pictures(size, generator, colored=colored)
        if scribbled:
            for i in range(0, size, _EMPTY_EVERY):
                rgba[i], descriptions[i], captions[i] = 0.0, 0.0, self.index["scribble"]
        views = augment(rgba, generator)
        return Batch(views, torch.tensor(captions), torch.tensor(others), descriptions, scribbled)

    def _pictures(
        self, size: int, generator: np.random.Generator, *, colored: float
    ) -> tuple[Tensor, list[int], list[int], Tensor]:
        """Random pictures, premultiplied RGBA (size, 4, 96, 96), their captions, rivals and descriptions."""
        count = round(size * colored)
        color, color_captions, color_descriptions = self._sample("color", count, generator)
        mono, mono_captions, mono_descriptions = self._sample("mono", size - count, generator)
        tinted, mono_captions, rivals = self._painted(mono, mono_captions, generator)
        rgba = torch.cat([_outlined(_jittered(color, generator), generator), tinted])
        descriptions = torch.cat([color_descriptions, mono_descriptions]).float()
        others = generator.integers(0, len(self.texts), count).tolist() + rivals
        return rgba, color_captions + mono_captions, others, descriptions

    def _painted(
        self, alpha: Tensor, captions: list[int], generator: np.random.Generator
    ) -> tuple[Tensor, list[int], list[int]]:
        """Single-color drawings in some paint; where a caption can name it, it mostly does.

        The rival of "red heart" is "blue heart", say.
        """
        alpha = _restyled(alpha, generator)
        paint = torch.from_numpy(_vivid(generator, len(alpha))).float()
        dark = _uniform(generator, 0.0, 0.25, len(alpha), 1).expand(-1, 3)
        paint = torch.where(_uniform(generator, 0, 1, len(alpha), 1) < 0.5, dark, paint)
        named, rivals, names = [], [], list(COLORS)
        for i, caption in enumerate(captions):
            one, other = generator.choice(len(names), 2, replace=False)
            pair = [self.index.get(f"{names[k]} {self.texts[caption]}") for k in (one, other)]
            if None not in pair and generator.random() < 0.7:
                paint[i] = torch.from_numpy(paint_named(names[one], generator)).float()
            else:
                pair = [caption, int(generator.integers(0, len(self.texts)))]
            named.append(pair[0])
            rivals.append(pair[1])
        return torch.cat([paint[:, :, None, None] * alpha[:, None], alpha[:, None]], 1), named, rivals

    def _sample(self, kind: str, count: int, generator: np.random.Generator) -> tuple[Tensor, list[int], Tensor]:
        chosen = np.minimum(np.searchsorted(self.weights[kind], generator.random(count)), len(self.rows[kind]) - 1)
        pictures = torch.from_numpy(np.array(self.pictures[kind][np.sort(self.rows[kind][chosen])])).float() / 255.0
        chosen = chosen[np.argsort(self.rows[kind][chosen], kind="stable")]
        captions = []
        for i in chosen:
            options = self.captions[kind][i]
            other = len(options) > 1 and generator.random() < 0.3
            captions.append(options[generator.integers(1, len(options))] if other else options[0])
        return pictures, captions, self.descriptions[kind][torch.from_numpy(chosen)]


def _uniform(generator: np.random.Generator, low: float, high: float, *shape: int) -> Tensor:
    return torch.from_numpy(generator.uniform(low, high, shape)).float()


def _vivid(generator: np.random.Generator, count: int) -> np.ndarray:
    hue = generator.random((count, 1)) * 6
    return _rgb(hue, generator.uniform(0.5, 1, (count, 1)), generator.uniform(0.3, 1, (count, 1)))


def paint_named(color: str, generator: np.random.Generator) -> np.ndarray:
    return _rgb(*(np.array([generator.uniform(*bounds)]) for bounds in COLORS[color]))


def _rgb(hue: np.ndarray, saturation: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Red, green, blue along the last axis; hue in sixths of a circle."""
    ramp = np.clip(np.abs((hue + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
    return value * (1 - saturation * (1 - ramp))


def _jittered(rgba: Tensor, generator: np.random.Generator) -> Tensor:
    """Premultiplied RGBA (count, 4, size, size) of colored drawings in slightly other contrast and brightness."""
    count = len(rgba)
    color = rgba[..., :3].permute(0, 3, 1, 2)
    gain = _uniform(generator, 0.85, 1.15, count, 1, 1, 1)
    shift = _uniform(generator, -0.06, 0.06, count, 1, 1, 1)
    paler = _uniform(generator, -4.0, 0.8, count, 1, 1, 1).clamp(min=0)  # one in six
    color = torch.lerp(color, color.mean(1, keepdim=True), paler)
    color = ((color - 0.5) * gain + 0.5 + shift).clamp(0, 1)
    alpha = rgba[..., 3][:, None]
    return torch.cat([color * alpha, alpha], 1)


def _restyled(alpha: Tensor, generator: np.random.Generator) -> Tensor:
    """Single-color drawings (count, size, size), a half of them bolder, thinner or as outlines.

    Sets differ in this more than in anything else, and the styles to be recognized are not among them.
    """
    bolder, thinner = _extremes(alpha)
    thinner = torch.where(thinner.sum((1, 2), keepdim=True) > 0.4 * alpha.sum((1, 2), keepdim=True), thinner, alpha)
    kind = _uniform(generator, 0, 1, len(alpha), 1, 1)
    styled = torch.where(kind < 0.2, bolder, torch.where(kind < 0.35, thinner, alpha))
    return torch.where(kind > 0.85, (bolder - thinner).clamp(0, 1), styled)


def _outlined(rgba: Tensor, generator: np.random.Generator) -> Tensor:
    """Premultiplied pictures (count, 4, size, size), some with dark lines where the tone changes, or as lines alone."""
    tone = rgba[:, :3].mean(1) + 1 - rgba[:, 3]
    brightest, darkest = _extremes(tone)
    lines = ((brightest - darkest) * 1.5).clamp(0, 1)[:, None]
    kind = _uniform(generator, 0, 1, len(rgba), 1, 1, 1)
    color = torch.where(kind < 0.1, torch.zeros(()), rgba[:, :3] * (1 - lines))
    alpha = torch.where(kind < 0.1, lines, torch.maximum(rgba[:, 3:], lines))
    return torch.where(kind < 0.25, torch.cat([color, alpha], 1), rgba)


def _extremes(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The largest and the smallest value among each pixel (count, size, size) and its eight neighbors."""
    return functional.max_pool2d(pictures, 3, 1, 1), -functional.max_pool2d(-pictures, 3, 1, 1)


def _placements(count: int, generator: np.random.Generator) -> Tensor:
    """Random similarity with some shear and flips, as matrices from view to picture coordinates."""
    scale = 1 / _uniform(generator, 0.6, 1.12, count)
    angle = _uniform(generator, -0.28, 0.28, count)
    stretch = torch.exp(_uniform(generator, -0.14, 0.14, count))
    flip = torch.where(_uniform(generator, 0, 1, count) < 0.4, -1.0, 1.0)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    room = (scale - 1).clamp(min=0.0) + 0.12
    x, y = _uniform(generator, -1, 1, count) * room, _uniform(generator, -1, 1, count) * room
    rows = [torch.stack([cos * stretch * flip, -sin, x], 1), torch.stack([sin * flip, cos / stretch, y], 1)]
    return torch.stack(rows, 1)


def _backgrounds(count: int, generator: np.random.Generator) -> Tensor:
    """White for half, else a plain color, a soft gradient or soft blotches."""
    plain = torch.from_numpy(_vivid(generator, count)).float()[:, :, None, None]
    gray = _uniform(generator, 0, 1, count, 1, 1, 1).expand(-1, 3, -1, -1)
    pale = 1 - 0.35 * _uniform(generator, 0, 1, count, 3, 1, 1)
    kind = _uniform(generator, 0, 1, count, 1, 1, 1)
    base = torch.where(kind < 0.15, plain, torch.where(kind < 0.27, gray, pale))
    blotches = functional.interpolate(
        _uniform(generator, -0.5, 0.5, count, 3, 4, 4), size=(VIEW_SIZE, VIEW_SIZE), mode="bilinear"
    )
    strength = (_uniform(generator, -1.0, 1.0, count, 1, 1, 1)).clamp(min=0) * 0.6
    base = (base + strength * blotches).clamp(0, 1)
    return torch.where(_uniform(generator, 0, 1, count, 1, 1, 1) < 0.45, torch.ones(()), base)


def augment(rgba: Float[Tensor, "batch 4 from from"], generator: np.random.Generator) -> Tensor:
    """Views (batch, 3, 64, 64) in [0, 1]: the premultiplied pictures placed at random on random backgrounds."""
    count = len(rgba)
    grid = functional.affine_grid(_placements(count, generator), [count, 4, VIEW_SIZE, VIEW_SIZE], align_corners=False)
    soft = blurred_along(blurred_along(rgba, 2), 3)  # 96 pixels shrink to about 50: antialias
    placed = functional.grid_sample(soft, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    views = placed[:, :3] + (1 - placed[:, 3:]) * _backgrounds(count, generator)
    return views.clamp(0, 1)


def blurred_along(pictures: Tensor, axis: int) -> Tensor:
    """The mean of three neighbors along an axis, 0 beyond the edge; much faster than a pooling layer on a CPU."""
    length = pictures.shape[axis]
    total = pictures.clone()
    total.narrow(axis, 1, length - 1).add_(pictures.narrow(axis, 0, length - 1))
    total.narrow(axis, 0, length - 1).add_(pictures.narrow(axis, 1, length - 1))
    return total / 3


def plain_views(pictures: np.ndarray, side: int = VIEW_SIZE) -> Tensor:
    """Views (count, 3, side, side) of uint8 pictures, unaugmented, on white; single-color ones in black."""
    values = torch.from_numpy(np.array(pictures)).float() / 255.0
    if values.ndim == 3:
        image = (1 - values)[:, None].expand(-1, 3, -1, -1)
    else:
        alpha = values[..., 3:]
        image = (values[..., :3] * alpha + 1 - alpha).permute(0, 3, 1, 2)
    image = functional.pad(image, (6, 6, 6, 6), value=1.0)
    return functional.interpolate(image, size=(side, side), mode="bilinear", antialias=True)
