"""Choose the small pictures that ship as exemplars: `python -m training.exemplars --out FILE.pt`.

Drawings of concrete things, in one paint only where there is no colored one; of each name one of the preferred set
or else those that the encoder tells best from all other names. Only drawings of the encoder's training split that the
judge's split leaves out, so that no drawing is judged by who has seen the picture that it began with. Signs on which
the thing is crossed out are left out: the nearest name to "bicycle" is "no bicycles".
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders.builtin.prior import Exemplars, PictureNetwork
from training.data import Corpus, plain_views, split_for_judge
from training.evaluate import load
from training.files import whole
from training.imagine import shrink
from training.train import Matcher, stored_vectors

_MOST = 3000
_AXES = 96
_PREFERRED = "noto"  # in full color, in one style, and nothing but the thing itself
# Titles of the first say more, or less, than there is to be seen; the second draws each thing small, on a disc.
_UNFIT = frozenset({"openclipart", "streamline-kameleon-color"})
# Names of what is crossed out. Before "no" some sets write the finish. Swords and fingers are "crossed", so not that.
_CROSSED_OUT = re.compile(
    r"^(?:(?:do|baseline|outline|round|sharp|twotone) )?(?:no|not|non)\b|\boff$|^block$"
    r"|\b(?:ban|banned|blocked|cancel|disabled?|forbid|forbidden|muted?|prohibited|slash)\b"
)
_SAME = {"color": 0.85, "mono": 0.75}  # cosine from which a name means what a better drawing's name means
_KNOWN = 5  # the name's place among all names, for the encoder, in a drawing of another set that is kept
_WORTH_PREFERRED, _WORTH_MONO = 0.06, -0.05  # against other colored drawings of the same name, as a cosine
_CHUNK = 500


@dataclass(frozen=True)
class Candidate:
    """A drawing: its kind and row in the corpus, its caption, and whether it is of the preferred set."""

    kind: str
    row: int
    caption: int
    preferred: bool


def candidates(corpus: Corpus) -> list[Candidate]:
    """The drawings that exemplars are chosen from."""
    found = []
    for kind in ("color", "mono"):
        for row, captions, name in zip(corpus.rows[kind], corpus.captions[kind], corpus.sets[kind], strict=True):
            text, preferred = corpus.texts[captions[0]], name == _PREFERRED
            theirs = split_for_judge({"split": "train", "set": name}) == "train"
            if theirs or name in _UNFIT or _CROSSED_OUT.search(text):
                continue
            if preferred or corpus.wordnet.is_concrete(text):
                found.append(Candidate(kind, int(row), captions[0], preferred))
    return found


@torch.no_grad()
def recognized(model: Matcher, corpus: Corpus, found: list[Candidate], vectors: Tensor) -> tuple[Tensor, Tensor]:
    """For each drawing, the place of its caption among all their captions, 0 if first, and the logit's lead."""
    names = sorted({one.caption for one in found})
    place = {caption: i for i, caption in enumerate(names)}
    targets = model.targets(vectors[names].float())
    ranks, leads = [], []
    for first in range(0, len(found), _CHUNK):
        part = found[first : first + _CHUNK]
        views = torch.cat([plain_views(corpus.pictures[one.kind][one.row : one.row + 1]) for one in part])
        logits = model.image(views) @ targets.T * model.log_scale.exp()
        own = logits[torch.arange(len(part)), [place[one.caption] for one in part]]
        ranks.append((logits > own[:, None]).sum(1))
        leads.append(own - logits.logsumexp(1))
    return torch.cat(ranks), torch.cat(leads)


def chosen(corpus: Corpus, found: list[Candidate], ranks: Tensor, leads: Tensor, vectors: Tensor) -> list[Candidate]:
    """The best drawings of each name, names that many sets draw first, until there are enough."""
    of_name = defaultdict(list)
    for one, rank, lead in zip(found, ranks.tolist(), leads.tolist(), strict=True):
        if one.preferred or rank < _KNOWN:
            of_name[one.caption].append(((one.kind == "mono", not one.preferred), -lead, one))
    best = {
        caption: [one for *_, one in sorted(drawings, key=itemgetter(0, 1))] for caption, drawings in of_name.items()
    }
    named: list[int] = []
    for kind, preferred in (("color", True), ("color", False), ("mono", False)):
        of_kind = [c for c, drawings in best.items() if (drawings[0].kind, drawings[0].preferred) == (kind, preferred)]
        named += [c for c in of_kind if preferred or not _is_near(c, named, vectors, _SAME[kind])]
    sets = _sets_of(corpus)
    popular = sorted(named, key=lambda caption: (-len(sets[caption]), caption))
    firsts = [best[caption][0] for caption in popular]
    seconds = [drawings[1] for drawings in (best[c] for c in popular) if len(drawings) > 1]
    return (firsts + [one for one in seconds if one.kind == "color"])[:_MOST]


def _is_near(caption: int, named: list[int], vectors: Tensor, cosine: float) -> bool:
    return bool(named) and bool((vectors[named].float() @ vectors[caption].float() > cosine).any())


def _sets_of(corpus: Corpus) -> dict[int, set[str]]:
    """The sets that draw each caption."""
    sets = defaultdict(set)
    for kind in ("color", "mono"):
        for captions, name in zip(corpus.captions[kind], corpus.sets[kind], strict=True):
            sets[captions[0]].add(name)
    return sets


def exemplars(corpus: Corpus, kept: list[Candidate], vectors: Tensor, imagination: PictureNetwork) -> Exemplars:
    """The drawings along the components, and their names along the axes in which names differ most."""
    inks = []
    for one in kept:
        picture = corpus.pictures[one.kind][one.row : one.row + 1].astype(np.float32) / 255
        if one.kind == "mono":
            picture = np.stack([np.zeros_like(picture)] * 3 + [picture], -1)
        inks.append(shrink((1 - picture[..., :3]) * picture[..., 3:]).transpose(0, 3, 1, 2).reshape(1, -1))
    ink = torch.from_numpy(np.concatenate(inks))
    names = vectors[[one.caption for one in kept]].float()
    _, _, axes = torch.linalg.svd(names, full_matrices=False)
    axes = axes[:_AXES]
    coordinates = (ink - imagination.mean) @ imagination.components.T
    worth = [_WORTH_PREFERRED * one.preferred + _WORTH_MONO * (one.kind == "mono") for one in kept]
    return Exemplars(axes, functional.normalize(names @ axes.T, dim=1), coordinates, torch.tensor(worth))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--checkpoint", type=Path, default=Path("corpus/image/checkpoint.pt"))
    parser.add_argument("--imagination", type=Path, default=Path("corpus/imagination.pt"))
    parser.add_argument("--out", type=Path, default=Path("corpus/exemplars.pt"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    texts, vectors = stored_vectors(options.captions)
    corpus = Corpus(options.corpus, texts)
    found = candidates(corpus)
    kept = chosen(corpus, found, *recognized(load(options.checkpoint, "encoder"), corpus, found, vectors), vectors)
    drawn = torch.load(options.imagination, map_location="cpu", weights_only=True)["model"]
    with whole(options.out) as partial:
        torch.save(exemplars(corpus, kept, vectors, PictureNetwork.from_tensors(drawn)).to_tensors(), partial)
    print(f"{len(kept)} of {len(found)} drawings, {len({one.caption for one in kept})} names")


if __name__ == "__main__":
    main()
