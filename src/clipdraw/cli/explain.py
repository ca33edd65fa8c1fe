"""`clipdraw explain`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipdraw.cli.files import read_picture
from clipdraw.errors import InputError

if TYPE_CHECKING:
    from clipdraw.drawing import Drawing
    from clipdraw.evaluate.explanation import Explanation
    from clipdraw.optimization.losses import Prompt

_SHOWN = 5


def explain(
    file: Annotated[Path, typer.Argument(help="A drawing (.svg, .json) or a picture (.png, .jpg, .webp).")],
    prompt: Annotated[
        list[str] | None, typer.Option(help="TEXT[:WEIGHT] that it was drawn for; the file's own if not given.")
    ] = None,
    words: Annotated[int, typer.Option(help="How many of the nearest words to show.")] = 5,
    word_list: Annotated[Path | None, typer.Option(help="A text file of words, one a line, instead of nouns.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture of what each stroke adds: .png or .svg; FILE-explained.png.")
    ] = None,
    encoder: Annotated[str, typer.Option(help="The judge: builtin, a hub id or a folder.")] = "builtin",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which words are nearest to a drawing, and show how much each of its strokes matters.

    What a stroke adds is the similarity of the drawing minus that of the drawing without it.
    """
    from clipdraw.drawing import Drawing
    from clipdraw.encoders import load_encoder
    from clipdraw.encoders.devices import choose_device
    from clipdraw.evaluate.explanation import NOUNS, explain, read_words
    from clipdraw.io.files import target_of

    if words < 1:
        raise InputError(f"--words must be at least 1, got {words}")
    if out is not None and out.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"--out names a .png or .svg file, got {out}")
    picture = read_picture(file)
    prompts = _prompts(picture, prompt or [])
    if isinstance(picture, Drawing) and prompts:
        out = out or file.with_name(f"{file.stem}-explained.png")
        target_of(out)  # what is wrong with it is told before the work
    elif out is not None:
        raise InputError("no strokes to show: --out needs a drawing (.svg) and what it was drawn for (--prompt)")
    chosen = read_words(word_list or NOUNS)
    judge = load_encoder(encoder, device=choose_device(device))
    found = explain(picture, prompts, encoder=judge, words=chosen, count=words)
    if isinstance(picture, Drawing) and found.strokes is not None and out is not None:
        _write_picture(picture, found, prompts, out)
    if as_json:
        print(json.dumps({"file": str(file), "encoder": encoder} | _summary(found, prompts, out)))
    else:
        _tell(found, prompts, out)


def _prompts(picture: Any, given: list[str]) -> tuple[Prompt, ...]:
    """The prompts on the command line, else those in the drawing's metadata."""
    from clipdraw.config.prompts import parse_prompts
    from clipdraw.drawing import Drawing

    if given or not isinstance(picture, Drawing):
        return parse_prompts(tuple(given), ())
    about = picture.metadata
    kept = about["prompts"].splitlines() if "prompts" in about else [about.get("prompt", "")]
    return parse_prompts(tuple(text for text in kept if text.strip()), ())


def _write_picture(drawing: Drawing, found: Explanation, prompts: tuple[Prompt, ...], out: Path) -> None:
    from clipdraw.config.prompts import title_of
    from clipdraw.evaluate.explanation import colored
    from clipdraw.figures.sheet import Cell, Sheet, write_sheet

    assert found.strokes is not None
    seen = tuple(f"{word.probability:.0%}  {word.text}" for word in found.words)
    legend = ("red: the similarity needs them", "gray: no difference", "blue: better without them")
    cells = Cell(drawing, seen), Cell(colored(drawing, found.strokes), legend)
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
