"""Gradient descent from a drawing, or another image with parameters, toward what its losses ask for.

The path of the data in one step: parameters -> image -> views -> embeddings -> losses -> gradients ->
Adam -> constraints -> parameters.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from clipdraw.drawing import Drawing
from clipdraw.encoders import Encoder
from clipdraw.errors import DivergedError, FormatError, InputError
from clipdraw.optimization.losses import Frame, Loss, Prompt, Term, distinct, drawing_of, similarity
from clipdraw.optimization.parameterization import Parameterization, Strokes
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.steering import Change

MAX_DROPPED_IN_A_ROW = 10
"""Steps with non-finite gradients in a row after which a run gives up."""


@dataclass(frozen=True)
class Step:
    """One update and the state that it left behind.

    Args:
        index: number of updates made so far; 1 after the first.
        of: number of updates that the run will have made in the end.
        losses: value of each loss by its name, before the update; the second of a name is ` (2)`.
        similarity: mean cosine between the views and the prompts to draw, by their weights, before the update; NaN
            without one.
        subject: what is optimized, after the update: the drawing, or another parameterization.
        dropped: whether the update was left out, its gradients being non-finite.
        embeddings: unit vectors of the views, before the update; without gradients.
    """

    index: int
    of: int
    losses: Mapping[str, float]
    similarity: float
    subject: Drawing | Parameterization
    dropped: bool
    embeddings: Float[Tensor, "views dimensions"]

    @property
    def drawing(self) -> Drawing:
        """The drawing after the update; it lives on, so copy what you keep (`Drawing.detached`).

        Raises:
            InputError: what is optimized is not a drawing.
        """
        return drawing_of(self.subject)


class Optimization:
    """A run of gradient descent that can be stopped and continued between any two steps.

    Args:
        start: a drawing, which is copied, or another parameterization, which is not.
        losses: what is minimized: their sum.
        encoder: what embeds the views and the texts.
        recipe: steps, views, rates and constraints; the published one if None.
        seed: of the random views; the same seed gives the same drawing on the same machine.

    Raises:
        InputError: there is no loss.
    """

    def __init__(
        self,
        start: Drawing | Parameterization,
        losses: Sequence[Loss],
        *,
        encoder: Encoder,
        recipe: Recipe | None = None,
        seed: int = 0,
    ) -> None:
        if not losses:
            raise InputError("nothing to optimize: give at least one loss, such as losses.Prompt('a bonfire')")
        self.recipe = recipe or Recipe()
        self.encoder = encoder
        self._from_drawing = isinstance(start, Drawing)
        self.index = 0
        self.dropped = 0
        self._dropped_in_a_row = 0
        self._generator = torch.Generator().manual_seed(seed)
        self._terms: list[tuple[Loss, Term]] = []
        self._begin(self._strokes(start) if isinstance(start, Drawing) else start)
        self._terms = self._built(losses)

    def _begin(self, parameterization: Parameterization) -> None:
        self.parameterization, self._parameters = parameterization, parameterization.parameters()
        self._optimizer = torch.optim.Adam([{"params": [p.tensor]} for p in self._parameters], lr=1.0)

    def _built(self, losses: Sequence[Loss]) -> list[tuple[Loss, Term]]:
        """Losses with their functions; those that are minimized already keep theirs."""
        known = {id(loss): term for loss, term in self._terms}
        return [(loss, known.get(id(loss)) or loss.build(self.encoder)) for loss in losses]

    def _strokes(self, drawing: Drawing) -> Strokes:
        recipe = self.recipe
        return Strokes(
            drawing,
            rates=recipe.rates,
            constraints=recipe.constraints,
            arrangement=recipe.arrangement,
            moves_background=recipe.moves_background,
            backend=recipe.backend,
            device=self.encoder.device,
        )

    @property
    def drawing(self) -> Drawing:
        """The drawing that is optimized.

        Raises:
            InputError: what is optimized is not a drawing.
        """
        return drawing_of(self.parameterization.subject)

    @property
    def moved(self) -> Drawing:
        """The paths that are moved, of which an arrangement makes the drawing.

        Raises:
            InputError: what is optimized is not a drawing.
        """
        parameterization = self.parameterization
        return parameterization.drawing if isinstance(parameterization, Strokes) else self.drawing

    def frame(self) -> Frame:
        """The picture as the losses see it now, under fresh random views."""
        image = self.parameterization.image(self.recipe.resolution or self.encoder.view_size)
        progress = self.index / self.recipe.steps
        shown = image[:3] + (1 - image[3:]) if len(image) == 4 else image
        subject = self.parameterization.subject
        paper = subject.paper if isinstance(subject, Drawing) else None
        look, views_of = partial(self._look, paper=paper), partial(self._views_of, paper=paper)
        embeddings, layer = look(image, self.recipe.views.count), image if len(image) == 4 else None
        return Frame(subject, shown, embeddings, progress, look, views_of, self._generator, layer)

    def _look(
        self, image: Float[Tensor, "channels height width"], count: int, *, paper: Float[Tensor, " 3"] | None
    ) -> Float[Tensor, "count dimensions"]:
        """The embeddings of fresh random views of an image."""
        return self.encoder.encode_image(self._views_of([image], count, paper=paper)[0])

    def _views_of(self, images: Sequence[Tensor], count: int, *, paper: Float[Tensor, " 3"] | None) -> list[Tensor]:
        """The same fresh random views of several images."""
        views = replace(self.recipe.views, count=count)
        return views.apply_to_all(images, self.encoder.view_size, generator=self._generator, paper=paper)

    def step(self) -> Step:
        """Make one update.

        Raises:
            DivergedError: the gradients have been non-finite ten times in a row; names the loss.
        """
        self._set_rates()
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
            self.parameterization.project()
        self.index += 1
        names = distinct(loss.name for loss, _ in self._terms)
        losses = {name: value.item() for name, value in zip(names, values, strict=True)}
        return Step(
            index=self.index,
            of=self.recipe.steps,
            losses=losses,
            similarity=self._similarity(values),
            subject=self.parameterization.subject,
            dropped=dropped,
            embeddings=frame.embeddings.detach(),
        )

    def change(self, change: Change) -> None:
        """Go on otherwise from the next step on; what the optimizer knows of paths that stay is carried over.

        Adam's moments of new paths are 0. Learning rates, constraints and paths are those of a drawing: another
        parameterization has its own.

        Raises:
            InputError: paths that are to go are not there, none is left, or what is optimized has not begun as a
                drawing; nothing has changed.
        """
        if change.of_paths and not self._from_drawing:
            raise InputError("only of what began as a drawing can paths be added or removed")
        before = self.moved if self._from_drawing and (change.of_paths or change.recipe) else None
        paths = change.paths(before) if before is not None else None
        self._terms = self._terms if change.losses is None else self._built(change.losses)
        self.recipe = change.recipe or self.recipe
        if before is not None and paths is not None:
            self._go_on_with(paths, before, change)

    def _go_on_with(self, paths: Drawing, before: Drawing, change: Change) -> None:
        known = {p.name: self._optimizer.state.get(p.tensor, {}) for p in self._parameters}
        self._begin(self._strokes(paths))
        for parameter in self._parameters:
            carried = {
                name: value if name == "step" else change.moment(parameter.name, value, before, parameter.tensor)
                for name, value in known.get(parameter.name, {}).items()
            }
            if carried:
                self._optimizer.state[parameter.tensor] = carried

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on besides the settings, as copied tensors by name."""
        tensors = {p.name: p.tensor.detach().clone() for p in self._parameters} | {
            "generator": self._generator.get_state(),
            "counters": torch.tensor([self.index, self.dropped, self._dropped_in_a_row]),
        }
        for i, parameter in enumerate(self._parameters):
            moments = self._optimizer.state.get(parameter.tensor, {})
            tensors |= {f"adam.{i}.{name}": value.detach().clone() for name, value in moments.items()}
        return tensors

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned, to the same drawing as without the break.

        Raises:
            FormatError: it is not the state of such an optimization; nothing has changed.
        """
        self._check(state)
        with torch.no_grad():
            for parameter in self._parameters:
                parameter.tensor.copy_(state[parameter.name])
        self._generator.set_state(state["generator"].cpu())
        self.index, self.dropped, self._dropped_in_a_row = state["counters"].tolist()
        for i, parameter in enumerate(self._parameters):
            prefix = f"adam.{i}."
            moments = {k.removeprefix(prefix): v.clone() for k, v in state.items() if k.startswith(prefix)}
            if moments:
                self._optimizer.state[parameter.tensor] = moments

    def _check(self, state: Mapping[str, Tensor]) -> None:
        """Raise `FormatError` if a tensor is missing, is of another shape or type, or has impossible numbers."""
        wanted = self.state()
        for i, parameter in enumerate(self._parameters):
            if any(name.startswith(f"adam.{i}.") for name in state):
                wanted[f"adam.{i}.step"] = torch.tensor(0.0)
                wanted |= {f"adam.{i}.{name}": parameter.tensor for name in ("exp_avg", "exp_avg_sq")}
        for name, like in wanted.items():
            check_tensor(state, name, like)
            if name.endswith(("counters", ".step", ".exp_avg_sq")) and bool((state[name] < 0).any()):
                raise FormatError(f"its {name} is below 0")
        if state["counters"][0] > self.recipe.steps:
            raise FormatError(f"it has made {int(state['counters'][0])} of {self.recipe.steps} steps")
        try:
            torch.Generator().set_state(state["generator"].cpu())
        except RuntimeError as error:
            raise FormatError(f"its generator is no state of a random generator: {error}") from None

    def _set_rates(self) -> None:
        for group, parameter in zip(self._optimizer.param_groups, self._parameters, strict=True):
            group["lr"] = parameter.rate * parameter.schedule(self.index, self.recipe.steps)

    def _gradients_are_finite(self) -> bool:
        gradients = (p.tensor.grad for p in self._parameters if p.tensor.grad is not None)
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
    start: Drawing | Parameterization,
    losses: Sequence[Loss],
    *,
    encoder: Encoder,
    recipe: Recipe | None = None,
    seed: int = 0,
) -> Generator[Step, Change | None, None]:
    """Optimize step by step: stop when you like, look at each, change the drawing in between.

    To change what is asked for, send a message instead of asking for the next step: `step = steps.send(Change(...))`.

    Args:
        start: a drawing, which is copied (the copy is in each step), or another parameterization.
        losses: what is minimized: their sum.
        encoder: what embeds the views and the texts.
        recipe: steps, views, rates and constraints; the published one if None.
        seed: of the random views.

    Yields:
        Each step after its update.

    Raises:
        InputError: there is no loss.
        DivergedError: the gradients have been non-finite ten times in a row.

    Source: Frans et al. 2021 (CLIPDraw), arXiv 2106.14843, algorithm 1.
    """
    run = Optimization(start, losses, encoder=encoder, recipe=recipe, seed=seed)
    while run.index < run.recipe.steps:
        change = yield run.step()
        if change is not None:
            run.change(change)


def check_tensor(tensors: Mapping[str, Tensor], name: str, like: Tensor) -> None:
    """Refuse a stored tensor that is not of the shape and type of another one, or not finite.

    Raises:
        FormatError: it is not, or it is missing.
    """
    if name not in tensors:
        raise FormatError(f"it has no {name}")
    found = tensors[name]
    if found.shape != like.shape or found.dtype != like.dtype:
        got, wanted = (f"{tuple(tensor.shape)} {tensor.dtype}" for tensor in (found, like))
        raise FormatError(f"its {name} is {got} instead of {wanted}")
    if not bool(torch.isfinite(found).all()):
        raise FormatError(f"its {name} is not finite")


@dataclass(frozen=True)
class Problem:
    """The parts of an optimization: start, losses, recipe, encoder and seed. `Config.build` makes it.

    Args:
        start: a drawing, which is copied, or another parameterization, which is not.
        losses: what is minimized: their sum.
        recipe: steps, views, rates and constraints.
        encoder: what embeds the views and the texts.
        seed: of the random views.
    """

    start: Drawing | Parameterization
    losses: tuple[Loss, ...]
    recipe: Recipe
    encoder: Encoder
    seed: int = 0

    def begin(self) -> Optimization:
        """The optimization before its first step, to be stepped, stopped and continued."""
        return Optimization(self.start, self.losses, encoder=self.encoder, recipe=self.recipe, seed=self.seed)

    def optimize(self) -> Generator[Step, Change | None, None]:
        """Each step after its update, as `optimize` yields them; changes can be sent to it."""
        return optimize(self.start, self.losses, encoder=self.encoder, recipe=self.recipe, seed=self.seed)
