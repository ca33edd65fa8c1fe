"""The thing that is optimized: ordered paths on a canvas, most often strokes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.errors import InputError, check_fields

FillRule = Literal["nonzero", "evenodd"]
Cap = Literal["round", "butt", "square"]
Join = Literal["round", "bevel", "miter"]
Spread = Literal["pad", "reflect", "repeat"]
GradientKind = Literal["linear", "radial"]


@dataclass(frozen=True)
class Canvas:
    """The coordinate area of a drawing, in canvas units (SVG user units): origin top left, y down.

    Args:
        width: extent in x, above 0.
        height: extent in y, above 0.

    Raises:
        InputError: a side is not.
    """

    width: float = 224.0
    height: float = 224.0

    def __post_init__(self) -> None:
        check_fields(self, prefix="a canvas's ")
        if not (self.width > 0 and self.height > 0):
            raise InputError(f"a canvas needs a positive width and height, got {self.width} x {self.height}")

    @property
    def scale(self) -> float:
        """The size relative to the published 224-unit canvas, by the shorter side."""
        return min(self.width, self.height) / 224.0

    def pixel_size(self, longest: float) -> tuple[int, int]:
        """Height and width in pixels of an image of the canvas, its longer side `longest`; 1 pixel at least."""
        pixels = longest / max(self.width, self.height)
        return max(1, round(self.height * pixels)), max(1, round(self.width * pixels))


def control_points(segments: int, *, closed: bool = False) -> int:
    """The number of control points of a subpath of `segments` cubic segments."""
    return 3 * segments + (not closed)


@dataclass(frozen=True)
class Style:
    """The way a path is painted: all about it that is not optimized. A stroke with round caps, unless told otherwise.

    Args:
        closed: for each subpath whether its last segment ends where its first begins.
        fill: which parts are filled, as in SVG; None for none. Open subpaths are filled as if closed by a line.
        stroked: whether its outline is stroked, over its fill.
        cap: how strokes end.
        join: how the segments of a stroke meet.
        miter_limit: the longest miter, in widths, 1 or more; sharper corners are beveled.
        fill_gradient: which of the drawing's gradients fills it; None for its color.
        stroke_gradient: which one strokes it; None for its color.
        transforms: which of the drawing's transforms apply to it, outermost first.
        opacity: of fill and stroke together, in [0, 1]: where they overlap only the stroke is seen. It multiplies the
            opacities of their colors.

    Source: Scalable Vector Graphics (SVG) 2, W3C, sections 11 (fill and stroke) and 13 (paint servers), and for
    opacity CSS Color 4, W3C, section 15.
    """

    closed: tuple[bool, ...] = (False,)
    fill: FillRule | None = None
    stroked: bool = True
    cap: Cap = "round"
    join: Join = "round"
    miter_limit: float = 4.0
    fill_gradient: int | None = None
    stroke_gradient: int | None = None
    transforms: tuple[int, ...] = ()
    opacity: float = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.closed, tuple) and self.closed and all(flag in (True, False) for flag in self.closed)):
            raise InputError(f"closed is a tuple of one bool for each subpath, at least one, got {self.closed!r}")
        _check_choices(self, fill=(None, *get_args(FillRule)), cap=get_args(Cap), join=get_args(Join))
        if not self.miter_limit >= 1:
            raise InputError(f"a miter limit is at least 1, got {self.miter_limit}")
        if not 0 <= self.opacity <= 1:
            raise InputError(f"a path's opacity is from 0 to 1, got {self.opacity}")


_GRADIENT_TENSORS = "geometry", "radius", "offsets", "colors", "matrix"


@dataclass(frozen=True, eq=False)
class Gradient:
    """Colors along a line, or from a point to a circle around it.

    Args:
        kind: `linear` or `radial`.
        geometry: of a linear one start and end, of a radial one center and focus, in the coordinates of the path.
        radius: of a radial one, in the same; of no meaning otherwise.
        offsets: where each color stands, from 0 to 1, in order.
        colors: straight red, green, blue and opacity in [0, 1].
        spread: what is beyond the ends.
        matrix: from the coordinates of the geometry to those of the path.

    Raises:
        InputError: there is no such kind or spread; the shapes contradict each other.

    Source: SVG 2, section 13.2.
    """

    kind: GradientKind
    geometry: Float[Tensor, "2 2"]
    offsets: Float[Tensor, " stops"]
    colors: Float[Tensor, "stops 4"]
    radius: Float[Tensor, ""] = field(default_factory=lambda: torch.tensor(1.0))
    spread: Spread = "pad"
    matrix: Float[Tensor, "2 3"] = field(default_factory=lambda: torch.eye(2, 3))

    def __post_init__(self) -> None:
        _check_choices(self, kind=get_args(GradientKind), spread=get_args(Spread))
        stops = len(self.offsets) if self.offsets.ndim else 0
        if stops == 0:
            raise InputError("a gradient needs at least one stop")
        wanted = {"geometry": (2, 2), "offsets": (stops,), "colors": (stops, 4), "radius": (), "matrix": (2, 3)}
        for name, shape in wanted.items():
            found = tuple(getattr(self, name).shape)
            if found != shape:
                raise InputError(f"a gradient of {stops} stops has {name} of shape {shape}, got {found}")

    def parameters(self) -> tuple[Tensor, ...]:
        """The tensors that an optimizer may move."""
        return self.geometry, self.radius, self.offsets, self.colors

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Gradient:
        """The same gradient on another device or in another precision."""
        return replace(self, **{n: getattr(self, n).to(device=device, dtype=dtype) for n in _GRADIENT_TENSORS})

    def detached(self) -> Gradient:
        """A copy that shares no memory and carries no gradient."""
        return replace(self, **{name: getattr(self, name).detach().clone() for name in _GRADIENT_TENSORS})


@dataclass(frozen=True, eq=False)
class Drawing:
    """Paths of cubic segments, painted in order over a background.

    Without `styles` each is a stroke, open, with round caps and joins. Paths may have different numbers of
    segments; their control points lie one after another in `points`, so that each kind of parameter is one tensor
    for the optimizer. Where a closed subpath's last segment ends is the first point, which is not repeated.

    Args:
        points: control points of all subpaths, in canvas units.
        widths: full stroke widths in canvas units, 0 or more; one a path, of no meaning where none is stroked.
        colors: of the strokes: straight red, green, blue and opacity in [0, 1]; of a gradient, the opacity alone.
        segments: cubic segments of each subpath, at least 1.
        canvas: the coordinate area.
        background: opaque red, green, blue in [0, 1]; None for none, as of a drawing that is cut out.
        metadata: what the file should say about the drawing, such as `prompt` and `seed`.
        styles: how each path is painted; empty if all are strokes of the kind above.
        fills: of the fills, as `colors`; left out if nothing is filled.
        gradients: what styles refer to.
        transforms: what styles refer to: matrices a c e, b d f as in SVG, which take points to canvas units.

    Raises:
        InputError: the shapes contradict each other.
    """

    points: Float[Tensor, "points 2"]
    widths: Float[Tensor, " paths"]
    colors: Float[Tensor, "paths 4"]
    segments: tuple[int, ...]
    canvas: Canvas = field(default_factory=Canvas)
    background: Float[Tensor, " 3"] | None = field(default_factory=lambda: torch.ones(3))
    metadata: Mapping[str, str] = field(default_factory=dict)
    styles: tuple[Style, ...] = ()
    fills: Float[Tensor, "paths 4"] | None = None
    gradients: tuple[Gradient, ...] = ()
    transforms: Float[Tensor, "transforms 2 3"] | None = None

    def __post_init__(self) -> None:
        if any(count < 1 for count in self.segments):
            raise InputError("every stroke needs at least one segment")
        if self.styles:
            _check_styles(self)
        paths, expected = len(self.styles or self.segments), sum(self.point_counts())
        shapes = tuple(self.points.shape), tuple(self.widths.shape), tuple(self.colors.shape)
        wanted = (expected, 2), (paths,), (paths, 4)
        if shapes != wanted:
            raise InputError(f"{paths} strokes need points, widths, colors of shapes {wanted}, got {shapes}")
        if self.fills is not None and tuple(self.fills.shape) != (paths, 4):
            raise InputError(f"{paths} paths need fills of shape {(paths, 4)}, got {tuple(self.fills.shape)}")
        if self.background is not None and tuple(self.background.shape) != (3,):
            raise InputError(f"a background is a color of shape (3,), got {tuple(self.background.shape)}")
        if self.transforms is not None and tuple(self.transforms.shape[1:]) != (2, 3):
            raise InputError(f"transforms are matrices of shape (2, 3), got {tuple(self.transforms.shape)}")

    def __len__(self) -> int:
        """The number of paths."""
        return len(self.widths)

    @property
    def only_strokes(self) -> bool:
        """Whether every path is one open stroke with round caps and joins and a color."""
        usual = Style()
        return all(style == usual for style in self.styles)

    @property
    def paper(self) -> Float[Tensor, " 3"]:
        """The color that the drawing is shown on: its background's, white if it has none."""
        return self.points.new_ones(3) if self.background is None else self.background

    def parameters(self) -> tuple[Tensor, ...]:
        """The tensors that an optimizer moves: points, widths, colors, and what else the paths have."""
        more = [tensor for tensor in (self.fills, self.transforms) if tensor is not None]
        return (self.points, self.widths, self.colors, *more, *(p for g in self.gradients for p in g.parameters()))

    def named_tensors(self) -> Iterator[tuple[str, Tensor]]:
        """All tensors, with what they are called."""
        yield from self._tensors().items()
        for number, gradient in enumerate(self.gradients):
            for name in _GRADIENT_TENSORS:
                yield f"gradient {number}'s {name}", getattr(gradient, name)

    def point_counts(self) -> tuple[int, ...]:
        """The number of control points of each path."""
        if not self.styles:
            return tuple(map(control_points, self.segments))
        closed = (flag for style in self.styles for flag in style.closed)
        counts = [control_points(n, closed=flag) for n, flag in zip(self.segments, closed, strict=True)]
        return tuple(sum(counts[a:b]) for a, b in self._subpath_ranges())

    def stroke_points(self) -> tuple[Float[Tensor, "_ 2"], ...]:
        """The control points of each path."""
        return self.points.split(self.point_counts())

    def _subpath_ranges(self) -> list[tuple[int, int]]:
        ends = list(accumulate((len(style.closed) for style in self.styles), initial=0))
        return list(pairwise(ends))

    def to(self, *, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Drawing:
        """The same drawing on another device or in another precision."""
        moved: dict[str, Any] = {
            name: tensor.to(device=device, dtype=dtype) for name, tensor in self._tensors().items()
        }
        return replace(self, **moved, gradients=tuple(g.to(device=device, dtype=dtype) for g in self.gradients))

    def detached(self) -> Drawing:
        """A copy that shares no memory and carries no gradient."""
        copies: dict[str, Any] = {name: tensor.detach().clone() for name, tensor in self._tensors().items()}
        return replace(self, **copies, gradients=tuple(g.detached() for g in self.gradients))

    def _tensors(self) -> dict[str, Tensor]:
        names = "points", "widths", "colors", "background", "fills", "transforms"
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def subset(self, paths: Sequence[int]) -> Drawing:
        """A drawing of the given paths, in the given order."""
        parts, chosen = self.stroke_points(), list(paths)
        index = torch.as_tensor(chosen, dtype=torch.long, device=self.points.device)
        ranges = self._subpath_ranges() if self.styles else [(i, i + 1) for i in range(len(self.segments))]
        return replace(
            self,
            points=torch.cat([parts[i] for i in chosen]) if chosen else self.points[:0],
            widths=self.widths[index],
            colors=self.colors[index],
            fills=None if self.fills is None else self.fills[index],
            segments=tuple(count for i in chosen for count in self.segments[slice(*ranges[i])]),
            styles=tuple(self.styles[i] for i in chosen) if self.styles else (),
        )

    def save(self, path: str | Path) -> None:
        """Write the drawing in the format that the file's ending names: `.svg`, or `.json` for strokes alone.

        Colors and opacities are limited to [0, 1], widths to 0 or more.

        Raises:
            FormatError: the ending names no known format.
        """
        from clipdraw.io import save_drawing

        save_drawing(self, path)

    @staticmethod
    def load(path: str | Path) -> Drawing:
        """The drawing in an SVG file, or in the published JSON form of paths.

        Raises:
            FormatError: the file cannot be read as a drawing.
        """
        from clipdraw.io import load_drawing

        return load_drawing(path)


def _check_choices(settings: object, **allowed: tuple[str | None, ...]) -> None:
    for name, choices in allowed.items():
        value = getattr(settings, name)
        if value not in choices:
            raise InputError(f"{name} is one of {', '.join(map(repr, choices))}, got {value!r}")


def _check_styles(drawing: Drawing) -> None:
    subpaths = sum(len(style.closed) for style in drawing.styles)
    if subpaths != len(drawing.segments):
        raise InputError(f"styles of {subpaths} subpaths need the segments of each, got {len(drawing.segments)}")
    if drawing.fills is None and any(style.fill for style in drawing.styles):
        raise InputError("paths that are filled need fills")
    gradients, transforms = len(drawing.gradients), 0 if drawing.transforms is None else len(drawing.transforms)
    for style in drawing.styles:
        chosen = [number for number in (style.fill_gradient, style.stroke_gradient) if number is not None]
        if not all(0 <= number < gradients for number in chosen):
            raise InputError(f"a style refers to gradients {chosen} of {gradients}")
        if not all(0 <= number < transforms for number in style.transforms):
            raise InputError(f"a style refers to transforms {style.transforms} of {transforms}")
