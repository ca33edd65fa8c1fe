"""`clipdraw sweep` as a user types it."""

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.command_line import clipdraw

QUICK = ("--strokes", "4", "--set", "views=1", "--set", "preset=paper", "--set", "canvas=[32, 32]", "--quiet")


def test_processes_that_are_stopped_leave_what_can_be_gone_on_with(tmp_path):
    asked = ("a red heart", "--seeds", "0-2", "--steps", "150", *QUICK, "--out", "it", "--processes", "2")
    command = [sys.executable, "-m", "clipdraw", "sweep", *asked]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(1200):
        if len(list(tmp_path.rglob("metrics.jsonl"))) == 2:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "it\n"), err
    assert "go on with: clipdraw sweep --out it" in err
    runs = json.loads((tmp_path / "it/sweep.json").read_text())["runs"]
    assert sorted(run["status"] for run in runs)[-1] == "waiting"
    for run in runs:
        record = tmp_path / "it/runs" / run["name"] / "run.json"
        assert run["status"] == (json.loads(record.read_text())["status"] if record.exists() else "waiting")
        assert run["status"] != "failed"


def test_a_file_of_axes_and_options_over_it(tmp_path):
    (tmp_path / "mine.toml").write_text('prompts = ["a sun"]\nstyles = ["", "{} at night"]\n')
    asked = ("--config", "mine.toml", "--vary", "steps=1,2", "--vary", "segments=[[1, 1]]", "--seeds", "4")
    done = clipdraw("sweep", *asked, *QUICK, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["folder"] == "sweeps/mine"
    assert len(printed["runs"]) == 4
    assert printed["runs"][-1]["prompt"] == "a sun at night"
    last = ["a sun", "… at night", "steps 2", "segments [1, 1]", "4 strokes", "seed 4"]
    assert printed["runs"][-1]["labels"] == last


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a sweep needs prompts"),
        (["a cat", "--strokes", "8,0"], "0 strokes, seed 0: strokes must be from 1"),
        (["a cat", "--seeds", "many"], "seeds are written"),
        (["a cat", "--preset", "paper", "--preset", "fast"], "one sweep and one preset of draw"),
    ],
)
def test_a_bad_request_is_told_before_anything_is_drawn(arguments, message, tmp_path):
    done = clipdraw("sweep", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in " ".join(done.stderr.split())
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []
