"""CLIP as OpenAI's code and open_clip name and store it, read as models of `transformers`.

Source: Radford et al. 2021 (CLIP), arXiv 2103.00020. Names and files are those of the packages `clip` and open_clip 3.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clipdraw.errors import WeightsError

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"
"""The files of a model of open_clip's."""
TOKENIZERS = ("tokenizer.json", "vocab.json")
"""The files of a tokenizer, of which one is enough."""
VOCABULARY = 49_408
"""Number of tokens of CLIP's own tokenizer."""
PIXELS = {"mean": (0.48145466, 0.4578275, 0.40821073), "std": (0.26862954, 0.26130258, 0.27577711)}
"""Mean and deviation of pixel values, per channel, in the training of OpenAI's models and of most others."""

_MERGES = Path(__file__).with_name("clip_merges.txt.gz")  # of OpenAI's code, MIT license: clip_merges.LICENSE.txt
_SPECIAL = ("<|startoftext|>", "<|endoftext|>")
_OPENAI = {
    "ViT-B/32": "openai/clip-vit-base-patch32",
    "ViT-B/16": "openai/clip-vit-base-patch16",
    "ViT-L/14": "openai/clip-vit-large-patch14",
    "ViT-L/14@336px": "openai/clip-vit-large-patch14-336",
}
_OPEN_CLIP = {
    "ViT-B-32/laion2b_s34b_b79k": "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
    "ViT-B-16/laion2b_s34b_b88k": "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    "ViT-L-14/laion2b_s32b_b82k": "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
    "ViT-H-14/laion2b_s32b_b79k": "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    "ViT-g-14/laion2b_s34b_b88k": "laion/CLIP-ViT-g-14-laion2B-s34B-b88K",
    "ViT-bigG-14/laion2b_s39b_b160k": "laion/CLIP-ViT-bigG-14-laion2B-39B-b160k",
    "ViT-B-32/datacomp_xl_s13b_b90k": "laion/CLIP-ViT-B-32-DataComp.XL-s13B-b90K",
    "ViT-B-16/datacomp_xl_s13b_b90k": "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    "ViT-L-14/datacomp_xl_s13b_b90k": "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
}


def hub_id(name: str) -> str:
    """The hub's id of a model that is named as in OpenAI's code (`ViT-B/32`), as in open_clip, or by its address.

    open_clip's names are MODEL, of which OpenAI's weights are meant, or MODEL/PRETRAINED. Other names are left as
    they are.

    Raises:
        WeightsError: it is such a name, but of a model that cannot be read, or is not known here.
    """
    name = name.removeprefix("hf-hub:").removeprefix("https://huggingface.co/")
    known = {_plain(key): value for key, value in (_OPENAI | _OPEN_CLIP).items()}
    plain = _plain(name)
    if plain in known:
        return known[plain]
    if re.match(r"rn\d+", plain):
        raise WeightsError(f"{name!r} is a ResNet, which is not read; take a vision transformer: {', '.join(_OPENAI)}")
    if plain.startswith("vit-"):
        there = ", ".join((*_OPENAI, *_OPEN_CLIP))
        raise WeightsError(f"no hub id is known for {name!r}; name the model by it (owner/model); known are: {there}")
    return name


def _plain(name: str) -> str:
    """A name without the differences between OpenAI's spelling and open_clip's."""
    name = name.lower().removesuffix("/openai").replace("-quickgelu", "").replace("@336px", "-336")
    return re.sub(r"^(vit-\w)/(\d)", r"\1-\2", name)


def lacking(folder: Path) -> str:
    """The file that a folder lacks as a model of open_clip's; empty if it is complete."""
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            return file
    return ""


def read(folder: Path) -> tuple[Any, Any, Mapping[str, Any]]:
    """Model and tokenizer of `transformers` for the files of open_clip's in a folder, and what these say of pixels.

    Raises:
        WeightsError: it is not a plain CLIP with vision transformer, or its tokenizer is not there.
        OSError, ValueError, SafetensorError, RuntimeError: a file is damaged.
    """
    import transformers
    from safetensors.torch import load_file

    about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    settings = about["model_cfg"]
    _refuse_unknown(folder, settings)
    weights = to_transformers(load_file(folder / WEIGHTS), folder)
    tokenizer = _tokenizer(folder, settings, len(weights["text_model.embeddings.token_embedding.weight"]))
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    sizes = _architecture(weights, settings)
    config = transformers.CLIPConfig(**sizes | {"text_config": sizes["text_config"] | special})
    model = transformers.CLIPModel(config)
    if missing := model.load_state_dict(weights, strict=False).missing_keys:
        raise WeightsError(f"the encoder in {str(folder)!r} lacks {len(missing)} weights, such as {missing[0]}")
    return model, tokenizer, PIXELS | {k: v for k, v in about.get("preprocess_cfg", {}).items() if k in PIXELS}


_PLAIN = {
    "": {
        "embed_dim", "vision_cfg", "text_cfg", "quick_gelu", "custom_text", "init_logit_scale", "nonscalar_logit_scale",
    },
    "vision_cfg": {
        "image_size", "patch_size", "layers", "width", "head_width", "mlp_ratio", "patch_dropout", "output_tokens",
        "attn_pooler_queries", "attn_pooler_heads",
    },
    "text_cfg": {
        "context_length", "vocab_size", "layers", "width", "heads", "mlp_ratio", "output_tokens", "pad_id", "eos_id",
        "hf_tokenizer_name",
    },
}  # fmt: skip
"""The settings of a model that is plain CLIP, whatever their values; of any other only these values are."""
_USUAL = {"pool_type": ("tok", "argmax"), "pos_embed_type": ("learnable",), "proj_type": ("linear",)}


def _refuse_unknown(folder: Path, settings: Mapping[str, Any]) -> None:
    """Raise if the configuration asks for what `transformers.CLIPModel` does not have."""
    for group, known in _PLAIN.items():
        for name, value in (settings.get(group, {}) if group else settings).items():
            if name not in known and value and value not in _USUAL.get(name, ()):
                raise WeightsError(
                    f"the encoder in {str(folder)!r} is not plain CLIP: {CONFIG} has {name} = {value!r}; "
                    "take a CLIP with vision transformer, such as ViT-B/32"
                )


_NAMES = (
    (r"^text\.", ""),
    (r"^visual\.conv1\.", "vision_model.embeddings.patch_embedding."),
    (r"^visual\.class_embedding$", "vision_model.embeddings.class_embedding"),
    (r"^visual\.positional_embedding$", "vision_model.embeddings.position_embedding.weight"),
    (r"^visual\.ln_pre\.", "vision_model.pre_layrnorm."),
    (r"^visual\.ln_post\.", "vision_model.post_layernorm."),
    (r"^visual\.proj$", "visual_projection.weight"),
    (r"^visual\.transformer\.resblocks\.", "vision_model.encoder.layers."),
    (r"^token_embedding\.", "text_model.embeddings.token_embedding."),
    (r"^positional_embedding$", "text_model.embeddings.position_embedding.weight"),
    (r"^transformer\.resblocks\.", "text_model.encoder.layers."),
    (r"^ln_final\.", "text_model.final_layer_norm."),
    (r"^text_projection$", "text_projection.weight"),
    (r"\.ln_(\d)\.", r".layer_norm\1."),
    (r"\.attn\.", ".self_attn."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
"""Parts of the names of weights, and what `transformers` has in their place; applied one after another."""
_PLACES = re.compile(
    r"logit_scale|(text|visual)_projection\.weight|(text|vision)_model\."
    r"(embeddings|pre_layrnorm|post_layernorm|final_layer_norm|encoder\.layers\.\d+\.(self_attn|mlp|layer_norm\d))\..+"
)
_ASIDE = re.compile(r"(.*\.)?(attn_mask|input_resolution|context_length|vocab_size|logit_bias)")
"""Entries that files may have besides weights, and the bias of SigLIP's training, which no cosine has."""


def to_transformers(tensors: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The weights of OpenAI's and open_clip's CLIP by their names in `transformers`, in float32.

    Projections are transposed, and the one matrix that makes queries, keys and values becomes three.

    Raises:
        WeightsError: a weight has no place there, as in ResNets.
    """
    found: dict[str, Any] = {}
    for name, tensor in tensors.items():
        if not _ASIDE.fullmatch(name):
            found |= dict(_renamed(name, tensor.float()))
    unknown = sorted(name for name in found if not _PLACES.fullmatch(name))
    if unknown or "vision_model.embeddings.class_embedding" not in found:
        what = (
            f"{len(unknown)} weights have no place in it, such as {unknown[0]}" if unknown else "it has no image side"
        )
        raise WeightsError(f"the encoder in {str(folder)!r} is no CLIP with vision transformer: {what}")
    return found


def _renamed(name: str, tensor: Any) -> Iterator[tuple[str, Any]]:
    transposed = name.removeprefix("text.") in ("text_projection", "visual.proj")
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    stem, joined, kind = name.partition("in_proj_")
    if joined:
        yield from (
            (f"{stem}{part}_proj.{kind}", rows.clone()) for part, rows in zip("qkv", tensor.chunk(3), strict=True)
        )
    elif name == "logit_scale":
        yield name, tensor.reshape(())
    else:
        yield name, tensor.T.contiguous() if transposed else tensor


def _architecture(weights: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a `CLIPConfig`: sizes are those of the weights, by names of `transformers`."""
    text, vision = settings.get("text_cfg", {}), settings.get("vision_cfg", {})
    _, _, _, patch = weights["vision_model.embeddings.patch_embedding.weight"].shape
    places, width = weights["vision_model.embeddings.position_embedding.weight"].shape
    tokens, text_width = weights["text_model.embeddings.position_embedding.weight"].shape
    activation = "quick_gelu" if settings.get("quick_gelu") else "gelu"
    return {
        "projection_dim": len(weights["visual_projection.weight"]),
        "text_config": {
            "vocab_size": len(weights["text_model.embeddings.token_embedding.weight"]),
            "max_position_embeddings": tokens,
            "num_attention_heads": text.get("heads") or max(1, text_width // 64),
            **_tower(weights, "text_model", text_width, activation),
        },
        "vision_config": {
            "patch_size": patch,
            "image_size": patch * math.isqrt(places - 1),
            "num_attention_heads": max(1, width // (vision.get("head_width") or 64)),
            **_tower(weights, "vision_model", width, activation),
        },
    }


def _tower(weights: Mapping[str, Any], side: str, width: int, activation: str) -> dict[str, Any]:
    layers = [int(found[1]) for name in weights if (found := re.match(rf"{side}\.encoder\.layers\.(\d+)\.", name))]
    return {
        "hidden_size": width,
        "intermediate_size": len(weights[f"{side}.encoder.layers.0.mlp.fc1.bias"]),
        "num_hidden_layers": 1 + max(layers),
        "hidden_act": activation,
    }


def _tokenizer(folder: Path, settings: Mapping[str, Any], tokens: int) -> Any:
    """The tokenizer in the folder, else CLIP's own, which ships."""
    import transformers

    if any((folder / file).is_file() for file in TOKENIZERS):
        return transformers.CLIPTokenizerFast.from_pretrained(folder, local_files_only=True)
    if tokens != VOCABULARY or settings.get("text_cfg", {}).get("hf_tokenizer_name"):
        raise WeightsError(
            f"the encoder folder {str(folder)!r} has no tokenizer.json, and its tokens are not CLIP's own"
        )
    merges = [tuple(line.split()) for line in gzip.decompress(_MERGES.read_bytes()).decode().splitlines()]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [*map(chr, printable), *(chr(256 + number) for number in range(256 - len(printable)))]
    pieces = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges), *_SPECIAL]
    numbers = {piece: number for number, piece in enumerate(pieces)}
    return transformers.CLIPTokenizerFast(numbers, merges, model_max_length=77)
