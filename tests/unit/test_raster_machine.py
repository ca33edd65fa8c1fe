"""Machine code is made once, kept, and linked without Numba; what it is tried with is a small loop of its own."""

import fcntl
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest

from clipdraw.raster import machine
from clipdraw.raster.machine import Loop, Parts

SOURCE = """
import numpy as np
from clipdraw.raster.compile import compiled
from clipdraw.raster.memory import release, room

@compiled
def spread(parts, factor, out):
    kept = room(out.shape, np.float64)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            kept[i, j] = parts[0][i] * factor + parts[1].two[j, 1] + parts[1].number
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = kept[i, j]
    release((kept, (room((3,), np.int32),)))
    return len(parts[1].two) > 4
"""


FOLDER = "from clipdraw.raster.machine import cache_folder; print(cache_folder())"


class Pair(NamedTuple):
    two: np.ndarray
    number: int


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where machine code goes, beside a module that can be compiled."""
    (tmp_path / "spreading.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "spreading", raising=False)
    (tmp_path / "code").mkdir()
    monkeypatch.setattr(machine, "cache_folder", lambda: tmp_path / "code")
    return tmp_path / "code"


def spreads(module="spreading", dtype=np.float64):
    """Whether a loop says what it should, and what it returns for four and for five columns."""
    loop, results = Loop(module, "spread"), []
    for columns in (4, 5):
        one, two = np.arange(3, dtype=dtype), np.arange(2 * columns, dtype=np.int32).reshape(columns, 2)
        out = np.zeros((3, columns), dtype)
        results.append(loop((one, Pair(two, 7)), 0.5, out))
        np.testing.assert_array_equal(out, one[:, None] * 0.5 + two[:, 1] + 7)
    return results


def test_arguments_arrive_and_a_result_comes_back(folder):
    assert spreads() == [False, True]


def test_machine_code_is_enough(folder):
    """A later process has no use for the source."""
    spreads()
    assert spreads(module="a.module.that.is.not.there") == [False, True]


def test_each_precision_has_machine_code_of_its_own(folder):
    spreads()
    spreads(dtype=np.float32)
    assert len(list(folder.glob("*.o"))) == 2


def test_damaged_machine_code_is_made_again(folder):
    spreads()
    (path,) = folder.glob("*.o")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    spreads()
    assert len(path.read_bytes()) == len(whole)


def test_where_nothing_can_be_kept_it_is_made_each_time(folder, monkeypatch):
    monkeypatch.setattr(machine, "cache_folder", lambda: None)
    assert spreads() == [False, True]
    monkeypatch.setattr(machine, "cache_folder", lambda: folder / "is not there")
    assert spreads() == [False, True]
    assert list(folder.iterdir()) == []


def test_where_code_is_not_linked_numba_calls_and_keeps_what_it_compiled(folder, monkeypatch):
    monkeypatch.setattr(machine, "LINKS", False)
    assert spreads() == [False, True]
    assert not list(folder.glob("*.o"))
    assert list(folder.rglob("spreading.spread-*.nbc"))


def test_a_process_waits_for_another_that_makes_the_same_machine_code(folder):
    """The second reads what the first has made meanwhile, and compiles nothing."""
    spreads()
    (path,) = folder.glob("*.o")
    made = path.read_bytes()
    path.unlink()
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with ThreadPoolExecutor() as other:
            waiting = other.submit(spreads, module="a.module.that.is.not.there")
            time.sleep(0.2)
            assert not waiting.done()
            path.write_bytes(made)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert waiting.result() == [False, True]


def test_where_linking_fails_numba_calls_what_it_compiled(folder, monkeypatch):
    def fail(code, name):
        raise RuntimeError("unknown machine")

    monkeypatch.setattr(machine, "_link", fail)
    assert spreads() == [False, True]


def test_parts_are_taken_apart_once(folder):
    """The arrays are the same, so what is in them by then counts."""
    loop, one, two, out = Loop("spreading", "spread"), np.zeros(3), np.zeros((5, 2), np.int32), np.zeros((3, 5))
    parts = Parts((one, Parts(Pair(two, 7))))
    one[:], two[:] = 4, 1
    assert loop(parts, 0.5, out)
    np.testing.assert_array_equal(out, np.full((3, 5), 10.0))


def test_arrays_that_loops_could_not_take(folder):
    loop, out = Loop("spreading", "spread"), np.zeros((3, 4))
    fixed = np.arange(3.0)
    fixed.flags.writeable = False
    for one in (fixed, np.arange(6.0)[::2]):
        with pytest.raises((TypeError, ValueError)):
            loop((one, Pair(np.zeros((4, 2), np.int32), 7)), 0.5, out)


def test_a_folder_that_cannot_be_written_to(tmp_path):
    """Nothing is said about it."""
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FOLDER],
        capture_output=True,
        text=True,
        env={"NUMBA_CACHE_DIR": str(tmp_path / "file"), "PYTHONPATH": ":".join(sys.path)},
        check=True,
    )
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_settings_of_numba_have_machine_code_of_their_own(tmp_path):
    """Code for another processor must not be run."""

    folders = set()
    for more in ({}, {}, {"NUMBA_CPU_NAME": "generic"}):
        environment = {"XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path), **more}
        done = subprocess.run(
            [sys.executable, "-c", FOLDER], capture_output=True, text=True, env=environment, check=True
        )
        folders.add(done.stdout)
    assert len(folders) == 2


def test_a_later_process_does_not_import_numba():
    code = """
import sys, torch, clipdraw
drawing = clipdraw.RandomStrokes(4)(clipdraw.Canvas(), torch.Generator().manual_seed(0))
drawing.points.requires_grad_()
clipdraw.rasterize(drawing).sum().backward()
print("numba" in sys.modules)
"""
    for _ in range(2):  # the first may have to compile
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
            check=True,
        )
    assert done.stdout == "False\n"
