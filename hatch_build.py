"""The build's own step: compiles the kernels of the rasterizer into a shared object.

pip runs it through hatchling, for wheels and for `pip install --editable`. By hand, `python hatch_build.py` compiles
the kernels beside their sources. The compiler is `$CC`, or the first of cc, gcc and clang that works, or Zig's, which
the package `ziglang` has for most systems and which compiles for all others, too. Where nothing can compile, the build
goes on without kernels and the PyTorch reference draws.

Environment:
    CC, CFLAGS: a compiler, with its arguments, and more arguments.
    CLIPDRAW_KERNELS: 0 leaves the kernels out.
    CLIPDRAW_PLATFORM: one of `TARGETS`, for a wheel for another system, which Zig compiles.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object  # type: ignore[assignment, misc]

RASTER = Path(__file__).parent / "src" / "clipdraw" / "raster"
FLAGS = (
    "-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden",
    "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math",
)  # fmt: skip
"""None of them changes a bit of a result: every compiler gives the same ones."""
TARGETS = {
    "manylinux_2_17_x86_64": "x86_64-linux-gnu.2.17",
    "manylinux_2_17_aarch64": "aarch64-linux-gnu.2.17",
    "musllinux_1_2_x86_64": "x86_64-linux-musl",
    "musllinux_1_2_aarch64": "aarch64-linux-musl",
    "macosx_11_0_x86_64": "x86_64-macos.11.0",
    "macosx_11_0_arm64": "aarch64-macos.11.0",
    "win_amd64": "x86_64-windows-gnu",
    "win_arm64": "aarch64-windows-gnu",
}
"""Platform of a wheel to target of Zig."""
ZIG = (sys.executable, "-m", "ziglang", "cc")


class KernelsBuildHook(BuildHookInterface):
    """Adds the compiled kernels to a wheel, or puts them beside their sources for an editable install."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The package of Zig, where no other compiler works."""
        wanted = os.environ.get("CLIPDRAW_PLATFORM") or next(_compilers(), None) is None
        known = platform.machine().lower() in ("x86_64", "amd64", "aarch64", "arm64")
        return ["ziglang>=0.13"] if wanted and known and _is_wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; called before the files of the wheel are gathered."""
        target = os.environ.get("CLIPDRAW_PLATFORM", "")
        if version == "editable":
            compiled = compile_kernels(RASTER / library_name())
        else:
            self.folder = tempfile.TemporaryDirectory()
            library = Path(self.folder.name) / library_name(target)
            compiled = compile_kernels(library, target)
            if compiled:
                build_data["force_include"][str(library)] = f"clipdraw/raster/{library.name}"
        if not compiled:
            self.app.display_warning("clipdraw: no compiler works here, so the slow PyTorch reference will draw")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{target or _tag(sysconfig.get_platform())}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel has a copy of; called when it is written."""
        if version != "editable":
            self.folder.cleanup()


def library_name(target: str = "") -> str:
    """The file name of the shared object for a target, or for this system."""
    system = target or sysconfig.get_platform()
    return "_kernels" + (".dll" if system.startswith("win") else ".dylib" if system.startswith("macos") else ".so")


def compile_kernels(library: Path, target: str = "") -> bool:
    """Compile the kernels.

    Args:
        library: the shared object to make.
        target: one of `TARGETS`, or nothing for this system.

    Returns:
        Whether a compiler was found and worked.
    """
    if not _is_wanted():
        return False
    sources = sorted(str(path) for path in (RASTER / "kernels").glob("*.c"))
    if target:
        return _runs([*ZIG, "-target", TARGETS[target], "-s"], sources, library)
    return any(_runs(compiler, sources, library) for compiler in _compilers())


def _is_wanted() -> bool:
    return os.environ.get("CLIPDRAW_KERNELS") != "0"


def _compilers() -> Iterator[list[str]]:
    """The compilers that work for this system, best first."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        command = shlex.split(name)
        if command and shutil.which(command[0]) and _works(command):
            yield command
    if find_spec("ziglang"):
        yield [*ZIG, "-mcpu=baseline", "-s"]


def _works(compiler: list[str]) -> bool:
    """Whether it makes a shared object: there may be a compiler without a linker or headers."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "try.c"
        source.write_text("#include <math.h>\n#include <stdatomic.h>\ndouble f(double x) { return sin(x); }\n")
        return _runs(compiler, [str(source)], source.with_suffix(".so"), quiet=True)


def _runs(compiler: list[str], sources: list[str], library: Path, *, quiet: bool = False) -> bool:
    """Compile to a file beside the library, which then takes its place: processes may have that loaded."""
    made = library.with_name(f"{library.name}.{os.getpid()}.tmp")
    more = shlex.split(os.environ.get("CFLAGS", ""))
    command = [*compiler, *FLAGS, *more, *sources, "-o", str(made), "-lm"]
    try:
        subprocess.run(command, check=True, capture_output=quiet)
        made.replace(library)
    except (OSError, subprocess.CalledProcessError):
        return False
    finally:
        made.unlink(missing_ok=True)
    return True


def _tag(name: str) -> str:
    return name.replace("-", "_").replace(".", "_")


if __name__ == "__main__":
    sys.exit(not compile_kernels(RASTER / library_name()))
