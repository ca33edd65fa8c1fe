"""Several ways to synthesize an image on the same prompts from the same seeds, in one figure and one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import chain, product
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor

from clipdraw import raster
from clipdraw.config import Config
from clipdraw.drawing import Canvas, Drawing
from clipdraw.encoders import Encoder
from clipdraw.errors import ConfigError, DivergedError, InputError, MissingExtraError, WeightsError
from clipdraw.evaluate.score import score, unseen_similarities
from clipdraw.figures import Cell, Picture, Sheet, write_sheet
from clipdraw.io.images import write_png
from clipdraw.optimization import biggan
from clipdraw.optimization.loop import Problem, Step
from clipdraw.optimization.losses import Frame, Prior, Prompt, Term, similarity
from clipdraw.optimization.parameterization import Parameterization, Pixels
from clipdraw.optimization.regions import RegionPrompt
from clipdraw.progress import Interrupt, interruptible, log
from clipdraw.runs.folder import make_folder, slug, write_record
from clipdraw.runs.session import note_unread, precision_of, prepare, threads_of, versions

_PNG_SIDE = 448
_NO_GENERATOR = (
    "its weights are not here: name a hub id or a folder with --biggan (config.json and pytorch_model.bin or "
    "model.safetensors)"
)
_OTHER_VIEWS = "on views that are turned, mirrored, on gray, coarse and noisy"
_HELD_OUT_INSTEAD = "name another one, or none for the same encoder on other views"
FIGURE = "comparison"
"""Name of the figure's files, which end in `.svg` and `.png`."""


@dataclass(frozen=True)
class Method:
    """A way to synthesize an image.

    Args:
        title: its name in a figure.
        about: what it optimizes, in a line.
        problem: what it optimizes for a configuration, an encoder and the name of a generator's weights.
    """

    title: str
    about: str
    problem: Callable[[Config, Encoder, str], Problem]


def _strokes(config: Config, encoder: Encoder, generator: str) -> Problem:
    return config.build(encoder)


def _without_augmentation(config: Config, encoder: Encoder, generator: str) -> Problem:
    """One view is as good as several: all are the same."""
    return replace(config, views=replace(config.views, augment=False, count=1)).build(encoder)


def _without_negatives(config: Config, encoder: Encoder, generator: str) -> Problem:
    return replace(config, negative=()).build(encoder)


def _of_any_image(config: Config, encoder: Encoder, start: Parameterization) -> Problem:
    """The problem with another start, and with the losses that need no strokes."""
    problem = config.build(encoder, start=start)
    return replace(
        problem, losses=tuple(loss for loss in problem.losses if isinstance(loss, Prompt | RegionPrompt | Prior))
    )


def _pixels(config: Config, encoder: Encoder, generator: str) -> Problem:
    return _of_any_image(config, encoder, Pixels.gray(Canvas(*config.canvas), device=encoder.device))


@lru_cache(maxsize=1)
def _load_generator(name: str, device: torch.device) -> biggan.BigGAN:
    """The generator, read once for all pictures."""
    log.info("loading the generator %s", name)
    return biggan.load(name, device=device)


def _biggan(config: Config, encoder: Encoder, generator: str) -> Problem:
    network = _load_generator(generator or biggan.PUBLISHED, encoder.device)
    problem = _of_any_image(config, encoder, biggan.Latents(network, config.generator()))
    return replace(problem, losses=(*problem.losses, Oddness()))


@dataclass(frozen=True)
class Oddness:
    """The distance of latents from those that their generator was trained for.

    Args:
        weight: against a prompt's 1; Murdock's notebook weighs the prompt 100.
    """

    weight: float = 0.01
    name: str = "oddness"

    def build(self, encoder: Encoder) -> Term:
        """The weighted oddness, times the views, as a prompt is their sum."""

        def oddness(frame: Frame) -> Tensor:
            if not isinstance(frame.subject, biggan.Latents):
                raise InputError(f"only latents can be odd; what is optimized here is {type(frame.subject).__name__}")
            return self.weight * len(frame.embeddings) * frame.subject.oddness()

        return oddness


METHODS = {
    "clipdraw": Method("CLIPDraw", "strokes", _strokes),
    "pixels": Method("Pixel optimization", "every pixel by itself", _pixels),
    "biggan": Method("BigGAN optimization", "the latents of a generator of photographs", _biggan),
    "no-augment": Method("CLIPDraw, no augmentation", "strokes, seen as they are", _without_augmentation),
    "no-negative": Method("CLIPDraw, no negatives", "strokes, for the prompt alone", _without_negatives),
}
"""Methods by their names. The first four are those of the paper's Figure 3."""

FIGURE_3 = ("clipdraw", "pixels", "biggan", "no-augment")


def method(name: str) -> Method:
    """The method of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in METHODS:
        raise ConfigError(f"there is no method {name!r}; there are: {', '.join(METHODS)}")
    return METHODS[name]


@dataclass(frozen=True)
class Result:
    """A picture that a method made of a prompt, or the reason why there is none.

    Args:
        method: its name.
        prompt: the prompts in one line.
        seed: of the start and the views.
        similarity: cosine of the picture, seen whole, under the encoder that was optimized; None if there is none.
        held_out: the same under the encoder that was not, or on views of a kind that was not; None if there is none.
        unwanted: cosine of the picture and the negative prompts under the encoder that was optimized, their mean by
            weight; None without any.
        seconds: time in the loop.
        steps: updates made.
        files: of the picture, within the folder.
        missing: why there is no picture and what to do about it, in short; empty if there is one.
        reason: the same in full.
    """

    method: str
    prompt: str
    seed: int
    similarity: float | None = None
    held_out: float | None = None
    unwanted: float | None = None
    seconds: float = 0.0
    steps: int = 0
    files: tuple[str, ...] = ()
    missing: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """A comparison, finished or interrupted.

    Args:
        folder: with the figure, the pictures and `run.json`.
        results: prompt by prompt, seed by seed, method by method.
        encoder: the name of the encoder that was optimized.
        held_out: what the other similarity is of.
        label: what a table calls the other similarity: `held out`, or `other views` of the same encoder.
        status: `finished`, or `interrupted` if it was asked to stop.
    """

    folder: Path
    results: tuple[Result, ...]
    encoder: str
    held_out: str
    label: str
    status: str

    def means(self) -> dict[str, tuple[float, float]]:
        """Similarity and held-out similarity of each method that has pictures, averaged over them."""
        found = {}
        for name in dict.fromkeys(result.method for result in self.results):
            rows = [(r.similarity, r.held_out) for r in self.results if r.method == name]
            pairs = [(a, b) for a, b in rows if a is not None and b is not None]
            if pairs:
                found[name] = fmean(a for a, _ in pairs), fmean(b for _, b in pairs)
        return found


OnMethod = Callable[[str, Config, Step], None]


def compare(
    configs: Sequence[Config],
    methods: Sequence[str] = FIGURE_3,
    *,
    held_out: Encoder | None = None,
    generator: str = "",
    out: str | Path | None = None,
    on_step: OnMethod | None = None,
) -> Comparison:
    """Let methods draw the same prompts from the same seeds, into a new folder with a labeled figure.

    Similarity under the encoder that was optimized says how well a method reaches its objective; under another one,
    how much of that anyone else sees. Without another encoder the second number is the optimized encoder's own, on
    views of a kind that no method optimizes: a weaker test.

    Ctrl-C leaves the picture that is under way after its step; the figure shows those that are finished.

    Args:
        configs: a row each; the encoder's settings and the threads are those of the first.
        methods: names in `METHODS`, a column each.
        held_out: an encoder that is not optimized.
        generator: hub id or folder of BigGAN's weights; the published ones if not given.
        out: the folder; `drawings/compare-<slug>-s<seed>` if not given.
        on_step: called with the method, the configuration and the step after each step.

    Raises:
        InputError, ConfigError: a setting is wrong; nothing has been written.
        WeightsError, MissingExtraError: an encoder cannot be loaded, or a generator if no other method was asked for;
            nothing has been written.

    Source: Frans et al. 2021 (CLIPDraw), section 4.1 and Figure 3.
    """
    if not configs or not methods:
        raise InputError("a comparison needs at least one prompt and one method")
    columns = {name: method(name) for name in dict.fromkeys(methods)}
    if held_out is not None and held_out.name in configs[0].judge.weights():
        raise ConfigError(f"the encoder {held_out.name!r} is optimized, so it cannot be held out; {_HELD_OUT_INSTEAD}")
    encoder = prepare(configs[0])
    texts = [[prompt.text for prompt in config.prompts()] for config in configs]
    note_unread(chain(*texts[1:]), encoder)
    if held_out is not None:
        note_unread(chain(*texts), held_out)
    lacking = _lacking(tuple(columns), configs[0], encoder, generator)
    folder = make_folder(f"compare {configs[0].title}", configs[0].seed, Path(out) if out is not None else None)
    pairs = list(product(configs, columns))
    with threads_of(configs[0]), interruptible() as interrupt:
        work = _Work(folder, encoder, held_out, generator, on_step, interrupt)
        for config, name in pairs:
            if not interrupt.requested:
                work.add(config, name, lacking.get(name, ""))
    status = "finished" if len(work.results) == len(pairs) else "interrupted"
    comparison = Comparison(folder, tuple(work.results), encoder.name, *work.other, status)
    _write(comparison, configs, work.pictures)
    return comparison


def _lacking(names: Sequence[str], config: Config, encoder: Encoder, generator: str) -> dict[str, str]:
    """The reason why a method cannot be tried here, by its name; tried before anything is drawn.

    Raises:
        WeightsError, MissingExtraError: no other method was asked for.
    """
    if "biggan" not in names:
        return {}
    try:
        method("biggan").problem(config, encoder, generator)
    except (WeightsError, MissingExtraError) as error:
        if len(names) == 1:
            raise
        return {"biggan": str(error)}
    return {}


class _Work:
    """Pictures and results as they come."""

    def __init__(
        self, folder: Path, encoder: Encoder, held_out: Encoder | None, generator: str, on_step: OnMethod | None,
        interrupt: Interrupt,
    ) -> None:  # fmt: skip
        self.folder, self._encoder, self._held_out, self._generator = folder, encoder, held_out, generator
        self.other = (held_out.name, "held out") if held_out else (f"{encoder.name}, {_OTHER_VIEWS}", "other views")
        self._on_step, self._interrupt = on_step, interrupt
        self.results: list[Result] = []
        self.pictures: list[Picture | None] = []

    def add(self, config: Config, name: str, lacking: str) -> None:
        """Let one method draw one prompt; a picture that is interrupted is left out."""
        result, picture = Result(name, config.title, config.seed), None
        if lacking:
            result = replace(result, missing=_NO_GENERATOR, reason=lacking)
        else:
            began = time.perf_counter()
            try:
                step = self._last_step(config, name)
            except DivergedError as error:
                result = replace(result, missing="its gradients were not finite", reason=str(error))
            else:
                if step is None:
                    return
                result = replace(result, seconds=time.perf_counter() - began, steps=step.index)
                result, picture = self._saved(config, result, step)
        self.results.append(result)
        self.pictures.append(picture)

    def _last_step(self, config: Config, name: str) -> Step | None:
        """The last step of a method; None if it is interrupted before."""
        log.info("drawing %s, seed %d: %s", config.title, config.seed, name)
        for step in method(name).problem(config, self._encoder, self._generator).optimize():
            if self._on_step:
                self._on_step(name, config, step)
            if self._interrupt.requested and step.index < step.of:
                return None
        return step

    def _saved(self, config: Config, result: Result, step: Step) -> tuple[Result, Picture]:
        """The result with its files and similarities, and the picture."""
        if isinstance(step.subject, Drawing):
            picture: Picture = replace(step.drawing.detached().to(device="cpu"), metadata=config.metadata())
        else:
            picture = step.subject.image(round(max(config.canvas))).detach().cpu()
        files = self._save(picture, self._unused(f"{slug(config.title)}-s{config.seed}-{result.method}"))
        optimized, other, unwanted = self._similarities(config, picture)
        return replace(result, similarity=optimized, held_out=other, unwanted=unwanted, files=files), picture

    def _similarities(self, config: Config, picture: Picture) -> tuple[float, float, float | None]:
        prompts = config.prompts()
        texts = [prompt.text for prompt in prompts]
        optimized = score(picture, texts, self._encoder)
        if self._held_out:
            other = score(picture, texts, self._held_out)
        else:
            other = unseen_similarities(picture, texts, self._encoder)
        reversed_prompts = [Prompt(prompt.text, -prompt.weight) for prompt in prompts]
        unwanted = similarity(reversed_prompts, optimized) if config.negative else None
        return similarity(prompts, optimized), similarity(prompts, other), unwanted

    def _unused(self, stem: str) -> str:
        taken = sum(file.startswith(stem) for result in self.results for file in result.files[-1:])
        return f"{stem}-{taken + 1}" if taken else stem

    def _save(self, picture: Picture, stem: str) -> tuple[str, ...]:
        files = [f"{stem}.png"]
        image: Tensor
        if isinstance(picture, Drawing):
            files.insert(0, f"{stem}.svg")
            picture.save(self.folder / files[0])
            height, width = picture.canvas.pixel_size(_PNG_SIDE)
            image = raster.rasterize(picture, height=height, width=width)
        else:
            image = picture
        write_png(image, self.folder / files[-1])
        return tuple(files)


def _write(comparison: Comparison, configs: Sequence[Config], pictures: Sequence[Picture | None]) -> None:
    record = {
        "status": comparison.status,
        "encoder": comparison.encoder,
        "precision": precision_of(configs[0]),
        "held_out": comparison.held_out,
        "means": {name: {"similarity": a, "held_out": b} for name, (a, b) in comparison.means().items()},
        "results": [asdict(result) for result in comparison.results],
        "configs": [config.to_dict() for config in configs],
        "versions": versions(),
    }
    write_record(comparison.folder, record)
    names = list(dict.fromkeys(result.method for result in comparison.results))
    pairs = list(zip(comparison.results, pictures, strict=True))
    rows = [pairs[at : at + len(names)] for at in range(0, len(pairs), max(1, len(names)))]
    if rows:
        sheet = Sheet(
            [[_cell(*pair, comparison.label) for pair in row] for row in rows],
            columns=[method(name).title for name in names],
            rows=[f"{row[0][0].prompt}, seed {row[0][0].seed}" for row in rows],
            rows_above=True,
            notes=_notes(comparison),
            scale=2,
        )
        write_sheet(sheet, *(comparison.folder / f"{FIGURE}{ending}" for ending in (".svg", ".png")))


def _cell(result: Result, picture: Picture | None, label: str) -> Cell:
    if picture is None:
        return Cell(f"not available: {result.missing}")
    unwanted = () if result.unwanted is None else (f"negatives {result.unwanted:.3f}",)
    return Cell(picture, (f"optimized {result.similarity:.3f}", f"{label} {result.held_out:.3f}", *unwanted))


def _notes(comparison: Comparison) -> tuple[str, ...]:
    label = comparison.label
    means = "; ".join(f"{method(name).title} {a:.3f}, {b:.3f}" for name, (a, b) in comparison.means().items())
    return (
        f"Cosines of picture and prompt. Optimized: {comparison.encoder}. {label.capitalize()}: {comparison.held_out}.",
        *((f"Means, optimized and {label}: {means}.",) if means else ()),
    )
