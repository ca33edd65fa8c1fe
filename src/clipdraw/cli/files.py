"""Commands on files: `clipdraw score`, `explain`, `rasterize`, `convert`, `views`, `film` and `convert-weights`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.cli.options import Json, Quiet, find_encoders, takes_limits, takes_settings
from clipdraw.cli.progress import display
from clipdraw.errors import FormatError, InputError

if TYPE_CHECKING:
    from torch import Tensor

    from clipdraw.drawing import Drawing
    from clipdraw.evaluate.explain import Explanation
    from clipdraw.optimization.losses import Prompt

_LARGEST_SIDE, _LARGEST_VIEW = 16_384, 1024
_SHOWN = 5  # strokes that add most

File = Annotated[Path, typer.Argument(help="A drawing (.svg, .json) or a picture (.png, .jpg, .webp).")]


@takes_settings("encoder", "device")
@takes_limits
def score(
    file: File,
    settings: dict[str, Any],
    prompts: Annotated[
        list[str] | None, typer.Argument(help="Texts to compare it with; what it was drawn for if not given.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say how well a drawing or picture matches texts: one cosine a text.

    A drawing in the folder of its run is judged as the run was, unless options say otherwise; any other by the built-in
    encoder.
    """
    if any(not prompt.strip() for prompt in prompts or []):
        raise InputError("a prompt is empty: give texts to compare the picture with")
    with display(quiet=quiet):
        find_encoders(settings)
        from clipdraw.evaluate.score import score as cosines
        from clipdraw.optimization.losses import distinct
        from clipdraw.runs import judge_of, note_unread

        picture = read_picture(file)
        judge = judge_of(file, settings)
        texts = prompts or [prompt.text for prompt in judge.prompts or _prompts(picture, [])]
        if not texts:
            raise InputError(f"{file} does not say what it was drawn for: give texts to compare it with")
        note_unread(texts, judge.encoder)
        values = cosines(picture, texts, judge.encoder)
    if as_json:
        scores = dict(zip(distinct(texts), values, strict=True))
        print(json.dumps({"file": str(file), **judge.about(), "scores": scores}))
        return
    for text, value in sorted(zip(texts, values, strict=True), key=lambda pair: -pair[1]):
        print(f"{value:7.4f}  {text}")


@takes_settings("encoder", "device")
@takes_limits
def explain(
    file: File,
    settings: dict[str, Any],
    prompt: Annotated[
        list[str] | None, typer.Option(help="TEXT[:WEIGHT] that it was drawn for; the file's own if not given.")
    ] = None,
    words: Annotated[int, typer.Option(help="How many of the nearest words to show.")] = 5,
    word_list: Annotated[Path | None, typer.Option(help="A text file of words, one a line, instead of nouns.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture of what each stroke adds: .png or .svg; FILE-explained.png.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say which words are nearest to a drawing, and show how much each of its strokes matters.

    What a stroke adds is the similarity of the drawing minus that of the drawing without it. The judge is that of
    score.
    """
    if words < 1:
        raise InputError(f"--words must be at least 1, got {words}")
    if out is not None and out.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"--out names a .png or .svg file, got {out}")
    with display(quiet=quiet):
        from clipdraw.evaluate.explain import NOUNS, explain, read_words
        from clipdraw.runs import judge_of, note_unread

        picture = read_picture(file)
        prompts = _prompts(picture, prompt or [])
        target = _target(picture, prompts, file=file, out=out)
        chosen = read_words(word_list or NOUNS)
        judge = judge_of(file, settings)
        note_unread((each.text for each in prompts), judge.encoder)
        found = explain(picture, prompts, encoder=judge.encoder, words=chosen, count=words)
        if target is not None:
            _write_importance(picture, found, prompts, target)
    if as_json:
        print(json.dumps({"file": str(file), **judge.about()} | _summary(found, prompts, target)))
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
    from clipdraw.optimization.losses import distinct

    names, weights = distinct(prompt.text for prompt in prompts), (prompt.weight for prompt in prompts)
    return {
        "prompts": dict(zip(names, weights, strict=True)),
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


@takes_limits
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
        from clipdraw.io.images import write_png_bands
        from clipdraw.limits import limited
        from clipdraw.raster import rasterize_bands

        drawing = Drawing.load(file)
        if shown:
            shown.say(f"writing {out}")
        height, width = drawing.canvas.pixel_size(size)
        with limited(f"an image of {width} x {height} pixels"):
            bands = rasterize_bands(drawing, height=height, width=width)
            write_png_bands(bands, out, size=(height, width), metadata=drawing.metadata)
    print(out)


@takes_limits
def convert(
    file: Annotated[Path, typer.Argument(help="A drawing (.svg, .json).")],
    out: Annotated[Path, typer.Option(help="The drawing to write (.svg, .json).")],
    quiet: Quiet = False,
) -> None:
    """Write a drawing in another format: paths as JSON from an SVG, or an SVG from them."""
    with display(quiet=quiet):
        from clipdraw.drawing import Drawing

        Drawing.load(file).save(out)
    print(out)


@takes_settings("views", "seed", "preset")
@takes_limits
def views(
    source: Annotated[Path, typer.Argument(help="The folder of a run, a drawing or a picture.")],
    settings: dict[str, Any],
    out: Annotated[Path, typer.Option(help="A sheet (.png, .webp, .svg); or without an ending a folder of PNGs.")],
    size: Annotated[int, typer.Option(help="Pixels along the sides of a view.")] = 224,
    quiet: Quiet = False,
) -> None:
    """Save the distorted copies of a picture that an encoder sees, as in figure 1 of the paper.

    Of a run they are those of its first step, with its own settings; of a file those of the preset paper. An encoder
    sees them at its own size, such as 64.
    """
    if not 1 <= size <= _LARGEST_VIEW:
        raise InputError(f"--size must be from 1 to {_LARGEST_VIEW}, got {size}")
    with display(quiet=quiet):
        from clipdraw.config import resolve
        from clipdraw.drawing import Drawing
        from clipdraw.evaluate.score import image_of
        from clipdraw.runs.folder import read_record

        of_run = source.is_dir()
        own = read_record(source)["config"] if of_run else {"preset": "paper"}
        config = resolve("a picture", {**own, **settings})
        picture = read_picture(source / "drawing.svg" if of_run else source)
        image = image_of(picture, config.resolution or size) if isinstance(picture, Drawing) else picture
        _write_views(picture, config.recipe().views.apply(image, size, generator=config.generator()), out)
    print(out)


def _write_views(picture: Drawing | Tensor, views: Tensor, out: Path) -> None:
    """Write views beside their picture as one sheet, or each by itself into a folder."""
    from clipdraw.figures import Cell, Sheet, write_sheet
    from clipdraw.io.images import to_bytes
    from clipdraw.io.video import write_numbered

    if not out.suffix:
        write_numbered((to_bytes(view) for view in views), out)
        return
    cells = [
        Cell(picture, ("the picture",)),
        *(Cell(view, (f"view {number}",)) for number, view in enumerate(views, 1)),
    ]
    columns = math.ceil(math.sqrt(len(cells)))
    rows = [cells[at : at + columns] for at in range(0, len(cells), columns)]
    write_sheet(Sheet(rows, side=views.shape[-1]), out)


def convert_weights(
    source: Annotated[Path, typer.Argument(help="A .pt or .bin of CLIP or SigLIP, or the folder that it is in.")],
    target: Annotated[Path, typer.Argument(help="The folder to write, which --encoder then takes.")],
    quiet: Quiet = False,
) -> None:
    """Write pickled weights as safetensors, without running the code that a pickle may hold."""
    with display(quiet=quiet):
        from clipdraw.encoders.convert import convert_weights as convert

        convert(source, target)
    print(target)


@takes_limits
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
        typer.Option(
            help="The film: .mp4, .webp, .gif, .svg; .png, eight moments; or without an ending a folder of PNGs."
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a film of a finished run: how it came about, or how it is drawn."""
    with display(quiet=quiet):
        from clipdraw import runs

        written = runs.film(source, kind=kind, out=out, length=length, hold=hold, size=size, fps=fps)
    if as_json:
        files = written.iterdir() if written.is_dir() else [written]
        size_bytes = sum(file.stat().st_size for file in files)
        about = {"film": str(written), "kind": kind, "seconds": length + hold, "bytes": size_bytes}
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
