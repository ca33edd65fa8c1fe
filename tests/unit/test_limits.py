"""Limits of time and memory: met in Python and in compiled code, and told in one line."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import InputError, LimitError, OutOfMemoryError
from clipdraw.io.svg import from_svg
from clipdraw.limits import Limits, check_limits, limited, reserve, resident_bytes, watched
from clipdraw.raster import rasterize_bands

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 224 224">'
WANDERING = "".join(
    f"C{(k * 37) % 224} {(k * 91) % 224} {(k * 53) % 224} {k % 224} 5 {(k * 17) % 224}" for k in range(40)
)
LONG = f'<path d="M0 0{WANDERING}" stroke="red" fill="none"/>'
HOSTILE = {
    "many paths": HEAD + LONG * 2000 + "</svg>",
    "nested clips": HEAD
    + "".join(
        f'<clipPath id="c{k}"><rect width="{99 + k}" height="150"/></clipPath>'
        f'<g transform="rotate({k})" clip-path="url(#c{k})">'
        for k in range(90)
    )
    + '<path d="M0 0L99 1L50 90z"/>' * 3000
    + "</g>" * 90
    + "</svg>",
    "nested opacities": HEAD
    + '<g opacity=".9">' * 150
    + "".join(f'<path d="M{k * 9} {k % 7 * 9}h5v5z"/>' for k in range(9000))
    + "</g>" * 150
    + "</svg>",
    "many elements": HEAD + "<g></g>" * 200_000 + LONG + "</svg>",
}


def strokes(count, width):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(4 * count, 2, generator=generator) * 224
    return Drawing(
        points, torch.full((count,), width), torch.rand(count, 4, generator=generator), (1,) * count, Canvas()
    )


@pytest.mark.parametrize("kind", HOSTILE)
def test_reading_ends_at_the_limit(kind):
    began = time.process_time()
    told = "^reading a file took longer than 0[.]2 seconds; --limit-seconds"
    with pytest.raises(LimitError, match=told), Limits(seconds=0.2).over("reading a file"):
        from_svg(HOSTILE[kind])
    assert time.process_time() - began < 1.2


def test_rasterizing_ends_at_the_limit():
    drawing = strokes(4000, 300.0)
    began = time.process_time()
    with pytest.raises(LimitError, match="an image took longer"), Limits(seconds=0.2).over("an image"):
        list(rasterize_bands(drawing, width=896))
    assert time.process_time() - began < 1.5


def test_one_long_path_ends_at_the_limit():
    path = f'{HEAD}<path fill="none" stroke="black" stroke-width="9" d="M0 0{WANDERING * 40}"/></svg>'
    drawing = from_svg(path)
    began = time.process_time()
    with pytest.raises(LimitError, match="an image took longer"), Limits(seconds=0.1).over("an image"):
        list(rasterize_bands(drawing, width=3000))
    assert time.process_time() - began < 1.5


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is not known from moment to moment")
def test_growth_beyond_the_limit_is_an_error():
    grown = []

    def grow():
        grown.append(torch.ones(16 * 2**20))
        time.sleep(0.03)
        check_limits()

    told = "this takes more than 20 megabytes of memory; --limit-megabytes"
    with pytest.raises(LimitError, match=told), Limits(megabytes=20).over("this"):
        grow()


def test_memory_beyond_the_limit_is_refused_before_it_is_taken():
    before = resident_bytes()
    with pytest.raises(LimitError, match="megabytes"), Limits(megabytes=20).over("this"):
        reserve(30 * 2**20)
    assert resident_bytes() - before < 2**20


def test_without_limits_nothing_is_limited():
    check_limits()
    reserve(2**60)
    with watched(lambda: pytest.fail("stopped")), limited("this"):
        pass


def test_limits_end_with_their_block():
    with pytest.raises(InputError, match="inner"), Limits(seconds=1e-9).over("this"):
        raise InputError("inner")
    check_limits()


def test_each_piece_of_work_has_the_whole_time():
    with Limits(seconds=0.3).for_each():
        for _ in range(4):
            with limited("this"):
                time.sleep(0.1)
                check_limits()


def test_compiled_code_is_stopped():
    stopped = []

    def work():
        while not stopped:
            time.sleep(0.001)
        raise OutOfMemoryError("stopped")

    with (
        pytest.raises(LimitError, match="longer"),
        Limits(seconds=0.01).over("this"),
        watched(lambda: stopped.append(True)),
    ):
        work()


@pytest.mark.parametrize("values", [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0)])
def test_impossible_limits(values):
    with pytest.raises(InputError):
        Limits(*values)


SMALL = """
import resource, sys
from clipdraw.cli import main
import torch, clipdraw.raster, clipdraw.io.images, clipdraw.io.svg.foreign
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + int(sys.argv.pop(1)) * 2**20,) * 2)
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize("room", [1, 12, 60])
def test_want_of_memory_is_told_in_one_line(room, tmp_path):
    file = tmp_path / "x.svg"
    strokes(400, 30.0).save(file)
    out = tmp_path / "x.png"
    command = [
        sys.executable,
        "-c",
        SMALL,
        str(room),
        "rasterize",
        str(file),
        "--out",
        str(out),
        "--size",
        "2000",
        "-q",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert "memory" in done.stderr
    assert not out.exists()
