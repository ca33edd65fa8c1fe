"""Measure a trained tower on styles it has never seen: `python -m training.evaluate --checkpoint FILE`.

- retrieval: a drawing's caption among those of the 1,000 most common concepts, one drawing each; and as a harder
  measure among 1,000 captions taken evenly from all, most of which no training drawing has
- the 100 most common concrete concepts: top-1 over every held-out drawing of them, plain and attacked

Prints one JSON object; `--list` prints the 100 concepts.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from training.data import Corpus, plain_views
from training.train import TOWERS, Matcher, held_out_rank, ranked, stored_vectors

ATTACK_RADIUS, ATTACK_STEPS, ATTACK_STEP = 4 / 255, 20, 1 / 255
"""The L-infinity attack of Madry et al. 2018 (arXiv 1706.06083): projected gradient descent from a random start."""
_TWINS = 0.8  # two concepts whose teacher vectors are this close are one: "home" and "house"


@dataclass(frozen=True)
class Concepts:
    """The most common concepts and the held-out drawings of them."""

    names: list[str]
    vectors: Tensor
    views: Tensor
    labels: Tensor


def common_concepts(
    train: Corpus, test: Corpus, vectors: Tensor, *, count: int = 100, concrete: bool = True
) -> Concepts:
    """The concepts that most sets of the training split draw and the held-out styles draw too, twins left out.

    Args:
        train: the drawings whose sets are counted.
        test: the drawings that are returned.
        vectors: the teacher's of every caption.
        count: how many concepts.
        concrete: only things that can be pointed at.
    """
    sets, drawn = defaultdict(set), defaultdict(list)
    for kind in ("color", "mono"):
        for captions, name in zip(train.captions[kind], train.sets[kind], strict=True):
            sets[captions[0]].add(name)
        for captions, row in zip(test.captions[kind], test.rows[kind], strict=True):
            drawn[captions[0]].append((kind, int(row)))
    wanted = (c for c in drawn if not concrete or train.wordnet.is_concrete(train.texts[c]))
    common = sorted(wanted, key=lambda c: (-len(sets[c]), c))
    chosen: list[int] = []
    for caption in common:
        if len(chosen) == count:
            break
        near = (vectors[chosen].float() @ vectors[caption].float() > _TWINS).any() if chosen else False
        if not near:
            chosen.append(caption)
    pictures = [(label, kind, row) for label, caption in enumerate(chosen) for kind, row in drawn[caption]]
    views = torch.cat([plain_views(test.pictures[kind][row : row + 1]) for _, kind, row in pictures])
    labels = torch.tensor([label for label, _, _ in pictures])
    return Concepts([train.texts[c] for c in chosen], vectors[chosen].float(), views, labels)


@torch.no_grad()
def retrieval(model: Matcher, concepts: Concepts) -> dict[str, float]:
    """The share of concepts whose first drawing ranks them first, and among the first five."""
    firsts = torch.tensor([concepts.labels.tolist().index(label) for label in range(len(concepts.names))])
    images = torch.cat([model.image(views) for views in concepts.views[firsts].split(250)])
    return ranked(images, model.targets(concepts.vectors))


def top1(model: Matcher, concepts: Concepts, *, attacked: bool) -> float:
    """The share of drawings whose own concept ranks first among all, under attack if asked for."""
    targets = model.targets(concepts.vectors).detach()
    right = 0
    for views, labels in zip(concepts.views.split(100), concepts.labels.split(100), strict=True):
        seen = _attacked(model, views, targets, labels) if attacked else views
        with torch.no_grad():
            right += int(((model.image(seen) @ targets.T).argmax(1) == labels).sum())
    return right / len(concepts.labels)


def _attacked(model: Matcher, views: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
    noise = torch.empty_like(views).uniform_(-ATTACK_RADIUS, ATTACK_RADIUS)
    for _ in range(ATTACK_STEPS):
        noise.requires_grad_()
        with torch.autocast(views.device.type, torch.bfloat16):
            logits = model.image(views + noise) @ targets.T * model.log_scale.exp()
        (gradient,) = torch.autograd.grad(functional.cross_entropy(logits, labels), noise)
        with torch.no_grad():
            noise = (noise + ATTACK_STEP * gradient.sign()).clamp(-ATTACK_RADIUS, ATTACK_RADIUS)
            noise = (views + noise).clamp(0, 1) - views
    return views + noise


def load(checkpoint: Path, role: str) -> Matcher:
    """The averaged model of a checkpoint, ready to judge."""
    model = Matcher(TOWERS[role])
    model.load_state_dict(torch.load(checkpoint, map_location="cpu", weights_only=True)["average"])
    return model.eval().requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--checkpoint", type=Path, default=Path("corpus/image/checkpoint.pt"))
    parser.add_argument("--role", choices=TOWERS, default="encoder")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    texts, vectors = stored_vectors(options.captions)
    train, test = (Corpus(options.corpus, texts, split=split, role=options.role) for split in ("train", "test"))
    concepts = common_concepts(train, test, vectors)
    if options.list:
        print(", ".join(concepts.names))
        return
    model = load(options.checkpoint, options.role)
    thousand = common_concepts(train, test, vectors, count=1000, concrete=False)
    found = {"retrieval": retrieval(model, thousand), "evenly_sampled_captions": held_out_rank(model, test, vectors)}
    found["drawings_of_100"] = len(concepts.labels)
    found |= {name: top1(model, concepts, attacked=name == "attacked") for name in ("plain", "attacked")}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
