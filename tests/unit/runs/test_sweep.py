import json
import shutil
import signal

import pytest

from clipdraw.drawing import Drawing
from clipdraw.errors import ConfigError, FormatError, InputError
from clipdraw.io.images import read_image
from clipdraw.runs import session
from clipdraw.runs.sweep import Plan, read_plan, sweep, work

TINY = {"preset": "paper", "strokes": 4, "steps": 3, "views": 1, "canvas": (32.0, 32.0)}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(**settings):
    return Plan(("a red heart",), seeds=(0, 1), settings={**TINY, **settings})


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in (folder / "runs").rglob("*")}


def test_a_sweep_is_runs_and_sheets(here):
    done = sweep(["a red heart", "a sun"], seeds=[2], **TINY)
    assert done.status == "finished"
    assert done.folder.as_posix() == "sweeps/a-red-heart"
    assert {path.name for path in done.folder.iterdir()} == {
        "runs",
        "sheet.png",
        "sheet.svg",
        "index.html",
        "sweep.json",
    }
    assert [outcome.status for outcome in done.outcomes] == ["finished"] * 2
    for cell, outcome in zip(done.cells, done.outcomes, strict=True):
        record = json.loads((outcome.folder / "run.json").read_text())
        assert record["status"] == "finished"
        assert (record["config"]["prompt"], record["config"]["seed"]) == (cell.config.prompt, 2)
        assert len(Drawing.load(outcome.folder / "drawing.svg")) == 4
        assert -1 <= outcome.similarity <= 1
    assert read_image(done.folder / "sheet.png").shape[2] == 8 + 2 * 232
    page = (done.folder / "index.html").read_text()
    assert page.count("<figure>") == 2
    assert all(f"runs/{cell.name}/drawing.svg" in page for cell in done.cells)


@pytest.mark.filterwarnings("ignore:sheet.png. no font here has")  # where there is none with Japanese
def test_a_prompt_that_cannot_be_read_fails_alone(here):
    done = sweep(["a red heart", "自転車"], **TINY)
    assert [outcome.status for outcome in done.outcomes] == ["finished", "failed"]
    assert "knows no word of '自転車'" in done.outcomes[1].message
    assert done.status == "failed"
    with pytest.raises(InputError, match="knows no word of '自転車'"):
        sweep(["自転車", "猫"], out=here / "none", **TINY)
    assert not (here / "none").exists()


def test_a_sweep_with_encoders_in_folders_goes_on_from_any_other(here, monkeypatch):
    tiny_clip = pytest.importorskip("tests.tiny_clip")
    for name in ("one", "two"):
        tiny_clip.save(here / name)
    settings = {**TINY, "film_kinds": []}
    sweep(["a cat"], encoder=["one"], vary={"judge.encoders": [["one"], ["./two"]]}, out="all", **settings)
    before = stamps(here / "all")
    monkeypatch.chdir(here / "one")
    assert work(read_plan(here / "all"), out=here / "all").status == "finished"
    assert stamps(here / "all") == before


def test_the_nearest_words_are_on_the_sheet_and_the_page_if_they_are_asked_for(here):
    done = work(plan(explain=True))
    again = work(plan(explain=True))
    words = done.outcomes[0].words
    assert len(words) == 5
    assert [one.words for one in again.outcomes] == [one.words for one in done.outcomes]
    for file in ("sheet.svg", "index.html"):
        assert words[0].text in (done.folder / file).read_text()


def test_again_it_keeps_what_is_finished_and_takes_more(here):
    done = work(plan())
    before = stamps(done.folder)
    told = []
    assert work(plan(), on_run=told.append).folder == done.folder
    assert stamps(done.folder) == before
    assert [outcome.status for outcome in told] == ["finished"] * 2
    more = work(Plan(("a red heart",), seeds=(0, 1, 2), settings=TINY), out=done.folder)
    assert [outcome.status for outcome in more.outcomes] == ["finished"] * 3
    assert {path: stamp for path, stamp in stamps(done.folder).items() if path in before and path.is_file()} == {
        path: stamp for path, stamp in before.items() if path.is_file()
    }
    other = work(plan(steps=2))
    assert other.folder.as_posix() == "sweeps/a-red-heart-2"


def test_a_killed_sweep_goes_on_where_it_was(here, monkeypatch):
    monkeypatch.setattr(session, "CHECKPOINT_EVERY_S", 0.0)
    whole = work(plan(steps=6), out=here / "whole")
    steps = []

    def killed(name, index):
        steps.append(index)
        if len(steps) == 10:
            raise SystemError("killed")

    with pytest.raises(SystemError, match="killed"):
        work(plan(steps=6), out=here / "broken", on_step=killed)
    assert steps == [1, 2, 3, 4, 5, 6, 1, 2, 3, 4]
    steps.clear()
    done = work(read_plan(here / "broken"), out=here / "broken", on_step=lambda name, index: steps.append(index))
    assert steps == [5, 6]
    for one, other in zip(whole.outcomes, done.outcomes, strict=True):
        assert (one.folder / "drawing.svg").read_bytes() == (other.folder / "drawing.svg").read_bytes()


def test_a_sweep_of_the_time_of_shorter_names_goes_on(here):
    done = work(plan())
    runs = done.folder / "runs"
    for folder in runs.iterdir():
        folder.rename(runs / folder.name[:-6])
    finished, running = sorted(runs.iterdir())
    record = json.loads((running / "run.json").read_text())
    (running / "run.json").write_text(json.dumps(record | {"status": "running"}))
    before = stamps(done.folder)
    again = work(read_plan(done.folder), out=done.folder)
    assert sorted(runs.iterdir()) == [finished, running]
    assert [outcome.folder for outcome in again.outcomes] == [finished, running]
    assert {path for path, stamp in stamps(done.folder).items() if before.get(path) != stamp} >= {running / "run.json"}
    assert stamps(done.folder)[finished / "run.json"] == before[finished / "run.json"]
    named = json.loads((done.folder / "sweep.json").read_text())["runs"]
    assert [run["name"] for run in named] == [finished.name, running.name]
    page = (done.folder / "index.html").read_text()
    assert all(f"runs/{folder.name}/drawing.svg" in page for folder in (finished, running))


def test_a_former_folder_of_another_drawing_is_not_taken(here):
    done = work(plan())
    runs = done.folder / "runs"
    first, second = sorted(runs.iterdir())
    first.rename(runs / second.name[:-6])
    again = work(plan(), out=done.folder)
    assert [outcome.folder.name for outcome in again.outcomes] == [first.name, second.name]
    assert again.status == "finished"


def test_a_run_whose_settings_were_edited_is_told(here):
    done = work(plan())
    folder = done.outcomes[0].folder
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"config": record["config"] | {"strokes": 5}}))
    again = work(plan(), out=done.folder)
    assert [outcome.status for outcome in again.outcomes] == ["failed", "finished"]
    assert again.outcomes[0].message == (
        f"{folder / 'run.json'}: has other settings than the sweep: delete the folder, and go on"
    )
    shutil.rmtree(folder)
    assert work(plan(), out=done.folder).status == "finished"


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"[]", b"null", b"{}", b'{"plan": []}', b'{"plan": {"prompts": 3}}', b"[" * 100_000],
)
def test_a_damaged_record_of_a_sweep_is_named_and_may_be_made_again(content, here):
    (here / "sweeps" / "a-red-heart").mkdir(parents=True)
    (here / "sweeps" / "a-red-heart" / "sweep.json").write_bytes(content)
    with pytest.raises(FormatError, match=r"sweep\.json: damaged: .*; name the prompts again to go on in it$"):
        read_plan(here / "sweeps" / "a-red-heart")
    tiny = Plan(("a red heart",), settings=TINY)
    assert work(tiny).folder.as_posix() == "sweeps/a-red-heart-2"
    assert work(tiny, out=here / "sweeps" / "a-red-heart").status == "finished"


def test_ctrl_c_ends_the_run_under_way_and_begins_no_other(here):
    def stop(name, index):
        if index == 2:
            signal.raise_signal(signal.SIGINT)

    done = work(plan(), on_step=stop)
    assert done.status == "interrupted"
    assert [outcome.status for outcome in done.outcomes] == ["interrupted", "waiting"]
    assert (done.folder / "sheet.png").is_file()
    assert json.loads((done.folder / "sweep.json").read_text())["status"] == "interrupted"
    assert work(plan()).status == "finished"


def test_a_run_that_fails_leaves_the_others(here):
    endless = {"center.weight": (3e38, 0.0)}
    done = work(Plan(("a red heart",), vary=endless, settings={**TINY, "center_radius": 1.0, "steps": 12}))
    assert done.status == "failed"
    assert [outcome.status for outcome in done.outcomes] == ["failed", "finished"]
    assert "not finite" in done.outcomes[0].message
    assert "not finite" in (done.folder / "sweep.json").read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"strokes": 0}, "strokes must be"),
        ({"encoder": ("nope",)}, "no encoder called 'nope'"),
        ({"segments": (3, 1)}, "segments must be"),
        ({"device": "toaster"}, "device 'toaster'"),
    ],
)
def test_what_cannot_be_drawn_is_told_before_anything_is(here, settings, message):
    with pytest.raises(ConfigError, match=message):
        work(plan(**settings))
    assert list(here.iterdir()) == []


def test_other_peoples_folders_are_left_alone(here):
    (here / "mine").mkdir()
    (here / "mine" / "file").write_text("dear")
    with pytest.raises(InputError, match="not the folder of a sweep"):
        work(plan(), out=here / "mine")
    with pytest.raises(FormatError, match=r"no sweep\.json"):
        read_plan(here / "mine")
    with pytest.raises(InputError, match="processes must be from 1"):
        work(plan(), processes=0)
