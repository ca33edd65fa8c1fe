"""Guidance by a text-to-image diffusion model: its opinion of a noised picture, distilled into the drawing.

The library `diffusers` (extra `diffusion`) is imported when a model is read: it costs seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from clipdraw.encoders import Encoder
from clipdraw.encoders.devices import choose_precision
from clipdraw.errors import InputError, MissingExtraError, WeightsError, check_fields
from clipdraw.optimization.losses import Frame, Term
from clipdraw.optimization.views import Views
from clipdraw.progress import log
from clipdraw.weights import SAFETENSORS, Kind, locate, one_line

_INDEX, _PIPELINE = "model_index.json", "StableDiffusionPipeline"
_UNET, _VAE = (f"{part}/diffusion_pytorch_model.safetensors" for part in ("unet", "vae"))
_NEEDED = _INDEX, _UNET, _VAE, f"text_encoder/{SAFETENSORS}"
_MOST_WEIGHT, _MOST_GUIDANCE = 1e6, 1e4

GUIDE = Kind(
    "the diffusion model",
    "name a folder or a hub id (owner/model) of a Stable Diffusion 1 or 2",
    "leave guide.model out",
    (*_NEEDED, "*/config.json", "tokenizer/*.json", "tokenizer/merges.txt", "scheduler/scheduler_config.json"),
    lambda folder: next((file for file in _NEEDED if not (folder / file).is_file()), ""),
    safe=(_UNET,),
)
"""Diffusion models as a kind of model."""


@dataclass(frozen=True, eq=False)
class Denoiser:
    """A latent diffusion model, frozen.

    Args:
        predict: from noisy latents, steps and texts' vectors to what the model was trained to tell.
        tells_velocity: whether that is the velocity; else it is the noise.
        alphas: for each step the fraction of the picture's variance that is left.
        encode: from pictures in [-1, 1] to latents; differentiable.
        embed: from texts to vectors.
        size: height and width of its pictures, in pixels.
        dtype: the format that it computes in.
    """

    predict: Callable[[Tensor, Tensor, Tensor], Tensor]
    tells_velocity: bool
    alphas: Float[Tensor, " steps"]
    encode: Callable[[Tensor], Tensor]
    embed: Callable[[list[str]], Tensor]
    size: int
    dtype: torch.dtype

    @torch.no_grad()
    def noise(
        self, noisy: Float[Tensor, "1 channels height width"], step: int, texts: Tensor, guidance: float
    ) -> Float[Tensor, "1 channels height width"]:
        """The noise that it sees in noisy latents, by classifier-free guidance.

        Args:
            noisy: the latents.
            step: how noisy they are.
            texts: vectors of no text and of the text.
            guidance: 1 follows the text, more exaggerates.

        Source: Ho and Salimans 2022, arXiv 2207.12598, equation 6, with w = guidance - 1.
        """
        steps = torch.full((2,), step, device=noisy.device)
        told = self.predict(noisy.expand(2, -1, -1, -1).to(self.dtype), steps, texts).float()
        if self.tells_velocity:
            alpha = self.alphas[step]
            told = alpha.sqrt() * told + (1 - alpha).sqrt() * noisy
        without, with_text = told.split(1)
        return without + guidance * (with_text - without)


@dataclass(frozen=True)
class Guide:
    """The text to draw, as a diffusion model sees it: score distillation sampling (SDS).

    In each step a random view of the picture is encoded to latents z and noised, x = sqrt(a) z + sqrt(1 - a) e at a
    random step with a = `alphas[step]`. The gradient with respect to z is (1 - a) (e' - e) / latents, e' being the
    noise that the model sees. The value is half the mean square of (1 - a) (e' - e).

    Args:
        text: the text.
        model: a hub id, or a folder in the form of `diffusers`, of a Stable Diffusion 1 or 2, as safetensors.
        weight: against a prompt's 1, above 0 and at most 1,000,000.
        guidance: how much the text counts, 0 to 10,000; 100 in VectorFusion.
        steps: the least and the most noise, as fractions of the model's steps, in [0, 1].
        precision: `float32`, `bfloat16`, `float16` or `auto`, as for encoders.
        views: how the one view in each step is distorted.

    Raises:
        InputError: a value is out of range.

    Source: Poole et al. 2022 (DreamFusion), arXiv 2209.14988, equation 3, with w(t) = sigma_t^2; Jain et al. 2022
    (VectorFusion), arXiv 2211.11319, equation 4, of latents. Here latents are the mean of the encoder's distribution,
    not a sample.
    """

    text: str
    model: str
    weight: float = 1.0
    guidance: float = 100.0
    steps: tuple[float, float] = (0.05, 0.95)
    precision: str = "auto"
    views: Views = field(default_factory=lambda: Views(count=1))
    name: str = "guide"

    def __post_init__(self) -> None:
        check_fields(self, prefix="the guide's ")
        if not 0 < self.weight <= _MOST_WEIGHT:
            raise InputError(f"the guide's weight is above 0 and at most {_MOST_WEIGHT:,.0f}, got {self.weight}")
        if not 0 <= self.guidance <= _MOST_GUIDANCE:
            raise InputError(f"the guide's guidance is from 0 to {_MOST_GUIDANCE:,.0f}, got {self.guidance}")
        if not 0 <= self.steps[0] <= self.steps[1] <= 1:
            raise InputError(f"the guide's steps lie in [0, 1], least first, got {self.steps}")

    def build(self, encoder: Encoder) -> Term:
        """The weighted loss, times the views, as a prompt is their sum.

        Raises:
            MissingExtraError: `diffusers` is not installed.
            WeightsError: the model cannot be found, fetched or read.
        """
        model = load(self.model, device=encoder.device, precision=self.precision)
        texts = model.embed(["", self.text])
        first, last = (round(fraction * (len(model.alphas) - 1)) for fraction in self.steps)

        def distilled(frame: Frame) -> Tensor:
            view = self.views.apply(frame.image, model.size, generator=frame.generator)
            latents = model.encode(2 * view - 1)
            step = int(torch.randint(first, last + 1, (), generator=frame.generator))
            noise = torch.randn(latents.shape, generator=frame.generator).to(latents)
            alpha = model.alphas[step]
            noisy = alpha.sqrt() * latents.detach() + (1 - alpha).sqrt() * noise
            gradient = (1 - alpha) * (model.noise(noisy, step, texts, self.guidance) - noise)
            # Half the square of (latents - a constant that lies `gradient` away) has this gradient.
            goal = (latents - gradient).detach()
            return self.weight * len(frame.embeddings) * functional.mse_loss(latents, goal) / 2

        return distilled


def find_guide(name: str) -> Path:
    """The folder of a diffusion model that is named by it or by a hub's id; fetched if need be.

    Raises:
        MissingExtraError: the library that reads it is not installed.
        WeightsError: it cannot be found or fetched.
    """
    if find_spec("diffusers") is None or find_spec("transformers") is None:
        raise MissingExtraError("guidance by a diffusion model", extra="diffusion")
    return locate(name, GUIDE)


def load(name: str, *, device: torch.device | str = "cpu", precision: str = "auto") -> Denoiser:
    """A frozen diffusion model.

    Args:
        name: a folder, or a hub id.
        device: where to compute.
        precision: as for encoders; see `choose_precision`.

    Raises:
        ConfigError: the precision is unknown.
        MissingExtraError: `diffusers` is not installed.
        WeightsError: the model cannot be found, fetched or read, or is of another kind.
    """
    folder, dtype = find_guide(name), choose_precision(precision, torch.device(device))
    log.info("reading the diffusion model %s", name)
    try:
        kind = json.loads((folder / _INDEX).read_text(encoding="utf-8")).get("_class_name")
        if kind != _PIPELINE:
            raise ValueError(f"it is a {kind}, not a {_PIPELINE}, as Stable Diffusion 1 and 2 are")
        return _read(folder, torch.device(device), dtype)
    except (OSError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise WeightsError(f"{name}: not a diffusion model that can guide: {one_line(error)}") from None


def _read(folder: Path, device: torch.device, dtype: torch.dtype) -> Denoiser:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizerFast

    def part(kind: Any, name: str) -> Any:
        model = kind.from_pretrained(folder / name, use_safetensors=True, local_files_only=True)
        return model.requires_grad_(False).eval().to(device=device, dtype=dtype)

    unet, autoencoder = part(UNet2DConditionModel, "unet"), part(AutoencoderKL, "vae")
    text_encoder = part(CLIPTextModel, "text_encoder")
    tokenizer = CLIPTokenizerFast.from_pretrained(folder / "tokenizer", local_files_only=True)
    scheduler = DDIMScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
    told = scheduler.config.prediction_type
    if told not in ("epsilon", "v_prediction"):
        raise ValueError(f"it tells {told}, neither the noise nor the velocity")

    def encode(pictures: Tensor) -> Tensor:
        return autoencoder.encode(pictures.to(dtype)).latent_dist.mean.float() * autoencoder.config.scaling_factor

    @torch.no_grad()
    def embed(texts: list[str]) -> Tensor:
        length = text_encoder.config.max_position_embeddings
        tokens = tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        return text_encoder(tokens.input_ids.to(device))[0]

    return Denoiser(
        predict=lambda noisy, steps, vectors: unet(noisy, steps, encoder_hidden_states=vectors).sample,
        tells_velocity=told == "v_prediction",
        alphas=scheduler.alphas_cumprod.to(device),
        encode=encode,
        embed=embed,
        size=unet.config.sample_size * 2 ** (len(autoencoder.config.block_out_channels) - 1),
        dtype=dtype,
    )
