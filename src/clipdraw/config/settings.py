"""The settings of a run: plain values in groups, as the command line, files and run folders hold them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch

from clipdraw.config import control, sources
from clipdraw.config.groups import (
    CenterSettings,
    ConstraintSettings,
    FilmSettings,
    GuideSettings,
    HandSettings,
    JudgeSettings,
    PenSettings,
    PriorSettings,
    RateSettings,
    SourceSettings,
    StartSettings,
    ViewSettings,
    require,
    require_one_of,
)
from clipdraw.config.layout import lay_out, places_of, shapes_of, to_dict
from clipdraw.config.media import NO_MEDIUM, media
from clipdraw.config.prompts import parse_prompts, parse_region, title_of, written
from clipdraw.config.scenes import Scene, read_scene
from clipdraw.drawing import Canvas, Drawing
from clipdraw.encoders import Encoder, prior_of
from clipdraw.errors import ConfigError, check_fields
from clipdraw.optimization.center import CIRCLES, Center
from clipdraw.optimization.constraints import Constraint
from clipdraw.optimization.diffusion import Guide
from clipdraw.optimization.loop import Problem
from clipdraw.optimization.losses import Loss, Opacity, Prior, Prompt
from clipdraw.optimization.parameterization import Parameterization, Rates
from clipdraw.optimization.prior_picture import Place, PriorPicture
from clipdraw.optimization.recipe import Recipe
from clipdraw.optimization.regions import WithinRegions, region_prompts
from clipdraw.optimization.schedules import SCHEDULES
from clipdraw.optimization.shapes import SHAPES
from clipdraw.optimization.start import PriorStrokes, RandomStrokes, RegionStrokes
from clipdraw.optimization.views import Views
from clipdraw.progress import log

_BOUNDS = {"strokes": (1, 100_000), "steps": (1, 1_000_000), "threads": (0, 1024), "resolution": (0, 8192)}
_BOUNDS["seed"] = 0, 2**63 - 1
SCENES = ("auto", "on", "off")
"""Whether a prompt is read as a scene."""
_REGION_DETAIL = 2
"""Pixels of the picture for each pixel of a view, along each axis, so that views of regions have some of their own."""
_SCENE_SLACK = 0.03
"""How far strokes may leave the box of a scene's thing, as a fraction of the canvas's shorter side."""


@dataclass(frozen=True)
class Config:
    """Every setting of a run. Lengths are in units of a 224-unit canvas and scale with the canvas.

    Args:
        prompt: the text to draw, `TEXT` or `TEXT:WEIGHT` (weight 1, see `prompts.parse_weighted`).
        also: more texts to draw in the same picture, written in the same way.
        negative: texts to stay away from, written in the same way (weight 0.3).
        regions: parts of the canvas with texts of their own, each `TEXT[:WEIGHT]@PLACE`; a place is a name such as
            `left`, `top right` or `center third`, a box in percent (left,top,right,bottom: `10,20,40,60`), the file of
            a mask, which is all that is not white, or `background` (see `prompts.parse_region`).
        scene: whether the weightiest prompt is read as a scene of several things, which are laid out in regions if
            none are given: `auto`, if the drawing starts from the picture of an image prior and is not one line,
            symmetric or a tile, `on` or `off`.
        preset: the preset that the other values come from; if none is named, that which goes with the encoders.
        seed: of the start and the views.
        canvas: width and height in canvas units, 1 to 16,384.
        strokes: number of strokes, 1 to 100,000.
        steps: number of updates, 1 to 1,000,000.
        resolution: pixels along the longer side of the picture that views are made of, up to 8192; 0 takes the
            encoder's view size. Of a larger picture each pixel of a view is a mean.
        opacity_weight: weight of the mean opacity, which makes needless strokes fade; 0 leaves it out.
        medium: whose rules the strokes have: `watercolor`, `ink` and so on (see `media`), or `none`. Files and options
            may say `auto`, the one that the prompt names.
        background: a color, as `#rrggbb` or by its CSS name; `none` for a drawing without, which is judged over random
            grays; or `optimized`.
        shape: `stroke`, `fill` for closed shapes, `both` for closed shapes with strokes around them, or `pixel` for the
            squares of a mosaic.
        explain: whether the words nearest to the drawing are found in each step.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: CPU threads of the run, up to 1024; 0 takes what is there.
        judge: the encoders.
        start: the strokes before the first step.
        prior: the picture that an encoder has of the prompt.
        views: the distorted copies that the encoder sees.
        rates: learning rates.
        constraints: rules that hold after each step.
        pen: colors, width and opacity of paths.
        hand: how lines run.
        source: pictures and drawings of one's own.
        center: the pull to the middle.
        guide: guidance by a diffusion model.
        film: the films of the run.

    Raises:
        InputError, ConfigError: a value is out of range or a text is blank.
    """

    prompt: str
    also: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    scene: str = "auto"
    preset: str = "default"
    seed: int = 0
    canvas: tuple[float, float] = (224.0, 224.0)
    strokes: int = 256
    steps: int = 250
    resolution: int = 0
    opacity_weight: float = 0.0
    medium: str = NO_MEDIUM
    background: str = "white"
    shape: str = "stroke"
    explain: bool = False
    device: str = "auto"
    threads: int = 0
    judge: JudgeSettings = field(default_factory=JudgeSettings)
    start: StartSettings = field(default_factory=StartSettings)
    prior: PriorSettings = field(default_factory=PriorSettings)
    views: ViewSettings = field(default_factory=ViewSettings)
    rates: RateSettings = field(default_factory=RateSettings)
    constraints: ConstraintSettings = field(default_factory=ConstraintSettings)
    pen: PenSettings = field(default_factory=PenSettings)
    hand: HandSettings = field(default_factory=HandSettings)
    source: SourceSettings = field(default_factory=SourceSettings)
    center: CenterSettings = field(default_factory=CenterSettings)
    guide: GuideSettings = field(default_factory=GuideSettings)
    film: FilmSettings = field(default_factory=FilmSettings)

    def __post_init__(self) -> None:
        check_fields(self, error=ConfigError)
        for side in self.canvas:
            require("canvas side", side, 1, 16_384)
        for name, (lowest, highest) in _BOUNDS.items():
            require(name, getattr(self, name), lowest, highest)
        require_one_of("scene", self.scene, SCENES)
        for region in self.regions:
            parse_region(region)
        require_one_of("shape", self.shape, SHAPES)
        require_one_of("medium", self.medium, (NO_MEDIUM, *media()))
        control.check_together(self)
        sources.check_together(self)
        # Building them checks the remaining values, also those of what is left out.
        self._losses()
        Prior(self._picture(), self.prior.weight or Prior.weight, self.prior.until)
        Center(**{**asdict(self.center), "weight": self.center.weight or Center.weight})
        self._guide()
        self.recipe()
        control.start(self)
        self._random_strokes()

    def prompts(self) -> tuple[Prompt, ...]:
        """The texts to draw, then those to stay away from."""
        return parse_prompts((self.prompt, *self.also), self.negative)

    @property
    def title(self) -> str:
        """All prompts in one line, with the weights that are not the usual ones."""
        return title_of(self.prompts())

    def metadata(self) -> dict[str, str]:
        """The metadata of a file of the drawing: the title as `prompt`, the seed, and each prompt if there are more.

        `prompts` and `negative` hold one text a line, with its weight if that is not the usual one.
        """
        prompts = self.prompts()
        groups = {
            "prompts": [written(prompt) for prompt in prompts if prompt.weight > 0],
            "negative": [written(prompt) for prompt in prompts if prompt.weight < 0],
        }
        more = (
            {name: "\n".join(" ".join(text.split()) for text in texts) for name, texts in groups.items() if texts}
            if len(prompts) > 1
            else {}
        )
        return {"prompt": self.title, **more, "seed": str(self.seed)}

    def build(self, encoder: Encoder, *, start: Parameterization | Drawing | None = None) -> Problem:
        """The optimization that this configuration describes.

        Args:
            encoder: what embeds the views and the texts.
            start: what is optimized instead of the configured strokes.
        """
        if scene := self.read_scene(encoder):
            log.info("reading the scene: %s", scene.described())
        places, recipe = self.places(encoder), self.recipe()
        recipe = replace(recipe, arrangement=sources.arrangement(self, recipe.arrangement))
        if places:
            pixels = recipe.resolution or _REGION_DETAIL * encoder.view_size
            recipe = replace(recipe, constraints=(*recipe.constraints, *self._rules_of(places)), resolution=pixels)
        picture = self._picture(places or sources.places(self))
        if start is None:
            start = sources.start(self) or self._start(encoder, places, picture, recipe)
        return Problem(start, (*self._losses(places, picture), *sources.losses(self)), recipe, encoder, self.seed)

    def places(self, encoder: Encoder) -> tuple[Place, ...]:
        """The regions that are given, else the layout of the scene that the prompt tells; empty without either.

        Raises:
            FormatError: the file of a mask cannot be read.
        """
        if self.regions:
            return places_of(self.regions)
        scene = self.read_scene(encoder)
        return lay_out(scene, self.canvas, shapes_of(encoder, self.seed)) if scene else ()

    def read_scene(self, encoder: Encoder) -> Scene | None:
        """The scene that the weightiest prompt tells, if it is to be read and has more than one thing to lay out."""
        possible = bool(self.prior.weight) and prior_of(encoder) is not None and not control.spreads(self)
        wanted = {"on": True, "off": False, "auto": possible}
        if self.regions or self.source.file or not wanted[self.scene]:
            return None
        scene = read_scene(self._weightiest_text())
        return scene if scene.has_places else None

    def scene_record(self, encoder: Encoder) -> dict[str, Any]:
        """The reading and layout of the scene in plain values; empty if none is read."""
        scene = self.read_scene(encoder)
        return to_dict(scene, self.places(encoder)) if scene else {}

    def recipe(self) -> Recipe:
        """Steps, views, rates and constraints, whatever the drawing shows."""
        views, rates = self.views, self.rates
        schedules = SCHEDULES[rates.points_schedule], SCHEDULES[rates.other_schedule]
        return Recipe(
            steps=self.steps,
            views=Views(views.count, views.distortion, views.area, outside=views.outside, enabled=views.augment),
            rates=Rates(rates.points, rates.width, rates.color, *schedules),
            constraints=control.constraints(self),
            resolution=self.resolution or None,
            arrangement=control.arrangement(self),
            moves_background=self.background == control.OPTIMIZED,
        )

    def generator(self) -> torch.Generator:
        """A new random generator with the run's seed."""
        return torch.Generator().manual_seed(self.seed)

    def to_dict(self) -> dict[str, Any]:
        """Plain values in nested groups, as `from_dict` reads them."""
        return asdict(self)

    def _losses(self, places: tuple[Place, ...] = (), picture: PriorPicture | None = None) -> tuple[Loss, ...]:
        others: list[Loss] = [Opacity(self.opacity_weight)] if self.opacity_weight else []
        if self.prior.weight:
            others.append(Prior(picture or self._picture(), self.prior.weight, self.prior.until))
        if self.center.weight:
            others.append(Center(**asdict(self.center)))
        if self.guide.model:
            others.append(self._guide())
        return *self.prompts(), *region_prompts(places), *others, *control.losses(self)

    def _picture(self, places: tuple[Place, ...] = ()) -> PriorPicture:
        """The picture that the drawing starts from and is kept near."""
        shown = places or (Place(self._weightiest_text()),)
        return PriorPicture(shown, self.seed, self._aim_radius(), control.adaptation(self))

    def _guide(self) -> Guide:
        return Guide(self._weightiest_text(), **asdict(self.guide))

    def _weightiest_text(self) -> str:
        return max(self.prompts(), key=lambda prompt: prompt.weight).text

    def _start(self, encoder: Encoder, places: tuple[Place, ...], picture: PriorPicture, recipe: Recipe) -> Drawing:
        """The strokes before the first step: fitted to a picture if the drawing is to be kept near one."""
        start = control.start(self)
        if self.prior.weight or self.source.file:
            start = PriorStrokes(start, picture, encoder, recipe.constraints, arrangement=recipe.arrangement)
        elif places:
            start = RegionStrokes(start, places)
        return start(Canvas(*self.canvas), self.generator())

    def _aim_radius(self) -> float | None:
        """The circle that the prior's picture is shrunk into: where the pull to the middle wants the drawing.

        As a fraction of the canvas's shorter side.
        """
        center = self.center
        return center.radius / Canvas().width if center.weight and center.kind in CIRCLES else None

    def _random_strokes(self) -> RandomStrokes:
        return RandomStrokes(self.strokes, **asdict(self.start))

    def _rules_of(self, places: tuple[Place, ...]) -> tuple[Constraint, ...]:
        return (WithinRegions(places, 0.0 if self.regions else _SCENE_SLACK),) if places else ()
