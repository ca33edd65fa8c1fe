"""Check that a folder holds one wheel, that it is of one platform, and that the compiled kernels are in it."""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile


def main(folder: Path) -> str:
    """The name and the size of the wheel.

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
    return f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {kernels[0]}"


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
