import pytest
import torch
from torch.nn import functional

from clipdraw.encoders import Ensemble, load_encoder, logit_scale_of, prior_of, unknown_words
from clipdraw.errors import UnreadableError
from tests.conftest import TinyEncoder


class Other(TinyEncoder):
    """An encoder of another size and opinion, with a prior and a scale, that reads only 4 letters."""

    name, view_size, dimensions, logit_scale = "other", 8, 2, 40.0

    def __init__(self):
        self.prior = self

    def sample(self, text):
        return torch.full((1, 3, 4, 4), len(text) / 10)

    def encode_text(self, texts):
        return functional.normalize(torch.tensor([[len(text), 2.0] for text in texts]), dim=1)

    def encode_image(self, views):
        assert views.shape[-1] == self.view_size
        return functional.normalize(views[:, :2].amax((2, 3)), dim=1)

    def truncated_tail(self, text):
        return text[4:]


def test_the_cosine_is_the_mean_by_weight_of_views_at_each_encoders_size(encoder):
    other = Other()
    both = Ensemble([encoder, other], [3.0, 1.0])
    assert (both.name, both.view_size, both.dimensions) == ("tiny + other", 16, 5)
    views = torch.rand(2, 3, 16, 16)
    texts = both.encode_text(["red"])
    small = functional.interpolate(views, size=8, mode="bilinear", antialias=True)
    first = encoder.encode_image(views) @ encoder.encode_text(["red"])[0]
    second = other.encode_image(small) @ other.encode_text(["red"])[0]
    assert torch.allclose(both.encode_image(views) @ texts[0], 0.75 * first + 0.25 * second, atol=1e-6)
    assert torch.allclose(texts.norm(dim=1), torch.ones(1))


def test_without_weights_all_count_the_same(encoder):
    both, views = Ensemble([encoder, encoder]), torch.rand(2, 3, 16, 16)
    cosines = encoder.encode_image(views) @ encoder.encode_text(["red"]).T
    assert torch.allclose(both.encode_image(views) @ both.encode_text(["red"]).T, cosines, atol=1e-6)


def test_the_tail_is_that_of_the_encoder_that_reads_least(encoder):
    assert Ensemble([encoder, Other()]).truncated_tail("a" * 4 + "b" * 30) == "b" * 30


def test_the_prior_is_that_of_the_first_encoder_that_has_one(encoder):
    other = Other()
    assert prior_of(Ensemble([encoder, other, Other()])) is other
    assert prior_of(Ensemble([encoder, encoder])) is None
    assert prior_of(encoder) is None


def test_the_scale_is_the_mean_by_weight_and_clips_for_those_that_have_none(encoder):
    assert logit_scale_of(encoder) == 100
    assert logit_scale_of(Ensemble([encoder, Other()], [1.0, 3.0])) == pytest.approx(55)


def test_words_are_unknown_that_one_encoder_does_not_know(encoder):
    both = Ensemble([encoder, load_encoder("builtin")])
    assert unknown_words(encoder, "猫") == ()
    assert unknown_words(both, "a 猫 cat") == ("猫",)
    with pytest.raises(UnreadableError):
        unknown_words(both, "猫")
