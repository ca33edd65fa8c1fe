"""The exact bytes of a small file: a change here changes every file that users compare or store."""

from pathlib import Path

import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.io.svg import read_drawing, write_drawing

GOLDEN = Path(__file__).with_name("canonical.svg")


def test_canonical_svg(tmp_path):
    drawing = Drawing(
        points=torch.tensor(
            [
                [1, 2],
                [3.5, -4.25],
                [0.1, 100],
                [160, 90],
                [0, 0],
                [1e-7, 1 / 3],
                [1e6, 20],
                [20, 20],
                [7, 8],
                [9, 1],
                [2, 2],
            ]
        ),
        widths=torch.tensor([1.0, 12.3456789]),
        colors=torch.tensor([[0.0, 0.5, 1.0, 1.0], [0.1234567, 1 / 3, 1e-5, 0.25]]),
        segments=(1, 2),
        canvas=Canvas(160.0, 90.5),
        background=torch.tensor([1.0, 1.0, 0.9]),
        metadata={"prompt": 'a "small" <fire> & 火', "seed": "3", "note": "two\nlines"},
    )
    write_drawing(drawing, tmp_path / "a.svg")
    assert (tmp_path / "a.svg").read_bytes() == GOLDEN.read_bytes()
    assert torch.equal(read_drawing(GOLDEN).points, drawing.points)
