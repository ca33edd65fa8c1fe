import pytest
import torch

from clipdraw.config import Config, from_dict, resolve
from clipdraw.drawing import Canvas
from clipdraw.errors import ConfigError, InputError
from clipdraw.optimization.center import Center
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange
from clipdraw.optimization.loop import Recipe
from clipdraw.optimization.losses import Opacity, Prior, Prompt
from clipdraw.optimization.parameterization import Pixels, Rates
from clipdraw.optimization.schedules import Constant, Cosine
from clipdraw.optimization.start import RandomStrokes
from clipdraw.optimization.views import Views


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strokes": 0}, "strokes must be from 1"),
        ({"steps": -3}, "steps must be from 1"),
        ({"views": 10**6}, "views.count must be from 1 to 1024"),
        ({"canvas": (0.0, 5.0)}, "canvas side must be"),
        ({"seed": -1}, "seed must be"),
        ({"threads": -1}, "threads must be"),
        ({"resolution": 9000}, "resolution must be"),
        ({"least_opacity": 1.5}, "least_opacity must be"),
        ({"width_range": (5.0, 1.0)}, "width_range is 0 or more, smallest first"),
        ({"points_schedule": "linear"}, "points_schedule is one of constant"),
        ({"other_schedule": "linear"}, "other_schedule is one of"),
        ({"outside": "red"}, "outside is one of white"),
        ({"judge": {"precision": "int8"}}, "precision is one of auto, float32"),
        ({"encoder": ()}, "no encoder"),
        ({"encoder": ("a/b:0",)}, "the weight of an encoder is above 0"),
        ({"encoder": ("builtin", "builtin:2")}, "named twice"),
        ({"segments": (3, 1)}, "segments must be at least 1"),
        ({"view_distortion": 1.0}, "distortion lies in"),
        ({"points_rate": -1.0}, "learning rates are 0 or more"),
        ({"likeness": -1.0}, "the weight of the prior is above 0"),
        ({"ink": -1.0}, "the weight of the opacity is above 0"),
        ({"centre_kind": "square"}, "kind is one of"),
        ({"centre_weight": -0.1}, "weight above 0"),
        ({"also": (" ",)}, "prompt is empty"),
        ({"negative": ("a:-1",)}, "a weight is above 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_once(settings, message):
    with pytest.raises((ConfigError, InputError), match=message):
        resolve("a cat", settings)


def test_encoders_have_weights():
    judge = from_dict({"prompt": "a", "encoder": ["builtin", "owner/model-32:2", "./folder:0.5"]}).judge
    assert judge.weights() == {"builtin": 1.0, "owner/model-32": 2.0, "./folder": 0.5}


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
        Prior("a cat", 7.0, 0.5, variant=3),
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


def test_another_start_may_be_given(encoder):
    start = Pixels(torch.rand(3, 4, 4))
    assert Config("red").build(encoder, start=start).start is start


def test_a_problem_is_optimized_step_by_step_or_at_once(encoder):
    problem = resolve("red", {"preset": "paper", "strokes": 3, "steps": 3, "views": 1, "seed": 5}).build(encoder)
    *_, last = problem.optimize()
    run = problem.begin()
    while run.index < 3:
        run.step()
    assert torch.equal(run.drawing.points, last.drawing.points)


def test_a_file_says_what_was_asked_for():
    assert Config("a cat", seed=2).metadata() == {"prompt": "a cat", "seed": "2"}
    lines = Config("a cat", also=("wool\nand  silk",)).metadata()["prompts"]
    assert lines == "a cat\nwool and silk"
    config = Config("a cat:2", also=("wool",), negative=("text", "mess:1.5"))
    assert config.metadata() == {
        "prompt": "a cat:2, wool, not text, not mess:1.5",
        "prompts": "a cat:2\nwool",
        "negative": "text\nmess:1.5",
        "seed": "0",
    }
