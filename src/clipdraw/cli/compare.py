"""`clipdraw compare`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.cli.draw import Json, Quiet, settings
from clipdraw.errors import ConfigError

if TYPE_CHECKING:
    from clipdraw.config import Config
    from clipdraw.optimization.loop import Step
    from clipdraw.runs import Comparison


def compare(
    prompts: Annotated[list[str], typer.Argument(help="What to draw: a row of the figure each.")],
    methods: Annotated[
        str, typer.Option(help="The columns, of clipdraw, pixels, biggan, no-augment, no-negative.")
    ] = "clipdraw,pixels,biggan,no-augment",
    seed: Annotated[list[int] | None, typer.Option(help="Repeat it for several, a row each.")] = None,
    held_out: Annotated[
        str | None,
        typer.Option(help="A judge that no method optimizes: builtin, a hub id or a folder."),
    ] = None,
    generator: Annotated[
        str | None, typer.Option("--biggan", help="BigGAN-deep's weights: a hub id or a folder.")
    ] = None,
    strokes: Annotated[int | None, typer.Option(help="Number of strokes.")] = None,
    steps: Annotated[int | None, typer.Option(help="Number of updates.")] = None,
    views: Annotated[int | None, typer.Option(help="Distorted copies that are judged in each step.")] = None,
    canvas: Annotated[str | None, typer.Option(help="Size in canvas units: 224 or 320x180.")] = None,
    encoder: Annotated[list[str] | None, typer.Option(help="The judge that is optimized, as for draw.")] = None,
    negative: Annotated[list[str] | None, typer.Option(help="TEXT[:WEIGHT] to stay away from, as for draw.")] = None,
    preset: Annotated[
        str | None, typer.Option(help="Where the other settings come from; paper, unless --config is given.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; it must be new or empty.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; 0 takes what is there.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE for any setting.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let several methods draw each prompt from the same seeds, into one labeled figure.

    Each picture has its similarity under the encoder that was optimized and under one that was not (--held-out);
    without such an encoder, under the same one on views of a kind that no method optimizes.
    """
    options = settings(setting or []) | {
        "strokes": strokes, "steps": steps, "views": views, "device": device, "threads": threads,
        "encoder": tuple(encoder) if encoder else None, "negative": tuple(negative) if negative else None,
        "preset": preset or (None if config else "paper"),
    }  # fmt: skip
    with _progress(shown=not quiet) as on_step:
        found = _compare(
            _configs(prompts, seed or [0], canvas, config, options), methods, held_out, generator, out, on_step
        )
    if as_json:
        print(json.dumps(_summary(found)))
    else:
        _tell(found)
    if found.status == "interrupted":
        raise typer.Exit(130)


def _configs(
    prompts: list[str], seeds: list[int], canvas: str | None, file: Path | None, options: dict[str, Any]
) -> list[Config]:
    from clipdraw.config import parse_canvas, resolve

    if canvas is not None:
        options = options | {"canvas": parse_canvas(canvas)}
    return [resolve(prompt, options | {"seed": seed}, file=file) for prompt in prompts for seed in seeds]


def _compare(
    configs: list[Config], methods: str, held_out: str | None, generator: str | None, out: Path | None,
    on_step: Callable[[str, Config, Step], None] | None,
) -> Comparison:  # fmt: skip
    from clipdraw import load_encoder
    from clipdraw.encoders.devices import choose_device
    from clipdraw.runs import compare
    from clipdraw.runs.methods import method

    names = [name.strip() for name in methods.split(",") if name.strip()]
    for name in names:
        method(name)
    if held_out is not None and held_out in configs[0].judges():
        raise ConfigError(f"--held-out {held_out} is the encoder that is optimized; name another one, or none")
    other = load_encoder(held_out, device=choose_device(configs[0].device)) if held_out is not None else None
    return compare(configs, names, held_out=other, generator=generator or "", out=out, on_step=on_step)


def _summary(found: Comparison) -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "svg": str(found.folder / "comparison.svg"),
        "png": str(found.folder / "comparison.png"),
        "encoder": found.judge,
        "held_out": found.held_out,
        "means": {name: {"similarity": a, "held_out": b} for name, (a, b) in found.means().items()},
        "results": [asdict(result) for result in found.results],
        "status": found.status,
    }


def _tell(found: Comparison) -> None:
    if means := found.means():
        print(f"{'method':12} {'optimized':>9} {found.label:>11}   means over the pictures")
        for name, (optimized, other) in means.items():
            print(f"{name:12} {optimized:9.3f} {other:11.3f}")
        print(f"optimized: {found.judge}; {found.label}: {found.held_out}")
    for name, reason in {result.method: result.reason for result in found.results if result.reason}.items():
        print(f"{name}: not available: {reason}")
    if found.status == "interrupted":
        pictures = sum(bool(result.files) for result in found.results)
        typer.echo(f"stopped; the figure has the pictures that were finished: {pictures}", err=True)
    print(found.folder)


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[str, Config, Step], None] | None]:
    """A bar on standard error for each picture."""
    if not shown:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), MofNCompleteColumn(), BarColumn(), TimeRemainingColumn()
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    tasks: dict[tuple[str, str, int], Any] = {}

    def on_step(name: str, config: Config, step: Step) -> None:
        progress.start()  # only now: until the first step a message may still be printed
        key = name, config.title, config.seed
        if key not in tasks:
            for done in tasks.values():
                progress.update(done, visible=False)
            tasks[key] = progress.add_task(f"{config.title}, seed {config.seed}: {name}", total=step.of)
        progress.update(tasks[key], completed=step.index)

    try:
        yield on_step
    finally:
        progress.stop()
