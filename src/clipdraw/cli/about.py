"""`clipdraw presets`, `clipdraw models` and `clipdraw doctor`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
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
    from clipdraw import config, sweeping

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


def doctor() -> None:
    """Check this installation: what is there, and how fast it draws."""
    width = 14
    failed = False
    for name, check in _CHECKS:
        try:
            for line in check():
                print(f"{name:{width}} {line}")
        except Exception as error:  # noqa: BLE001 - the doctor reports whatever is broken
            failed = True
            print(f"{name:{width}} BROKEN: {type(error).__name__}: {' '.join(str(error).split())}")
    raise typer.Exit(1 if failed else 0)


def _versions() -> Iterator[str]:
    from clipdraw.run import versions

    yield ", ".join(f"{part} {version}" for part, version in versions().items())


def _extras() -> Iterator[str]:
    for extra, module in (("clip", "transformers"), ("video", "av"), ("cog", "cog")):
        yield f"{extra}: " + ("installed" if find_spec(module) else f"missing; pip install 'clipdraw[{extra}]'")


def _devices() -> Iterator[str]:
    import torch

    from clipdraw.run import chosen_device

    yield f"{chosen_device('auto')} is used; {os.cpu_count()} processors, {torch.get_num_threads()} threads"


def _precision() -> Iterator[str]:
    from clipdraw.encoders.precision import bfloat16_is_fast

    yield f"bfloat16 is {'faster than' if bfloat16_is_fast('cpu') else 'not faster than'} float32 on this processor"


def _weights() -> Iterator[str]:
    from clipdraw.encoders import builtin

    found = builtin.checksum()
    if found != builtin.SHA256:
        raise ValueError(f"checksum {found[:12]}... instead of {builtin.SHA256[:12]}...; reinstall clipdraw")
    yield f"built-in encoder {builtin.load().version}, checksum right"


def _speed() -> Iterator[str]:
    import torch

    from clipdraw import load_encoder, rasterize
    from clipdraw.drawing import Canvas
    from clipdraw.initialize import RandomStrokes

    drawing = RandomStrokes(256)(Canvas(), torch.Generator().manual_seed(0))
    for parameter in drawing.parameters():
        parameter.requires_grad_()
    both_ways = _best(lambda: rasterize(drawing).sum().backward())
    yield f"rasterizer, 256 strokes at 224 x 224, both ways: {both_ways:.1f} ms"
    encoder = load_encoder("builtin")
    views = torch.rand(8, 3, encoder.view_size, encoder.view_size, requires_grad=True)
    both_ways = _best(lambda: encoder.encode_image(views).sum().backward())
    yield f"built-in encoder, 8 views, both ways: {both_ways:.1f} ms"


def _best(work: Callable[[], object]) -> float:
    """The shortest of five times in milliseconds, after one that warms up."""
    work()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def _folder() -> Iterator[str]:
    from pathlib import Path

    if not os.access(Path.cwd(), os.W_OK):
        raise PermissionError(f"cannot write into {Path.cwd()}; use --out")
    yield f"drawings go to {Path.cwd() / 'drawings'}"


_CHECKS = (
    ("versions", _versions),
    ("extras", _extras),
    ("device", _devices),
    ("precision", _precision),
    ("weights", _weights),
    ("speed", _speed),
    ("folder", _folder),
)
