"""Models of OpenAI's code and of open_clip, compared with the same weights in the hands of `transformers`."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize

from clipdraw.encoders import absolute_name, load_encoder, open_clip
from clipdraw.encoders.checkpoint import missing_file
from clipdraw.errors import WeightsError
from tests import tiny_clip

TEXTS = ["a bonfire", "It's the Eiffel Tower, 12:30!", "自転車 \U0001f436"]
TOKENS = [
    [49406, 320, 23151, 49407],
    [49406, 585, 568, 518, 29720, 4730, 267, 272, 273, 281, 274, 271, 256, 49407],
    [49406, 164, 229, 103, 164, 119, 95, 164, 119, 488, 10631, 49407],
]
"""Of these texts, by OpenAI's own tokenizer."""


def edit(folder, group, **values):
    path = folder / open_clip.CONFIG
    about = json.loads(path.read_text())
    about["model_cfg"].setdefault(group, {}).update(values) if group else about["model_cfg"].update(values)
    path.write_text(json.dumps(about))


@pytest.mark.parametrize(("activation", "prefix"), [("gelu", ""), ("quick_gelu", "text.")])
def test_an_open_clip_folder_computes_what_its_weights_do(tmp_path, activation, prefix):
    model = tiny_clip.save_open_clip(tmp_path, activation, prefix)
    encoder = load_encoder(str(tmp_path), precision="float32")
    views = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in tiny_clip.STATISTICS.values())
    with torch.no_grad():
        images = model.get_image_features(pixel_values=(views - mean) / std).pooler_output
        texts = [model.get_text_features(input_ids=torch.tensor([tokens])).pooler_output[0] for tokens in TOKENS]
    torch.testing.assert_close(encoder.encode_image(views), normalize(images, dim=-1))
    torch.testing.assert_close(encoder.encode_text(TEXTS), normalize(torch.stack(texts), dim=-1))
    assert (encoder.view_size, encoder.dimensions) == (32, 16)
    assert encoder.logit_scale == pytest.approx(model.logit_scale.exp().item())


def test_pixels_are_left_alone_if_asked(tmp_path):
    model = tiny_clip.save_open_clip(tmp_path)
    views = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        images = normalize(model.get_image_features(pixel_values=views).pooler_output, dim=-1)
    plain = load_encoder(str(tmp_path), precision="float32", normalize=False)
    torch.testing.assert_close(plain.encode_image(views), images)


def test_the_activation_of_the_configuration_matters(tmp_path):
    tiny_clip.save_open_clip(tmp_path)
    views = torch.rand(2, 3, 32, 32)
    before = load_encoder(str(tmp_path), precision="float32").encode_image(views)
    edit(tmp_path, "", quick_gelu=True)
    after = load_encoder(str(tmp_path), precision="float32").encode_image(views)
    assert (before - after).abs().max() > 1e-4


def test_a_folder_with_both_forms_is_read_as_transformers_unless_its_config_is_of_another_model(tmp_path):
    tiny_clip.save_open_clip(tmp_path)
    tiny_clip.save(tmp_path)
    assert load_encoder(str(tmp_path))._model.config.text_config.vocab_size < 100
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "vit_base_patch32_clip_224"}))  # as timm has it
    (tmp_path / "tokenizer.json").unlink()
    assert load_encoder(str(tmp_path))._model.config.text_config.vocab_size == 49408


def test_what_an_open_clip_folder_lacks(tmp_path):
    tiny_clip.save_open_clip(tmp_path)
    assert missing_file(tmp_path) == ""
    for file in (open_clip.WEIGHTS, open_clip.CONFIG):
        (tmp_path / file).rename(tmp_path / "aside")
        assert missing_file(tmp_path) == file
        (tmp_path / "aside").rename(tmp_path / file)
    (tmp_path / open_clip.WEIGHTS).rename(tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(WeightsError, match=f"only pickled weights, .*: clipdraw convert-weights {tmp_path} "):
        load_encoder(str(tmp_path))


def resnet(folder):
    save_file({"visual.layer1.0.conv1.weight": torch.zeros(3, 3)}, folder / open_clip.WEIGHTS)


def layer_scale(folder):
    path = folder / open_clip.WEIGHTS
    save_file(load_file(path) | {"visual.transformer.resblocks.0.ls_1.gamma": torch.ones(3)}, path)


def half(folder):
    path = folder / open_clip.WEIGHTS
    save_file({k: v for k, v in load_file(path).items() if "resblocks.1.mlp" not in k}, path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: edit(folder, "vision_cfg", timm_model_name="vit_so400m"), "timm_model_name = 'vit_so400m'"),
        (lambda folder: edit(folder, "text_cfg", hf_model_name="roberta-base"), "hf_model_name = 'roberta-base'"),
        (lambda folder: edit(folder, "vision_cfg", pool_type="avg"), "pool_type = 'avg'"),
        (lambda folder: edit(folder, "text_cfg", no_causal_mask=True), "no_causal_mask = True"),
        (lambda folder: edit(folder, "", multimodal_cfg={"width": 8}), "multimodal_cfg = "),
        (lambda folder: edit(folder, "text_cfg", hf_tokenizer_name="other"), r"has no tokenizer\.json"),
        (lambda folder: (folder / open_clip.CONFIG).write_text("{"), "cannot read the encoder"),
        (lambda folder: (folder / open_clip.CONFIG).write_text("[]"), "cannot read the encoder"),
        (lambda folder: (folder / open_clip.WEIGHTS).write_bytes(b"<html>" * 9), "cannot read the encoder"),
        (resnet, "no CLIP with vision transformer: 1 weights have no place in it, such as visual.layer1"),
        (layer_scale, "1 weights have no place in it, such as .*ls_1"),
        (half, "lacks 8 weights, such as text_model.encoder.layers.1.mlp"),
    ],
)
def test_what_is_not_plain_clip_is_named(tmp_path, change, message):
    tiny_clip.save_open_clip(tmp_path)
    change(tmp_path)
    with pytest.raises(WeightsError, match=message) as caught:
        load_encoder(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_settings_that_change_nothing_are_allowed(tmp_path):
    tiny_clip.save_open_clip(tmp_path)
    edit(tmp_path, "vision_cfg", pool_type="tok", patch_dropout=0.5, ls_init_value=None, attn_pooler_queries=256)
    edit(tmp_path, "text_cfg", pool_type="argmax", embed_cls=False, proj_type="linear")
    edit(tmp_path, "", custom_text=True)
    assert load_encoder(str(tmp_path)).dimensions == 16


def test_the_tokenizer_that_ships_is_clips_own(tmp_path):
    tiny_clip.save_open_clip(tmp_path)
    tokenizer = load_encoder(str(tmp_path))._tokenizer
    assert len(tokenizer) == 49408
    assert [tokenizer(text)["input_ids"] for text in TEXTS] == TOKENS


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("ViT-B/32", "openai/clip-vit-base-patch32"),
        ("vit-b/16", "openai/clip-vit-base-patch16"),
        ("ViT-L/14", "openai/clip-vit-large-patch14"),
        ("ViT-L/14@336px", "openai/clip-vit-large-patch14-336"),
        ("ViT-L-14-336-quickgelu", "openai/clip-vit-large-patch14-336"),
        ("ViT-B-32", "openai/clip-vit-base-patch32"),
        ("ViT-B-32/openai", "openai/clip-vit-base-patch32"),
        ("ViT-H-14/laion2b_s32b_b79k", "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"),
        ("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
        ("https://huggingface.co/google/siglip-base-patch16-224", "google/siglip-base-patch16-224"),
        ("owner/model", "owner/model"),
        ("./folder", "./folder"),
    ],
)
def test_names_of_openai_and_open_clip_mean_ids_of_the_hub(name, id):
    assert open_clip.hub_id(name) == id


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("RN50", "'RN50' is a ResNet, which is not read; take a vision transformer: ViT-B/32"),
        ("RN50x64", "is a ResNet"),
        ("ViT-B/64", "no hub id is known for 'ViT-B/64'.*owner/model"),
        ("ViT-H-14", "no hub id is known .*ViT-H-14/laion2b_s32b_b79k"),
    ],
)
def test_names_of_models_that_are_not_read_say_which_are(name, message):
    with pytest.raises(WeightsError, match=message):
        load_encoder(name)


def test_a_folder_goes_before_a_name_of_openai(tmp_path, monkeypatch):
    tiny_clip.save_open_clip(tmp_path / "ViT-B" / "32")
    monkeypatch.chdir(tmp_path)
    assert load_encoder("ViT-B/32").view_size == 32
    assert absolute_name("ViT-B/32") == str(tmp_path / "ViT-B" / "32")
