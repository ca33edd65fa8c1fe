"""`clipdraw trace`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipdraw.cli.options import Quiet
from clipdraw.cli.progress import display
from clipdraw.errors import InputError


def trace(
    picture: Annotated[Path, typer.Argument(help="A picture (.png, .jpg, .webp).")],
    shapes: Annotated[int, typer.Option(help="How many closed shapes.")] = 64,
    steps: Annotated[
        int, typer.Option(help="Updates in each stage; the number of shapes doubles from stage to stage.")
    ] = 60,
    size: Annotated[int, typer.Option(help="Pixels along the longer side at which the picture is compared.")] = 128,
    out: Annotated[Path | None, typer.Option(help="The drawing to write (.svg); PICTURE.svg if not given.")] = None,
    quiet: Quiet = False,
) -> None:
    """Trace a picture with closed shapes of one color each, for fewest shapes rather than fewest seconds."""
    target = out or picture.with_suffix(".svg")
    if target.suffix.lower() != ".svg":
        raise InputError(f"--out names a .svg file, got {target}")
    if target == picture:
        raise InputError(f"{picture} is a drawing already: a picture is traced")
    with display(quiet=quiet):
        from clipdraw.io.images import read_image
        from clipdraw.optimization.tracing import Tracing

        Tracing(shapes, steps, size)(read_image(picture)).save(target)
    print(target)
