"""Drawings for the rasterizer's tests, and pictures of them that owe nothing to clipdraw."""

from dataclasses import replace

import numpy as np
import torch

from clipdraw.drawing import Canvas, Drawing, Gradient, Style, control_points
from clipdraw.raster import rasterize


def published(strokes, *, size=224.0, seed=0, width=2.0, spread=None):
    """The published start: 1 to 3 segments, steps of at most a twentieth of the canvas."""
    random = torch.Generator().manual_seed(seed)
    segments = tuple(torch.randint(1, 4, (strokes,), generator=random).tolist())
    spread = 0.05 * size if spread is None else spread
    parts = []
    for count in segments:
        start = torch.rand(1, 2, generator=random) * size
        steps = (torch.rand(3 * count, 2, generator=random) - 0.5) * 2 * spread
        parts.append(torch.cat((start, start + steps.cumsum(0))))
    colors = torch.rand(strokes, 4, generator=random)
    return Drawing(torch.cat(parts), torch.full((strokes,), float(width)), colors, segments, Canvas(size, size))


def stroke(*points, width=3.0, color=(0.1, 0.2, 0.3, 0.8), canvas=(32.0, 32.0), background=(1.0, 1.0, 1.0)):
    """A drawing of one stroke."""
    place = torch.tensor(points, dtype=torch.float32)
    segments = ((len(points) - 1) // 3,)
    paint = torch.tensor([width], dtype=torch.float32), torch.tensor([color])
    return Drawing(place, *paint, segments, Canvas(*canvas), torch.tensor(background))


def together(*drawings):
    """One drawing of the strokes of several, on the first's canvas."""
    names = "points", "widths", "colors"
    parts = {name: torch.cat([getattr(drawing, name) for drawing in drawings]) for name in names}
    return replace(drawings[0], **parts, segments=sum((drawing.segments for drawing in drawings), ()))


def line(start, end, **options):
    """A straight stroke."""
    start, end = torch.tensor(start), torch.tensor(end)
    return stroke(*[(start + (end - start) * k / 3).tolist() for k in range(4)], **options)


def faded_together(paths=12, *, size=32.0, seed=0):
    """Filled, stroked and mostly both, with opacities that fills and strokes share; three kinds of paint."""
    random = torch.Generator().manual_seed(seed)
    closed = (torch.rand(paths, generator=random) < 0.5).tolist()
    segments = tuple(torch.randint(2, 4, (paths,), generator=random).tolist())
    count = sum(control_points(n, closed=c) for n, c in zip(segments, closed, strict=True))
    points = (1.2 * torch.rand(count, 2, generator=random) - 0.1) * size
    colors, fills = torch.rand(2, paths, 4, generator=random)
    colors[::3, 3] = fills[::2, 3] = 1
    styles = [
        Style(
            (closed[n],),
            ("nonzero", "evenodd", None, "nonzero")[n % 4],
            stroked=n % 7 != 3,
            fill_gradient=0 if n % 3 == 0 else None,
            stroke_gradient=1 if n % 5 == 1 else None,
            transforms=(0,) if n % 6 == 1 else (),
            opacity=(0.5, 0.8, 1.0, 0.3, 0.97)[n % 5],
        )
        for n in range(paths)
    ]
    stops = torch.tensor([0.1, 0.5, 0.9]), torch.rand(3, 4, generator=random)
    places = torch.tensor([[3.0, 2.0], [25.0, 28.0]]), torch.tensor([[15.0, 12.0], [13.0, 14.0]])
    return Drawing(
        points,
        1 + 3 * torch.rand(paths, generator=random),
        colors,
        segments,
        Canvas(size, size),
        torch.rand(3, generator=random),
        styles=tuple(styles),
        fills=fills,
        gradients=(Gradient("linear", places[0], *stops), Gradient("radial", places[1], *stops, torch.tensor(14.0))),
        transforms=torch.tensor([[[1.0, 0.2, -1.0], [0.1, 0.7, 2.0]]]),
    )


torch.set_num_threads(1)  # on small tensors, and beside other processes, more threads take longer

SCENES = {
    "open": stroke((4.2, 5.1), (11.7, 27.3), (20.2, 2.9), (27.6, 24.8)),
    "self-crossing": stroke((6.3, 24.2), (44.1, 4.8), (-12.4, 5.3), (26.2, 25.1), width=4.0),
    "overlapping": together(
        stroke((4.2, 5.1), (11.7, 27.3), (20.2, 2.9), (27.6, 24.8), width=6.0),
        stroke((3.1, 22.4), (12.2, 25.3), (19.8, 4.1), (28.9, 7.7), color=(0.9, 0.2, 0.1, 1.0), width=5.0),
        line((15.3, 2.2), (16.1, 29.4), color=(0.2, 0.7, 0.4, 0.5), width=2.2),
    ),
    "off canvas": together(
        stroke((-9.0, 5.0), (-3.0, 27.0), (60.0, 3.0), (41.0, 24.0)),
        line((-50.0, -40.0), (-20.0, -60.0)),
        line((300.0, 10.0), (900.0, 700.0), width=30.0),
    ),
    "zero width": together(line((4.1, 6.2), (25.3, 21.9), width=0.0), line((4.1, 20.2), (25.3, 11.9), width=1.0)),
    "thin": stroke((4.2, 5.1), (11.7, 27.3), (20.2, 2.9), (27.6, 24.8), width=0.3),
    "wide": stroke((4.2, 5.1), (11.7, 27.3), (20.2, 2.9), (27.6, 24.8), width=18.0),
    "under an opaque one": together(
        stroke((4.2, 5.1), (11.7, 27.3), (20.2, 2.9), (27.6, 24.8), width=6.0),
        line((3.1, 20.2), (30.3, 12.4), width=4.0, color=(0.9, 0.2, 0.1, 0.5)),
        line((1.2, 16.3), (31.4, 15.1), width=24.0, color=(0.3, 0.7, 0.2, 1.0)),
        line((9.4, 1.3), (12.2, 30.8), width=3.0, color=(0.2, 0.1, 0.8, 0.7)),
    ),
    "cusp and corner": stroke(
        (5.3, 6.1), (30.2, 20.3), (2.1, 20.7), (26.8, 5.5), (22.0, 12.2), (27.0, 20.0), (9.1, 27.7), width=2.5
    ),
    "dot": stroke(*[(13.3, 17.8)] * 4, width=5.0),
    "folded back": stroke((5.2, 8.3), (25.0, 14.0), (25.0, 14.1), (5.3, 8.9), width=2.0),
    "tall": stroke((4.2, 5.1), (11.7, 47.3), (2.2, 2.9), (17.6, 34.8), canvas=(20.0, 50.0), background=(0.2, 0.9, 0.4)),
    "many": published(60, size=48.0),
    "faded together": faded_together(),
}


def gradients(drawing, *, height=None, width=None, backend="auto", weights=None, dtype=torch.float32):
    """The image, and the gradients of its inner product with smooth weights, in float64."""
    drawing = drawing.to(dtype=dtype).detached()
    return gradients_of(drawing, lambda: rasterize(drawing, height=height, width=width, backend=backend), weights)


def gradients_of(drawing, rasterized, weights=None):
    """The same of an image that is made of the drawing in any way; of what doesn't matter for it, 0."""
    leaves = (*drawing.parameters(), drawing.background)
    for leaf in leaves:
        leaf.requires_grad_()
    image = rasterized()
    weights = smooth_weights(*image.shape[1:]) if weights is None else weights
    (image * weights.to(image.dtype)).sum().backward()
    found = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
    return image.detach().double(), [grad.double() for grad in found]


def smooth_weights(height, width):
    """A smooth image, different in each channel."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    return torch.stack([(7 * x + 2 * y).sin(), (5 * y - 3 * x).cos(), (4 * x + 6 * y + 1).sin()])


def relative_error(found, wanted):
    """Norm of the difference over the norm of what is wanted."""
    return float((found - wanted).norm() / wanted.norm().clamp(min=1e-12))


class Supersampled:
    """A picture by 16 x 16 samples a pixel, composited sample by sample, then averaged.

    A sample is inside a stroke when its distance to the densely sampled curve is below half the
    width. The edge is a ramp as wide as a sample, so that finite differences may use small steps.
    """

    def __init__(self, drawing, *, samples=16):
        self.drawing, self.samples = drawing.detached(), samples
        self.size = round(drawing.canvas.height), round(drawing.canvas.width)
        strokes = zip(self.drawing.stroke_points(), self.drawing.widths, strict=True)
        self.distances = [self._distance(*stroke) for stroke in strokes]

    def _distance(self, points, width):
        """Distance of each sample from the curve; of samples far from the edge, that of their pixel's center."""
        rows, columns = self.size
        t = torch.linspace(0, 1, 400)[:, None]
        curve = torch.cat([_de_casteljau(points[k : k + 4], t) for k in range(0, len(points) - 1, 3)])
        centers = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).flip(-1) + 0.5
        field = torch.cdist(centers, curve).amin(1)
        edge = ((field - width / 2).abs() < 1.0).nonzero()[:, 0]
        step = (torch.arange(self.samples) + 0.5) / self.samples - 0.5
        parts = centers[edge, None] + torch.cartesian_prod(step, step).flip(-1)
        fine = torch.cat([torch.cdist(part, curve).amin(1) for part in parts.flatten(0, 1).split(8192)])
        field = field[:, None].repeat(1, self.samples**2)
        field[edge] = fine.reshape(len(edge), self.samples**2)
        return field.reshape(rows, columns, self.samples, self.samples)

    def image(self, *, widths=None, colors=None, stroke=None, points=None):
        """The picture, with some of the drawing's values replaced."""
        widths = self.drawing.widths if widths is None else widths
        colors = self.drawing.colors if colors is None else colors
        picture = self.drawing.background[:, None, None, None, None]
        for number, distance in enumerate(self.distances):
            if number == stroke:
                distance = self._distance(points, widths[number])
            inside = (0.5 + (widths[number] / 2 - distance) * self.samples).clamp(0, 1)
            picture = picture + inside * colors[number, 3] * (colors[number, :3, None, None, None, None] - picture)
        return picture.mean((3, 4))

    def gradients(self, weights, *, step):
        """Central differences of the inner product with `weights`, by points, widths and colors."""

        def loss(**changes):
            return (self.image(**changes).double() * weights).sum()

        drawing, grads = self.drawing, []
        by_points = []
        for number, points in enumerate(drawing.stroke_points()):
            by_points.append(_differences(points, step, lambda v, n=number: loss(stroke=n, points=v)))
        grads.append(torch.cat(by_points))
        grads.append(_differences(drawing.widths, step, lambda v: loss(widths=v)))
        grads.append(_differences(drawing.colors, 0.02, lambda v: loss(colors=v)))
        return grads


def _de_casteljau(control, t):
    points = control[:, None]
    while len(points) > 1:
        points = points[:-1] * (1 - t) + points[1:] * t
    return points[0]


def _differences(values, step, loss):
    grads = torch.zeros(values.shape, dtype=torch.float64)
    for place in range(values.numel()):
        sides = []
        for sign in (1, -1):
            moved = values.clone()
            moved.view(-1)[place] += sign * step
            sides.append(loss(moved))
        grads.view(-1)[place] = (sides[0] - sides[1]) / (2 * step)
    return grads


def svg(drawing, size):
    """The drawing as an SVG of a given size in pixels."""
    canvas = drawing.canvas
    red, green, blue = (drawing.background * 100).tolist()
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {canvas.width} {canvas.height}" '
        f'width="{size}" height="{size}">',
        f'<rect width="{canvas.width}" height="{canvas.height}" fill="rgb({red}%,{green}%,{blue}%)"/>',
    ]
    strokes = zip(drawing.stroke_points(), drawing.widths.tolist(), drawing.colors.tolist(), strict=True)
    for points, width, (*color, opacity) in strokes:
        places = [f"{x:.5f} {y:.5f}" for x, y in points.tolist()]
        path = f"M{places[0]} C{' '.join(places[1:])}"
        paint = "#" + "".join(f"{round(255 * part):02x}" for part in color)
        lines.append(
            f'<path d="{path}" fill="none" stroke="{paint}" stroke-width="{width:.5f}" '
            f'stroke-opacity="{opacity:.5f}" stroke-linecap="round" stroke-linejoin="round"/>'
        )
    return "\n".join([*lines, "</svg>"])


def varied(strokes=256, seed=5):
    """The published start with varied widths, and colors that eight bits hold exactly."""
    drawing = published(strokes, seed=seed)
    random = torch.Generator().manual_seed(seed)
    widths = 0.4 + 12 * torch.rand(strokes, generator=random) ** 2
    colors = drawing.colors.clone()
    colors[:, :3] = (colors[:, :3] * 255).round() / 255
    return replace(drawing, widths=widths, colors=colors)


def picture(array):
    """An image of 8 bits, height x width x channels, as one of ours."""
    return torch.from_numpy(np.asarray(array)[..., :3].copy()).permute(2, 0, 1).double() / 255
