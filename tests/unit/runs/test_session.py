import json
import logging
import os
import shutil
from pathlib import Path

import pytest
import torch

from clipdraw import raster
from clipdraw.config import from_dict, resolve
from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError, InputError, UnreadableError
from clipdraw.runs import draw, resume, session
from clipdraw.runs.folder import write_checkpoint

OLD = Path(__file__).with_name("old_run")
TINY = {"preset": "paper", "strokes": 4, "steps": 2, "views": 1, "film_kinds": ()}
FIVE = TINY | {"steps": 5}


def test_ctrl_c_before_the_first_step_leaves_no_folder(tmp_path, monkeypatch):
    def interrupted(encoder):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(session, "Vocabulary", interrupted)
    with pytest.raises(KeyboardInterrupt):
        draw("a red heart", explain=True, **TINY)
    assert list(tmp_path.iterdir()) == []


OLD_IN_GROUPS = {
    "also": ("wool",), "seed": 5, "canvas": (32, 24), "strokes": 4, "steps": 8, "opacity_weight": 0.2, "threads": 1,
    "prior.weight": 50.0, "prior.until": 1.0,
    "start.segments": (1, 3), "start.reach": 0.05, "start.width": 7.0, "start.opacity": (0.1, 0.3), "start.spread": 0.7,
    "center.radius": 60.0, "center.weight": 0.001, "center.power": 2.0, "center.kind": "disc", "center.on": "ink",
    "constraints.width_range": (2.0, 30.0), "constraints.least_opacity": 0.0, "constraints.keep_on_canvas": True,
    "rates.points": 2.0, "rates.width": 0.4, "rates.color": 0.06,
    "rates.points_schedule": "cosine", "rates.other_schedule": "cosine",
    "views.count": 2, "views.distortion": 0.4, "views.area": (0.8, 1.0), "views.outside": "white",
    "film.kinds": (),
}  # fmt: skip
"""The settings of the old run in today's words."""


def test_a_run_of_the_time_before_groups_goes_on_to_the_drawing_it_would_have_become(tmp_path):
    shutil.copytree(OLD, tmp_path / "run")
    run = resume(tmp_path / "run")
    assert (run.status, run.steps, run.seed) == ("finished", 8, 5)
    today = draw("a red heart:2", out=tmp_path / "today", **OLD_IN_GROUPS)
    assert run.similarity == today.similarity
    assert (run.folder / "drawing.svg").read_bytes() == (today.folder / "drawing.svg").read_bytes()
    steps = [json.loads(line)["step"] for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(1, 9))
    config = from_dict(json.loads((run.folder / "run.json").read_text())["config"])
    assert config == from_dict({"scene": "off", **json.loads((OLD / "run.json").read_text())["config"]})
    assert (config.prior.weight, config.opacity_weight, config.center.on) == (50.0, 0.2, "ink")
    assert (config.views.count, config.views.area, config.rates.points) == (2, (0.8, 1.0), 2.0)


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory):
    """The folder of a run that was killed after its third step of five."""

    class KilledError(Exception):
        pass

    def die(step):
        if step.index == 3:
            raise KilledError

    folder = tmp_path_factory.mktemp("broken") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "CHECKPOINT_EVERY_S", 0.0)
        with pytest.raises(KilledError):
            draw("a sun", out=folder, on_step=die, **FIVE)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of the same run, unbroken."""
    return files(draw("a sun", out=tmp_path_factory.mktemp("whole") / "run", **FIVE).folder)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def edited(folder, **settings):
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"config": record["config"] | settings}))


def refusal(folder):
    """The message with which a run does not go on; nothing in its folder changes."""
    before = files(folder)
    with pytest.raises(FormatError) as error:
        resume(folder)
    assert files(folder) == before
    message, _, advice = str(error.value).rpartition("; ")
    assert advice == "without checkpoint.safetensors resume begins again at the first step"
    return message


@pytest.mark.parametrize(
    ("name", "value", "was"), [("steps", 2, "5"), ("steps", 9, "5"), ("prompt", "a cat", "a sun"), ("seed", 1, "0")]
)
def test_a_record_that_was_edited_does_not_go_on_from_the_checkpoint(name, value, was, broken_off, tmp_path):
    folder = shutil.copytree(broken_off, tmp_path / "run")
    edited(folder, **{name: value})
    message = f"{folder / 'run.json'}: {name} is {value}, but the checkpoint was made with {was}: undo the change"
    assert refusal(folder) == message


def test_settings_that_decide_nothing_may_be_changed(broken_off, whole, tmp_path):
    folder = shutil.copytree(broken_off, tmp_path / "run")
    edited(folder, threads=1, film={"kinds": [], "size": 32})
    assert files(resume(folder).folder)["drawing.svg"] == whole["drawing.svg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "checkpoint.safetensors: damaged: "),
        ({"seconds": torch.tensor(1)}, "checkpoint.safetensors: does not fit run.json: its seconds is () torch.int64"),
        (
            {"seconds": torch.tensor(1.0, dtype=torch.float64)},
            "checkpoint.safetensors: does not fit run.json: it has no",
        ),
    ],
)
def test_without_a_damaged_checkpoint_a_run_begins_again(content, message, broken_off, whole, tmp_path):
    folder = shutil.copytree(broken_off, tmp_path / "run")
    if isinstance(content, dict):
        write_checkpoint(folder, content, resolve("a sun", FIVE))
    else:
        (folder / "checkpoint.safetensors").write_bytes(content)
    assert refusal(folder).startswith(f"{folder}{os.sep}{message}")
    (folder / "checkpoint.safetensors").unlink()
    assert files(resume(folder).folder)["drawing.svg"] == whole["drawing.svg"]


def test_a_run_goes_on_without_damaged_lines_of_metrics_and_with_nothing_half_written(broken_off, whole, tmp_path):
    folder = shutil.copytree(broken_off, tmp_path / "run")
    (folder / "metrics.jsonl").write_bytes(b"\xff\xfe")
    (folder / ".0123456789ab.safetensors").write_bytes(b"half")
    with pytest.warns(UserWarning, match=r"metrics\.jsonl: 3 of 3 lines are damaged or missing"):
        after = files(resume(folder).folder)
    assert after["drawing.svg"] == whole["drawing.svg"]
    assert set(after) == set(whole)


def test_a_run_that_goes_on_in_another_precision_says_so(broken_off, tmp_path):
    folder = shutil.copytree(broken_off, tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"encoder": record["encoder"] | {"precision": "float16"}}))
    with pytest.warns(UserWarning, match=r"computed in float16 and goes on in b?float\d\d, which changes the drawing"):
        resume(folder)


def test_a_drawing_that_cannot_be_written_is_a_failed_run(tmp_path, monkeypatch):
    def refuse(drawing, path):
        raise InputError("too far away")

    monkeypatch.setattr(Drawing, "save", refuse)
    with pytest.raises(InputError, match="too far away"):
        draw("a sun", out=tmp_path / "run", **TINY)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"


def test_prompts_of_the_same_text_have_a_number_each(tmp_path):
    run = draw("a sun", also=("a sun:2", "a cat"), negative=("a cat",), out=tmp_path / "run", **TINY)
    assert list(run.similarities) == ["a sun", "a sun (2)", "a cat", "a cat (2)"]
    record = json.loads((run.folder / "run.json").read_text())
    assert record["similarities"] == dict(run.similarities)
    assert list(record["losses"]) == ["a sun", "a sun (2)", "a cat", "not a cat"]
    assert run.similarities["a sun"] == run.similarities["a sun (2)"] != run.similarities["a cat"]


def test_the_precision_that_was_taken_is_written(tmp_path):
    for asked, taken in (("float32", ("float32",)), ("auto", ("float32", "bfloat16"))):
        run = draw("a red heart", judge={"precision": asked}, out=tmp_path / asked, **TINY)
        record = json.loads((run.folder / "run.json").read_text())
        assert record["config"]["judge"]["precision"] == asked
        assert record["encoder"]["precision"] in taken


def test_words_that_the_encoder_does_not_know_are_told_and_written(tmp_path):
    with pytest.warns(UserWarning, match="the encoder does not know: кошка, 猫$"):
        run = draw("a red кошка", also=("猫 on grass", "a кошка and a dog"), out=tmp_path / "some", **TINY)
    record = json.loads((run.folder / "run.json").read_text())
    assert record["encoder"]["unknown_words"] == ["кошка", "猫"]
    run = draw("a red \U0001f436", out=tmp_path / "all", **TINY)
    assert json.loads((run.folder / "run.json").read_text())["encoder"]["unknown_words"] == []


@pytest.mark.parametrize("texts", [{"prompt": "кошка"}, {"also": ("кошка",)}, {"negative": ("a кошка",)}])
def test_a_text_that_the_encoder_cannot_read_at_all_is_refused_before_a_folder_is_made(texts, tmp_path):
    with pytest.raises(UnreadableError, match=r"knows no word of '(a )?кошка'"):
        draw(**{"prompt": "a cat", "out": tmp_path / "run", **TINY, **texts})
    assert list(tmp_path.iterdir()) == []


def test_a_run_with_an_encoder_in_a_folder_goes_on_from_any_other(tmp_path, monkeypatch):
    tiny_clip = pytest.importorskip("tests.tiny_clip")
    tiny_clip.save(tmp_path / "here" / "clip")
    monkeypatch.chdir(tmp_path / "here")

    def stop(step):
        raise InputError("enough")

    with pytest.raises(InputError, match="enough"):
        draw("a cat", encoder=["./clip"], out=tmp_path / "run", on_step=stop, **TINY)
    monkeypatch.chdir(tmp_path)
    session._load.cache_clear()
    assert resume(tmp_path / "run").status == "finished"


def test_threads_are_those_of_before_when_a_run_has_ended(tmp_path):
    before, seen = (torch.get_num_threads(), raster.get_threads()), []

    def look(step):
        seen.append((torch.get_num_threads(), raster.get_threads()))
        if len(seen) == 3:
            raise InputError("enough")

    draw("a red heart", threads=3, out=tmp_path / "one", on_step=look, **TINY)
    assert seen == [(3, 3)] * 2
    assert (torch.get_num_threads(), raster.get_threads()) == before
    with pytest.raises(InputError, match="enough"):
        draw("a red heart", threads=3, out=tmp_path / "two", on_step=look, **TINY)
    assert (torch.get_num_threads(), raster.get_threads()) == before
    resume(tmp_path / "two", on_step=look)
    assert seen[2:] == [(3, 3)] * 2
    assert (torch.get_num_threads(), raster.get_threads()) == before


def test_whatever_takes_long_is_logged(tmp_path, caplog):
    caplog.set_level(logging.DEBUG, "clipdraw")
    session._load.cache_clear()
    draw(
        "a red heart",
        strokes=4,
        steps=2,
        views={"count": 1},
        film_size=16,
        film_formats=("webp",),
        out=tmp_path / "run",
    )
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.INFO]
    begun = ["loading the encoder builtin", "preparing the start of 4 strokes", "drawing a red heart: 2 steps"]
    assert [text for text in said if text in begun] == begun
    assert said[-2:] == ["writing drawing.png", "writing making-of.webp"]
    frames = [record for record in caplog.records if getattr(record, "what", "") == "writing making-of.webp"]
    assert [record.done for record in frames] == list(range(1, frames[0].total + 1))


def test_the_words_come_before_the_step_that_they_belong_to(tmp_path):
    told = []
    run = draw(
        "a red heart",
        explain=True,
        out=tmp_path / "run",
        on_words=lambda words: told.append(len(words)),
        on_step=lambda step: told.append(f"step {step.index}"),
        **TINY,
    )
    assert told == [5, "step 1", 5, "step 2"]
    assert len(run.words) == 5


SCENE = {"preset": "default", "strokes": 6, "steps": 1, "views": 1, "film_kinds": ()}


def test_a_scene_is_read_told_and_recorded(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "clipdraw"):
        run = draw("a red cat above two blue boats", out=tmp_path / "run", **SCENE)
    told = "reading the scene: 1 x red cat, 2 x blue boat; cat above boat"
    assert [line for line in caplog.messages if "scene" in line] == [told]
    scene = json.loads((run.folder / "run.json").read_text())["scene"]
    assert [thing["number"] for thing in scene["things"]] == [1, 2]
    assert scene["relations"] == [["cat", "above", "boat"]]
    assert sorted(one["text"] for one in scene["layout"]) == ["a blue boat", "a blue boat", "a red cat"]
    losses = json.loads((run.folder / "run.json").read_text())["losses"]
    assert {"a red cat (region)", "a blue boat (region)", "a blue boat (region) (2)"} <= set(losses)


@pytest.mark.parametrize(
    ("prompt", "settings"),
    [
        ("a red cat above a boat", {"scene": "off"}),
        ("a red cat", {}),
        ("a red cat", {"scene": "on"}),
        ("a red cat above a boat", {"preset": "paper"}),
    ],
)
def test_other_prompts_are_no_scene(tmp_path, prompt, settings):
    record = json.loads((draw(prompt, out=tmp_path / "run", **{**SCENE, **settings}).folder / "run.json").read_text())
    assert "scene" not in record
    assert not any("region" in name for name in record["losses"])


def test_a_scene_is_laid_out_without_a_prior_if_asked_for(tmp_path):
    settings = SCENE | {"preset": "paper", "scene": "on", "strokes": 20, "constraints": {"width_range": (1.0, 4.0)}}
    drawing = draw("a cat left of a dog", out=tmp_path / "run", **settings).drawing
    first = torch.stack([points[0] for points in drawing.stroke_points()])[:, 0]
    assert first[:10].max() < 112 + 10
    assert first[10:].min() > 112 - 10


def test_ink_keeps_to_the_regions_that_are_given(tmp_path):
    settings = SCENE | {"strokes": 24, "regions": ("a red sun@left third", "a blue key@right third")}
    run = draw("a park", out=tmp_path / "run", **settings)
    ink = (1 - raster.rasterize(run.drawing, height=96, width=96)).amax(0).sum(0)
    assert ink[:32].sum() > 20
    assert ink[64:].sum() > 20
    assert ink[33:63].sum() < 0.01 * ink.sum()
    picture = raster.rasterize(run.drawing, height=96, width=96)
    assert picture[0, :, :32].mean() > picture[2, :, :32].mean() + 0.02
    assert picture[2, :, 64:].mean() > picture[0, :, 64:].mean() + 0.02
