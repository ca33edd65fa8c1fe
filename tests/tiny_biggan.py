"""A BigGAN-deep generator of 16 x 16 pixels, with the published weights' names and made-up weights."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from clipdraw.optimization.biggan import BigGAN, Shape

CONFIG = {
    "output_dim": 16,
    "z_dim": 4,
    "class_embed_dim": 4,
    "channel_width": 4,
    "num_classes": 5,
    "layers": [[False, 16, 8], [True, 8, 4], [False, 4, 2], [True, 2, 1]],
    "attention_layer_position": 2,
    "eps": 1e-4,
    "n_stats": 3,
}


def weights():
    """Sines in each tensor, in the order of the names; matrices as spectral normalization stores them."""
    names = {}
    layers = tuple(tuple(layer) for layer in CONFIG["layers"])
    shape = Shape(**{name: CONFIG[name] for name in Shape.__dataclass_fields__} | {"layers": layers})
    model = BigGAN(shape)
    for name, tensor in model.state_dict().items():
        module = model.get_submodule(name.rpartition(".")[0])
        if name.endswith(".weight") and isinstance(module, nn.Conv2d | nn.Linear) and name != "embeddings.weight":
            names |= {
                f"{name}_orig": tensor.shape,
                f"{name}_u": tensor.shape[:1],
                f"{name}_v": tensor[0].reshape(-1).shape,
            }
        else:
            names[name] = tensor.shape
    found = {}
    for number, (name, size) in enumerate(sorted(names.items())):
        values = torch.sin(torch.arange(size.numel(), dtype=torch.float64) * 0.7 + number).float().reshape(size)
        found[name] = 1 + 0.5 * values if "vars" in name else values
    return found


def save(folder: Path, *, pickled: bool = False) -> Path:
    """Write the generator as its publishers do, or as safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    if pickled:
        torch.save(weights(), folder / "pytorch_model.bin")
    else:
        save_file(weights(), folder / "model.safetensors")
    return folder
