"""Training pictures redrawn with strokes: `python -m training.redrawing --things FILE.npz --out FOLDER --count 8192`.

What strokes can do is not what vector art looks like. Pictures of `training.pictures` are painted by the package's own
rasterizer with 16 to 256 strokes, which descend on the squared difference from random starts. Some are kept when they
are half finished, and some starts are kept as they are, with the caption "scribble". Many pictures are tiles of one
canvas, so that one call rasterizes all.

Shards of a few hundred are written whole or not at all, and those that are there are kept.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from clipdraw.drawing import Canvas, Drawing, control_points
from clipdraw.raster import rasterize
from training import loop, pictures
from training.composing import SIZE
from training.files import write_arrays
from training.things import Things

SHARD = 256
"""Pictures in a file."""
_TILES, _COLUMNS = 16, 4
_COUNTS = (16, 24, 32, 48, 64, 96, 128, 192, 256)
_STEPS, _SEGMENTS = 60, 2
_RATES = {"points": 0.7, "widths": 0.15, "colors": 0.05}
_HALF_DONE, _NOT_BEGUN = 0.3, 0.06  # shares
_FEWEST_STEPS = 12  # of what is half finished
SCRIBBLE = "scribble"


class Tiles:
    """Strokes on tiles of one canvas.

    Args:
        strokes: of each tile.
        generator: of where they start.
    """

    def __init__(self, strokes: int, generator: torch.Generator) -> None:
        self.strokes, count = strokes, _TILES * strokes
        self.canvas = Canvas(_COLUMNS * SIZE, _TILES // _COLUMNS * SIZE)
        index = torch.arange(count) // strokes
        corners = torch.stack([index % _COLUMNS, index // _COLUMNS], 1) * float(SIZE)
        self.corners = corners.repeat_interleave(control_points(_SEGMENTS), 0)
        steps = (torch.rand(count, control_points(_SEGMENTS), 2, generator=generator) - 0.5) * 0.2
        steps[:, 0] = torch.rand(count, 2, generator=generator)
        self.points = self.corners + (steps.cumsum(1) * SIZE).reshape(-1, 2)
        self.widths = torch.empty(count).uniform_(1.0, 60.0 / strokes**0.6 + 1.5, generator=generator)
        self.colors = torch.rand(count, 4, generator=generator)
        self.colors[:, 3] = 0.3 + 0.6 * self.colors[:, 3]
        self.project()

    @torch.no_grad()
    def project(self) -> None:
        """Hold points within their tiles, widths and colors within their ranges."""
        edge = (self.widths.detach() / 2).clamp(max=SIZE / 4).repeat_interleave(control_points(_SEGMENTS))[:, None]
        places = self.points - self.corners
        self.points.copy_(self.corners + torch.minimum(torch.maximum(places, edge), SIZE - edge))
        self.widths.clamp_(0.8, 24.0)
        self.colors.clamp_(0, 1)

    def images(self, backgrounds: Float[Tensor, "tiles 3"]) -> Float[Tensor, "tiles 3 64 64"]:
        """The tiles, each on a plain background."""
        drawing = Drawing(self.points, self.widths, self.colors, (_SEGMENTS,) * len(self.widths), self.canvas)
        behind = self._joined(backgrounds[:, :, None, None].expand(-1, -1, SIZE, SIZE))
        tiles = rasterize(drawing, background=behind).unflatten(2, (_COLUMNS, SIZE)).unflatten(1, (-1, SIZE))
        return tiles.permute(1, 3, 0, 2, 4).flatten(0, 1)

    @staticmethod
    def _joined(tiles: Tensor) -> Tensor:
        rows = tiles.unflatten(0, (-1, _COLUMNS)).permute(2, 0, 3, 1, 4)
        return rows.reshape(3, _TILES // _COLUMNS * SIZE, _COLUMNS * SIZE).contiguous()


def redrawn(
    wanted: Float[Tensor, "16 3 64 64"], strokes: int, *, keep_at: list[int], generator: torch.Generator
) -> Float[Tensor, "16 3 64 64"]:
    """Sixteen pictures painted with so many strokes.

    Args:
        wanted: what they shall look like.
        strokes: of each picture.
        keep_at: for each picture the number of steps after which it is kept.
        generator: of where the strokes start.
    """
    tiles, backgrounds = Tiles(strokes, generator), wanted[:, :, :2].mean((2, 3))
    parts = {"points": tiles.points, "widths": tiles.widths, "colors": tiles.colors}
    optimizer = torch.optim.Adam([{"params": [parts[name].requires_grad_()], "lr": r} for name, r in _RATES.items()])
    kept, late = torch.empty_like(wanted), torch.tensor(keep_at)
    for step in range(max(keep_at) + 1):
        images = tiles.images(backgrounds)
        kept[late == step] = images.detach()[late == step].clamp(0, 1)
        optimizer.zero_grad()
        (images - wanted).square().sum().backward()
        optimizer.step()
        tiles.project()
    return kept


def _shard(things: Things, number: int, seed: int) -> tuple[UInt8[np.ndarray, "pictures 3 64 64"], list[str]]:
    generator = np.random.default_rng((seed, number))
    made = pictures.make(things, SHARD, generator, media_share=0.1)
    captions, parts = list(made.captions), []
    for first in range(0, SHARD, _TILES):
        fates = generator.random(_TILES)
        half = generator.integers(_FEWEST_STEPS, _STEPS // 2, _TILES)
        keep_at = np.where(fates < _NOT_BEGUN, 0, np.where(fates < _NOT_BEGUN + _HALF_DONE, half, _STEPS)).tolist()
        for place in np.flatnonzero(fates < _NOT_BEGUN):
            captions[first + int(place)] = SCRIBBLE
        random = torch.Generator().manual_seed(int(generator.integers(2**62)))
        strokes = int(generator.choice(_COUNTS))
        parts.append(redrawn(made.views[first : first + _TILES], strokes, keep_at=keep_at, generator=random))
    return (torch.cat(parts) * 255).round().byte().numpy(), captions


@dataclass(frozen=True)
class Redrawn:
    """Redrawn pictures and their captions.

    Args:
        pictures: uint8.
        captions: what each shows.
    """

    pictures: UInt8[np.ndarray, "pictures 3 64 64"]
    captions: list[str]

    @classmethod
    def load(cls, folder: Path) -> Redrawn:
        """Every shard of a folder; empty if there is none."""
        shards = [np.load(path) for path in sorted(folder.glob("[0-9]*.npz"))]
        found = [shard["pictures"] for shard in shards] or [np.zeros((0, 3, SIZE, SIZE), np.uint8)]
        return cls(
            np.concatenate(found), [str(text) for shard in shards for text in json.loads(str(shard["captions"]))]
        )

    def mix_into(self, made: pictures.Made, share: float, generator: np.random.Generator) -> pictures.Made:
        """`made` with about `share` of it replaced by redrawn pictures; their rivals are of other pictures."""
        if not self.captions:
            return made
        views, captions, media = made.views.clone(), list(made.captions), list(made.media)
        for place in np.flatnonzero(generator.random(len(captions)) < share):
            chosen = int(generator.integers(len(self.captions)))
            views[place] = torch.from_numpy(self.pictures[chosen]).float() / 255.0
            captions[place], media[place] = self.captions[chosen], "strokes"
        return pictures.Made(views, captions, made.rivals, media)


def main() -> None:
    parser = loop.options_parser(__doc__)
    parser.set_defaults(seed=1)
    parser.add_argument("--things", type=Path, default=Path("corpus/things.npz"))
    parser.add_argument("--out", type=Path, default=Path("corpus/redrawn"))
    parser.add_argument("--count", type=int, default=8192)
    options = loop.options_from_command_line(parser)
    options.out.mkdir(parents=True, exist_ok=True)
    things = Things.load(options.things)
    for number in range(-(-options.count // SHARD)):
        path = options.out / f"{number:04d}.npz"
        if not path.exists():
            shown, captions = _shard(things, number, options.seed)
            write_arrays(path, pictures=shown, captions=np.array(json.dumps(captions)))
            print(f"{path}: {len(shown)} pictures", flush=True)


if __name__ == "__main__":
    main()
