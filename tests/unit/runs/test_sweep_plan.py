import json
import tomllib

import pytest

from clipdraw.config import resolve
from clipdraw.errors import ConfigError
from clipdraw.runs.sweep import Plan, from_dict, plans
from clipdraw.runs.sweep.plan import styled


def test_every_combination_once_the_last_axis_fastest():
    plan = Plan(("a cat", "a dog"), styles=("", "a drawing of"), vary={"strokes": (8, 16)}, seeds=(0, 5))
    cells = plan.cells()
    assert len(cells) == len({cell.name for cell in cells}) == 16
    assert [cell.labels for cell in cells[:3]] == [
        ("a cat", "plain", "8 strokes", "seed 0"),
        ("a cat", "plain", "8 strokes", "seed 5"),
        ("a cat", "plain", "16 strokes", "seed 0"),
    ]
    last = cells[-1].config
    assert (last.prompt, last.strokes, last.seed) == ("a drawing of a dog", 16, 5)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("", "a cat"),
        ("watercolor painting of", "watercolor painting of a cat"),
        ("{} as a tattoo", "a cat as a tattoo"),
        ("a {}, {}", "a a cat, a cat"),
    ],
)
def test_styles_are_words_around_the_prompt(style, text):
    assert styled("a cat", style) == text


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("a cat:2", "a cat in oil:2"),
        ('"9:30"', "9:30 in oil"),
        ("at 9:30", "at 9:30 in oil"),
        ("no: 3", "no: 3 in oil"),
    ],
)
def test_a_weight_stays_at_the_end(prompt, text):
    assert styled(prompt, "{} in oil") == text


def test_variants_are_settings_that_belong_together():
    variants = ({"label": "ring", "center": {"kind": "ring", "radius": 30.0}}, {"opacity_weight": 0.5})
    ring, faint = Plan(("a cat",), variants=variants, settings={"steps": 7}).cells()
    center = ring.config.center
    assert (center.kind, center.radius, center.weight) == ("ring", 30.0, 0.001)
    assert (ring.config.steps, faint.config.steps) == (7, 7)
    assert (ring.labels[1], faint.labels[1], faint.config.opacity_weight) == ("ring", "opacity weight 0.5", 0.5)


def test_a_run_is_named_by_what_it_draws_and_not_by_the_machine():
    def name(**settings):
        (cell,) = Plan(("A Cat!",), settings=settings).cells()
        return cell.name

    assert name().startswith("a-cat-s0-")
    assert name() == name(threads=3) == name(device="cpu")
    assert name() != name(steps=3)


def test_a_plan_survives_json_and_toml():
    plan = Plan(
        ("a", {"prompt": "c", "negative": ["d"]}),
        ("b",),
        ({"opacity_weight": 0.5},),
        {"canvas": ([64, 64], [64, 32])},
        (1, 2),
        {"steps": 3},
        "why",
    )
    again = from_dict(plan.to_dict())
    assert [cell.name for cell in again.cells()] == [cell.name for cell in plan.cells()]
    assert from_dict(json.loads(json.dumps(again.to_dict()))) == again
    read = from_dict(tomllib.loads('prompts = ["a"]\nseeds = [1]\nvary.strokes = [3, 4]\nsettings.steps = 2'))
    assert read == Plan(("a",), seeds=(1,), vary={"strokes": (3, 4)}, settings={"steps": 2})


def test_the_plans_that_ship():
    counts = {name: len(plan.cells()) for name, plan in plans().items()}
    assert counts == {
        "figure-3": 5,
        "figure-4": 5,
        "figure-5": 6,
        "figure-6": 6,
        "figure-7": 6,
        "figure-8": 6,
        "article-steps": 6,
        "article-pairs": 4,
    }
    assert all(plan.about for plan in plans().values())
    assert [cell.config.strokes for cell in plans()["figure-6"].cells()] == [16, 32, 64, 128, 256, 512]


@pytest.mark.parametrize("figure", ["figure-3", "figure-4", "figure-5", "figure-6", "figure-7", "figure-8"])
def test_each_figure_of_the_paper_is_drawn_by_its_method(figure):
    for cell in plans()[figure].cells():
        config = cell.config
        wanted = resolve(
            config.prompt,
            {"preset": "paper", "strokes": config.strokes, "negative": config.negative, "explain": config.explain},
        )
        assert config == wanted
        assert (config.steps, config.views.count, config.prior.weight) == (250, 8, 0)
        assert config.strokes == 256 or figure == "figure-6"
        assert config.explain == (figure == "figure-4")


def test_figure_8_has_each_prompt_without_and_with_its_negatives_from_the_same_start():
    cells = plans()["figure-8"].cells()
    assert [(cell.config.prompt, cell.config.negative) for cell in cells] == [
        ("Hashtag", ()),
        ("Hashtag", ("Words and text",)),
        ("a torii gate", ()),
        ("a torii gate", ("Purple", "Red")),
        ("a realistic painting of a sailboat", ()),
        ("a realistic painting of a sailboat", ("many sailboats",)),
    ]
    assert cells[3].labels == ("a torii gate, not Purple, not Red", "with them", "seed 0")
    assert [prompt.weight for prompt in cells[3].config.prompts()] == [1.0, -0.3, -0.3]
    assert {cell.config.seed for cell in cells} == {0}


def test_a_prompt_may_have_settings_of_its_own():
    prompts = ("a dog", {"prompt": "a cat:2", "strokes": 9})
    plain, own = Plan(prompts, styles=("{} in oil",), settings={"strokes": 5}).cells()
    assert (plain.config.strokes, plain.config.prompt) == (5, "a dog in oil")
    assert (own.config.strokes, own.config.prompt) == (9, "a cat in oil:2")
    assert own.labels[0] == "a cat:2"
    (varied,) = Plan(prompts[1:], vary={"strokes": (7,)}).cells()
    assert varied.config.strokes == 7


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(), "a sweep needs prompts"),
        (Plan(("a",), seeds=()), "a sweep over seeds needs"),
        (Plan(("a",), vary={"strokes": ()}), "a sweep over strokes needs"),
        (Plan(("a",), vary={"seed": (1,)}), "seed is not a setting of a sweep"),
        (Plan(("a",), settings={"prompt": "b"}), "prompt is not a setting of a sweep"),
        (Plan(("a", "b", "a")), "a, seed 0: the same drawing twice"),
        (Plan(("a",), seeds=tuple(range(10_001))), "10,001 drawings; at most 10,000"),
        (Plan(("a cat",), vary={"strokes": (8, 0)}), "a cat, 0 strokes, seed 0: strokes must be from 1"),
        (Plan(("a", " ")), "prompt is empty"),
        (Plan(("a", " "), styles=("in oil",)), " , in oil, seed 0: the prompt is empty"),
        (Plan(("a:-1",), styles=("in oil",)), "a weight is above 0"),
        (Plan(({"negative": ["b"]},)), "a table with the text as its prompt, got {'negative': ..b"),
        (Plan(({"prompt": "a", "colour": 1},)), "a, seed 0: there is no setting 'colour'"),
        (Plan(("a",), vary={"colour": (1,)}), "no setting 'colour'"),
        (Plan(("a",), vary={"center.kind": ("ring", "cube")}), "center kind cube.*kind is one of"),
    ],
)
def test_impossible_plans_are_refused(plan, message):
    with pytest.raises(ConfigError, match=message):
        plan.cells()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"promts": ["a"]}, "a plan has no 'promts'; it has: about"),
        ({"prompts": "a"}, "prompts of a plan is a list"),
        ({"prompts": ["a", 3]}, "prompts of a plan is a list, each of type str, got"),
        ({"seeds": [True]}, "seeds of a plan is a list, each of type int"),
        ({"vary": {"strokes": 3}}, "a list of values for each setting"),
        ({"settings": []}, "settings of a plan is a table"),
    ],
)
def test_files_that_are_no_plans_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        from_dict(values)
