"""Configurations: every setting of a run, and the way from what users write to a problem that can be optimized."""

from clipdraw.config.resolve import (
    DEFAULTS,
    OLD_NAMES,
    by_full_name,
    fingerprint,
    from_dict,
    presets,
    read_toml,
    resolve,
    settings_of,
    with_absolute_paths,
)
from clipdraw.config.settings import Config

__all__ = [
    "DEFAULTS",
    "OLD_NAMES",
    "Config",
    "by_full_name",
    "fingerprint",
    "from_dict",
    "presets",
    "read_toml",
    "resolve",
    "settings_of",
    "with_absolute_paths",
]
