"""CLIP and SigLIP checkpoints, compared with what `transformers` itself computes."""

import json
import shutil
import sys

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize
from torch.utils.flop_counter import FlopCounterMode

from clipdraw.encoders import Encoder, clip, load_encoder
from clipdraw.encoders.clip import PatchProduct, PoolingAttention, load
from clipdraw.errors import ConfigError, InputError, MissingExtraError, WeightsError
from tests import tiny_clip

transformers = tiny_clip.transformers

TEXTS = ["a bonfire", "a much longer text about an elephant", "a bonfire", "an owl"]


@pytest.fixture(scope="module", params=["clip", "siglip"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def checkpoint(kind, tmp_path_factory):
    """A folder with a tiny checkpoint of random weights."""
    return tiny_clip.save(tmp_path_factory.mktemp(kind), kind)


@pytest.fixture(scope="module")
def model(checkpoint, kind):
    """The checkpoint in the library's own hands."""
    return getattr(transformers, {"clip": "CLIPModel", "siglip": "SiglipModel"}[kind]).from_pretrained(checkpoint)


@pytest.fixture(scope="module")
def encoder(checkpoint):
    return load(str(checkpoint), precision="float32")


@pytest.fixture
def copy(checkpoint, tmp_path):
    """The checkpoint's files, to be damaged."""
    return shutil.copytree(checkpoint, tmp_path / "copy")


def views(dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(3, 3, 32, 32, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()


def image_vectors(model, pixels):
    features = model.get_image_features(pixel_values=pixels)
    return normalize(getattr(features, "pooler_output", features), dim=-1)


def text_vectors(model, **tokens):
    features = model.get_text_features(**tokens)
    return normalize(getattr(features, "pooler_output", features), dim=-1).detach()


def test_what_an_encoder_says_of_itself(encoder, checkpoint, kind):
    assert isinstance(encoder, Encoder)
    assert encoder.name == str(checkpoint)
    assert (encoder.view_size, encoder.dimensions) == (32, 16 if kind == "clip" else 32)
    assert (encoder.device, encoder.precision) == (torch.device("cpu"), "float32")


@pytest.mark.parametrize("normalized", [True, False])
def test_images_and_their_gradients_are_the_librarys(checkpoint, model, normalized):
    encoder = load(str(checkpoint), precision="float32", normalize=normalized)
    mean, std = (torch.tensor(values) for values in tiny_clip.STATISTICS.values())
    ours, theirs = views(), views()
    pixels = (theirs - mean.view(3, 1, 1)) / std.view(3, 1, 1) if normalized else theirs
    target = torch.linspace(-1, 1, encoder.dimensions)
    (image := encoder.encode_image(ours)).mv(target).sum().backward()
    (expected := image_vectors(model, pixels)).mv(target).sum().backward()
    torch.testing.assert_close(image, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)
    assert ours.grad.abs().max() > 1e-4


def test_weights_are_frozen_and_get_no_gradient(encoder):
    encoder.encode_image(views()).sum().backward()
    parameters = list(encoder._model.parameters())
    assert parameters
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in parameters)
    assert not encoder._model.training


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_views_of_any_float_type_give_float32_and_their_own_type_of_gradient(encoder, dtype):
    given = views(dtype)
    image = encoder.encode_image(given)
    image[:, 0].sum().backward()
    assert image.dtype == torch.float32
    assert given.grad.dtype == dtype
    torch.testing.assert_close(image, encoder.encode_image(views()), atol=0.02, rtol=0)


@pytest.mark.parametrize(("precision", "attention"), [("float32", "sdpa"), ("bfloat16", "eager")])
def test_the_vision_tower_is_in_the_form_fastest_to_go_backward_through(checkpoint, precision, attention):
    model = load(str(checkpoint), precision=precision)._model
    assert isinstance(model.vision_model.embeddings.patch_embedding, PatchProduct)
    assert model.config.vision_config._attn_implementation == attention


def test_bfloat16_is_close_and_still_gives_float32_unit_vectors(checkpoint, encoder):
    low = load(str(checkpoint), precision="bfloat16")
    assert low.precision == "bfloat16"
    for exact, rounded in [
        (encoder.encode_image(views()), low.encode_image(views())),
        (encoder.encode_text(TEXTS), low.encode_text(TEXTS)),
    ]:
        assert rounded.dtype == torch.float32
        torch.testing.assert_close(rounded.norm(dim=1), torch.ones(len(rounded)))
        assert (exact * rounded).sum(1).min() > 0.99


@pytest.mark.parametrize("kind", ["clip"], indirect=True)
def test_clip_texts_are_the_librarys(encoder, model, checkpoint):
    tokenizer = transformers.CLIPTokenizerFast.from_pretrained(checkpoint)
    for text, vector in zip(TEXTS, encoder.encode_text(TEXTS), strict=True):
        expected = text_vectors(model, **tokenizer([text], return_tensors="pt"))[0]
        torch.testing.assert_close(vector, expected)


@pytest.mark.parametrize("kind", ["siglip"], indirect=True)
def test_siglip_texts_are_padded_to_the_end_in_lower_case(encoder, model):
    ids = [3 + tiny_clip.WORDS.index("an"), 3 + tiny_clip.WORDS.index("owl"), 1] + [0] * 61
    expected = text_vectors(model, input_ids=torch.tensor([ids]))
    for text in ("an owl", "An OWL"):
        torch.testing.assert_close(encoder.encode_text([text]), expected)


def test_texts_are_unit_vectors_in_order_and_computed_once(checkpoint, monkeypatch):
    encoder = load(str(checkpoint), precision="float32")
    batches = []
    embed = encoder._embed_texts
    monkeypatch.setattr(encoder, "_embed_texts", lambda texts: batches.append(texts) or embed(texts))
    first = encoder.encode_text(TEXTS)
    assert first.shape == (4, encoder.dimensions)
    torch.testing.assert_close(first.norm(dim=1), torch.ones(4))
    assert torch.equal(first[0], first[2])
    assert not torch.equal(first[0], first[3])
    first.zero_()  # what is remembered is not what was handed out
    again = encoder.encode_text(["an owl", "a cat"])
    assert batches == [TEXTS[:2] + TEXTS[3:], ["a cat"]]
    torch.testing.assert_close(again[0].norm(), torch.tensor(1.0))
    assert not again.requires_grad


def test_text_vectors_take_part_in_a_backward_pass(encoder):
    given = views()
    (encoder.encode_image(given) @ encoder.encode_text(["an owl"]).T).sum().backward()
    assert given.grad.abs().max() > 0


def test_the_oldest_texts_are_forgotten(checkpoint, monkeypatch):
    encoder = load(str(checkpoint), precision="float32")
    monkeypatch.setattr(clip, "MOST_TEXTS", 2)
    vectors = encoder.encode_text(["a", "b", "c"])
    assert list(encoder._texts) == ["b", "c"]
    assert torch.allclose(encoder.encode_text(["c", "a"]), vectors[[2, 0]], atol=1e-6)


def test_more_texts_than_fit_one_batch_agree_with_one_at_a_time(checkpoint):
    texts = [f"{'a ' * (index % 9)}cat {index}" for index in range(34)]
    together = load(str(checkpoint), precision="float32").encode_text(texts)
    for index in (0, 8, 31, 32, 33):
        alone = load(str(checkpoint), precision="float32").encode_text([texts[index]])
        torch.testing.assert_close(together[index : index + 1], alone)


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode_text([]).shape == (0, encoder.dimensions)


@pytest.mark.parametrize(
    ("kind", "read", "rest"),
    [
        ("clip", " ".join("A" * 75), "B  cd, E"),  # 77 tokens, 2 of them special; one letter is one token
        ("siglip", " ".join(["Owl"] * 63), "Cat  an Owl"),  # 64 tokens, 1 of them special
    ],
    indirect=["kind"],
    scope="module",
)
def test_the_truncated_tail_is_what_does_not_fit(encoder, kind, read, rest):
    text = f"{read}  {rest}"
    assert encoder.truncated_tail(text) == rest
    assert encoder.truncated_tail(read) == encoder.truncated_tail("") == ""
    torch.testing.assert_close(encoder.encode_text([text]), encoder.encode_text([read]))


@pytest.mark.parametrize("kind", ["clip"], indirect=True)
def test_the_truncated_tail_may_begin_within_a_word(encoder):
    assert encoder.truncated_tail("x" * 75 + "yz") == "yz"


def test_views_of_another_size_are_refused(encoder):
    with pytest.raises(InputError, match=r"shape \(n, 3, 32, 32\), got \(1, 3, 16, 16\)"):
        encoder.encode_image(torch.zeros(1, 3, 16, 16))


def test_one_string_is_refused(encoder):
    with pytest.raises(InputError, match="a list of texts, got one text: 'an owl'"):
        encoder.encode_text("an owl")


def test_an_encoder_is_loaded_from_a_folder_without_network(checkpoint, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("used the network"))
    assert load_encoder(str(checkpoint), normalize=False).precision in ("float32", "bfloat16")


@pytest.mark.parametrize(
    ("file", "content", "mean", "std"),
    [
        ("processor_config.json", {"image_processor": {"image_mean": [0.1] * 3, "image_std": [2] * 3}}, 0.1, 2.0),
        ("preprocessor_config.json", {"do_normalize": False, "image_mean": [0.1] * 3}, 0.0, 1.0),
    ],
)
def test_pixel_statistics_are_read_from_either_file(copy, file, content, mean, std):
    (copy / "preprocessor_config.json").unlink()
    (copy / file).write_text(json.dumps(content))
    encoder = load(str(copy), precision="float32")
    torch.testing.assert_close(encoder._mean.flatten(), torch.full((3,), mean))
    torch.testing.assert_close(encoder._std.flatten(), torch.full((3,), std))


def test_pixel_statistics_fall_back_to_the_familys(copy, kind):
    (copy / "preprocessor_config.json").unlink()
    encoder = load(str(copy), precision="float32")
    first = (0.48145466, 0.26862954) if kind == "clip" else (0.5, 0.5)
    assert (encoder._mean.flatten()[0].item(), encoder._std.flatten()[0].item()) == pytest.approx(first)


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def drop_weights(folder):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = load_file(path)
    kept = {name: weight for name, weight in weights.items() if "text_model" not in name}
    assert len(kept) < len(weights)
    save_file(kept, path, metadata={"format": "pt"})


DAMAGE = {
    "no config": (lambda folder: (folder / "config.json").unlink(), r"has no config\.json"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.json").unlink(), r"has no tokenizer\.json"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), r"has no model\.safetensors"),
    "pickled": (
        lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
        "has only pickled weights",
    ),
    "config no json": (lambda folder: (folder / "config.json").write_text("{"), r"cannot read .*config\.json"),
    "config no object": (lambda folder: (folder / "config.json").write_text("[]"), "holds no settings"),
    "config wrong type": (lambda folder: edit_config(folder, vision_config={"hidden_size": "x"}), "cannot read the"),
    "other kind": (lambda folder: edit_config(folder, model_type="bert"), "'bert'; supported are: clip, siglip"),
    "naflex": (lambda folder: edit_config(folder, model_type="siglip2"), "'siglip2'; supported are: clip, siglip"),
    "truncated": (
        lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000]),
        "cannot read the encoder",
    ),
    "garbage": (lambda folder: (folder / "model.safetensors").write_bytes(b"<html>" * 99), "cannot read the encoder"),
    "empty": (lambda folder: (folder / "model.safetensors").write_bytes(b""), "cannot read the encoder"),
    "half the weights": (drop_weights, r"lacks \d+ weights, such as text_model"),
    "tokenizer no json": (lambda folder: (folder / "tokenizer.json").write_text("{"), "cannot read"),
    "tokenizer other json": (lambda folder: (folder / "tokenizer.json").write_text("{}"), "cannot read"),
    "tokenizer no model": (
        lambda folder: (folder / "tokenizer.json").write_text('{"added_tokens": []}'),
        "cannot read the encoder",
    ),
    "bad statistics": (
        lambda folder: (folder / "preprocessor_config.json").write_text('{"image_mean": 0.5}'),
        "no 3 numbers as pixel statistics but 0.5",
    ),
}


@pytest.mark.parametrize("kind", ["clip"], indirect=True)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_one_line(copy, damage):
    break_it, message = DAMAGE[damage]
    break_it(copy)
    with pytest.raises(WeightsError, match=message) as caught:
        load(str(copy), precision="float32")
    assert "\n" not in str(caught.value)


def test_an_unknown_precision_is_refused_before_anything_is_read():
    with pytest.raises(ConfigError, match="no precision called 'int4'"):
        load("/nowhere/at/all", precision="int4")


def test_without_transformers_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtraError, match=r"needs an optional part: .*pip install .*\[clip\]'$"):
        load("openai/clip-vit-base-patch32")


def test_reading_a_checkpoint_is_silent(checkpoint, capfd):
    load(str(checkpoint), precision="float32")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("patch", [4, (2, 4)])
def test_a_patch_product_computes_what_the_convolution_does(bias, patch):
    torch.manual_seed(0)
    convolution = nn.Conv2d(3, 5, patch, stride=patch, bias=bias).double()
    ours, theirs = (torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(1)).double() for _ in range(2))
    ours.requires_grad_(), theirs.requires_grad_()
    (found := PatchProduct(convolution)(ours)).pow(2).sum().backward()
    (expected := convolution(theirs)).pow(2).sum().backward()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize(
    ("module", "replaced"),
    [
        (nn.Conv2d(3, 5, 4, stride=4), True),
        (nn.Conv2d(3, 5, 4, stride=4, padding="valid"), True),
        (nn.Conv2d(3, 5, 4, stride=2), False),
        (nn.Conv2d(3, 5, 4, stride=4, padding=1), False),
        (nn.Conv2d(3, 5, 4, stride=4, dilation=2), False),
        (nn.Conv2d(3, 6, 4, stride=4, groups=3), False),
        (nn.Conv2d(3, 5, 3, stride=3), False),
        (nn.Identity(), False),
    ],
)
def test_only_patches_that_touch_and_fit_become_a_product(module, replaced):
    assert PatchProduct.replaces(module, 8) is replaced


@pytest.mark.parametrize("views", [1, 3])
def test_pooling_computes_what_torchs_attention_does(views):
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(32, 4, batch_first=True, dtype=torch.float64).requires_grad_(False).eval()
    probe, tokens = torch.randn(views, 1, 32).double(), torch.randn(views, 9, 32).double()
    results = []
    for module in (attention, None):
        module = module or PoolingAttention(attention)
        leaf = tokens.clone().requires_grad_()
        pooled = module(probe, leaf, leaf)[0]
        pooled.square().sum().backward()
        results.append((pooled, leaf.grad))
    for wanted, found in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted)


def test_pooling_does_not_copy_the_weights_for_each_token():
    """The keys and values are one plain product, not one for each token."""
    pooling = PoolingAttention(nn.MultiheadAttention(16, 2, batch_first=True).requires_grad_(False).eval())
    tokens = torch.randn(2, 40, 16, requires_grad=True)
    with FlopCounterMode(display=False) as counted:
        pooling(torch.randn(2, 1, 16), tokens, tokens)[0].sum().backward()
    products = counted.get_flop_counts()["Global"]
    assert products.get(torch.ops.aten.bmm, 0) < 2 * 40 * 2 * 16 * 32
