"""The text side of the built-in encoder: words to a unit vector, with nothing but torch.

A transformer of a few layers that was distilled from MiniLM-L6 (see `training/distill.py`), whose 384
numbers it reproduces. Its weights are stored in 8 and 4 bits and dequantized when they are loaded.

Source: Wang et al., 2020, MiniLM, arXiv 2002.10957 and Reimers and Gurevych, 2019, Sentence-BERT,
arXiv 1908.10084 (the teacher); Devlin et al., 2018, BERT, arXiv 1810.04805 (layers, word pieces). Here with
fewer layers, a smaller vocabulary, and at most 64 pieces of text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.encoders.builtin.storage import dequantize, quantize
from clipdraw.errors import WeightsError

MAX_PIECES = 64
"""How many pieces of a text are read; `[CLS]` and `[SEP]` come on top."""

_LONGEST_WORD = 100  # characters; BERT reads longer words as unknown, too
_IDEOGRAPHS = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2FA1F), (0xF900, 0xFAFF))  # a word each, as in BERT
_HEAD = 32  # numbers of an attention head, as in the teacher


class _Role(Enum):
    """The part that a character plays in cutting a text into words."""

    LETTER = "part of a word"
    SYMBOL = "a word by itself"
    SPACE = "between words"
    IGNORED = "as if it were not there"


@lru_cache(maxsize=4096)
def _classify(character: str) -> tuple[_Role, str]:
    """The role of a character, and how a word spells it: in lower case, without accents."""
    if character in "\t\n\r ":
        return _Role.SPACE, ""
    category = unicodedata.category(character)
    if category[0] == "C" or character == "\ufffd":
        return _Role.IGNORED, ""
    if category[0] == "Z":
        return _Role.SPACE, ""
    code = ord(character)
    ideograph = any(first <= code <= last for first, last in _IDEOGRAPHS)
    symbol = character.isascii() and not character.isalnum()
    if ideograph or symbol or category[0] == "P":
        return _Role.SYMBOL, character
    decomposed = unicodedata.normalize("NFD", character.lower())
    return _Role.LETTER, "".join(c for c in decomposed if unicodedata.category(c) != "Mn")


def words(text: str) -> Iterator[tuple[int, str]]:
    """The words of `text`, each with where it starts: lower case, no accents, punctuation apart.

    Source: `BasicTokenizer` of Devlin et al., 2018, BERT (code release, uncased).
    """
    start, word = 0, ""
    for position, character in enumerate(text):
        role, spelled = _classify(character)
        if role is _Role.LETTER:
            start = start if word else position
            word += spelled
        elif role is not _Role.IGNORED:
            if word:
                yield start, word
            word = ""
            if role is _Role.SYMBOL:
                yield position, character
    if word:
        yield start, word


class WordPiece:
    """Text to the numbers of its pieces: greedy, longest match first.

    Args:
        pieces: the vocabulary, the piece's number being its place. Continuations start with `##`;
            `[PAD]`, `[UNK]`, `[CLS]` and `[SEP]` are among them.

    Source: Wu et al., 2016, arXiv 1609.08144, section 4.1, as in BERT.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self.pieces = tuple(pieces)
        self._numbers = {piece: number for number, piece in enumerate(self.pieces)}
        self.pad, self.unknown, self.first, self.last = (
            self._numbers[special] for special in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
        )

    def __len__(self) -> int:
        return len(self.pieces)

    def encode_word(self, word: str) -> list[int]:
        """The pieces of one word; a word with a character that no piece has is one unknown piece."""
        if len(word) > _LONGEST_WORD:
            return [self.unknown]
        numbers, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._numbers.get(("##" if start else "") + word[start:end])
                if number is not None:
                    break
            else:
                return [self.unknown]
            numbers.append(number)
            start = end
        return numbers

    def encode(self, text: str, limit: int = MAX_PIECES) -> list[int]:
        """`[CLS]`, the first `limit` pieces of `text`, `[SEP]`."""
        numbers: list[int] = []
        for _, word in words(text):
            numbers += self.encode_word(word)
            if len(numbers) >= limit:
                break
        return [self.first, *numbers[:limit], self.last]

    def truncated_tail(self, text: str, limit: int = MAX_PIECES) -> str:
        """The end of `text` from the first word that isn't wholly within `limit` pieces; empty if all is."""
        count = 0
        for start, word in words(text):
            count += len(self.encode_word(word))
            if count > limit:
                return text[start:]
        return ""


class Layer(nn.Module):
    """One transformer layer, normalized after each half."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.heads = width // _HEAD
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.mixed = nn.LayerNorm(width, eps=1e-12)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.out = nn.LayerNorm(width, eps=1e-12)

    def forward(
        self, states: Float[Tensor, "texts pieces width"], mask: Bool[Tensor, "texts pieces"] | None
    ) -> Float[Tensor, "texts pieces width"]:
        """The states after attention among a text's own pieces and the feed-forward matrices."""
        texts, pieces, width = states.shape
        parts = self.query_key_value(states).reshape(texts, pieces, 3, self.heads, _HEAD)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-1, -2) * _HEAD**-0.5  # for a dozen pieces faster than the fused kernels
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None, None, :], -torch.inf)
        attended = scores.softmax(-1).to(value.dtype) @ value
        states = self.mixed(states + self.mix(attended.transpose(1, 2).reshape(texts, pieces, width)))
        return self.out(states + self.down(functional.gelu(self.up(states))))


class TextTower(nn.Module):
    """Pieces to unit vectors.

    Args:
        words: the vocabulary, which travels with the weights.
        width: numbers in a state and in the result.
        layers: how many layers.
        hidden: numbers between a layer's two feed-forward matrices.
    """

    def __init__(self, words: WordPiece, *, width: int = 384, layers: int = 3, hidden: int = 1536) -> None:
        super().__init__()
        self.words = words
        self.tokens = nn.Embedding(len(words), width, _weight=torch.zeros(len(words), width))
        self.positions = nn.Parameter(torch.zeros(MAX_PIECES + 2, width))
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(Layer(width, hidden) for _ in range(layers))

    def read(
        self, rows: Float[Tensor, "texts pieces width"], mask: Bool[Tensor, "texts pieces"] | None
    ) -> Float[Tensor, "texts width"]:
        """Unit vectors of texts whose pieces' rows of the table are given."""
        states = self.norm(rows + self.positions[: rows.shape[1]])
        for layer in self.layers:
            states = layer(states, mask)
        if mask is not None:
            states = states * mask[..., None]
        return functional.normalize(states.float().sum(1), dim=-1)

    def forward(
        self, ids: Int[Tensor, "texts pieces"], mask: Bool[Tensor, "texts pieces"] | None = None
    ) -> Float[Tensor, "texts width"]:
        """Unit vectors of texts.

        Args:
            ids: the pieces' numbers, `[CLS]` first.
            mask: true where there is a piece, false where a shorter text is padded; None if none is.
        """
        return self.read(self.tokens(ids), mask)

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> Float[Tensor, "texts width"]:
        """Unit vectors of texts, which may differ in length; without gradients."""
        rows = [self.words.encode(text) for text in texts]
        longest = max(map(len, rows), default=2)
        padded = [row + [self.words.pad] * (longest - len(row)) for row in rows]
        ids = torch.tensor(padded, dtype=torch.long, device=self.positions.device).reshape(len(rows), longest)
        lengths = torch.tensor([len(row) for row in rows], device=ids.device)
        mask = torch.arange(longest, device=ids.device) < lengths[:, None]
        return self(ids, None if bool(mask.all()) else mask)

    def truncated_tail(self, text: str) -> str:
        """The end of `text` that is beyond what the tower reads; empty if it reads all of it."""
        return self.words.truncated_tail(text)

    def to_tensors(self, bits: Mapping[str, int]) -> dict[str, Tensor]:
        """The tensors that `from_tensors` reads: matrices in `bits`, all else in float16, and the vocabulary.

        Args:
            bits: the end of a matrix's name to 4 or 8, the first that fits counts.
        """
        tensors = {"vocabulary": torch.tensor(list("\n".join(self.words.pieces).encode()), dtype=torch.uint8)}
        for name, tensor in self.state_dict().items():
            few = next((number for end, number in bits.items() if name.endswith(end)), 16)
            if few == 16:
                tensors[name] = tensor.half()
            else:
                tensors[f"{name}.whole"], tensors[f"{name}.scale"] = quantize(tensor, few)
        return tensors

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> TextTower:
        """The tower that `to_tensors` wrote, frozen, in float32.

        Raises:
            WeightsError: a tensor is missing or has the wrong shape.
        """
        stored = dict(tensors)
        try:
            vocabulary = bytes(stored.pop("vocabulary").numpy()).decode().split("\n")
            state = dequantize(stored)
            with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced
                tower = cls(
                    WordPiece(vocabulary),
                    width=state["tokens.weight"].shape[1],
                    layers=len({name.split(".")[1] for name in state if name.startswith("layers.")}),
                    hidden=state["layers.0.up.weight"].shape[0],
                )
            tower.load_state_dict(state, assign=True)
        except (KeyError, RuntimeError) as error:
            raise WeightsError(f"the encoder's text weights are damaged: {error}; reinstall clipdraw") from error
        return tower.eval().requires_grad_(False)
