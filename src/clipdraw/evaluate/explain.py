"""The reasons why an encoder likes a picture: the nearest words, and how much each stroke adds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder, logit_scale_of, unknown_words
from clipdraw.errors import FormatError, InputError, UnreadableError
from clipdraw.evaluate.score import embed
from clipdraw.evaluate.stroke_importance import importance
from clipdraw.optimization.losses import Prompt, similarity
from clipdraw.progress import log

NOUNS = Path(__file__).with_name("nouns.txt")
"""2,300 English nouns, a selection of WordNet's; `nouns.LICENSE.txt` is their license."""
TEMPLATE = "a drawing of a {}"
"""The text around a word that is compared with a picture. Source: Frans et al. 2021 (CLIPDraw), published notebook."""


class Word(NamedTuple):
    """A word and how likely the encoder finds it for a picture, among the words it was given."""

    text: str
    probability: float


def read_words(path: Path = NOUNS) -> tuple[str, ...]:
    """The words of a text file, one a line; blank lines and repetitions are left out.

    Raises:
        FormatError: the file cannot be read, or has no words.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not a list of words: not text: {error.reason}") from None
    words = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not words:
        raise FormatError(f"{path}: has no words; a list of words has one a line")
    return words


class Vocabulary:
    """Words as an encoder knows them; making one takes seconds for thousands of words, asking it no time.

    Args:
        encoder: whose.
        words: at least one; the nouns that ship if not given.
        template: the text around a word, which stands for `{}`.

    Raises:
        InputError: there are no words that the encoder knows, or the template has no place for one.

    Source: Frans et al. 2021 (CLIPDraw), section 4.2; Radford et al. 2021 (CLIP), arXiv 2103.00020, section 3.1.
    """

    def __init__(self, encoder: Encoder, words: Sequence[str] | None = None, *, template: str = TEMPLATE) -> None:
        texts = {word: template.replace("{}", word) for word in (read_words() if words is None else words)}
        if not texts or "{}" not in template:
            raise InputError(f"nearest words need at least one word and a template with {{}}, got {template!r}")
        lost = {word for word, text in texts.items() if not _knows(encoder, text)}
        self.words = tuple(word for word in texts if word not in lost)
        if lost:
            log.info("leaving out words that the encoder does not know: %d, such as %s", len(lost), min(lost))
        if not self.words:
            raise InputError(f"the encoder knows none of the {len(lost)} words, such as {min(lost)!r}")
        self._scale = logit_scale_of(encoder)
        self._vectors = encoder.encode_text([texts[word] for word in self.words])

    def nearest(self, embeddings: Float[Tensor, "views dimensions"], count: int = 5) -> tuple[Word, ...]:
        """The likeliest words for a picture, best first.

        Args:
            embeddings: unit vectors of one or more views of the picture; their mean counts.
            count: how many.

        Returns:
            Words with their softmax probabilities among all words.
        """
        mean = functional.normalize(embeddings.detach().mean(0), dim=0)
        logits = self._vectors @ mean.to(self._vectors) * self._scale
        best = logits.topk(min(count, len(self.words))).indices
        return tuple(
            Word(self.words[i], p) for i, p in zip(best.tolist(), logits.softmax(0)[best].tolist(), strict=True)
        )


def _knows(encoder: Encoder, text: str) -> bool:
    try:
        return not unknown_words(encoder, text)
    except UnreadableError:
        return False


@dataclass(frozen=True)
class Explanation:
    """The words and strokes that an encoder sees in a picture.

    Args:
        words: the likeliest words, best first.
        similarity: cosine of the picture and the prompts; NaN without any.
        strokes: what each stroke adds to it; None for a picture without strokes, or without prompts.
    """

    words: tuple[Word, ...]
    similarity: float
    strokes: Float[Tensor, " paths"] | None


def explain(
    picture: Drawing | Float[Tensor, "3 height width"],
    prompts: Sequence[Prompt] = (),
    *,
    encoder: Encoder,
    words: Sequence[str] | None = None,
    count: int = 5,
) -> Explanation:
    """The words that an encoder sees in a drawing or picture, and how much each stroke adds.

    Args:
        picture: a drawing, or an image in [0, 1].
        prompts: what it was drawn for, if anything.
        encoder: what embeds both.
        words: what it may see; the nouns that ship if not given.
        count: how many words to return.

    Returns:
        The likeliest words, and what each stroke adds to the similarity to the prompts.

    Source: Frans et al. 2021 (CLIPDraw), section 4.2, for the words.
    """
    embedding = embed(picture, encoder)
    nearest = Vocabulary(encoder, words).nearest(embedding[None], count)
    cosines = (encoder.encode_text([prompt.text for prompt in prompts]) @ embedding).tolist() if prompts else []
    strokes = importance(picture, prompts, encoder) if prompts and isinstance(picture, Drawing) else None
    return Explanation(nearest, similarity(prompts, cosines) if prompts else math.nan, strokes)
