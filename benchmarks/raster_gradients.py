"""Gradients against finite differences of supersampled pictures: `python -m benchmarks.raster_gradients`.

Prints JSON: for each kind of path and each kind of parameter the relative error (norm of the difference over the norm)
of both backends, and by how much the differences themselves changed when the rows of samples a pixel were last doubled:
to 256, or more where they are still uncertain.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from benchmarks.sampled import ROWS, differences
from clipdraw.drawing import Canvas, Drawing, Gradient, Style
from clipdraw.raster import rasterize

SIZE = 24
CERTAIN, MOST_ROWS = 0.008, 1024
"""Rows of samples are doubled until differences change by less than this, and up to so many in a pixel."""
LOOP = [(3.3, 5.1), (22.4, 1.7), (25.2, 23.9), (8.1, 19.3), (-3.1, 15.4), (27.3, 12.2), (4.2, 21.6)]
"""Two segments that cross each other."""
BLOB = [(4.2, 3.6), (15.3, 0.8), (22.1, 7.9), (19.7, 15.2), (17.9, 22.8), (5.2, 21.1), (2.7, 14.3), (1.6, 10.2),
        (1.1, 6.4)]  # fmt: skip
HOLE = [(8.4, 8.2), (12.3, 6.1), (16.7, 9.4), (14.1, 13.2), (11.6, 17.3), (7.3, 14.1)]
BEND = [(3.7, 5.2), (9.1, 24.8), (15.4, 1.3), (20.6, 18.7)]
HAIRPIN = [(3.2, 20.3), (9.7, 13.4), (15.1, 7.2), (20.3, 4.1), (17.2, 8.3), (13.3, 14.8), (9.6, 21.7)]
ARCH = [(6.1, 18.4), (5.3, 0.2), (18.2, -0.4), (17.7, 19.1)]
STOPS = {
    "offsets": torch.tensor([0.1, 0.45, 0.9]),
    "colors": torch.tensor([[0.9, 0.1, 0.2, 1.0], [0.1, 0.7, 0.3, 0.5], [0.2, 0.2, 0.9, 0.9]]),
}
LINEAR = Gradient("linear", torch.tensor([[3.0, 2.5], [20.1, 19.8]]), **STOPS)
RADIAL = Gradient("radial", torch.tensor([[12.0, 11.4], [9.1, 13.8]]), **STOPS, radius=torch.tensor(11.3))
TURNED = [[0.8, 0.35, -1.2], [-0.3, 0.9, 4.1]]
SKEWED = [[1.1, 0.5, -5.2], [0.0, 0.55, 4.3]]


def path(
    *subpaths: list[tuple[float, float]],
    width: float = 2.5,
    gradient: Gradient | None = None,
    transform: list[list[float]] | None = None,
    **style: object,
) -> Drawing:
    """A drawing of one path, in float64; a subpath of 3n points is closed."""
    closed = tuple(len(points) % 3 == 0 for points in subpaths)
    painted = {"stroked": "fill" not in style, **style}
    if gradient is not None:
        painted["stroke_gradient" if painted["stroked"] else "fill_gradient"] = 0
    return Drawing(
        torch.tensor([place for points in subpaths for place in points]),
        torch.tensor([width]),
        torch.tensor([[0.1, 0.4, 0.7, 0.8]]),
        tuple(len(points) // 3 for points in subpaths),
        Canvas(SIZE, SIZE),
        torch.tensor([0.9, 1.0, 0.8]),
        styles=(Style(closed=closed, transforms=() if transform is None else (0,), **painted),),  # type: ignore[arg-type]
        fills=torch.tensor([[0.8, 0.2, 0.3, 0.7]]),
        gradients=() if gradient is None else (gradient,),
        transforms=None if transform is None else torch.tensor([transform]),
    ).to(dtype=torch.float64)


SCENES = {
    "fill, nonzero": path(LOOP, fill="nonzero"),
    "fill, even-odd": path(LOOP, fill="evenodd"),
    "fill with a hole": path(BLOB, HOLE, fill="evenodd"),
    "fill, transformed": path(BLOB, fill="nonzero", transform=TURNED),
    "fill, linear gradient": path(BLOB, fill="nonzero", gradient=LINEAR),
    "fill, radial gradient": path(BLOB, fill="nonzero", gradient=RADIAL),
    "fill and stroke, faded together": path(BLOB, width=4.0, fill="nonzero", stroked=True, opacity=0.6),
    "stroke, round": path(BEND),
    "stroke, butt": path(BEND, cap="butt"),
    "stroke, square": path(BEND, cap="square"),
    "stroke, thin": path(BEND, width=0.3),
    "stroke, crossing itself": path(LOOP, width=3.0),
    "stroke, transformed": path(BEND, transform=SKEWED),
    "stroke, closed, miter": path(HOLE, BLOB, join="miter"),
    "stroke, closed, bevel": path(HOLE, BLOB, join="bevel"),
    "stroke, linear gradient": path(BEND, width=5.0, gradient=LINEAR),
    "stroke, radial gradient": path(BEND, width=5.0, gradient=RADIAL),
    "wide, strongly curved, round": path(BEND, width=14.0),
    "wide, strongly curved, butt": path(ARCH, width=11.0, cap="butt"),
    "wide, closed": path(HOLE, width=8.0),
    "hairpin, round": path(HAIRPIN),
    "hairpin, bevel": path(HAIRPIN, join="bevel", cap="butt"),
    "hairpin, miter": path(HAIRPIN, join="miter", miter_limit=20.0, cap="butt"),
    "hairpin, wide": path(HAIRPIN, width=7.0),
}
"""A kind of path each."""


def tensors(drawing: Drawing) -> dict[str, Tensor]:
    """The parameters of the picture, by name."""
    style, names = drawing.styles[0], ["points"]
    names += ["widths", "colors"] if style.stroked else []
    names += ["fills"] if style.fill else []
    names += ["transforms"] if style.transforms else []
    found = {name: getattr(drawing, name) for name in names}
    for gradient in drawing.gradients:
        kinds = ("geometry", "offsets", "colors") + (("radius",) if gradient.kind == "radial" else ())
        found |= {f"gradient {name}": getattr(gradient, name) for name in kinds}
    return found


def smooth_weights() -> Tensor:
    """Smooth images, different in each channel: with one, a gradient may be near 0 by chance, but not with all."""
    y, x = torch.meshgrid(torch.arange(SIZE) / SIZE, torch.arange(SIZE) / SIZE, indexing="ij")
    waves = [(7, 2, 0.0), (-3, 5, 1.6), (4, 6, 1.0), (1, 2, 0.3), (8, -5, 0.0), (2, 9, 2.1), (-6, 6, 1.1), (5, 0, 0.7),
             (0, 4, 1.9)]  # fmt: skip
    return torch.stack([(a * x + b * y + c).sin() for a, b, c in waves]).reshape(3, 3, SIZE, SIZE).double()


def gradients(drawing: Drawing, backend: str) -> dict[str, Tensor]:
    """The rasterizer's gradients of the image's inner products with `smooth_weights`, by parameter: weights x size."""
    dtype = torch.float32 if backend == "native" else torch.float64
    copy = drawing.to(dtype=dtype).detached()
    leaves = tensors(copy)
    for leaf in leaves.values():
        leaf.requires_grad_()
    image = rasterize(copy, backend=backend)
    rows = [
        torch.autograd.grad((image * weights.to(dtype)).sum(), list(leaves.values()), retain_graph=True)
        for weights in smooth_weights()
    ]
    return {name: torch.stack([row[k].flatten() for row in rows]) for k, name in enumerate(leaves)}


def compare(drawing: Drawing, *, most: int | None = None, uncertain: bool = False) -> dict[str, dict[str, float]]:
    """Relative errors of gradients, by parameter, then backend.

    Args:
        drawing: a path as those of `SCENES`, in float64.
        most: so many random directions instead of all numbers of a tensor that has more.
        uncertain: whether to tell by how much the differences change with the number of samples, too.
    """
    found: dict[str, dict[str, float]] = {}
    ours = {backend: gradients(drawing, backend) for backend in ("native", "reference")}
    weights, random = smooth_weights().numpy(), np.random.default_rng(0)
    for name, tensor in tensors(drawing).items():
        size = tensor.numel()
        directions = np.eye(size)
        if most is not None and size > most:
            directions = np.linalg.qr(random.standard_normal((size, most)))[0].T
        wanted, change = differences(drawing, name, weights, directions), 0.0
        if uncertain:
            wanted, change = certain_differences(drawing, name, weights, directions)
        norm = max(np.linalg.norm(wanted), 1e-12)
        found[name] = {
            backend: float(np.linalg.norm(directions @ grads[name].double().numpy().T - wanted) / norm)
            for backend, grads in ours.items()
        } | ({"samples": change} if uncertain else {})
    return found


def certain_differences(
    drawing: Drawing, name: str, weights: np.ndarray, directions: np.ndarray
) -> tuple[np.ndarray, float]:
    """Differences with so many rows of samples that they hardly change any more, and by how much they last did."""
    rows, wanted = ROWS // 2, differences(drawing, name, weights, directions, rows=ROWS // 2)
    while True:
        rows, coarser = 2 * rows, wanted
        wanted = differences(drawing, name, weights, directions, rows=rows)
        change = float(np.linalg.norm(coarser - wanted) / max(np.linalg.norm(wanted), 1e-12))
        if change <= CERTAIN or rows >= MOST_ROWS:
            return wanted, change


def repeatable(drawing: Drawing) -> bool:
    """Whether the same call gives the same bits."""
    one, two = gradients(drawing, "native"), gradients(replace(drawing), "native")
    return all(torch.equal(one[name], two[name]) for name in one)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", help="scenes, by their beginnings")
    parser.add_argument("--directions", type=int, help="so many random ones a tensor instead of all its numbers")
    chosen = parser.parse_args()
    report = {}
    for name, drawing in SCENES.items():
        if not chosen.only or name.startswith(tuple(chosen.only)):
            errors = compare(drawing, most=chosen.directions, uncertain=True)
            report[name] = {"same bits again": repeatable(drawing)} | errors
            print(name, json.dumps(report[name]), file=sys.stderr)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
