"""Processes that are killed at each call by which they change a folder, and what becomes of the folder then."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")

CODE = """
import itertools, json, os, shutil, signal, sys
from pathlib import Path
import torch
import torch._dynamo  # which Adam imports, slowly
torch.set_num_threads(1)
from clipdraw import raster
from clipdraw.runs import draw, resume, session
from clipdraw.runs.sweep import Plan, run, work
from tests.conftest import TinyEncoder

raster.set_threads(1)
session.CHECKPOINT_EVERY_S = 0.0
session.prepare = run.encoder_of = lambda config: TinyEncoder()
SETTINGS = {"preset": "paper", "strokes": 2, "steps": 2, "views": 1, "canvas": (16.0, 8.0), "film_formats": ("svg",)}
CHANGES = {"open", "os.mkdir", "os.rename", "os.remove"}


def in_a_process(work, dies_at=None):
    # Whether it was killed; at the change of that number below `out`.
    process = os.fork()
    if process == 0:
        changes = itertools.count()

        def hook(event, arguments):
            if event in CHANGES and "out" in Path(str(arguments[0])).parts and next(changes) == dies_at:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        work()
        os._exit(0)
    ended = os.waitpid(process, 0)[1]
    assert ended in (0, signal.SIGKILL), ended
    return ended != 0


def one_run():
    draw("red", out="out", **SETTINGS)


def one_run_again():
    record = Path("out/run.json")
    if not record.exists():
        draw("red", out="out", **SETTINGS)
    elif json.loads(record.read_text())["status"] != "finished":
        resume("out")


def one_sweep():
    work(Plan(("red",), settings=SETTINGS | {"film_kinds": ()}), out=Path("out"))


def contents():
    return {str(file): file.read_bytes() for file in Path("out").rglob("*") if file.is_file()}


def compare(found, wanted, where):
    assert set(found) == set(wanted), (where, sorted(set(found) ^ set(wanted)))
    for name in wanted:
        if name.endswith((".svg", ".png")):
            assert found[name] == wanted[name], (where, name)
    for name in wanted:
        if name.endswith("metrics.jsonl"):
            assert [json.loads(line)["step"] for line in found[name].splitlines()] == [1, 2], where


first, again = {"run": (one_run, one_run_again), "sweep": (one_sweep, one_sweep)}[sys.argv[1]]
in_a_process(first)
whole, left = contents(), set()
for number in itertools.count():
    shutil.rmtree("out")
    if not in_a_process(first, dies_at=number):
        break
    left.add(" ".join(sorted({Path(name).suffix or Path(name).name for name in contents()})))
    in_a_process(again)
    compare(contents(), whole, number)
print(json.dumps([number, len(left)]))
"""


@pytest.mark.parametrize(("what", "changes"), [("run", 25), ("sweep", 25)])
def test_whatever_is_killed_at_any_moment_can_be_finished(what, changes, tmp_path):
    """It ends with the same files as without the kill, and nothing else; or is made anew in the same folder."""
    places = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", CODE, what],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    number, states = json.loads(done.stdout)
    assert number > changes
    assert states > 5
