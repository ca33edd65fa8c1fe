"""The compiled kernels: what is handed over to them, and what happens where there are none or no memory."""

import gc
import re
import subprocess
import sys
import warnings
from pathlib import Path
from weakref import ref

import pytest
import torch

import clipdraw
from clipdraw import bezier, raster, rasterize
from clipdraw.drawing import Drawing
from clipdraw.errors import InputError
from clipdraw.raster import backend, constants, covering, native
from clipdraw.raster.batch import make_batch
from tests.raster_scenes import SCENES, published

HEADER = (Path(raster.__file__).parent / "kernels" / "kernels.h").read_text(encoding="utf-8")
STRUCTS = native.Index, native.Paths, native.Coverage, native.Paint, native.Gradients


def test_constants_are_those_of_the_reference():
    """By the same names; `CAP_ROUND` is the entry of `CAPS`."""
    defined = {name: float(value) for name, value in re.findall(r"#define (\w+) (-?[\d.e-]+)\n", HEADER)}
    known = {**vars(bezier), **vars(constants)}
    for prefix, numbers in (("CAP", constants.CAPS), ("JOIN", constants.JOINS)):
        known |= {f"{prefix}_{name.upper()}": number for name, number in numbers.items()}
    assert len(defined) > 25
    assert {name: known[name] for name in defined} == defined


@pytest.mark.parametrize("struct", STRUCTS)
def test_structs_have_the_fields_of_the_header(struct):
    text = next(
        body for body, name in re.findall(r"typedef struct \{([^}]*)\} (\w+);", HEADER) if name == struct.__name__
    )
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    parts = [part.strip() for part in re.split(r"[;,]", text)]
    declared = [re.search(r"\(?\*?(\w+)\)?(\[\w+\])*$", part)[1] for part in parts if part]
    assert declared == [field[0] for field in struct._fields_]


def test_the_first_call_of_a_process_is_fast():
    """Within 0.3 s beyond importing torch; half a second more where the machine is busy."""
    code = """
import time, torch
began = time.process_time()
import clipdraw
drawing = clipdraw.RandomStrokes(16)(clipdraw.Canvas(), torch.Generator())
drawing.points.requires_grad_()
clipdraw.rasterize(drawing, backend="native").sum().backward()
print(time.process_time() - began)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.8


HUNGRY = """
import resource, sys, torch
from clipdraw import Canvas, Drawing, rasterize
from clipdraw.drawing import Style
from clipdraw.errors import ClipdrawError
from clipdraw.raster import set_threads
torch.set_num_threads(1)
set_threads(2)
square = torch.tensor([[10.0, 10], [1990, 10], [1990, 1990], [10, 1990]])
points = torch.cat([torch.lerp(square[k], square[(k + 1) % 4], t)[None] for k in range(4) for t in (0, 1 / 3, 2 / 3)])
fill = Style(closed=(True,), fill="nonzero", stroked=False)
stroke = torch.zeros(1), torch.zeros(1, 4)
drawing = Drawing(points, *stroke, (4,), Canvas(2000, 2000), styles=(fill,), fills=torch.ones(1, 4))
rasterize(drawing, height=20, width=20, backend="native")
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + int(sys.argv[1]) * 2**20,) * 2)
for _ in range(2):
    try:
        rasterize(drawing, backend="native")
    except ClipdrawError as error:
        print(error)
print(tuple(rasterize(drawing, height=20, width=20, backend="native").shape))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
@pytest.mark.parametrize("room_mb", [8, 150])
def test_want_of_memory_is_an_error_in_one_line(room_mb):
    """For the image, and in the kernels; afterwards all is well."""
    done = subprocess.run([sys.executable, "-c", HUNGRY, str(room_mb)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *errors, shape = done.stdout.splitlines()
    assert len(errors) == 2
    assert all(error.startswith("there is not enough memory") for error in errors)
    assert shape == "(3, 20, 20)"


def test_little_memory_is_used_again_and_much_is_given_back():
    def kept():
        return sum(part.nbytes for storage in covering._idle for part in storage)

    covering._idle.clear()  # what other tests left
    drawing = published(64, size=64.0, seed=0)
    rasterize(drawing, width=64, backend="native")
    (first,) = covering._idle
    assert 0 < kept() < 2**20
    rasterize(drawing, width=64, backend="native")
    assert covering._idle[0].coverage.data_ptr() == first.coverage.data_ptr()
    many = published(2000, size=64.0, seed=0)
    rasterize(many, width=3000, backend="native")
    assert kept() == 0
    many.points.requires_grad_()
    rasterize(many, width=3000, backend="native").sum().backward()
    assert kept() == 0


@pytest.mark.parametrize(("paths", "most"), [(8, 40), (3000, 3)])
def test_little_is_kept_of_large_drawings(paths, most):
    def index(count):
        drawing = Drawing(torch.rand(4 * count, 2), torch.ones(count), torch.rand(count, 4), (1,) * count)
        rasterize(drawing, width=8, backend="native")
        return ref(make_batch([drawing], (8, 8)).index.cubics)

    seen = [index(paths + number) for number in range(8)]
    gc.collect()
    assert sum(one() is not None for one in seen) <= most
    assert torch.equal(*(rasterize(published(paths, size=8.0, seed=1), backend="native") for _ in range(2)))


@pytest.fixture
def without_kernels(monkeypatch):
    """As where nothing could compile them."""
    for module in (native, raster, backend.native):
        monkeypatch.setattr(module, "library", lambda: None)
    raster._has_kernels.cache_clear()
    yield
    raster._has_kernels.cache_clear()


def test_without_kernels_the_reference_draws_and_a_note_says_so_once(without_kernels):
    wanted = rasterize(SCENES["open"], backend="reference")
    with pytest.warns(UserWarning, match="nothing could compile its kernels"):
        image = rasterize(SCENES["open"])
    assert torch.equal(image, wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rasterize(SCENES["open"])


def test_without_kernels_the_native_backend_says_so(without_kernels):
    with pytest.raises(InputError, match="installed without its compiled kernels: use backend='reference'"):
        rasterize(SCENES["open"], backend="native")


def test_a_library_that_cannot_be_loaded_is_none(tmp_path, monkeypatch):
    (tmp_path / "_kernels.so").write_text("not a shared object")
    monkeypatch.setattr(native, "LIBRARY", tmp_path / "_kernels.so")
    assert native.library.__wrapped__() is None


def test_the_library_is_that_of_this_package():
    assert native.library() is not None
    assert native.LIBRARY.parent == Path(clipdraw.__file__).parent / "raster"
