"""Gradient descent from a drawing toward what its losses ask for.

The data's way in one step: drawing -> image -> views -> embeddings -> losses -> gradients ->
Adam -> constraints -> drawing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.augment import Views
from clipdraw.constraints import ColorRange, Constraint, WidthRange
from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.errors import DivergedError, InputError
from clipdraw.explanation import Word
from clipdraw.losses import Frame, Loss, Prompt, similarity
from clipdraw.raster import rasterize
from clipdraw.schedules import Constant, Schedule, Staircase

MAX_DROPPED_IN_A_ROW = 10
"""Steps with non-finite gradients in a row after which a run gives up."""


@dataclass(frozen=True)
class Rates:
    """Adam's learning rates, in units of a 224-unit canvas; the published ones.

    Args:
        points: for control points.
        width: for full widths (0.1 on half widths in the notebook).
        color: for color channels and opacity.
        points_schedule: factor on the points' rate as the run goes on.
        other_schedule: factor on the other two.

    Source: Frans et al. 2021 (CLIPDraw), published notebook; Kingma and Ba 2015, Adam, arXiv 1412.6980.
    """

    points: float = 1.0
    width: float = 0.2
    color: float = 0.01
    points_schedule: Schedule = field(default_factory=Staircase)
    other_schedule: Schedule = field(default_factory=lambda: Constant(1.0))

    def __post_init__(self) -> None:
        if not all(0 <= rate < float("inf") for rate in (self.points, self.width, self.color)):
            raise InputError(f"learning rates are 0 or more, got {self.points}, {self.width}, {self.color}")


@dataclass(frozen=True)
class Recipe:
    """How a drawing is optimized, whatever it shows.

    Args:
        steps: updates, at least 1.
        views: the distorted copies that the encoder sees in each step.
        rates: learning rates.
        constraints: rules that are restored after each update, in order.
        resolution: pixels along the longer side of the image that views are made from; None takes the
            encoder's view size.
        backend: the rasterizer's implementation.
    """

    steps: int = 250
    views: Views = field(default_factory=Views)
    rates: Rates = field(default_factory=Rates)
    constraints: tuple[Constraint, ...] = (WidthRange(), ColorRange())
    resolution: int | None = None
    backend: str = "auto"

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(f"steps must be at least 1, got {self.steps}")


@dataclass(frozen=True)
class Step:
    """What one update was and left behind.

    Args:
        index: number of updates made so far; 1 after the first.
        of: number of updates that the run will have made in the end.
        losses: value of each loss by its name, before the update.
        similarity: mean cosine between the views and the prompts to draw, by their weights, before the update; NaN
            without one.
        drawing: the drawing after the update; it lives on, so copy what you keep (`Drawing.detached`).
        dropped: whether the update was left out, its gradients being non-finite.
        embeddings: unit vectors of the views, before the update; without gradients.
        words: the words nearest to the views, if someone asked for them.
    """

    index: int
    of: int
    losses: Mapping[str, float]
    similarity: float
    drawing: Drawing
    dropped: bool
    embeddings: Float[Tensor, "views dimensions"]
    words: tuple[Word, ...] = ()


class Optimization:
    """A run of gradient descent that can be stopped and continued between any two steps.

    Args:
        drawing: the start; it is copied.
        losses: what is minimized: their sum.
        encoder: the judge.
        recipe: how.
        seed: of the views; the same seed gives the same drawing on the same machine.
    """

    def __init__(
        self, drawing: Drawing, losses: Sequence[Loss], *, encoder: Encoder, recipe: Recipe | None = None, seed: int = 0
    ) -> None:
        if not losses:
            raise InputError("nothing to optimize: give at least one loss, such as losses.Prompt('a bonfire')")
        if not drawing.only_strokes:
            raise InputError(
                "an optimization moves plain strokes (open, round caps and joins); for fills and gradients write a "
                "loop of your own over rasterize, as in examples/refine_svg.py"
            )
        self.recipe = recipe or Recipe()
        self.encoder = encoder
        self.drawing = drawing.detached().to(device=encoder.device)
        for parameter in self.drawing.parameters():
            parameter.requires_grad_()
        self.index = 0
        self.dropped = 0
        self._dropped_in_a_row = 0
        self._terms = [(loss, loss.build(encoder)) for loss in losses]
        self._generator = torch.Generator().manual_seed(seed)
        rates, scale = self.recipe.rates, self.drawing.canvas.scale
        self._base_rates = (rates.points * scale, rates.width * scale, rates.color)
        self._optimizer = torch.optim.Adam([{"params": [p]} for p in self.drawing.parameters()], lr=1.0)

    def frame(self) -> Frame:
        """The drawing as the losses see it now, under fresh random views."""
        longest = max(self.drawing.canvas.width, self.drawing.canvas.height)
        pixels = (self.recipe.resolution or self.encoder.view_size) / longest
        height, width = (max(1, round(s * pixels)) for s in (self.drawing.canvas.height, self.drawing.canvas.width))
        image = rasterize(self.drawing, height=height, width=width, backend=self.recipe.backend)
        views = self.recipe.views.apply(image, self.encoder.view_size, generator=self._generator)
        return Frame(self.drawing, image, self.encoder.encode_image(views), self.index / self.recipe.steps)

    def step(self) -> Step:
        """Make one update.

        Raises:
            DivergedError: the gradients have been non-finite ten times in a row; names the loss.
        """
        self._set_rates(self.index / self.recipe.steps)
        frame = self.frame()
        values = [term(frame) for _, term in self._terms]
        self._optimizer.zero_grad(set_to_none=True)
        torch.stack(values).sum().backward()
        dropped = not self._gradients_are_finite()
        if dropped:
            self._count_dropped()
        else:
            self._dropped_in_a_row = 0
            self._optimizer.step()
        with torch.no_grad():
            for constraint in self.recipe.constraints:
                constraint.project(self.drawing)
        self.index += 1
        losses = {loss.name: value.item() for (loss, _), value in zip(self._terms, values, strict=True)}
        similar, seen = self._similarity(values), frame.embeddings.detach()
        return Step(self.index, self.recipe.steps, losses, similar, self.drawing, dropped, seen)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on besides the settings, as copied tensors by name."""
        tensors = {
            "points": self.drawing.points.detach().clone(),
            "widths": self.drawing.widths.detach().clone(),
            "colors": self.drawing.colors.detach().clone(),
            "generator": self._generator.get_state(),
            "counters": torch.tensor([self.index, self.dropped, self._dropped_in_a_row]),
        }
        for i, parameter in enumerate(self.drawing.parameters()):
            moments = self._optimizer.state.get(parameter, {})
            tensors |= {f"adam.{i}.{name}": value.detach().clone() for name, value in moments.items()}
        return tensors

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned, to the same drawing as without the break."""
        with torch.no_grad():
            for name in ("points", "widths", "colors"):
                getattr(self.drawing, name).copy_(state[name])
        self._generator.set_state(state["generator"].cpu())
        self.index, self.dropped, self._dropped_in_a_row = state["counters"].tolist()
        for i, parameter in enumerate(self.drawing.parameters()):
            prefix = f"adam.{i}."
            moments = {k.removeprefix(prefix): v.clone() for k, v in state.items() if k.startswith(prefix)}
            if moments:
                self._optimizer.state[parameter] = moments

    def _set_rates(self, progress: float) -> None:
        rates = self.recipe.rates
        schedules = (rates.points_schedule, rates.other_schedule, rates.other_schedule)
        for group, base, schedule in zip(self._optimizer.param_groups, self._base_rates, schedules, strict=True):
            group["lr"] = base * schedule(progress)

    def _gradients_are_finite(self) -> bool:
        gradients = (p.grad for p in self.drawing.parameters() if p.grad is not None)
        return all(bool(torch.isfinite(g).all()) for g in gradients)

    def _count_dropped(self) -> None:
        self.dropped += 1
        self._dropped_in_a_row += 1
        if self._dropped_in_a_row >= MAX_DROPPED_IN_A_ROW:
            raise DivergedError(
                f"gave up at step {self.index + 1}: gradients were not finite {MAX_DROPPED_IN_A_ROW} times in a row, "
                f"because of the loss {self._culprit()!r}; lower its weight or the learning rates"
            )

    def _culprit(self) -> str:
        """The name of the first loss that alone has a non-finite gradient."""
        for loss, term in self._terms:
            self._optimizer.zero_grad(set_to_none=True)
            term(self.frame()).backward()
            if not self._gradients_are_finite():
                return loss.name
        return " + ".join(loss.name for loss, _ in self._terms)

    def _similarity(self, values: Sequence[Tensor]) -> float:
        pairs = [(loss, v) for (loss, _), v in zip(self._terms, values, strict=True) if isinstance(loss, Prompt)]
        cosines = [-value.item() / (prompt.weight * self.recipe.views.count) for prompt, value in pairs]
        return similarity([prompt for prompt, _ in pairs], cosines)


def optimize(
    drawing: Drawing, losses: Sequence[Loss], *, encoder: Encoder, recipe: Recipe | None = None, seed: int = 0
) -> Iterator[Step]:
    """Optimize `drawing` step by step: stop when you like, look at each, change the drawing in between.

    Args:
        drawing: the start; it is copied, the copy is in each step.
        losses: what is minimized: their sum.
        encoder: the judge.
        recipe: how; the published one if not given.
        seed: of the views.

    Yields:
        Each step after its update.

    Raises:
        InputError: there is no loss.
        DivergedError: the gradients have been non-finite ten times in a row.

    Source: Frans et al. 2021 (CLIPDraw), arXiv 2106.14843, algorithm 1.
    """
    run = Optimization(drawing, losses, encoder=encoder, recipe=recipe, seed=seed)
    while run.index < run.recipe.steps:
        yield run.step()
