"""BigGAN's generator with its published weights, and an image as its latents.

The modules have the names of the published weights (`pytorch-pretrained-biggan`, last released in 2019, whose own
code gives all blocks the same latent). Spectral normalization is folded into the weights as they are read.

Source: Brock et al. 2019, arXiv 1809.11096, appendix B (BigGAN-deep); Zhang et al. 2019 (SAGAN), arXiv 1805.08318.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from clipdraw.errors import WeightsError
from clipdraw.optimization.parameterization import Parameter, resized
from clipdraw.weights import SAFETENSORS, Kind, locate

PUBLISHED = "osanseviero/BigGAN-deep-128"
"""A hub id of the published 128 x 128 generator."""
_PICKLED = "pytorch_model.bin"
LATENT_RATE = 0.07
"""Adam's learning rate of latents: that of the published notebook."""
_CLASS_MEAN, _CLASS_DEVIATION = -3.9, 0.3  # of the logits at the start: each class has about 2 %
_MOST_CLASS = 50.0
_REDUCTION = 4  # of channels within a block


@dataclass(frozen=True)
class Shape:
    """The sizes in `config.json`; those of the published generator for 128 x 128 pixels.

    Args:
        z_dim: width of a normal vector, and of a class.
        channel_width: channels of the last block.
        num_classes: how many classes there are.
        layers: for each block whether it doubles the size, and its channels before and after, in channel widths.
        attention_layer_position: the block before which the image attends to itself.
        eps: added to variances.
        n_stats: tables of statistics, from the narrowest truncation to none.
    """

    z_dim: int = 128
    channel_width: int = 128
    num_classes: int = 1000
    layers: tuple[tuple[bool, int, int], ...] = (
        (False, 16, 16), (True, 16, 16), (False, 16, 16), (True, 16, 8), (False, 8, 8),
        (True, 8, 4), (False, 4, 4), (True, 4, 2), (False, 2, 2), (True, 2, 1),
    )  # fmt: skip
    attention_layer_position: int = 8
    eps: float = 1e-4
    n_stats: int = 51


class _Norm(nn.Module):
    """Batch normalization with the statistics for no truncation, scaled and moved by a condition if it has one."""

    running_means: Tensor
    running_vars: Tensor

    def __init__(self, channels: int, shape: Shape, *, conditional: bool = True) -> None:
        super().__init__()
        self.register_buffer("running_means", torch.zeros(shape.n_stats, channels))
        self.register_buffer("running_vars", torch.ones(shape.n_stats, channels))
        self.eps, self.conditional = shape.eps, conditional
        if conditional:
            self.scale = nn.Linear(2 * shape.z_dim, channels, bias=False)
            self.offset = nn.Linear(2 * shape.z_dim, channels, bias=False)
        else:
            self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        means, deviations = self.running_means[-1], (self.running_vars[-1] + self.eps).sqrt()
        scale, offset = (
            (1 + self.scale(condition), self.offset(condition)) if self.conditional else (self.weight, self.bias)
        )
        gain = scale / deviations
        return x * gain.reshape(1, -1, 1, 1) + (offset - means * gain).reshape(1, -1, 1, 1)


class _Block(nn.Module):
    """Four convolutions beside a skip connection that drops channels."""

    def __init__(self, channels: tuple[int, int], shape: Shape, *, doubles: bool) -> None:
        super().__init__()
        before, after = channels
        middle = before // _REDUCTION
        self.doubles, self.after = doubles, after
        self.bn_0, self.conv_0 = _Norm(before, shape), nn.Conv2d(before, middle, 1)
        self.bn_1, self.conv_1 = _Norm(middle, shape), nn.Conv2d(middle, middle, 3, padding=1)
        self.bn_2, self.conv_2 = _Norm(middle, shape), nn.Conv2d(middle, middle, 3, padding=1)
        self.bn_3, self.conv_3 = _Norm(middle, shape), nn.Conv2d(middle, after, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        y = self.conv_0(functional.relu(self.bn_0(x, condition)))
        y = self._sized(functional.relu(self.bn_1(y, condition)))
        y = self.conv_2(functional.relu(self.bn_2(self.conv_1(y), condition)))
        y = self.conv_3(functional.relu(self.bn_3(y, condition)))
        return y + self._sized(x[:, : self.after])

    def _sized(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=2, mode="nearest") if self.doubles else x


class _Attention(nn.Module):
    """Self-attention of every place to a quarter of the places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.snconv1x1_theta = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.snconv1x1_phi = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.snconv1x1_g = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.snconv1x1_o_conv = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        query = self.snconv1x1_theta(x).flatten(2)
        key = functional.max_pool2d(self.snconv1x1_phi(x), 2).flatten(2)
        value = functional.max_pool2d(self.snconv1x1_g(x), 2).flatten(2)
        weights = (query.transpose(1, 2) @ key).softmax(-1)
        attended = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.gamma * self.snconv1x1_o_conv(attended)


class _Generator(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels = shape.channel_width
        self.gen_z = nn.Linear(2 * shape.z_dim, 4 * 4 * shape.layers[0][1] * channels)
        layers: list[nn.Module] = []
        for number, (doubles, before, after) in enumerate(shape.layers):
            if number == shape.attention_layer_position:
                layers.append(_Attention(channels * before))
            layers.append(_Block((channels * before, channels * after), shape, doubles=doubles))
        self.layers = nn.ModuleList(layers)
        last = channels * shape.layers[-1][2]
        self.bn = _Norm(last, shape, conditional=False)
        self.conv_to_rgb = nn.Conv2d(last, last, 3, padding=1)

    def forward(self, conditions: Tensor) -> Tensor:
        """One image (3, height, width) in [-1, 1] of one condition a block, and before them one for the start."""
        first, *others = conditions.split(1)
        x = self.gen_z(first).unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)
        remaining = iter(others)
        for layer in self.layers:
            x = layer(x, next(remaining)) if isinstance(layer, _Block) else layer(x)
        return torch.tanh(self.conv_to_rgb(functional.relu(self.bn(x)))[0, :3])


class BigGAN(nn.Module):
    """The generator of BigGAN-deep.

    Args:
        shape: its sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.width, self.classes, self.latents = shape.z_dim, shape.num_classes, len(shape.layers) + 1
        self.embeddings = nn.Linear(shape.num_classes, shape.z_dim, bias=False)
        self.generator = _Generator(shape)

    @property
    def device(self) -> torch.device:
        """The device that holds its weights."""
        return self.embeddings.weight.device

    def forward(
        self, normal: Float[Tensor, "latents width"], classes: Float[Tensor, "latents classes"]
    ) -> Float[Tensor, "3 side side"]:
        """The image in [-1, 1] of a normal vector and class weights for the start and each block."""
        return self.generator(torch.cat([normal, self.embeddings(classes)], 1))


def load(name: str = PUBLISHED, *, device: torch.device | str = "cpu") -> BigGAN:
    """A frozen generator.

    Args:
        name: a folder with `config.json` and `model.safetensors` or `pytorch_model.bin`, or a hub id of such files.
        device: where to compute.

    Raises:
        WeightsError: the files cannot be found, fetched or read, or are not of this architecture.
        MissingExtraError: a hub id needs a part of clipdraw that is not installed.
    """
    folder = locate(name, GENERATOR)
    try:
        shape = _shape(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        with torch.device("meta"):  # neither memory nor random numbers for weights that are replaced
            model = BigGAN(shape)
        model.load_state_dict(_folded(_tensors(folder)), assign=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, UnpicklingError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{name}: not the weights of a BigGAN-deep generator: {reason}") from None
    return model.eval().requires_grad_(False).to(device)


def _missing(folder: Path) -> str:
    if not (folder / "config.json").is_file():
        return "config.json"
    return "" if any((folder / file).is_file() for file in (SAFETENSORS, _PICKLED)) else f"{SAFETENSORS} or {_PICKLED}"


GENERATOR = Kind(
    "the generator",
    "name a folder or a hub id (owner/model) of a BigGAN-deep generator",
    "leave the method biggan out",
    ("config.json", SAFETENSORS, _PICKLED),
    _missing,
    pickles=True,
)
"""Generators as a kind of model."""


def _shape(values: Mapping[str, Any]) -> Shape:
    known = {field: values[field] for field in Shape.__dataclass_fields__ if field in values}
    layers = known.get("layers", Shape.layers)
    return Shape(**{**known, "layers": tuple((bool(doubles), before, after) for doubles, before, after in layers)})


def _tensors(folder: Path) -> dict[str, Tensor]:
    """The weights; pickled ones by torch's reader that makes nothing but tensors."""
    if (folder / SAFETENSORS).is_file():
        return load_file(folder / SAFETENSORS)
    return torch.load(folder / _PICKLED, map_location="cpu", weights_only=True)


def _folded(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights divided by the spectral norms that are stored with them as `weight_u` and `weight_v`."""
    folded = {}
    for name, tensor in tensors.items():
        stem, _, ending = name.rpartition(".")
        if ending == "weight_orig":
            norm = tensors[f"{stem}.weight_u"] @ (tensor.flatten(1) @ tensors[f"{stem}.weight_v"])
            folded[f"{stem}.weight"] = tensor / norm
        elif ending not in ("weight_u", "weight_v"):
            folded[name] = tensor
    return folded


class Latents:
    """An image as a normal vector and a weight of each class for every block of a BigGAN generator, which stays fixed.

    Args:
        generator: frozen, on its device.
        random: the only source of randomness of the start.
        rate: Adam's learning rate.

    Source: Murdock 2021, "The Big Sleep: BigGANxCLIP" (notebook), as told in Frans et al. 2021, section 4.1: one
    latent for each block, classes by a sigmoid, truncation 1. There 128 cutouts make a step, here the views do.
    """

    def __init__(self, generator: BigGAN, random: torch.Generator, *, rate: float = LATENT_RATE) -> None:
        self._generator, self._rate = generator.eval().requires_grad_(False), rate
        blocks, device = generator.latents, generator.device
        normal = torch.randn(blocks, generator.width, generator=random)
        classes = torch.randn(blocks, generator.classes, generator=random) * _CLASS_DEVIATION + _CLASS_MEAN
        self.normal, self.classes = (start.to(device).requires_grad_() for start in (normal, classes))

    @property
    def subject(self) -> Latents:
        """Itself."""
        return self

    def parameters(self) -> tuple[Parameter, ...]:
        """The normal vectors and the logits of the classes."""
        return Parameter("normal", self.normal, self._rate), Parameter("classes", self.classes, self._rate)

    def image(self, longest: int) -> Float[Tensor, "3 height width"]:
        """The image that the generator makes of them, resized with antialiasing."""
        made = self._generator(self.normal, torch.sigmoid(self.classes))
        return resized((made + 1) / 2, longest)

    def project(self) -> None:
        """Nothing: no value is forbidden, `oddness` keeps them near."""

    def oddness(self) -> Float[Tensor, ""]:
        """The distance of the latents from those that the generator was trained for; 0 or more.

        The mean, deviation, skew and kurtosis of each vector against those of the normal distribution, and all
        classes but the first against 0.
        """
        mean, spread = self.normal.mean(1, keepdim=True), self.normal.std(1, unbiased=False, keepdim=True)
        standard = (self.normal - mean) / spread
        skew, kurtosis = standard.pow(3).mean(1), standard.pow(4).mean(1) - 3
        normal = (
            (1 - self.normal.std(1)).abs().mean() + mean.abs().mean() + 4 * self.normal.square().mean().clamp(min=1)
        )
        others = torch.sigmoid(self.classes).sort(dim=1).values[:, :-1]
        return normal + skew.abs().mean() + kurtosis.abs().mean() + (_MOST_CLASS * others).square().mean()
