"""How well drawings are recognized: `python -m training.precision draw|judge|sheets`.

- `draw` draws the prompts of `prompts.toml` with the encoder that ships and the default preset; finished ones are kept
- `judge` prints the share of drawings whose own prompt ranks first for an encoder they were not optimized for
- `sheets` writes the drawings in random order, numbered, for people to name, and the key to them

Source: R-precision as in Park et al. 2021 and Jain et al. 2022 (Dream Fields, arXiv 2112.01455).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from clipdraw import Drawing, raster, rasterize
from clipdraw.encoders import Encoder
from clipdraw.encoders.builtin.image_tower import DIMENSIONS, VIEW_SIZE
from clipdraw.evaluate.score import score
from examples import contact_sheet
from training import evaluate, teacher

GROUPS = ("captions", "unseen", "colored")
_CELL, _COLUMNS, _ROWS, _LABEL = 160, 5, 5, 18


def prompts() -> dict[str, str]:
    """Every prompt and its group."""
    table = tomllib.loads((Path(__file__).parent / "prompts.toml").read_text())
    return {prompt: group for group in GROUPS for prompt in table[group]}


def path_of(folder: Path, prompt: str, seed: int) -> Path:
    return folder / f"{prompt.replace(' ', '-')}-s{seed}.svg"


def draw(prompt: str, seed: int, folder: Path, strokes: int) -> None:
    """Draw one prompt with one thread, unless it is there."""
    path = path_of(folder, prompt, seed)
    if path.exists():
        return
    torch.set_num_threads(1)
    raster.set_threads(1)
    contact_sheet.draw(prompt, seed, strokes=strokes).save(path)


class Judge:
    """An encoder of a checkpoint with the teacher's texts.

    Args:
        checkpoint: that `training.train --role judge` has written.
        role: its role.
    """

    view_size, dimensions, device = VIEW_SIZE, DIMENSIONS, torch.device("cpu")

    def __init__(self, checkpoint: Path, role: str) -> None:
        self.name = role
        self._model = evaluate.load(checkpoint, role)

    def encode_text(self, texts: Sequence[str]) -> Tensor:
        return self._model.targets(torch.from_numpy(teacher.embed(list(texts))))

    def encode_image(self, views: Tensor) -> Tensor:
        return self._model.image(views)

    def truncated_tail(self, text: str) -> str:
        return ""


def r_precision(folder: Path, judge: Encoder, seeds: int) -> dict[str, float]:
    """The share of drawings whose own prompt ranks first among all, by group and in all; -1 marks none drawn.

    Raises:
        SystemExit: nothing is drawn at all.
    """
    groups, texts = prompts(), list(prompts())
    right: dict[str, list[bool]] = {group: [] for group in GROUPS}
    for prompt, group in groups.items():
        for path in (path_of(folder, prompt, seed) for seed in range(seeds)):
            if path.exists():
                scores = score(Drawing.load(path), texts, judge)
                right[group].append(max(scores) == scores[texts.index(prompt)])
    every = [one for group in right.values() for one in group]
    if not every:
        raise SystemExit(f"{folder} has no drawing of a prompt: run python -m training.precision draw first")
    return {g: sum(r) / len(r) if r else -1 for g, r in right.items()} | {
        "all": sum(every) / len(every),
        "of": len(every),
    }


def write_sheets(folder: Path, out: Path) -> None:
    """Numbered drawings of seed 0 in an order that tells nothing, and `key.json` with their prompts."""
    out.mkdir(parents=True, exist_ok=True)
    drawn = [prompt for prompt in prompts() if path_of(folder, prompt, 0).exists()]
    random.Random(time.time_ns()).shuffle(drawn)
    page = _COLUMNS * _ROWS
    for first in range(0, len(drawn), page):
        sheet = Image.new("RGB", (_COLUMNS * _CELL, _ROWS * (_CELL + _LABEL)), "white")
        pen = ImageDraw.Draw(sheet)
        for place, prompt in enumerate(drawn[first : first + page]):
            left, top = place % _COLUMNS * _CELL, place // _COLUMNS * (_CELL + _LABEL)
            image = rasterize(Drawing.load(path_of(folder, prompt, 0)), height=_CELL, width=_CELL)
            sheet.paste(Image.fromarray((image.permute(1, 2, 0) * 255 + 0.5).byte().numpy()), (left, top))
            pen.text((left + 4, top + _CELL + 3), str(first + place + 1), fill="black")
        sheet.save(out / f"sheet-{first // page + 1}.png")
    (out / "key.json").write_text(json.dumps({i + 1: prompt for i, prompt in enumerate(drawn)}, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("draw", "judge", "sheets"))
    parser.add_argument("--folder", type=Path, default=Path("corpus/drawings"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--strokes", type=int, default=64)
    parser.add_argument("--checkpoint", type=Path, default=Path("corpus/judge/checkpoint.pt"))
    parser.add_argument("--role", default="judge")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if options.action == "draw":
        options.folder.mkdir(parents=True, exist_ok=True)
        wanted = [(prompt, seed) for seed in range(options.seeds) for prompt in prompts()]
        with ProcessPoolExecutor(options.processes) as pool:
            tasks = [pool.submit(draw, *one, options.folder, options.strokes) for one in wanted]
            for task in tasks:
                task.result()
    elif options.action == "judge":
        print(json.dumps(r_precision(options.folder, Judge(options.checkpoint, options.role), options.seeds)))
    else:
        write_sheets(options.folder, options.folder / "sheets")


if __name__ == "__main__":
    main()
