"""Train the text tower that ships: `python -m training.distill --texts FOLDER --vocabulary vocab.txt --out FOLDER`.

The student starts from three of the teacher's six layers and its table of pieces, and learns to give the
teacher's vectors (loss: 1 - cosine). It trains with the numbers of few bits that it will be stored in, by
straight-through rounding. Resumable: a run goes on from `checkpoint.pt`. Every text of a batch has the same number of
pieces, so nothing is padded.

Source: Reimers and Gurevych, 2020, arXiv 2004.09813 (regress the teacher's vectors; here the cosine);
Jacob et al., 2018, arXiv 1712.05877 (training with rounded weights); Sanh et al., 2019, DistilBERT,
arXiv 1910.01108 (start from a part of the teacher's layers).
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.utils import parametrize

from clipdraw.encoders.builtin.text_tower import MAX_PIECES, TextTower, WordPiece
from training import teacher
from training.files import whole

# The teacher's layers that the student starts from. Untrained, cosine on 512 captions: these 0.82, (0, 3, 5)
# 0.77, (0, 2, 5) 0.74, (0, 1, 2) 0.43.
LAYERS = (0, 4, 5)
# Rounding the teacher this way, without training: table in 4 bits 0.997, `down` in 4 bits below, rest 0.9997.
BITS = {"tokens.weight": 4, "down.weight": 4, "query_key_value.weight": 8, "mix.weight": 8, "up.weight": 8}
# Parts of a round by kind of text; captions and what is made of them are what users type.
SHARES = {"caption": 0.2, "template": 0.3, "scene": 0.25, "lemma": 0.12, "gloss": 0.08, "synonym": 0.05}
_ROUND = 16_384  # texts that are drawn, sorted by length and cut into batches at once
_SAVE_EVERY = 100  # steps, each a second or less
PREFIX = "text."
"""The prefix of the text side's tensors in the package's weights."""


def from_teacher(words: WordPiece) -> TextTower:
    """A student with the teacher's rows and layers, as far as it has them."""
    given = {k.removeprefix("bert."): v.float() for k, v in load_file(teacher.folder() / "model.safetensors").items()}
    pieces = (teacher.folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    number = {piece: i for i, piece in enumerate(pieces)}
    kept = torch.tensor([number[piece] for piece in words.pieces])
    table = "embeddings."
    state = {
        "tokens.weight": given[table + "word_embeddings.weight"][kept],
        "positions": given[table + "position_embeddings.weight"][: MAX_PIECES + 2]
        + given[table + "token_type_embeddings.weight"][0],
        "norm.weight": given[table + "LayerNorm.weight"],
        "norm.bias": given[table + "LayerNorm.bias"],
    }
    parts = {
        "mix": "attention.output.dense", "mixed": "attention.output.LayerNorm", "up": "intermediate.dense",
        "down": "output.dense", "out": "output.LayerNorm",
    }  # fmt: skip
    for place, layer in enumerate(LAYERS):
        for end in ("weight", "bias"):
            source = f"encoder.layer.{layer}."
            joined = [given[f"{source}attention.self.{part}.{end}"] for part in ("query", "key", "value")]
            state[f"layers.{place}.query_key_value.{end}"] = torch.cat(joined)
            for ours, theirs in parts.items():
                state[f"layers.{place}.{ours}.{end}"] = given[f"{source}{theirs}.{end}"]
    tower = TextTower(words, layers=len(LAYERS))
    tower.load_state_dict(state)
    return tower


class Rounded(torch.nn.Module):
    """A matrix as it comes back from 4 bits; gradients pass as if it were not rounded."""

    def forward(self, matrix: Tensor) -> Tensor:
        return matrix + (in_four_bits(matrix.detach()) - matrix.detach())


def in_four_bits(matrix: Tensor) -> Tensor:
    """`matrix` rounded as `quantize` with 4 bits rounds it; its last axis is cut into groups of 64."""
    groups = matrix.reshape(-1, 64)
    scale = groups.abs().amax(-1, keepdim=True).clamp_min(1e-6).div(7).half().float()
    return ((groups / scale).round_().clamp_(-7, 7) * scale).reshape(matrix.shape)


@dataclass
class Texts:
    """Pieces and teacher's vectors of every shard; train and held out, by kind."""

    words: WordPiece
    folder: Path
    ids: list[np.ndarray] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    vectors: list[np.ndarray] = field(default_factory=list)
    train: dict[str, list[int]] = field(default_factory=dict)
    test: dict[str, list[int]] = field(default_factory=dict)

    def read(self, *, only_held_out: bool = False) -> None:
        """Read the shards."""
        for path in sorted(self.folder.glob("[0-9]*.npz")):
            self._add(path, only_held_out)

    def _add(self, path: Path, only_held_out: bool) -> None:
        kind, shard = path.stem.partition("-")[2], np.load(path)
        for string, vector, held in zip(shard["texts"].tolist(), shard["vectors"], shard["held_out"], strict=True):
            if only_held_out and not held:
                continue
            (self.test if held else self.train).setdefault(kind, []).append(len(self.ids))
            self.ids.append(np.array(self.words.encode(string), np.int32))
            self.vectors.append(vector)
            self.strings.append(string)

    def batch(self, rows: list[int]) -> tuple[Tensor, Tensor]:
        """Pieces and vectors of `rows`, all of one length."""
        ids = torch.from_numpy(np.stack([self.ids[i] for i in rows])).long()
        return ids, torch.from_numpy(np.stack([self.vectors[i] for i in rows])).float()

    def round(self, generator: np.random.Generator, tokens: int) -> Iterator[list[int]]:
        """Batches of one length each, about `tokens` pieces, drawn by `SHARES` from what may be trained on."""
        drawn: list[int] = []
        for kind, rows in self.train.items():
            drawn += generator.choice(rows, min(int(_ROUND * SHARES[kind]), len(rows)), replace=False).tolist()
        by_length: dict[int, list[int]] = {}
        for row in generator.permutation(drawn).tolist():
            by_length.setdefault(len(self.ids[row]), []).append(row)
        batches = []
        for length, rows in by_length.items():
            size = max(1, tokens // length)
            batches += [rows[i : i + size] for i in range(0, len(rows), size)]
        for i in generator.permutation(len(batches)):
            yield batches[i]


class Student:
    """The tower in training, its optimizers, and how far it has trained."""

    def __init__(self, words: WordPiece, rates: tuple[float, float]) -> None:
        self.tower = from_teacher(words)
        self.tower.tokens.sparse = True  # few rows change in a step
        for layer in self.tower.layers:
            parametrize.register_parametrization(layer.down, "weight", Rounded())
        rest = [p for name, p in self.tower.named_parameters() if name != "tokens.weight"]
        self.optimizers = (
            torch.optim.AdamW(rest, lr=rates[0], betas=(0.9, 0.98), weight_decay=0.01, fused=True),
            torch.optim.SparseAdam([self.tower.tokens.weight], lr=rates[1], betas=(0.9, 0.98)),
        )
        self.rates, self.steps, self.seen = rates, 0, 0

    def embed(self, ids: Tensor) -> Tensor:
        rows = self.tower.tokens(ids)
        rows = rows + (in_four_bits(rows.detach()) - rows.detach())
        with torch.autocast("cpu", torch.bfloat16):
            return self.tower.read(rows, None)

    def step(self, ids: Tensor, vectors: Tensor, *, part: float) -> float:
        """One update at `part` of the whole training; the mean loss."""
        pace = min(1.0, (self.steps + 1) / 100) * max(0.02, 1.0 - part)
        for optimizer, rate in zip(self.optimizers, self.rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * pace
            optimizer.zero_grad()
        loss = 1 - (self.embed(ids) * vectors).sum(-1).mean()
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.steps, self.seen = self.steps + 1, self.seen + len(ids)
        return loss.item()

    def save(self, path: Path) -> None:
        state = {
            "tower": self.tower.state_dict(), "pieces": self.tower.words.pieces, "steps": self.steps,
            "optimizers": [o.state_dict() for o in self.optimizers], "seen": self.seen,
        }  # fmt: skip
        with whole(path) as partial:
            torch.save(state, partial)

    def resume(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.tower.load_state_dict(state["tower"])
        for optimizer, its in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(its)
        self.steps, self.seen = state["steps"], state["seen"]


def export(checkpoint: Path) -> dict[str, Tensor]:
    """The tensors that ship, vocabulary included, of a training checkpoint."""
    state = torch.load(checkpoint, weights_only=True)
    tower = TextTower(WordPiece(state["pieces"]), layers=len(LAYERS))
    plain = {name.replace("parametrizations.weight.original", "weight"): t for name, t in state["tower"].items()}
    tower.load_state_dict(plain)
    return {PREFIX + name: tensor.contiguous() for name, tensor in tower.to_tensors(BITS).items()}


def loaded(tensors: dict[str, Tensor]) -> TextTower:
    """The tower of what `export` returned."""
    return TextTower.from_tensors({name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()})


def measured(tower: TextTower, texts: Texts, most: int = 1000) -> dict[str, float]:
    """Mean cosine to the teacher by kind of held-out text, and how often a caption finds itself among them."""
    found = {}
    for kind, rows in texts.test.items():
        rows = rows[:most]
        strings, vectors = [texts.strings[i] for i in rows], np.stack([texts.vectors[i] for i in rows])
        ours = torch.cat([tower.embed(strings[i : i + 100]) for i in range(0, len(rows), 100)]).numpy()
        similar = ours @ vectors.astype(np.float32).T
        found[kind] = round(float(np.diagonal(similar).mean()), 4)
        found[kind + "_top1"] = round(float((similar.argmax(1) == np.arange(len(rows))).mean()), 4)
    return found


def train(student: Student, texts: Texts, out: Path, options: argparse.Namespace) -> None:
    """Train up to `options.steps` in all, writing the log and the checkpoint, and the tensors at the end."""
    generator = np.random.default_rng(student.steps)
    rounds = (rows for _ in itertools.count() for rows in texts.round(generator, options.tokens))
    losses: list[float] = []
    while student.steps < options.steps:
        losses.append(student.step(*texts.batch(next(rounds)), part=student.steps / options.steps))
        if student.steps % _SAVE_EVERY == 0 or student.steps == options.steps:
            student.save(out / "checkpoint.pt")
            about = {"steps": student.steps, "seen": student.seen, "loss": round(float(np.mean(losses)), 4)}
            about |= measured(loaded(export(out / "checkpoint.pt")), texts, most=250)
            print(json.dumps(about), flush=True)
            with (out / "distill.log").open("a") as log:
                log.write(json.dumps(about) + "\n")
            losses = []
    with whole(out / "text.safetensors") as partial:
        save_file(export(out / "checkpoint.pt"), partial)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, default=Path("corpus/texts"))
    parser.add_argument("--vocabulary", type=Path, default=Path("corpus/vocab.txt"))
    parser.add_argument("--out", type=Path, default=Path("corpus/text"))
    parser.add_argument("--steps", type=int, default=1200, help="in all; the rate is nearly zero by then")
    parser.add_argument("--tokens", type=int, default=2048, help="pieces in a batch")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--table-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    student = Student(WordPiece(options.vocabulary.read_text().split()), (options.rate, options.table_rate))
    if (options.out / "checkpoint.pt").exists():
        student.resume(options.out / "checkpoint.pt")
    texts = Texts(student.tower.words, options.texts)
    texts.read()
    train(student, texts, options.out, options)


if __name__ == "__main__":
    main()
