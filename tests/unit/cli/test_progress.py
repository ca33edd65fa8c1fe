import logging
import time

import pytest

from clipdraw.cli import progress
from clipdraw.cli.progress import Display, display
from clipdraw.progress import track


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_work_is_passed_on_and_told(caplog):
    caplog.set_level(logging.DEBUG, "clipdraw")
    assert list(track("abc", "spelling", total=3)) == ["a", "b", "c"]
    first, *others = caplog.records
    assert (first.levelname, first.getMessage()) == ("INFO", "spelling")
    assert [(r.levelname, r.what, r.done, r.total) for r in others] == [("DEBUG", "spelling", n, 3) for n in (1, 2, 3)]


def test_what_the_library_says_goes_to_standard_error_while_in_the_block(capsys):
    log = logging.getLogger("clipdraw")
    with display(quiet=False) as shown:
        log.info("loading %s", "it")
        log.debug("a detail")
    log.info("afterwards")
    assert isinstance(shown, Display)
    assert capsys.readouterr() == ("", "loading PyTorch\nloading it\n")
    assert shown not in log.handlers


def test_quiet_says_nothing(capsys):
    with display(quiet=True) as shown:
        logging.getLogger("clipdraw").info("loading it")
    assert shown is None
    assert capsys.readouterr() == ("", "")


def test_outside_a_terminal_there_is_a_line_a_second_with_the_time_left(capsys, clock):
    shown = Display()
    for done in range(1, 11):
        clock[0] += 0.4
        shown.advance("step", done, 10, detail="similarity 0.5", unit="steps")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "step: 4 of 10  similarity 0.5  3.3 steps/s  2 s left"
    assert [line.split(" of")[0] for line in lines] == ["step: 4", "step: 7", "step: 10"]


def test_long_work_has_about_fifty_lines(capsys, clock):
    shown = Display()
    for done in range(1, 1001):
        clock[0] += 1.0
        shown.advance("step", done, 1000)
    assert 40 <= len(capsys.readouterr().err.splitlines()) <= 55


def test_work_that_goes_on_is_timed_from_where_it_began(capsys, clock):
    shown = Display()
    shown.advance("step", 101, 200)
    clock[0] += 10.0
    shown.advance("step", 110, 200)
    assert capsys.readouterr().err == "step: 110 of 200  90 s left\n"


def test_a_sweep_counts_as_a_whole_and_its_runs_are_details(capsys, clock):
    shown = Display(overall=True)
    log = logging.getLogger("clipdraw.test_progress")
    record = log.makeRecord("clipdraw", logging.INFO, "", 0, "loading it", (), None)
    shown.emit(record)
    shown.advance("steps", 1, 20, detail="0 of 2 drawings")
    clock[0] += 2.0
    shown.emit(record)
    shown.emit(log.makeRecord("clipdraw", logging.DEBUG, "", 0, "frame", (), None, extra={"done": 1, "total": 2}))
    assert capsys.readouterr().err.splitlines() == ["loading it", "steps: 1 of 20  loading it  38 s left"]


def test_a_terminal_has_a_bar_that_goes_away(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    shown = Display()
    shown.show_below("heart 50%")
    shown.advance("step", 1, 3, detail="similarity [0.5]")
    shown.advance("step", 2, 3, detail="similarity [0.5]")
    assert shown._bar.tasks[0].completed == 2
    time.sleep(0.01)
    shown.say("writing it")
    assert shown._bar is None
    assert capsys.readouterr().err.splitlines()[-1].endswith("writing it")
