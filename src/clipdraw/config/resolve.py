"""From what users write to a configuration: names old and new, presets, files, options."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

from clipdraw.config import sources
from clipdraw.config.groups import JudgeSettings
from clipdraw.config.media import NO_MEDIUM, medium_of
from clipdraw.config.prompts import region_with_absolute_path
from clipdraw.config.settings import Config
from clipdraw.encoders import absolute_name
from clipdraw.errors import ConfigError, plain_fields
from clipdraw.optimization.center import Center
from clipdraw.progress import log

OLD_NAMES = {
    "encoder": "judge.encoders",
    "normalize": "judge.normalize",
    "segments": "start.segments",
    "start_reach": "start.reach",
    "start_width": "start.width",
    "start_opacity": "start.opacity",
    "start_spread": "start.spread",
    "likeness": "prior.weight",
    "likeness_until": "prior.until",
    "ink": "opacity_weight",
    "views": "views.count",
    "augment": "views.augment",
    "view_distortion": "views.distortion",
    "view_area": "views.area",
    "outside": "views.outside",
    "points_rate": "rates.points",
    "width_rate": "rates.width",
    "color_rate": "rates.color",
    "points_schedule": "rates.points_schedule",
    "other_schedule": "rates.other_schedule",
    "width_range": "constraints.width_range",
    "least_opacity": "constraints.least_opacity",
    "keep_on_canvas": "constraints.keep_on_canvas",
    "centre_radius": "center.radius",
    "centre_weight": "center.weight",
    "centre_power": "center.power",
    "centre_kind": "center.kind",
    "centre_on": "center.on",
    "film_kinds": "film.kinds",
    "film_formats": "film.formats",
    "film_length": "film.length",
    "film_hold": "film.hold",
    "film_size": "film.size",
    "film_fps": "film.fps",
}
"""Names that settings had before they were in groups, and their names now. All of them are still read."""

_OF_THE_MACHINE = ("device", "threads")
"""Settings that do not say what is drawn."""


def _values(settings: Any, prefix: str = "") -> dict[str, Any]:
    """The value of each setting by its full name, such as `judge.precision`."""
    found: dict[str, Any] = {}
    for each in fields(settings):
        value = getattr(settings, each.name)
        found |= _values(value, f"{prefix}{each.name}.") if is_dataclass(value) else {prefix + each.name: value}
    return found


DEFAULTS = _values(Config("a"))
"""The published value of each setting by its full name; of `prompt` only the type counts."""
_GROUPS = {name.partition(".")[0] for name in DEFAULTS if "." in name}


def by_full_name(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values by their settings' full names.

    Args:
        values: by full names, in groups, or by old names; in Python `center_radius` means `center.radius`. A
            palette may be a text with commas.

    Raises:
        ConfigError: a setting is unknown.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in _GROUPS and isinstance(value, Mapping):
            found |= by_full_name({f"{name}.{part}": inner for part, inner in value.items()})
        else:
            full = _full_name(name)
            found[full] = tuple(value.split(",")) if full == "pen.palette" and isinstance(value, str) else value
    return found


def _full_name(name: str) -> str:
    group, _, part = name.partition("_")
    for candidate in (name, OLD_NAMES.get(name, ""), f"{group}.{part}"):
        if candidate in DEFAULTS:
            return candidate
    raise ConfigError(f"there is no setting {name!r}; there are: {', '.join(DEFAULTS)}")


def from_dict(values: Mapping[str, Any]) -> Config:
    """The configuration of plain values as JSON and TOML hold them.

    Raises:
        ConfigError: a setting is unknown, of the wrong type or out of range, or there is no prompt.
    """
    given = by_full_name(values)
    if "prompt" not in given:
        raise ConfigError('no prompt: say what to draw, for example prompt = "a bonfire"')
    groups: dict[str, dict[str, Any]] = {}
    for name in [name for name in given if "." in name]:
        group, part = name.split(".")
        groups.setdefault(group, {})[part] = given.pop(name)
    kinds: dict[str, Any] = {each.name: each.default_factory for each in fields(Config)}
    parts = {name: _made(kinds[name], values, f"{name}.") for name, values in groups.items()}
    return _made(Config, given | parts)


def _made(kind: Any, values: Mapping[str, Any], prefix: str = "") -> Any:
    return kind(**plain_fields(kind, values, prefix=prefix, error=ConfigError))


def resolve(prompt: str, options: Mapping[str, Any], *, file: Path | None = None) -> Config:
    """The configuration of a run: the preset's values, over them the medium's, the file's and the options.

    The preset is that which goes with the encoders, unless one is named. Encoders that are paths become absolute ones.

    Args:
        prompt: the text to draw, `TEXT` or `TEXT:WEIGHT`.
        options: settings given by the caller, as `by_full_name` reads them; None means not given.
        file: a TOML file of settings.

    Raises:
        ConfigError: the preset is unknown, the file unreadable or a setting wrong.
        InputError: a text is blank or a value out of range.
    """
    given = {name: value for name, value in options.items() if value is not None}
    chosen = with_absolute_paths((by_full_name(read_toml(file)) if file else {}) | by_full_name(given))
    name = chosen["preset"] if "preset" in chosen else _preset_for(chosen.get("judge.encoders", ("builtin",)))
    available = _presets()
    if name not in available:
        raise ConfigError(f"there is no preset {name!r}; there are: {', '.join(available)}")
    preset = {setting: value for setting, value in available[name].items() if setting != "about"}
    medium = medium_of(chosen.get("medium", preset.get("medium", NO_MEDIUM)), (prompt, *chosen.get("also", ())))
    rules = by_full_name(medium.settings) if medium else {}
    if medium and "medium" not in chosen:
        log.info("drawing with the rules of %s, which the prompt names; --medium none leaves them out", medium.name)
    if "center.weight" not in preset | chosen and any(setting.startswith("center.") for setting in chosen):
        chosen["center.weight"] = Center.weight
    named = {"prompt": prompt, "preset": name, "medium": medium.name if medium else NO_MEDIUM}
    return from_dict({**preset, **rules, **chosen, **named})


def with_absolute_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values by full names, with encoders and masks by names that mean the same in every folder.

    Raises:
        ConfigError: a setting is unknown, or the encoders are not named as they should be.
        InputError: a region is not written as it should be.
    """
    found = by_full_name(values)
    if "regions" in found:
        texts = plain_fields(Config, {"regions": found["regions"]}, error=ConfigError)["regions"]
        found["regions"] = tuple(map(region_with_absolute_path, texts))
    for name in sources.FILES:
        if found.get(name) and isinstance(found[name], str):
            found[name] = str(Path(found[name]).expanduser().absolute())
    if isinstance(found.get("guide.model"), str):
        found["guide.model"] = absolute_name(found["guide.model"])
    if "judge.encoders" in found:
        judge: JudgeSettings = _made(JudgeSettings, {"encoders": found["judge.encoders"]}, "judge.")
        names, texts = judge.weights(), judge.encoders
        found["judge.encoders"] = tuple(
            absolute_name(name) + text[len(name) :] for name, text in zip(names, texts, strict=True)
        )
    return found


def _preset_for(encoders: tuple[str, ...]) -> str:
    """The preset that goes with encoders if none is named."""
    return "default" if "builtin" in JudgeSettings(encoders).weights() else "clip"


def presets() -> dict[str, dict[str, Any]]:
    """The presets by name: `about`, and by their full names the settings that each changes, its base's among them."""
    return deepcopy(_presets())


@cache
def _presets() -> dict[str, dict[str, Any]]:
    """The same, read once and not to be written to."""
    found: dict[str, dict[str, Any]] = {}
    for name, table in tomllib.loads((Path(__file__).parent / "presets.toml").read_text(encoding="utf-8")).items():
        about, base = table.pop("about"), table.pop("base", "")
        found[name] = found.get(base, {}) | by_full_name(table) | {"about": about}
    return found


def read_toml(path: Path) -> dict[str, Any]:
    """The values in a TOML file.

    Raises:
        ConfigError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # of TOML, UTF-8, or a number of too many digits
        raise ConfigError(f"{path}: not a TOML file: {error}") from None


def settings_of(config: Config) -> dict[str, Any]:
    """Every setting by its full name."""
    return _values(config)


def fingerprint(config: Config) -> str:
    """Twelve characters for what a configuration draws, the same on every machine.

    They carry 48 bits: of 10,000 configurations two have the same with a chance of 2 in 10 million.

    Made from the old names, and from newer settings only where they are not the published ones, so that it stays when
    settings are added or renamed: a sweep names its folders by it.
    """
    old = {new: name for name, new in OLD_NAMES.items()}
    values = {
        old.get(name, name): value
        for name, value in _values(config).items()
        if name not in _OF_THE_MACHINE and (name in _FIRST_SETTINGS or value != DEFAULTS[name])
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]


_FIRST_SETTINGS = {
    "prompt", "also", "negative", "preset", "seed", "canvas", "strokes", "steps", "resolution", "explain",
    *OLD_NAMES.values(),
}  # fmt: skip
