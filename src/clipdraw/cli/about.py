"""`clipdraw presets` and `clipdraw models`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

_HUB_MODELS = (
    ("openai/clip-vit-base-patch32", "the judge of the paper; 605 MB"),
    ("openai/clip-vit-base-patch16", "sees more detail; 599 MB, four times slower"),
    ("openai/clip-vit-large-patch14", "stronger; 1.7 GB, for a GPU"),
    ("google/siglip-base-patch16-224", "SigLIP; 813 MB"),
    ("google/siglip2-base-patch16-224", "SigLIP 2; 1.5 GB"),
)


def presets(
    name: Annotated[str | None, typer.Argument(help="Show every setting of this preset.")] = None,
) -> None:
    """List the presets of draw and sweep, or every setting of one of draw."""
    from clipdraw import config
    from clipdraw.runs import sweep as sweeping

    if name is not None:
        resolved = config.resolve("what you ask for", {"preset": name})
        for setting, value in resolved.to_dict().items():
            if setting != "prompt":
                print(f"{setting} = {value}")
        return
    for preset, settings in config.presets().items():
        print(f"{preset:14} {settings['about']}")
    for name, plan in sweeping.plans().items():
        print(f"{name:14} sweep: {plan.about}")


def models() -> None:
    """List the encoders that can judge a drawing."""
    from clipdraw.encoders import builtin

    size = builtin.WEIGHTS.stat().st_size / 1e6
    print(f"{'builtin':34} ships inside ({size:.0f} MB), no network")
    extra = "" if find_spec("transformers") else "; needs: pip install 'clipdraw[clip]'"
    for name, text in _HUB_MODELS:
        print(f"{name:34} {text}{extra}")
    print(f"{'FOLDER':34} any CLIP or SigLIP checkpoint in safetensors")
