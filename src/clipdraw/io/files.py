"""Files that are either whole or not there at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clipdraw.errors import InputError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it takes the place of `path` when the block ends well.

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


def target_of(path: str | Path) -> Path:
    """The file that is written if one writes to `path`: where a symbolic link leads to.

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
