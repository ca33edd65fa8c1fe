import json
import math

import numpy as np
import pytest
import torch

import clipdraw
from clipdraw.config import DEFAULTS, Config, from_dict, settings_of
from clipdraw.config.groups import CenterSettings, ConstraintSettings, PriorSettings
from clipdraw.drawing import Canvas
from clipdraw.errors import ConfigError, InputError
from clipdraw.optimization.center import Center
from clipdraw.optimization.constraints import ColorRange, PointsOnCanvas, WidthRange
from clipdraw.optimization.losses import Opacity, Prior, Prompt
from clipdraw.optimization.parameterization import Pixels, Rates
from clipdraw.optimization.prior_picture import PriorPicture
from clipdraw.optimization.recipe import Recipe
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


ABOVE_0, LARGEST = 1e-9, 3.4e38
BOUNDS = {
    "seed": (-1, 0, 2**63 - 1, 2**63),
    "canvas": (0.9, 1.0, 16_384.0, 16_385.0),
    "strokes": (0, 1, 100_000, 100_001),
    "steps": (0, 1, 1_000_000, 1_000_001),
    "resolution": (-1, 0, 8192, 8193),
    "opacity_weight": (-ABOVE_0, 0.0, LARGEST, 1e39),
    "threads": (-1, 0, 1024, 1025),
    "start.segments": (0, 1, 1000, 1001),
    "start.reach": (-ABOVE_0, 0.0, 10.0, 10.1),
    "start.width": (-ABOVE_0, 0.0, 1000.0, 1000.1),
    "start.opacity": (-ABOVE_0, 0.0, 1.0, 1.1),
    "start.spread": (0.0, ABOVE_0, 1.0, 1.1),
    "prior.weight": (-ABOVE_0, 0.0, LARGEST, 1e39),
    "prior.until": (0.0, ABOVE_0, 1.0, 1.1),
    "views.count": (0, 1, 1024, 1025),
    "views.distortion": (-ABOVE_0, 0.0, 0.999, 1.0),
    "views.area": (0.0, ABOVE_0, 1.0, 1.1),
    "rates.points": (-ABOVE_0, 0.0, 1000.0, 1000.1),
    "rates.width": (-ABOVE_0, 0.0, 1000.0, 1000.1),
    "rates.color": (-ABOVE_0, 0.0, 1000.0, 1000.1),
    "constraints.width_range": (-ABOVE_0, 0.0, 1000.0, 1000.1),
    "constraints.least_opacity": (-ABOVE_0, 0.0, 1.0, 1.1),
    "pen.colors": (0, 1, 256, 257),
    "pen.width": (-ABOVE_0, 0.0, 1000.0, 1000.1),
    "pen.opacity": (-ABOVE_0, 0.0, 1.0, 1.1),
    "pen.most_ink": (-ABOVE_0, 0.0, 1.0, 1.1),
    "pen.bristles": (0, 1, 32, 33),
    "pen.glow": (-ABOVE_0, 0.0, 1.0, 1.1),
    "hand.smooth": (-ABOVE_0, 0.0, 1e6, 1.1e6),
    "hand.crossing": (-ABOVE_0, 0.0, 1e6, 1.1e6),
    "hand.length": (-ABOVE_0, 0.0, 1e6, 1.1e6),
    "hand.straight": (-ABOVE_0, 0.0, 1e6, 1.1e6),
    "hand.grid": (-ABOVE_0, 0.0, 112.0, 112.1),
    "hand.margin": (-ABOVE_0, 0.0, 111.0, 111.1),
    "source.like_weight": (-ABOVE_0, 0.0, 1e6, 1.1e6),
    "source.like_places": (-ABOVE_0, 0.0, 1e6, 1.1e6),
    "source.like_layers": (-ABOVE_0, 0.0, 0.99, 1.0),
    "source.style_strength": (0.0, ABOVE_0, 1e6, 1.1e6),
    "center.radius": (-ABOVE_0, 0.0, 10_000.0, 10_001.0),
    "center.weight": (-ABOVE_0, 0.0, LARGEST, 1e39),
    "center.power": (0.9, 1.0, 10.0, 10.1),
    "guide.weight": (0.0, ABOVE_0, 1e6, 1e6 + 1),
    "guide.guidance": (-ABOVE_0, 0.0, 10_000.0, 10_001.0),
    "guide.steps": (-ABOVE_0, 0.0, 1.0, 1.1),
    "film.length": (0.0, ABOVE_0, 600.0, 601.0),
    "film.hold": (-ABOVE_0, 0.0, 600.0, 601.0),
    "film.size": (15, 16, 4096, 4097),
    "film.fps": (0, 1, 120, 121),
    "film.frames": (-1, 0, 1_000_000, 1_000_001),
}
"""What each setting of numbers takes, and what is just beyond; of a pair, for both."""
NO_NUMBERS = (math.nan, math.inf, -math.inf, 10**400, 10**5000, 1e300, "1", "nan", True, None, [], {}, [1], [1, 2, 3])


def numeric(name):
    """The setting with a number in every place, as it is stored."""
    return (lambda value: [value, value]) if isinstance(DEFAULTS[name], tuple) else (lambda value: value)


def test_every_setting_of_numbers_has_bounds():
    first = {name: value[0] if isinstance(value, tuple) and value else value for name, value in DEFAULTS.items()}
    assert {name for name, value in first.items() if type(value) in (int, float)} == set(BOUNDS)


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_within_the_bounds_comes_back_from_a_file(name):
    whole, setting = isinstance(BOUNDS[name][1], int), numeric(name)
    for bound in BOUNDS[name][1:3]:
        for value in (bound, int(bound)) if bound > 1 else (bound,):
            config = from_dict({"prompt": "a", "strokes": 1000, name: setting(value)})
            stored = json.loads(json.dumps(config.to_dict(), allow_nan=False))
            assert from_dict(stored) == config
            found = settings_of(config)[name]
            assert found == (tuple(setting(value)) if isinstance(found, tuple) else value)
            assert {type(one) for one in np.atleast_1d(found).tolist()} == {int if whole else float}


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_beyond_them_is_refused_in_one_line(name):
    below, lowest, highest, above = BOUNDS[name]
    fits = [0.5, 1.5] if isinstance(lowest, int) else []
    for value in (below, above, *fits, *NO_NUMBERS):
        message = error_of(**{name: value if isinstance(value, list) else numeric(name)(value)})
        assert "\n" not in message
        assert len(message) < 200
    if isinstance(DEFAULTS[name], tuple):
        for value in (math.nan, math.inf, below, above, "1", None):
            for pair in ([lowest, value], [value, highest]):
                error_of(**{name: pair})


TEXTS = {name for name, value in DEFAULTS.items() if isinstance(value, str)}
SWITCHES = {name for name, value in DEFAULTS.items() if isinstance(value, bool)}
LISTS = set(DEFAULTS) - TEXTS - SWITCHES - set(BOUNDS)


def test_texts_lists_and_switches_are_of_their_type():
    lists = ["also", "film.formats", "film.kinds", "judge.encoders", "negative", "pen.palette", "regions"]
    assert sorted(LISTS) == lists
    for names, wrong in (
        (TEXTS, (1, 0.5, None, True, ["a"], {})),
        (SWITCHES, (1, 0, "yes", None, [True])),
        (LISTS, (1, "a", None, True, [1], [None], [["a"]], {"a": 1})),
    ):
        for name in names:
            for value in wrong:
                assert error_of(**{name: value}).startswith(f"{name} is ")


def test_numbers_of_numpy_are_numbers():
    config = from_dict({"prompt": "a", "strokes": np.int64(3), "opacity_weight": np.float32(0.5), "canvas": (8, 16)})
    assert [type(value) for value in (config.strokes, config.opacity_weight)] == [int, float]
    assert json.loads(json.dumps(config.to_dict()))["canvas"] == [8.0, 16.0]


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_refused_is_refused_before_a_folder_is_made(name, tmp_path):
    for value in (math.nan, BOUNDS[name][3]):
        with pytest.raises((ConfigError, InputError)):
            clipdraw.draw("a red heart", out=tmp_path / "run", **{name: numeric(name)(value)})
    assert list(tmp_path.iterdir()) == []


def test_the_canvas_is_as_large_as_can_be_drawn():
    assert Config("a", canvas=(1.0, 16384.0)).canvas == (1.0, 16384.0)
    for canvas, side in (((0.5, 5.0), 0.5), ((5.0, 0.5), 0.5), ((16385.0, 5.0), 16385.0), ((5.0, 16385.0), 16385.0)):
        assert error_of(canvas=canvas) == f"canvas side must be from 1 to 16384, got {side}"


def test_widths_are_0_or_more():
    assert from_dict({"prompt": "a", "width_range": (0.0, 0.0)}).constraints.width_range == (0, 0)
    for low, high in ((5.0, 1.0), (-1.0, 2.0), (1.0, 1001.0)):
        assert error_of(width_range=(low, high)) == f"a width range is from 0 to 1000, got {low:g} to {high:g}"


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
        Prior(PriorPicture.of("a cat", 3, radius=50 / 224), 7.0, 0.5),
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
    assert start == PriorStrokes(
        RandomStrokes(5), PriorPicture.of("a cat", 3), encoder, (WidthRange(1.0, 9.0), ColorRange(0.5))
    )
    assert (canvas, generator.initial_seed()) == (Canvas(64, 32), 3)


@pytest.mark.parametrize(
    ("center", "radius"),
    [
        ({"radius": 56.0, "weight": 0.0}, None),
        ({"radius": 56.0, "weight": 0.001}, 0.25),
        ({"radius": 56.0, "weight": 0.001, "kind": "ring"}, 0.25),
        ({"radius": 56.0, "weight": 0.001, "kind": "pull"}, None),
        ({"radius": 56.0, "weight": 0.001, "kind": "sum"}, None),
    ],
)
def test_the_picture_aimed_at_is_shrunk_into_the_circle_of_the_pull(center, radius, encoder, monkeypatch):
    starts = []
    monkeypatch.setattr(PriorStrokes, "__call__", lambda start, *rest: starts.append(start) or RandomStrokes(1)(*rest))
    problem = Config("red", prior=PriorSettings(1.0), center=CenterSettings(**center)).build(encoder)
    assert [loss.picture.radius for loss in problem.losses if isinstance(loss, Prior)] == [radius]
    assert [start.picture.radius for start in starts] == [radius]


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
