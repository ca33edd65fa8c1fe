"""The calls from a prompt to its files, recorded while one small drawing is made."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch

PACKAGE = Path(__file__).parents[2] / "src" / "clipdraw"
ARGUMENTS = ["draw", "a bonfire", "--steps", "1", "--film-kind", "optimization", "--film-format", "svg", "--quiet"]
LOW_PARTS = ("drawing", "framing", "weights", "bezier", "registry", "progress", "errors")
"""Parts at the bottom, which every other calls: what they call counts as called by their caller."""
STEP = ("optimization.loop", "Optimization.step")
"""Within it functions are recorded again that were called before, and those of its own part, too."""
PLAIN = ("int", "float", "bool", "dict", "text", "PosixPath", "WindowsPath")
"""Results that tell nothing about the way, but for texts of files."""


@dataclass
class Call:
    """A call from one part of the package to another.

    Args:
        caller: the part that calls.
        module: the module that is called, below `clipdraw`.
        name: the function or method.
        depth: how many other such calls it is inside of.
        result: what it returns, in a few words.
    """

    caller: str
    module: str
    name: str
    depth: int = 0
    result: str = ""

    @property
    def part(self) -> str:
        """The part that is called."""
        return self.module.partition(".")[0]


@dataclass
class Recorder:
    """A profile function for `sys.setprofile` that keeps the first call of each function from another part.

    Within the step it keeps the first call of each function again, and those that stay in the part of the step.
    """

    calls: list[Call] = field(default_factory=list)
    _stack: list[tuple[str, Call | None]] = field(default_factory=list)
    _known: set[tuple[bool, str, str]] = field(default_factory=set)
    _modules: dict[CodeType, str] = field(default_factory=dict)

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        """Handle one event of the interpreter."""
        if event not in ("call", "return"):
            return
        module = self._module_of(frame.f_code)
        if not module or module.partition(".")[0] in LOW_PARTS:
            return
        if event == "return":
            if self._stack:
                _, call = self._stack.pop()
                if call is not None:
                    call.result = call.result or describe(value)
            return
        self._stack.append((module, self._entered(module, frame.f_code)))

    def _module_of(self, code: CodeType) -> str:
        if code not in self._modules:
            file = Path(code.co_filename)
            inside = file.is_relative_to(PACKAGE)
            parts = file.relative_to(PACKAGE).with_suffix("").parts if inside else ()
            self._modules[code] = ".".join(part for part in parts if part != "__init__")
        return self._modules[code]

    def _entered(self, module: str, code: CodeType) -> Call | None:
        caller = self._stack[-1][0].partition(".")[0] if self._stack else ""
        names = [part for part in code.co_qualname.split(".") if part not in ("<locals>", "<lambda>")]
        told = all(not part.startswith(("_", "<")) for part in names)
        call = Call(caller, module, ".".join(names), sum(call is not None for _, call in self._stack))
        within_step = any(outer is not None and (outer.module, outer.name) == STEP for _, outer in self._stack)
        crosses = call.part != caller or (within_step and self._stack[-1][0] == STEP[0] != module)
        key = within_step, module, call.name
        if not told or not caller or not crosses or key in self._known:
            return None
        self._known.add(key)
        self.calls.append(call)
        return call


def describe(value: Any) -> str:
    """A value in a few words: the shape of a tensor, the name of a class."""
    if isinstance(value, torch.Tensor):
        return "tensor " + " x ".join(map(str, value.shape)) if value.ndim else "number"
    if type(value).__module__.startswith("clipdraw"):
        return type(value).__name__
    if isinstance(value, tuple | list) and value:
        kinds = dict.fromkeys(describe(item) for item in value)
        return f"{len(value)} {next(iter(kinds))}" if len(kinds) == 1 else ", ".join(kinds)
    return {"NoneType": "", "str": "text"}.get(type(value).__name__, type(value).__name__)


def record(arguments: list[str] | None = None) -> list[Call]:
    """The calls between parts while the command line makes one drawing."""
    import clipdraw
    from clipdraw.cli import app

    dot = clipdraw.Drawing(torch.zeros(4, 2).requires_grad_(), torch.ones(1), torch.ones(1, 4), (1,))
    clipdraw.rasterize(dot).sum().backward()  # what is loaded once need not be watched
    recorder = Recorder()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        words = [*(arguments or ARGUMENTS), "--out", str(Path(folder) / "run")]
        sys.setprofile(recorder)
        try:
            app(words, standalone_mode=False)
        finally:
            sys.setprofile(None)
    return [call for call in recorder.calls if call.result not in PLAIN or (call.part, call.result) == ("io", "text")]


if __name__ == "__main__":
    for call in record():
        print(f"{call.caller:14}{'  ' * call.depth}{call.module}.{call.name}: {call.result}")
