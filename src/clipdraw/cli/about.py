"""Commands about this installation: `clipdraw presets`, `clipdraw models` and `clipdraw doctor`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Annotated

import typer

from clipdraw.errors import install_command

_HUB_MODELS = (
    ("openai/clip-vit-base-patch32", "the judge of the paper, or ViT-B/32; 605 MB"),
    ("openai/clip-vit-base-patch16", "or ViT-B/16: sees more detail; 599 MB, four times slower"),
    ("openai/clip-vit-large-patch14", "or ViT-L/14: stronger; 1.7 GB, for a GPU"),
    ("google/siglip-base-patch16-224", "SigLIP; 813 MB"),
    ("google/siglip2-base-patch16-224", "SigLIP 2; 1.5 GB"),
)
_STEPS = 250
_CLIP = "CLIP ViT-B/32, 8 views"


def presets(
    name: Annotated[str | None, typer.Argument(help="Show every setting of this preset, or this plan.")] = None,
) -> None:
    """List the presets of draw and the plans of many drawings, for sweep and compare; or show one of them."""
    from clipdraw import config
    from clipdraw.runs import sweep as sweeping

    plans = sweeping.plans()
    if name in plans:
        for part, value in plans[name].to_dict().items():
            print(f"{part} = {value}")
        return
    if name is not None:
        resolved = config.resolve("a prompt", {"preset": name})
        for setting, value in config.settings_of(resolved).items():
            if setting != "prompt":
                print(f"{setting} = {value}")
        return
    for preset, settings in config.presets().items():
        print(f"{preset:14} {settings['about']}")
    for each, plan in plans.items():
        print(f"{each:14} plan: {plan.about}")


def models() -> None:
    """List the encoders that can judge a drawing."""
    from clipdraw.encoders import builtin

    size = builtin.WEIGHTS.stat().st_size / 1e6
    print(f"{'builtin':34} ships inside ({size:.0f} MB), no network")
    for name, text in _HUB_MODELS:
        print(f"{name:34} {text}")
    print(f"{'FOLDER':34} any CLIP or SigLIP in safetensors, as transformers or open_clip store it")
    print(f"{'FILE.pt, FILE.bin':34} pickled weights: first clipdraw convert-weights FILE NEW_FOLDER")
    if not find_spec("transformers"):
        print(f"all but builtin need: {install_command('clip')}")


def doctor() -> None:
    """Check this installation: what is there, and how fast it draws."""
    width = 14
    failed = False
    for name, check in _CHECKS:
        try:
            for line in check():
                print(f"{name:{width}} {line}", flush=True)
        except Exception as error:  # noqa: BLE001 - the doctor reports whatever is broken
            failed = True
            print(f"{name:{width}} BROKEN: {type(error).__name__}: {' '.join(str(error).split())}", flush=True)
    raise typer.Exit(1 if failed else 0)


def _versions() -> Iterator[str]:
    from clipdraw.runs import versions

    yield ", ".join(f"{part} {version}" for part, version in versions().items())


def _extras() -> Iterator[str]:
    for extra, module in (
        ("clip", "transformers"),
        ("video", "av"),
        ("plotter", "vpype"),
        ("diffusion", "diffusers"),
        ("cog", "cog"),
    ):
        yield f"{extra}: " + ("installed" if find_spec(module) else f"missing; {install_command(extra)}")


def _devices() -> Iterator[str]:
    import torch

    from clipdraw.encoders.devices import devices
    from clipdraw.raster import usable_processors

    for device in devices():
        if device == "cuda":
            memory = torch.cuda.get_device_properties(0).total_memory / 1e9
            yield f"cuda: {torch.cuda.get_device_name(0)}, {memory:.0f} GB"
        elif device == "mps":
            yield "mps: the graphics processor of Apple silicon"
        else:
            yield f"cpu: {usable_processors()} of {os.cpu_count()} processors, {torch.get_num_threads()} threads"
    if len(devices()) > 1:
        yield f"--device auto takes {devices()[0]}; compare the speeds below"


def _precision() -> Iterator[str]:
    import torch

    from clipdraw.encoders.devices import choose_precision, devices

    for device in devices():
        chosen = str(choose_precision("auto", torch.device(device))).removeprefix("torch.")
        why = "measured to be faster than float32" if chosen == "bfloat16" else "bfloat16 is not measured to be faster"
        yield f"{device}: encoders compute in {chosen}; {why}"


def _weights() -> Iterator[str]:
    from clipdraw.encoders import builtin

    found = builtin.checksum()
    if found != builtin.SHA256:
        raise ValueError(f"checksum {found[:12]}... instead of {builtin.SHA256[:12]}...; reinstall clipdraw")
    yield f"built-in encoder {builtin.load().version}, checksum right"


def _speed() -> Iterator[str]:
    from clipdraw.encoders.devices import devices

    for device in devices():
        step = _builtin_step(device)
        yield (
            f"{device}: built-in encoder, 256 strokes: {1000 * step:.0f} ms a step, "
            f"{_STEPS} steps in {_time(_STEPS * step)}"
        )
        least = _clip_products(device)
        yield (
            f"{device}: {_CLIP}: at least {least:.2g} s a step, {_STEPS} steps in {_time(_STEPS * least)}, "
            "by the speed of its matrix products"
        )


def _builtin_step(device: str) -> float:
    """Seconds of a step of a drawing as `clipdraw draw` makes it."""
    from clipdraw.config import resolve
    from clipdraw.runs import encoder_of

    config = resolve("a red heart", {"device": device})
    run = config.build(encoder_of(config)).begin()
    return _best(run.step)  # a step reads its losses, so that a graphics processor has finished


def _clip_products(device: str) -> float:
    """Seconds of the matrix products of a ViT-B/32 for 8 views, forward and backward to the views."""
    import torch

    from clipdraw.encoders.devices import choose_precision

    rows, width, hidden, layers = 8 * 50, 768, 3072, 12
    dtype = choose_precision("auto", torch.device(device))
    shapes = [(width, width)] * 4 + [(width, hidden), (hidden, width)]
    products = [
        (torch.ones(rows, n, dtype=dtype, device=device), torch.ones(m, n, dtype=dtype, device=device))
        for n, m in shapes
    ]

    def layer() -> float:
        for inputs, weights in products:
            last = (inputs @ weights.T) @ weights
        return last.sum().item()  # waits for a graphics processor

    return layers * _best(layer)


def _best(work: Callable[[], object]) -> float:
    """The shortest of five times in seconds, after two that warm up."""
    times = []
    for _ in range(7):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times[2:])


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"


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
