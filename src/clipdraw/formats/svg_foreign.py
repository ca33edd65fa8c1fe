"""The strokes of SVG files that other programs made, and what had to be left out."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from xml.etree.ElementTree import Element

import numpy as np
import torch
from jaxtyping import Float64
from svgelements import Viewbox

from clipdraw.drawing import Canvas, Drawing
from clipdraw.errors import FormatError, InputError
from clipdraw.formats.digits import LIMIT
from clipdraw.formats.svg_read import MAX_SEGMENTS, MAX_STROKES, SVG, read_metadata
from clipdraw.formats.svg_shapes import SHAPES, Run, UnreadableError, affine, count_segments, shape_runs
from clipdraw.formats.svg_style import SERVER, Sheet, cascade, fraction, length, paint, style_sheet

MAX_REPEATS = 10_000
"""Elements that are painted again through `<use>`: nested, they could multiply without end."""

MAX_USES = 20
"""How deep `<use>` may refer to `<use>`."""

_HREFS = ("href", "{http://www.w3.org/1999/xlink}href")
_CONTAINERS = frozenset({"svg", "g", "a", "switch"})
_NOTES = {"text": "text", "image": "images", "foreignObject": "embedded pages", "video": "films"}


class ForeignSvgWarning(UserWarning):
    """An SVG file holds more than strokes; the message names what was left out."""


@dataclass(frozen=True)
class _Place:
    """Where an element stands in the tree: what it gets from above."""

    matrix: Float64[np.ndarray, "3 3"]
    style: dict[str, str] = field(default_factory=dict)
    opacity: float = 1.0
    uses: int = 0
    size: tuple[str | None, str | None] = (None, None)


@dataclass
class _Found:
    """What the walk has gathered."""

    root: Element
    canvas: Canvas
    points: list[np.ndarray] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    colors: list[tuple[float, float, float, float]] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)
    background: tuple[float, float, float] = (1.0, 1.0, 1.0)
    notes: Counter[str] = field(default_factory=Counter)
    commands: int = 0


def foreign_drawing(root: Element, *, source: str) -> Drawing:
    """The strokes of any SVG file as a drawing, and one `ForeignSvgWarning` if something was left out.

    Shapes become open runs of cubic segments, with transforms applied; a stroke's width is scaled by the
    square root of the transform's area factor. The canvas is the `viewBox`. A plain rectangle that fills
    the canvas before the first stroke becomes the background.

    Args:
        root: the tree of the file.
        source: what the warning calls the file.

    Raises:
        FormatError: the file is no SVG, has no strokes or no size, or is beyond a limit.
    """
    if root.tag not in (SVG + "svg", "svg"):
        raise FormatError(f"no SVG: its root element is {root.tag!r:.60}")
    canvas, corner = _canvas(root)
    found = _Found(root, canvas)
    with np.errstate(all="ignore"):  # overflow becomes infinite, which is refused
        _walk(root, corner, found)
    notes = ", ".join(f"{note} ({count})" if count > 1 else note for note, count in found.notes.items())
    if not found.segments:
        raise FormatError(f"it has no strokes{f'; it holds {notes}' if notes else ''}")
    if notes:
        warnings.warn(f"{source}: left out or simplified: {notes}", ForeignSvgWarning, stacklevel=5)
    return Drawing(
        points=torch.from_numpy(np.concatenate(found.points)).float(),
        widths=torch.tensor(found.widths, dtype=torch.float32),
        colors=torch.tensor(found.colors, dtype=torch.float32),
        segments=tuple(found.segments),
        canvas=canvas,
        background=torch.tensor(found.background, dtype=torch.float32),
        metadata=_metadata(root),
    )


def _canvas(root: Element) -> tuple[Canvas, tuple[float, float]]:
    """The canvas, and the corner of the viewBox that becomes its origin."""
    box = root.get("viewBox", "").replace(",", " ")[:400].split()
    if len(box) == 4:
        left, top, width, height = (length(text, of=0.0, default=float("nan")) for text in box)
    else:
        left = top = 0.0
        width, height = (length(root.get(key), of=float("nan"), default=float("nan")) for key in ("width", "height"))
    if not all(abs(number) <= LIMIT for number in (left, top, width, height)):  # also for NaN
        raise FormatError("neither a usable viewBox nor a usable width and height tell its size")
    try:
        return Canvas(width, height), (left, top)
    except InputError as error:
        raise FormatError(str(error)) from error


def _metadata(root: Element) -> dict[str, str]:
    title = " ".join((root.findtext(SVG + "title") or "").split())
    entries = read_metadata(root)
    return entries or ({"title": title} if title else {})


def _walk(root: Element, corner: tuple[float, float], found: _Found) -> None:
    """Visit every element that is painted, in painting order, without recursion."""
    sheet = style_sheet(element for element in root.iter() if _tag(element) == "style")
    names = {element.get("id"): element for element in root.iter() if element.get("id")}
    start = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1]], dtype=np.float64)
    stack, repeats = [(root, _Place(start))], 0
    while stack:
        element, place = stack.pop()
        repeats += place.uses > 0
        if repeats > MAX_REPEATS:
            raise FormatError(f"<use> repeats more than {MAX_REPEATS:,} elements")
        try:
            here = _enter(element, place, sheet, found)
            if here is not None:
                stack += [(child, here) for child in reversed(_children(element, here, names, found))]
        except UnreadableError:
            found.notes["unreadable shapes"] += 1


def _tag(element: Element) -> str:
    """The SVG name of an element; empty for elements of other languages."""
    return element.tag.removeprefix(SVG) if not element.tag.startswith("{") or element.tag.startswith(SVG) else ""


def _enter(element: Element, place: _Place, sheet: Sheet, found: _Found) -> _Place | None:
    """Take what the element paints itself; return the place of its children, or None if they are not painted."""
    tag = _tag(element)
    if tag in _NOTES:
        found.notes[_NOTES[tag]] += 1
        return None
    if tag not in _CONTAINERS and tag not in SHAPES and tag not in ("use", "symbol"):
        return None
    style = cascade(element, tag, place.style, sheet)
    if style.get("display") == "none":
        return None
    for key, note in (("filter", "filters"), ("mask", "masks"), ("clip-path", "clip paths")):
        if style.get(key, "none") != "none":
            found.notes[note] += 1
    if tag not in SHAPES and fraction(style.get("opacity")) < 1:
        found.notes["group opacity, applied to each stroke"] += 1
    here = replace(
        place,
        matrix=place.matrix @ affine(style.get("transform")) @ _viewport(element, tag, place, found),
        style=style,
        opacity=place.opacity * fraction(style.get("opacity")),
        uses=place.uses + (tag == "use"),
        size=(element.get("width"), element.get("height")) if tag == "use" else (None, None),
    )
    if tag not in SHAPES:
        return here
    if style.get("visibility", "visible") == "visible":
        _take_shape(element, tag, here, found)
    return None


def _viewport(element: Element, tag: str, place: _Place, found: _Found) -> Float64[np.ndarray, "3 3"]:
    """What `<use>`, an inner `<svg>` and a used `<symbol>` do to the coordinates inside them."""
    if tag not in ("use", "svg", "symbol") or element is found.root:
        return np.eye(3)
    extent = (found.canvas.width, found.canvas.height)
    corner = [
        length(element.get(key), of=side) if tag != "symbol" else 0.0 for key, side in zip("xy", extent, strict=True)
    ]
    matrix = affine(f"translate({corner[0]!r},{corner[1]!r})")
    box = [length(text, of=0.0) for text in element.get("viewBox", "").replace(",", " ")[:400].split()]
    if tag == "use" or len(box) != 4 or min(box[2:]) <= 0:
        return matrix
    sizes = [
        length(given or element.get(key), of=side, default=side)
        for given, key, side in zip(place.size, ("width", "height"), extent, strict=True)
    ]
    fit = Viewbox.viewbox_transform(0, 0, *sizes, *box, element.get("preserveAspectRatio", "xMidYMid")[:40])
    return matrix @ affine(fit)


def _children(element: Element, here: _Place, names: dict[str | None, Element], found: _Found) -> list[Element]:
    if _tag(element) != "use":
        return [child for child in element if _tag(child) != "symbol"]
    target = names.get(next((element.get(key, "")[1:] for key in _HREFS if element.get(key, "").startswith("#")), ""))
    if target is None:
        found.notes["references to elsewhere"] += 1
        return []
    if here.uses > MAX_USES:
        raise FormatError(f"<use> refers to <use> more than {MAX_USES} deep")
    return [target]


def _take_shape(element: Element, tag: str, place: _Place, found: _Found) -> None:
    style, canvas = place.style, found.canvas
    color, filled = (
        paint(style.get(key, default), style.get("color", "black"))
        for key, default in (("stroke", "none"), ("fill", "black"))
    )
    width = length(style.get("stroke-width"), of=(canvas.width**2 / 2 + canvas.height**2 / 2) ** 0.5, default=1.0)
    if color == SERVER:
        found.notes["strokes of gradients or patterns"] += 1
    visible = isinstance(color, tuple) and width > 0
    if filled is not None and tag != "line" and fraction(style.get("fill-opacity")) * place.opacity > 0:
        first = not visible and not found.segments
        if first and isinstance(filled, tuple) and _is_background(element, tag, place, canvas):
            found.background = filled[:3]
            return
        found.notes["gradients" if filled == SERVER else "fills"] += 1
    if not isinstance(color, tuple) or width <= 0:
        return
    found.commands += count_segments(element.get("d", "") or element.get("points", ""))
    if found.commands > MAX_SEGMENTS:
        raise FormatError(f"more than {MAX_SEGMENTS:,} segments")
    opacity = color[3] * fraction(style.get("stroke-opacity")) * place.opacity
    if style.get("vector-effect") != "non-scaling-stroke":
        width *= _scale(place, found)
    for run in shape_runs(element, tag, (canvas.width, canvas.height)):
        _take_run(run, (*color[:3], opacity), width, place, found)


def _scale(place: _Place, found: _Found) -> float:
    """How much wider strokes become: exact for even scaling, in the mean for uneven scaling."""
    linear = place.matrix[:2, :2]
    factor = float(abs(np.linalg.det(linear)) ** 0.5)
    if not np.allclose(linear @ linear.T, factor**2 * np.eye(2), rtol=0.0, atol=0.02 * factor**2):
        found.notes["uneven widths, made even"] += 1
    return factor


def _take_run(run: Run, color: tuple[float, float, float, float], width: float, place: _Place, found: _Found) -> None:
    points = run.points @ place.matrix[:2, :2].T + place.matrix[:2, 2]
    if not (np.abs(points) <= LIMIT).all() or not width <= LIMIT:  # also for NaN
        raise FormatError(f"a stroke's coordinate or width is not finite or beyond ±{LIMIT:g}")
    if len(found.segments) >= MAX_STROKES:
        raise FormatError(f"more than {MAX_STROKES:,} strokes")
    if run.closed:
        found.notes["closed paths, drawn as open ones with their closing line"] += 1
    if place.style.get("stroke-dasharray", "none") != "none":
        found.notes["dashes"] += 1
    if any(place.style.get(f"marker{kind}", "none") != "none" for kind in ("", "-start", "-mid", "-end")):
        found.notes["markers"] += 1
    if place.style.get("stroke-linecap") != "round" or place.style.get("stroke-linejoin") != "round":
        found.notes["line ends or corners, made round"] += 1
    found.points.append(points)
    found.widths.append(width)
    found.colors.append(color)
    found.segments.append((len(points) - 1) // 3)


def _is_background(element: Element, tag: str, place: _Place, canvas: Canvas) -> bool:
    if tag != "rect" or place.opacity < 1 or fraction(place.style.get("fill-opacity")) < 1:
        return False
    runs = shape_runs(element, tag, (canvas.width, canvas.height))
    if len(runs) != 1 or len(runs[0].points) != 13:
        return False
    points = runs[0].points @ place.matrix[:2, :2].T + place.matrix[:2, 2]
    low, high = points.min(axis=0), points.max(axis=0)
    slack = 1e-3 * np.array([canvas.width, canvas.height])
    return bool((low <= slack).all() and (high >= (canvas.width, canvas.height) - slack).all())
