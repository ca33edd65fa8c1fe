"""Texts as the built-in encoder reads them: emoji by their names, and the words that it does not know."""

import pytest
import torch

from clipdraw.encoders import load_encoder
from clipdraw.encoders.builtin.spelling import spell_out
from clipdraw.errors import UnreadableError


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("builtin", precision="float32")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a cat", "a cat"),
        ("\U0001f436", "dog face"),
        ("fish\U0001f41f!", "fish fish !"),
        ("\u2764", "heart"),  # HEAVY BLACK HEART
        ("\u2764\ufe0f", "heart"),  # as a picture
        ("\u2b50", "medium star"),
        ("\U0001f5a4", "black heart"),
        ("\u26ab \u2b1b", "medium black circle black large square"),
        ("\U0001f58c", "paintbrush"),
        ("\U0001f469\u200d\U0001f680", "woman rocket"),
        ("\U0001f408\u200d\u2b1b", "cat black"),
        ("\U0001f44b\U0001f3ff", "waving hand sign dark skin tone"),
        ("1\ufe0f\u20e3", "1"),
        ("\u00bd \u2192 \u20ac", "vulgar fraction one half rightwards arrow euro sign"),
        ("it\u2019s \u201ca cat\u201d \u2014 wow\u2026 \u00bfno? \u2039x\u203a", "it's \"a cat\" - wow... no? 'x'"),
        ("\U0001d4ec\U0001d4ea\U0001d4fd \uff43\uff41\uff54 \ufb01sh", "cat cat fish"),
        ("wei\u00dfbier sm\u00f8rrebr\u00f8d \u0142\u00f3d\u017a \u00e6on", "weissbier smorrebrod l\u00f3d\u017a aeon"),
        ("\u0663 cats\u00b2", "3 cats2"),
    ],
)
def test_what_has_a_spelling_is_read_by_it(text, read, encoder):
    assert " ".join(spell_out(text).replace("\ufe0f", "").replace("\u200d", "").split()) == read
    assert encoder.unknown_words(text) == ()
    torch.testing.assert_close(encoder.encode_text([text]), encoder.encode_text([read]))


def test_the_prior_reads_an_emoji_by_its_name_too(encoder):
    assert torch.equal(encoder.prior.sample("\U0001f436"), encoder.prior.sample("dog face"))
    assert torch.equal(encoder.prior.sample("\U0001f7e2"), encoder.prior.sample("large green circle"))


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("a red \u043a\u043e\u0448\u043a\u0430, on grass", ("\u043a\u043e\u0448\u043a\u0430",)),
        ("\u81ea\u8ee2\u8eca bicycle \u81ea\u8ee2\u8eca", ("\u81ea\u8ee2\u8eca",)),
        ("flag \U0001f1eb\U0001f1f7", ("\U0001f1eb\U0001f1f7",)),  # no name tells which
        ("a cat " + "x" * 101, ("x" * 101,)),
        ("cat \U000e0fff \ue000", ("\U000e0fff", "\ue000")),  # unassigned, private
        ("a cat!?", ()),
        ("the", ()),
        ("?", ()),
    ],
)
def test_words_that_are_not_known_are_told(text, unknown, encoder):
    assert encoder.unknown_words(text) == unknown


@pytest.mark.parametrize(
    "text",
    [
        "\u043a\u043e\u0448\u043a\u0430",
        "a \u732b",
        "\u65e5\u672c \u306e \u732b!",
        "\U0001f1eb\U0001f1f7",
        "x" * 500,
        "\u200b",
    ],
)
def test_a_text_without_any_known_word_is_refused(text, encoder):
    with pytest.raises(UnreadableError, match=r"knows no word of .*English nouns, or let a CLIP judge it") as caught:
        encoder.unknown_words(text)
    assert len(str(caught.value)) < 300
    with pytest.raises(UnreadableError):
        encoder.encode_text(["a cat", text])


def test_the_end_of_a_long_text_is_told_as_it_is_read(encoder):
    assert encoder.truncated_tail("\U0001f98a " * 40).split() == ["fox", "face"] * 8
