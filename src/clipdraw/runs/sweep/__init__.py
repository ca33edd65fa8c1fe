"""Sweeps: many runs that differ along axes, a run for each cell of a plan, gathered on one sheet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clipdraw.errors import ClipdrawError, ConfigError, FormatError, InputError, UnreadableError
from clipdraw.io import remove_leftovers, write_text
from clipdraw.progress import Interrupt, interruptible
from clipdraw.raster import usable_processors
from clipdraw.runs.films import films_of
from clipdraw.runs.folder import is_free, slug, to_json
from clipdraw.runs.session import encoder_of, note_unread, versions
from clipdraw.runs.sweep.plan import Cell, Plan, from_dict, plans
from clipdraw.runs.sweep.sheet import write_gathered
from clipdraw.runs.sweep.workers import OnStep, Outcome, Task, folder_of, found, in_processes, perform

__all__ = ["Cell", "Outcome", "Plan", "Sweep", "from_dict", "plans", "read_plan", "sweep", "work"]

RECORD, RUNS = "sweep.json", "runs"
MOST_PROCESSES = 256

OnRun = Callable[[Outcome], None]


@dataclass(frozen=True)
class Sweep:
    """A sweep, finished or not.

    Args:
        folder: with `sheet.png`, `sheet.svg`, `index.html`, `sweep.json` and the runs.
        plan: what was asked for.
        cells: its drawings.
        outcomes: what came of each, in the same order.
    """

    folder: Path
    plan: Plan
    cells: tuple[Cell, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def status(self) -> str:
        """`finished`; `failed` if a run failed; `interrupted` if one is left to be done."""
        statuses = {outcome.status for outcome in self.outcomes}
        if statuses & {"interrupted", "waiting"}:
            return "interrupted"
        return "failed" if "failed" in statuses else "finished"


def sweep(
    prompts: str | Sequence[str],
    *,
    styles: Sequence[str] = (),
    seeds: Sequence[int] = (0,),
    vary: Mapping[str, Sequence[Any]] | None = None,
    out: str | Path | None = None,
    processes: int = 1,
    **settings: Any,
) -> Sweep:
    """Draw every combination of prompts, styles, settings and seeds, and gather the drawings on one sheet.

    Called again with the same arguments it keeps what is finished and goes on with the rest.

    Args:
        prompts: what to draw.
        styles: words before or, with `{}`, around each prompt.
        seeds: seeds.
        vary: names of settings of `clipdraw.Config`, each with its values: `{"strokes": [16, 64]}`.
        out: the folder; `sweeps/<slug>` if not given.
        processes: how many runs are made at a time. With more than one, a script needs the usual
            `if __name__ == "__main__":` around what it does.
        settings: of all drawings, such as `steps=100`.

    Raises:
        InputError, ConfigError, WeightsError: a run would not be possible; nothing has been drawn.
    """
    texts = (prompts,) if isinstance(prompts, str) else tuple(prompts)
    values = {name: tuple(items) for name, items in (vary or {}).items()}
    plan = Plan(texts, tuple(styles), vary=values, seeds=tuple(seeds), settings=settings)
    return work(plan, out=Path(out) if out is not None else None, processes=processes)


def work(
    plan: Plan,
    *,
    name: str = "",
    out: Path | None = None,
    processes: int = 1,
    on_step: OnStep | None = None,
    on_run: OnRun | None = None,
) -> Sweep:
    """Make the runs of a plan that are not finished yet, then the sheets.

    Args:
        plan: what to draw.
        name: of the folder below `sweeps`; from the first prompt if not given.
        out: the folder instead.
        processes: how many runs are made at a time.
        on_step: called after each step of a run, with the name of the run.
        on_run: called with the outcome of each run, and before with those that are there.

    Raises:
        InputError, ConfigError, WeightsError: as `sweep`.
    """
    if not 1 <= processes <= MOST_PROCESSES:
        raise InputError(f"processes must be from 1 to {MOST_PROCESSES}, got {processes}")
    plan = plan.with_absolute_paths()
    cells = plan.cells()
    _check(cells)
    folder = _make_folder(plan, name or slug(cells[0].config.prompt), out)
    threads = max(1, usable_processors() // processes) if processes > 1 else 0
    tasks = [Task(cell, folder_of(cell, folder / RUNS), 0 if cell.config.threads else threads) for cell in cells]
    outcomes = {task.cell.name: found(task) for task in tasks}
    done = Sweep(folder, plan, cells, tuple(outcomes.values()))
    _record(done)
    for outcome in outcomes.values():
        if on_run and outcome.status == "finished":
            on_run(outcome)
    left = [task for task in tasks if outcomes[task.cell.name].status != "finished"]
    with interruptible() as interrupt:
        for outcome in _made(left, processes, on_step or (lambda name, index: None), interrupt):
            outcomes[outcome.name] = outcome
            done = replace(done, outcomes=tuple(outcomes.values()))
            _record(done)
            if on_run:
                on_run(outcome)
    write_gathered(folder, plan, cells, done.outcomes)
    return done


def read_plan(folder: Path) -> Plan:
    """The plan of a sweep that was begun in a folder.

    Raises:
        FormatError: it is not the folder of a sweep.
    """
    try:
        return from_dict({**json.loads((folder / RECORD).read_text(encoding="utf-8"))["plan"]})
    except FileNotFoundError:
        raise FormatError(f"{folder}: not the folder of a sweep: it has no {RECORD}") from None
    except OSError as error:
        raise FormatError(f"{folder / RECORD}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ConfigError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else error
        raise FormatError(f"{folder / RECORD}: damaged: {reason}; name the prompts again to go on in it") from None


def _check(cells: Sequence[Cell]) -> None:
    """Load each encoder once, and let it tell what it does not read.

    A drawing that its encoder cannot read at all fails by itself, unless there is no other.
    """
    encoders = {}
    unreadable: list[str] = []
    for cell in cells:
        config = cell.config
        key = config.judge, config.device
        try:
            films_of(config)
            if key not in encoders:
                encoders[key] = encoder_of(config)
            note_unread((prompt.text for prompt in config.prompts()), encoders[key])
        except UnreadableError as error:
            unreadable.append(str(error))
        except ClipdrawError as error:
            raise ConfigError(f"{', '.join(cell.labels)}: {error}") from None
    if len(unreadable) == len(cells):
        raise InputError(unreadable[0])


def _made(tasks: Sequence[Task], processes: int, on_step: OnStep, interrupt: Interrupt) -> Iterator[Outcome]:
    if processes > 1 and len(tasks) > 1:
        yield from in_processes(tasks, processes, on_step, interrupt)
        return
    for task in tasks:
        outcome = perform(task, on_step)
        yield outcome
        if interrupt.requested or outcome.status == "interrupted":
            return


def _make_folder(plan: Plan, name: str, out: Path | None) -> Path:
    """`out`, or `sweeps/<name>`, with `-2`, `-3` ... if that holds another sweep.

    Raises:
        InputError: `out` holds something else, or the folder cannot be made.
    """
    folder = out or _first_fitting(plan, Path("sweeps") / name)
    try:
        if folder.exists() and not (folder.is_dir() and ((folder / RECORD).exists() or is_free(folder))):
            raise InputError(f"{folder} exists and is not the folder of a sweep: name another one")
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot make the folder: {error.strerror or error}") from None
    return folder


def _first_fitting(plan: Plan, path: Path) -> Path:
    number = 1
    while True:
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        if not folder.exists() or (folder.is_dir() and (is_free(folder) or _draws(folder, plan))):
            return folder
        number += 1


def _draws(folder: Path, plan: Plan) -> bool:
    """Whether a folder is that of a sweep of the same drawings."""
    try:
        return [cell.name for cell in read_plan(folder).cells()] == [cell.name for cell in plan.cells()]
    except (FormatError, ConfigError):  # no sweep, a damaged one, or a plan that was allowed once
        return False


def _record(done: Sweep) -> None:
    """Write `sweep.json`."""
    runs = [
        {
            "name": outcome.folder.name, "labels": list(cell.labels), "prompt": cell.config.prompt,
            "seed": cell.config.seed, "status": outcome.status, "similarity": outcome.similarity,
            "seconds": outcome.seconds, "message": outcome.message,
        }
        for cell, outcome in zip(done.cells, done.outcomes, strict=True)
    ]  # fmt: skip
    record = {"status": done.status, "plan": done.plan.to_dict(), "versions": versions(), "runs": runs}
    write_text(to_json(record, indent=2), done.folder / RECORD)
