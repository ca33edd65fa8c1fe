"""Machine code of compiled loops: made by Numba once, kept in a folder, and linked by later processes without Numba.

To import Numba and have it load what it keeps itself takes half a second and 100 MB; to link takes a tenth of that.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from ctypes import CFUNCTYPE, addressof, byref, c_char, c_char_p, c_int32, c_int64, c_void_p
from functools import cache, cached_property, partial
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import llvmlite.binding as llvm
import numpy as np

LINKS = os.name == "posix"
"""Elsewhere, and where linking fails, Numba loads and calls what it has compiled."""
SYMBOL = "loop"
"""The name of the function in each piece of machine code."""

_KIND = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_char_p)  # Numba's own: where a result and an error go, then arguments
_ANY = c_char * 0
_lock = Lock()
_loaded: list[Any] = []  # code is unloaded when nothing refers to it


def _unlock() -> None:
    """In a process that was forked while another thread had the lock, nobody gives it back."""
    global _lock
    _lock = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_unlock)


class Loop:
    """A compiled function.

    Args:
        module, name: where it is; the module is imported only where there is no machine code yet.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name
        self._linked, self._ready = LINKS, dict[tuple[object, ...], tuple[Any, Callable[..., bytes]]]()

    def __call__(self, *arguments: Any) -> bool:
        """Call it; see `bind`."""
        return self.bind(*arguments)()

    def bind(self, *arguments: Any) -> Callable[[], bool]:
        """What calls it with these arguments, from any number of threads at once, without the interpreter lock.

        Args:
            arguments: arrays, contiguous and not read-only, numbers, tuples of all these, and `Parts`. There is
                machine code for each combination of precisions and numbers of axes.

        Raises:
            TypeError, ValueError: an array is read-only or not contiguous.
        """
        if self._linked:
            words: list[float] = []
            kinds: list[object] = []
            _take_apart(arguments, words, kinds)
            try:
                function, pack = self._ready.get(tuple(kinds)) or self._prepare(tuple(kinds), arguments, words)
            except RuntimeError:  # of the linker, which doesn't know this machine
                self._linked = False
            else:
                return partial(_call, function, pack(*words), arguments)
        return partial(self._called, *_whole(arguments))

    @cached_property
    def _called(self) -> Any:
        """What Numba calls, and keeps."""
        from clipdraw.raster.compile import called

        return called(self._compiled(), cache_folder())

    def _compiled(self) -> Any:
        return getattr(import_module(self._module), self._name)

    def _prepare(
        self, kinds: tuple[object, ...], arguments: tuple[Any, ...], words: list[float]
    ) -> tuple[Any, Callable[..., bytes]]:
        with _lock:
            if kinds not in self._ready:
                name = f"{self._name}-{sha256(repr(kinds).encode()).hexdigest()[:12]}.o"
                code = _read(name)
                if code is None:
                    code = self._make(name, arguments)
                block = struct.Struct("".join("d" if isinstance(word, float) else "q" for word in words))
                self._ready[kinds] = _link(code, f"{name} {len(_loaded)}"), block.pack
            return self._ready[kinds]

    def _make(self, name: str, arguments: tuple[Any, ...]) -> bytes:
        """Machine code, from another process that is at it just now or compiled here, and kept."""
        from clipdraw.raster.compile import object_code

        with _alone(name):
            code = _read(name)
            if code is None:
                code = object_code(self._compiled(), _whole(arguments), SYMBOL)
                _keep(name, code)
            return code


class Parts:
    """Arguments for several calls, taken apart only once.

    Args:
        arguments: a tuple, as `Loop.bind` takes it.
    """

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.arguments = arguments
        self.words: list[float] = []
        self.kinds: list[object] = []
        _take_apart(arguments, self.words, self.kinds)


def _take_apart(argument: Any, words: list[float], kinds: list[object]) -> None:
    """Append what stands for an argument, eight bytes each: numbers as they are, of arrays the address and the sizes.

    `kinds` gets, for the array, its precision and how many words those are; of numbers and tuples the type.
    """
    if isinstance(argument, np.ndarray):
        buffer: Any = argument
        words.append(addressof(_ANY.from_buffer(buffer)))  # four times as fast as argument.ctypes.data
        words.extend(argument.shape)
        kinds.append(argument.dtype.char)
        kinds.append(argument.ndim)
    elif isinstance(argument, tuple):
        kinds.append(tuple)
        for part in argument:
            _take_apart(part, words, kinds)
        kinds.append(None)
    elif isinstance(argument, Parts):
        words.extend(argument.words)
        kinds.extend(argument.kinds)
    else:
        words.append(argument)
        kinds.append(float if isinstance(argument, float) else int)


def _whole(argument: Any) -> Any:
    """An argument with all `Parts` put together."""
    if isinstance(argument, Parts):
        argument = argument.arguments
    if not isinstance(argument, tuple):
        return argument
    parts = [_whole(part) for part in argument]
    return type(argument)(*parts) if hasattr(argument, "_fields") else tuple(parts)


def _call(function: Any, block: bytes, arguments: tuple[Any, ...]) -> bool:
    """Call machine code; `arguments` are where the block points to."""
    result, error = c_int64(), c_void_p()
    if function(byref(result), byref(error), block):
        raise RuntimeError("a compiled loop failed")
    return bool(result.value)


def _link(code: bytes, name: str) -> Any:
    library = llvm.JITLibraryBuilder().add_object_img(code).export_symbol(SYMBOL).add_current_process()
    _loaded.append(library.link(_linker(), name))
    return _KIND(_loaded[-1][SYMBOL])


@cache
def _linker() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler(llvm.Target.from_default_triple().create_target_machine(jit=True))


@cache
def cache_folder() -> Path | None:
    """Where machine code is kept for later processes, or None if there can be no such place.

    It is `clipdraw/numba-<fingerprint>` in `NUMBA_CACHE_DIR`, `XDG_CACHE_HOME` or `~/.cache`, the first that is
    set. The fingerprint is one of all sources that machine code depends on, of Numba's version and settings, and of
    the processor. Nothing may be there that others than this user and root could have written.
    """
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    try:
        folder = Path(base).expanduser().absolute() / "clipdraw" / f"numba-{_fingerprint()}"
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except (OSError, RuntimeError):  # RuntimeError: there is no home, or the processor is not known
        return None
    shared = os.name == "posix" and (found.st_uid not in (0, os.getuid()) or found.st_mode & 0o022)
    return None if shared else folder


def _fingerprint() -> str:
    here = Path(__file__).parent
    sources = [*sorted(here.glob("*.py")), here.parent / "geometry.py"]
    settings = {name: value for name, value in os.environ.items() if name.startswith("NUMBA_") and "CACHE" not in name}
    machine = llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    known = (version("numba"), version("llvmlite"), machine, sorted(settings.items()))
    return sha256(b"".join(path.read_bytes() for path in sources) + repr(known).encode()).hexdigest()[:12]


def _read(name: str) -> bytes | None:
    """Machine code that was kept, unless it is damaged."""
    folder = cache_folder()
    try:
        kept = b"" if folder is None else (folder / name).read_bytes()
    except OSError:
        return None
    return kept[32:] if sha256(kept[32:]).digest() == kept[:32] else None


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Wait until no other process makes the same machine code, if there is a place where it tells of it."""
    import fcntl

    folder = cache_folder()
    with ExitStack() as stack:
        if folder is not None:
            with suppress(OSError):  # a full disk, or one that knows no locks
                file = stack.enter_context((folder / f"{name}.lock").open("w"))
                fcntl.flock(file, fcntl.LOCK_EX)
                stack.callback(fcntl.flock, file, fcntl.LOCK_UN)  # a process forked meanwhile has the file, too
        yield


def _keep(name: str, code: bytes) -> None:
    """Write it as a whole, if there is a place for it."""
    folder = cache_folder()
    if folder is None:
        return
    try:
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            path = Path(beside) / name
            path.write_bytes(sha256(code).digest() + code)
            path.replace(folder / name)
    except OSError:  # a full disk
        pass
