"""Text-image encoders: the built-in one and CLIP-like models from a hub or a folder.

Names that need torch are imported when they are first used, so that an encoder that is not there is found out before
torch is loaded, which takes seconds.
"""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipdraw.encoders.checkpoint import ENCODER, find_checkpoint
from clipdraw.errors import ConfigError
from clipdraw.progress import log
from clipdraw.registry import Registry
from clipdraw.weights import is_model_id

if TYPE_CHECKING:
    import torch

    from clipdraw.encoders.base import Encoder, Ensemble, ImagePrior, layers_of, logit_scale_of, prior_of, unknown_words

__all__ = [
    "Encoder",
    "Ensemble",
    "ImagePrior",
    "absolute_name",
    "encoders",
    "find_encoder",
    "layers_of",
    "load_encoder",
    "logit_scale_of",
    "prior_of",
    "split_weight",
    "unknown_words",
]

encoders = Registry("encoders", {"builtin": "clipdraw.encoders.builtin:load"})
"""Name to `load(*, device, precision, normalize) -> Encoder`.

Every loader takes these three keywords; one that has no use for a keyword ignores it.
"""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'clipdraw.encoders' has no attribute {name!r}")
    value = getattr(import_module("clipdraw.encoders.base"), name)
    globals()[name] = value
    return value


def load_encoder(
    name: str = "builtin", *, device: torch.device | str = "cpu", precision: str = "auto", normalize: bool = True
) -> Encoder:
    """A text-image encoder on its device, frozen; torch's random state stays as it was.

    Args:
        name: `builtin` or the name of a plug-in; a folder with a CLIP or SigLIP checkpoint, as `transformers` or
            open_clip store it; such a checkpoint's hub id, as `openai/clip-vit-base-patch32`; or OpenAI's name of it,
            as `ViT-B/32`. A registered name goes before a folder of that name (which is reached as `./name`), a
            folder before a name at the hub.
        device: where to compute.
        precision: `"float32"`, `"bfloat16"`, `"float16"`, or `"auto"`: whichever is measured to be fast here.
        normalize: whether CLIP-like encoders normalize pixel values as in their training; the published
            CLIPDraw notebook does not.

    Returns:
        The encoder.

    Raises:
        ConfigError: `name` is none of these, or `precision` is unknown.
        MissingExtraError: the encoder needs a part of clipdraw that is not installed.
        WeightsError: its weights cannot be found, fetched or read.
    """
    if name in encoders:
        load = encoders[name]
    else:
        from clipdraw.encoders import clip

        find_encoder(name)
        load = partial(clip.load, name)
    import torch

    log.info("loading the encoder %s", name)
    with torch.random.fork_rng(devices=[]):  # layers may be made with random numbers before their weights are read
        return load(device=device, precision=precision, normalize=normalize)


def find_encoder(name: str) -> None:
    """Make sure that there is an encoder of that name, with its files, which are fetched if need be.

    Raises:
        ConfigError: there is none.
        MissingExtraError: it needs a part of clipdraw that is not installed.
        WeightsError: its weights cannot be found or fetched, or are of an unsupported kind.
    """
    if name in encoders:
        return
    if not name or not (Path(name).expanduser().exists() or "/" in name or is_model_id(ENCODER.hub_id(name))):
        raise ConfigError(
            f"no encoder called {name!r}; there are: {', '.join(sorted(encoders))}, a folder with a CLIP or "
            "SigLIP checkpoint, or a hub id such as openai/clip-vit-base-patch32, which OpenAI calls ViT-B/32"
        )
    find_checkpoint(name)


def split_weight(text: str) -> tuple[str, float]:
    """The name and the weight of an encoder that is written `NAME` or `NAME:WEIGHT`; 1 without a weight."""
    match = re.fullmatch(r"(.+):([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)", text)
    return (match[1], float(match[2])) if match else (text, 1.0)


def absolute_name(name: str) -> str:
    """The name of an encoder that means the same in every folder: what is a path here becomes an absolute one."""
    path = Path(name).expanduser()
    return str(path.resolve()) if name and name not in encoders and path.exists() else name
