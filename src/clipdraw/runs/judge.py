"""The judge of a drawing that is there already: that of its run, or another one."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clipdraw.config import by_full_name, from_dict, settings_of
from clipdraw.config.groups import JudgeSettings
from clipdraw.encoders import Encoder
from clipdraw.errors import ClipdrawError, ConfigError
from clipdraw.optimization.losses import Prompt
from clipdraw.progress import log
from clipdraw.runs.folder import CONFIGURATION, read_record
from clipdraw.runs.session import encoder_of

_ALLOWED = ("judge.", "device")


@dataclass(frozen=True)
class Judge:
    """An encoder with the settings that it was loaded by.

    Args:
        encoder: what embeds pictures and texts.
        settings: its name, normalization and precision.
        prompts: those of the run that it judged, if it is of a run.
    """

    encoder: Encoder
    settings: JudgeSettings
    prompts: tuple[Prompt, ...] = ()

    def about(self) -> dict[str, Any]:
        """Its name, and whether it normalizes pixels."""
        return {"encoder": self.encoder.name, "normalize": self.settings.normalize}


def judge_of(file: Path, settings: Mapping[str, Any]) -> Judge:
    """The judge of a picture: as it was in the run whose folder holds the file, else the built-in encoder.

    A run's precision is the one that it took, its device the best that there is here. In the folder of a comparison it
    is the judge that was optimized.

    Args:
        file: the picture's.
        settings: of the judge and the device, which override those of the run; by full names.

    Raises:
        ConfigError: another setting is given, or a value is wrong.
        InputError, WeightsError, MissingExtraError: the encoder cannot be loaded.
    """
    given = by_full_name(settings)
    if others := [name for name in given if not name.startswith(_ALLOWED)]:
        raise ConfigError(f"{others[0]} does not change how a picture is judged; settings of the group judge do")
    of_run = _settings_of_run(file)
    config = from_dict({"prompt": "a picture", **of_run, "device": "auto", **given})
    encoder = encoder_of(config)
    if of_run and "judge.encoders" not in given:
        pixels = "" if config.judge.normalize else ", pixels not normalized"
        log.info("judging as in %s: %s%s", file.parent / CONFIGURATION, encoder.name, pixels)
    return Judge(encoder, config.judge, config.prompts() if of_run else ())


def _settings_of_run(file: Path) -> dict[str, Any]:
    """The settings of the run, or of the first one of the comparison, whose folder holds a file; empty without one."""
    path = file.parent / CONFIGURATION
    if not path.is_file():
        return {}
    try:
        record = read_record(file.parent)
        values = record["config"] if "config" in record else record["configs"][0]
        found = settings_of(from_dict(values))
    except (ClipdrawError, LookupError, TypeError, AttributeError) as error:
        warnings.warn(f"{path} does not tell of a run, so that the built-in encoder judges: {error}", stacklevel=3)
        return {}
    if found["judge.precision"] == "auto" and isinstance(record.get("encoder"), dict):
        found["judge.precision"] = record["encoder"].get("precision", "auto")
    return found
