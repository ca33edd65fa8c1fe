"""Train the image tower: `python -m training.train --corpus FOLDER --captions captions.npz --out FOLDER`.

The captions' vectors come from the frozen teacher (`training.teacher`); a linear layer on them and the image
tower learn together by a softmax over the true caption and many others. From `--robust-from` on each batch is
first attacked (`training.attacks`) so as to look less like its caption, and the tower learns from that. Without
it the tower's gradients draw nothing that a person recognizes. Its embeddings also learn to tell what a network
that knows photographs sees in the picture (`training.backbone`).

`--role judge` trains the tower that judges (`training.judge`), from its own split of the drawings.

Interrupt it whenever you like: it goes on from the last checkpoint. With a GPU it uses it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders.builtin.image_tower import DIMENSIONS, ImageTower
from training import attacks, loop
from training.data import DESCRIBED, Batch, Corpus, plain_views
from training.files import whole
from training.judge import JudgeTower

TOWERS: dict[str, Callable[[], nn.Module]] = {"encoder": ImageTower, "judge": JudgeTower}
"""The roles that can be trained: the encoder that ships, and the one that only judges."""

_SAME_MEANING = 0.85  # captions whose teacher vectors are this close are not told apart


class Matcher(nn.Module):
    """The image tower, the linear layer on the teacher's vectors, and the softmax's temperature."""

    def __init__(self, tower: Callable[[], nn.Module] = ImageTower) -> None:
        super().__init__()
        self.image = tower()
        self.text = nn.Linear(DIMENSIONS, DIMENSIONS, bias=False)
        nn.init.eye_(self.text.weight)
        self.describe = nn.Linear(DIMENSIONS, DESCRIBED, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(math.log(16.0)))

    def targets(self, vectors: Tensor) -> Tensor:
        """Unit vectors in the shared space for teacher vectors."""
        return functional.normalize(self.text(vectors), dim=1)

    def loss(self, embeddings: Tensor, bank: Tensor, forbidden: Tensor) -> tuple[Tensor, Tensor]:
        """Cross entropy of each view's own caption (row i of the bank) and the share that ranks it first."""
        logits = embeddings @ bank.T * self.log_scale.exp().clamp(max=60.0)
        logits = logits.masked_fill(forbidden, -1e4)
        labels = torch.arange(len(embeddings), device=embeddings.device)
        return functional.cross_entropy(logits, labels, label_smoothing=0.05), (logits.argmax(1) == labels).float()

    def misdescribed(self, embeddings: Tensor, descriptions: Tensor) -> Tensor:
        """1 minus the cosine between what the embeddings tell and the descriptions; the mean over those there are."""
        known = descriptions.square().sum(1)
        told = functional.cosine_similarity(self.describe(embeddings).float(), descriptions, dim=1)
        return ((1 - told) * known).sum() / known.sum().clamp(min=1.0)


def forbidden_pairs(vectors: Tensor, count: int) -> Tensor:
    """(count, bank): True where a bank entry means the same as the picture's caption.

    The bank holds the captions of the pictures, then their rivals, then others.
    """
    same = vectors[:count] @ vectors.T > _SAME_MEANING
    row = torch.arange(count)
    same[row, row] = False
    same[row, row + count] = False  # its own rival: near in meaning, and to be told apart
    return same


def attacked(model: Matcher, batch: Batch, bank: Tensor, forbidden: Tensor, strength: float) -> Tensor:
    """The batch's views, changed so that they look less like their captions: in pixels, or by strokes over them."""

    def objective(views: Tensor) -> Tensor:
        with torch.autocast(views.device.type, torch.bfloat16):
            return model.loss(model.image(views), bank, forbidden)[0]

    views = batch.views.to(bank.device)
    with attacks.frozen(model):
        if batch.scribbled:
            return attacks.add_strokes(views, objective)
        return attacks.move_pixels(views, objective, strength)


class Trainer:
    """Everything a checkpoint holds, and one step of it."""

    def __init__(self, options: argparse.Namespace, corpus: Corpus, vectors: Tensor) -> None:
        self.options, self.corpus, self.vectors = options, corpus, vectors
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(options.seed)
        tower = TOWERS[options.role]
        self.model = Matcher(tower).to(self.device, memory_format=torch.channels_last)
        self.average = Matcher(tower).to(self.device)
        self.average.load_state_dict(self.model.state_dict())
        decayed = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=(0.9, 0.98))
        self.step = 0

    def rate(self) -> float:
        """The learning rate now: a warm-up, a plateau, a linear descent over the last part."""
        o = self.options
        warm = min(1.0, (self.step + 1) / 200)
        left = (o.steps - self.step) / max(1.0, o.steps * o.descent)
        return o.rate * warm * min(1.0, max(left, 0.01))

    def strength(self) -> float:
        """The attack's radius now, as a share of the largest one."""
        o = self.options
        grown = min(1.0, max(0.0, (self.step - o.robust_from) / max(1, o.robust_full - o.robust_from)))
        part = len(o.radius) * self.step // o.steps
        return grown * o.radius[min(part, len(o.radius) - 1)]

    def train_step(self) -> tuple[float, float]:
        """One update on a batch that is made for this step; its loss and top-1 share."""
        o = self.options
        generator = np.random.default_rng((o.seed, self.step))
        torch.manual_seed(o.seed * 1_000_003 + self.step)
        attacking = self.strength() > 0 and generator.random() < o.attacked
        batch = self.corpus.batch(o.batch, generator, scribbled=attacking and generator.random() < o.strokes)
        others = torch.from_numpy(generator.integers(0, len(self.vectors), o.bank))
        vectors = self.vectors[torch.cat([batch.captions, batch.rivals, others])].float().to(self.device)
        forbidden = forbidden_pairs(vectors, o.batch)
        views = batch.views.to(self.device)
        if attacking:
            with torch.no_grad():
                bank = self.model.targets(vectors)
            views = attacked(self.model, batch, bank, forbidden, self.strength())
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16):
            embeddings = self.model.image(views)
            loss, correct = self.model.loss(embeddings, self.model.targets(vectors), forbidden)
            if o.described:
                loss = loss + o.described * self.model.misdescribed(embeddings, batch.descriptions.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self._average()
        return loss.item(), correct.mean().item()

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(0.998, (self.step + 1) / (self.step + 20))
        ours, theirs = self.average.state_dict(), self.model.state_dict()
        for name, value in ours.items():
            if value.dtype.is_floating_point:
                value.lerp_(theirs[name], 1 - keep)
            else:
                value.copy_(theirs[name])

    def save(self, path: Path) -> None:
        """Write the checkpoint so that an interruption leaves the former one whole."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
        }
        with whole(path) as partial:
            torch.save(state, partial)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


@torch.no_grad()
def held_out_rank(model: Matcher, corpus: Corpus, vectors: Tensor, *, count: int = 1000) -> dict[str, float]:
    """Retrieval on unseen styles: one drawing for each of `count` captions, share ranked first and in five."""
    model.eval()
    seen: dict[int, tuple[str, int]] = {}
    for kind in ("color", "mono"):
        for row, captions in zip(corpus.rows[kind], corpus.captions[kind], strict=True):
            if captions:
                seen.setdefault(captions[0], (kind, int(row)))
    chosen = [seen[c] for c in sorted(seen)[:: max(1, len(seen) // count)]][:count]
    captions = torch.tensor(sorted(seen)[:: max(1, len(seen) // count)][:count])
    views = torch.cat([plain_views(corpus.pictures[kind][row : row + 1]) for kind, row in chosen])
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16):
        images = torch.cat([model.image(part.to(device)) for part in views.split(250)])
    return ranked(images.float(), model.targets(vectors[captions].float().to(device)))


def ranked(images: Tensor, texts: Tensor) -> dict[str, float]:
    """The share of images for which the text of the same row ranks first among all, and among the first five."""
    logits = images @ texts.T
    rank = (logits > logits.diagonal()[:, None]).sum(1)
    return {"top1": (rank < 1).float().mean().item(), "top5": (rank < 5).float().mean().item(), "of": len(images)}


def stored_vectors(path: Path) -> tuple[list[str], Tensor]:
    """The captions that `training.teacher` has embedded, and those of `training.colored` if they lie beside."""
    files = [path, *(p for p in [path.with_name("colored.npz")] if p.exists())]
    stored = [np.load(p) for p in files]
    texts = [str(text) for part in stored for text in part["texts"]]
    return texts, torch.from_numpy(np.concatenate([part["vectors"] for part in stored]))


def options_from_command_line() -> argparse.Namespace:
    parser = loop.options_parser(__doc__)
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--out", type=Path, default=Path("corpus/image"))
    parser.add_argument("--role", choices=TOWERS, default="encoder")
    parser.add_argument("--steps", type=int, default=22_500)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--bank", type=int, default=6144, help="other captions in the softmax")
    parser.add_argument("--rate", type=float, default=1.2e-3)
    parser.add_argument("--descent", type=float, default=0.12, help="share of the steps in which the rate falls")
    radius = "of the attack in pixels, in equal parts of the steps, as a share of 8/255, 10/255 and 14/255"
    parser.add_argument("--radius", type=float, nargs="+", default=[1.0, 0.6, 0.45], help=radius)
    parser.add_argument("--attacked", type=float, default=1.0, help="share of the batches that are attacked")
    parser.add_argument("--strokes", type=float, default=0.25, help="share of those that strokes attack")
    parser.add_argument("--descriptions", type=Path, default=Path("corpus/described.npz"))
    parser.add_argument("--described", type=float, default=2.0, help="weight of telling the descriptions")
    parser.add_argument("--robust-from", type=int, default=400)
    parser.add_argument("--robust-full", type=int, default=1800)
    return loop.options_from_command_line(parser)


def main() -> None:
    options = options_from_command_line()
    options.out.mkdir(parents=True, exist_ok=True)
    texts, vectors = stored_vectors(options.captions)
    descriptions = options.descriptions if options.described else None
    corpus = Corpus(options.corpus, texts, role=options.role, descriptions=descriptions)
    held_out = Corpus(options.corpus, texts, role=options.role, split="test")
    trainer = Trainer(options, corpus, vectors)
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists():
        trainer.load(checkpoint)
    log = (options.out / "log.jsonl").open("a")
    started, smooth = time.perf_counter(), None
    first = trainer.step
    while trainer.step < options.steps:
        loss, correct = trainer.train_step()
        smooth = (
            (loss, correct)
            if smooth is None
            else tuple(0.98 * a + 0.02 * b for a, b in zip(smooth, (loss, correct), strict=True))
        )
        if trainer.step % 20 == 0:
            line = {"step": trainer.step, "loss": smooth[0], "top1": smooth[1], "strength": trainer.strength()}
            line["images_per_s"] = (trainer.step - first) * options.batch / (time.perf_counter() - started)
            if trainer.step % 200 == 0:
                line["held_out"] = held_out_rank(trainer.average, held_out, vectors)
            print(json.dumps(line), file=log, flush=True)
            if trainer.step % 100 == 0:
                trainer.save(checkpoint)
                print(json.dumps(line), flush=True)
    trainer.save(checkpoint)


if __name__ == "__main__":
    main()
