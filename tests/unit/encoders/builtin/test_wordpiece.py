"""Word pieces: those of BERT, and what is cut off."""

import pytest

from clipdraw.encoders.builtin.wordpiece import WordPiece
from tests.word_pieces import PIECES, STRINGS


@pytest.fixture
def words():
    """A small vocabulary with every letter."""
    return WordPiece(PIECES)


@pytest.fixture(scope="module")
def berts():
    """BERT's own tokenizer with that vocabulary."""
    transformers = pytest.importorskip("transformers")
    vocabulary = {piece: number for number, piece in enumerate(PIECES)}
    return transformers.BertTokenizer(vocab=vocabulary, do_lower_case=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("string", STRINGS)
def test_pieces_are_those_of_bert(words, berts, string):
    plain = string.replace("[CLS]", "")  # a special piece in a text means nothing to us
    assert words.encode(plain, limit=1000) == berts(plain)["input_ids"]


def test_the_longest_piece_that_fits_is_taken(words):
    assert [words.pieces[i] for i in words.encode("bonfire cats")] == ["[CLS]", "bon", "##fire", "cat", "##s", "[SEP]"]


def test_a_word_with_an_unknown_character_is_one_unknown_piece(words):
    assert words.encode("cat ☃man cat") == [
        words.first, words.encode_word("cat")[0], words.unknown, words.encode_word("cat")[0], words.last,
    ]  # fmt: skip


def test_special_names_in_a_text_are_plain_text(words):
    assert words.last not in words.encode("a [SEP] b")[:-1]


@pytest.mark.parametrize(
    ("string", "limit", "rest"),
    [
        ("a red cat", 64, ""),
        ("a red cat", 3, ""),
        ("a red cat", 2, "cat"),
        ("A  Red, Café cat ", 3, "Café cat "),
        ("red bonfire", 2, "bonfire"),  # its second piece isn't read
        ("", 64, ""),
        ("cat " * 70, 64, "cat " * 6),
    ],
)
def test_the_tail_is_what_is_beyond_the_limit(words, string, limit, rest):
    assert words.truncated_tail(string, limit) == rest
