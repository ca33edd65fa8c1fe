import math

import pytest
import torch

from clipdraw.config import Config, from_dict, settings_of
from clipdraw.config.settings import CenterSettings, ConstraintSettings, PriorSettings
from clipdraw.drawing import Canvas
from clipdraw.errors import ConfigError, InputError
from clipdraw.optimization.center import Center
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange
from clipdraw.optimization.loop import Recipe
from clipdraw.optimization.losses import Opacity, Prior, Prompt
from clipdraw.optimization.parameterization import Pixels, Rates
from clipdraw.optimization.schedules import Constant, Cosine
from clipdraw.optimization.start import PriorStrokes, RandomStrokes
from clipdraw.optimization.views import Views


def error_of(**settings):
    """The message with which settings beside the prompt are refused."""
    with pytest.raises((ConfigError, InputError)) as error:
        from_dict({"prompt": "a cat", **settings})
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "beyond"),
    [
        ("strokes", 1, 100_000, 1),
        ("steps", 1, 1_000_000, 1),
        ("threads", 0, 1024, 1),
        ("resolution", 0, 8192, 1),
        ("seed", 0, 2**63 - 1, 1),
        ("views.count", 1, 1024, 1),
        ("constraints.least_opacity", 0, 1, 0.1),
    ],
)
def test_numbers_reach_their_bounds_and_no_further(name, lowest, highest, beyond):
    for bound in (lowest, highest):
        assert settings_of(from_dict({"prompt": "a cat", name: bound}))[name] == bound
    for value in (lowest - beyond, highest + beyond):
        assert error_of(**{name: value}) == f"{name} must be from {lowest} to {highest}, got {value}"


def test_the_canvas_is_as_large_as_can_be_drawn():
    assert Config("a", canvas=(1.0, 16384.0)).canvas == (1.0, 16384.0)
    for canvas, side in (((0.5, 5.0), 0.5), ((5.0, 0.5), 0.5), ((16385.0, 5.0), 16385.0), ((5.0, 16385.0), 16385.0)):
        assert error_of(canvas=canvas) == f"canvas side must be from 1 to 16384, got {side}"


def test_widths_are_0_or_more():
    assert from_dict({"prompt": "a", "width_range": (0.0, 0.0)}).constraints.width_range == (0, 0)
    for bad in ((5.0, 1.0), (-1.0, 2.0)):
        assert error_of(width_range=bad) == f"constraints.width_range is 0 or more, smallest first, got {bad}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"points_schedule": "linear"},
            "rates.points_schedule is one of constant, published, cosine, got 'linear'",
        ),
        ({"other_schedule": "linear"}, "rates.other_schedule is one of constant, published, cosine, got 'linear'"),
        ({"outside": "red"}, "views.outside is one of white, black, gray, got 'red'"),
        (
            {"judge": {"precision": "int8"}},
            "judge.precision is one of auto, float32, bfloat16, float16, got 'int8'",
        ),
        ({"encoder": ()}, "no encoder: name at least one, such as builtin"),
        ({"encoder": ("a/b:0",)}, "the weight of an encoder is above 0, got 'a/b:0'"),
        ({"encoder": ("a/b:1e999",)}, "the weight of an encoder is above 0, got 'a/b:1e999'"),
        (
            {"encoder": ("builtin", "builtin:2")},
            "the encoder 'builtin' is named twice; builtin:2 counts twice as much",
        ),
    ],
)
def test_what_is_chosen_is_refused_with_what_there_is(settings, message):
    assert error_of(**settings) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"segments": (3, 1)}, "segments must be at least 1"),
        ({"view_distortion": 1.0}, "distortion lies in"),
        ({"points_rate": -1.0}, "learning rates are 0 or more"),
        ({"likeness": -1.0}, "the weight of the prior is above 0"),
        ({"ink": -1.0}, "the weight of the opacity is above 0"),
        ({"centre_kind": "square", "centre_weight": 1.0}, "kind is one of"),
        ({"centre_weight": -0.1}, "weight above 0"),
        ({"also": (" ",)}, "prompt is empty"),
        ({"negative": ("a:-1",)}, "a weight is above 0"),
    ],
)
def test_what_parts_of_a_problem_refuse_is_refused_at_once(settings, message):
    assert message in error_of(**settings)


def test_encoders_have_weights():
    judge = from_dict({"prompt": "a", "encoder": ["builtin", "owner/model-32:2", "./folder:.5", "c:/x"]}).judge
    assert judge.weights() == {"builtin": 1.0, "owner/model-32": 2.0, "./folder": 0.5, "c:/x": 1.0}


def test_a_plain_configuration_is_the_published_recipe(encoder):
    problem = Config("a cat:2", also=("watercolor:0.5",), negative=("text", "mess:1.5"), seed=4).build(encoder)
    assert problem.losses == (
        Prompt("a cat", 2.0),
        Prompt("watercolor", 0.5),
        Prompt("text", -0.3),
        Prompt("mess", -1.5),
    )
    assert problem.recipe == Recipe()
    assert (problem.seed, problem.encoder) == (4, encoder)
    expected = RandomStrokes()(Canvas(), torch.Generator().manual_seed(4))
    assert torch.equal(problem.start.points, expected.points)


def test_every_setting_reaches_the_problem(encoder):
    problem = from_dict(
        {
            "prompt": "watercolor:0.5", "also": ["a cat"], "seed": 3, "canvas": [64, 32], "strokes": 5, "steps": 9,
            "resolution": 48, "opacity_weight": 0.1,
            "start": {"segments": [2, 2], "reach": 0.2, "width": 4.0, "opacity": [0.5, 0.6], "spread": 0.25},
            "prior": {"weight": 7.0, "until": 0.5},
            "views": {"count": 3, "augment": False, "distortion": 0.1, "area": [0.5, 0.6], "outside": "gray"},
            "rates": {
                "points": 2.0, "width": 0.3, "color": 0.02, "points_schedule": "cosine", "other_schedule": "constant",
            },
            "constraints": {"width_range": [1.0, 9.0], "least_opacity": 0.1, "keep_on_canvas": True},
            "center": {"radius": 50.0, "weight": 0.02, "power": 1.5, "kind": "ring", "on": "ink"},
        }
    ).build(encoder)  # fmt: skip
    assert problem.losses == (
        Prompt("watercolor", 0.5),
        Prompt("a cat"),
        Opacity(0.1),
        Prior("a cat", 7.0, 0.5, 3, radius=50 / 224),
        Center(50.0, 0.02, 1.5, "ring", "ink"),
    )
    assert problem.recipe == Recipe(
        9,
        Views(3, 0.1, (0.5, 0.6), outside="gray", enabled=False),
        Rates(2.0, 0.3, 0.02, Cosine(), Constant(1.0)),
        (WidthRange(1.0, 9.0), ColorRange(0.1), PointsOnCanvas()),
        48,
    )
    strokes = RandomStrokes(5, (2, 2), 0.2, 4.0, (0.5, 0.6), 0.25)
    expected = strokes(Canvas(64, 32), torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(problem.start.parameters(), expected.parameters(), strict=True))


def test_with_a_prior_the_start_is_its_picture_of_the_weightiest_prompt(encoder, monkeypatch):
    calls, drawing = [], RandomStrokes(5)(Canvas(64, 32), torch.Generator())
    monkeypatch.setattr(PriorStrokes, "__call__", lambda *arguments: calls.append(arguments) or drawing)
    config = Config(
        "wool:0.5", also=("a cat:2",), negative=("a dog:9",), seed=3, canvas=(64.0, 32.0), strokes=5,
        prior=PriorSettings(1.0), constraints=ConstraintSettings((1.0, 9.0), 0.5),
    )  # fmt: skip
    assert config.build(encoder).start is drawing
    ((start, canvas, generator),) = calls
    assert start == PriorStrokes(RandomStrokes(5), "a cat", encoder, 3, (WidthRange(1.0, 9.0), ColorRange(0.5)))
    assert (canvas, generator.initial_seed()) == (Canvas(64, 32), 3)


@pytest.mark.parametrize(
    ("center", "radius"),
    [
        ({"radius": 56.0, "weight": 0.0}, math.inf),
        ({"radius": 56.0, "weight": 0.001}, 0.25),
        ({"radius": 56.0, "weight": 0.001, "kind": "ring"}, 0.25),
        ({"radius": 56.0, "weight": 0.001, "kind": "pull"}, math.inf),
        ({"radius": 56.0, "weight": 0.001, "kind": "sum"}, math.inf),
    ],
)
def test_the_picture_aimed_at_is_shrunk_into_the_circle_of_the_pull(center, radius, encoder, monkeypatch):
    starts = []
    monkeypatch.setattr(PriorStrokes, "__call__", lambda start, *rest: starts.append(start) or RandomStrokes(1)(*rest))
    problem = Config("red", prior=PriorSettings(1.0), center=CenterSettings(**center)).build(encoder)
    assert [loss.radius for loss in problem.losses if isinstance(loss, Prior)] == [radius]
    assert [start.radius for start in starts] == [radius]


def test_another_start_may_be_given(encoder):
    start = Pixels(torch.rand(3, 4, 4))
    assert Config("red").build(encoder, start=start).start is start


def test_a_file_says_what_was_asked_for():
    assert Config("a cat", seed=2).metadata() == {"prompt": "a cat", "seed": "2"}
    lines = Config("a cat", also=("wool\nand  silk",)).metadata()["prompts"]
    assert lines == "a cat\nwool and silk"
    config = Config("a cat:2", also=("wool:0.5",), negative=("text", "mess:1.5"))
    assert config.metadata() == {
        "prompt": "a cat:2, wool:0.5, not text, not mess:1.5",
        "prompts": "a cat:2\nwool:0.5",
        "negative": "text\nmess:1.5",
        "seed": "0",
    }
