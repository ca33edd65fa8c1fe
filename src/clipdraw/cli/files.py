"""Commands on files: `clipdraw score`, `clipdraw explain`, `clipdraw rasterize` and `clipdraw film`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.cli.options import Device, Encoder, Json, Quiet
from clipdraw.cli.progress import display
from clipdraw.errors import FormatError, InputError

if TYPE_CHECKING:
    from torch import Tensor

    from clipdraw.drawing import Drawing
    from clipdraw.evaluate.explain import Explanation
    from clipdraw.optimization.losses import Prompt

_LARGEST_SIDE = 16_384
_SHOWN = 5  # strokes that add most

File = Annotated[Path, typer.Argument(help="A drawing (.svg, .json) or a picture (.png, .jpg, .webp).")]


def score(
    file: File,
    prompts: Annotated[list[str], typer.Argument(help="Texts to compare it with.")],
    encoder: Encoder = "builtin",
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say how well a drawing or picture matches texts: one cosine a text."""
    if any(not prompt.strip() for prompt in prompts):
        raise InputError("a prompt is empty: give texts to compare the picture with")
    with display(quiet=quiet):
        from clipdraw.encoders import load_encoder
        from clipdraw.encoders.devices import choose_device
        from clipdraw.evaluate.score import score as cosines

        picture = read_picture(file)
        values = cosines(picture, prompts, load_encoder(encoder, device=choose_device(device)))
    if as_json:
        print(json.dumps({"file": str(file), "encoder": encoder, "scores": dict(zip(prompts, values, strict=True))}))
        return
    for prompt, value in sorted(zip(prompts, values, strict=True), key=lambda pair: -pair[1]):
        print(f"{value:7.4f}  {prompt}")


def explain(
    file: File,
    prompt: Annotated[
        list[str] | None, typer.Option(help="TEXT[:WEIGHT] that it was drawn for; the file's own if not given.")
    ] = None,
    words: Annotated[int, typer.Option(help="How many of the nearest words to show.")] = 5,
    word_list: Annotated[Path | None, typer.Option(help="A text file of words, one a line, instead of nouns.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture of what each stroke adds: .png or .svg; FILE-explained.png.")
    ] = None,
    encoder: Encoder = "builtin",
    device: Device = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which words are nearest to a drawing, and show how much each of its strokes matters.

    What a stroke adds is the similarity of the drawing minus that of the drawing without it.
    """
    if words < 1:
        raise InputError(f"--words must be at least 1, got {words}")
    if out is not None and out.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"--out names a .png or .svg file, got {out}")
    with display(quiet=quiet):
        from clipdraw.encoders import load_encoder
        from clipdraw.encoders.devices import choose_device
        from clipdraw.evaluate.explain import NOUNS, explain, read_words

        picture = read_picture(file)
        prompts = _prompts(picture, prompt or [])
        target = _target(picture, prompts, file=file, out=out)
        chosen = read_words(word_list or NOUNS)
        judge = load_encoder(encoder, device=choose_device(device))
        found = explain(picture, prompts, encoder=judge, words=chosen, count=words)
        if target is not None:
            _write_importance(picture, found, prompts, target)
    if as_json:
        print(json.dumps({"file": str(file), "encoder": encoder} | _summary(found, prompts, target)))
    else:
        _tell(found, prompts, target)


def _prompts(picture: Drawing | Tensor, given: list[str]) -> tuple[Prompt, ...]:
    """The prompts on the command line, else those in the drawing's metadata."""
    from clipdraw.config.prompts import parse_prompts
    from clipdraw.drawing import Drawing

    if given or not isinstance(picture, Drawing):
        return parse_prompts(tuple(given), ())
    about = picture.metadata
    kept = about["prompts"].splitlines() if "prompts" in about else [about.get("prompt", "")]
    return parse_prompts(tuple(text for text in kept if text.strip()), ())


def _target(picture: Drawing | Tensor, prompts: tuple[Prompt, ...], *, file: Path, out: Path | None) -> Path | None:
    """The file for the picture of what each stroke adds, if there are strokes that can add something.

    Raises:
        InputError: it cannot be written, or there are no strokes to show.
    """
    from clipdraw.drawing import Drawing
    from clipdraw.io import target_of

    if isinstance(picture, Drawing) and prompts:
        target = out or file.with_name(f"{file.stem}-explained.png")
        target_of(target)
        return target
    if out is not None:
        raise InputError("no strokes to show: --out needs a drawing (.svg) and what it was drawn for (--prompt)")
    return None


def _write_importance(picture: Any, found: Explanation, prompts: tuple[Prompt, ...], out: Path) -> None:
    from clipdraw.config.prompts import title_of
    from clipdraw.evaluate.stroke_importance import colored
    from clipdraw.figures import Cell, Sheet, write_sheet

    assert found.strokes is not None
    seen = tuple(f"{word.probability:.0%}  {word.text}" for word in found.words)
    legend = ("red: the similarity needs them", "gray: no difference", "blue: better without them")
    cells = Cell(picture, seen), Cell(colored(picture, found.strokes), legend)
    title = f"{title_of(prompts)}: similarity {found.similarity:.3f}"
    write_sheet(Sheet([cells], ("the drawing, the nearest words", "what each stroke adds"), title=title, scale=2), out)


def _summary(found: Explanation, prompts: tuple[Prompt, ...], out: Path | None) -> dict[str, Any]:
    return {
        "prompts": {prompt.text: prompt.weight for prompt in prompts},
        "similarity": None if math.isnan(found.similarity) else found.similarity,
        "words": dict(found.words),
        "strokes": None if found.strokes is None else found.strokes.tolist(),
        "picture": None if out is None else str(out),
    }


def _tell(found: Explanation, prompts: tuple[Prompt, ...], out: Path | None) -> None:
    for word in found.words:
        print(f"{word.probability:6.1%}  {word.text}")
    if found.strokes is None:
        return
    order = found.strokes.argsort(descending=True).tolist()
    best = ", ".join(f"{i + 1} ({found.strokes[i].item():+.4f})" for i in order[:_SHOWN])
    print(f"similarity {found.similarity:.4f} to {', '.join(prompt.text for prompt in prompts)}")
    print(f"strokes that add most, of {len(order)} from back to front: {best}")
    print(f"strokes without which it would be higher: {int((found.strokes < 0).sum())}")
    print(out)


def rasterize(
    file: Annotated[Path, typer.Argument(help="A drawing (.svg, .json).")],
    out: Annotated[Path, typer.Option(help="The picture to write (.png).")],
    size: Annotated[int, typer.Option(help="Pixels along the longer side.")] = 896,
    quiet: Quiet = False,
) -> None:
    """Write a drawing as a PNG."""
    if not 1 <= size <= _LARGEST_SIDE:
        raise InputError(f"--size must be from 1 to {_LARGEST_SIDE}, got {size}")
    if out.suffix.lower() != ".png":
        raise InputError(f"--out names a .png file, got {out}")
    with display(quiet=quiet) as shown:
        from clipdraw.drawing import Drawing
        from clipdraw.io.images import write_png
        from clipdraw.raster import rasterize as to_image

        drawing = Drawing.load(file)
        if shown:
            shown.say(f"writing {out}")
        height, width = drawing.canvas.pixel_size(size)
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
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a film of a finished run: how it came about, or how it is drawn."""
    with display(quiet=quiet):
        from clipdraw import runs

        written = runs.film(source, kind=kind, out=out, length=length, hold=hold, size=size, fps=fps)
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
