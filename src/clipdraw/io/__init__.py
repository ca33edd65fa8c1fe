"""Files: drawings by the ending of their name, images, films.

`load_drawing` and `save_drawing` are the door for drawings; other packages add formats through the entry points
`clipdraw.readers` and `clipdraw.writers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipdraw.errors import FormatError
from clipdraw.registry import Registry

if TYPE_CHECKING:  # `clipdraw.drawing` forwards to this module
    from clipdraw.drawing import Drawing

readers = Registry("readers", {"svg": "clipdraw.io.svg:read_drawing", "json": "clipdraw.io.paths_json:read_paths"})
"""File ending to `read(path) -> Drawing`."""

writers = Registry("writers", {"svg": "clipdraw.io.svg:write_drawing", "json": "clipdraw.io.paths_json:write_paths"})
"""File ending to `write(drawing, path) -> None`."""


def load_drawing(path: str | Path) -> Drawing:
    """The drawing in a file, read as the file's ending says.

    Raises:
        FormatError: the ending names no known format, or the file cannot be read as a drawing.
    """
    drawing: Drawing = _by_ending(readers, Path(path))(Path(path))
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
