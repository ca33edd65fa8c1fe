"""Files: drawings by the ending of their name, images, films.

`load_drawing` and `save_drawing` are the door for drawings; other packages add formats through the entry points
`clipdraw.readers` and `clipdraw.writers`. Files are read within a size limit, written whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipdraw.errors import FormatError, InputError
from clipdraw.limits import limited
from clipdraw.registry import Registry

if TYPE_CHECKING:  # `clipdraw.drawing` forwards to this module
    from clipdraw.drawing import Drawing

readers = Registry("readers", {"svg": "clipdraw.io.svg:read_drawing", "json": "clipdraw.io.paths_json:read_paths"})
"""File ending to `read(path) -> Drawing`."""

writers = Registry("writers", {"svg": "clipdraw.io.svg:write_drawing", "json": "clipdraw.io.paths_json:write_paths"})
"""File ending to `write(drawing, path) -> None`."""

MAX_BYTES = 20_000_000
"""The largest drawing file that is read: 100 times a drawing of 1,024 strokes."""


def load_drawing(path: str | Path) -> Drawing:
    """The drawing in a file, read as the file's ending says.

    Raises:
        FormatError: the ending names no known format, or the file cannot be read as a drawing.
        LimitError: reading takes longer or more memory than `clipdraw.limits` allows.
    """
    read = _by_ending(readers, Path(path))
    with limited(f"reading {path}"):
        drawing: Drawing = read(Path(path))
    return drawing


def save_drawing(drawing: Drawing, path: str | Path) -> None:
    """Write a drawing in the format that the file's ending names.

    Raises:
        FormatError: the ending names no known format.
        InputError: the format cannot hold the drawing, or the folder does not exist.
    """
    _by_ending(writers, Path(path))(drawing, Path(path))


def _by_ending(formats: Mapping[str, Any], path: Path) -> Any:
    ending = path.suffix.lower().lstrip(".")
    if ending not in formats:
        raise FormatError(f"{path.name}: a drawing is stored as {', '.join(sorted(formats))}, not {ending!r}")
    return formats[ending]


_TEMPORARY = re.compile(r"\.[0-9a-f]{12}(\.\w+)?")


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it replaces `path` when the block ends without an error.

    When the block raises, or the disk is full, the former file stays as it was and the temporary
    one is removed. The permissions are those of the former file, or what the umask grants.
    A symbolic link stays a link: the file that it points to is replaced.

    Args:
        path: where the finished file belongs.

    Yields:
        An existing empty file in the same folder, with the same ending.

    Raises:
        InputError: see `target_of`.
        OSError: the folder cannot be written to.
    """
    target = target_of(path)
    temporary = target.with_name(f".{uuid.uuid4().hex[:12]}{target.suffix}")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def leftovers(folder: Path) -> list[Path]:
    """The temporary files in a folder: those that are being written, or were when the process was killed."""
    return [path for path in folder.iterdir() if _TEMPORARY.fullmatch(path.name) and path.is_file()]


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files that a killed process left in a folder, if it is there, where nobody else writes."""
    for path in leftovers(folder) if folder.is_dir() else ():
        with suppress(OSError):
            path.unlink()


def target_of(path: str | Path) -> Path:
    """The file that `path` stands for: the end of its symbolic links.

    Raises:
        InputError: its folder does not exist, or `path` is a folder or a device.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise InputError(f"{path}: the folder {target.parent} does not exist; create it first")
    if target.exists() and not target.is_file():
        raise InputError(f"{path}: not a regular file; name a file to write to")
    return target


def write_text(text: str, path: str | Path) -> None:
    """Write `text` as UTF-8, whole or not at all.

    Raises:
        InputError: see `atomic_path`.
        OSError: see `atomic_path`.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode())


def read_bytes(path: Path) -> bytes:
    """The content of a regular file of at most `MAX_BYTES`.

    Raises:
        FormatError: the file is missing, no regular file, too large, or cannot be read.
    """
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):
            raise FormatError("not a regular file")
        if info.st_size > MAX_BYTES:
            raise FormatError(f"{info.st_size:,} bytes; at most {MAX_BYTES:,} are read")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise FormatError(f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a null character in the path
        raise FormatError(f"not a usable path: {error}") from error
    if len(data) > MAX_BYTES:
        raise FormatError(f"more than {MAX_BYTES:,} bytes")
    return data
