"""CLIP and SigLIP checkpoints of a few kilobytes, with random weights."""

import json
import warnings

import pytest
import safetensors.torch
import torch
from torch import nn

transformers = pytest.importorskip("transformers")

_TOWER = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
_VISION = {**_TOWER, "image_size": 32, "patch_size": 16}
WORDS = ["a", "an", "bonfire", "owl", "cat", "much", "longer", "text", "about", "elephant"]
"""The words that the SigLIP checkpoint knows; the first is its token 3."""
STATISTICS = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3]}
"""Mean and deviation of pixel values in both checkpoints."""


def save(folder, kind="clip"):
    """Write the files of a checkpoint, of the kind `clip` or `siglip`, into a folder and return it."""
    tokenizer, build = (_letters(), _clip) if kind == "clip" else (_words(), _siglip)
    torch.manual_seed(0)
    model = build(tokenizer)
    with torch.no_grad():
        for parameter in model.parameters():  # so large that gradients matter
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(STATISTICS))
    return folder


def save_open_clip(folder, activation="gelu", prefix="", heads=4):
    """Write a CLIP in the form of open_clip into a folder, without a tokenizer, and return the same of `transformers`.

    With the prefix `text.` the text side's weights are named as those of open_clip's models of more than one kind.
    """
    torch.manual_seed(0)
    text = {**_TOWER, "vocab_size": 49408, "hidden_act": activation, "num_attention_heads": heads}
    text |= {"bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 49407}
    vision = {**_VISION, "hidden_act": activation, "num_attention_heads": heads}
    model = transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    folder.mkdir(parents=True, exist_ok=True)
    safetensors.torch.save_file(open_clip_weights(model, prefix), folder / "open_clip_model.safetensors")
    sizes = {"vision_cfg": {"head_width": 32 // heads}, "text_cfg": {"heads": heads, "vocab_size": 49408}}
    about = {"model_cfg": {"embed_dim": 16, "quick_gelu": activation == "quick_gelu", **sizes}}
    pixels = {"mean": STATISTICS["image_mean"], "std": STATISTICS["image_std"], "interpolation": "bicubic"}
    (folder / "open_clip_config.json").write_text(json.dumps({**about, "preprocess_cfg": pixels}))
    return model.eval()


def open_clip_weights(model, prefix=""):
    """The weights of a `CLIPModel` by the names that OpenAI's code and open_clip have for them."""
    old = {name: weight.detach() for name, weight in model.state_dict().items()}
    new = {
        "logit_scale": old["logit_scale"],
        "visual.proj": old["visual_projection.weight"].T,
        "visual.class_embedding": old["vision_model.embeddings.class_embedding"],
        "visual.positional_embedding": old["vision_model.embeddings.position_embedding.weight"],
        "visual.conv1.weight": old["vision_model.embeddings.patch_embedding.weight"],
        prefix + "text_projection": old["text_projection.weight"].T,
        prefix + "token_embedding.weight": old["text_model.embeddings.token_embedding.weight"],
        prefix + "positional_embedding": old["text_model.embeddings.position_embedding.weight"],
    }
    for kind in ("weight", "bias"):
        new[f"visual.ln_pre.{kind}"] = old[f"vision_model.pre_layrnorm.{kind}"]
        new[f"visual.ln_post.{kind}"] = old[f"vision_model.post_layernorm.{kind}"]
        new[f"{prefix}ln_final.{kind}"] = old[f"text_model.final_layer_norm.{kind}"]
        for there, here in (("visual.", "vision_model"), (prefix, "text_model")):
            for layer in range(_TOWER["num_hidden_layers"]):
                block, part = f"{there}transformer.resblocks.{layer}", f"{here}.encoder.layers.{layer}"
                joined = [old[f"{part}.self_attn.{name}_proj.{kind}"] for name in "qkv"]
                new[f"{block}.attn.in_proj_{kind}"] = torch.cat(joined)
                new[f"{block}.attn.out_proj.{kind}"] = old[f"{part}.self_attn.out_proj.{kind}"]
                new[f"{block}.ln_1.{kind}"] = old[f"{part}.layer_norm1.{kind}"]
                new[f"{block}.ln_2.{kind}"] = old[f"{part}.layer_norm2.{kind}"]
                new[f"{block}.mlp.c_fc.{kind}"] = old[f"{part}.mlp.fc1.{kind}"]
                new[f"{block}.mlp.c_proj.{kind}"] = old[f"{part}.mlp.fc2.{kind}"]
    return {name: weight.contiguous() for name, weight in new.items()}


def save_archive(weights, path):
    """Write weights as OpenAI did: a TorchScript archive, with `input_resolution` and the like among them."""
    root = nn.Module()
    for name, weight in {**weights, "input_resolution": torch.tensor(32)}.items():
        *parts, last = name.split(".")
        module = root
        for part in parts:
            if not hasattr(module, part):
                module.add_module(part, nn.Module())
            module = getattr(module, part)
        module.register_buffer(last, weight)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of torch advise against TorchScript
        torch.jit.save(torch.jit.script(root), path)
    return path


def _letters():
    """CLIP's tokenizer over single letters."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!"
    entries = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizerFast({entry: index for index, entry in enumerate(entries)}, [])


def _words():
    """Whole words and an end token, in the way of SigLIP 2: its file does not say that case is ignored."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    entries = ["<pad>", "</s>", "<unk>", *WORDS]
    backend = Tokenizer(models.WordLevel({entry: index for index, entry in enumerate(entries)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=64
    )


def _clip(tokenizer):
    text = {**_TOWER, "vocab_size": len(tokenizer), "max_position_embeddings": 77}
    text |= {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    return transformers.CLIPModel(transformers.CLIPConfig(text_config=text, vision_config=_VISION, projection_dim=16))


def _siglip(tokenizer):
    text = {**_TOWER, "vocab_size": len(tokenizer), "max_position_embeddings": 64}
    return transformers.SiglipModel(transformers.SiglipConfig(text_config=text, vision_config=_VISION))
