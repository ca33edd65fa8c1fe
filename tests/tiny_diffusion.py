"""A Stable Diffusion of a few kilobytes, with random weights: pictures of 16 x 16 pixels, latents of 8 x 8."""

import json

import pytest
import torch

pytest.importorskip("diffusers")

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizerFast

_BLOCKS = {"block_out_channels": (8, 8), "norm_num_groups": 4, "layers_per_block": 1}


def save(folder, prediction="epsilon", pipeline="StableDiffusionPipeline"):
    """Write the files of a model into a folder and return it."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    entries = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizerFast({entry: index for index, entry in enumerate(entries)}, [])
    torch.manual_seed(0)
    text = CLIPTextConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=len(tokenizer),
        max_position_embeddings=12, bos_token_id=52, eos_token_id=53, pad_token_id=53,
    )  # fmt: skip
    parts = {
        "unet": UNet2DConditionModel(
            sample_size=8, cross_attention_dim=16, attention_head_dim=4, **_BLOCKS,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        "vae": AutoencoderKL(
            latent_channels=4, sample_size=16, **_BLOCKS, down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
        ),
        "text_encoder": CLIPTextModel(text),
        "tokenizer": tokenizer,
        "scheduler": DDIMScheduler(beta_schedule="scaled_linear", prediction_type=prediction),
    }  # fmt: skip
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    return folder
