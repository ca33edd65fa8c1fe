"""The text tower: word pieces, its storage, and what padding and odd input do to it."""

import pytest
import torch

from clipdraw.encoders.builtin.text_tower import MAX_PIECES, TextTower, WordPiece
from clipdraw.errors import WeightsError
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


@pytest.fixture
def tower(words):
    """A small tower with random weights."""
    torch.manual_seed(0)
    made = TextTower(words, width=64, layers=2, hidden=128)
    torch.nn.init.normal_(made.tokens.weight)
    torch.nn.init.normal_(made.positions, std=0.3)
    return made.eval()


def test_what_is_cut_off_changes_nothing(tower):
    read = "cat " * MAX_PIECES
    assert torch.equal(tower.embed([read]), tower.embed([read + "apple"]))
    assert tower.truncated_tail(read + "apple") == "apple"


def test_padding_does_not_change_an_embedding(tower):
    alone = torch.cat([tower.embed([string]) for string in STRINGS])
    torch.testing.assert_close(tower.embed(STRINGS), alone, atol=1e-5, rtol=1e-4)


def test_the_mask_hides_the_padding(tower, words):
    ids = torch.tensor([words.encode("a red cat")])
    mask = torch.ones_like(ids, dtype=torch.bool)
    padded = torch.cat([ids, torch.full((1, 3), 7)], dim=1)
    hidden = torch.cat([mask, torch.zeros(1, 3, dtype=torch.bool)], dim=1)
    torch.testing.assert_close(tower(padded, hidden), tower(ids, mask), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "string", ["", "\u200b", "\ud800", "\x00", "cat " * 2_500, "x" * 10_000, "🦊" * 10_000, "日本語" * 99]
)
def test_any_text_gives_a_finite_unit_vector(tower, string):
    vector = tower.embed([string])
    assert vector.shape == (1, 64)
    assert vector.norm().item() == pytest.approx(1, abs=1e-5)


def test_no_text_gives_no_vector(tower):
    assert tower.embed([]).shape == (0, 64)


def test_the_same_text_gives_the_same_vector(tower):
    assert torch.equal(tower.embed(["a red cat"]), tower.embed(["a red cat"]))
    assert torch.equal(tower.embed(["A Red  CAT"]), tower.embed(["a red cat"]))


def test_word_order_matters(tower):
    assert not torch.allclose(tower.embed(["cat apple"]), tower.embed(["apple cat"]), atol=1e-3)


def test_a_stored_tower_comes_back(tower):
    bits = {"tokens.weight": 4, "down.weight": 4, "up.weight": 8, "mix.weight": 8, "query_key_value.weight": 8}
    again = TextTower.from_tensors(tower.to_tensors(bits))
    assert again.words.pieces == tower.words.pieces
    assert not any(p.requires_grad for p in again.parameters())
    similarity = (again.embed(STRINGS) * tower.embed(STRINGS)).sum(-1)
    assert similarity.min() > 0.98


def test_loading_draws_no_random_numbers(tower):
    before = torch.random.get_rng_state()
    TextTower.from_tensors(tower.to_tensors({}))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("missing", ["vocabulary", "tokens.weight", "positions", "layers.1.down.bias"])
def test_damaged_weights_are_named(tower, missing):
    tensors = tower.to_tensors({})
    del tensors[missing]
    with pytest.raises(WeightsError, match="reinstall"):
        TextTower.from_tensors(tensors)
