"""Check the one wheel in a folder: it is of one platform, has the compiled kernels, and draws without delay.

That is measured in a fresh environment with nothing but the wheel and its requirements, and with no compiler to be
found: from an imported PyTorch to the gradients of the first rasterization, 256 strokes on 224 pixels.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from zipfile import ZipFile

LIMIT_S = 0.3
RUNS = 5
CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
FIRST_RASTERIZATION = """
import shutil, sys, time, torch
from importlib.util import find_spec
found = [name for name in ("cc", "gcc", "clang") if shutil.which(name)]
found += [name for name in ("numba", "llvmlite", "ziglang") if find_spec(name)]
if found:
    sys.exit(f"the environment is not bare: {found}")
start = time.perf_counter()
import clipdraw
drawing = clipdraw.RandomStrokes(256)(clipdraw.Canvas(224, 224), torch.Generator().manual_seed(0))
drawing.points.requires_grad_()
clipdraw.rasterize(drawing, backend="native").sum().backward()
print(time.perf_counter() - start)
"""


def main(folder: Path) -> str:
    """The name of the wheel, its size, and the time of its first rasterization.

    Raises:
        SystemExit: something is wrong with it.
    """
    wheels = sorted(folder.glob("clipdraw-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"one wheel is wanted in {folder}, found {[wheel.name for wheel in wheels]}")
    (wheel,) = wheels
    python, abi, platform = wheel.stem.split("-")[-3:]
    if (python, abi) != ("py3", "none") or platform == "any":
        raise SystemExit(f"a wheel with kernels is py3-none-<platform>, not {python}-{abi}-{platform}")
    kernels = [name for name in ZipFile(wheel).namelist() if name.startswith("clipdraw/raster/_kernels.")]
    if len(kernels) != 1:
        raise SystemExit(f"{wheel.name} holds {kernels or 'no kernels'}")
    seconds = first_rasterizations(wheel)
    if min(seconds) > LIMIT_S:
        raise SystemExit(f"the first rasterization takes {min(seconds):.3f} s beyond PyTorch, at most {LIMIT_S} s")
    times = f"first rasterization {min(seconds):.3f} to {max(seconds):.3f} s"
    return f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {kernels[0]}, {times}"


def first_rasterizations(wheel: Path) -> list[float]:
    """The seconds from an imported PyTorch to the first gradients, of several processes."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        programs = Path(folder) / ("Scripts" if os.name == "nt" else "bin")
        python = str(programs / "python")
        install = [python, "-m", "pip", "install", "--quiet", "--constraint", str(CONSTRAINTS), str(wheel.resolve())]
        subprocess.run(install, check=True)
        hidden = ("CC", "PYTHONPATH", "PYTHONHOME")
        bare = {name: value for name, value in os.environ.items() if name not in hidden} | {"PATH": str(programs)}
        command = [python, "-c", FIRST_RASTERIZATION]
        return [
            float(subprocess.run(command, env=bare, cwd=folder, check=True, stdout=subprocess.PIPE).stdout)
            for _ in range(RUNS)
        ]


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
