import pytest
import torch

from clipdraw import Drawing, load_encoder, score
from clipdraw.encoders import builtin
from clipdraw.encoders import builtin as encoder_module
from clipdraw.encoders.builtin import prior as prior_module
from clipdraw.errors import InputError, WeightsError


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("builtin")


def test_the_weights_are_the_ones_that_were_released():
    assert builtin.checksum() == builtin.SHA256
    assert builtin.WEIGHTS.stat().st_size <= 20_000_000


def test_vectors_are_of_unit_length_and_repeat(encoder):
    texts = ["a red heart", "a cat", "a 自転車 on grass", "cat " + "x" * 5000]
    vectors = encoder.encode_text(texts)
    assert vectors.shape == (4, encoder.dimensions)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(4), atol=1e-5)
    assert torch.equal(vectors[1:2], load_encoder("builtin").encode_text(["a cat"]))
    views = torch.rand(3, 3, 64, 64)
    images = encoder.encode_image(views)
    assert torch.allclose(images.norm(dim=1), torch.ones(3), atol=1e-5)
    assert torch.equal(images, encoder.encode_image(views))


def test_many_texts_are_what_they_are_alone(encoder, caplog):
    texts = [f"{'very ' * (number % 5)}small thing {number}" for number in range(70)]
    with caplog.at_level("INFO", logger="clipdraw"):
        many = encoder.encode_text(texts)
    assert caplog.messages == ["reading 70 texts"]
    for number in (0, 3, 63, 64, 69):
        assert torch.allclose(many[number], encoder.encode_text([texts[number]])[0], atol=1e-5)


def test_no_texts_give_no_vectors_and_one_string_is_refused(encoder, drawing):
    assert encoder.encode_text([]).shape == (0, encoder.dimensions)
    for call in (encoder.encode_text, lambda text: score(drawing, text, encoder)):
        with pytest.raises(InputError, match="takes a list of texts, got one text: 'a cat'"):
            call("a cat")


def test_the_oldest_texts_and_pictures_are_forgotten(monkeypatch):
    encoder = load_encoder("builtin")
    monkeypatch.setattr(encoder_module, "MOST_TEXTS", 3)
    monkeypatch.setattr(prior_module, "MOST_SAMPLES", 2)
    texts = [f"thing {number}" for number in range(5)]
    vectors = encoder.encode_text(texts)  # more than are kept
    assert list(encoder._texts) == texts[2:]
    assert torch.equal(encoder.encode_text(texts[::-1]), vectors.flip(0))
    pictures = [encoder.prior.sample(text) for text in texts[:3]]
    assert list(encoder.prior._samples) == texts[1:3]
    assert torch.equal(encoder.prior.sample(texts[0]), pictures[0])
    assert len(encoder._texts) <= 3


def test_synonyms_lie_nearer_than_other_words(encoder):
    pairs = [("kitty", "cat"), ("automobile", "car"), ("bunny", "rabbit"), ("boat", "ship")]
    left, right = (encoder.encode_text(list(words)) for words in zip(*pairs, strict=True))
    cosines = left @ right.T
    assert (cosines.argmax(1) == torch.arange(4)).all()


def test_gradients_reach_the_views_and_not_the_weights(encoder):
    views = torch.rand(2, 3, 64, 64, requires_grad=True)
    encoder.encode_image(views).sum().backward()
    assert torch.isfinite(views.grad).all()
    assert views.grad.abs().max() > 0
    assert not any(p.requires_grad for p in encoder._image.parameters())


def test_the_end_of_a_long_text_is_named(encoder):
    assert encoder.truncated_tail("a cat") == ""
    assert encoder.truncated_tail("word " * 100) == "word " * 36


def test_bfloat16_and_float32_agree():
    views = torch.rand(4, 3, 64, 64)
    exact = load_encoder("builtin", precision="float32").encode_image(views)
    fast = load_encoder("builtin", precision="bfloat16").encode_image(views)
    assert (exact * fast).sum(1).min() > 0.99
    assert not torch.equal(exact, fast)


def test_damaged_weights_are_named(tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    for path in (tmp_path / "bad.safetensors", tmp_path / "none.safetensors"):
        with pytest.raises(WeightsError, match="damaged"):
            builtin.load(path=path)


def test_loading_and_using_it_draws_no_random_numbers():
    before = torch.random.get_rng_state()
    loaded = load_encoder("builtin")
    loaded.encode_text(["a cat"])
    loaded.prior.sample("a cat")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_it_knows_a_red_heart_when_it_sees_one(encoder):
    half = [(112, 84), (96, 40), (30, 50), (46, 106), (56, 140), (90, 164), (112, 192)]
    heart = half + [(224 - x, y) for x, y in half[-2::-1]]
    points = torch.tensor(heart, dtype=torch.float32)
    drawing = Drawing(points, torch.tensor([24.0]), torch.tensor([[0.9, 0.1, 0.1, 1.0]]), (4,))
    heart_score, *others = score(drawing, ["a red heart", "a blue heart", "a house", "a fish", "a bicycle"], encoder)
    assert heart_score > 0.3
    assert heart_score > max(others) + 0.05
    assert heart_score > max(others[1:]) + 0.2  # no heart
