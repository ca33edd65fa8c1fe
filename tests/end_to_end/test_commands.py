"""The real commands, as a user types them."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest
import torch

from clipdraw import Drawing, rasterize
from clipdraw.config import resolve
from clipdraw.encoders.devices import devices
from clipdraw.io.images import read_image
from tests import tiny_biggan
from tests.command_line import clipdraw, process

QUICK = ("--strokes", "8", "--steps", "6", "--views", "2")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small finished run: what it printed, and its folder."""
    folder = tmp_path_factory.mktemp("work")
    done = process("draw", "a red heart", *QUICK, "--json", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), folder


def test_draw_prints_one_json_object(finished):
    printed, folder = finished
    assert {"folder", "svg", "png", "similarity", "seconds", "steps_per_second", "seed"} <= set(printed)
    assert printed["folder"] == "drawings/a-red-heart-s0"
    assert -1 <= printed["similarity"] <= 1
    assert (folder / printed["svg"]).is_file()


def test_the_run_folder_is_complete(finished):
    printed, folder = finished
    run = folder / printed["folder"]
    names = {path.name for path in run.iterdir()}
    assert names == {
        "drawing.svg", "drawing.png", "making-of.svg", "making-of.mp4", "run.json", "metrics.jsonl",
        "checkpoint.safetensors",
    }  # fmt: skip
    record = json.loads((run / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["config"]["prompt"] == "a red heart"
    assert record["config"]["strokes"] == 8
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 7))
    assert all(set(line["losses"]) == {"a red heart", "opacity", "prior"} for line in lines)


def test_the_png_is_the_svg_at_four_times_the_size(finished):
    printed, folder = finished
    drawing = Drawing.load(folder / printed["svg"])
    png = read_image(folder / printed["png"])
    assert png.shape == (3, 896, 896)
    assert (rasterize(drawing, height=896, width=896) - png).abs().max() < 1.5 / 255


def test_the_same_seed_gives_the_same_bytes_and_a_new_folder(tmp_path):
    folder, printed = tmp_path, {"svg": "drawings/a-red-heart-s0/drawing.svg"}
    process("draw", "a red heart", *QUICK, "--quiet", cwd=folder)
    again = process("draw", "a red heart", *QUICK, "--quiet", cwd=folder)
    assert again.stdout.splitlines()[-1] == "drawings/a-red-heart-s0-2"
    svg = (folder / "drawings/a-red-heart-s0-2/drawing.svg").read_bytes()
    assert svg == (folder / printed["svg"]).read_bytes()
    other = clipdraw("draw", "a red heart", *QUICK, "--quiet", "--seed", "1", cwd=folder)
    assert other.returncode == 0
    assert (folder / "drawings/a-red-heart-s1/drawing.svg").read_bytes() != svg


def test_score_and_rasterize(finished):
    printed, folder = finished
    scored = clipdraw("score", printed["svg"], "a red heart", "a cat", "--json", cwd=folder)
    values = json.loads(scored.stdout)["scores"]
    assert values["a red heart"] == pytest.approx(printed["similarity"], abs=1e-3)
    twice = clipdraw("score", printed["svg"], "a cat", "a cat", "--json", cwd=folder)
    assert list(json.loads(twice.stdout)["scores"]) == ["a cat", "a cat (2)"]
    assert clipdraw("score", printed["png"], "a cat", cwd=folder).stdout.endswith("a cat\n")
    drawn = clipdraw("rasterize", printed["svg"], "--out", "small.png", "--size", "50", cwd=folder)
    assert drawn.returncode == 0, drawn.stderr
    assert read_image(folder / "small.png").shape == (3, 50, 50)


def test_a_film_of_a_finished_run(finished):
    printed, folder = finished
    asked = ("--kind", "strokes", "--length", "0.4", "--hold", "0.2", "--size", "64", "--out", "film.mp4", "--json")
    done = clipdraw("film", printed["folder"], *asked, cwd=folder)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["film"], told["seconds"]) == ("film.mp4", pytest.approx(0.6))
    assert told["bytes"] == (folder / "film.mp4").stat().st_size


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_film_that_is_stopped_leaves_no_file(number, code, finished, tmp_path):
    printed, folder = finished
    asked = ("--kind", "strokes", "--length", "600", "--size", "900", "--out", tmp_path / "film.mp4")
    command = [sys.executable, "-m", "clipdraw", "film", folder / printed["folder"], *asked]
    running = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # shells ignore it for jobs in the background
    )
    until = time.monotonic() + 60
    while not list(tmp_path.iterdir()):
        assert time.monotonic() < until
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == code, err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def tiny_clip(tmp_path):
    """A folder with a CLIP checkpoint of random weights."""
    from tests import tiny_clip

    return tiny_clip.save(tmp_path / "clip")


def test_a_drawing_of_clip_goes_by_the_preset_for_clip_and_is_scored_as_in_its_run(tiny_clip, tmp_path):
    options = ("--encoder", "./clip", "--set", "judge.normalize=false", "--json", "--quiet", "--out", "run")
    done = clipdraw("draw", "a cat", *QUICK, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["config"]["preset"], record["config"]["judge"]["encoders"]) == ("clip", [str(tiny_clip)])
    again = json.loads(clipdraw("score", "drawing.svg", "--json", cwd=tmp_path / "run").stdout)
    assert again["scores"] == pytest.approx(json.loads(done.stdout)["similarities"], abs=1e-6)
    assert (again["encoder"], again["normalize"]) == (str(tiny_clip), False)
    why = json.loads(clipdraw("explain", "drawing.svg", "--words", "1", "--json", cwd=tmp_path / "run").stdout)
    assert why["similarity"] == pytest.approx(json.loads(done.stdout)["similarity"], abs=1e-6)
    other = clipdraw("score", "drawing.svg", "a cat", "--encoder", "builtin", "--json", cwd=tmp_path / "run")
    assert json.loads(other.stdout)["encoder"] == "builtin"


def test_pickled_weights_are_converted_and_then_judge(tmp_path):
    from tests import tiny_clip

    weights = tiny_clip.open_clip_weights(tiny_clip.save_open_clip(tmp_path / "safe", "quick_gelu", heads=1))
    tiny_clip.save_archive(weights, tmp_path / "my ViT.pt")
    refused = clipdraw("draw", "a cat", "--encoder", "my ViT.pt", cwd=tmp_path)
    assert refused.returncode == 2
    (advice,) = re.findall(r"convert them once: clipdraw (.*) NEW_FOLDER, and pass the new folder", refused.stderr)
    done = clipdraw(*shlex.split(advice), "vit", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "vit\n"), done.stderr
    drawn = clipdraw("draw", "a cat", *QUICK, "--encoder", "vit", "--quiet", "--out", "run", cwd=tmp_path)
    assert drawn.returncode == 0, drawn.stderr


def test_compare_judges_by_an_encoder_that_was_not_optimized(tiny_clip, tmp_path):
    generator = tiny_biggan.save(tmp_path / "biggan", pickled=True)
    options = ("--held-out", tiny_clip, "--biggan", generator, "--seed", 0, "--seed", 3, "--out", "out", "--json")
    done = clipdraw("compare", "a red heart", *QUICK, *options, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["encoder"], found["held_out"]) == ("builtin", str(tiny_clip))
    assert [r["method"] for r in found["results"]] == ["clipdraw", "pixels", "biggan", "no-augment"] * 2
    assert set(found["means"]) == {"clipdraw", "pixels", "biggan", "no-augment"}
    assert all(-1 <= r["held_out"] <= 1 and r["steps"] == 6 for r in found["results"])
    assert (tmp_path / found["svg"]).is_file()
    assert read_image(tmp_path / found["png"]).shape[2] > 1600


def test_compare_makes_a_pair_with_and_without_negatives(tmp_path):
    options = ("--methods", "no-negative,clipdraw", "--negative", "blue", "--out", "out")
    done = clipdraw("compare", "a red heart", *QUICK, *options, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "out"
    pictures = [Drawing.load(file) for file in sorted((tmp_path / "out").glob("a-red*.svg"))]
    assert len(pictures) == 2
    assert not torch.equal(pictures[0].points, pictures[1].points)


def test_compare_draws_the_papers_figure(tmp_path):
    options = ("--preset", "figure-3", "--methods", "clipdraw,pixels", "--out", "out", "--json")
    done = clipdraw("compare", *options, "--strokes", 4, "--steps", 1, "--views", 1, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert [r["prompt"] for r in results[::4]] == ["A drawing of a cat", "A 3D rendering of a temple", "Self"]
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert {(c["preset"], c["resolution"], c["strokes"]) for c in record["configs"]} == {("paper", 224, 4)}


def test_views_are_saved_as_the_encoder_sees_them(finished, tmp_path):
    printed, folder = finished
    done = clipdraw("views", printed["folder"], "--out", tmp_path / "views", "--size", 64, cwd=folder)
    assert done.returncode == 0, done.stderr
    files = sorted((tmp_path / "views").iterdir())
    assert [file.name for file in files] == ["00001.png", "00002.png"]  # the run had two
    drawing, config = Drawing.load(folder / printed["svg"]), resolve("a red heart", {"views": 2})
    image = rasterize(drawing, height=64, width=64)
    wanted = config.recipe().views.apply(image, 64, generator=config.generator())
    for file, view in zip(files, wanted, strict=True):
        assert (read_image(file) - view).abs().max() < 0.01
    for source in (printed["svg"], printed["png"]):
        done = clipdraw("views", source, "--views", 3, "--seed", 4, "--out", tmp_path / "sheet.png", cwd=folder)
        assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'sheet.png'}\n"), done.stderr
        assert read_image(tmp_path / "sheet.png").shape[2] == 8 + 2 * 232  # the picture and three views


def test_a_drawing_is_converted_to_paths_as_json_and_back(finished, tmp_path):
    printed, folder = finished
    for source, target in ((folder / printed["svg"], "a.json"), (tmp_path / "a.json", "b.svg")):
        done = clipdraw("convert", source, "--out", target, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, f"{target}\n"), done.stderr
    first, last = Drawing.load(folder / printed["svg"]), Drawing.load(tmp_path / "b.svg")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), last.parameters(), strict=True))
    assert [path["num_control_points"] for path in json.loads((tmp_path / "a.json").read_text())] == [
        [2] * segments for segments in first.segments
    ]


def test_explain(finished, tmp_path):
    printed, folder = finished
    words = tmp_path / "words.txt"
    words.write_text("heart\ncat\n")
    options = ("--word-list", str(words), "--out", str(tmp_path / "why.svg"))
    told = clipdraw("explain", printed["svg"], *options, "--json", cwd=folder)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["prompts"] == {"a red heart": 1.0}
    assert found["similarity"] == pytest.approx(printed["similarity"], abs=1e-3)
    assert sum(found["words"].values()) == pytest.approx(1)
    assert len(found["strokes"]) == 8
    assert "what each stroke adds" in (tmp_path / "why.svg").read_text()
    told = clipdraw("explain", printed["png"], "--word-list", str(words), "--words", "1", cwd=folder)
    assert len(told.stdout.splitlines()) == 1
    for file, out, message in (("svg", "none/x.png", "none does not exist"), ("png", "x.png", "no strokes to show")):
        refused = clipdraw("explain", printed[file], "--out", out, "--encoder", "nobody/nothing", cwd=folder)
        assert refused.returncode == 2
        assert message in refused.stderr  # and not that there is no such encoder: that would be looked for later
    assert "such as drawings/a-red-heart-s0/drawing.svg" in clipdraw("score", printed["folder"], "x", cwd=folder).stderr


def test_a_run_that_explains_itself(tmp_path):
    done = clipdraw("draw", "a red heart", *QUICK, "--explain", "--quiet", "--json", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert json.loads(done.stdout)["words"] == dict(record["words"])
    assert record["config"]["explain"]
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert all(len(line["words"]) == 5 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["draw", ""], "prompt is empty"),
        (["draw", "a cat", "--encoder", "nope"], "nope"),
        (["draw", "a cat", "--encoder", "./nope"], "no folder './nope' in "),
        (["draw", "a cat", "--encoder", "RN50"], "is a ResNet"),
        (["draw", "a cat", "--encoder", __file__], "is a file that holds no weights"),
        (["draw", "自転車"], "knows no word of '自転車': it reads English"),
        (["draw", "a cat", "--negative", "猫"], "knows no word of '猫'"),
        (["sweep", "猫", "кошка"], "knows no word of '猫'"),
        (["convert-weights", "none.pt", "out"], "none.pt: there is no such file or folder"),
        (["convert-weights", __file__, "out"], "holds no pickled weights"),
        (["draw", "a cat", "--preset", "nope"], "no preset 'nope'"),
        (["draw", "a cat", "--device", "toaster"], "device 'toaster'"),
        (["draw", "a cat", "--strokes", "0"], "strokes must be from 1"),
        (["draw", "a cat", "--steps", "-1"], "steps must be from 1"),
        (["draw", "a cat", "--views", "9999"], "views.count must be from 1"),
        (["draw", "a cat", "--canvas", "0"], "canvas"),
        (["draw", "a cat", "--canvas", "wide"], "224 or 320x180"),
        (["draw", "a cat", "--config", "none.toml"], "none.toml"),
        (["draw", "a cat", "--set", "colour=3"], "colour"),
        (["draw", "a cat", "--negative", " "], "prompt is empty"),
        (["draw", "a cat", ""], "prompt is empty"),
        (["draw", "a cat:-1"], "a weight is above 0"),
        (["draw", "a cat", "--strokes", "many"], "--strokes"),
        (["draw", "a cat", "--centre-kind", "square"], "kind is one of"),
        (["resume", "nowhere"], "not the folder of a run"),
        (["score", "none.svg", "a cat"], "none.svg"),
        (["film", "nowhere.svg", "--out", "a.avi"], "a film is stored as"),
        (["compare", "a cat", "--methods", "vqgan"], "no method 'vqgan'"),
        (["compare", "a cat", "--methods", "biggan", "--biggan", "none"], "no folder 'none'"),
        (["compare", "a cat", "--held-out", "builtin"], "is the encoder that is optimized"),
        (["explain", "none.svg"], "none.svg"),
        (["explain", "none.svg", "--words", "0"], "--words must be at least 1"),
        (["explain", "none.svg", "--out", "a.jpg"], "--out names a .png or .svg file"),
        (["rasterize", "none.svg", "--out", "a.png"], "none.svg"),
        (["compare"], "a comparison needs prompts"),
        (["convert", "none.json", "--out", "a.svg"], "none.json"),
        (["convert", "none.json", "--out", "a.png"], "none.json"),
        (["views", "none.svg", "--out", "views"], "none.svg"),
        (["views", "none.svg", "--out", "views", "--size", "0"], "--size must be from 1"),
        (["draw", "a cat", "--frames", "-1"], "film.frames must be from 0 to 1000000"),
    ],
)
def test_a_bad_request_exits_2_with_its_reason_and_leaves_nothing(arguments, message, tmp_path):
    done = clipdraw(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_process_ends_with_the_exit_code_and_one_line(tmp_path):
    done = process("draw", "", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'clipdraw: the prompt is empty: say what to draw, for example "a bonfire"\n'


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
def test_folders_whose_names_are_not_utf_8(tmp_path):
    drawn, swept = (tmp_path / os.fsdecode(name) for name in (b"drawn\xff", b"swept\xff"))
    tiny = ("--strokes", "2", "--steps", "1", "--preset", "paper", "--quiet")
    done = process("draw", "a red heart", *tiny, "--out", drawn.name, cwd=tmp_path, encoding="latin-1")
    assert (done.returncode, done.stdout) == (0, "drawn\xff\n"), done.stderr
    assert Drawing.load(drawn / "drawing.svg")
    record = json.loads((drawn / "run.json").read_text())
    (drawn / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    for words, told in (
        (("resume", drawn.name, "--quiet"), drawn),
        (("sweep", "a red heart", *tiny[:-3], "--set", "preset=paper", "--quiet", "--out", swept.name), swept),
        (("sweep", "--quiet", "--out", swept.name), swept),
        (("film", drawn.name, "--size", "32", "--quiet", "--out", f"{drawn.name}.svg"), drawn.with_suffix(".svg")),
    ):
        done = clipdraw(*words, cwd=tmp_path)
        assert (done.returncode, os.fsencode(done.stdout)) == (0, os.fsencode(f"{told.name}\n")), done.stderr
    assert (swept / "sheet.png").is_file()
    again = clipdraw("draw", "a red heart", *tiny, "--out", drawn.name, cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert "drawn\\udcff exists and is not empty" in again.stderr


def test_a_hostile_svg_exits_2(tmp_path):
    levels = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    bomb = f'<!DOCTYPE svg [<!ENTITY l0 "ha">{levels}]><svg xmlns="http://www.w3.org/2000/svg" width="4">&l9;</svg>'
    (tmp_path / "bomb.svg").write_text(bomb)
    done = clipdraw("rasterize", "bomb.svg", "--out", "a.png", cwd=tmp_path)
    assert done.returncode == 2
    assert "bomb.svg" in done.stderr
    assert not (tmp_path / "a.png").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("dear")
    done = clipdraw("draw", "a cat", *QUICK, "--out", "mine", cwd=tmp_path)
    assert done.returncode == 2
    assert "exists and is not empty" in done.stderr
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["file"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    done = clipdraw("draw", "a cat", *QUICK, "--out", "file/below", cwd=tmp_path)
    assert done.returncode == 2
    assert "file/below" in done.stderr


def test_words_that_are_not_known_are_noted_in_one_line(tmp_path):
    for prompt, note in (("a red кошка", "clipdraw: note: the encoder does not know: кошка\n"), ("a \U0001f436", "")):
        done = clipdraw("draw", prompt, *QUICK, "--quiet", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, note)
    scored = clipdraw("score", "drawings/a-s0/drawing.svg", "a красный cat", "--quiet", cwd=tmp_path)
    assert scored.stderr == "clipdraw: note: the encoder does not know: красный\n"


def test_a_long_prompt_is_cut_with_a_note(tmp_path):
    done = clipdraw("draw", "a red heart " * 60 + "END", *QUICK, "--quiet", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "does not read the end" in done.stderr


def test_weights_and_negatives_are_kept_everywhere(tmp_path):
    asked = ("a cat:2", "watercolor:0.5", "--negative", "words and text", "--negative", '"9:30":0.5')
    done = clipdraw("draw", *asked, *QUICK, "--quiet", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["folder"] == "drawings/a-cat-2-watercolor-0-5-not-words-and-text-not-9-30-0-5-s0"
    assert list(printed["similarities"]) == ["a cat", "watercolor", "words and text", "9:30"]
    first, second = list(printed["similarities"].values())[:2]
    assert printed["similarity"] == pytest.approx((2 * first + 0.5 * second) / 2.5)
    record = json.loads((tmp_path / printed["folder"] / "run.json").read_text())
    assert record["config"]["also"] == ["watercolor:0.5"]
    assert record["config"]["negative"] == ["words and text", '"9:30":0.5']
    assert record["similarities"] == printed["similarities"]
    metadata = Drawing.load(tmp_path / printed["svg"]).metadata
    assert metadata["prompts"] == "a cat:2\nwatercolor:0.5"
    assert metadata["negative"] == "words and text\n9:30:0.5"


def test_forgotten_quotes_are_pointed_out(tmp_path):
    done = clipdraw("draw", "a", "red", "heart", *QUICK, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'one text is written "a red heart"' in done.stderr


def start(cwd, *arguments):
    command = [sys.executable, "-m", "clipdraw", "draw", "a red heart", "--out", "run", "--quiet", *arguments]
    running = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    metrics = cwd / "run" / "metrics.jsonl"
    latest = time.monotonic() + 300  # however busy the machine is
    while running.poll() is None and time.monotonic() < latest:
        if metrics.exists() and metrics.read_text().count("\n") >= 3:
            return running
        time.sleep(0.1)
    running.kill()
    raise AssertionError(running.communicate())


def test_ctrl_c_writes_the_drawing_so_far_and_resume_ends_as_if_unbroken(tmp_path):
    steps = ("--strokes", "8", "--steps", "300", "--views", "2")
    running = start(tmp_path, *steps)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert out.strip() == "run"
    assert "resume run" in err
    assert Drawing.load(tmp_path / "run" / "drawing.svg")
    resumed = process("resume", "run", "--quiet", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    whole = process("draw", "a red heart", *steps, "--quiet", "--out", "whole", cwd=tmp_path)
    assert whole.returncode == 0
    assert (tmp_path / "run" / "drawing.svg").read_bytes() == (tmp_path / "whole" / "drawing.svg").read_bytes()
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 301))


def test_help_is_set_in_the_width_of_the_terminal(tmp_path):
    told = process("draw", "--help", cwd=tmp_path, env=os.environ | {"COLUMNS": "200"}).stdout
    assert "times such as 12:30 stay text, and so does all that is in double quotes" in told


def test_a_killed_run_goes_on(tmp_path):
    running = start(tmp_path, "--strokes", "8", "--steps", "40", "--views", "2")
    running.kill()
    running.communicate()
    resumed = process("resume", "run", "--quiet", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads((tmp_path / "run" / "run.json").read_text())["steps"] == 40
    assert "finished; there is nothing" in clipdraw("resume", "run", cwd=tmp_path).stderr


def test_doctor_finds_nothing_broken(tmp_path):
    done = process("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert torch.__version__ in done.stdout
    assert "checksum right" in done.stdout
    for device in devices():
        for line in (
            rf"device +{device}: \S",
            rf"precision +{device}: encoders compute in (bfloat16|float32); ",
            rf"speed +{device}: built-in encoder, 256 strokes: \d+ ms a step, 250 steps in \d+ (s|minutes)",
            rf"speed +{device}: CLIP ViT-B/32, 8 views: at least [\d.e-]+ s a step, 250 steps in \d+ (s|minutes)",
        ):
            assert re.search(line, done.stdout), line


def test_lists(tmp_path):
    told = clipdraw("presets", cwd=tmp_path).stdout
    assert "paper" in told
    assert "figure-5       plan: " in told
    assert "steps = 1000" in clipdraw("presets", "notebook", cwd=tmp_path).stdout
    assert "prompts = ['The Eiffel Tower']" in clipdraw("presets", "figure-6", cwd=tmp_path).stdout
    assert "builtin" in clipdraw("models", cwd=tmp_path).stdout


def test_drawings_as_json(finished, tmp_path):
    printed, folder = finished
    Drawing.load(folder / printed["svg"]).save(tmp_path / "x.json")
    for file, out in ((folder / printed["svg"], "svg.png"), ("x.json", "json.png")):
        done = clipdraw("rasterize", file, "--out", out, "--size", 100, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert torch.equal(read_image(tmp_path / "json.png"), read_image(tmp_path / "svg.png"))
    assert clipdraw("score", "x.json", "a red heart", cwd=tmp_path).returncode == 0
