"""Train the image prior: `python -m training.imagine --corpus FOLDER --captions captions.npz --out FILE.pt`.

Texts to sixteen pictures each, of which the nearest to the drawing learns ("winner takes all"), and one of the others
a little. Pictures are coordinates along the principal components of colored drawings, so that a step costs no
more than a few matrix products. Drawings in one paint are painted, and captions name the color. Some captions are
replaced by what else their drawings stand for (`training.phrases`).

It goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders.builtin.prior import PICTURES, SIZE, PictureNetwork
from training import data
from training.data import COLORS, Corpus
from training.files import whole
from training.train import stored_vectors

_OTHERS = 0.02  # fraction of the loss by which one picture that is not the nearest learns
_NOISE = 0.012  # on each entry of a text's vector: as far as the text tower is from its teacher
_OTHER_CAPTION = 0.3
_PHRASE = 0.35
_NAMED_COLOR = 0.6
_CHUNK = 4096
_LEFT_OUT = frozenset({"quickdraw"})  # hasty sketches: their mean is a smudge


def shrink(pictures: np.ndarray) -> np.ndarray:
    """Means of squares of pixels: (count, 32, 32, channels) of (count, 96, 96, channels)."""
    block = pictures.shape[1] // SIZE
    return pictures.reshape(len(pictures), SIZE, block, SIZE, block, -1).mean((2, 4))


def color_inks(corpus: Corpus) -> np.ndarray:
    """1 minus the picture on white of every colored drawing, float32 (drawings, 3 x 32 x 32)."""
    parts = []
    for rows in np.array_split(corpus.rows["color"], max(1, len(corpus.rows["color"]) // _CHUNK)):
        rgba = corpus.pictures["color"][rows].astype(np.float32) / 255
        parts.append(shrink((1 - rgba[..., :3]) * rgba[..., 3:]).transpose(0, 3, 1, 2).reshape(len(rows), -1))
    return np.concatenate(parts)


def principal_components(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the `count` orthonormal directions of most variance, as rows."""
    mean = values.mean(0)
    centered = values - mean
    _, directions = np.linalg.eigh(centered.T @ centered / len(centered))
    return mean, np.ascontiguousarray(directions[:, ::-1][:, :count].T)


class Targets:
    """Drawings as coordinates along the components of a model on the CPU, sampled with their captions."""

    def __init__(self, corpus: Corpus, model: PictureNetwork, inks: np.ndarray) -> None:
        self.corpus, self.components = corpus, model.components.numpy()
        self.mean = self.components @ model.mean.numpy()
        self.color = torch.from_numpy(inks @ self.components.T - self.mean)
        self.mono_rows = np.array([
            i
            for i, (c, name) in enumerate(zip(corpus.captions["mono"], corpus.sets["mono"], strict=True))
            if name not in _LEFT_OUT and corpus.wordnet.is_concrete(corpus.texts[c[0]])
        ])  # fmt: skip
        self.mono = self._mono_coordinates()
        self.cumulative = {
            "color": _softened(corpus.weights["color"]),
            "mono": _softened(corpus.weights["mono"], self.mono_rows),
        }

    def _mono_coordinates(self) -> Tensor:
        """(drawings, 3, components): the coordinates that each channel of a drawing's alpha adds."""
        by_channel = self.components.reshape(-1, 3, SIZE**2).transpose(1, 2, 0)  # (3, pixels, components)
        rows = self.corpus.rows["mono"][self.mono_rows]
        parts = []
        for chunk in np.array_split(rows, max(1, len(rows) // _CHUNK)):
            alpha = shrink(self.corpus.pictures["mono"][chunk][..., None].astype(np.float32) / 255).reshape(
                len(chunk), -1
            )
            parts.append(torch.from_numpy(np.stack([alpha @ one for one in by_channel], 1)).half())
        return torch.cat(parts) if parts else torch.empty(0, 3, len(self.components))

    def batch(self, size: int, mono: int, generator: np.random.Generator) -> tuple[list[int], Tensor]:
        """Captions and coordinates of random drawings; `mono` of them in one paint."""
        chosen = np.searchsorted(self.cumulative["color"], generator.random(size - mono))
        captions = [_caption(self.corpus.captions["color"][i], generator) for i in chosen]
        painted = np.searchsorted(self.cumulative["mono"], generator.random(mono))
        inks = []
        for i in self.mono_rows[painted]:
            caption = self.corpus.captions["mono"][i][0]
            color = list(COLORS)[generator.integers(len(COLORS))]
            named = self.corpus.index.get(f"{color} {self.corpus.texts[caption]}")
            if named is None or generator.random() > _NAMED_COLOR:
                captions.append(caption)
                inks.append(np.full(3, 1 - generator.uniform(0, 0.25)))
            else:
                captions.append(named)
                inks.append(1 - data.paint_named(color, generator))
        paint = torch.from_numpy(np.array(inks)).float()
        mono_codes = (self.mono[painted].float() * paint[:, :, None]).sum(1) - torch.from_numpy(self.mean)
        return captions, torch.cat([self.color[chosen], mono_codes])


def _softened(cumulative: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Cumulative square roots of the weights, up to 1: rare things are needed too."""
    weights = np.sqrt(np.diff(cumulative, prepend=0.0))
    softened = np.cumsum(weights if rows is None else weights[rows])
    return softened / softened[-1]


def _caption(options: list[int], generator: np.random.Generator) -> int:
    if len(options) > 1 and generator.random() < _OTHER_CAPTION:
        return options[generator.integers(1, len(options))]
    return options[0]


class Phrases:
    """Other captions that a caption's drawings stand for.

    Args:
        path: what `training.phrases` wrote.
        index: the captions' places.
    """

    def __init__(self, path: Path, index: dict[str, int]) -> None:
        stored = np.load(path)
        self.vectors = torch.from_numpy(stored["vectors"])
        self.rows: dict[int, list[int]] = {}
        for row, caption in enumerate(stored["captions"]):
            self.rows.setdefault(index[str(caption)], []).append(row)

    def instead(self, captions: list[int], vectors: Tensor, generator: np.random.Generator) -> Tensor:
        """The captions' vectors, some replaced by a phrase's."""
        vectors = vectors.clone()
        for place, caption in enumerate(captions):
            rows = self.rows.get(caption)
            if rows and generator.random() < _PHRASE:
                vectors[place] = self.vectors[rows[generator.integers(len(rows))]]
        return vectors


def loss(model: PictureNetwork, vectors: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """The squared distance of the nearest picture and a little of another's, and which is nearest.

    Only those two are decoded with gradients.
    """
    codes = model(vectors)
    texts = torch.arange(len(codes), device=codes.device)
    with torch.no_grad():
        nearest = (model.decode(codes).float() - wanted[:, None]).square().sum(2).argmin(1)
    other = (nearest + torch.randint_like(nearest, 1, PICTURES)) % PICTURES
    learning = model.decode(torch.stack([codes[texts, nearest], codes[texts, other]])).float()
    distance = (learning - wanted).square().sum(2).mean(1)
    return distance[0] + _OTHERS * distance[1], nearest


def start_model(inks: np.ndarray, state: dict | None) -> PictureNetwork:
    """The model of a checkpoint, or a new one with the components of these drawings."""
    torch.manual_seed(0)
    model = PictureNetwork()
    if state is None:
        mean, directions = principal_components(inks, len(model.components))
        model.mean.copy_(torch.from_numpy(mean))
        model.components.copy_(torch.from_numpy(directions))
    else:
        model.load_state_dict(state["model"])
    return model


def options_from_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--out", type=Path, default=Path("corpus/imagination.pt"))
    parser.add_argument("--steps", type=int, default=21_000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--mono", type=int, default=64, help="drawings of a batch that are in one paint")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    options = options_from_command_line()
    torch.set_num_threads(options.threads)
    texts, vectors = stored_vectors(options.captions)
    corpus = Corpus(options.corpus, texts)
    phrases = Phrases(options.captions.with_name("phrases.npz"), corpus.index)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    state = torch.load(options.out, map_location="cpu", weights_only=True) if options.out.exists() else None
    inks = color_inks(corpus)
    model = start_model(inks, state)
    targets = Targets(corpus, model, inks)
    del inks
    model.to(device)
    optimizer = torch.optim.AdamW(model.parameters(), options.rate, weight_decay=0.05)
    if state is not None:
        optimizer.load_state_dict(state["optimizer"])
    started = time.perf_counter()
    for step in range(state["step"] if state is not None else 0, options.steps):
        torch.manual_seed(step)
        generator = np.random.default_rng((1, step))
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(1.0, (step + 1) / 200, 2.0 * (1 - step / options.steps))
        captions, wanted = targets.batch(options.batch, options.mono, generator)
        read = phrases.instead(captions, vectors[torch.tensor(captions)], generator).float()
        read = functional.normalize(read + _NOISE * torch.randn_like(read), dim=1).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            value, nearest = loss(model, read, wanted.to(device))
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        if (step + 1) % 1000 == 0 or step + 1 == options.steps:
            used = torch.bincount(nearest, minlength=PICTURES).tolist()
            line = {"step": step + 1, "loss": value.item(), "nearest": used, "s": time.perf_counter() - started}
            print(json.dumps(line), flush=True)
            reached = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            with whole(options.out) as partial:
                torch.save(reached, partial)


if __name__ == "__main__":
    main()
