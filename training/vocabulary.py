"""The word pieces that ship: `python -m training.vocabulary --corpus FOLDER --out vocab.txt`.

BERT's 30,522 pieces without those that plain English prompts don't need: unused slots, scripts other than
ASCII, and pieces that are rare both in the training texts and in English at large.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from pathlib import Path

from training import teacher, texts
from training.files import write_text

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
# Found by counting: these two keep 20,400 pieces, which fit into 4.2 MB at 4 bits a number.
_OFTEN = 8  # times in the training texts
_COMMON = 12_000  # BERT numbers its pieces by how often they occur in books and Wikipedia


def counts(corpus: Path) -> Counter[int]:
    """How often each of the teacher's pieces occurs in the training texts."""
    from transformers import BertTokenizerFast

    tokenizer = BertTokenizerFast.from_pretrained(teacher.folder(), local_files_only=True)
    found: Counter[int] = Counter()
    for _, group in texts.groups(corpus):
        for ids in tokenizer([text for text, _ in group], add_special_tokens=False)["input_ids"]:
            found.update(ids)
    return found


def pruned(pieces: list[str], often: Counter[int]) -> list[str]:
    """The special pieces, then those of `pieces` that are kept, in BERT's order."""

    def wanted(number: int, piece: str) -> bool:
        if not re.fullmatch(r"[!-~]+", piece) or re.fullmatch(r"\[.{2,}\]", piece):
            return False
        return len(piece.removeprefix("##")) == 1 or often[number] >= _OFTEN or number < _COMMON

    return [*SPECIAL, *(piece for number, piece in enumerate(pieces) if wanted(number, piece))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--out", type=Path, default=Path("corpus/vocab.txt"))
    options = parser.parse_args()
    pieces = (teacher.folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    kept = pruned(pieces, counts(options.corpus))
    write_text(options.out, "\n".join(kept) + "\n")
    print(f"{len(kept)} of {len(pieces)} pieces")


if __name__ == "__main__":
    main()
