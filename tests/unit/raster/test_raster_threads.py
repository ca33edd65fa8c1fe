"""Calls of one function by a team of threads; what is called is plain Python here."""

import math
import subprocess
import sys
from itertools import count
from threading import Event, Thread, current_thread, main_thread
from time import sleep
from weakref import ref

import pytest

from clipdraw.raster import threads
from clipdraw.raster.threads import _quota, get_threads, run_parallel, usable_processors


@pytest.mark.parametrize(
    ("own", "files", "granted"),
    [
        ("0::/", {}, math.inf),
        ("0::/", {"cpu.max": "150000 100000"}, 1.5),
        ("0::/", {"cpu.max": "max 100000"}, math.inf),
        ("0::/a/b", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "50000 100000"}, 0.5),
        ("0::/../x", {"cpu.max": "200000 100000"}, 2.0),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3.0),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ("nonsense", {"cpu.max": "many"}, math.inf),
        (None, {}, math.inf),
    ],
)
def test_a_quota_is_that_of_the_group_or_one_around_it(own, files, granted, tmp_path):
    for name, text in files.items():
        (tmp_path / "groups" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / name).write_text(text + "\n")
    if own:
        (tmp_path / "own").write_text(own + "\n")
    assert _quota.__wrapped__(tmp_path / "groups", tmp_path / "own") == granted


@pytest.mark.parametrize(("allowed", "quota", "usable"), [(8, math.inf, 8), (8, 2.5, 3), (8, 0.2, 1), (2, 4.0, 2)])
def test_threads_are_as_many_as_processors_may_be_used(allowed, quota, usable, monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda process: set(range(allowed)), raising=False)
    monkeypatch.setattr(threads, "_quota", lambda: quota)
    assert (usable_processors(), get_threads()) == (usable, usable)


def helping():
    return current_thread() is not main_thread()


def test_threads_work_at_the_same_time():
    """Each of three waits until the others are there, too."""
    here, numbers = [Event() for _ in range(3)], count()

    def work():
        here[next(numbers)].set()
        return all(event.wait(10) for event in here)

    run_parallel(work, threads=3)
    assert all(event.is_set() for event in here)


def test_a_thread_that_gives_up_waiting_comes_back_when_the_others_have_returned():
    begun, calls = Event(), []

    def work():
        if helping():
            begun.set()
            calls.append("help")
            return True
        calls.append("own")
        begun.wait(10)
        return len(calls) > 2

    run_parallel(work, threads=2)
    assert calls[-1] == "own"
    assert sorted(calls) == ["help", "own", "own"]


def test_a_helping_thread_that_gives_up_waiting_looks_again():
    """While the calling one is at something that takes long."""
    looks, enough = [], Event()

    def work():
        if not helping():
            return enough.wait(10)
        looks.append("again")
        if len(looks) == 3:
            enough.set()
        return len(looks) == 3

    run_parallel(work, threads=2)
    assert len(looks) == 3


def test_an_error_in_a_helping_thread_is_raised():
    begun = Event()

    def work():
        if helping():
            begun.set()
            raise MemoryError("no room")
        begun.wait(10)
        return False

    with pytest.raises(MemoryError, match="no room"):
        run_parallel(work, threads=2)
    run_parallel(lambda: True, threads=2)  # and the thread is still there


def test_calls_that_nobody_has_begun_are_dropped():
    began, go_on, late = Event(), Event(), []

    def slow():
        if helping():
            began.set()
            go_on.wait(10)
        else:
            began.wait(10)
        return True

    run_parallel(slow, threads=2)  # the helper is still at it
    run_parallel(lambda: late.append(helping()) or True, threads=2)
    go_on.set()
    run_parallel(lambda: True, threads=2)
    done = Event()
    run_parallel(lambda: done.set() or True if helping() else done.wait(10), threads=2)
    assert late == [False]


def test_a_helping_thread_stops_when_its_call_is_dropped():
    """It gave up waiting, and the work has been done without it."""
    looks, looked = [], Event()

    def work():
        if helping():
            looks.append("again")
            looked.set()
            return False
        return looked.wait(10)

    run_parallel(work, threads=2)
    sleep(0.05)
    so_far = len(looks)
    sleep(0.05)
    assert len(looks) == so_far


@pytest.mark.parametrize("busy", [False, True])
def test_nothing_of_a_call_is_kept(busy):
    """Not by the thread that made it, nor by one that is busy elsewhere and finds it later."""
    free = Event()
    other = Thread(target=run_parallel, args=(lambda: free.wait(10),), kwargs={"threads": 2})
    if busy:
        other.start()
        sleep(0.05)

    begun = Event()

    def work():
        if helping():
            begun.set()
        return busy or begun.wait(10)

    kept = ref(work)
    run_parallel(work, threads=2)
    del work
    for _ in range(200):
        if kept() is None:
            break
        sleep(0.01)
    assert kept() is None
    free.set()
    if busy:
        other.join()


FORK = """
import os
from clipdraw.raster.threads import _helpers
child = os.fork()
if child == 0:
    none = not _helpers
    draw()
    os._exit(0 if none and _helpers else 1)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.parametrize(
    "end",
    ["", FORK],
)
def test_processes_end_in_peace(end):
    """Right after a call; and a forked child has a team of its own."""
    code = f"""
import torch, clipdraw
from clipdraw.raster import set_threads
torch.set_num_threads(1)
set_threads(2)
drawing = clipdraw.RandomStrokes(40)(clipdraw.Canvas(), torch.Generator().manual_seed(0))
def draw(): clipdraw.rasterize(drawing)
draw()
{end}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "0" if end else "")
