"""`clipdraw score`, `clipdraw rasterize` and `clipdraw film`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipdraw.errors import FormatError, InputError

if TYPE_CHECKING:
    from torch import Tensor

    from clipdraw.drawing import Drawing

_LARGEST_SIDE = 16_384


def score(
    file: Annotated[Path, typer.Argument(help="A drawing (.svg, .json) or a picture (.png, .jpg, .webp).")],
    prompts: Annotated[list[str], typer.Argument(help="Texts to compare it with.")],
    encoder: Annotated[str, typer.Option(help="The judge: builtin, a hub id or a folder.")] = "builtin",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say how well a drawing or picture matches texts: one cosine a text."""
    from clipdraw.encoders import load_encoder
    from clipdraw.encoders.devices import choose_device
    from clipdraw.evaluate.scoring import score as cosines

    if any(not prompt.strip() for prompt in prompts):
        raise InputError("a prompt is empty: give texts to compare the picture with")
    picture = read_picture(file)
    values = cosines(picture, prompts, load_encoder(encoder, device=choose_device(device)))
    if as_json:
        print(json.dumps({"file": str(file), "encoder": encoder, "scores": dict(zip(prompts, values, strict=True))}))
        return
    for prompt, value in sorted(zip(prompts, values, strict=True), key=lambda pair: -pair[1]):
        print(f"{value:7.4f}  {prompt}")


def rasterize(
    file: Annotated[Path, typer.Argument(help="A drawing (.svg, .json).")],
    out: Annotated[Path, typer.Option(help="The picture to write (.png).")],
    size: Annotated[int, typer.Option(help="Pixels along the longer side.")] = 896,
) -> None:
    """Write a drawing as a PNG."""
    from clipdraw.drawing import Drawing
    from clipdraw.io.images import write_png
    from clipdraw.raster import rasterize as to_image

    if not 1 <= size <= _LARGEST_SIDE:
        raise InputError(f"--size must be from 1 to {_LARGEST_SIDE}, got {size}")
    if out.suffix.lower() != ".png":
        raise InputError(f"--out names a .png file, got {out}")
    drawing = Drawing.load(file)
    pixels = size / max(drawing.canvas.width, drawing.canvas.height)
    height, width = (max(1, round(side * pixels)) for side in (drawing.canvas.height, drawing.canvas.width))
    write_png(to_image(drawing, height=height, width=width), out, metadata=drawing.metadata)
    print(out)


def film(
    source: Annotated[Path, typer.Argument(help="The folder of a run; for strokes a drawing (.svg, .json) will do.")],
    kind: Annotated[
        str, typer.Option(help="optimization: as it came about; strokes: one stroke after another.")
    ] = "optimization",
    length: Annotated[float, typer.Option(help="Seconds until the drawing is complete.")] = 8.0,
    hold: Annotated[float, typer.Option(help="Seconds that it then stays.")] = 2.0,
    size: Annotated[int, typer.Option(help="Pixels along the longer side.")] = 448,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 25,
    out: Annotated[
        Path | None,
        typer.Option(help="The film: .mp4, .webp, .gif, .svg, or .png for a strip of eight moments."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a film of a finished run: how it came about, or how it is drawn."""
    from clipdraw import runs as run

    written = run.film(source, kind=kind, out=out, length=length, hold=hold, size=size, fps=fps)
    if as_json:
        about = {"film": str(written), "kind": kind, "seconds": length + hold, "bytes": written.stat().st_size}
        print(json.dumps(about))
        return
    print(written)


def read_picture(file: Path) -> Drawing | Tensor:
    """The drawing or picture in a file, by its ending.

    Raises:
        FormatError: there is no such file, or it cannot be read.
    """
    from clipdraw.drawing import Drawing
    from clipdraw.io import readers
    from clipdraw.io.images import read_image

    if file.is_dir():
        raise FormatError(f"{file}: a folder; name the file in it, such as {file / 'drawing.svg'}")
    if not file.is_file():
        raise FormatError(f"{file}: there is no such file")
    return Drawing.load(file) if file.suffix.lower().lstrip(".") in readers else read_image(file)
