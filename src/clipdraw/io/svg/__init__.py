"""Drawings as SVG files: our own files exactly, of foreign files all that is painted with paths."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from clipdraw.drawing import Drawing
from clipdraw.errors import FormatError
from clipdraw.io.files import read_bytes, write_text
from clipdraw.io.svg.read import own_drawing
from clipdraw.io.svg.write import to_svg
from clipdraw.io.svg.xml import parse_xml

__all__ = ["from_svg", "read_drawing", "to_svg", "write_drawing"]


def write_drawing(drawing: Drawing, path: str | Path) -> None:
    """Write the drawing as an SVG file, whole or not at all.

    Raises:
        InputError: the drawing holds numbers that a file cannot, or the folder does not exist.
    """
    write_text(to_svg(drawing), path)


def read_drawing(path: str | Path) -> Drawing:
    """The drawing in an SVG file.

    A file that `write_drawing` made gives the very same drawing. Of any other file the shapes, fills, strokes and
    gradients are kept; one `ForeignSvgWarning` names the parts that a drawing cannot hold.

    Raises:
        FormatError: the file cannot be read, is refused, or has no paths; the message names the file.
    """
    path = Path(path)
    try:
        return _drawing(parse_xml(read_bytes(path)), source=path.name)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def from_svg(text: str) -> Drawing:
    """The drawing in the text of an SVG file; see `read_drawing`.

    Raises:
        FormatError: the text is refused or has no paths.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise FormatError(f"not text: {error}") from error
    return _drawing(parse_xml(data, encoding="utf-8"), source="the SVG")


def _drawing(root: Element, *, source: str) -> Drawing:
    drawing = own_drawing(root)
    if drawing is not None:
        return drawing
    from clipdraw.io.svg.foreign import foreign_drawing  # a tenth of a second that writing and our own files spare

    return foreign_drawing(root, source=source)
