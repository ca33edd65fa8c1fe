"""Machine code is made once, kept, and linked without Numba; what it is tried with is a small loop of its own."""

import gc
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from weakref import ref

import numpy as np
import pytest

from clipdraw.raster import machine
from clipdraw.raster.machine import Loop, Parts

fcntl = pytest.importorskip("fcntl")  # where there is none, code isn't linked

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

@compiled
def fail(out):
    raise ValueError("never mind")
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


def test_what_is_bound_stays_until_it_is_called(folder):
    """Machine code knows only where it is."""
    out, two = np.zeros((3, 5)), np.ones((5, 2), np.int32)
    call = Loop("spreading", "spread").bind((np.full(3, 2.0), Pair(two, 7)), 0.5, out)
    kept = ref(two)
    del two
    gc.collect()
    assert kept() is not None
    call()
    np.testing.assert_array_equal(out, np.full((3, 5), 9.0))


def test_a_loop_that_fails_says_so(folder):
    with pytest.raises(RuntimeError, match="a compiled loop failed"):
        Loop("spreading", "fail")(np.zeros(3))


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


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A copy of all that machine code depends on."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    shutil.copytree(Path(machine.__file__).parent, tmp_path / "raster")
    shutil.copy(Path(machine.__file__).parents[1] / "geometry.py", tmp_path)
    monkeypatch.setattr(machine, "__file__", str(tmp_path / "raster" / "machine.py"))
    return tmp_path


def test_other_sources_have_machine_code_of_their_own(sources):
    first = machine.cache_folder.__wrapped__()
    assert machine.cache_folder.__wrapped__() == first
    for changed in ("geometry.py", "raster/areas.py"):
        with (sources / changed).open("a", encoding="utf-8") as file:
            file.write("# more")
        assert machine.cache_folder.__wrapped__() != first


def test_without_sources_nothing_is_kept(sources):
    """As in an archive."""
    (sources / "geometry.py").unlink()
    assert machine.cache_folder.__wrapped__() is None


def test_what_others_could_have_written_is_not_run(sources):
    folder = machine.cache_folder.__wrapped__()
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o770)
    assert machine.cache_folder.__wrapped__() is None


def test_what_is_kept_is_found_where_nothing_can_be_written(sources, monkeypatch):
    folder = machine.cache_folder.__wrapped__()

    def refused(*_, **__):
        raise OSError("read-only file system")

    monkeypatch.setattr(Path, "mkdir", refused)
    monkeypatch.setattr(os, "open", refused)
    assert machine.cache_folder.__wrapped__() == folder


def test_a_process_forked_meanwhile_does_not_hold_others_up(tmp_path):
    code = """
import os, time
from clipdraw.raster import machine
with machine._alone("code"):
    child = os.fork()
    if child == 0:
        time.sleep(9)
        os._exit(0)
began = time.monotonic()
with machine._alone("code"):
    print(time.monotonic() - began < 3)
os.kill(child, 9)
"""
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "True\n"


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
