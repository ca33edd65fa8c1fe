"""Train the image tower: `python -m training.train --corpus FOLDER --captions captions.npz --out FOLDER`.

The captions' vectors come from the frozen teacher (`training.teacher`); a linear layer on them and the image
tower learn together by a softmax over the true caption and many others. From `--robust-from` on each batch is
first attacked: the picture is moved by at most epsilon so as to look less like its caption, and the tower
learns from that. Without it the tower's gradients draw nothing that a person recognizes.

Interrupt it whenever you like: it goes on from the last checkpoint. With a GPU it uses it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders.image import DIMENSIONS, ImageTower
from training.data import Corpus, plain_views

_SAME_MEANING = 0.85  # captions whose teacher vectors are this close are not told apart
# The attack's pixel sizes and radii: fine noise, and coarser patches such as strokes can make.
_ATTACKS = ((1, 8 / 255), (1, 8 / 255), (2, 10 / 255), (4, 14 / 255))


class Matcher(nn.Module):
    """The image tower, the linear layer on the teacher's vectors, and the softmax's temperature."""

    def __init__(self) -> None:
        super().__init__()
        self.image = ImageTower()
        self.text = nn.Linear(DIMENSIONS, DIMENSIONS, bias=False)
        nn.init.eye_(self.text.weight)
        self.log_scale = nn.Parameter(torch.tensor(math.log(16.0)))

    def targets(self, vectors: Tensor) -> Tensor:
        """Unit vectors in the shared space for teacher vectors."""
        return functional.normalize(self.text(vectors), dim=1)

    def loss(self, views: Tensor, bank: Tensor, forbidden: Tensor) -> tuple[Tensor, Tensor]:
        """Cross entropy of each view's own caption (row i of the bank) and the share that ranks it first."""
        logits = self.image(views) @ bank.T * self.log_scale.exp().clamp(max=60.0)
        logits = logits.masked_fill(forbidden, -1e4)
        labels = torch.arange(len(views), device=views.device)
        return functional.cross_entropy(logits, labels, label_smoothing=0.05), (logits.argmax(1) == labels).float()


def forbidden_pairs(vectors: Tensor, count: int) -> Tensor:
    """(count, bank): True where a bank entry means the same as the picture's caption.

    The bank holds the captions of the pictures, then their rivals, then others.
    """
    same = vectors[:count] @ vectors.T > _SAME_MEANING
    row = torch.arange(count)
    same[row, row] = False
    same[row, row + count] = False  # its own rival: near in meaning, and to be told apart
    return same


def attacked(model: Matcher, views: Tensor, bank: Tensor, forbidden: Tensor, strength: float) -> Tensor:
    """Views moved one step against their captions (FGSM from a random start; Wong et al. 2020, arXiv 2001.03994)."""
    block, radius = _ATTACKS[int(torch.randint(len(_ATTACKS), ()))]
    radius *= strength
    side = views.shape[-1] // block
    noise = torch.empty(len(views), 3, side, side, device=views.device).uniform_(-radius, radius).requires_grad_()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.eval()
    with torch.autocast(views.device.type, torch.bfloat16):
        loss, _ = model.loss(views + _enlarged(noise, block), bank, forbidden)
    (gradient,) = torch.autograd.grad(loss, noise)
    model.train()
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    with torch.no_grad():
        noise = (noise + 1.25 * radius * gradient.sign()).clamp(-radius, radius)
        return (views + _enlarged(noise, block)).clamp(0, 1)


def _enlarged(noise: Tensor, block: int) -> Tensor:
    return noise if block == 1 else functional.interpolate(noise, scale_factor=block, mode="bilinear")


class Trainer:
    """Everything a checkpoint holds, and one step of it."""

    def __init__(self, options: argparse.Namespace, corpus: Corpus, vectors: Tensor) -> None:
        self.options, self.corpus, self.vectors = options, corpus, vectors
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(options.seed)
        self.model = Matcher().to(self.device, memory_format=torch.channels_last)
        self.average = Matcher().to(self.device)
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
        """The attack's radius now, as a share of the full one."""
        o = self.options
        return min(1.0, max(0.0, (self.step - o.robust_from) / max(1, o.robust_full - o.robust_from)))

    def train_step(self) -> tuple[float, float]:
        """One update on a batch that is made for this step; its loss and top-1 share."""
        o = self.options
        generator = np.random.default_rng((o.seed, self.step))
        torch.manual_seed(o.seed * 1_000_003 + self.step)
        batch = self.corpus.batch(o.batch, generator)
        others = torch.from_numpy(generator.integers(0, len(self.vectors), o.bank))
        vectors = self.vectors[torch.cat([batch.captions, batch.rivals, others])].float().to(self.device)
        forbidden = forbidden_pairs(vectors, o.batch)
        views = batch.views.to(self.device)
        if self.strength() > 0:
            with torch.no_grad():
                bank = self.model.targets(vectors)
            views = attacked(self.model, views, bank, forbidden, self.strength())
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device.type, torch.bfloat16):
            loss, correct = self.model.loss(views, self.model.targets(vectors), forbidden)
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
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

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
    logits = images.float() @ model.targets(vectors[captions].float().to(device)).T
    rank = (logits > logits.diagonal()[:, None]).sum(1)
    return {"top1": (rank < 1).float().mean().item(), "top5": (rank < 5).float().mean().item(), "of": len(chosen)}


def stored_vectors(path: Path) -> tuple[list[str], Tensor]:
    """The captions that `training.teacher` has embedded, and those of `training.colored` if they lie beside."""
    files = [path, *(p for p in [path.with_name("colored.npz")] if p.exists())]
    stored = [np.load(p) for p in files]
    texts = [str(text) for part in stored for text in part["texts"]]
    return texts, torch.from_numpy(np.concatenate([part["vectors"] for part in stored]))


def options_from_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--out", type=Path, default=Path("corpus/image"))
    parser.add_argument("--steps", type=int, default=4800)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--bank", type=int, default=2048, help="other captions in the softmax")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--descent", type=float, default=0.3, help="share of the steps in which the rate falls")
    parser.add_argument("--robust-from", type=int, default=400)
    parser.add_argument("--robust-full", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    options = options_from_command_line()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    texts, vectors = stored_vectors(options.captions)
    corpus, held_out = (Corpus(options.corpus, texts, split=split) for split in ("train", "test"))
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
    trainer.save(checkpoint)


if __name__ == "__main__":
    main()
