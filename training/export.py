"""Put both towers, the image prior and the exemplars into the one file that ships: `python -m training.export`.

Also writes the file's checksum into `clipdraw/encoders/builtin/storage.py`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from clipdraw.encoders.builtin import storage
from clipdraw.encoders.builtin.storage import quantize
from training.files import whole, write_text
from training.train import Matcher

_LARGE = 100_000


def in_few_bits(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as `dequantize` reads them: large arrays in 8 bits, with scales, the rest in float16."""
    tensors = {}
    for name, value in state.items():
        if value.ndim > 1 and value.numel() > _LARGE:
            tensors[f"{name}.whole"], tensors[f"{name}.scale"] = quantize(value.flatten(1), 8)
        else:
            tensors[name] = value.half().contiguous()
    return tensors


def export(image: Path, text: Path, imagination: Path, exemplars: Path, out: Path, *, version: str) -> None:
    """Write the averaged image tower with folded normalizations, the projection and the text tower."""
    model = Matcher()
    model.load_state_dict(torch.load(image, map_location="cpu", weights_only=True)["average"])
    tower = model.image.fold()
    tensors = {f"image.{name}": value for name, value in in_few_bits(tower.state_dict()).items()}
    drawn = torch.load(imagination, map_location="cpu", weights_only=True)["model"]
    tensors |= {f"imagination.{name}": value for name, value in in_few_bits(drawn).items()}
    known = torch.load(exemplars, map_location="cpu", weights_only=True)
    tensors |= {f"exemplars.{name}": value for name, value in known.items()}
    tensors["projection"] = model.text.weight.detach().half()
    tensors |= load_file(text)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole(out) as partial:
        save_file(tensors, partial, metadata={"version": version, "card": "docs/model-card.md"})


def write_checksum(module: Path) -> str:
    """Set `SHA256` in the module's source to the checksum of the weights, and return it."""
    found = storage.checksum()
    write_text(module, re.sub(r'(?m)^SHA256 = ".*"$', f'SHA256 = "{found}"', module.read_text()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", type=Path, default=Path("corpus/image/checkpoint.pt"))
    parser.add_argument("--text", type=Path, default=Path("corpus/text/text.safetensors"))
    parser.add_argument("--imagination", type=Path, default=Path("corpus/imagination.pt"))
    parser.add_argument("--exemplars", type=Path, default=Path("corpus/exemplars.pt"))
    parser.add_argument("--version", default="rebuilt")
    options = parser.parse_args()
    export(
        options.image, options.text, options.imagination, options.exemplars, storage.WEIGHTS, version=options.version
    )
    checksum = write_checksum(Path(storage.__file__))
    print(f"{storage.WEIGHTS.name}: {storage.WEIGHTS.stat().st_size / 1e6:.1f} MB, {checksum}")


if __name__ == "__main__":
    main()
