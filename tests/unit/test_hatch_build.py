"""The build's own step: kernels where something compiles them, a build without them elsewhere."""

import ctypes
import sys
from types import SimpleNamespace

import pytest

import hatch_build


class App:
    """A stand-in for the object that hatchling prints with."""

    def __init__(self):
        self.said = []

    def display_warning(self, message):
        self.said.append(message)


@pytest.fixture
def hook(monkeypatch):
    made = hatch_build.KernelsBuildHook.__new__(hatch_build.KernelsBuildHook)
    monkeypatch.setattr(hatch_build.KernelsBuildHook, "app", App(), raising=False)
    yield made
    if hasattr(made, "folder"):
        made.finalize("standard", {}, "")


@pytest.fixture
def no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(hatch_build, "find_spec", lambda name: None)


def build(hook, version="standard"):
    data = {"force_include": {}}
    hook.initialize(version, data)
    return data


def test_a_wheel_holds_the_kernels_and_names_its_platform(hook):
    data = build(hook)
    ((path, inside),) = data["force_include"].items()
    assert inside == f"clipdraw/raster/{hatch_build.library_name()}"
    assert hasattr(ctypes.CDLL(path), "cover_and_composite")
    assert (data["pure_python"], data["tag"].rpartition("-")[0]) == (False, "py3-none")
    assert hook.dependencies() == []


def test_an_editable_install_has_them_beside_the_sources(hook, tmp_path, monkeypatch):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "one.c").write_text('__attribute__((visibility("default"))) int one(void) { return 1; }\n')
    monkeypatch.setattr(hatch_build, "RASTER", tmp_path)
    data = build(hook, "editable")
    assert data["force_include"] == {}
    assert ctypes.CDLL(str(tmp_path / hatch_build.library_name())).one() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["kernels", hatch_build.library_name()])


def test_without_a_compiler_the_build_asks_for_zig(hook, no_compiler, monkeypatch):
    monkeypatch.setattr(hatch_build.platform, "machine", lambda: "x86_64")
    assert hook.dependencies() == ["ziglang>=0.13"]
    monkeypatch.setattr(hatch_build.platform, "machine", lambda: "vax")  # there is no such package
    assert hook.dependencies() == []


def test_where_nothing_compiles_the_build_goes_on(hook, no_compiler):
    data = build(hook)
    assert data == {"force_include": {}}
    assert hook.app.said == ["clipdraw: no compiler works here, so the slow PyTorch reference will draw"]


def test_kernels_can_be_left_out(hook, monkeypatch):
    monkeypatch.setenv("CLIPDRAW_KERNELS", "0")
    assert build(hook) == {"force_include": {}}
    assert hook.dependencies() == []


def test_a_compiler_that_does_not_work_is_passed_over(tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    assert [str(broken)] not in list(hatch_build._compilers())


@pytest.mark.parametrize(
    ("system", "name"),
    [("linux-x86_64", "_kernels.so"), ("macosx-11.0-arm64", "_kernels.dylib"), ("win-amd64", "_kernels.dll")],
)
def test_names_of_the_library(system, name, monkeypatch):
    monkeypatch.setattr(hatch_build, "sysconfig", SimpleNamespace(get_platform=lambda: system))
    assert hatch_build.library_name() == name


def test_a_wheel_for_another_system(hook, monkeypatch):
    """Zig is asked for its target, and the wheel has its platform."""
    commands = []

    def note(compiler, sources, library, *, quiet=False):
        commands.append(compiler)
        return True

    monkeypatch.setattr(hatch_build, "_runs", note)
    monkeypatch.setenv("CLIPDRAW_PLATFORM", "win_arm64")
    data = build(hook)
    assert data["tag"] == "py3-none-win_arm64"
    assert list(data["force_include"].values()) == ["clipdraw/raster/_kernels.dll"]
    assert commands == [[sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-windows-gnu", "-s"]]
    assert hook.dependencies() == ["ziglang>=0.13"]
