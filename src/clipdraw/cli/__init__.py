"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Callable
from inspect import getdoc
from io import TextIOWrapper
from typing import Any

import typer

from clipdraw.cli import about, compare, draw, files, plot, sweep, trace
from clipdraw.errors import ClipdrawError, DivergedError, is_want_of_memory

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
_COMMANDS: dict[str, Callable[..., None]] = {
    "draw": draw.draw,
    "resume": draw.resume,
    "compare": compare.compare,
    "sweep": sweep.sweep,
    "film": files.film,
    "score": files.score,
    "explain": files.explain,
    "rasterize": files.rasterize,
    "trace": trace.trace,
    "plot": plot.plot,
    "convert": files.convert,
    "views": files.views,
    "convert-weights": files.convert_weights,
    "presets": about.presets,
    "models": about.models,
    "doctor": about.doctor,
}
for _name, _command in _COMMANDS.items():
    # Typer keeps line breaks within a paragraph; the terminal's width is to decide where lines end.
    _paragraphs = (getdoc(_command) or "").split("\n\n")
    app.command(_name, help="\n\n".join(" ".join(text.split()) for text in _paragraphs))(_command)


def main() -> None:
    """Run the command line: exit code 2 for a bad request, 1 for a failed run, each with one line."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # names of files that are not UTF-8 are told byte by byte
    warnings.showwarning = _one_line
    signal.signal(signal.SIGTERM, _terminate)
    try:
        raise SystemExit(app(standalone_mode=False))
    except _UsageError as error:
        _fail(f"{error.format_message()} See clipdraw --help.", code=2)  # type: ignore[attr-defined]
    except (typer.Abort, KeyboardInterrupt):
        _fail("stopped", code=130)
    except ClipdrawError as error:
        _fail(error, code=1 if isinstance(error, DivergedError) else 2)
    except (MemoryError, RuntimeError, ImportError) as error:
        if not is_want_of_memory(error):
            raise
        _fail("there is not enough memory for this: take a smaller image or a smaller drawing", code=2)
    except OSError as error:
        _fail(f"{error.filename or 'writing'}: {error.strerror or error}", code=1)


def _terminate(number: int, frame: object) -> None:
    """End as after Ctrl-C: files that are being written are removed."""
    _fail("terminated", code=128 + number)


def _fail(message: object, *, code: int) -> None:
    print(f"clipdraw: {' '.join(str(message).split())}", file=sys.stderr)
    raise SystemExit(code)


def _one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"clipdraw: note: {' '.join(str(message).split())}", file=sys.stderr)
