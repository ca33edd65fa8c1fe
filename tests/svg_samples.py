"""Drawings and files that several tests share."""

import re
import time
from contextlib import contextmanager

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing, control_points
from clipdraw.io.svg import from_svg
from clipdraw.io.svg.foreign import ForeignSvgWarning

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50" width="100" height="50">{}</svg>'
ROUND = 'stroke-linecap="round" stroke-linejoin="round" fill="none"'


def read(body, frame=SVG):
    """The drawing of a foreign file in which nothing is left out."""
    return from_svg(frame.format(body))


def read_strokes(body, frame=SVG):
    """The drawing of a foreign file whose shapes are plain strokes unless they say otherwise."""
    return from_svg(frame.format(f"<g {ROUND}>{body}</g>"))


def noted(body):
    """The drawing of a foreign file, and the text of its one warning after `simplified: `."""
    with pytest.warns(ForeignSvgWarning) as caught:
        drawing = from_svg(SVG.format(body))
    assert len(caught) == 1
    return drawing, str(caught[0].message).partition("simplified: ")[2]


def replaced(text, pattern, replacement):
    """The text with the first match of a pattern replaced; there must be one."""
    changed, count = re.subn(pattern, replacement, text, count=1)
    assert count == 1
    return changed


@contextmanager
def soon(seconds=5.0):
    """Fail if the block takes more processor time than many times what is usual, as a quadratic search would."""
    start = time.process_time()
    yield
    assert time.process_time() - start < seconds


def wild_drawing(strokes=12, *, seed=0, width=224.0, height=224.0, metadata=None):
    """Random strokes of one to three segments."""
    generator = torch.Generator().manual_seed(seed)
    segments = tuple(1 + index % 3 for index in range(strokes))
    parts = [
        torch.rand(2, generator=generator) * torch.tensor([width, height])
        + (torch.rand(control_points(count), 2, generator=generator) - 0.5) * 60
        for count in segments
    ]
    return Drawing(
        points=torch.cat(parts),
        widths=torch.rand(strokes, generator=generator) * 9 + 0.5,
        colors=torch.rand(strokes, 4, generator=generator),
        segments=segments,
        canvas=Canvas(width, height),
        background=torch.tensor([1.0, 0.9, 0.3]),
        metadata={"prompt": "a bonfire", "seed": "3"} if metadata is None else metadata,
    )


def line_drawing(color, *, width=40.0, opacity=1.0):
    """One stroke that covers the whole canvas of 16 x 8."""
    points = torch.tensor([[-20.0, 4.0], [0.0, 4.0], [10.0, 4.0], [40.0, 4.0]])
    return Drawing(points, torch.tensor([width]), torch.tensor([[*color, opacity]]), (1,), Canvas(16.0, 8.0))


def same(first, second):
    """Whether two drawings are equal to the last bit."""
    tensors = ("points", "widths", "colors", "background")
    return (
        all(torch.equal(getattr(first, name), getattr(second, name)) for name in tensors)
        and first.segments == second.segments
        and first.canvas == second.canvas
        and dict(first.metadata) == dict(second.metadata)
    )
