"""Text-image encoders: the built-in one and CLIP-like models from a hub or a folder."""

from __future__ import annotations

from pathlib import Path

import torch

from clipdraw.encoders.base import Encoder, ImagePrior, logit_scale_of, prior_of
from clipdraw.encoders.ensemble import Ensemble
from clipdraw.errors import ConfigError
from clipdraw.progress import log
from clipdraw.registry import Registry

__all__ = ["Encoder", "Ensemble", "ImagePrior", "encoders", "load_encoder", "logit_scale_of", "prior_of"]


encoders = Registry("encoders", {"builtin": "clipdraw.encoders.builtin.encoder:load"})
"""Name to `load(*, device, precision, normalize) -> Encoder`.

Every loader takes these three keywords; one that has no use for a keyword ignores it.
"""


def load_encoder(
    name: str = "builtin", *, device: torch.device | str = "cpu", precision: str = "auto", normalize: bool = True
) -> Encoder:
    """A text-image encoder on its device, frozen; torch's random state stays as it was.

    Args:
        name: `builtin` or the name of a plug-in; a folder with a CLIP or SigLIP checkpoint; or such a
            checkpoint's hub id, as `openai/clip-vit-base-patch32`. A registered name goes before a folder of
            that name (which is reached as `./name`).
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
    if name in tuple(encoders):
        log.info("loading the encoder %s", name)
        with torch.random.fork_rng(devices=[]):
            return encoders[name](device=device, precision=precision, normalize=normalize)
    if not name or ("/" not in name and not Path(name).expanduser().is_dir()):
        raise ConfigError(
            f"no encoder called {name!r}; there are: {', '.join(sorted(encoders))}, a folder with a CLIP or "
            "SigLIP checkpoint, or a hub id such as openai/clip-vit-base-patch32"
        )
    from clipdraw.encoders import clip

    log.info("loading the encoder %s", name)
    with torch.random.fork_rng(devices=[]):  # which layers are made with before their weights are read
        return clip.load(name, device=device, precision=precision, normalize=normalize)
