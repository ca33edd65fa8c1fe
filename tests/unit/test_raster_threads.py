"""Calls of one function by a team of threads; what is called is plain Python here."""

import subprocess
import sys
from itertools import count
from threading import Event, current_thread, main_thread

import pytest

from clipdraw.raster.threads import together


def helping():
    return current_thread() is not main_thread()


def test_threads_work_at_the_same_time():
    """Each of three waits until the others are there, too."""
    here, numbers = [Event() for _ in range(3)], count()

    def work():
        here[next(numbers)].set()
        return all(event.wait(10) for event in here)

    together(work, threads=3)
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

    together(work, threads=2)
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

    together(work, threads=2)
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
        together(work, threads=2)
    together(lambda: True, threads=2)  # and the thread is still there


def test_calls_that_nobody_has_begun_are_dropped():
    began, go_on, late = Event(), Event(), []

    def slow():
        if helping():
            began.set()
            go_on.wait(10)
        else:
            began.wait(10)
        return True

    together(slow, threads=2)  # the helper is still at it
    together(lambda: late.append(helping()) or True, threads=2)
    go_on.set()
    together(lambda: True, threads=2)
    done = Event()
    together(lambda: done.set() or True if helping() else done.wait(10), threads=2)
    assert late == [False]


@pytest.mark.parametrize(
    "end",
    ["", "import os; child = os.fork(); draw(); os._exit(0) if child == 0 else None; print(os.waitpid(child, 0)[1])"],
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
