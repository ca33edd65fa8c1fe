"""The errors for wrong calls from Python: in a process of its own, where no test checks types."""

import json
import subprocess
import sys

import pytest

WRONG = {
    'Style(fill="even-odd")': "fill is one of None, 'nonzero', 'evenodd', got 'even-odd'",
    "Style(fill=True)": "fill is one of",
    'Style(cap="flat")': "cap is one of 'round', 'butt', 'square', got 'flat'",
    'Style(join="arcs")': "join is one of",
    "Style(closed=True)": "closed is a tuple of one bool for each subpath",
    "Style(closed=[False])": "closed is a tuple of one bool",
    "Style(closed=())": "at least one",
    'Gradient("conic", *STOPS)': "kind is one of 'linear', 'radial'",
    'Gradient("linear", *STOPS, spread="mirror")': "spread is one of",
    'Gradient("linear", torch.rand(2, 2), torch.rand(2), torch.rand(2, 3))': "colors of shape (2, 4), got (2, 3)",
    'Gradient("linear", torch.rand(2, 2), torch.rand(3), torch.rand(2, 4))': "a gradient of 3 stops",
    'Gradient("linear", torch.rand(2, 2), torch.rand(0), torch.rand(0, 4))': "at least one stop",
    'Gradient("linear", torch.rand(4), *STOPS[1:])': "geometry of shape (2, 2)",
    'Gradient("radial", *STOPS, radius=torch.ones(1))': "radius of shape ()",
    'Gradient("linear", *STOPS, matrix=torch.eye(3))': "matrix of shape (2, 3)",
    "replace(FOUR, background=torch.rand(4))": "a color of shape (3,), got (4,)",
    "replace(FOUR, transforms=torch.eye(3)[None])": "matrices of shape (2, 3), got (1, 3, 3)",
    "rasterize(FOUR, width=12.5)": "whole number of pixels",
    "rasterize(FOUR, background=torch.zeros(3, 9, 9))": "a background for these images has the shape",
    "rasterize(FOUR, background=torch.zeros(3, 32, 32, dtype=torch.uint8))": "the background: torch.uint8",
    "rasterize(FOUR, frozen=[0.5])": "numbers from 0 to 3, or a bool for each of 4 paths, got [0.5]",
    "rasterize(FOUR, frozen=[[0]])": "numbers from 0 to 3",
    'rasterize(FOUR, frozen=["0"])': "numbers from 0 to 3",
    "rasterize_batch([])": "at least one drawing",
}
RIGHT = {
    "rasterize(FOUR, width=torch.tensor(64)).shape": "torch.Size([3, 64, 64])",
    "rasterize_batch((FOUR for _ in range(2)), width=8).shape": "torch.Size([2, 3, 8, 8])",
    "torch.equal(rasterize(FOUR, frozen=torch.tensor([2, 3])), rasterize(FOUR))": "True",
}
CODE = """
import json, sys, torch
from dataclasses import replace
from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.errors import InputError
from clipdraw.raster import rasterize, rasterize_batch
STOPS = torch.rand(2, 2), torch.rand(2), torch.rand(2, 4)
FOUR = Drawing(torch.rand(16, 2) * 32, torch.ones(4), torch.rand(4, 4), (1, 1, 1, 1), Canvas(32, 32))
told = {}
for call in json.load(sys.stdin):
    try:
        told[call] = str(eval(call))
    except InputError as error:
        told[call] = f"InputError: {error}"
json.dump(told, sys.stdout)
"""


@pytest.fixture(scope="module")
def told():
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=json.dumps([*WRONG, *RIGHT]), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("call", WRONG)
def test_wrong_calls_are_told_what_is_allowed(told, call):
    assert told[call].startswith("InputError: ")
    assert WRONG[call] in told[call]


@pytest.mark.parametrize("call", RIGHT)
def test_what_is_nearly_right_works(told, call):
    assert told[call] == RIGHT[call]
