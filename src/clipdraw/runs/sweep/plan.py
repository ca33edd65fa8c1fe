"""The plan of a sweep: the values along each axis, and every combination of them."""

from __future__ import annotations

import itertools
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from clipdraw.config import Config, by_full_name, fingerprint, resolve, with_absolute_paths
from clipdraw.config.prompts import parse_weighted, written
from clipdraw.errors import ClipdrawError, ConfigError
from clipdraw.optimization.losses import Prompt
from clipdraw.runs.folder import slug

MOST_RUNS = 10_000


@dataclass(frozen=True)
class Choice:
    """One value of an axis: its label on the sheet, and the settings or the words of the prompt that it stands for."""

    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One drawing of a sweep.

    Args:
        name: of its folder: the prompt, the seed, and a few characters that no other configuration has.
        config: every setting.
        labels: of its value on each axis.
    """

    name: str
    config: Config
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The axes of a sweep and what all its drawings share, as plain values.

    Args:
        prompts: texts to draw; one with settings of its own is a table of these and `prompt`, as in
            `{ prompt = "Hashtag", negative = ["Words and text"] }`. A variant's settings count for more.
        styles: words put before each prompt, as in `watercolor painting of`; where the prompt is to stand among
            them or before them, write `{}`: `{} as a tattoo`. An empty one is the prompt itself.
        variants: settings that belong together, each with a `label`.
        vary: names of settings, each with a list of values.
        seeds: seeds.
        settings: of all drawings, as in `clipdraw.Config`.
        about: a line for people.

    Source: Frans et al. 2021 (CLIPDraw), sections 4.3 to 4.6.
    """

    prompts: tuple[str | Mapping[str, Any], ...] = ()
    styles: tuple[str, ...] = ()
    variants: tuple[Mapping[str, Any], ...] = ()
    vary: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    seeds: tuple[int, ...] = (0,)
    settings: Mapping[str, Any] = field(default_factory=dict)
    about: str = ""

    def axes(self) -> tuple[tuple[Choice, ...], ...]:
        """The axes that have values, from the slowest to the fastest.

        Raises:
            ConfigError: there is no prompt, an axis is empty, or a setting stands where it has no place.
        """
        if not self.prompts:
            raise ConfigError('a sweep needs prompts: say what to draw, for example "a cat" "a dog"')
        for name in ("seed", "prompt"):
            if name in self.vary or name in self.settings:
                raise ConfigError(f"{name} is not a setting of a sweep: it has an axis of its own, {name}s")
        if not self.seeds or not all(self.vary.values()):
            empty = "seeds" if not self.seeds else next(name for name, values in self.vary.items() if not values)
            raise ConfigError(f"a sweep over {empty} needs at least one value")
        return tuple(self._axes())

    def _axes(self) -> Iterator[tuple[Choice, ...]]:
        yield tuple(_prompt(prompt) for prompt in self.prompts)
        if self.styles:
            yield tuple(Choice(_style_label(style), words={"style": style}) for style in self.styles)
        if self.variants:
            yield tuple(_variant(variant) for variant in self.variants)
        for name, values in self.vary.items():
            yield tuple(Choice(_value_label(name, value), {name: value}) for value in values)
        yield tuple(Choice(f"seed {seed}", {"seed": seed}) for seed in self.seeds)

    def cells(self) -> tuple[Cell, ...]:
        """Every combination, the last axis varying fastest.

        Raises:
            ConfigError: see `axes`; there are too many; or a combination is not allowed, which the message names.
        """
        axes = self.axes()
        count = 1
        for axis in axes:
            count *= len(axis)
        if count > MOST_RUNS:
            raise ConfigError(f"a sweep of {count:,} drawings; at most {MOST_RUNS:,} are made")
        found: dict[str, Cell] = {}
        for cell in map(self._cell, itertools.product(*axes)):
            if cell.name in found:
                raise ConfigError(f"{', '.join(cell.labels)}: the same drawing twice; a value of the sweep is repeated")
            found[cell.name] = cell
        return tuple(found.values())

    def _cell(self, choices: tuple[Choice, ...]) -> Cell:
        labels = tuple(choice.label for choice in choices)
        words = {name: text for choice in choices for name, text in choice.words.items()}
        try:
            values = by_full_name(self.settings)
            for choice in choices:
                values |= by_full_name(choice.settings)
            prompt = styled(words["prompt"], words.get("style", ""))
            config = resolve(prompt, values)
        except ClipdrawError as error:
            raise ConfigError(f"{', '.join(labels)}: {error}") from None
        return Cell(f"{slug(prompt)}-s{config.seed}-{fingerprint(config)}", config, labels)

    def with_absolute_paths(self) -> Plan:
        """The plan with encoders by absolute paths, which can be gone on with from any folder.

        Raises:
            ConfigError: a setting is unknown, or of the wrong kind.
        """
        vary = {
            name: tuple(with_absolute_paths({name: value}).popitem()[1] for value in values)
            for name, values in self.vary.items()
        }
        return replace(self, settings=with_absolute_paths(self.settings), vary=vary)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as `from_dict` reads them."""
        return json.loads(json.dumps(asdict(self)))


def styled(prompt: str, style: str) -> str:
    """The prompt with the words of a style before or around its text; its weight stays behind them.

    Raises:
        InputError: the prompt is blank or its weight not above 0.
    """
    if not style.strip():
        return prompt
    plain = Prompt(*parse_weighted(prompt))
    words = style if "{}" in style else f"{style.strip()} {{}}"
    return written(replace(plain, text=words.replace("{}", plain.text)))


def from_dict(values: Mapping[str, Any]) -> Plan:
    """The plan of plain values as JSON and TOML hold them.

    Raises:
        ConfigError: an entry is unknown or of the wrong kind.
    """
    known = {f.name for f in fields(Plan)}
    for name in values:
        if name not in known:
            raise ConfigError(f"a plan has no {name!r}; it has: {', '.join(sorted(known))}")
    for name, kinds in _ITEMS.items():
        items = values.get(name, [])
        if not isinstance(items, list) or any(type(item) not in kinds for item in items):
            raise ConfigError(f"{name} of a plan is a list, each of type {kinds[0].__name__}, got {items!r}")
    for name in ("vary", "settings"):
        if not isinstance(values.get(name, {}), dict):
            raise ConfigError(f"{name} of a plan is a table, got {values[name]!r}")
    if not all(isinstance(items, list) for items in values.get("vary", {}).values()):
        raise ConfigError("vary of a plan has a list of values for each setting")
    lists: dict[str, Any] = {
        name: tuple(values[name]) for name in ("prompts", "styles", "variants", "seeds") if name in values
    }
    vary = {name: tuple(items) for name, items in values.get("vary", {}).items()}
    settings, about = dict(values.get("settings", {})), str(values.get("about", ""))
    return Plan(**lists, vary=vary, settings=settings, about=about)


_ITEMS: Mapping[str, tuple[type, ...]] = {
    "prompts": (str, dict),
    "styles": (str,),
    "variants": (dict,),
    "seeds": (int,),
}
"""The types of what the lists of a plan hold."""


def plans() -> dict[str, Plan]:
    """The plans that ship, by name."""
    text = (Path(__file__).parent / "plans.toml").read_text(encoding="utf-8")
    return {name: from_dict(values) for name, values in tomllib.loads(text).items()}


def _prompt(prompt: str | Mapping[str, Any]) -> Choice:
    """A prompt, labeled by its text and by what to stay away from.

    Raises:
        ConfigError: a table has no text.
    """
    if isinstance(prompt, str):
        return Choice(prompt, words={"prompt": prompt})
    settings = dict(prompt)
    text = settings.pop("prompt", None)
    if not isinstance(text, str):
        raise ConfigError(f"a prompt of a plan is a text, or a table with the text as its prompt, got {prompt!r}")
    unwanted = settings.get("negative", ())
    return Choice(", ".join([text, *(f"not {negative}" for negative in unwanted)]), settings, {"prompt": text})


def _variant(values: Mapping[str, Any]) -> Choice:
    settings = dict(values)
    label = settings.pop("label", None)
    return Choice(str(label or ", ".join(_value_label(*item) for item in by_full_name(settings).items())), settings)


def _style_label(style: str) -> str:
    return style.replace("{}", "…") if style.strip() else "plain"


def _value_label(name: str, value: Any) -> str:
    return f"{value} strokes" if name == "strokes" else f"{re.sub('[_.]', ' ', name)} {value}"
