"""A drawing is judged as in its run, unless something else is asked for."""

import json
import shutil

import pytest

from clipdraw.config import resolve
from clipdraw.drawing import Drawing
from clipdraw.encoders.devices import devices
from clipdraw.errors import ConfigError
from clipdraw.evaluate.score import score
from clipdraw.runs import compare, draw, judge_of

tiny_clip = pytest.importorskip("tests.tiny_clip")

TINY = {"preset": "paper", "strokes": 4, "steps": 2, "views": 1, "canvas": (32.0, 32.0), "film_kinds": ()}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return str(tiny_clip.save(tmp_path_factory.mktemp("clip")))


@pytest.fixture(scope="module")
def run(clip, tmp_path_factory):
    """A run under two judges of different weights, whose pixels were not normalized."""
    out = tmp_path_factory.mktemp("run") / "run"
    settings = {"encoder": [f"{clip}:2", "builtin"], "judge_precision": "bfloat16", "negative": ("text",)}
    return draw("a cat:2", also=("a dog",), out=out, **settings, **TINY)


def rejudged(run, **settings):
    judge = judge_of(run.folder / "drawing.svg", settings)
    drawing = Drawing.load(run.folder / "drawing.svg")
    texts = [prompt.text for prompt in judge.prompts]
    return dict(zip(texts, score(drawing, texts, judge.encoder), strict=True))


def test_a_drawing_has_the_similarities_of_its_run(run):
    assert rejudged(run) == pytest.approx(dict(run.similarities), abs=1e-6)
    assert list(run.similarities) == ["a cat", "a dog", "text"]


def test_each_setting_of_the_judge_may_be_another(run, clip):
    assert judge_of(run.folder / "drawing.svg", {}).about() == {"encoder": f"{clip} + builtin", "normalize": False}
    for changed in ({"judge.normalize": True}, {"judge.precision": "float32"}, {"judge.encoders": [clip]}):
        assert rejudged(run, **changed) != pytest.approx(dict(run.similarities), abs=1e-6)
    judge = judge_of(run.folder / "drawing.svg", {"judge.encoders": ["builtin"]})
    assert judge.about() == {"encoder": "builtin", "normalize": False}


def test_the_precision_is_the_one_that_the_run_took(run, clip, tmp_path):
    shutil.copytree(run.folder, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["config"]["judge"] |= {"precision": "auto", "encoders": [clip]}
    for taken in ("bfloat16", "float32"):
        record["encoder"]["precision"] = taken
        (tmp_path / "run" / "run.json").write_text(json.dumps(record))
        assert judge_of(tmp_path / "run" / "drawing.png", {}).encoder.precision == taken


def test_the_device_of_a_run_need_not_be_here(run, tmp_path):
    shutil.copytree(run.folder, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["config"]["device"] = next(name for name in ("cuda", "mps") if name not in devices())
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    assert judge_of(tmp_path / "run" / "drawing.svg", {}).encoder.device.type == devices()[0]
    assert judge_of(tmp_path / "run" / "drawing.svg", {"device": "cpu"}).encoder.device.type == "cpu"


def test_a_picture_of_a_comparison_is_judged_as_it_was_optimized(clip, tmp_path):
    configs = [resolve("a cat", {**TINY, "encoder": [clip]})]
    found = compare(configs, ["pixels"], out=tmp_path / "out")
    judge = judge_of(tmp_path / "out" / found.results[0].files[0], {})
    assert judge.about() == {"encoder": clip, "normalize": False}


def test_a_picture_of_no_run_is_judged_by_the_built_in_encoder(tmp_path):
    judge = judge_of(tmp_path / "cat.png", {})
    assert (judge.about(), judge.prompts) == ({"encoder": "builtin", "normalize": True}, ())


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"config": 3}', '{"config": {"prompt": ""}}', '{"configs": []}'])
def test_a_record_that_tells_of_no_run_is_noted(content, tmp_path):
    (tmp_path / "run.json").write_text(content)
    with pytest.warns(UserWarning, match="run.json does not tell of a run, so that the built-in encoder judges"):
        judge = judge_of(tmp_path / "cat.png", {})
    assert judge.encoder.name == "builtin"


def test_settings_that_do_not_change_the_judge_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="strokes does not change how a picture is judged"):
        judge_of(tmp_path / "cat.png", {"strokes": 3})
