"""`clipdraw compare`."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.cli.options import Json, Quiet, find_encoders, takes_settings
from clipdraw.cli.progress import display
from clipdraw.errors import ConfigError, InputError

if TYPE_CHECKING:
    from clipdraw.config import Config
    from clipdraw.encoders import Encoder
    from clipdraw.optimization.loop import Step
    from clipdraw.runs import Comparison


@takes_settings("strokes", "steps", "views", "canvas", "encoder", "negative", "preset", "device", "threads")
def compare(
    settings: dict[str, Any],
    prompts: Annotated[list[str] | None, typer.Argument(help="What to draw: a row of the figure each.")] = None,
    methods: Annotated[
        str, typer.Option(help="The columns, of clipdraw, pixels, biggan, no-augment, no-negative.")
    ] = "clipdraw,pixels,biggan,no-augment",
    seed: Annotated[list[int] | None, typer.Option(help="Repeat it for several, a row each.")] = None,
    held_out: Annotated[
        str | None,
        typer.Option(help="A judge that no method optimizes: builtin, a hub id or a folder."),
    ] = None,
    generator: Annotated[str, typer.Option("--biggan", help="BigGAN-deep's weights: a hub id or a folder.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for the files; it must be new or empty.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let several methods draw each prompt from the same seeds, into one labeled figure.

    Each picture has its similarity under the encoder that was optimized and under one that was not (--held-out);
    without such an encoder, under the same one on views of a kind that no method optimizes. Without --preset and
    --config the settings are those of the preset paper; --preset figure-3 has the paper's prompts, too.
    """
    names = [name.strip() for name in methods.split(",") if name.strip()]
    with display(quiet=quiet) as shown:
        find_encoders(settings, *([held_out] if held_out else []))
        from clipdraw import runs
        from clipdraw.runs.comparison import method

        def on_step(name: str, config: Config, step: Step) -> None:
            if shown:
                picture = f"{config.title}, seed {config.seed}: {name}"
                shown.advance(picture, step.index, step.of, unit="steps")

        configs = _rows(prompts or [], seed or [], settings, config)
        for name in names:
            method(name)
        other = _held_out(held_out, configs[0]) if held_out is not None else None
        found = runs.compare(configs, names, held_out=other, generator=generator, out=out, on_step=on_step)
    _report(found, as_json=as_json)


def _rows(prompts: list[str], seeds: list[int], settings: dict[str, Any], file: Path | None) -> list[Config]:
    """The configurations of the rows: of a plan that ships if the preset is one, else of the prompts given.

    Raises:
        ConfigError, InputError: there is no prompt, or a setting is wrong.
    """
    from clipdraw.config import by_full_name, read_toml
    from clipdraw.runs import sweep as sweeping

    given = by_full_name(read_toml(file) if file else {"preset": "paper"}) | by_full_name(settings)
    shipped = sweeping.plans()
    plan = shipped[given.pop("preset")] if given.get("preset") in shipped else sweeping.Plan()
    if not (prompts or plan.prompts):
        raise InputError('a comparison needs prompts: say what to draw, for example "a cat" "a dog"')
    plan = replace(
        plan,
        prompts=tuple(prompts) or plan.prompts,
        seeds=tuple(seeds) or plan.seeds,
        settings={**plan.settings, **given},
    )
    return [cell.config for cell in plan.cells()]


def _held_out(name: str, config: Config) -> Encoder:
    from clipdraw import load_encoder
    from clipdraw.encoders.devices import choose_device

    if name in config.judge.weights():
        raise ConfigError(f"--held-out {name} is the encoder that is optimized; name another one, or none")
    return load_encoder(name, device=choose_device(config.device))


def _report(found: Comparison, *, as_json: bool) -> None:
    """Print what came of a comparison; exit 130 if it was interrupted."""
    if as_json:
        print(json.dumps(_summary(found)))
    else:
        _tell(found)
    if found.status == "interrupted":
        raise typer.Exit(130)


def _summary(found: Comparison) -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "svg": str(found.folder / "comparison.svg"),
        "png": str(found.folder / "comparison.png"),
        "encoder": found.encoder,
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
        print(f"optimized: {found.encoder}; {found.label}: {found.held_out}")
    for name, reason in {result.method: result.reason for result in found.results if result.reason}.items():
        print(f"{name}: not available: {reason}")
    if found.status == "interrupted":
        pictures = sum(bool(result.files) for result in found.results)
        typer.echo(f"stopped; the figure has the pictures that were finished: {pictures}", err=True)
    print(found.folder)
