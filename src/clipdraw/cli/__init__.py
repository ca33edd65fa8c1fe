"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import typer

from clipdraw.cli import about, compare, doctor, draw, explain, files, sweep
from clipdraw.errors import ClipdrawError, DivergedError

# Typer carries a click of its own in newer versions; this is the usage error of whichever it uses.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="clipdraw",
    help='Vector drawings from words. Start with: clipdraw draw "a bonfire"',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("draw")(draw.draw)
app.command("resume")(draw.resume)
app.command("compare")(compare.compare)
app.command("sweep")(sweep.sweep)
app.command("film")(files.film)
app.command("score")(files.score)
app.command("explain")(explain.explain)
app.command("rasterize")(files.rasterize)
app.command("presets")(about.presets)
app.command("models")(about.models)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line: exit code 2 for a bad request, 1 for a failed run, each with one line."""
    warnings.showwarning = _one_line
    try:
        raise SystemExit(app(standalone_mode=False))
    except _UsageError as error:
        _fail(f"{error.format_message()} See clipdraw --help.", code=2)  # type: ignore[attr-defined]
    except typer.Abort:
        _fail("stopped", code=130)
    except ClipdrawError as error:
        _fail(error, code=1 if isinstance(error, DivergedError) else 2)
    except KeyboardInterrupt:
        _fail("stopped at once; what the last checkpoint holds goes on with resume", code=130)
    except OSError as error:
        _fail(f"{error.filename or 'writing'}: {error.strerror or error}", code=1)


def _fail(message: object, *, code: int) -> None:
    print(f"clipdraw: {' '.join(str(message).split())}", file=sys.stderr)
    raise SystemExit(code)


def _one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"clipdraw: note: {' '.join(str(message).split())}", file=sys.stderr)
