"""The errors for wrong calls from Python: in a process of its own, where no test checks types."""

import json
import subprocess
import sys

import pytest

from clipdraw.optimization.views import Views

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
    'Config("a", strokes="many")': "strokes is of type int, got 'many'",
    'Config("a", views=4)': "views is of type ViewSettings, got 4",
    'Config("a", also="b")': "also is a list like [], got 'b'",
    "Config(3)": "prompt is of type str, got 3",
    "StartSettings(width=None)": "start.width is of type float, got None",
    "FilmSettings(fps=1.5)": "film.fps is of type int, got 1.5",
    "Prompt(3)": "a prompt's text is of type str, got 3",
    'Prompt("a", "b")': "a prompt's weight is of type float, got 'b'",
    'Opacity("a")': "the opacity's weight is of type float",
    'Prior(PriorPicture.of("a"), until=None)': "the prior's until is of type float",
    'Center(kind="disc", power="2")': "the center's power is of type float",
    "Views(2.5)": "views: count is of type int, got 2.5",
    "Views(area=0.5)": "views: area is a list like [0.7, 0.9], got 0.5",
    "Views(enabled=1)": "views: enabled is of type bool, got 1",
    'Rates("fast")': "learning rates: points is of type float",
    "Recipe(steps=1.5)": "a recipe's steps is of type int",
    "Recipe(resolution=0)": "a resolution is at least 1 pixel, got 0",
    "Recipe(views=3)": "a recipe's views is of type Views, got 3",
    "RandomStrokes(strokes=True)": "the start's strokes is of type int, got True",
    "RandomStrokes(segments=(1,))": "the start's segments is a list like [1, 3], got (1,)",
    "WidthRange(2, None)": "a width range's highest is of type float",
    "WidthRange(5, 2)": "a width range is from 0 to 1000, got 5 to 2",
    "ColorRange(1.5)": "the least opacity lies in [0, 1], got 1.5",
    'Constant("a")': "a schedule's value is of type float",
    "Canvas('a', 3)": "a canvas's width is of type float",
    'Parameter("a", torch.ones(1), -1)': "a parameter's learning rate is 0 or more, got -1",
}
RIGHT = {
    "rasterize(FOUR, width=torch.tensor(64)).shape": "torch.Size([3, 64, 64])",
    "rasterize_batch((FOUR for _ in range(2)), width=8).shape": "torch.Size([2, 3, 8, 8])",
    "torch.equal(rasterize(FOUR, frozen=torch.tensor([2, 3])), rasterize(FOUR))": "True",
    "Views(area=[1, 1], count=np.int64(2))": str(Views(2, area=(1.0, 1.0))),
    "Config('a', canvas=[8, np.float32(8)]).canvas": "(8.0, 8.0)",
    "Recipe().resolution": "None",
}
CODE = """
import json, sys, torch
import numpy as np
from dataclasses import replace
from clipdraw.config import Config
from clipdraw.config.groups import FilmSettings, StartSettings
from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.errors import ConfigError, InputError
from clipdraw.optimization.center import Center
from clipdraw.optimization.constraints import ColorRange, WidthRange
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.losses import Opacity, Prior, Prompt
from clipdraw.optimization.parameterization import Parameter, Rates
from clipdraw.optimization.prior_picture import PriorPicture
from clipdraw.optimization.schedules import Constant
from clipdraw.optimization.start import RandomStrokes
from clipdraw.optimization.views import Views
from clipdraw.raster import rasterize, rasterize_batch
STOPS = torch.rand(2, 2), torch.rand(2), torch.rand(2, 4)
FOUR = Drawing(torch.rand(16, 2) * 32, torch.ones(4), torch.rand(4, 4), (1, 1, 1, 1), Canvas(32, 32))
told = {}
for call in json.load(sys.stdin):
    try:
        told[call] = str(eval(call))
    except (InputError, ConfigError) as error:
        told[call] = f"refused: {error}"
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
    assert told[call].startswith("refused: ")
    assert WRONG[call] in told[call]


@pytest.mark.parametrize("call", RIGHT)
def test_what_is_nearly_right_works(told, call):
    assert told[call] == RIGHT[call]
