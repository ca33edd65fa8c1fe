"""Why an encoder likes a picture: the words it finds nearest, and what each stroke adds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.evaluate.scoring import embed
from clipdraw.evaluate.stroke_importance import colored, importance
from clipdraw.evaluate.words import NOUNS, TEMPLATE, Vocabulary, Word, read_words
from clipdraw.optimization.losses import Prompt, similarity

__all__ = [
    "NOUNS",
    "TEMPLATE",
    "Explanation",
    "Vocabulary",
    "Word",
    "colored",
    "explain",
    "importance",
    "read_words",
]


@dataclass(frozen=True)
class Explanation:
    """What an encoder sees in a picture.

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
    """What an encoder sees in a drawing or picture.

    Args:
        picture: a drawing, or an image in [0, 1].
        prompts: what it was drawn for, if anything.
        encoder: the judge.
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
