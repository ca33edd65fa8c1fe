"""`clipdraw sweep`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.cli.options import Json, Quiet, find_encoders, named, takes_settings, toml_value
from clipdraw.cli.progress import Display, display
from clipdraw.errors import ConfigError

if TYPE_CHECKING:
    from clipdraw.runs.sweep import Cell, Outcome, Plan, Sweep

    Callbacks = tuple[Callable[[str, int], None] | None, Callable[[Outcome], None] | None]


@takes_settings("steps", "encoder", "negative", "device", "threads")
def sweep(
    settings: dict[str, Any],
    prompts: Annotated[list[str] | None, typer.Argument(help="What to draw, one text or several.")] = None,
    style: Annotated[
        list[str] | None,
        typer.Option(help="Words before the prompt, or around it with {} in its place. Repeat it for several."),
    ] = None,
    strokes: Annotated[str | None, typer.Option(help="Numbers of strokes: 16,64,256.")] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds: 0,3,5 or 0-4.")] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE,VALUE,... for any setting, or NAME=[...]. Repeat it for several."),
    ] = None,
    preset: Annotated[
        list[str] | None,
        typer.Option(help="A sweep that ships (see presets), a preset of draw, or one of each."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; if it holds a sweep, that one goes on, without prompts as it is.")
    ] = None,
    processes: Annotated[int, typer.Option(help="How many drawings are made at a time.")] = 1,
    config: Annotated[Path | None, typer.Option(help="A TOML file: prompts, styles, seeds, vary, settings.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw every combination of PROMPTS, styles, strokes, seeds and settings onto one sheet.

    The same command again keeps what is finished and goes on with the rest.
    """
    axes = dict(_axis(option, text) for option, text in named(vary or [], "--vary NAME=VALUE,VALUE"))
    if strokes is not None:
        axes |= dict([_axis("strokes", strokes)])
    changes: dict[str, Any] = {"styles": tuple(style)} if style else {}
    if seeds is not None:
        changes["seeds"] = _seeds(seeds)
    with display(quiet=quiet, overall=True) as shown:
        find_encoders(settings)
        from clipdraw.runs import sweep as sweeping

        name, plan = _plan(prompts or [], out, config, preset or [])
        plan = replace(plan, settings={**plan.settings, **settings}, vary={**plan.vary, **axes}, **changes)
        on_step, on_run = _callbacks(plan.cells(), shown)
        done = sweeping.work(plan, name=name, out=out, processes=processes, on_step=on_step, on_run=on_run)
    _report(done, as_json=as_json)


def _plan(prompts: Sequence[str], out: Path | None, file: Path | None, presets: Sequence[str]) -> tuple[str, Plan]:
    """A name for the folder, and the plan before the other options."""
    from clipdraw.config import presets as presets_of_draw
    from clipdraw.config import read_toml
    from clipdraw.runs import sweep as sweeping

    shipped = sweeping.plans()
    if unknown := [name for name in presets if name not in (*shipped, *presets_of_draw())]:
        there = ", ".join((*shipped, *presets_of_draw()))
        raise ConfigError(f"there is no preset {unknown[0]!r}; there are: {there}")
    names = [name for name in presets if name in shipped]
    recipes = [name for name in presets if name not in shipped]
    if len(names) + (file is not None) > 1 or len(recipes) > 1:
        raise ConfigError(
            f"one sweep and one preset of draw at most, got {', '.join([*presets, *([str(file)] if file else [])])}"
        )
    name, plan = "", sweeping.Plan()
    if names:
        name, plan = names[0], shipped[names[0]]
    elif file is not None:
        name, plan = file.stem, sweeping.from_dict(read_toml(file))
    elif not prompts and out is not None and out.is_dir():
        plan = sweeping.read_plan(out)
    if recipes:
        plan = replace(plan, settings={**plan.settings, "preset": recipes[0]})
    return name, replace(plan, prompts=tuple(prompts)) if prompts else plan


def _axis(name: str, text: str) -> tuple[str, tuple[Any, ...]]:
    """A setting and its values, from `[1, 2]` as TOML has it or from `1,2`."""
    whole = toml_value(text) if text.lstrip().startswith("[") else None
    if isinstance(whole, list):
        return name, tuple(whole)
    return name, tuple(toml_value(part.strip()) for part in text.split(",") if part.strip())


def _seeds(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise ConfigError(f"seeds are written 0,3,5 or 0-4, got {text!r}")
        found += range(first, min(last, first + 10_000) + 1)
    return tuple(found)


def _report(done: Sweep, *, as_json: bool) -> None:
    """Print what came of a sweep; exit 130 if it was interrupted, 1 if a run failed."""
    if as_json:
        print(json.dumps(_summary(done)))
    else:
        for outcome in done.outcomes:
            if outcome.status == "failed":
                typer.echo(f"clipdraw: {outcome.folder} failed: {outcome.message}", err=True)
        if done.status == "interrupted":
            typer.echo(f"stopped; go on with: clipdraw sweep --out {done.folder}", err=True)
        print(done.folder)
    if done.status != "finished":
        raise typer.Exit(130 if done.status == "interrupted" else 1)


def _summary(done: Sweep) -> dict[str, Any]:
    folder = done.folder
    runs = [
        {
            "folder": str(outcome.folder), "svg": str(outcome.folder / "drawing.svg"), "prompt": cell.config.prompt,
            "seed": cell.config.seed, "labels": list(cell.labels), "status": outcome.status,
            "similarity": outcome.similarity, "seconds": outcome.seconds, "message": outcome.message,
        }
        for cell, outcome in zip(done.cells, done.outcomes, strict=True)
    ]  # fmt: skip
    files = {"png": "sheet.png", "svg": "sheet.svg", "page": "index.html"}
    named_files = {name: str(folder / file) for name, file in files.items()}
    return {"folder": str(folder), **named_files, "status": done.status, "runs": runs}


def _callbacks(cells: Sequence[Cell], shown: Display | None) -> Callbacks:
    """The callbacks of a sweep that show the steps of all its runs together."""
    if shown is None:
        return None, None
    of = {cell.name: cell.config.steps for cell in cells}
    steps, ended = dict.fromkeys(of, 0), set[str]()

    def show(latest: str) -> None:
        detail = f"{len(ended)} of {len(of)} drawings  {latest}"
        shown.advance("steps", sum(steps.values()), sum(of.values()), detail=detail)

    def on_step(name: str, index: int) -> None:
        steps[name] = index
        show(name)

    def on_run(outcome: Outcome) -> None:
        ended.add(outcome.name)
        if outcome.status in ("finished", "failed"):
            steps[outcome.name] = of[outcome.name]
        show(outcome.name)

    return on_step, on_run
