"""CLIP and SigLIP checkpoints of a few kilobytes, with random weights."""

import json

import pytest
import torch

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
