"""`clipdraw draw` and `clipdraw resume`."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.cli.options import Json, Quiet, find_encoders, takes_limits, takes_settings
from clipdraw.cli.progress import Display, display

if TYPE_CHECKING:
    from clipdraw.evaluate.explain import Word
    from clipdraw.optimization.loop import Step
    from clipdraw.runs import Run


@takes_limits
@takes_settings(
    "strokes", "steps", "views", "seed", "canvas", "encoder", "negative", "region", "scene",
    "center_radius", "center_weight", "center_power", "center_kind", "center_on",
    "centre_radius", "centre_weight", "centre_power", "centre_kind", "centre_on",
    "source", "like", "style", "below", "medium", "palette", "palette_from", "background", "shape",
    "film_kind", "film_format", "film_length", "film_hold", "film_size",
    "frames", "preset", "device", "threads", "explain",
)  # fmt: skip
def draw(
    prompt: Annotated[
        list[str],
        typer.Argument(help='TEXT[:WEIGHT] to draw (weight 1). Name several for one picture: "a cat:2" watercolor.'),
    ],
    settings: dict[str, Any],
    out: Annotated[Path | None, typer.Option(help="Folder for the files; it must be new or empty.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw what PROMPT describes, as SVG, PNG and a film of how it came about.

    A colon followed by a number gives a text its weight; times such as 12:30 stay text, and so does all that is in
    double quotes: '"route 66"'.
    """
    if prompt[1:]:
        settings["also"] = tuple(prompt[1:])
        _note_lone_words(prompt)
    with display(quiet=quiet) as shown:
        find_encoders(settings)
        from clipdraw import runs

        run = runs.draw(prompt[0], out=out, config_file=config, **_callbacks(shown), **settings)
    _report(run, as_json=as_json)


@takes_limits
def resume(
    folder: Annotated[Path, typer.Argument(help="The folder of a run that was interrupted or killed.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Go on with a run to the drawing that it would have become."""
    with display(quiet=quiet) as shown:
        from clipdraw import runs

        run = runs.resume(folder, **_callbacks(shown))
    _report(run, as_json=as_json)


def _note_lone_words(prompts: list[str]) -> None:
    """Say so if it looks as if the quotes of one text were forgotten."""
    if not any(" " in text or ":" in text for text in prompts):
        words = " ".join(prompts)
        warnings.warn(f'these are {len(prompts)} texts for one picture; one text is written "{words}"', stacklevel=2)


def _callbacks(shown: Display | None) -> dict[str, Any]:
    """The callbacks of a run that show its steps and words."""
    if shown is None:
        return {}

    def on_step(step: Step) -> None:
        shown.advance("step", step.index, step.of, detail=f"similarity {step.similarity:.3f}", unit="steps")

    def on_words(words: tuple[Word, ...]) -> None:
        shown.show_below("  ".join(f"{word.text} {word.probability:.0%}" for word in words))

    return {"on_step": on_step, "on_words": on_words}


def _report(run: Run, *, as_json: bool) -> None:
    """Print what came of a run; exit 130 if it was interrupted."""
    if as_json:
        print(json.dumps(_summary(run)))
    else:
        if run.status == "interrupted":
            typer.echo(f"stopped after {run.steps} steps; go on with: clipdraw resume {run.folder}", err=True)
        print(run.folder)
    if run.status == "interrupted":
        raise typer.Exit(130)


def _summary(run: Run) -> dict[str, Any]:
    return {
        "folder": str(run.folder),
        "svg": str(run.folder / "drawing.svg"),
        "png": str(run.folder / "drawing.png"),
        "similarity": run.similarity,
        "similarities": dict(run.similarities),
        "seconds": run.seconds,
        "steps": run.steps,
        "steps_per_second": run.steps_per_second,
        "seed": run.seed,
        "status": run.status,
    } | ({"words": dict(run.words)} if run.words else {})
