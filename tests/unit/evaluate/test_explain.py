import pytest
import torch

from clipdraw.encoders import Ensemble, load_encoder, logit_scale_of
from clipdraw.errors import FormatError, InputError
from clipdraw.evaluate.explain import Vocabulary, explain, read_words
from clipdraw.optimization.losses import Prompt

COLORS = ("red", "green", "blue")


def test_the_list_that_ships_is_of_plain_nouns():
    words = read_words()
    assert len(words) == len(set(words)) == 2300
    assert list(words) == sorted(words)
    assert all(word.isalpha() and word.islower() for word in words)
    assert {"cat", "hamburger", "jogging", "sailboat", "happiness"} <= set(words)


def test_words_are_read_from_a_file(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("a cat\n\n  dog \na cat\n")
    assert read_words(file) == ("a cat", "dog")
    with pytest.raises(FormatError, match=r"none\.txt"):
        read_words(tmp_path / "none.txt")
    file.write_text(" \n\n")
    with pytest.raises(FormatError, match="has no words"):
        read_words(file)
    file.write_bytes(b"\xff")
    with pytest.raises(FormatError, match="not a list of words: not text"):
        read_words(file)


def test_the_nearest_word_comes_first_with_its_probability(encoder):
    vocabulary = Vocabulary(encoder, COLORS, template="{}")
    views = torch.tensor([[-1.0, 1.0, -1.0], [-1.0, 1.0, -0.9]])
    found = vocabulary.nearest(torch.nn.functional.normalize(views, dim=1))
    assert [word.text for word in found] == ["green", "blue", "red"]
    assert sum(word.probability for word in found) == pytest.approx(1)
    assert len(vocabulary.nearest(views, count=2)) == 2


def test_probabilities_are_the_softmax_at_the_scale_of_the_encoder(encoder):
    encoder.logit_scale = 2.0
    first, *_ = Vocabulary(encoder, COLORS, template="{}").nearest(encoder.encode_text(["red"]))
    expected = (encoder.encode_text(COLORS) @ encoder.encode_text(["red"])[0] * 2).softmax(0)[0].item()
    assert first == ("red", pytest.approx(expected))


def test_scales_of_encoders(encoder):
    assert logit_scale_of(encoder) == 100
    builtin = load_encoder("builtin")
    assert 30 < logit_scale_of(builtin) < 50
    assert logit_scale_of(Ensemble([builtin, encoder])) == pytest.approx((builtin.logit_scale + 100) / 2)


def test_no_words_and_templates_without_a_place_are_refused(encoder):
    for words, template in (((), "a {}"), (COLORS, "a drawing")):
        with pytest.raises(InputError, match="at least one word"):
            Vocabulary(encoder, words, template=template)


def test_words_that_the_encoder_does_not_know_are_left_out_and_told(encoder, caplog):
    builtin = load_encoder("builtin")
    with caplog.at_level("INFO", logger="clipdraw"):
        vocabulary = Vocabulary(builtin, ["cat", "猫", "кошка", "dog"])
    assert vocabulary.words == ("cat", "dog")
    assert "leaving out words that the encoder does not know: 2, such as кошка" in caplog.messages
    assert Vocabulary(encoder, ["cat", "猫"]).words == ("cat", "猫")
    for template in ("{}", "a drawing of a {}"):
        with pytest.raises(InputError, match="knows none of the 2 words, such as 'кошка'"):
            Vocabulary(builtin, ["猫", "кошка"], template=template)


def test_many_texts_at_once_are_as_one_by_one():
    encoder = load_encoder("builtin")
    texts = [f"a drawing of a {word}" for word in read_words()[:40]]
    together = encoder.encode_text(texts)
    assert torch.allclose(together[7:9], encoder.encode_text(texts[7:9]), atol=1e-5)


def test_a_picture_is_explained_by_words_alone(encoder):
    picture = torch.zeros(3, 10, 20)
    picture[2] = 1
    found = explain(picture, encoder=encoder, words=["red", "x"])
    assert found.strokes is None
    assert found.similarity != found.similarity
    assert explain(picture, [Prompt("blue")], encoder=encoder, words=["red"]).strokes is None
