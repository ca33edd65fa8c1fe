"""What the compiled loops of the Numba backend work on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clipdraw.raster.plan import Index


class Paths(NamedTuple):
    """What is rasterized, in canvas units but for the matrices' results."""

    points: np.ndarray
    """Control points: float32, points x 2."""
    matrices: np.ndarray
    """From canvas units to pixels: float64, paths x 2 x 3."""
    radii: np.ndarray
    """Half the stroke widths: float64, paths."""
    indices: Index
    """Where the points of each segment, the segments of each path and the layers are."""
    first_piece: np.ndarray
    """First piece of each segment, and the number of pieces at the end: int64, cubics + 1."""
    longest: np.ndarray
    """Most polyline vertices of a path: int64, 1."""


class Layout(NamedTuple):
    """Runs of pixels, in single rows, that layers touch, and where what is known of them is stored."""

    page: np.ndarray
    """The image that each layer is painted on: int64, layers."""
    rows: np.ndarray
    """The first row that each layer may touch, and the row after the last: int64, layers x 2."""
    claimed: np.ndarray
    """The numbers of fragments, chords, runs and edges of all layers: int64, 4."""
    first: np.ndarray
    """First fragment, chord, run and edge of each layer; layers in any order: int64, layers x 4."""
    counts: np.ndarray
    """How many of each it has: int64, layers x 4."""
    runs: np.ndarray
    """The row of each run, then, once rows are listed, its layer; its first column, the column after its last, and its
    first fragment, counted from its layer's first; at last the gradient of its color: int32, runs x 4."""


class Rows(NamedTuple):
    """The runs of each row, page after page, in order of layers."""

    first: np.ndarray
    """Where each row's runs begin in the next, and their number at the end: int64, rows + 1."""
    run: np.ndarray
    """int32, runs."""


class Fragments(NamedTuple):
    """What each layer covers of each pixel of its runs, and how that depends on its outline."""

    coverage: np.ndarray
    """Fraction of the pixel, later its gradient: float32, fragments."""
    place: np.ndarray
    """The fragment of each chord, an edge's part in one pixel, counted from the layer's first: int32, chords."""
    share: np.ndarray
    """Integrals of 1 - t and t over the chord's boundary parts, signed: float32, chords x 2. Chords without such parts
    are left out."""
    last: np.ndarray
    """The chord after each edge's last, counted from the layer's first: int32, edges."""


class Paint(NamedTuple):
    """What layers are painted with, and on; float32 unless told otherwise."""

    colors: np.ndarray
    """Red, green, blue, opacity of each layer that has one color: layers x 4."""
    own: np.ndarray
    """The same for each fragment of the layers that have gradients: fragments x 4."""
    first: np.ndarray
    """The place of each such layer's first fragment there, -1 for other layers: int64, layers."""
    background: np.ndarray
    """Red, green, blue of each pixel, or, with one row and one column, of all: pages x 3 x rows x columns."""
    knockouts: np.ndarray
    """See `plan.Index.knockouts`: float64, layers or none."""


class Scene(NamedTuple):
    """Paths, and what is known of them before anything is painted."""

    paths: Paths
    layout: Layout
    rows: Rows
    fragments: Fragments
