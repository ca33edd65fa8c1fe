"""`clipdraw draw` and `clipdraw resume`."""

from __future__ import annotations

import json
import tomllib
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.errors import ConfigError

if TYPE_CHECKING:
    from clipdraw.optimization.loop import Step
    from clipdraw.runs import Run

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]
_CENTRE, _FILMS = "Keep to the middle", "Films"


def draw(
    prompt: Annotated[
        list[str],
        typer.Argument(help='TEXT[:WEIGHT] to draw (weight 1). Name several for one picture: "a cat:2" watercolor.'),
    ],
    strokes: Annotated[int | None, typer.Option(help="Number of strokes: few is a cartoon, many has detail.")] = None,
    steps: Annotated[int | None, typer.Option(help="Number of updates.")] = None,
    views: Annotated[int | None, typer.Option(help="Distorted copies that are judged in each step.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same drawing.")] = None,
    canvas: Annotated[str | None, typer.Option(help="Size in canvas units: 224 or 320x180.")] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(help="The judge, NAME[:WEIGHT]: builtin, a hub id or a folder. Repeat it for several."),
    ] = None,
    negative: Annotated[
        list[str] | None, typer.Option(help="TEXT[:WEIGHT] to stay away from (weight 0.3). Repeat it for several.")
    ] = None,
    centre_radius: Annotated[
        float | None,
        typer.Option(
            help="Pull back what lies farther from the middle, in units of a 224-unit canvas.", rich_help_panel=_CENTRE
        ),
    ] = None,
    centre_weight: Annotated[
        float | None, typer.Option(help="How strongly; 0: not at all.", rich_help_panel=_CENTRE)
    ] = None,
    centre_power: Annotated[
        float | None, typer.Option(help="Power of the distance beyond the radius.", rich_help_panel=_CENTRE)
    ] = None,
    centre_kind: Annotated[
        str | None,
        typer.Option(
            help="disc: free within the radius; ring: drawn to it; pull, sum: to the middle.", rich_help_panel=_CENTRE
        ),
    ] = None,
    centre_on: Annotated[
        str | None, typer.Option(help="What is pulled: control points, or ink.", rich_help_panel=_CENTRE)
    ] = None,
    film_kind: Annotated[
        list[str] | None,
        typer.Option(help="optimization (the default), strokes; repeat it for both.", rich_help_panel=_FILMS),
    ] = None,
    film_format: Annotated[
        list[str] | None,
        typer.Option(help="svg, mp4, webp, gif, or video: mp4 if possible, else webp.", rich_help_panel=_FILMS),
    ] = None,
    film_length: Annotated[
        float | None, typer.Option(help="Seconds until the drawing is complete.", rich_help_panel=_FILMS)
    ] = None,
    film_hold: Annotated[float | None, typer.Option(help="Seconds that it then stays.", rich_help_panel=_FILMS)] = None,
    film_size: Annotated[int | None, typer.Option(help="Pixels along the longer side.", rich_help_panel=_FILMS)] = None,
    preset: Annotated[str | None, typer.Option(help="Where the other settings come from; see presets.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the files; it must be new or empty.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads; 0 takes what is there.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE for any setting, such as --set points_rate=2.0.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the words nearest to it all along.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw what PROMPT describes, as SVG, PNG and a film of how it came about.

    A colon followed by a number gives a text its weight; times such as 12:30 stay text, and so does all that is in
    double quotes: '"route 66"'.
    """
    options: dict[str, Any] = settings(setting or [])
    given = {
        "strokes": strokes, "steps": steps, "views": views, "seed": seed, "preset": preset, "device": device,
        "centre_radius": centre_radius, "centre_weight": centre_weight, "centre_power": centre_power,
        "centre_kind": centre_kind, "centre_on": centre_on,
        "film_length": film_length, "film_hold": film_hold, "film_size": film_size,
    }  # fmt: skip
    options |= {name: value for name, value in given.items() if value is not None}
    if threads is not None:
        options["threads"] = threads
    if encoder:
        options["encoder"] = tuple(encoder)
    if film_kind:
        options["film_kinds"] = tuple(film_kind)
    if film_format:
        options["film_formats"] = tuple(film_format)
    if negative:
        options["negative"] = tuple(negative)
    if explain:
        options["explain"] = True
    if prompt[1:]:
        options["also"] = tuple(prompt[1:])
        _note_lone_words(prompt)
    _start(lambda on_step: _draw(prompt[0], canvas, out, config, options, on_step), as_json=as_json, quiet=quiet)


def resume(
    folder: Annotated[Path, typer.Argument(help="The folder of a run that was interrupted or killed.")],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Go on with a run to the drawing that it would have become."""

    def work(on_step: Callable[[Step], None] | None) -> Run:
        from clipdraw import runs as run

        return run.resume(folder, on_step=on_step)

    _start(work, as_json=as_json, quiet=quiet)


def _draw(
    prompt: str, canvas: str | None, out: Path | None, file: Path | None, options: dict[str, Any],
    on_step: Callable[[Step], None] | None,
) -> Run:  # fmt: skip
    from clipdraw import runs as run
    from clipdraw.config import parse_canvas

    if canvas is not None:
        options["canvas"] = parse_canvas(canvas)
    return run.draw(prompt, out=out, config_file=file, on_step=on_step, **options)


def _note_lone_words(prompts: list[str]) -> None:
    """Say so if it looks as if the quotes of one text were forgotten."""
    if not any(" " in text or ":" in text for text in prompts):
        words = " ".join(prompts)
        warnings.warn(f'these are {len(prompts)} texts for one picture; one text is written "{words}"', stacklevel=2)


def settings(pairs: list[str]) -> dict[str, Any]:
    """The values of `NAME=VALUE` pairs, read as TOML; text needs no quotes."""
    return {name: toml_value(value) for name, value in named(pairs, "--set NAME=VALUE")}


def named(pairs: list[str], form: str) -> Iterator[tuple[str, str]]:
    """The two sides of each pair.

    Raises:
        ConfigError: there is no equals sign or nothing before it.
    """
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            option, _, rest = form.partition(" ")
            raise ConfigError(f"{option} takes {rest}, got {pair!r}")
        yield name.strip(), value


def toml_value(text: str) -> Any:
    """What TOML reads in the text, or the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _start(work: Callable[[Callable[[Step], None] | None], Run], *, as_json: bool, quiet: bool) -> None:
    """Do the work under a progress bar and print what came of it."""
    with _progress(shown=not quiet) as on_step:
        run = work(on_step)
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


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[Step], None] | None]:
    """A bar on standard error with step, similarity, steps a second and time left."""
    if not shown:
        yield None
        return
    from rich.console import Console, RenderableType
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    columns = (
        TextColumn("step"),
        MofNCompleteColumn(),
        BarColumn(),
        TextColumn("similarity {task.fields[similarity]:.3f}"),
        TextColumn("{task.fields[rate]:.1f} steps/s"),
        TimeRemainingColumn(),
    )

    class WithWords(Progress):
        """The bar, and below it the words nearest to the drawing."""

        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            yield from (Text(task.fields["words"]) for task in self.tasks if task.fields["words"])

    progress = WithWords(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task("draw", total=None, similarity=0.0, rate=0.0, words="")

    def on_step(step: Step) -> None:
        progress.start()  # only now: until the first step a message may still be printed
        rate = progress.tasks[0].speed or 0.0
        words = "  ".join(f"{word.text} {word.probability:.0%}" for word in step.words)
        progress.update(task, total=step.of, completed=step.index, similarity=step.similarity, rate=rate, words=words)

    try:
        yield on_step
    finally:
        progress.stop()
